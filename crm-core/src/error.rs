//! What a caller gets instead of an answer.

use crate::access::{AccessError, Role};
use crate::billing::BillingError;
use crate::privacy::PrivacyError;
use crate::sales::SalesError;
use crate::service::ServiceError;
use crate::status::StatusError;
use crate::store::StoreError;
use crate::value::{Instant, ValueError};

/// A field that was refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The field, as the caller names it; `lines.2.quantity` for the second line's.
    pub field: String,
    /// What was wrong.
    pub reason: ValueError,
}

impl Invalid {
    /// The field with its reason.
    pub fn new(field: impl Into<String>, reason: ValueError) -> Self {
        Self { field: field.into(), reason }
    }
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}

/// Why a command or query was not carried out. Nothing of a refused command is written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CrmError {
    /// The acting user is not known or not a member.
    #[error("{0} is not a member of this organization")]
    Unauthenticated(String),
    // Users.
    /// Nobody signs in with this name and password: which of them is wrong, or whether something else is, is not told.
    #[error("the name or the password is wrong")]
    LoginRefused,
    /// The token is not one of ours, or not valid any more.
    #[error("the token is not valid, or not any more")]
    TokenRefused,
    /// Too many failures; the same call may succeed later.
    #[error("too many attempts: wait {retry_after_seconds} s")]
    Throttled {
        /// How many seconds are to be waited.
        retry_after_seconds: u64,
    },
    /// The role does not allow the operation.
    #[error("the role {role} does not allow {operation}")]
    Forbidden {
        /// The operation, such as `contact.delete`.
        operation: String,
        /// The actor's role.
        role: Role,
    },
    /// The scopes of the API key do not allow the operation.
    #[error("the scopes of the API key do not allow {operation}")]
    OutOfScope {
        /// The operation, such as `contact.delete`.
        operation: String,
    },
    /// A key, invitation or other credential is unknown, has expired or was ended; which of these is not told.
    #[error("{0} is not valid, or not any more")]
    BadCredential(&'static str),
    /// An API key did as often what it may do a limited number of times a day.
    #[error("the API key may do {operation} {limit} times a day: again from {resets_at}")]
    QuotaExceeded {
        /// The operation, such as `contact.create`.
        operation: String,
        /// How often in one UTC day.
        limit: i64,
        /// When the next day begins.
        resets_at: Instant,
    },
    /// There is no such record, or none that the actor may see.
    #[error("there is no {entity} {reference}")]
    NotFound {
        /// The kind of record.
        entity: &'static str,
        /// What it was asked for by.
        reference: String,
    },
    /// Several records answer to the reference.
    #[error("several records of kind {entity} answer to {reference}: {}", candidates.join(", "))]
    Ambiguous {
        /// The kind of record.
        entity: &'static str,
        /// What it was asked for by.
        reference: String,
        /// The ids of the records.
        candidates: Vec<String>,
    },
    /// Others kept changing the record; the command was not carried out.
    #[error("{entity} {reference} was changed by someone else")]
    Conflict {
        /// The kind of record.
        entity: &'static str,
        /// Which record.
        reference: String,
    },
    /// The kind of record has commands of its own, and this general one would get around their rules.
    #[error("{entity} has commands of its own: the general {verb} does not serve it")]
    NotGeneral {
        /// The kind of record.
        entity: &'static str,
        /// The general command.
        verb: &'static str,
    },
    /// The record is still referred to.
    #[error("{entity} {reference} is still referred to by other records")]
    Referenced {
        /// The kind of record.
        entity: &'static str,
        /// Which record.
        reference: String,
    },
    /// A value that must be unique is taken.
    #[error("there is a {entity} with the same {} already", fields.join(", "))]
    Duplicate {
        /// The kind of record.
        entity: &'static str,
        /// The fields that are unique together.
        fields: Vec<&'static str>,
    },
    /// The idempotency key was used for another command.
    #[error("the idempotency key {0:?} was used for another command")]
    KeyReused(String),
    /// Fields were refused.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Invalid>),
    /// A rule of who may belong to an organization.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A rule of billing.
    #[error(transparent)]
    Billing(#[from] BillingError),
    /// A rule of sales.
    #[error(transparent)]
    Sales(#[from] SalesError),
    /// A rule of privacy.
    #[error(transparent)]
    Privacy(#[from] PrivacyError),
    /// A rule of cases.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A move that a record's status does not have.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// The input of an import could not be read.
    #[error("the input could not be read: {0}")]
    Input(#[source] std::io::Error),
    /// The store could not do what it was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The kinds of errors, the same in Rust, on the command line and in Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// Who acts is not known.
    Unauthenticated,
    /// Who acts may not.
    Forbidden,
    /// There is no such record.
    NotFound,
    /// Someone else was faster.
    Conflict,
    /// A unique value is taken.
    Duplicate,
    /// A field was refused.
    Invalid,
    /// A business rule forbids it.
    Rule,
    /// Too many attempts.
    Throttled,
    /// The storage cannot be used now.
    Unavailable,
    /// It is not known whether the command was carried out.
    OutcomeUnknown,
    /// Stored data is not as it was written.
    Corrupt,
    /// Anything else.
    Failure,
}

impl ErrorCode {
    /// The name in every front end.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Duplicate => "duplicate",
            Self::Invalid => "invalid",
            Self::Rule => "rule",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Corrupt => "corrupt",
            Self::Failure => "failure",
        }
    }
}

impl CrmError {
    /// One field was refused.
    pub fn invalid(field: impl Into<String>, reason: ValueError) -> Self {
        Self::Invalid(vec![Invalid::new(field, reason)])
    }

    /// The kind of error.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unauthenticated(_)
            | Self::BadCredential(_)
            | Self::LoginRefused
            | Self::TokenRefused
            | Self::Access(AccessError::WrongPassword) => ErrorCode::Unauthenticated,
            Self::Throttled { .. } | Self::QuotaExceeded { .. } => ErrorCode::Throttled,
            Self::Forbidden { .. } | Self::OutOfScope { .. } => ErrorCode::Forbidden,
            Self::NotFound { .. } => ErrorCode::NotFound,
            Self::Ambiguous { .. } | Self::Invalid(_) => ErrorCode::Invalid,
            Self::Conflict { .. } | Self::Referenced { .. } => ErrorCode::Conflict,
            Self::Duplicate { .. } | Self::KeyReused(_) => ErrorCode::Duplicate,
            Self::NotGeneral { .. }
            | Self::Access(_)
            | Self::Billing(_)
            | Self::Privacy(_)
            | Self::Sales(_)
            | Self::Service(_)
            | Self::Status(_) => ErrorCode::Rule,
            Self::Input(_) => ErrorCode::Failure,
            Self::Store(error) => match error {
                StoreError::Conflict { .. } | StoreError::Referenced { .. } => ErrorCode::Conflict,
                StoreError::Duplicate { .. } => ErrorCode::Duplicate,
                StoreError::OutOfRange { .. } => ErrorCode::Invalid,
                StoreError::Limit { .. } | StoreError::Overflow => ErrorCode::Rule,
                StoreError::Unavailable(_) => ErrorCode::Unavailable,
                StoreError::OutcomeUnknown(_) => ErrorCode::OutcomeUnknown,
                StoreError::Corrupt { .. } => ErrorCode::Corrupt,
                _ => ErrorCode::Failure,
            },
        }
    }

    /// Whether the same call may succeed later.
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self.code(),
            ErrorCode::Conflict | ErrorCode::Throttled | ErrorCode::Unavailable | ErrorCode::OutcomeUnknown
        )
    }
}

impl From<ValueError> for CrmError {
    fn from(reason: ValueError) -> Self {
        Self::invalid("value", reason)
    }
}

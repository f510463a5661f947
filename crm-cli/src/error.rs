//! What a command answers when it fails: a sentence, a hint, an exit code.
//!
//! Core's errors are for programs; the sentences for people are written here and nowhere else.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io;

use crm_core::access::{AccessError, POLICY};
use crm_core::billing::{AllocationSource, BillingError, InvoiceStatus};
use crm_core::print::PrintError;
use crm_core::sales::SalesError;
use crm_core::service::ServiceError;
use crm_core::service::calendar::CalendarError;
use crm_core::service::deadline::DeadlineError;
use crm_core::status::StatusError;
use crm_core::store::StoreError;
use crm_core::value::ValueError;
use crm_core::{CrmError, ErrorCode, Invalid};
use crm_store_postgres::{GrantError, NotGranted};
use crm_store_sqlite::SqliteError;

use crate::commands::has;
use crate::output::{noun, plural};

/// Where to find stages.
const STAGES: &str = "`crm pipeline show PIPELINE` shows the stages of a pipeline";

/// The result of a command.
pub(crate) type Done = Result<(), Failure>;

/// Every exit code with its meaning, as `crm help exit-codes` prints them.
pub(crate) const EXIT_CODES: &[(u8, &str)] = &[
    (0, "ok"),
    (1, "failure"),
    (2, "usage: the command line was wrong"),
    (3, "not found"),
    (4, "unauthenticated or forbidden"),
    (5, "invalid, or against a rule"),
    (6, "conflict or duplicate"),
    (7, "throttled, or a quota is used up: try again later"),
    (8, "storage unavailable: try again"),
    (130, "interrupted"),
];

/// Why a command failed.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    /// The kind of error, as in every front end.
    pub(crate) code: &'static str,
    /// The exit code.
    pub(crate) exit: u8,
    /// One sentence without its full stop.
    pub(crate) message: String,
    /// The field or option that it is about.
    pub(crate) field: Option<String>,
    /// What to do next, one sentence without its full stop.
    pub(crate) hint: Option<String>,
    /// What lies behind it; shown with `-v`.
    pub(crate) causes: Vec<String>,
}

impl Failure {
    fn of(code: &'static str, exit: u8, message: impl Into<String>) -> Self {
        Self { code, exit, message: message.into(), ..Self::default() }
    }

    /// Something else went wrong.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::of("failure", 1, message)
    }

    /// The command line was wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::of("usage", 2, message)
    }

    /// Something that the command needs is not there.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::of("not_found", 3, message)
    }

    /// It is not known who acts, or they are not who they say.
    pub(crate) fn nobody(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::of("unauthenticated", 4, message).hint(hint)
    }

    /// A value was refused.
    pub(crate) fn invalid(field: &str, reason: &ValueError) -> Self {
        let failure = Self::of("invalid", 5, format!("Invalid {field}: {reason}")).field(field);
        match hint_of_value(reason) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// Rows were refused, as listed before.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::of("invalid", 5, message)
    }

    /// The reader of the output has gone: no failure at all.
    pub(crate) fn closed_pipe() -> Self {
        Self::default()
    }

    /// Says what to do next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the field or option.
    #[must_use]
    pub(crate) fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Whether there is nothing to say.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.message.is_empty()
    }

    /// The error as machines read it: `{"error":{"code","message","field","hint"}}`.
    pub(crate) fn to_json(&self) -> String {
        let error = [
            ("code", Some(self.code)),
            ("message", Some(self.message.as_str())),
            ("field", self.field.as_deref()),
            ("hint", self.hint.as_deref()),
        ];
        let mut out = String::from("{\"error\":{");
        for (position, (key, value)) in error.into_iter().enumerate() {
            let value = value.map_or_else(|| "null".to_owned(), |text| serde_json::Value::from(text).to_string());
            let comma = if position == 0 { "" } else { "," };
            let _ = write!(out, "{comma}\"{key}\":{value}");
        }
        out.push_str("}}");
        out
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::closed_pipe()
        } else {
            Self::failed(sentence(&error.to_string()))
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        CrmError::from(error).into()
    }
}

impl From<GrantError> for Failure {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Store(error) => error.into(),
            refused => Self::of("invalid", 5, sentence(&refused.to_string())).field("grant_to"),
        }
    }
}

impl From<PrintError> for Failure {
    fn from(error: PrintError) -> Self {
        Self::of("invalid", 5, sentence(&error.to_string()))
            .field("template")
            .hint("`crm help templates` explains what a template can use")
    }
}

impl From<CrmError> for Failure {
    fn from(error: CrmError) -> Self {
        let code = error.code();
        let mut failure = Self::of(code.as_str(), exit_code(code), sentence(&error.to_string()));
        let mut cause = error.source();
        while let Some(next) = cause {
            failure.causes.push(next.to_string());
            cause = next.source();
        }
        failure.hint = hint_of(&error);
        match &error {
            CrmError::Invalid(fields) => {
                failure.message = refused_fields(fields);
                failure.field = fields.first().map(|invalid| invalid.field.clone());
            }
            CrmError::Duplicate { entity, fields } => {
                failure.field = fields.first().map(|field| (*field).to_owned());
                let (noun, same) = (noun(entity), fields.join(" and "));
                let article = if noun.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
                failure.message = match fields.as_slice() {
                    [] | ["user_id"] => format!("There is such {article} {noun} already"),
                    _ => format!("There is {article} {noun} with the same {same} already"),
                };
            }
            CrmError::Ambiguous { entity, reference, .. } => {
                failure.message = format!("Several {} answer to {reference}", plural(entity));
            }
            CrmError::NotFound { entity, reference } => {
                failure.message = format!("There is no {} {reference}", noun(entity));
            }
            CrmError::Status(StatusError { machine, record, from, event }) => {
                failure.message = sentence(&format!("{} {record} is {from}: it cannot be {event}", noun(machine)));
            }
            CrmError::Store(StoreError::Backend(source)) => {
                // A file that is not there is told as such; everything else of a database stays behind it.
                match source.downcast_ref::<SqliteError>() {
                    Some(SqliteError::Missing { .. }) => {
                        failure = Self::not_found(sentence(&source.to_string()))
                            .hint("Create a book with `crm init`, or try one with `crm demo`");
                    }
                    _ if source.is::<NotGranted>() => {
                        let hint = "The owner of the tables grants it: `crm init --grant-to ROLE`";
                        failure = Self::of("forbidden", 4, sentence(&source.to_string())).hint(hint);
                    }
                    _ => failure.message = format!("The database failed: {source}"),
                }
            }
            CrmError::Store(StoreError::Unavailable(source)) => {
                failure.message = format!("The database is unavailable: {source}");
            }
            _ => {}
        }
        failure
    }
}

/// The exit code of a kind of error.
pub(crate) const fn exit_code(code: ErrorCode) -> u8 {
    match code {
        ErrorCode::NotFound => 3,
        ErrorCode::Unauthenticated | ErrorCode::Forbidden => 4,
        ErrorCode::Invalid | ErrorCode::Rule => 5,
        ErrorCode::Conflict | ErrorCode::Duplicate => 6,
        ErrorCode::Throttled => 7,
        ErrorCode::Unavailable => 8,
        // An unknown outcome must not be retried blindly, so it is no 8.
        _ => 1,
    }
}

/// Makes a sentence of an error's text: a capital at its start.
pub(crate) fn sentence(text: &str) -> String {
    // Addresses and names of columns keep their first letter.
    if text.split(' ').next().is_some_and(|word| word.contains(['@', '_', '.'])) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn refused_fields(fields: &[Invalid]) -> String {
    let reasons: Vec<String> = fields.iter().map(|invalid| format!("{}: {}", invalid.field, invalid.reason)).collect();
    format!("Invalid {}", reasons.join("; "))
}

/// What to do about an error.
pub(crate) fn hint_of(error: &CrmError) -> Option<String> {
    Some(match error {
        // Access.
        CrmError::LoginRefused => {
            "`crm user reset-password` and `crm user set-password` set a password that was forgotten".into()
        }
        CrmError::TokenRefused => "Sign in again: `crm login`".into(),
        CrmError::Throttled { .. } => "Wait that long, then try again".into(),
        CrmError::QuotaExceeded { .. } => {
            "`crm whoami` shows the key's quotas; an admin can raise them with `crm key quota`".into()
        }
        CrmError::OutOfScope { .. } => "Make another key with the scope: `crm key create`".into(),
        CrmError::BadCredential("the API key") => "An admin sees with `crm key show` whether it is in force".into(),
        CrmError::BadCredential(_) => "Ask for another one: `crm member invite`".into(),
        CrmError::NotFound { entity: "invitation", .. } => "`crm member invitations` shows what there is".into(),
        CrmError::NotFound { entity: "user", .. } => "`crm member list` shows the members".into(),
        CrmError::Access(error) => return hint_of_access(error),
        CrmError::Unauthenticated(_) => "Say who acts with --as EMAIL; `crm member list` shows the members".into(),
        CrmError::Forbidden { operation, .. } => match allowed(operation) {
            Some(roles) => format!("It needs one of the roles {roles}"),
            None => "Ask an owner of the organization".into(),
        },
        CrmError::NotFound { entity: "organization", .. } => {
            "`crm init --org SLUG …` creates an organization; --org chooses one".into()
        }
        CrmError::NotFound { entity: "audit_entry", .. } => "`crm audit list` shows what there is".into(),
        CrmError::NotFound { entity: "stage", .. } | CrmError::Duplicate { entity: "stage", .. } => STAGES.into(),
        // Billing.
        CrmError::NotFound { entity: "allocation", .. } => {
            "`crm payment show` and `crm credit-note show` show what they settle".into()
        }
        CrmError::NotFound { entity, .. } => {
            let noun = noun(entity).replace(' ', "-");
            return has(&noun, "list").then(|| format!("`crm {noun} list` shows what there is"));
        }
        CrmError::Ambiguous { candidates, .. } => format!("Use one of their ids: {}", candidates.join(", ")),
        CrmError::Conflict { .. } => "Try again".into(),
        CrmError::Referenced { entity, .. } => match *entity {
            "contact" | "product" | "lead" | "deal" => format!("Archive it instead: `crm {entity} archive REF`"),
            _ => "Remove what refers to it first".into(),
        },
        CrmError::Duplicate { entity: "organization", .. } => {
            "Choose another slug, or work in the one that is there with --org".into()
        }
        CrmError::Duplicate { entity: "user", .. } => "Choose another name".into(),
        CrmError::Duplicate { entity, .. } => {
            let noun = noun(entity).replace(' ', "-");
            match (has(&noun, "list"), has(&noun, "edit")) {
                (true, true) => format!("`crm {noun} list` finds it, `crm {noun} edit` changes it"),
                (true, false) => format!("`crm {noun} list` finds it"),
                (false, _) => return None,
            }
        }
        CrmError::KeyReused(_) => "Use a new key for a new command".into(),
        CrmError::Invalid(fields) => return fields.iter().find_map(|invalid| hint_of_value(&invalid.reason)),
        CrmError::Billing(error) => return hint_of_billing(error),
        CrmError::Sales(error) => return hint_of_sales(error),
        CrmError::Service(error) => return hint_of_service(error),
        CrmError::Status(error) => format!("`crm machine show {}` shows what can happen", error.machine),
        CrmError::Store(error) => return hint_of_store(error),
        _ => return None,
    })
}

fn hint_of_access(error: &AccessError) -> Option<String> {
    Some(match error {
        AccessError::OwnMembership => "Another owner or admin can do it".into(),
        AccessError::BeyondOwnRole(_) => "Choose a lesser role".into(),
        AccessError::MembersOnly => "Do it as a member: with `crm login` or --as".into(),
        AccessError::NotMember(_) => "`crm member list` shows the members".into(),
        AccessError::InvitationEnded(_) => "`crm member invitations` shows what became of it".into(),
        AccessError::Deactivated(email) => format!("`crm user set-active {email}` lets them act again"),
        AccessError::KnownUser(email) => format!("Invite them: `crm member invite {email} --role ROLE`"),
        AccessError::SharedUser => "They change it themselves: `crm user change-password`".into(),
        _ => return None,
    })
}

fn hint_of_billing(error: &BillingError) -> Option<String> {
    Some(match error {
        BillingError::Status { status: InvoiceStatus::Draft, invoice, .. } => {
            format!("Issue it first: `crm invoice issue {invoice}`")
        }
        BillingError::Status { invoice, .. } => format!("`crm invoice show {invoice}` shows its state"),
        BillingError::NoLines(invoice) => {
            format!("Give lines with --line, or `crm invoice edit {invoice} --line …` for a draft that is there")
        }
        BillingError::Paid { .. } => {
            "Take the payments back with `crm payment unallocate`, or credit it with `crm credit-note create`".into()
        }
        BillingError::MoreThanDue { invoice, .. } => {
            format!("`crm invoice show {invoice}` shows what is due; what is paid beyond it can be credit")
        }
        BillingError::NoSeries(kind) => format!("Create it: `crm series add --kind {kind} --prefix …`"),
        BillingError::Credited { .. } => "What is left of it can be credited, not voided".into(),
        BillingError::MoreThanLeft { document, .. } => {
            format!("What {document} has settled has to be taken back first")
        }
        BillingError::Undone(_) => "`crm payment show` shows what was allocated and taken back".into(),
        BillingError::OtherSource { origin, .. } => match origin {
            AllocationSource::Payment => "Take it back with `crm payment unallocate`".into(),
            AllocationSource::Credit => "Take it back with `crm credit-note unallocate`".into(),
            AllocationSource::Offset => "What a credit note took off its invoice stays".into(),
        },
        BillingError::NothingToCredit(invoice)
        | BillingError::MoreThanBilled { invoice, .. }
        | BillingError::MoreThanBilledAt { invoice, .. }
        | BillingError::MoreThanReceived { invoice, .. }
        | BillingError::GivenBack { invoice, .. } => {
            format!("`crm invoice show {invoice}` shows what was paid on it and credited of it")
        }
        BillingError::NoNumberLeft { kind, .. } => {
            format!("`crm series edit {kind} --last N` sets a new range once the authority allows one")
        }
        BillingError::SeriesValidity { kind, .. } => {
            format!("`crm series edit {kind} --valid-until DATE` sets it once the authority allows it")
        }
        _ => return None,
    })
}

fn hint_of_sales(error: &SalesError) -> Option<String> {
    Some(match error {
        SalesError::NoPipeline => "Add one: `crm pipeline add NAME --stage NAME=PERCENT`".into(),
        SalesError::OtherPipeline(_) => STAGES.into(),
        SalesError::NoStages(_) => "Add another stage first: `crm pipeline stage add`".into(),
        SalesError::DefaultPipeline(_) => "Make another one the default first: `crm pipeline default`".into(),
        SalesError::Converted { deal, .. } | SalesError::OtherLead { deal, .. } | SalesError::OtherContact(deal) => {
            format!("`crm deal show {deal}` shows it")
        }
        SalesError::NotTagged(_) => "`crm tag list RECORD` shows the tags that it has".into(),
        _ => return None,
    })
}

fn hint_of_service(error: &ServiceError) -> Option<String> {
    Some(match error {
        ServiceError::NoCalendar => "Make one: `crm calendar set`".into(),
        ServiceError::NoRule(_) => {
            "`crm deadline-rule list` shows the rules; `crm deadline-rule add` adds one, `crm case recompute --apply` gives it to the case".into()
        }
        ServiceError::RuleGone { .. } => "Install a newer crm".into(),
        ServiceError::Paused { case, .. } => format!("Say what came in: `crm case complete {case}`"),
        ServiceError::Late { case, .. } | ServiceError::BeyondExtension { case, .. } => {
            format!("`crm case explain {case}` shows how its due date comes about")
        }
        ServiceError::Calendar(CalendarError::Years { .. })
        | ServiceError::Deadline(DeadlineError::Calendar(CalendarError::Years { .. })) => {
            "A newer crm knows the holidays of further years".into()
        }
        _ => return None,
    })
}

fn hint_of_store(error: &StoreError) -> Option<String> {
    Some(match error {
        StoreError::Unavailable(_) => "Nothing was written; try again in a moment".into(),
        StoreError::OutcomeUnknown(_) => {
            "Look whether it was carried out before trying again; with --key a second try is safe".into()
        }
        StoreError::Schema { found, known } if found > known => "Install a newer crm".into(),
        StoreError::Schema { found: 0, .. } => "`crm init` makes a book; --database chooses one that is there".into(),
        StoreError::Schema { .. } => "Any crm command as the owner of its tables brings it up to date".into(),
        StoreError::StorageFull => "Make room on the disk and try again; nothing was written".into(),
        StoreError::Corrupt { .. } => "`crm doctor` and `crm audit verify` say more".into(),
        StoreError::Conflict { .. } => "Try again".into(),
        StoreError::Backend(_) => "Run it again with -v for what lies behind it, or run `crm doctor`".into(),
        _ => return None,
    })
}

fn hint_of_value(reason: &ValueError) -> Option<String> {
    Some(match reason {
        ValueError::PhoneRegion { .. } => "Give the number with its country code, as +57 321 1234567".into(),
        ValueError::TooManyDecimals { .. } => "Round it yourself; amounts are never rounded silently".into(),
        ValueError::UnknownZone(_) => "Names are those of the IANA database, such as Europe/Madrid".into(),
        ValueError::Before { .. } | ValueError::After { .. } => "Give another date".into(),
        _ => return None,
    })
}

/// The roles that may do something.
fn allowed(operation: &str) -> Option<String> {
    let rule = POLICY.iter().find(|rule| rule.operation == operation)?;
    Some(rule.roles().iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use crm_core::access::Role;

    use super::*;

    #[test]
    fn every_kind_of_error_has_a_documented_exit_code() {
        let codes = [
            ErrorCode::Unauthenticated,
            ErrorCode::Forbidden,
            ErrorCode::NotFound,
            ErrorCode::Conflict,
            ErrorCode::Duplicate,
            ErrorCode::Invalid,
            ErrorCode::Rule,
            ErrorCode::Throttled,
            ErrorCode::Unavailable,
            ErrorCode::OutcomeUnknown,
            ErrorCode::Corrupt,
            ErrorCode::Failure,
        ];
        let told: Vec<String> = codes.iter().map(|code| format!("{} {}", code.as_str(), exit_code(*code))).collect();
        assert_eq!(
            told.join(", "),
            "unauthenticated 4, forbidden 4, not_found 3, conflict 6, duplicate 6, invalid 5, rule 5, \
             throttled 7, unavailable 8, outcome_unknown 1, corrupt 1, failure 1"
        );
        for code in codes {
            assert!(EXIT_CODES.iter().any(|(known, _)| *known == exit_code(code)));
        }
    }

    #[test]
    fn json_names_code_message_field_and_hint() {
        let failure = Failure::from(CrmError::invalid("email", ValueError::Blank));
        assert_eq!(
            failure.to_json(),
            r#"{"error":{"code":"invalid","message":"Invalid email: must not be blank","field":"email","hint":null}}"#
        );
    }

    #[test]
    fn a_forbidden_operation_names_the_roles_that_may() {
        let error = CrmError::Forbidden { operation: "contact.delete".into(), role: Role::Viewer };
        let failure = Failure::from(error);
        assert_eq!((failure.exit, failure.hint.as_deref()), (4, Some("It needs one of the roles owner, admin")));
    }
}

//! What a task or an interaction is about.

use std::fmt;

use uuid::Uuid;

use crate::access::User;
use crate::billing::Invoice;
use crate::crm::Session;
use crate::crud::{Edit, Rules as _};
use crate::entity::{Entity, Table};
use crate::error::{CrmError, Invalid};
use crate::id::Id;
use crate::people::Contact;
use crate::row::Value;
use crate::sales::{Deal, Lead};
use crate::service::Case;
use crate::store::Expr;
use crate::value::ValueError;

use super::{Interaction, Task};

/// Declares the kinds of records that a subject may be: the entity and the column that refers to it.
macro_rules! subjects {
    ($($(#[$meta:meta])* $entity:ident in $column:ident;)*) => {
        /// The record that something is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Subject {
            $($(#[$meta])* $entity(Id<$entity>),)*
        }

        impl Subject {
            /// The columns that refer to subjects, one for each kind of record.
            pub const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),*];

            /// The record of the entity with this name; `None` if nothing can be about such records.
            pub fn named(entity: &str, id: Uuid) -> Option<Self> {
                $(if entity == $entity::TABLE.entity {
                    return Some(Self::$entity(Id::new(id)));
                })*
                None
            }

            /// The record's id.
            pub const fn uuid(self) -> Uuid {
                match self {
                    $(Self::$entity(id) => id.uuid(),)*
                }
            }

            /// The record's table.
            pub const fn table(self) -> &'static Table {
                match self {
                    $(Self::$entity(_) => $entity::TABLE,)*
                }
            }

            /// The column that refers to it.
            pub const fn column(self) -> &'static str {
                match self {
                    $(Self::$entity(_) => stringify!($column),)*
                }
            }

            /// Demands that the member may see the record.
            pub(super) async fn require(self, session: &Session<'_>) -> Result<(), CrmError> {
                match self {
                    $(Self::$entity(id) => session.get(id).await.map(drop),)*
                }
            }

            /// The condition that the subject is one that a member owns or is assigned to.
            pub(super) fn own<E: About>(user: Id<User>) -> Expr {
                Expr::Or(vec![$(Expr::Related {
                    reference: E::TABLE.expect_position(stringify!($column)),
                    filter: Box::new($entity::own(user)),
                }),*])
            }
        }

        $(impl From<Id<$entity>> for Subject {
            fn from(id: Id<$entity>) -> Self {
                Self::$entity(id)
            }
        })*

        subjects!(@about Task [$($entity in $column;)*]);
        subjects!(@about Interaction [$($entity in $column;)*]);
    };
    (@about $about:ident [$($entity:ident in $column:ident;)*]) => {
        impl About for $about {
            fn subjects(&self) -> Vec<Subject> {
                [$(self.$column.map(Subject::$entity)),*].into_iter().flatten().collect()
            }
        }
    };
}

subjects! {
    /// A contact.
    Contact in contact_id;
    /// A lead.
    Lead in lead_id;
    /// A deal.
    Deal in deal_id;
    /// An invoice.
    Invoice in invoice_id;
    /// A case.
    Case in case_id;
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.table().entity, self.uuid())
    }
}

/// An entity whose records are about others.
pub trait About: Entity {
    /// Every subject that is set; rules see to it that there is at most one.
    fn subjects(&self) -> Vec<Subject>;

    /// What it is about.
    fn subject(&self) -> Option<Subject> {
        self.subjects().first().copied()
    }
}

/// The subjects beyond the first one, each refused by its column.
pub(super) fn further_subjects(record: &impl About) -> impl Iterator<Item = Invalid> {
    let when = "there is another subject";
    let further = record.subjects().into_iter().skip(1);
    further.map(move |subject| Invalid::new(subject.column(), ValueError::NotAllowed { when }))
}

impl<E: About> Edit<E> {
    /// Sets the one subject, or none, whatever it was before.
    #[must_use]
    pub fn about(mut self, subject: Option<Subject>) -> Self {
        for column in Subject::COLUMNS {
            self.put(E::TABLE.expect_position(column), Value::Null);
        }
        if let Some(subject) = subject {
            self.put(E::TABLE.expect_position(subject.column()), Value::Id(subject.uuid()));
        }
        self
    }
}

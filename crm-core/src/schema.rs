//! The list of tables: one line per entity, referenced tables before the ones that refer to them.

use crate::access::{
    ApiKey, ApiRequest, Idempotency, Invitation, KeyQuota, KeyUsage, LoginSession, LoginThrottle, Membership,
    Organization, RefreshToken, User,
};
use crate::activity::{Interaction, Task};
use crate::audit::AuditEntry;
use crate::billing::{
    Allocation, CreditNote, CreditNoteLine, Invoice, InvoiceLine, NumberSeries, Payment, Product, Refund, SeriesYear,
};
use crate::crud::Rules;
use crate::entity::{Entity, Table};
use crate::id::Id;
use crate::people::Contact;
use crate::sales::{Deal, Lead, Pipeline, Stage, StageChange, Tag, Tagging};
use crate::service::{Calendar, Case, CaseEvent, CaseRule};
use crate::store::Expr;

/// The version of the schema that this program knows: how many migrations there are.
pub const VERSION: i64 = 8;

/// Every table, in an order in which they can be created and filled.
pub static TABLES: &[&Table] = &[
    Organization::TABLE,
    User::TABLE,
    Membership::TABLE,
    Idempotency::TABLE,
    AuditEntry::TABLE,
    NumberSeries::TABLE,
    Contact::TABLE,
    Product::TABLE,
    Invoice::TABLE,
    InvoiceLine::TABLE,
    Payment::TABLE,
    // Billing.
    CreditNote::TABLE,
    CreditNoteLine::TABLE,
    Allocation::TABLE,
    Refund::TABLE,
    // Sales.
    Pipeline::TABLE,
    Stage::TABLE,
    Lead::TABLE,
    Deal::TABLE,
    StageChange::TABLE,
    Tag::TABLE,
    Tagging::TABLE,
    // Cases.
    Calendar::TABLE,
    CaseRule::TABLE,
    Case::TABLE,
    CaseEvent::TABLE,
    // Activity.
    Task::TABLE,
    Interaction::TABLE,
    // Billing.
    SeriesYear::TABLE,
    // Access.
    LoginThrottle::TABLE,
    LoginSession::TABLE,
    RefreshToken::TABLE,
    ApiKey::TABLE,
    KeyQuota::TABLE,
    KeyUsage::TABLE,
    ApiRequest::TABLE,
    Invitation::TABLE,
];

/// The table of the entity with this name.
pub fn table(entity: &str) -> Option<&'static Table> {
    TABLES.iter().copied().find(|table| table.entity == entity)
}

/// The records of a table that a member owns or is assigned to; none of tables without owners.
pub(crate) fn own(table: &Table, user: Id<User>) -> Expr {
    fn of<E: Rules>(table: &Table, user: Id<User>) -> Option<Expr> {
        (*table == *E::TABLE).then(|| E::own(user))
    }
    of::<Contact>(table, user)
        .or_else(|| of::<Invoice>(table, user))
        .or_else(|| of::<InvoiceLine>(table, user))
        .or_else(|| of::<Payment>(table, user))
        // Billing.
        .or_else(|| of::<CreditNote>(table, user))
        .or_else(|| of::<CreditNoteLine>(table, user))
        .or_else(|| of::<Allocation>(table, user))
        .or_else(|| of::<Refund>(table, user))
        // Sales.
        .or_else(|| of::<Lead>(table, user))
        .or_else(|| of::<Deal>(table, user))
        .or_else(|| of::<StageChange>(table, user))
        .or_else(|| of::<Tagging>(table, user))
        // Cases.
        .or_else(|| of::<Case>(table, user))
        .or_else(|| of::<CaseEvent>(table, user))
        // Activity.
        .or_else(|| of::<Task>(table, user))
        .or_else(|| of::<Interaction>(table, user))
        .unwrap_or(Expr::False)
}

/// The records of a table that the law wants kept as they are; none of most tables.
pub(crate) fn retained(table: &Table) -> Expr {
    fn of<E: Rules>(table: &Table) -> Option<Expr> {
        (*table == *E::TABLE).then(E::retained)
    }
    of::<Invoice>(table)
        .or_else(|| of::<InvoiceLine>(table))
        .or_else(|| of::<Payment>(table))
        .or_else(|| of::<CreditNote>(table))
        .or_else(|| of::<CreditNoteLine>(table))
        .or_else(|| of::<Allocation>(table))
        .or_else(|| of::<Refund>(table))
        .unwrap_or(Expr::False)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fmt::Write as _;

    use super::*;
    use crate::crud::Edit;
    use crate::entity::{Flags, Kind, Locale, Tenancy};
    use crate::row::Value;
    use crate::value::ValueError;

    #[test]
    fn what_is_read_as_ones_own_has_owners() {
        let user = Id::new(uuid::Uuid::nil());
        let mut tables = 0;
        for table in TABLES {
            let grants = crate::access::policy::find(table.entity, "read").map(|rule| rule.grants);
            let own = grants.is_some_and(|grants| grants.contains(&crate::access::Grant::Own));
            assert_eq!(own, self::own(table, user) != Expr::False, "{table:?}");
            tables += usize::from(own);
        }
        assert!(tables > 0);
    }

    /// Whatever is secret, personal or the server's is so by review: a column without its flag would be given out, left
    /// behind by an erasure or taken from whoever sends it.
    #[test]
    fn flags_are_as_reviewed() {
        let mut text = String::new();
        for table in TABLES {
            for column in table.columns {
                let mut flags = String::new();
                for (flag, name) in
                    [(Flags::SECRET, " secret"), (Flags::PERSONAL, " personal"), (Flags::SERVER_OWNED, " server")]
                {
                    flags.push_str(if column.flags.contains(flag) { name } else { "" });
                }
                writeln!(text, "{}.{}:{}", table.entity, column.name, if flags.is_empty() { " -" } else { &flags })
                    .unwrap();
            }
        }
        insta::assert_snapshot!(text);
    }

    /// No column of the server's is taken from a caller, as text or typed, whether or not the other fields are right.
    #[test]
    fn what_the_server_owns_is_never_taken() {
        fn refuses<E: Entity>() -> usize {
            let locale = Locale { region: None, currency: "USD".parse().unwrap() };
            let owned = E::TABLE.columns.iter().enumerate();
            let owned = owned.filter(|(_, column)| column.flags.contains(Flags::SERVER_OWNED));
            owned
                .map(|(at, column)| {
                    let refused = Edit::<E>::parse([(column.name, "1")], &locale).unwrap_err();
                    assert_eq!(refused.len(), 1, "{}.{}", E::TABLE.entity, column.name);
                    assert_eq!((refused[0].field.as_str(), &refused[0].reason), (column.name, &ValueError::ReadOnly));
                    let mut edit = Edit::<E>::new();
                    edit.put(at, Value::Null);
                    let refused: Vec<_> = edit.forbidden().collect();
                    assert_eq!(refused.len(), 1, "{}.{}", E::TABLE.entity, column.name);
                    assert_eq!(refused[0].reason, ValueError::ReadOnly);
                })
                .count()
        }
        let all = [
            refuses::<Organization>,
            refuses::<User>,
            refuses::<Membership>,
            refuses::<Idempotency>,
            refuses::<AuditEntry>,
            refuses::<NumberSeries>,
            refuses::<Contact>,
            refuses::<Product>,
            refuses::<Invoice>,
            refuses::<InvoiceLine>,
            refuses::<Payment>,
            refuses::<CreditNote>,
            refuses::<CreditNoteLine>,
            refuses::<Allocation>,
            refuses::<Refund>,
            refuses::<Pipeline>,
            refuses::<Stage>,
            refuses::<Lead>,
            refuses::<Deal>,
            refuses::<StageChange>,
            refuses::<Tag>,
            refuses::<Tagging>,
            refuses::<Calendar>,
            refuses::<CaseRule>,
            refuses::<Case>,
            refuses::<CaseEvent>,
            refuses::<Task>,
            refuses::<Interaction>,
            refuses::<SeriesYear>,
            refuses::<LoginThrottle>,
            refuses::<LoginSession>,
            refuses::<RefreshToken>,
            refuses::<ApiKey>,
            refuses::<KeyQuota>,
            refuses::<KeyUsage>,
            refuses::<ApiRequest>,
            refuses::<Invitation>,
        ];
        assert_eq!(all.len(), TABLES.len());
        let counted: usize = all.iter().map(|refuses| refuses()).sum();
        let owned = TABLES.iter().flat_map(|table| table.columns);
        assert_eq!(counted, owned.filter(|column| column.flags.contains(Flags::SERVER_OWNED)).count());
        assert!(counted > 100, "{counted}");
    }

    #[test]
    fn descriptions_are_consistent() {
        let mut names = HashSet::new();
        for (position, table) in TABLES.iter().enumerate() {
            assert!(table.name.starts_with("crm_"), "{table:?}");
            assert!(names.insert(table.name), "{table:?} twice");
            let mut columns = HashSet::new();
            let own = &table.columns[1..table.created_position().map_or(table.columns.len(), |at| at - 1)];
            for column in own {
                // They would hide behind the fields of `Stored`.
                let common = ["id", "version", "created_at", "created_by", "updated_at", "archived_at", "value"];
                assert!(!common.contains(&column.name), "{table:?}.{} is the name of a common field", column.name);
            }
            for column in table.columns {
                assert!(columns.insert(column.name), "{table:?}.{} twice", column.name);
                assert!(!column.doc.is_empty(), "{table:?}.{} is not documented", column.name);
                if column.kind == Kind::Money {
                    assert!(table.position("currency").is_some(), "{table:?} has amounts without a currency");
                }
                if let Some(target) = column.target() {
                    assert_eq!(column.kind, Kind::Id);
                    let at = TABLES.iter().position(|other| *other == target).expect("a listed table");
                    assert!(at <= position, "{table:?} comes before {target:?}, which it refers to");
                    assert!(table.tenancy == Tenancy::Organization || target.tenancy == Tenancy::Global);
                }
            }
            for index in table.uniques.iter().chain(table.indexes) {
                assert!(names.insert(index.name), "index {} twice", index.name);
                assert!(index.name.starts_with(table.name), "{} of {table:?}", index.name);
                for column in index.columns {
                    table.expect_position(column);
                }
            }
        }
    }
}

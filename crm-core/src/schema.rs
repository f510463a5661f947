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

    use super::*;
    use crate::entity::{Kind, Tenancy};

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

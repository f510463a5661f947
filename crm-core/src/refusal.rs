//! What a store's refusal means to a caller.

use crate::access::Idempotency;
use crate::acting::Acting;
use crate::billing::{SeriesYear, used_up};
use crate::crm::Session;
use crate::entity::Entity as _;
use crate::error::CrmError;
use crate::store::{Change, ChangeSet, StoreError};
use crate::value::ValueError;

/// The tables whose rows are written by whoever needs them first.
const NEW_TO_ALL: [&str; 2] = [Idempotency::TABLE.name, SeriesYear::TABLE.name];

/// Whether the change-set writes a row that someone else may just have written: the use of a key, or a year of a series. Then
/// what is taken may be theirs, be it that row, the number or external id that comes with it, or the last that was left of a
/// series or quota, and the next round finds what they did.
pub(crate) fn new_to_all(changes: &ChangeSet) -> bool {
    changes
        .changes
        .iter()
        .any(|change| matches!(change, Change::Insert { table, .. } if NEW_TO_ALL.contains(&table.name)))
}

impl Session<'_> {
    /// Names the record, the fields, the rule or the quota that a store's refusal is about.
    pub(crate) async fn refused(&self, error: StoreError, reference: &str) -> CrmError {
        match self.exceeded(error).await {
            Ok(exceeded) => exceeded,
            Err(StoreError::Limit { table, column, id }) => match used_up(self, table, id).await {
                Ok(Some(rule)) => rule.into(),
                Ok(None) => StoreError::Limit { table, column, id }.into(),
                Err(error) => error,
            },
            Err(error) => named(error, reference),
        }
    }

    /// As [`Session::refused`]; not when the rights or the quota by which it was decided have changed meanwhile: then it is
    /// worth another try.
    pub(crate) async fn refused_for_good(
        &self,
        error: StoreError,
        reference: &str,
        acting: &Acting,
    ) -> Result<(), CrmError> {
        if is_about_data(&error) && !self.is_still(acting).await? {
            return Ok(());
        }
        Err(self.refused(error, reference).await)
    }
}

/// Whether a refusal tells of what is stored, and for certain nothing was written.
const fn is_about_data(error: &StoreError) -> bool {
    use StoreError::{Aborted, Duplicate, Limit, OutOfRange, Referenced};
    matches!(error, Duplicate { .. } | Referenced { .. } | Limit { .. } | OutOfRange { .. } | Aborted)
}

/// Names the record and the fields that a store's refusal is about.
pub(crate) fn named(error: StoreError, reference: &str) -> CrmError {
    let table_of = |name: &str| crate::schema::TABLES.iter().copied().find(|table| table.name == name);
    match error {
        StoreError::Duplicate { table, columns } => match table_of(table) {
            Some(table) => {
                CrmError::Duplicate { entity: table.entity, fields: columns.into_iter().map(field_of).collect() }
            }
            None => StoreError::Duplicate { table, columns }.into(),
        },
        StoreError::Referenced { table } => match table_of(table) {
            Some(table) => CrmError::Referenced { entity: table.entity, reference: reference.to_owned() },
            None => StoreError::Referenced { table }.into(),
        },
        StoreError::OutOfRange { column, .. } => {
            CrmError::invalid(field_of(column), ValueError::out_of_range("0001-01-01", "9999-12-31"))
        }
        other => other.into(),
    }
}

/// The field that people know for a column that only rules write.
pub(crate) fn field_of(column: &str) -> &str {
    match column {
        "email_claim" | "email_key" => "email",
        "phone_claim" => "phone",
        "name_key" => "name",
        "username_key" => "username",
        "alias_key" => "alias",
        other => other,
    }
}

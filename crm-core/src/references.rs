//! What new and changed records may refer to, and the numbers that new ones take.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::access::{Grant, Membership, User};
use crate::billing::{DocumentKind, Numbering};
use crate::context::Context;
use crate::crm::Session;
use crate::crud::Rules;
use crate::entity::{Entity, Stored, Table};
use crate::error::CrmError;
use crate::id::Id;
use crate::row::Value;
use crate::store::{ChangeSet, Expr, Operand, Select, StoreExt as _};
use crate::value::ValueError;

impl Session<'_> {
    /// Checks that references point to records that the member may see; users must be active members.
    pub(crate) async fn check_references(
        &self,
        references: impl Iterator<Item = (usize, Uuid)>,
        table: &'static Table,
    ) -> Result<(), CrmError> {
        let acting = self.acting();
        let mut checked = BTreeMap::<usize, Vec<Uuid>>::new();
        for (column, id) in references {
            if id != acting.user.id.uuid() {
                let ids = checked.entry(column).or_default();
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
        for (column, ids) in checked {
            let Some(target) = table.columns[column].target() else { continue };
            let found = self.referable(target, &ids).await?;
            if let Some(missing) = ids.iter().find(|id| !found.contains(id)) {
                let reason = ValueError::NotThere { entity: target.entity, reference: missing.to_string() };
                return Err(CrmError::invalid(table.columns[column].name, reason));
            }
        }
        Ok(())
    }

    /// Those of the ids to which the member may refer; users must be active members.
    pub(crate) async fn referable(&self, target: &'static Table, ids: &[Uuid]) -> Result<Vec<Uuid>, CrmError> {
        let values = ids.iter().copied().map(Value::Id).collect();
        if target == User::TABLE {
            let user = Membership::COLUMNS.user_id;
            let active = user.refers_to(User::COLUMNS.active.eq(&true)).into_expr();
            let query = Select::new(Membership::TABLE, Expr::In(user.operand(), values).and(active));
            let members: Vec<Stored<Membership>> = self.store().all(self.scope(), &query).await?;
            return Ok(members.iter().map(|member| member.user_id.uuid()).collect());
        }
        let readable = match self.readable(target) {
            Err(CrmError::Forbidden { .. } | CrmError::OutOfScope { .. }) => Expr::False,
            readable => readable?,
        };
        let query = Select::new(target, Expr::In(Operand::Column(0), values).and(readable));
        Ok(self.store().select(self.scope(), &query).await?.iter().map(|row| target.id(row)).collect())
    }

    /// Under a grant of one's own records, the record must be one's own.
    pub(crate) fn require_own<E: Rules>(&self, grant: Grant, record: &Stored<E>) -> Result<(), CrmError> {
        let own = self.within_grant::<E>(grant);
        if own.holds(&record.to_row()) {
            return Ok(());
        }
        Err(CrmError::Forbidden { operation: format!("{} of others", E::TABLE.entity), role: self.role() })
    }

    /// Takes numbers for new records of an entity that has a series.
    pub(crate) async fn number<E: Rules>(
        &self,
        context: &mut Context,
        changes: &mut ChangeSet,
        records: impl ExactSizeIterator<Item = Id<E>> + Send,
    ) -> Result<(), CrmError> {
        let Some((kind, column)) = numbered::<E>() else { return Ok(()) };
        let Some(series) = self.acting().series.iter().find(|series| series.kind == kind).cloned() else {
            return Ok(());
        };
        let today = context.today();
        Ok(Numbering::with_years(self, series).await?.take(context, changes, records, column, today)?)
    }
}

/// The series and the column of entities whose records are numbered on creation.
fn numbered<E: Entity>() -> Option<(DocumentKind, usize)> {
    let kind = DocumentKind::ALL.iter().find(|kind| kind.on_creation() && kind.as_str() == E::TABLE.entity)?;
    Some((*kind, E::TABLE.position("code").or_else(|| E::TABLE.position("number"))?))
}

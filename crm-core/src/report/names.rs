//! The names that reports give to contacts.

use std::collections::HashMap;

use uuid::Uuid;

use super::corrupt;
use crate::crm::Session;
use crate::entity::{Entity as _, Field as _};
use crate::error::CrmError;
use crate::people::{Contact, ContactKind, display_name};
use crate::row::Value;
use crate::store::{Aggregate, Expr, Group, Measure, Operand, Totals};

/// How many contacts one query asks for by id.
const ASKED: usize = 10_000;
/// All contacts are read at once instead when there are at most so many times as many as are asked for: a database that
/// is asked for a large part of a table by ids reads the whole table each time.
const SPARE: usize = 4;

/// How a report calls a contact.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    /// The name, folded: reports are ordered by it.
    pub(super) key: String,
    /// The name.
    pub(super) name: String,
    /// The e-mail address.
    pub(super) email: Option<String>,
}

impl Session<'_> {
    /// What the contacts are called, and perhaps others. Whole records would be several times as much to read.
    pub(super) async fn names(&self, mut ids: Vec<Uuid>) -> Result<HashMap<Uuid, Named>, CrmError> {
        ids.sort_unstable();
        ids.dedup();
        let columns = Contact::COLUMNS;
        let id = Operand::Column(0);
        let asked = if ids.len() > ASKED && self.contacts_in_all().await? <= ids.len().saturating_mul(SPARE) {
            vec![Expr::True]
        } else {
            let chunk = |ids: &[Uuid]| Expr::In(id.clone(), ids.iter().copied().map(Value::Id).collect());
            ids.chunks(ASKED).map(chunk).collect()
        };
        let queries: Vec<Aggregate> = asked
            .into_iter()
            .map(|filter| {
                // One record per group, so the least value of a column is its value.
                Aggregate::new(Contact::TABLE, filter)
                    .by(Group::Value(id.clone()))
                    .measure(Measure::Min(columns.kind.operand()))
                    .measure(Measure::Min(columns.given_name.operand()))
                    .measure(Measure::Min(columns.family_name.operand()))
                    .measure(Measure::Min(columns.company_name.operand()))
                    .measure(Measure::Min(columns.email.operand()))
                    .measure(Measure::Min(columns.name_key.operand()))
            })
            .collect();
        let mut names = HashMap::with_capacity(ids.len());
        if queries.is_empty() {
            return Ok(names);
        }
        for (query, rows) in queries.iter().zip(self.store().aggregate(self.scope(), &queries).await?) {
            for row in &rows {
                let totals = Totals::new(query, row);
                let Some(id) = totals.group(0).as_id() else { continue };
                let kind = ContactKind::load(totals.value(0).clone());
                let kind = kind.map_err(|error| corrupt(Contact::TABLE.name, "kind", &error))?;
                let text = |at| totals.value(at).as_text();
                let name = display_name(kind, text(1), text(2), text(3));
                let key = text(5).unwrap_or_default().to_owned();
                names.insert(id, Named { key, name, email: text(4).map(str::to_owned) });
            }
        }
        Ok(names)
    }

    async fn contacts_in_all(&self) -> Result<usize, CrmError> {
        let all = Aggregate::new(Contact::TABLE, Expr::True).measure(Measure::Count);
        let answers = self.store().aggregate(self.scope(), &[all]).await?;
        let count = answers.first().and_then(|rows| rows.first()?[0].as_int()).unwrap_or(0);
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }
}

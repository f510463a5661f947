//! The export of all that is stored about a contact.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::traces::fields;
use crate::access::{ApiRequest, Invitation};
use crate::audit::{Action, ActorKind, AuditEntry};
use crate::crm::Session;
use crate::entity::{Entity as _, Kind, Stored, Table};
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::row::Row;
use crate::sales::{Tag, Tagging};
use crate::schema::TABLES;
use crate::value::{Currency, Instant, Money};

/// All that is stored about a contact. Its JSON is the same for the same state, but for the instant; amounts in it have
/// their currency: `{"amount": "120.00", "currency": "EUR"}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContactExport {
    /// The organization's slug.
    pub organization: String,
    /// The organization's name.
    pub organization_name: String,
    /// When it was exported.
    pub exported_at: Instant,
    /// When the contact was erased, if it was.
    pub erased_at: Option<Instant>,
    /// The contact, custom fields included; of one that was deleted, what the audit still tells.
    pub contact: Json,
    /// All records about it, by entity, with the tags that they have, and the logged requests and invitations that know it by
    /// an address or name that it has or had, in the order of their ids.
    pub records: BTreeMap<&'static str, Vec<Json>>,
    /// What the audit tells of these records, and of those about the contact that were deleted, in the order of its entries.
    pub audit: Vec<ExportedEntry>,
}

/// One entry of the audit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExportedEntry {
    /// When it happened.
    pub at: Instant,
    /// What kind of actor did it.
    pub actor_kind: ActorKind,
    /// Who did it; the system has no id.
    pub actor_id: Option<Uuid>,
    /// The command that did it.
    pub command: String,
    /// What kind of record it happened to.
    pub entity: String,
    /// Which record.
    pub record_id: Uuid,
    /// What happened.
    pub action: Action,
    /// The values of an insert or delete, or old and new values of an update; absent once erased.
    pub changes: Option<Json>,
}

impl ExportedEntry {
    /// An entry, and in which currency its record's amounts are: known before, and as it leaves it.
    fn of(row: Row, currency: &mut Option<Currency>) -> Result<Self, CrmError> {
        let AuditEntry { at, actor_kind, actor_id, command, entity, record_id, action, changes, .. } =
            Stored::<AuditEntry>::from_row(row)?.value;
        let mut changes = changes.and_then(|changes| changes.json().ok());
        let table = TABLES.iter().find(|table| table.entity == entity);
        if let (Some(table), Some(Json::Object(fields))) = (table, &mut changes) {
            match fields.get("currency") {
                Some(Json::Array(values)) => {
                    let (before, after) = (values.first().and_then(currency_of), values.last().and_then(currency_of));
                    spell_amounts(table, fields, [before, after]);
                    *currency = after;
                }
                told => {
                    *currency = told.and_then(currency_of).or(*currency);
                    spell_amounts(table, fields, [*currency; 2]);
                }
            }
        }
        Ok(Self { at, actor_kind, actor_id, command, entity, record_id, action, changes })
    }
}

fn currency_of(json: &Json) -> Option<Currency> {
    Currency::from_stored(json.as_str()?).ok()
}

/// Writes amounts with their currency, as everywhere but in the audit: `{"amount": "120.00", "currency": "EUR"}`. What a
/// change tells is an old value and a new one, each in the currency of its time.
fn spell_amounts(table: &Table, fields: &mut Map<String, Json>, currencies: [Option<Currency>; 2]) {
    let spell = |json: &mut Json, currency: Option<Currency>| {
        if let Some((minor, currency)) = json.as_i64().zip(currency) {
            *json = serde_json::json!(Money::new(minor, currency));
        }
    };
    for column in table.columns.iter().filter(|column| column.kind == Kind::Money) {
        match fields.get_mut(column.name) {
            Some(Json::Array(values)) => values.iter_mut().zip(currencies).for_each(|(json, of)| spell(json, of)),
            Some(json) => spell(json, currencies[1]),
            None => {}
        }
    }
}

fn json(table: &Table, row: &Row) -> Json {
    let mut fields = fields(table, row);
    let currency = fields.get("currency").and_then(currency_of);
    spell_amounts(table, &mut fields, [currency; 2]);
    Json::Object(fields)
}

impl Session<'_> {
    /// All that is stored about a contact, deleted or not; secret columns never. An API key's is logged, and taken from its
    /// quota.
    ///
    /// # Errors
    /// [`CrmError::Forbidden`] for members below admins; [`CrmError::NotFound`]; [`CrmError::QuotaExceeded`]; and when the
    /// store fails.
    pub async fn export_contact(&self, id: Id<Contact>) -> Result<ContactExport, CrmError> {
        self.refresh().await?;
        let (entity, verb) = (Contact::TABLE.entity, "export_personal");
        let outcome = Box::pin(self.gather_export(id)).await;
        if let Err(refused) = &outcome {
            self.log_apart(entity, verb, Some(refused)).await;
            return outcome;
        }
        let of_erased = outcome.as_ref().is_ok_and(|export| export.erased_at.is_some());
        let asking = if of_erased { self.unnamed() } else { self.clone() };
        asking.account_for(entity, verb).await?;
        outcome
    }

    async fn gather_export(&self, id: Id<Contact>) -> Result<ContactExport, CrmError> {
        self.granted(Contact::TABLE.entity, "export_personal")?;
        let reach = self.reach(id).await?;
        let known = self.known_as(&reach).await?;
        let others = self.others(&known).await?;
        let invitations = self.invitations_of(&known, &others).await?;
        let mut ids = reach.ids();
        ids.extend(invitations.iter().map(|row| Invitation::TABLE.id(row)));
        let mut entries = self.naming(AuditEntry::TABLE, AuditEntry::COLUMNS.record_id.index(), &ids).await?;
        entries.sort_by_key(|row| AuditEntry::TABLE.id(row));
        // Of a record whose first entry tells nothing, the currency that it has now.
        let mut currencies = HashMap::new();
        for group in &reach.groups {
            let Some(at) = group.table.position("currency") else { continue };
            let known = |row: &Row| row[at].as_text().and_then(|text| Currency::from_stored(text).ok());
            currencies.extend(group.rows.iter().map(|(id, (row, _))| (*id, known(row))));
        }
        let exported = |row: Row| {
            let record = row[AuditEntry::COLUMNS.record_id.index()].as_id().unwrap_or_default();
            ExportedEntry::of(row, currencies.entry(record).or_default())
        };
        let audit = entries.into_iter().map(exported).collect::<Result<_, _>>()?;
        let mut records = BTreeMap::new();
        for group in reach.groups.iter().filter(|group| !group.rows.is_empty()) {
            records.insert(group.table.entity, group.rows.values().map(|(row, _)| json(group.table, row)).collect());
        }
        let requests = self.requests_of(&known, &others).await?;
        let tags: BTreeSet<Uuid> =
            reach.records::<Tagging>().map(|tagging| Ok(tagging?.tag_id.uuid())).collect::<Result<_, CrmError>>()?;
        // The first column is the id.
        let tags = self.naming(Tag::TABLE, 0, &tags.into_iter().collect::<Vec<_>>()).await?;
        for (table, rows) in [(ApiRequest::TABLE, requests), (Invitation::TABLE, invitations), (Tag::TABLE, tags)] {
            if !rows.is_empty() {
                records.insert(table.entity, rows.iter().map(|row| json(table, row)).collect());
            }
        }
        let organization = self.organization();
        Ok(ContactExport {
            organization: organization.slug.to_string(),
            organization_name: organization.name.to_string(),
            exported_at: self.environment().now(),
            erased_at: reach.contact.as_ref().and_then(|contact| contact.erased_at),
            contact: reach
                .contact
                .map_or_else(|| reach.told.unwrap_or_default(), |contact| json(Contact::TABLE, &contact.to_row())),
            records,
            audit,
        })
    }
}

//! Where nothing refers to a contact, it is known by its e-mail address or its name: in invitations, and in the log of what
//! API keys asked for.
//!
//! The addresses and names that it has had count as well, unless they are another contact's now. That a user has the same
//! one makes no difference: who asked or was invited under it is taken to be the contact. The user's account is nobody's
//! contact, stays as it is, and ends by the commands of members and users.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::reach::{IDS, Reach};
use super::traces::{fields, states};
use crate::access::{ApiRequest, Invitation};
use crate::crm::Session;
use crate::entity::Entity as _;
use crate::error::CrmError;
use crate::id::Id;
use crate::people::{Contact, ContactKind};
use crate::row::{Row, Value};
use crate::store::{Expr, Operand};
use crate::value::{Email, fold};

/// What a contact is known as, as it is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KnownAs {
    emails: BTreeSet<String>,
    names: BTreeSet<String>,
}

/// The address in a column, as it is compared.
fn address(row: &Row, column: usize) -> Option<String> {
    row[column].as_text().and_then(email_key)
}

fn email_key(text: &str) -> Option<String> {
    text.parse::<Email>().ok().map(|email| email.key().to_owned())
}

fn not_null(column: usize) -> Expr {
    Expr::Not(Box::new(Expr::IsNull(Operand::Column(column))))
}

impl KnownAs {
    /// Adds what a contact with these values is known as.
    fn add(&mut self, contact: &Map<String, Json>) {
        let text = |name: &str| contact.get(name).and_then(Json::as_str);
        self.emails.extend(text("email").and_then(email_key));
        let full: Vec<&str> = [text("given_name"), text("family_name")].into_iter().flatten().collect();
        let company = text("company_name").filter(|_| text("kind") == Some(ContactKind::Company.as_str()));
        let names = [full.join(" "), company.unwrap_or_default().to_owned()];
        self.names.extend(names.iter().map(|name| fold(name)).filter(|name| !name.is_empty()));
    }
}

impl Session<'_> {
    /// What a contact is known as, by what is stored of it and what the audit tells.
    pub(super) async fn known_as(&self, reach: &Reach) -> Result<KnownAs, CrmError> {
        let now = match (&reach.contact, &reach.told) {
            (Some(contact), _) => fields(Contact::TABLE, &contact.to_row()),
            (None, Some(Json::Object(told))) => told.clone(),
            (None, _) => Map::new(),
        };
        let (mut present, mut all) = (KnownAs::default(), KnownAs::default());
        if reach.contact.is_some() {
            present.add(&now);
        }
        all.add(&now);
        let entries = self.entries_of(&[reach.id.uuid()]).await?.remove(&reach.id.uuid()).unwrap_or_default();
        states(now, &entries).for_each(|(_, then)| all.add(&then));
        let columns = Contact::COLUMNS;
        let others = self.others(reach.id, columns.email_key.index(), &all.emails).await?;
        all.emails.retain(|email| present.emails.contains(email) || !others.contains(email));
        let others = self.others(reach.id, columns.name_key.index(), &all.names).await?;
        all.names.retain(|name| !others.contains(name));
        Ok(all)
    }

    /// Which of these keys other contacts have.
    async fn others(
        &self,
        contact: Id<Contact>,
        column: usize,
        keys: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, CrmError> {
        let keys: Vec<Value> = keys.iter().cloned().map(Value::Text).collect();
        let mut rows = BTreeMap::new();
        for keys in keys.chunks(IDS) {
            self.gather(Contact::TABLE, Expr::In(Operand::Column(column), keys.to_vec()), &mut rows).await?;
        }
        rows.remove(&contact.uuid());
        Ok(rows.into_values().filter_map(|(row, _)| row[column].as_text().map(str::to_owned)).collect())
    }

    /// The invitations to any of the contact's addresses, standing or ended.
    pub(super) async fn invitations_of(&self, known: &KnownAs) -> Result<Vec<Row>, CrmError> {
        let (table, email) = (Invitation::TABLE, Invitation::COLUMNS.email.index());
        let theirs = |row: &Row| address(row, email).is_some_and(|key| known.emails.contains(&key));
        self.filtered(table, not_null(email), theirs).await
    }

    /// The logged requests with any of the contact's addresses; and those with its name, unless the address beside it is
    /// another contact's.
    pub(super) async fn requests_of(&self, contact: Id<Contact>, known: &KnownAs) -> Result<Vec<Row>, CrmError> {
        let columns = ApiRequest::COLUMNS;
        let (name, email) = (columns.name.index(), columns.email.index());
        let by_address = |row: &Row| address(row, email).is_some_and(|key| known.emails.contains(&key));
        let by_name = |row: &Row| row[name].as_text().is_some_and(|name| known.names.contains(&fold(name)));
        let there = Expr::Or(vec![not_null(name), not_null(email)]);
        let mut rows = self.filtered(ApiRequest::TABLE, there, |row| by_address(row) || by_name(row)).await?;
        let beside = rows.iter().filter(|row| !by_address(row)).filter_map(|row| address(row, email)).collect();
        let others = self.others(contact, Contact::COLUMNS.email_key.index(), &beside).await?;
        rows.retain(|row| by_address(row) || address(row, email).is_none_or(|key| !others.contains(&key)));
        Ok(rows)
    }
}

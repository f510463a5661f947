//! Where nothing refers to a contact, it is known by its e-mail address or its name: in invitations, and in the log of what
//! API keys asked for.
//!
//! The addresses and names that it has had count as well; none does that another contact has now, or a company's contact
//! person. A name beside an address that the contact never had is somebody else's. That a user has the same one makes no
//! difference: who asked or was invited under it is taken to be the contact. The user's account is nobody's contact, stays
//! as it is, and ends by the commands of members and users.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::reach::{IDS, Reach};
use super::traces::{fields, states};
use crate::access::{ApiRequest, Invitation, NOBODYS};
use crate::crm::Session;
use crate::entity::Entity as _;
use crate::error::CrmError;
use crate::id::Id;
use crate::people::{Contact, ContactKind};
use crate::row::{Row, Value};
use crate::store::{Expr, Operand};
use crate::value::{Email, fold};

/// What a contact is and was known as, as it is compared.
pub(super) struct KnownAs {
    contact: Id<Contact>,
    emails: BTreeSet<String>,
    names: BTreeSet<String>,
}

/// The address in a column, as it is compared.
fn address(row: &Row, column: usize) -> Option<String> {
    row[column].as_text().and_then(email_key)
}

/// The addresses within a name, as in `Ana Arias <ana@example.com>`.
fn addresses_in(name: &str) -> impl Iterator<Item = String> + '_ {
    let apart = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | '"' | '\'');
    name.split(apart).filter(|word| word.contains('@')).filter_map(email_key)
}

fn email_key(text: &str) -> Option<String> {
    text.parse::<Email>().ok().map(|email| email.key().to_owned())
}

fn not_null(column: usize) -> Expr {
    Expr::Not(Box::new(Expr::IsNull(Operand::Column(column))))
}

/// The text in a contact's column, by its name.
fn text_in<'a>(row: &'a Row) -> impl Fn(&str) -> Option<&'a str> {
    move |name| row[Contact::TABLE.expect_position(name)].as_text()
}

impl KnownAs {
    const fn nothing(contact: Id<Contact>) -> Self {
        Self { contact, emails: BTreeSet::new(), names: BTreeSet::new() }
    }

    /// Whether an address is the contact's and no other's.
    fn has_alone(&self, email: &str, others: &Self) -> bool {
        self.emails.contains(email) && !others.emails.contains(email)
    }

    /// Adds what a contact with these texts is known as.
    fn add<'a>(&mut self, text: impl Fn(&str) -> Option<&'a str>) {
        // This one is nobody's, whoever claims it.
        self.emails.extend(text("email").and_then(email_key).filter(|key| key != NOBODYS));
        let full: Vec<&str> = [text("given_name"), text("family_name")].into_iter().flatten().collect();
        let company = text("company_name").filter(|_| text("kind") == Some(ContactKind::Company.as_str()));
        let names = [full.join(" "), company.unwrap_or_default().to_owned()];
        self.names.extend(names.iter().map(|name| fold(name)).filter(|name| !name.is_empty()));
    }
}

impl Session<'_> {
    /// What a contact is and was known as, by what is stored of it and what the audit tells.
    pub(super) async fn known_as(&self, reach: &Reach) -> Result<KnownAs, CrmError> {
        let now = match (&reach.contact, &reach.told) {
            (Some(contact), _) => fields(Contact::TABLE, &contact.to_row()),
            (None, Some(Json::Object(told))) => told.clone(),
            (None, _) => Map::new(),
        };
        let mut known = KnownAs::nothing(reach.id);
        known.add(|name| now.get(name).and_then(Json::as_str));
        let entries = self.entries_of(&[reach.id.uuid()]).await?.remove(&reach.id.uuid()).unwrap_or_default();
        states(now, &entries).for_each(|(_, then)| known.add(|name| then.get(name).and_then(Json::as_str)));
        Ok(known)
    }

    /// What other contacts are known as, as far as it may be the same.
    pub(super) async fn others(&self, known: &KnownAs) -> Result<KnownAs, CrmError> {
        let columns = Contact::COLUMNS;
        let mut rows = BTreeMap::new();
        for (column, keys) in [(columns.email_key.index(), &known.emails), (columns.name_key.index(), &known.names)] {
            let keys: Vec<Value> = keys.iter().cloned().map(Value::Text).collect();
            for keys in keys.chunks(IDS) {
                self.gather(Contact::TABLE, Expr::In(Operand::Column(column), keys.to_vec()), &mut rows).await?;
            }
        }
        rows.remove(&known.contact.uuid());
        let mut others = KnownAs::nothing(known.contact);
        for (row, _) in rows.values() {
            others.add(text_in(row));
        }
        // The names of companies' contact persons stand in no column by themselves.
        let company: Expr = columns.kind.eq(&ContactKind::Company).into();
        let person = Expr::Or(vec![not_null(columns.given_name.index()), not_null(columns.family_name.index())]);
        let has_the_name = |row: &Row| {
            let mut one = KnownAs::nothing(known.contact);
            one.add(text_in(row));
            Contact::TABLE.id(row) != known.contact.uuid() && !one.names.is_disjoint(&known.names)
        };
        for row in self.filtered(Contact::TABLE, company.and(person), has_the_name).await? {
            others.add(text_in(&row));
        }
        Ok(others)
    }

    /// The invitations to any of the contact's addresses, standing or ended.
    pub(super) async fn invitations_of(&self, known: &KnownAs, others: &KnownAs) -> Result<Vec<Row>, CrmError> {
        let (table, email) = (Invitation::TABLE, Invitation::COLUMNS.email.index());
        let theirs = |row: &Row| address(row, email).is_some_and(|key| known.has_alone(&key, others));
        self.filtered(table, not_null(email), theirs).await
    }

    /// The logged requests with any of the contact's addresses; and those with its name, alone or beside such an address,
    /// be it another contact's as well.
    pub(super) async fn requests_of(&self, known: &KnownAs, others: &KnownAs) -> Result<Vec<Row>, CrmError> {
        let columns = ApiRequest::COLUMNS;
        let (name, email) = (columns.name.index(), columns.email.index());
        let theirs = |row: &Row| {
            let (name, email) = (row[name].as_text(), address(row, email));
            let key = name.map(fold).unwrap_or_default();
            let by_name = known.names.contains(&key) && !others.names.contains(&key);
            let mut addresses = email.iter().cloned().chain(name.into_iter().flat_map(addresses_in));
            addresses.any(|key| known.has_alone(&key, others))
                || by_name && email.is_none_or(|key| known.emails.contains(&key))
        };
        self.filtered(ApiRequest::TABLE, Expr::Or(vec![not_null(name), not_null(email)]), theirs).await
    }
}

//! R3, a contact's statement of account, and the ledger: all that ever happened on it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ledger::{Entry, Event};
use super::{AsOf, Period};
use crate::crm::Session;
use crate::entity::Stored;
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::value::{Currency, Date, Money};

/// What a statement covers.
#[derive(Clone, Copy, Debug)]
pub struct StatementOptions {
    /// The first civil day.
    pub from: Date,
    /// The last civil day.
    pub to: Date,
    /// Whether corrections count from the day of what they correct.
    pub restated: bool,
}

/// What a ledger covers.
#[derive(Clone, Copy, Debug, Default)]
pub struct LedgerOptions {
    /// The first civil day; that of the first entry otherwise.
    pub from: Option<Date>,
    /// The last civil day; that of the last entry otherwise.
    pub to: Option<Date>,
    /// Whether corrections count from the day of what they correct.
    pub restated: bool,
}

/// R3: what a contact was billed and paid over a period, with the balances before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Whose.
    pub contact_id: Id<Contact>,
    /// The contact's name.
    pub contact: String,
    /// The first civil day.
    pub from: Date,
    /// The last civil day.
    pub to: Date,
    /// One part per currency, by its code.
    pub currencies: Vec<StatementCurrency>,
}

/// Everything on a contact's account, or what of it falls between two days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// Whose.
    pub contact_id: Id<Contact>,
    /// The contact's name.
    pub contact: String,
    /// The first civil day, if there is one.
    pub from: Option<Date>,
    /// The last civil day, if there is one.
    pub to: Option<Date>,
    /// One part per currency, by its code.
    pub currencies: Vec<StatementCurrency>,
}

/// The part of a statement or ledger in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatementCurrency {
    /// The currency.
    pub currency: Currency,
    /// What the contact owed before the first day; less than nothing is a credit.
    pub opening: Money,
    /// What happened, by date.
    pub entries: Vec<Entry>,
    /// What the contact owes after the last day.
    pub closing: Money,
}

impl Session<'_> {
    /// R3: what a contact was billed and paid over a period.
    ///
    /// # Errors
    /// [`CrmError::NotFound`] when there is no such contact that the member may see;
    /// [`CrmError::Invalid`] when the period ends before it begins.
    pub async fn statement(&self, contact: Id<Contact>, options: &StatementOptions) -> Result<Statement, CrmError> {
        let session = self.current().await?;
        let StatementOptions { from, to, restated } = *options;
        session.reported("statement").await?;
        let period = Period::new(Some(from), Some(to), restated)?;
        let (contact, currencies) = session.account(contact, period).await?;
        Ok(Statement { contact_id: contact.id, contact: contact.display_name(), from, to, currencies })
    }

    /// Everything on a contact's account with the balance after each entry, or what of it falls between two days.
    ///
    /// # Errors
    /// [`CrmError::NotFound`] when there is no such contact that the member may see;
    /// [`CrmError::Invalid`] when the period ends before it begins.
    pub async fn ledger(&self, contact: Id<Contact>, options: &LedgerOptions) -> Result<Ledger, CrmError> {
        let session = self.current().await?;
        let LedgerOptions { from, to, restated } = *options;
        session.reported("ledger").await?;
        let (contact, currencies) = session.account(contact, Period::new(from, to, restated)?).await?;
        Ok(Ledger { contact_id: contact.id, contact: contact.display_name(), from, to, currencies })
    }

    /// A contact's account over a period, by currency.
    async fn account(
        &self,
        contact: Id<Contact>,
        period: Period,
    ) -> Result<(Stored<Contact>, Vec<StatementCurrency>), CrmError> {
        let contact = self.get(contact).await?;
        let opening = match period.from {
            Some(from) => {
                let as_of = AsOf { date: from.pred_opt().unwrap_or(from), restated: period.restated };
                self.balances(contact.id, as_of).await?
            }
            None => BTreeMap::new(),
        };
        let mut currencies: BTreeMap<Currency, (i64, Vec<Event>)> =
            opening.into_iter().map(|(currency, balance)| (currency, (balance, Vec::new()))).collect();
        for event in self.events(contact.id, period).await? {
            currencies.entry(event.currency).or_default().1.push(event);
        }
        let parts = currencies.into_iter().map(|(currency, (opening, entries))| running(currency, opening, entries));
        Ok((contact, parts.collect()))
    }
}

/// The entries in their order, each with the balance after it.
fn running(currency: Currency, opening: i64, mut events: Vec<Event>) -> StatementCurrency {
    events.sort_by(|left, right| left.place().cmp(&right.place()));
    let mut balance = opening;
    let entries = events.into_iter().map(|Event { on, kind, reference, amount, .. }| {
        balance += amount;
        let (amount, balance) = (Money::new(amount, currency), Money::new(balance, currency));
        Entry { on, kind, reference, amount, balance }
    });
    let entries = entries.collect();
    let opening = Money::new(opening, currency);
    StatementCurrency { currency, opening, entries, closing: Money::new(balance, currency) }
}

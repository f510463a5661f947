//! The printed statement of account.

use serde::Serialize;

use super::{Buyer, Printable, Seller};
use crate::billing::buyer;
use crate::crm::Session;
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::report::{AgeingRow, Entry, StatementCurrency, StatementOptions};
use crate::value::{Currency, Date, Money, ValueError};

/// A contact's statement of account for a period as it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatementDocument {
    /// Who bills.
    pub seller: Seller,
    /// Whose account, as known now.
    pub buyer: Buyer,
    /// The first civil day.
    pub from: Date,
    /// The last civil day.
    pub to: Date,
    /// The civil date on which it was printed.
    pub printed_on: Date,
    /// One part per currency, by its code.
    pub accounts: Vec<PrintedAccount>,
}

impl Printable for StatementDocument {
    const TEMPLATE: &'static str = "statement.html";
}

/// An account in one currency as it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrintedAccount {
    /// The currency of all amounts.
    pub currency: Currency,
    /// What was owed before the first day; less than nothing is a credit.
    pub opening: Money,
    /// What happened, by date.
    pub entries: Vec<Entry>,
    /// What is owed after the last day: what is due on invoices less the credit.
    pub closing: Money,
    /// What is due on invoices then, by how late it is; absent when nothing is.
    pub ageing: Option<AgeingRow>,
    /// What payments and credit notes have left then, not taken off what is due.
    pub credit: Money,
}

impl PrintedAccount {
    /// # Errors
    /// When the credit is more than an amount can be.
    fn of(part: StatementCurrency, ageing: &[AgeingRow]) -> Result<Self, ValueError> {
        let StatementCurrency { currency, opening, entries, closing } = part;
        let ageing = ageing.iter().find(|row| row.currency == currency).cloned();
        let due = ageing.as_ref().map_or(Money::zero(currency), |row| row.total);
        Ok(Self { currency, opening, entries, closing, ageing, credit: due.checked_sub(closing)? })
    }
}

impl Session<'_> {
    /// A contact's statement of account for a period as it is printed today.
    ///
    /// # Errors
    /// [`CrmError::NotFound`] when there is no such contact that the member may see;
    /// [`CrmError::Invalid`] when the period ends before it begins.
    pub async fn statement_document(
        &self,
        contact: Id<Contact>,
        options: &StatementOptions,
    ) -> Result<StatementDocument, CrmError> {
        let session = self.current().await?;
        let statement = session.statement(contact, options).await?;
        let ageing = session.ageing_of(contact, options.to, options.restated).await?;
        let accounts = statement.currencies.into_iter().map(|part| PrintedAccount::of(part, &ageing));
        let accounts = accounts.collect::<Result<_, _>>().map_err(|reason| CrmError::invalid("closing", reason))?;
        Ok(StatementDocument {
            seller: Seller::from(&session.organization().value),
            buyer: Buyer::frozen(&buyer(&session.get(contact).await?)),
            from: statement.from,
            to: statement.to,
            printed_on: session.context().today(),
            accounts,
        })
    }
}

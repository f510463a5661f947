//! Work that many do at the same time, for tests of stores: payments of one invoice, numbers of one series.

use std::collections::BTreeSet;
use std::ops::Range;

use super::script::Dice;
use crate::billing::{
    Allocate, CreateInvoice, DocumentKind, Invoice, InvoiceStatus, NewLine, NumberSeries, Payment, RecordPayment,
    SeriesReset,
};
use crate::crud::Edit;
use crate::entity::Stored;
use crate::error::{CrmError, ErrorCode};
use crate::id::Id;
use crate::people::{Contact, ContactKind};
use crate::store::{Query, Store};
use crate::value::{Currency, Date, Decimal6, Money};
use crate::{Crm, Session};

pub mod contest;
pub mod numbers;

/// An organization with one contact, for a race.
#[derive(Clone)]
pub struct Race {
    /// The owner.
    pub session: Session<'static>,
    /// The contact.
    pub contact: Id<Contact>,
}

impl Race {
    /// Makes the organization.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn new(crm: &Crm, slug: &str) -> Result<Self, CrmError> {
        let session = super::organization(crm, slug).await?;
        let columns = Contact::COLUMNS;
        let edit = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, "Racer".parse().ok());
        let contact = session.create(edit).await?.id;
        Ok(Self { session, contact })
    }

    /// Takes part in a race that another process began.
    ///
    /// # Errors
    /// When the store fails or there is no such organization.
    pub async fn join(crm: &Crm, slug: &str) -> Result<Self, CrmError> {
        let session = crm.session(&slug.parse()?, &format!("owner@{slug}.example").parse()?).await?;
        let contact = session.list(&Query::<Contact>::all().limit(1)).await?.items.first().map(|contact| contact.id);
        let contact = contact.ok_or_else(|| CrmError::NotFound { entity: "contact", reference: slug.to_owned() })?;
        Ok(Self { session, contact })
    }

    /// An issued invoice of so many dollars.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn invoice(&self, dollars: i64) -> Result<Stored<Invoice>, CrmError> {
        self.session.run(&invoice(self.contact, dollars)).await
    }

    /// Makes the series of invoices begin again with each year.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin_yearly(&self) -> Result<(), CrmError> {
        let columns = NumberSeries::COLUMNS;
        let series = self.session.list(&Query::new(columns.kind.eq(&DocumentKind::Invoice))).await?;
        for series in series.items {
            let edit = Edit::new().set(columns.prefix, "{year}-".parse().ok()).set(columns.reset, SeriesReset::Year);
            self.session.update(series.id, edit).await?;
        }
        Ok(())
    }

    /// Issues an invoice in each of these years.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn issue_in(&self, years: Range<i32>) -> Result<(), CrmError> {
        for year in years {
            let issued_on = Date::from_ymd_opt(year, 3, 1);
            self.session.run(&CreateInvoice { issued_on, ..invoice(self.contact, 1) }).await?;
        }
        Ok(())
    }

    /// Checks that each of these years has the numbers 1 to `issued`, each once.
    ///
    /// # Errors
    /// When the store fails.
    ///
    /// # Panics
    /// When there is a gap.
    pub async fn check_years(&self, years: Range<i32>, issued: usize) -> Result<(), CrmError> {
        let numbers = years.flat_map(|year| (1..=issued).map(move |number| format!("{year}-{number:06}")));
        self.check_given(numbers.collect()).await
    }

    /// Pays one dollar so many times, and counts how many payments were accepted; the others must be refused
    /// because nothing is due any more.
    ///
    /// # Errors
    /// Any other refusal.
    pub async fn pay(&self, invoice: Id<Invoice>, times: u32) -> Result<u32, CrmError> {
        let mut accepted = 0;
        for _ in 0..times {
            accepted += u32::from(self.pay_part(invoice, 100).await?);
        }
        Ok(accepted)
    }

    /// Pays so many cents, and tells whether that was accepted; it may be refused because less is due.
    ///
    /// # Errors
    /// Any other refusal.
    pub async fn pay_part(&self, invoice: Id<Invoice>, cents: i64) -> Result<bool, CrmError> {
        let amount = Money::new(cents, Currency::USD);
        let payment = RecordPayment {
            contact: self.contact,
            amount,
            received_on: None,
            method: None,
            reference: None,
            notes: None,
            external_id: None,
            allocate: Allocate::To(vec![(invoice, amount)]),
        };
        accepted(self.session.run(&payment).await)
    }

    /// Checks that the invoice is paid exactly and that so many payments of a dollar stand.
    ///
    /// # Errors
    /// When the store fails.
    ///
    /// # Panics
    /// When more or less was accepted.
    pub async fn check_paid(&self, invoice: Id<Invoice>, payments: i64) -> Result<(), CrmError> {
        let invoice = self.session.get(invoice).await?;
        assert_eq!((invoice.status, invoice.paid), (InvoiceStatus::Paid, invoice.total));
        assert_eq!(self.session.count(&Query::<Payment>::all()).await?, payments);
        assert_eq!(self.session.count(&Query::<crate::billing::Allocation>::all()).await?, payments);
        Ok(())
    }

    /// Checks that the series gave out 1 to `issued`, each once.
    ///
    /// # Errors
    /// When the store fails.
    ///
    /// # Panics
    /// When there is a gap.
    pub async fn check_numbers(&self, issued: usize) -> Result<(), CrmError> {
        self.check_given((1..=issued).map(|number| format!("INV-{number:06}")).collect()).await
    }

    async fn check_given(&self, expected: BTreeSet<String>) -> Result<(), CrmError> {
        let mut query = Query::<Invoice>::all().limit(10_000);
        let mut numbers = BTreeSet::new();
        loop {
            let page = self.session.list(&query).await?;
            numbers.extend(page.items.iter().filter_map(|invoice| invoice.number.as_ref().map(ToString::to_string)));
            let Some(next) = page.next else { break };
            query = query.after(Some(next));
        }
        assert_eq!(numbers, expected, "the numbers have a gap or a surplus");
        Ok(())
    }
}

/// Whether it was accepted; it may be refused by a rule of billing.
fn accepted<T>(answer: Result<T, CrmError>) -> Result<bool, CrmError> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.code() == ErrorCode::Rule => Ok(false),
        Err(error) => Err(error),
    }
}

/// An invoice of so many dollars, issued at once.
pub fn invoice(contact: Id<Contact>, dollars: i64) -> CreateInvoice {
    let line = NewLine {
        product: None,
        description: "Work".parse().ok(),
        quantity: Decimal6::ONE,
        unit_price: Some(Decimal6::from_micros(dollars * 1_000_000)),
        discount: None,
        tax_percent: None,
    };
    CreateInvoice { issue: Some(None), ..CreateInvoice::draft(contact, vec![line]) }
}

/// Whether a worker's next piece of work is to be rolled back: three times in ten.
pub fn rolls_back(dice: &mut Dice) -> bool {
    dice.roll(10) < 3
}

/// Issues an invoice through a view, such as a host's transaction.
///
/// # Errors
/// As [`Session::run`].
pub async fn issue_on(race: &Race, view: &dyn Store) -> Result<Stored<Invoice>, CrmError> {
    race.session.on(view).run(&invoice(race.contact, 1)).await
}

//! Many who issue documents of several kinds at the same time, on both sides of New Year, and do not always end it.

use std::collections::BTreeMap;

use super::{Race, invoice};
use crate::Session;
use crate::billing::{
    CreateCreditNote, CreateInvoice, CreditNote, Credited, DocumentKind, Invoice, NumberSeries, SeriesReset,
};
use crate::crud::{Edit, Rules};
use crate::entity::Stored;
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{Query, Store};
use crate::testing::script::Dice;
use crate::value::{Currency, Date, Money};

/// The first day of the later year.
fn new_year() -> Date {
    Date::from_ymd_opt(2026, 1, 1).unwrap_or(Date::MIN)
}

/// How many documents are known to be issued, by what stands before their numbers.
pub type Issued = BTreeMap<&'static str, usize>;

/// Has the invoices of a race numbered by year.
///
/// # Errors
/// When the store fails.
pub async fn by_year(race: &Race) -> Result<(), CrmError> {
    let columns = NumberSeries::COLUMNS;
    let query = Query::new(columns.kind.eq(&DocumentKind::Invoice));
    let series = race.session.list(&query).await?.items;
    let edit = Edit::new().set(columns.prefix, "INV-{year}-".parse().ok()).set(columns.reset, SeriesReset::Year);
    for series in series {
        race.session.update(series.id, edit.clone()).await?;
    }
    Ok(())
}

/// One who issues documents.
pub struct Issuer {
    race: Race,
    /// The invoice of which it makes credit notes.
    credited: Id<Invoice>,
    /// Its dice.
    pub dice: Dice,
    /// What is known to be issued.
    pub issued: Issued,
}

impl Issuer {
    /// One with dice of its own.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn new(race: Race, seed: u64) -> Result<Self, CrmError> {
        let command = CreateInvoice { issued_on: Some(new_year()), ..invoice(race.contact, 1_000_000) };
        let credited = race.session.run(&command).await?.id;
        Ok(Self { race, credited, dice: Dice::new(seed), issued: BTreeMap::from([("INV-2026-", 1)]) })
    }

    /// Issues a document through a session, and says under which prefix.
    ///
    /// # Errors
    /// When the store fails.
    async fn issue(&mut self, view: Option<&dyn Store>) -> Result<&'static str, CrmError> {
        let on = |session: &Session<'static>| view.map(|view| session.on(view));
        let within = on(&self.race.session);
        let session = within.as_ref().unwrap_or(&self.race.session);
        if self.dice.once_in(3) {
            let cent = Credited::Amount(Money::new(1, Currency::USD));
            session.run(&CreateCreditNote::new(self.credited, cent, "Returned".parse()?)).await?;
            return Ok("CN-");
        }
        let (prefix, issued_on) = match new_year().pred_opt() {
            Some(old_year) if self.dice.once_in(2) => ("INV-2025-", old_year),
            _ => ("INV-2026-", new_year()),
        };
        session.run(&CreateInvoice { issued_on: Some(issued_on), ..invoice(self.race.contact, 1) }).await?;
        Ok(prefix)
    }

    /// Issues a document, and says what stands before its number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keep(&mut self) -> Result<&'static str, CrmError> {
        let prefix = self.issue(None).await?;
        *self.issued.entry(prefix).or_default() += 1;
        Ok(prefix)
    }

    /// Issues a document through a view, such as a transaction that is rolled back afterwards.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn withdraw(&mut self, view: &dyn Store) -> Result<(), CrmError> {
        self.issue(Some(view)).await.map(drop)
    }
}

/// Every record of a kind.
async fn all<E: Rules>(session: &Session<'_>) -> Result<Vec<Stored<E>>, CrmError> {
    let (mut query, mut found) = (Query::<E>::all().limit(10_000), Vec::new());
    loop {
        let page = session.list(&query).await?;
        found.extend(page.items);
        let Some(next) = page.next else { return Ok(found) };
        query = query.after(Some(next));
    }
}

/// Checks that each series gave out 1 and on, each number once, at least as many as are known to be issued, and, if nothing
/// was cut off, no more.
///
/// # Errors
/// When the store fails.
///
/// # Panics
/// When there is a gap, or a number twice.
pub async fn check(race: &Race, issued: &[Issued], exact: bool) -> Result<(), CrmError> {
    let mut known = Issued::new();
    for (prefix, count) in issued.iter().flatten() {
        *known.entry(prefix).or_default() += count;
    }
    let invoices = all::<Invoice>(&race.session).await?.into_iter().filter_map(|invoice| invoice.value.number);
    let notes = all::<CreditNote>(&race.session).await?.into_iter().filter_map(|note| note.value.number);
    let numbers: Vec<String> = invoices.chain(notes).map(|number| number.to_string()).collect();
    for prefix in ["INV-2025-", "INV-2026-", "CN-"] {
        let of = numbers.iter().filter_map(|number| number.strip_prefix(prefix)?.parse().ok());
        let mut of: Vec<usize> = of.collect();
        of.sort_unstable();
        assert_eq!(of, (1..=of.len()).collect::<Vec<_>>(), "{prefix} has a gap, or a number twice");
        let known = known.get(prefix).copied().unwrap_or(0);
        assert!(of.len() >= known && known > 0, "{prefix}: {} of {known} issued are there", of.len());
        assert!(!exact || of.len() == known, "{prefix}: {} are there of {known} issued", of.len());
    }
    assert_eq!(race.session.verify_books().await?, [], "the books");
    assert_eq!(race.session.verify(None).await?.findings, [], "the audit");
    Ok(())
}

//! Random sequences of billing against an independent model.
//!
//! The model is written from the rules of billing alone and shares no rule with the library: it keeps documents and a list
//! of what was applied, and adds them up in 128 bits whenever it is asked. For each step it says whether the step is accepted;
//! after each sequence the records, the reports of several days and the library's own check of the books must agree with it.
//!
//! ```
//! use crm_core::store::MemoryStore;
//! let tally = crm_core::block_on(crm_core::testing::billing::sequence(MemoryStore::new(), 7, 30));
//! assert!(tally.accepted > 0);
//! ```
//!
//! A disagreement panics with the seed and the step.

#![expect(clippy::unwrap_used, reason = "a sequence that cannot go on has failed")]

mod act;
mod amounts;
mod books;
mod compare;
mod faults;
mod figures;
mod rules;
mod run;

use std::collections::BTreeMap;

use act::{Act, CONTACTS};
use books::Books;

use super::TestEnvironment;
use super::script::Dice;
use crate::billing::{CreditNote, Invoice, Payment};
use crate::crud::Edit;
use crate::error::ErrorCode;
use crate::id::Id;
use crate::people::{Contact, ContactKind};
use crate::store::Store;
use crate::{Crm, Session};

pub use faults::planted_faults_are_found;

/// How many steps a sequence has.
pub const STEPS: u32 = 40;

/// The kinds of steps, in the order of their names.
pub const KINDS: &[&str] = &[
    "advance",
    "allocate credit",
    "allocate payment",
    "credit all",
    "credit amount",
    "credit lines",
    "delete",
    "draft",
    "issue",
    "pay oldest",
    "pay these",
    "refund credit",
    "refund payment",
    "reverse",
    "unallocate credit",
    "unallocate payment",
    "void",
    "write off",
];

/// What happened in sequences.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many steps were accepted.
    pub accepted: u64,
    /// How many were refused.
    pub refused: u64,
    /// How many figures of reports were compared that are not nothing.
    pub figures: u64,
    /// How many steps of each kind were accepted.
    pub kinds: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.figures += other.figures;
        for (kind, count) in &other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
    }
}

/// An organization and what the model knows of it.
struct Played {
    _crm: Crm,
    session: Session<'static>,
    clock: TestEnvironment,
    books: Books,
    contacts: Vec<Id<Contact>>,
    invoices: Vec<Id<Invoice>>,
    payments: Vec<Id<Payment>>,
    notes: Vec<Id<CreditNote>>,
    tally: Tally,
}

impl Played {
    async fn new(store: impl Store + 'static, seed: u64) -> Self {
        let clock = TestEnvironment::new(u32::try_from(seed + 1).unwrap());
        let crm = Crm::new(store, clock.clone());
        let session = super::organization(&crm, &format!("books-{seed}")).await.unwrap();
        let columns = Contact::COLUMNS;
        let mut contacts = Vec::new();
        for number in 0..CONTACTS {
            let name = format!("Contact {number}").parse().ok();
            let edit = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, name);
            contacts.push(session.create(edit).await.unwrap().id);
        }
        let (books, tally) = (Books::default(), Tally::default());
        let (invoices, payments, notes) = (Vec::new(), Vec::new(), Vec::new());
        Self { _crm: crm, session, clock, books, contacts, invoices, payments, notes, tally }
    }

    /// Carries an act out in the library and in the model.
    ///
    /// # Errors
    /// How they disagree.
    async fn step(&mut self, act: &Act) -> Result<(), String> {
        let answer = self.carry_out(act).await;
        let expected = self.books.carry_out(act, self.session.context().today());
        match (&answer, &expected) {
            (Ok(()), Ok(())) => {
                self.tally.accepted += 1;
                *self.tally.kinds.entry(act.name()).or_default() += 1;
            }
            (Err(error), Err(codes)) if codes.contains(&error.code()) => self.tally.refused += 1,
            _ => {
                let answer = answer.map_err(|error| format!("{}: {error}", error.code().as_str()));
                let expected = expected.map_err(|codes| codes.into_iter().map(ErrorCode::as_str).collect::<Vec<_>>());
                return Err(format!("{act:?}: the library answers {answer:?}, the model {expected:?}"));
            }
        }
        Ok(())
    }
}

/// Plays a sequence of so many steps in a new organization, and compares everything with the model afterwards.
///
/// # Panics
/// When they disagree, with the seed and the step.
pub async fn sequence(store: impl Store + 'static, seed: u64, steps: u32) -> Tally {
    let mut dice = Dice::new(seed);
    let mut played = Played::new(store, seed).await;
    let begun = played.session.context().today();
    for step in 0..steps {
        if dice.once_in(2) {
            played.clock.advance(i64::try_from(dice.roll(4) * 86_400).unwrap());
        }
        let act = played.books.act(&mut dice, played.session.context().today());
        if let Err(difference) = played.step(&act).await {
            panic!("seed {seed}, step {step}: {difference}");
        }
    }
    let mut days = vec![played.session.context().today()];
    for _ in 0..2 {
        let span = (days[0] - begun).num_days() + 25;
        days.push(days[0] - chrono::Days::new(dice.roll(span.unsigned_abs())));
    }
    let differences = played.differences(&days).await;
    assert!(differences.is_empty(), "seed {seed}:\n{}\n{:#?}", differences.join("\n"), played.books);
    played.tally
}

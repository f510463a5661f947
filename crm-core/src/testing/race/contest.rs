//! Many who do something to one invoice at the same time: more than it can bear.

use super::{Race, accepted};
use crate::billing::{
    Allocate, AllocateCreditNote, Allocation, CreateCreditNote, CreditNote, Credited, Invoice, InvoiceStatus, Payment,
    Split, VoidInvoice, WriteOffInvoice,
};
use crate::entity::Minor;
use crate::error::CrmError;
use crate::id::Id;
use crate::store::Query;
use crate::testing::script::Dice;
use crate::value::{Currency, Money};

/// How many take part.
pub const RUNNERS: u32 = 32;

// What a payment, an allocation and a credit note of a mixed contest are about, in cents.
const PAID: i64 = 500;
const KEPT: i64 = 300;
const CREDITED: i64 = 700;

/// What they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Each pays as much; so many of them make the total.
    Parts { cents: i64, fit: i64 },
    /// Some pay, some apply kept credit, some make credit notes, and one withdraws the invoice or gives it up.
    Mixed,
}

/// A contest over one invoice, in an organization of its own.
#[derive(Clone)]
pub struct Contest {
    race: Race,
    kind: Kind,
    invoice: Id<Invoice>,
    /// A credit note that keeps some credit.
    kept: Id<CreditNote>,
    /// Whether the one who is against it withdraws the invoice or gives it up, and as which runner.
    against: (bool, u32),
}

impl Contest {
    /// Makes a contest of equal payments, or of everything that there is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn new(race: Race, mixed: bool, dice: &mut Dice) -> Result<Self, CrmError> {
        let roll = |dice: &mut Dice, sides: u64| i64::try_from(dice.roll(sides)).unwrap_or(0);
        let kind = if mixed {
            Kind::Mixed
        } else {
            Kind::Parts { cents: 100 * (1 + roll(dice, 40)), fit: 1 + roll(dice, u64::from(RUNNERS) - 1) }
        };
        let earlier = race.invoice(60).await?.id;
        race.pay_part(earlier, 6_000).await?;
        let note = CreateCreditNote::new(earlier, Credited::Amount(usd(3_000)), "Returned".parse()?);
        let kept = race.session.run(&note).await?.id;
        let dollars = match kind {
            Kind::Parts { cents, fit } => cents * fit / 100,
            Kind::Mixed => 100,
        };
        let invoice = race.invoice(dollars).await?.id;
        let against = (dice.once_in(2), u32::try_from(dice.roll(u64::from(RUNNERS))).unwrap_or(0));
        Ok(Self { race, kind, invoice, kept, against })
    }

    /// What one of them does; whether it was accepted, and not refused by a rule.
    ///
    /// # Errors
    /// Any other refusal.
    pub async fn run(&self, runner: u32) -> Result<bool, CrmError> {
        let session = &self.race.session;
        match self.kind {
            Kind::Parts { cents, .. } => self.race.pay_part(self.invoice, cents).await,
            Kind::Mixed if runner == self.against.1 && self.against.0 => {
                accepted(session.run(&VoidInvoice(self.invoice)).await)
            }
            Kind::Mixed if runner == self.against.1 => accepted(session.run(&WriteOffInvoice(self.invoice)).await),
            Kind::Mixed => match runner % 4 {
                0 | 1 => self.race.pay_part(self.invoice, PAID).await,
                2 => {
                    let allocate = Allocate::To(vec![(self.invoice, usd(KEPT))]);
                    let command = AllocateCreditNote { credit_note: self.kept, allocate, on: None };
                    accepted(session.run(&command).await)
                }
                _ => {
                    let split = Split { offset: Some(usd(CREDITED)), ..Split::default() };
                    let note =
                        CreateCreditNote::new(self.invoice, Credited::Amount(usd(CREDITED)), "Returned".parse()?);
                    accepted(session.run(&CreateCreditNote { split, ..note }).await)
                }
            },
        }
    }

    /// Checks what is left of it, given who was accepted.
    ///
    /// # Errors
    /// When the store fails.
    ///
    /// # Panics
    /// When more or less was accepted than the invoice bears, or the books are wrong.
    pub async fn check(&self, accepted: &[bool]) -> Result<(), CrmError> {
        let session = &self.race.session;
        let invoice = session.get(self.invoice).await?;
        // The earlier invoice has a payment and an allocation of its own.
        let payments = session.count(&Query::<Payment>::all()).await? - 1;
        let rows = session.count(&Query::<Allocation>::all()).await? - 1;
        let by = |kind: u32| (0..).zip(accepted).filter(move |(runner, yes)| **yes && runner % 4 == kind);
        let runs = |kinds: &[u32]| {
            let of = kinds.iter().flat_map(|kind| by(*kind)).filter(|(runner, _)| *runner != self.against.1);
            i64::try_from(of.count()).unwrap_or(i64::MAX)
        };
        if let Kind::Parts { fit, .. } = self.kind {
            let count = i64::try_from(accepted.iter().filter(|yes| **yes).count()).unwrap_or(i64::MAX);
            assert_eq!((count, payments, rows), (fit, fit, fit), "as many payments as make the total");
            assert_eq!((invoice.status, invoice.paid), (InvoiceStatus::Paid, invoice.total));
        } else {
            let [paid, kept, credited] = [runs(&[0, 1]), runs(&[2]), runs(&[3])];
            assert_eq!((payments, rows), (paid, paid + kept + credited), "rows of those that were accepted");
            assert_eq!(invoice.paid, Minor(PAID * paid + KEPT * kept), "paid is what was accepted");
            assert_eq!((invoice.offset, invoice.credited), (Minor(CREDITED * credited), Minor(CREDITED * credited)));
            assert!(invoice.balance() >= Minor(0), "overpaid: {:?}", invoice.balance());
            if invoice.status == InvoiceStatus::Void {
                assert_eq!([paid, kept, credited], [0; 3], "void, with something on it");
            }
        }
        assert_eq!(session.verify_books().await?, [], "the books");
        Ok(())
    }
}

const fn usd(cents: i64) -> Money {
    Money::new(cents, Currency::USD)
}

//! The random steps of credit notes, refunds, and money applied and taken back.

use super::{Dice, Made, date, lines, told};
use crate::Session;
use crate::billing::{
    Allocate, AllocateCreditNote, AllocatePayment, Allocation, CreateCreditNote, CreditNote, Credited, Payment,
    RecordRefund, RefundOf, ReversePayment, Split, UnallocateCreditNote, UnallocatePayment,
};
use crate::entity::Stored;
use crate::error::CrmError;
use crate::id::Id;
use crate::store::Query;
use crate::value::{Currency, Date, Money};

/// The payments and credit notes that the play has made so far.
#[derive(Default)]
pub(super) struct MadeBilling {
    pub(super) payments: Vec<Id<Payment>>,
    notes: Vec<Id<CreditNote>>,
}

fn money(dice: &mut Dice, sides: u64) -> Money {
    let currency = if dice.once_in(8) { Currency::EUR } else { Currency::USD };
    Money::new(i64::try_from(dice.roll(sides)).unwrap_or(0), currency)
}

/// A day about that of the play, or none.
fn day(dice: &mut Dice) -> Option<Date> {
    match dice.roll(6) {
        0 => Some(date(dice)),
        1 => Date::from_ymd_opt(2026, 6, 14),
        _ => None,
    }
}

fn allocate(dice: &mut Dice, made: &Made) -> Allocate {
    match (dice.pick(&made.invoices).copied(), dice.once_in(2)) {
        (Some(invoice), true) => Allocate::To(vec![(invoice, money(dice, 2_000))]),
        _ => Allocate::Oldest,
    }
}

/// Any allocation of a payment or a credit note.
async fn allocation(session: &Session<'_>, dice: &mut Dice, query: Query<Allocation>) -> Option<Id<Allocation>> {
    let found: Result<Vec<Stored<Allocation>>, CrmError> = session.list(&query).await.map(|page| page.items);
    let found = found.unwrap_or_default();
    dice.pick(&found).map(|allocation| allocation.id)
}

/// One step; none when there is nothing yet that it could be about.
pub(super) async fn step(session: &Session<'_>, dice: &mut Dice, made: &mut Made) -> Option<String> {
    let columns = Allocation::COLUMNS;
    let line = match dice.roll(12) {
        0 | 1 => {
            let payment = dice.pick(&made.billing.payments).copied()?;
            let command = AllocatePayment { payment, allocate: allocate(dice, made), on: day(dice) };
            format!("payment.allocate {}", told(session.run(&command).await).0)
        }
        2 => {
            let payment = dice.pick(&made.billing.payments).copied()?;
            let allocation = allocation(session, dice, Query::new(columns.payment_id.eq(&Some(payment)))).await?;
            let command = UnallocatePayment { allocation, on: day(dice) };
            format!("payment.unallocate {}", told(session.run(&command).await).0)
        }
        3 => {
            let payment = dice.pick(&made.billing.payments).copied()?;
            let command = ReversePayment { payment, on: day(dice), reason: "it bounced".parse().ok() };
            format!("payment.reverse {}", told(session.run(&command).await).0)
        }
        4 => {
            let payment = dice.pick(&made.billing.payments).copied()?;
            let command = RecordRefund {
                refunded_on: day(dice),
                ..RecordRefund::new(RefundOf::Payment(payment), money(dice, 1_000))
            };
            format!("refund.record {}", told(session.run(&command).await).0)
        }
        5..=8 => {
            let invoice = dice.pick(&made.invoices).copied()?;
            let credited = match dice.roll(4) {
                0 => Credited::All,
                1 => Credited::Lines(lines(dice, made)),
                _ => Credited::Amount(money(dice, 2_000)),
            };
            let mut part = || if dice.once_in(3) { Some(money(dice, 1_000)) } else { None };
            let split = Split { refund: part(), credit: part(), offset: part() };
            let command = CreateCreditNote {
                split,
                issued_on: day(dice),
                ..CreateCreditNote::new(invoice, credited, "Returned".parse().ok()?)
            };
            let (line, note) = told(session.run(&command).await);
            made.billing.notes.extend(note.map(|note| note.id));
            format!("credit_note.create {line}")
        }
        9 => {
            let credit_note = dice.pick(&made.billing.notes).copied()?;
            let command = AllocateCreditNote { credit_note, allocate: allocate(dice, made), on: day(dice) };
            format!("credit_note.allocate {}", told(session.run(&command).await).0)
        }
        10 => {
            let note = dice.pick(&made.billing.notes).copied()?;
            let allocation = allocation(session, dice, Query::new(columns.credit_note_id.eq(&Some(note)))).await?;
            let command = UnallocateCreditNote { allocation, on: day(dice) };
            format!("credit_note.unallocate {}", told(session.run(&command).await).0)
        }
        _ => {
            let note = dice.pick(&made.billing.notes).copied()?;
            let command = RecordRefund {
                refunded_on: day(dice),
                ..RecordRefund::new(RefundOf::CreditNote(note), money(dice, 500))
            };
            format!("refund.record {}", told(session.run(&command).await).0)
        }
    };
    Some(line)
}

//! Faults planted in stored rows: each must be found by the library's check of the books or by the model, or be refused by
//! the store.

use super::Played;
use super::act::{Act, Asked, Credit, Number, To};
use super::amounts::{LineAsked, MICROS};
use super::books::Fund;
use crate::billing::{
    Allocation, AllocationSource, CreditNote, CreditNoteLine, Invoice, InvoiceLine, InvoiceStatus, NumberSeries,
    Payment, Refund,
};
use crate::context::Context;
use crate::entity::{Entity, Minor, Stored};
use crate::id::Id;
use crate::store::{Change, ChangeSet, MemoryStore, StoreError};
use crate::value::{Currency, Date};

/// Who finds a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// The check of the books.
    Books,
    /// The model alone: the books are consistent, and wrong.
    Model,
    /// The store, which does not take it.
    Store,
}

/// The rows of the scene, and a change-set for the fault.
struct Plant {
    invoices: Vec<Stored<Invoice>>,
    lines: Vec<Stored<InvoiceLine>>,
    payments: Vec<Stored<Payment>>,
    notes: Vec<Stored<CreditNote>>,
    note_lines: Vec<Stored<CreditNoteLine>>,
    rows: Vec<Stored<Allocation>>,
    refunds: Vec<Stored<Refund>>,
    series: Vec<Stored<NumberSeries>>,
    context: Context,
    changes: ChangeSet,
}

impl Plant {
    async fn new(played: &Played) -> Self {
        let mut context = played.session.context();
        let changes = ChangeSet::new(context.stamp("fault"));
        Self {
            invoices: played.all().await,
            lines: played.all().await,
            payments: played.all().await,
            notes: played.all().await,
            note_lines: played.all().await,
            rows: played.all().await,
            refunds: played.all().await,
            series: played.all().await,
            context,
            changes,
        }
    }

    fn alter<E: Entity>(&mut self, before: &Stored<E>, change: impl FnOnce(&mut E)) {
        let mut value = before.value.clone();
        change(&mut value);
        self.changes.update(&self.context, before, value);
    }

    fn invoice(&mut self, at: usize, change: impl FnOnce(&mut Invoice)) {
        self.alter(&self.invoices[at].clone(), change);
    }

    fn line(&mut self, at: usize, change: impl FnOnce(&mut InvoiceLine)) {
        self.alter(&self.lines[at].clone(), change);
    }

    fn payment(&mut self, at: usize, change: impl FnOnce(&mut Payment)) {
        self.alter(&self.payments[at].clone(), change);
    }

    fn note(&mut self, change: impl FnOnce(&mut CreditNote)) {
        self.alter(&self.notes[0].clone(), change);
    }

    fn note_line(&mut self, change: impl FnOnce(&mut CreditNoteLine)) {
        self.alter(&self.note_lines[0].clone(), change);
    }

    fn row(&mut self, at: usize, change: impl FnOnce(&mut Allocation)) {
        self.alter(&self.rows[at].clone(), change);
    }

    fn refund(&mut self, at: usize, change: impl FnOnce(&mut Refund)) {
        self.alter(&self.refunds[at].clone(), change);
    }

    fn lose<E: Entity>(&mut self, record: &Stored<E>) {
        self.changes.changes.push(Change::Delete { table: E::TABLE, before: record.to_row() });
    }

    fn add<E: Entity>(&mut self, record: E) {
        self.changes.insert(&mut self.context, record);
    }
}

fn day(day: u32) -> Date {
    Date::from_ymd_opt(2026, 6, day).unwrap()
}

// The documents of the scene, by their place.
const CREDITED: usize = 0;
const REOPENED: usize = 1;
const PAID: usize = 2;
const BOUNCED: usize = 3;
const RECOVERED: usize = 4;
const VOID: usize = 5;
const LAST: usize = 6;
const CREDITED_ROW: usize = 0;
const OFFSET_ROW: usize = 1;
const KEPT_ROW: usize = 2;
const TAKEN_ROW: usize = 3;
const TAKEN_BACK: usize = 4;
const RECOVERY: usize = 5;
const PAID_ROW: usize = 8;
const ADVANCE: usize = 1;
const BOUNCE: usize = 3;

/// One of everything, as of 15 June.
fn scene() -> Vec<Act> {
    let usd = |amount| Asked { amount, currency: Currency::USD };
    let invoice = |contact, currency, prices: &[(i64, i64)]| Act::Create {
        contact,
        currency,
        lines: prices
            .iter()
            .map(|(price, percent)| LineAsked {
                quantity: MICROS,
                price: price * MICROS,
                discount: None,
                percent: percent * MICROS,
            })
            .collect(),
        issued_on: Some(day(1)),
        due_on: None,
        stated: None,
        issue: Some(Number::Next),
    };
    let pay = |contact, amount, to| Act::Pay { contact, amount, on: Some(day(5)), to, key: None };
    let eur = Asked { amount: 3_000, currency: Currency::EUR };
    let on = Some(day(10));
    vec![
        invoice(0, Currency::USD, &[(100, 19), (50, 0)]),
        invoice(0, Currency::USD, &[(40, 0)]),
        invoice(0, Currency::EUR, &[(30, 0)]),
        invoice(1, Currency::USD, &[(25, 0)]),
        invoice(0, Currency::USD, &[(15, 0)]),
        invoice(0, Currency::USD, &[(12, 0)]),
        invoice(0, Currency::USD, &[(7, 0)]),
        pay(0, usd(10_000), To::These(vec![(CREDITED, usd(10_000))])),
        Act::Credit {
            invoice: CREDITED,
            credit: Credit::Amount(usd(5_000)),
            refund: Some(usd(2_000)),
            keep: Some(usd(1_000)),
            offset: Some(usd(2_000)),
            on: Some(day(6)),
        },
        Act::Allocate { of: Fund::Note(0), to: To::These(vec![(REOPENED, usd(600))]), on },
        pay(0, usd(6_000), To::These(vec![(REOPENED, usd(3_400))])),
        Act::Unallocate { row: TAKEN_ROW, source: AllocationSource::Payment, on },
        Act::Refund { of: Fund::Payment(ADVANCE), amount: usd(500), on },
        Act::WriteOff { invoice: RECOVERED },
        pay(0, usd(1_000), To::These(vec![(RECOVERED, usd(1_000))])),
        Act::Void { invoice: VOID },
        pay(1, usd(2_500), To::These(vec![(BOUNCED, usd(2_500))])),
        Act::Reverse { payment: BOUNCE, on },
        pay(0, eur, To::These(vec![(PAID, eur)])),
        Act::Credit {
            invoice: CREDITED,
            credit: Credit::Amount(usd(1_000)),
            refund: None,
            keep: None,
            offset: None,
            on,
        },
    ]
}

/// A fault: its name, who finds it, and how it is planted.
/// Moves the invoices' next number without giving one out.
fn count_on(plant: &mut Plant, by: i64) {
    let invoices = plant.series.iter().find(|series| series.prefix.as_deref() == Some("INV-"));
    let id: Id<NumberSeries> = invoices.unwrap().id;
    plant.changes.count(id, NumberSeries::COLUMNS.next.index(), by, i64::MAX);
}

type Fault = (&'static str, By, fn(&mut Plant));

/// One of each kind.
const FAULTS: &[Fault] = &[
    // Running sums.
    ("an invoice has more paid than its rows", By::Books, |p| p.invoice(CREDITED, |i| i.paid.0 += 1)),
    ("an invoice has less offset than its rows", By::Books, |p| p.invoice(CREDITED, |i| i.offset.0 -= 1)),
    ("an invoice has more credited than its notes", By::Books, |p| p.invoice(CREDITED, |i| i.credited.0 += 1)),
    ("an invoice's total is not that of its lines", By::Books, |p| {
        p.invoice(LAST, |i| (i.subtotal.0, i.total.0) = (701, 701));
    }),
    ("an invoice's total is not its subtotal and tax", By::Books, |p| p.invoice(LAST, |i| i.total.0 += 1)),
    ("an invoice's tax is not that of its lines", By::Books, |p| {
        p.invoice(LAST, |i| (i.tax.0, i.total.0) = (1, 701));
    }),
    ("a payment has more left than there is", By::Books, |p| p.payment(ADVANCE, |x| x.unapplied.0 += 1)),
    ("a payment has more refunded than its refunds", By::Books, |p| {
        p.payment(ADVANCE, |x| (x.refunded.0, x.unapplied.0) = (501, 5_499));
    }),
    ("a payment's amount is another", By::Books, |p| p.payment(ADVANCE, |x| x.amount.0 += 1)),
    ("a credit note has more left than there is", By::Books, |p| p.note(|n| n.unapplied.0 += 1)),
    ("a credit note has more refunded than its refunds", By::Books, |p| p.note(|n| n.refunded.0 += 1)),
    ("the parts of a credit note do not add up", By::Books, |p| p.note(|n| n.credit.0 += 1)),
    ("a credit note's total is another", By::Books, |p| p.note(|n| n.total.0 += 1)),
    // Rows that are lost, doubled or changed.
    ("an allocation is lost", By::Books, |p| p.lose(&p.rows[CREDITED_ROW].clone())),
    ("an offset is lost", By::Books, |p| p.lose(&p.rows[OFFSET_ROW].clone())),
    ("what was taken back is lost", By::Books, |p| p.lose(&p.rows[TAKEN_BACK].clone())),
    ("an allocation is doubled", By::Books, |p| p.add(p.rows[CREDITED_ROW].value.clone())),
    ("an allocation is taken back twice", By::Store, |p| p.add(p.rows[TAKEN_BACK].value.clone())),
    ("an allocation's amount is another", By::Books, |p| p.row(KEPT_ROW, |r| r.amount.0 += 1)),
    ("an allocation applies less than nothing", By::Books, |p| p.row(PAID_ROW, |r| r.amount.0 = -3_000)),
    ("an allocation is of another invoice", By::Books, |p| {
        let other = p.invoices[LAST].id;
        p.row(KEPT_ROW, |r| r.invoice_id = other);
    }),
    ("an allocation is of another payment", By::Books, |p| {
        let other = p.payments[ADVANCE].id;
        p.row(CREDITED_ROW, |r| r.payment_id = Some(other));
    }),
    ("an allocation is of a payment and of a note", By::Books, |p| {
        let note = p.notes[0].id;
        p.row(CREDITED_ROW, |r| r.credit_note_id = Some(note));
    }),
    ("a payment's money is called an offset", By::Books, |p| {
        p.row(PAID_ROW, |r| r.source = AllocationSource::Offset);
    }),
    ("only a part is taken back", By::Books, |p| p.row(TAKEN_BACK, |r| r.amount.0 += 100)),
    ("a refund is lost", By::Books, |p| p.lose(&p.refunds[1].clone())),
    ("a refund is doubled", By::Books, |p| p.add(p.refunds[1].value.clone())),
    ("a note's refund is doubled", By::Books, |p| p.add(p.refunds[0].value.clone())),
    ("a refund is of nothing", By::Books, |p| p.refund(1, |r| r.payment_id = None)),
    ("a refund is of a payment and of a note", By::Books, |p| {
        let note = p.notes[0].id;
        p.refund(1, |r| r.credit_note_id = Some(note));
    }),
    ("a line is lost", By::Books, |p| p.lose(&p.lines[0].clone())),
    ("a line is doubled under another position", By::Books, |p| {
        let line = InvoiceLine { position: 9, ..p.lines[0].value.clone() };
        p.add(line);
    }),
    ("a line's net is another", By::Books, |p| p.line(0, |l| l.net.0 += 1)),
    ("a credit note's line is lost", By::Books, |p| p.lose(&p.note_lines[0].clone())),
    // Limits, with all sums right.
    ("more is paid than an invoice's total", By::Books, |p| {
        p.row(PAID_ROW, |r| r.amount.0 += 100);
        p.invoice(PAID, |i| i.paid.0 += 100);
        p.payment(4, |x| x.amount.0 += 100);
    }),
    ("more is offset than is due", By::Books, |p| {
        p.row(OFFSET_ROW, |r| r.amount.0 += 6_000);
        p.note_line(|l| l.net.0 += 6_000);
        p.note(|n| {
            for amount in [&mut n.subtotal, &mut n.total, &mut n.offset] {
                amount.0 += 6_000;
            }
        });
        p.invoice(CREDITED, |i| (i.offset.0, i.credited.0) = (i.offset.0 + 6_000, i.credited.0 + 6_000));
    }),
    ("more is credited at a rate of tax than was billed", By::Books, |p| {
        p.note_line(|l| l.tax_percent = crate::value::Decimal6::from_micros(7 * MICROS));
    }),
    ("more is refunded of a payment than it has", By::Books, |p| {
        p.refund(1, |r| r.amount.0 = 6_500);
        p.payment(ADVANCE, |x| (x.refunded.0, x.unapplied.0) = (6_500, -500));
    }),
    ("more of a note's credit is applied than it kept", By::Books, |p| {
        p.row(KEPT_ROW, |r| r.amount.0 = 1_100);
        p.note(|n| n.unapplied.0 = -100);
        p.invoice(REOPENED, |i| i.paid.0 = 1_100);
    }),
    ("an invoice with something paid is void", By::Books, |p| {
        p.invoice(PAID, |i| {
            (i.status, i.voided_on, i.settled_on) = (InvoiceStatus::Void, Some(day(15)), Some(day(15)));
        });
    }),
    ("a reversed payment is still applied", By::Books, |p| {
        p.payment(4, |x| x.reversed_on = Some(day(10)));
    }),
    // Statuses and days.
    ("a paid invoice is open", By::Books, |p| {
        p.invoice(PAID, |i| (i.status, i.settled_on) = (InvoiceStatus::Open, None));
    }),
    ("an open invoice is paid", By::Books, |p| p.invoice(LAST, |i| i.status = InvoiceStatus::Paid)),
    ("an invoice that was given up is open", By::Books, |p| {
        p.invoice(RECOVERED, |i| i.status = InvoiceStatus::Open);
    }),
    ("an invoice is settled on another day", By::Books, |p| p.invoice(PAID, |i| i.settled_on = Some(day(4)))),
    ("an open invoice is settled", By::Books, |p| p.invoice(LAST, |i| i.settled_on = Some(day(4)))),
    ("something was applied on another day", By::Books, |p| p.invoice(CREDITED, |i| i.applied_on = Some(day(5)))),
    ("an allocation is of another day than its invoice knows", By::Books, |p| {
        p.row(PAID_ROW, |r| (r.applied_on, r.restated_on) = (day(7), day(7)));
    }),
    ("an allocation counts before its payment", By::Books, |p| {
        p.row(CREDITED_ROW, |r| (r.applied_on, r.restated_on) = (day(2), day(2)));
    }),
    ("a refund was paid before its payment", By::Books, |p| p.refund(1, |r| r.refunded_on = day(4))),
    ("an allocation is restated that undoes nothing", By::Books, |p| p.row(CREDITED_ROW, |r| r.restated_on = day(4))),
    ("what was taken back is restated to another day", By::Books, |p| p.row(TAKEN_BACK, |r| r.restated_on = day(9))),
    ("an allocation is a recovery of what was not given up", By::Books, |p| p.row(PAID_ROW, |r| r.written_off = true)),
    ("a recovery is none", By::Model, |p| p.row(RECOVERY, |r| r.written_off = false)),
    ("an invoice is due before its issue", By::Books, |p| {
        p.invoice(LAST, |i| i.due_on = Some(Date::from_ymd_opt(2026, 5, 1).unwrap()));
    }),
    ("a credit note is of a day before its invoice", By::Books, |p| {
        p.invoice(CREDITED, |i| i.issued_on = Some(day(8)));
    }),
    // Currencies and contacts.
    ("an allocation is in another currency", By::Books, |p| p.row(CREDITED_ROW, |r| r.currency = Currency::EUR)),
    ("a payment is in another currency than its allocation", By::Books, |p| {
        p.payment(0, |x| x.currency = Currency::EUR);
    }),
    ("an invoice is in another currency than its rows", By::Books, |p| {
        p.invoice(PAID, |i| i.currency = Currency::USD);
    }),
    ("a credit note is in another currency than its invoice", By::Books, |p| p.note(|n| n.currency = Currency::EUR)),
    ("a refund is in another currency", By::Books, |p| p.refund(1, |r| r.currency = Currency::EUR)),
    ("a line is in another currency", By::Books, |p| p.line(0, |l| l.currency = Currency::EUR)),
    ("an allocation is of another contact", By::Books, |p| {
        let other = p.invoices[BOUNCED].contact_id;
        p.row(CREDITED_ROW, |r| r.contact_id = other);
    }),
    ("a payment is of another contact", By::Books, |p| {
        let other = p.invoices[BOUNCED].contact_id;
        p.payment(0, |x| x.contact_id = other);
    }),
    // Numbers.
    ("a number was never given", By::Books, |p| count_on(p, 1)),
    ("the last number is given once more", By::Books, |p| count_on(p, -1)),
    ("a number is gone", By::Books, |p| p.invoice(REOPENED, |i| i.number = "X-1".parse().ok())),
    ("an issued invoice has no number", By::Books, |p| p.invoice(LAST, |i| i.number = None)),
    ("a number is there twice", By::Store, |p| p.invoice(LAST, |i| i.number = "INV-000001".parse().ok())),
    ("a number was not given out yet", By::Books, |p| p.invoice(LAST, |i| i.number = "INV-000099".parse().ok())),
    ("a draft has a number", By::Books, |p| {
        p.invoice(LAST, |i| i.status = InvoiceStatus::Draft);
    }),
    ("a credit note's number is gone", By::Model, |p| p.note(|n| n.number = "X-1".parse().ok())),
    // What only another account of the events can tell.
    ("a payment came that never came", By::Model, |p| {
        let payment = Payment { unapplied: Minor(6_000), refunded: Minor(0), ..p.payments[ADVANCE].value.clone() };
        p.add(payment);
    }),
    ("a payment came on another day", By::Model, |p| p.payment(ADVANCE, |x| x.received_on = day(3))),
    ("a payment is larger, all of it left", By::Model, |p| {
        p.payment(ADVANCE, |x| (x.amount.0, x.unapplied.0) = (6_100, 5_600));
    }),
    ("an invoice without anything on it is void", By::Model, |p| {
        p.invoice(LAST, |i| {
            (i.status, i.voided_on, i.settled_on) = (InvoiceStatus::Void, Some(day(15)), Some(day(15)));
        });
    }),
    ("an invoice is due on another day", By::Model, |p| p.invoice(LAST, |i| i.due_on = Some(day(2)))),
];

/// Plants one fault of each kind in stored rows, and gives their names.
///
/// # Panics
/// When one is not found by whom it should be found, with all those.
pub async fn planted_faults_are_found() -> Vec<&'static str> {
    let mut missed = Vec::new();
    for (name, by, plant) in FAULTS {
        let mut played = Played::new(MemoryStore::new(), 0).await;
        for act in scene() {
            played.step(&act).await.unwrap();
        }
        let days = [day(4), day(9), day(15)];
        assert_eq!(played.differences(&days).await, Vec::<String>::new(), "before anything was planted");
        let mut faulty = Plant::new(&played).await;
        plant(&mut faulty);
        let found = match played.session.store().apply(played.session.scope(), faulty.changes).await {
            Err(StoreError::Duplicate { .. }) => Some(By::Store),
            Err(error) => panic!("{name}: {error}"),
            Ok(_) if !played.session.verify_books().await.unwrap().is_empty() => Some(By::Books),
            Ok(_) if !played.differences(&days).await.is_empty() => Some(By::Model),
            Ok(_) => None,
        };
        if found != Some(*by) {
            missed.push(format!("{name}: should be found by {by:?}, was by {found:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    FAULTS.iter().map(|(name, ..)| *name).collect()
}

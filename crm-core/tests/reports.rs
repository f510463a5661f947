//! The reports against figures worked out from the records one by one.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeMap;

use crm_core::billing::{Allocation, Invoice, InvoiceStatus, Payment};
use crm_core::crud::Rules;
use crm_core::entity::Stored;
use crm_core::report::SummaryOptions;
use crm_core::store::{MemoryStore, Query};
use crm_core::value::{Currency, Date};
use crm_core::{Crm, Session, block_on, testing};

async fn all<E: Rules>(session: &Session<'_>) -> Vec<Stored<E>> {
    session.list(&Query::all().with_archived().limit(10_000)).await.unwrap().items
}

/// The open balance of an invoice at the end of a day, from its own history.
fn open(invoice: &Invoice, paid: i64, day: Date) -> i64 {
    let gone = matches!(invoice.status, InvoiceStatus::Void | InvoiceStatus::Uncollectible)
        && invoice.settled_on.is_some_and(|settled| settled <= day);
    if gone { 0 } else { invoice.total.0 - paid }
}

async fn check(session: &Session<'_>, day: Date) {
    let invoices = all::<Invoice>(session).await;
    let allocations = all::<Allocation>(session).await;
    let payments = all::<Payment>(session).await;
    let issued: Vec<_> = invoices
        .iter()
        .filter(|invoice| invoice.status != InvoiceStatus::Draft && invoice.issued_on.is_some_and(|on| on <= day))
        .collect();
    // currency: billed, paid, pending, overdue, credit, and the five buckets
    let mut expected: BTreeMap<Currency, ([i64; 5], [i64; 5])> = BTreeMap::new();
    for invoice in issued {
        let (figures, buckets) = expected.entry(invoice.currency).or_default();
        let of = allocations.iter().filter(|a| a.invoice_id == invoice.id && a.applied_on <= day);
        let paid: i64 = of.map(|allocation| allocation.amount.0).sum();
        let void = invoice.status == InvoiceStatus::Void && invoice.settled_on.is_some_and(|on| on <= day);
        if !void {
            figures[0] += invoice.total.0;
            figures[1] += paid;
        }
        let due = open(invoice, paid, day);
        figures[2] += due;
        let late = (day - invoice.due_on.unwrap()).num_days();
        if late > 0 {
            figures[3] += due;
        }
        buckets[match late {
            ..=0 => 0,
            1..=30 => 1,
            31..=60 => 2,
            61..=90 => 3,
            _ => 4,
        }] += due;
    }
    for payment in payments.iter().filter(|payment| payment.received_on <= day) {
        let of = allocations.iter().filter(|a| a.payment_id == payment.id && a.applied_on <= day);
        let applied: i64 = of.map(|allocation| allocation.amount.0).sum();
        expected.entry(payment.currency).or_default().0[4] += payment.amount.0 - applied;
    }

    for per_contact in [false, true] {
        let options = SummaryOptions { as_of: Some(day), include_void: false, per_contact };
        let summary = session.summary(&options).await.unwrap();
        let found: BTreeMap<_, _> = summary
            .totals
            .iter()
            .map(|f| {
                (f.currency, [&f.billed, &f.paid, &f.pending, &f.overdue, &f.credit].map(crm_core::value::Money::minor))
            })
            .collect();
        let figures: BTreeMap<_, _> = expected.iter().map(|(currency, (figures, _))| (*currency, *figures)).collect();
        assert_eq!(found, figures, "summary of {day}");
        for f in &summary.totals {
            let parts = f.paid.minor() + f.pending.minor() + f.uncollectible.minor();
            assert_eq!(f.billed.minor(), parts, "billed is paid, pending and uncollectible");
        }
        if let Some(rows) = &summary.per_contact {
            for (currency, figures) in &figures {
                let of = rows.iter().filter(|row| row.figures.currency == *currency);
                assert_eq!(of.map(|row| row.figures.pending.minor()).sum::<i64>(), figures[2]);
            }
        }
        let ageing = session.ageing(Some(day), per_contact).await.unwrap();
        let found: BTreeMap<_, _> = ageing
            .totals
            .iter()
            .map(|r| {
                let buckets = [&r.current, &r.days_1_30, &r.days_31_60, &r.days_61_90, &r.days_over_90];
                assert_eq!(buckets.iter().map(|money| money.minor()).sum::<i64>(), r.total.minor());
                (r.currency, buckets.map(crm_core::value::Money::minor))
            })
            .collect();
        let buckets: BTreeMap<_, _> = expected.iter().map(|(currency, (_, buckets))| (*currency, *buckets)).collect();
        let some = |buckets: &BTreeMap<Currency, [i64; 5]>| {
            buckets.iter().filter(|(_, b)| b.iter().any(|b| *b != 0)).map(|(c, b)| (*c, *b)).collect::<Vec<_>>()
        };
        assert_eq!(some(&found), some(&buckets), "ageing of {day}");
    }
}

fn day(month: u32, day: u32) -> Date {
    Date::from_ymd_opt(2026, month, day).unwrap()
}

fn played(seed: u64) -> (Crm, Session<'static>) {
    let crm = testing::crm(MemoryStore::new(), 1);
    block_on(testing::script::play(&crm, seed, 400)).unwrap();
    let session = block_on(crm.session(&"here".parse().unwrap(), &"owner@here.example".parse().unwrap())).unwrap();
    (crm, session)
}

#[test]
fn figures_of_any_day_follow_from_the_records() {
    for seed in 0..20 {
        let (_crm, session) = played(seed);
        for on in [day(4, 1), day(4, 28), day(5, 14), day(6, 1), day(6, 15), day(7, 30), day(12, 31)] {
            block_on(check(&session, on));
        }
    }
}

#[test]
fn statements_begin_where_the_last_one_ended() {
    for seed in 0..10 {
        let (_crm, session) = played(seed);
        for contact in block_on(all::<crm_core::people::Contact>(&session)) {
            let april = block_on(session.statement(contact.id, day(4, 1), day(4, 30))).unwrap();
            let later = block_on(session.statement(contact.id, day(5, 1), day(6, 30))).unwrap();
            for part in &april.currencies {
                let sum: i64 = part.entries.iter().map(|entry| entry.amount.minor()).sum();
                assert_eq!(part.opening.minor() + sum, part.closing.minor());
                let next = later.currencies.iter().find(|next| next.currency == part.currency);
                let opening = next.map_or(part.closing.minor(), |next| next.opening.minor());
                assert_eq!(opening, part.closing.minor(), "{}", contact.id);
            }
        }
    }
}

//! The reports against figures worked out from the records one by one.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod random_books;

use std::collections::BTreeMap;

use crm_core::billing::{Allocation, AllocationSource, InvoiceStatus, Refund};
use crm_core::entity::Stored;
use crm_core::people::Contact;
use crm_core::report::{AgeingOptions, LedgerOptions, StatementOptions, SummaryOptions};
use crm_core::value::{Currency, Date, Money};
use crm_core::{Id, Session, block_on};
use random_books::{Books, DAYS, all, books_of_random_work, busy, day};

/// The figures of one currency: billed, paid, offset, pending, overdue, uncollectible, void, credit.
type Figures = [i64; 8];

impl Books {
    /// The figures and the buckets of each currency at the end of a day, of one contact or of all, from its own history.
    fn figures(&self, day: Date, restated: bool, of: Option<Id<Contact>>) -> BTreeMap<Currency, (Figures, [i64; 5])> {
        let mut found: BTreeMap<Currency, (Figures, [i64; 5])> = BTreeMap::new();
        let theirs = |contact: Id<Contact>| of.is_none_or(|of| of == contact);
        for invoice in self.invoices.iter().filter(|invoice| theirs(invoice.contact_id)) {
            if invoice.status == InvoiceStatus::Draft || invoice.issued_on.is_none_or(|on| on > day) {
                continue;
            }
            let (figures, buckets) = found.entry(invoice.currency).or_default();
            let void =
                if restated { invoice.voided_on.is_some() } else { invoice.voided_on.is_some_and(|on| on <= day) };
            if void {
                figures[6] += invoice.total.0;
                continue;
            }
            let rows = || self.applied(day, restated).filter(|row| row.invoice_id == invoice.id);
            let sum = |offset: bool| -> i64 {
                rows().filter(|row| (row.source == AllocationSource::Offset) == offset).map(|row| row.amount.0).sum()
            };
            let (paid, offset) = (sum(false), sum(true));
            let balance = invoice.total.0 - paid - offset;
            figures[0] += invoice.total.0;
            figures[1] += paid;
            figures[2] += offset;
            if invoice.written_off_on.is_some_and(|on| on <= day) {
                figures[5] += balance;
                continue;
            }
            figures[3] += balance;
            let late = (day - invoice.due_on.unwrap()).num_days();
            if late > 0 {
                figures[4] += balance;
            }
            buckets[match late {
                ..=0 => 0,
                1..=30 => 1,
                31..=60 => 2,
                61..=90 => 3,
                _ => 4,
            }] += balance;
        }
        let refunded = |pick: &dyn Fn(&Refund) -> bool| -> i64 {
            self.refunds.iter().filter(|r| r.refunded_on <= day && pick(r)).map(|r| r.amount.0).sum()
        };
        for payment in self.payments.iter().filter(|payment| theirs(payment.contact_id) && payment.received_on <= day) {
            let reversed =
                if restated { payment.reversed_on.is_some() } else { payment.reversed_on.is_some_and(|on| on <= day) };
            let rows = self.applied(day, restated).filter(|row| row.payment_id == Some(payment.id));
            let applied: i64 = rows.map(|row| row.amount.0).sum();
            let stands = if reversed { 0 } else { payment.amount.0 };
            let left = stands - applied - refunded(&|refund| refund.payment_id == Some(payment.id));
            found.entry(payment.currency).or_default().0[7] += left;
        }
        for note in self.notes.iter().filter(|note| theirs(note.contact_id) && note.issued_on <= day) {
            let kept = |row: &&Stored<Allocation>| {
                row.credit_note_id == Some(note.id) && row.source == AllocationSource::Credit
            };
            let applied: i64 = self.applied(day, restated).filter(kept).map(|row| row.amount.0).sum();
            let paid_back = refunded(&|refund| refund.credit_note_id == Some(note.id)) - note.refund.0;
            found.entry(note.currency).or_default().0[7] += note.credit.0 - applied - paid_back;
        }
        found
    }
}

async fn check(session: &Session<'_>, books: &Books, day: Date, restated: bool, name: &str) {
    let expected = books.figures(day, restated, None);
    let about = format!("{name}, {day}, restated: {restated}");
    for per_contact in [false, true] {
        let options = SummaryOptions { as_of: Some(day), include_void: false, per_contact, restated };
        let summary = session.summary(&options).await.unwrap();
        let figures = |f: &crm_core::report::Figures| {
            [f.billed, f.paid, f.offset, f.pending, f.overdue, f.uncollectible, f.void, f.credit]
                .map(|money| Money::minor(&money))
        };
        let found: BTreeMap<_, _> = summary.totals.iter().map(|f| (f.currency, figures(f))).collect();
        let some = |(currency, (figures, _)): (&Currency, &(Figures, [i64; 5]))| (*currency, *figures);
        let mut wanted: BTreeMap<_, _> = expected.iter().map(some).collect();
        // A currency in which everything is nothing may be left out.
        wanted.retain(|currency, figures| found.contains_key(currency) || figures.iter().any(|figure| *figure != 0));
        assert_eq!(found, wanted, "summary of {about}");
        for f in &summary.totals {
            let parts = f.paid.minor() + f.offset.minor() + f.pending.minor() + f.uncollectible.minor();
            assert_eq!(f.billed.minor(), parts, "billed is paid, offset, pending and uncollectible");
        }
        for row in summary.per_contact.iter().flatten() {
            let of = books.figures(day, restated, Some(row.contact_id));
            assert_eq!(figures(&row.figures), of[&row.figures.currency].0, "{} in {about}", row.contact);
        }
        let ageing = session.ageing(&AgeingOptions { as_of: Some(day), per_contact, restated }).await.unwrap();
        let found: BTreeMap<_, _> = ageing
            .totals
            .iter()
            .map(|r| {
                let buckets = [&r.current, &r.days_1_30, &r.days_31_60, &r.days_61_90, &r.days_over_90];
                assert_eq!(buckets.iter().map(|money| money.minor()).sum::<i64>(), r.total.minor());
                let pending = summary.totals.iter().find(|f| f.currency == r.currency).unwrap().pending;
                assert_eq!(r.total, pending, "the ageing adds up to what is pending");
                (r.currency, buckets.map(Money::minor))
            })
            .collect();
        let buckets: BTreeMap<_, _> = expected.iter().map(|(currency, (_, buckets))| (*currency, *buckets)).collect();
        let some = |buckets: &BTreeMap<Currency, [i64; 5]>| {
            buckets.iter().filter(|(_, b)| b.iter().any(|b| *b != 0)).map(|(c, b)| (*c, *b)).collect::<Vec<_>>()
        };
        assert_eq!(some(&found), some(&buckets), "ageing of {about}");
    }
}

/// The busy books have everything in them that the other tests are about.
#[test]
fn busy_books_have_everything_in_them() {
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..50 {
        let (_crm, session) = busy(seed);
        for contact in block_on(all::<Contact>(&session)) {
            for part in block_on(session.ledger(contact.id, &LedgerOptions::default())).unwrap().currencies {
                for entry in part.entries {
                    *kinds.entry(entry.kind.to_string()).or_default() += 1;
                    if entry.kind == crm_core::report::EntryKind::Recovery && entry.amount.is_negative() {
                        *kinds.entry("lost again".to_owned()).or_default() += 1;
                    }
                }
            }
        }
        for row in block_on(all::<Allocation>(&session)) {
            let undone = if row.undoes.is_some() { "undone" } else { "applied" };
            *kinds.entry(format!("{} {undone}", row.source)).or_default() += 1;
        }
    }
    let expected = [
        "credit applied",
        "credit undone",
        "credit_note",
        "lost again",
        "offset applied",
        "payment",
        "payment applied",
        "payment undone",
        "recovery",
        "refund",
        "reversal",
        "sale",
        "void",
        "write_off",
    ];
    assert_eq!(kinds.keys().collect::<Vec<_>>(), expected, "{kinds:?}");
}

#[test]
fn figures_of_any_day_follow_from_the_records() {
    for (name, _crm, session) in books_of_random_work() {
        let books = block_on(Books::read(&session));
        for (month, on) in DAYS {
            for restated in [false, true] {
                block_on(check(&session, &books, day(month, on), restated, &name));
            }
        }
    }
}

/// What a contact owes by the ledger is what is pending less the credit, on every day.
#[test]
fn the_ledger_owes_what_is_pending_less_the_credit_on_every_day() {
    let mut compared = 0;
    for (name, _crm, session) in books_of_random_work() {
        let books = block_on(Books::read(&session));
        for contact in block_on(all::<Contact>(&session)) {
            for restated in [false, true] {
                let options = LedgerOptions { restated, ..LedgerOptions::default() };
                let ledger = block_on(session.ledger(contact.id, &options)).unwrap();
                for (month, on) in DAYS {
                    let day = day(month, on);
                    let figures = books.figures(day, restated, Some(contact.id));
                    for part in &ledger.currencies {
                        let figures = figures.get(&part.currency).map_or([0; 8], |(figures, _)| *figures);
                        let last = part.entries.iter().rev().find(|entry| entry.on <= day);
                        let balance = last.map_or(0, |entry| entry.balance.minor());
                        assert_eq!(balance, figures[3] - figures[7], "{name}, {day}, restated: {restated}");
                        compared += i32::from(balance != 0);
                    }
                }
            }
        }
    }
    assert!(compared > 2_000, "only {compared} balances were not nothing");
}

#[test]
fn statements_begin_where_the_last_one_ended() {
    for (name, _crm, session) in books_of_random_work() {
        for contact in block_on(all::<Contact>(&session)) {
            for restated in [false, true] {
                let statement =
                    |from, to| block_on(session.statement(contact.id, &StatementOptions { from, to, restated }));
                let periods = [(day(4, 1), day(4, 30)), (day(5, 1), day(6, 14)), (day(6, 15), day(12, 31))];
                let statements = periods.map(|(from, to)| statement(from, to).unwrap());
                for part in statements.iter().flat_map(|statement| &statement.currencies) {
                    let sum: i64 = part.entries.iter().map(|entry| entry.amount.minor()).sum();
                    assert_eq!(part.opening.minor() + sum, part.closing.minor());
                }
                for pair in statements.windows(2) {
                    for part in &pair[0].currencies {
                        let next = pair[1].currencies.iter().find(|next| next.currency == part.currency);
                        let opening = next.map_or(part.closing.minor(), |next| next.opening.minor());
                        assert_eq!(opening, part.closing.minor(), "{name}, {}", contact.id);
                    }
                }
            }
        }
    }
}

/// What the play leaves is right by the books' own rules.
#[test]
fn the_books_of_random_work_are_right() {
    for (name, _crm, session) in books_of_random_work() {
        assert_eq!(block_on(session.verify_books()).unwrap(), [], "{name}");
    }
}

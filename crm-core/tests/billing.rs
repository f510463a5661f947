//! The rules of credit notes, refunds and money taken back, by the faults that other programs are known for.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use crm_core::billing::{
    Allocate, AllocateCreditNote, AllocatePayment, Allocation, BillingError, CreateCreditNote, CreateInvoice,
    CreditNote, CreditNoteLine, Credited, DeleteInvoice, Invoice, InvoiceStatus, NewLine, Payment, RecordPayment,
    RecordRefund, RefundOf, ReversePayment, Split, UnallocateCreditNote, UnallocatePayment, VoidInvoice,
    WriteOffInvoice,
};
use crm_core::entity::{Minor, Stored};
use crm_core::people::{Contact, ContactKind};
use crm_core::report::{EntryKind, LedgerOptions, SummaryOptions};
use crm_core::store::{MemoryStore, Query};
use crm_core::value::{Currency, Date, Decimal6, Money};
use crm_core::{Command, CrmError, Edit, Id, Session, block_on, testing};

fn world() -> (Session<'static>, Id<Contact>) {
    let crm = testing::crm(MemoryStore::new(), 1);
    let session = block_on(testing::organization(&crm, "acme")).unwrap();
    let columns = Contact::COLUMNS;
    let eva = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, "Eva".parse().ok());
    let eva = block_on(session.create(eva)).unwrap().id;
    (session, eva)
}

fn run<C: Command>(session: &Session<'_>, command: &C) -> Result<Stored<C::Root>, CrmError> {
    block_on(session.run(command))
}

const fn usd(cents: i64) -> Money {
    Money::new(cents, Currency::USD)
}

fn line(price: &str, tax: &str) -> NewLine {
    NewLine {
        product: None,
        description: "Work".parse().ok(),
        quantity: Decimal6::ONE,
        unit_price: Some(Decimal6::parse(price).unwrap()),
        discount: None,
        tax_percent: Some(Decimal6::parse(tax).unwrap()),
    }
}

fn billed(session: &Session<'_>, contact: Id<Contact>, lines: &[(&str, &str)]) -> Stored<Invoice> {
    let lines = lines.iter().map(|(price, tax)| line(price, tax)).collect();
    run(session, &CreateInvoice { issue: Some(None), ..CreateInvoice::draft(contact, lines) }).unwrap()
}

fn paying(contact: Id<Contact>, amount: Money, allocate: Allocate) -> RecordPayment {
    RecordPayment {
        contact,
        amount,
        received_on: None,
        method: None,
        reference: None,
        notes: None,
        external_id: None,
        allocate,
    }
}

fn paid(session: &Session<'_>, contact: Id<Contact>, cents: i64) -> Stored<Payment> {
    run(session, &paying(contact, usd(cents), Allocate::Oldest)).unwrap()
}

fn crediting(invoice: Id<Invoice>, credited: Credited) -> CreateCreditNote {
    CreateCreditNote::new(invoice, credited, "Returned".parse().unwrap())
}

fn credited(session: &Session<'_>, invoice: Id<Invoice>, cents: i64) -> Result<Stored<CreditNote>, CrmError> {
    run(session, &crediting(invoice, Credited::Amount(usd(cents))))
}

fn now(session: &Session<'_>, invoice: &Stored<Invoice>) -> Stored<Invoice> {
    block_on(session.get(invoice.id)).unwrap()
}

fn allocations(session: &Session<'_>, invoice: &Stored<Invoice>) -> Vec<Stored<Allocation>> {
    block_on(session.list(&Query::new(Allocation::COLUMNS.invoice_id.eq(&invoice.id)))).unwrap().items
}

fn refused<T: std::fmt::Debug>(result: Result<T, CrmError>) -> BillingError {
    match result {
        Err(CrmError::Billing(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn field<T: std::fmt::Debug>(result: Result<T, CrmError>) -> String {
    match result {
        Err(CrmError::Invalid(fields)) => fields[0].field.clone(),
        other => panic!("{other:?}"),
    }
}

/// The books are right after each test.
fn right(session: &Session<'_>) {
    assert_eq!(block_on(session.verify_books()).unwrap(), []);
}

fn summary(session: &Session<'_>) -> crm_core::report::Figures {
    block_on(session.summary(&SummaryOptions::default())).unwrap().totals[0].clone()
}

#[test]
fn a_credit_of_10_on_50_leaves_40_due() {
    let (acme, eva) = world();
    let invoice = billed(&acme, eva, &[("50", "0")]);
    let note = credited(&acme, invoice.id, 1_000).unwrap();
    assert_eq!((note.offset, note.credit, note.refund), (Minor(1_000), Minor(0), Minor(0)));
    assert_eq!(note.number.as_deref(), Some("CN-000001"));
    let after = now(&acme, &invoice);
    assert_eq!(
        (after.due(), after.paid, after.offset, after.status),
        (Minor(4_000), Minor(0), Minor(1_000), InvoiceStatus::Open)
    );
    let figures = summary(&acme);
    assert_eq!([figures.billed, figures.offset, figures.pending], [usd(5_000), usd(1_000), usd(4_000)]);
    paid(&acme, eva, 4_000);
    assert_eq!(now(&acme, &invoice).status, InvoiceStatus::Paid);
    right(&acme);
}

#[test]
fn the_unapplied_part_of_an_advance_is_refunded_and_no_more() {
    let (acme, eva) = world();
    billed(&acme, eva, &[("30", "0")]);
    let advance = paid(&acme, eva, 10_000);
    assert_eq!(advance.unapplied, Minor(7_000));
    let of = RefundOf::Payment(advance.id);
    let more = refused(run(&acme, &RecordRefund::new(of, usd(7_001))));
    assert!(
        matches!(more, BillingError::MoreThanLeft { asked, rest, .. } if (asked, rest) == (usd(7_001), usd(7_000)))
    );
    let refund = run(&acme, &RecordRefund::new(of, usd(7_000))).unwrap();
    assert_eq!((refund.contact_id, refund.payment_id, refund.amount), (eva, Some(advance.id), Minor(7_000)));
    let advance = block_on(acme.get(advance.id)).unwrap();
    assert_eq!((advance.unapplied, advance.refunded), (Minor(0), Minor(7_000)));
    assert_eq!(summary(&acme).credit, usd(0));
    assert!(matches!(refused(run(&acme, &RecordRefund::new(of, usd(1)))), BillingError::MoreThanLeft { .. }));
    right(&acme);
}

#[test]
fn a_note_of_1000_is_half_refunded_and_half_kept() {
    let (acme, eva) = world();
    let invoice = billed(&acme, eva, &[("1000", "0")]);
    paid(&acme, eva, 100_000);
    let split = Split { refund: Some(usd(50_000)), credit: Some(usd(50_000)), offset: None };
    let note = run(&acme, &CreateCreditNote { split, ..crediting(invoice.id, Credited::All) }).unwrap();
    assert_eq!(
        (note.refund, note.credit, note.offset, note.unapplied),
        (Minor(50_000), Minor(50_000), Minor(0), Minor(50_000))
    );
    let figures = summary(&acme);
    assert_eq!([figures.billed, figures.paid, figures.credit], [usd(100_000), usd(100_000), usd(50_000)]);
    // What was kept pays another invoice, and the rest is paid back later.
    let other = billed(&acme, eva, &[("120", "0")]);
    let kept = AllocateCreditNote { credit_note: note.id, allocate: Allocate::Oldest, on: None };
    assert_eq!(run(&acme, &kept).unwrap().unapplied, Minor(38_000));
    assert_eq!(now(&acme, &other).status, InvoiceStatus::Paid);
    run(&acme, &RecordRefund::new(RefundOf::CreditNote(note.id), usd(38_000))).unwrap();
    let note = block_on(acme.get(note.id)).unwrap();
    assert_eq!((note.refund, note.refunded, note.unapplied), (Minor(50_000), Minor(38_000), Minor(0)));
    right(&acme);
}

#[test]
fn the_number_of_a_deleted_draft_is_nobodys_and_void_numbers_stay() {
    let (acme, eva) = world();
    let draft = run(&acme, &CreateInvoice::draft(eva, vec![line("1", "0")])).unwrap();
    let first = billed(&acme, eva, &[("1", "0")]);
    run(&acme, &DeleteInvoice(draft.id)).unwrap();
    run(&acme, &VoidInvoice(first.id)).unwrap();
    let second = billed(&acme, eva, &[("1", "0")]);
    let numbers = [draft.number.clone(), now(&acme, &first).number.clone(), second.number.clone()];
    assert_eq!(
        numbers.map(|number| number.map(|n| n.to_string())),
        [None, Some("INV-000001".into()), Some("INV-000002".into())]
    );
    right(&acme);
}

#[test]
fn two_currencies_are_never_added() {
    let (acme, eva) = world();
    let invoice = billed(&acme, eva, &[("50", "0")]);
    let euros = run(&acme, &paying(eva, Money::new(5_000, Currency::EUR), Allocate::Oldest)).unwrap();
    assert_eq!((euros.unapplied, now(&acme, &invoice).paid), (Minor(5_000), Minor(0)));
    let to = Allocate::To(vec![(invoice.id, usd(10))]);
    let other = refused(run(&acme, &AllocatePayment { payment: euros.id, allocate: to, on: None }));
    assert!(matches!(other, BillingError::OtherCurrency { .. }));
    let amount = Money::new(100, Currency::EUR);
    assert_eq!(field(run(&acme, &crediting(invoice.id, Credited::Amount(amount)))), "amount");
    let split = Split { offset: Some(amount), ..Split::default() };
    assert_eq!(field(run(&acme, &CreateCreditNote { split, ..crediting(invoice.id, Credited::All) })), "offset");
    assert_eq!(field(run(&acme, &RecordRefund::new(RefundOf::Payment(euros.id), usd(10)))), "amount");
    let totals = block_on(acme.summary(&SummaryOptions::default())).unwrap().totals;
    let figures: Vec<_> =
        totals.iter().map(|f| (f.currency.code().to_owned(), f.pending.minor(), f.credit.minor())).collect();
    assert_eq!(figures, [("EUR".to_owned(), 0, 5_000), ("USD".to_owned(), 5_000, 0)]);
    right(&acme);
}

#[test]
fn a_bounced_payment_reopens_its_invoices_and_past_days_stay_as_they_were() {
    let (acme, eva) = world();
    let today = acme.context().today();
    let before = |days| today.checked_sub_days(chrono::Days::new(days)).unwrap();
    let issue = |days| CreateInvoice {
        issued_on: Some(before(days)),
        issue: Some(None),
        ..CreateInvoice::draft(eva, vec![line("50", "0")])
    };
    let invoices = [run(&acme, &issue(20)).unwrap(), run(&acme, &issue(19)).unwrap()];
    let payment = RecordPayment { received_on: Some(before(10)), ..paying(eva, usd(12_000), Allocate::Oldest) };
    let payment = run(&acme, &payment).unwrap();
    run(
        &acme,
        &RecordRefund { refunded_on: Some(before(8)), ..RecordRefund::new(RefundOf::Payment(payment.id), usd(500)) },
    )
    .unwrap();
    let reverse = ReversePayment { payment: payment.id, on: Some(before(5)), reason: "no funds".parse().ok() };
    assert_eq!(field(run(&acme, &ReversePayment { on: Some(before(11)), ..reverse.clone() })), "on");
    let reversed = run(&acme, &reverse).unwrap();
    assert_eq!((reversed.unapplied, reversed.reversed_on), (Minor(-500), Some(before(5))));
    for invoice in &invoices {
        let invoice = now(&acme, invoice);
        assert_eq!((invoice.status, invoice.paid, invoice.settled_on), (InvoiceStatus::Open, Minor(0), None));
    }
    assert!(matches!(refused(run(&acme, &reverse)), BillingError::Reversed { on, .. } if on == before(5)));
    let more = AllocatePayment { payment: payment.id, allocate: Allocate::Oldest, on: None };
    assert!(matches!(refused(run(&acme, &more)), BillingError::Reversed { .. }));
    let pending = |days: u64, restated| {
        let options = SummaryOptions { as_of: Some(before(days)), restated, ..SummaryOptions::default() };
        let figures = block_on(acme.summary(&options)).unwrap().totals[0].clone();
        (figures.pending.minor(), figures.credit.minor())
    };
    assert_eq!(
        [pending(12, false), pending(9, false), pending(7, false), pending(4, false)],
        [(10_000, 0), (0, 2_000), (0, 1_500), (10_000, -500)]
    );
    assert_eq!(
        [pending(12, true), pending(9, true), pending(7, true), pending(4, true)],
        [(10_000, 0), (10_000, 0), (10_000, -500), (10_000, -500)]
    );
    right(&acme);
}

#[test]
fn an_invoice_is_settled_on_the_latest_day_and_not_that_of_the_payment_recorded_last() {
    let (acme, eva) = world();
    let day = |day| Date::from_ymd_opt(2026, 6, day);
    let invoice =
        CreateInvoice { issued_on: day(1), issue: Some(None), ..CreateInvoice::draft(eva, vec![line("100", "0")]) };
    let invoice = run(&acme, &invoice).unwrap();
    for (on, cents) in [(10, 6_000), (5, 4_000)] {
        run(&acme, &RecordPayment { received_on: day(on), ..paying(eva, usd(cents), Allocate::Oldest) }).unwrap();
    }
    assert_eq!(now(&acme, &invoice).settled_on, day(10));
    let options = SummaryOptions { as_of: day(7), ..SummaryOptions::default() };
    assert_eq!(block_on(acme.summary(&options)).unwrap().totals[0].pending, usd(6_000));
    right(&acme);
}

#[test]
fn what_was_taken_back_is_credit_again_and_is_taken_back_once() {
    let (acme, eva) = world();
    let invoice = billed(&acme, eva, &[("50", "0")]);
    let payment = paid(&acme, eva, 5_000);
    let row = allocations(&acme, &invoice).remove(0);
    let take = UnallocatePayment { allocation: row.id, on: None };
    assert_eq!(run(&acme, &take).unwrap().unapplied, Minor(5_000));
    assert_eq!((now(&acme, &invoice).status, summary(&acme).credit), (InvoiceStatus::Open, usd(5_000)));
    assert!(matches!(refused(run(&acme, &take)), BillingError::Undone(_)));
    let undoing = allocations(&acme, &invoice).into_iter().find(|other| other.undoes == Some(row.id)).unwrap();
    assert_eq!((undoing.amount, undoing.restated_on), (Minor(-5_000), row.applied_on));
    assert!(matches!(
        refused(run(&acme, &UnallocatePayment { allocation: undoing.id, on: None })),
        BillingError::Undone(_)
    ));
    let other = UnallocateCreditNote { allocation: row.id, on: None };
    assert!(matches!(refused(run(&acme, &other)), BillingError::OtherSource { .. }));
    let again = AllocatePayment { payment: payment.id, allocate: Allocate::Oldest, on: None };
    assert_eq!(run(&acme, &again).unwrap().unapplied, Minor(0));
    assert_eq!(now(&acme, &invoice).status, InvoiceStatus::Paid);
    right(&acme);
}

#[test]
fn what_credit_notes_gave_back_cannot_be_taken_off_the_invoice_but_bounces() {
    let (acme, eva) = world();
    let invoice = billed(&acme, eva, &[("50", "0")]);
    let payment = paid(&acme, eva, 5_000);
    credited(&acme, invoice.id, 1_000).unwrap();
    let row = allocations(&acme, &invoice).remove(0);
    let kept = refused(run(&acme, &UnallocatePayment { allocation: row.id, on: None }));
    assert!(
        matches!(kept, BillingError::GivenBack { given_back, paid, .. } if (given_back, paid) == (usd(1_000), usd(5_000)))
    );
    run(&acme, &ReversePayment { payment: payment.id, on: None, reason: None }).unwrap();
    let figures = summary(&acme);
    assert_eq!((figures.pending, figures.credit), (usd(5_000), usd(1_000)));
    right(&acme);
}

#[test]
fn credits_stay_within_what_was_billed_paid_and_is_due() {
    let (acme, eva) = world();
    let invoice = billed(&acme, eva, &[("100", "19"), ("50", "0")]);
    assert_eq!(invoice.total, Minor(16_900));
    let more = refused(credited(&acme, invoice.id, 16_901));
    assert!(matches!(more, BillingError::MoreThanBilled { left, .. } if left == usd(16_900)));
    let lines = Credited::Lines(vec![line("50.01", "0")]);
    let at = refused(run(&acme, &crediting(invoice.id, lines)));
    assert!(
        matches!(at, BillingError::MoreThanBilledAt { asked, left, .. } if (asked, left) == (usd(5_001), usd(5_000)))
    );
    assert_eq!(field(credited(&acme, invoice.id, 0)), "amount");
    let split = |refund, credit, offset| CreateCreditNote {
        split: Split { refund, credit, offset },
        ..crediting(invoice.id, Credited::Amount(usd(1_000)))
    };
    let some = |cents| Some(usd(cents));
    assert!(matches!(refused(run(&acme, &split(some(1), None, None))), BillingError::MoreThanReceived { .. }));
    assert!(matches!(refused(run(&acme, &split(None, some(1), None))), BillingError::MoreThanReceived { .. }));
    assert!(matches!(refused(run(&acme, &split(None, some(0), some(999)))), BillingError::Split { .. }));
    assert!(matches!(refused(run(&acme, &split(None, None, some(1_001)))), BillingError::Split { .. }));
    paid(&acme, eva, 16_000);
    let due = refused(run(&acme, &split(None, None, some(901))));
    assert!(matches!(due, BillingError::MoreThanDue { asked, due, .. } if (asked, due) == (usd(901), usd(900))));
    let note = run(&acme, &split(None, None, None)).unwrap();
    assert_eq!((note.offset, note.credit), (Minor(900), Minor(100)));
    let all = run(&acme, &crediting(invoice.id, Credited::All)).unwrap();
    assert_eq!(all.total, Minor(15_900));
    assert!(matches!(refused(run(&acme, &crediting(invoice.id, Credited::All))), BillingError::NothingToCredit(_)));
    right(&acme);
}

#[test]
fn an_amount_is_spread_over_the_rates_of_tax_to_the_cent() {
    let (acme, eva) = world();
    let invoice = billed(&acme, eva, &[("10.005", "19"), ("2.675", "7.5"), ("0.99", "0")]);
    let mut left = invoice.total.0;
    let lines = |note: &Stored<CreditNote>| {
        block_on(acme.list(&Query::new(CreditNoteLine::COLUMNS.credit_note_id.eq(&note.id)))).unwrap().items
    };
    for cents in [1, 7, 333, 500] {
        let note = credited(&acme, invoice.id, cents).unwrap();
        let sum: i64 = lines(&note).iter().map(|line| line.net.0 + line.tax.0).sum();
        assert_eq!((sum, note.total), (cents, Minor(cents)));
        left -= cents;
    }
    let rest = run(&acme, &crediting(invoice.id, Credited::All)).unwrap();
    assert_eq!(rest.total, Minor(left));
    assert_eq!(now(&acme, &invoice).status, InvoiceStatus::Paid);
    right(&acme);
    // At once, the lines are the invoice's own.
    let whole = billed(&acme, eva, &[("10.005", "19"), ("2.675", "7.5")]);
    let note = run(&acme, &crediting(whole.id, Credited::All)).unwrap();
    assert_eq!((note.subtotal, note.tax, note.total), (whole.subtotal, whole.tax, whole.total));
    assert!(lines(&note).iter().all(|line| line.invoice_line_id.is_some()));
    right(&acme);
}

#[test]
fn an_invoice_is_void_only_if_nothing_was_paid_or_credited() {
    let (acme, eva) = world();
    let invoice = billed(&acme, eva, &[("50", "0")]);
    credited(&acme, invoice.id, 1_000).unwrap();
    let credit = refused(run(&acme, &VoidInvoice(invoice.id)));
    assert!(matches!(credit, BillingError::Credited { credited, .. } if credited == usd(1_000)));
    let other = billed(&acme, eva, &[("50", "0")]);
    run(&acme, &paying(eva, usd(10), Allocate::To(vec![(other.id, usd(10))]))).unwrap();
    assert!(matches!(refused(run(&acme, &VoidInvoice(other.id))), BillingError::Paid { .. }));
    right(&acme);
}

#[test]
fn what_was_given_up_can_still_be_paid_and_the_ledger_tells_it() {
    let (acme, eva) = world();
    let invoice = billed(&acme, eva, &[("50", "0")]);
    paid(&acme, eva, 2_000);
    run(&acme, &WriteOffInvoice(invoice.id)).unwrap();
    assert_eq!((summary(&acme).uncollectible, summary(&acme).pending), (usd(3_000), usd(0)));
    let to = |cents| paying(eva, usd(cents), Allocate::To(vec![(invoice.id, usd(cents))]));
    assert!(matches!(refused(run(&acme, &to(3_001))), BillingError::MoreThanDue { .. }));
    run(&acme, &to(1_000)).unwrap();
    let part = now(&acme, &invoice);
    assert_eq!((part.status, part.balance()), (InvoiceStatus::Uncollectible, Minor(2_000)));
    assert!(matches!(refused(credited(&acme, invoice.id, 1)), BillingError::Status { .. }));
    run(&acme, &to(2_000)).unwrap();
    let all = now(&acme, &invoice);
    assert_eq!((all.status, all.settled_on), (InvoiceStatus::Paid, all.written_off_on));
    let ledger = block_on(acme.ledger(eva, &LedgerOptions::default())).unwrap();
    let entries: Vec<_> = ledger.currencies[0].entries.iter().map(|entry| (entry.kind, entry.amount.minor())).collect();
    let expected = [
        (EntryKind::Sale, 5_000),
        (EntryKind::WriteOff, -3_000),
        (EntryKind::Recovery, 1_000),
        (EntryKind::Recovery, 2_000),
        (EntryKind::Payment, -2_000),
        (EntryKind::Payment, -1_000),
        (EntryKind::Payment, -2_000),
    ];
    assert_eq!(entries, expected);
    assert_eq!(ledger.currencies[0].closing, usd(0));
    right(&acme);
}

/// Without a floor the bounced payment and the one in its place would both have counted meanwhile.
#[test]
fn what_takes_the_place_of_money_that_was_taken_back_does_not_count_beside_it() {
    let (acme, eva) = world();
    let day = |day| Date::from_ymd_opt(2026, 6, day);
    let invoice =
        CreateInvoice { issued_on: day(1), issue: Some(None), ..CreateInvoice::draft(eva, vec![line("100", "0")]) };
    let invoice = run(&acme, &invoice).unwrap();
    let received = |on| RecordPayment { received_on: on, ..paying(eva, usd(10_000), Allocate::Oldest) };
    let bounced = run(&acme, &received(day(5))).unwrap();
    run(&acme, &ReversePayment { payment: bounced.id, on: day(10), reason: None }).unwrap();
    let note = CreateCreditNote { issued_on: day(9), ..crediting(invoice.id, Credited::Amount(usd(1_000))) };
    assert_eq!(field(run(&acme, &note)), "issued_on");
    let kept = run(&acme, &received(day(3))).unwrap();
    assert_eq!(now(&acme, &invoice).settled_on, day(10));
    let figures = |on: u32, restated| {
        let options = SummaryOptions { as_of: day(on), restated, ..SummaryOptions::default() };
        let figures = block_on(acme.summary(&options)).unwrap().totals[0].clone();
        (figures.pending.minor(), figures.credit.minor())
    };
    // The second payment is the contact's credit until the first one is taken back.
    assert_eq!(
        [2, 4, 6, 9, 10].map(|on| figures(on, false)),
        [(10_000, 0), (10_000, 10_000), (0, 10_000), (0, 10_000), (0, 0)]
    );
    assert_eq!([2, 4, 6, 9, 10].map(|on| figures(on, true)), [(10_000, 0), (0, 0), (0, 0), (0, 0), (0, 0)]);

    // What it settled, taken back on the 12th, can be used and paid back from that day on.
    let row = allocations(&acme, &invoice).into_iter().find(|row| row.payment_id == Some(kept.id)).unwrap().id;
    run(&acme, &UnallocatePayment { allocation: row, on: day(12) }).unwrap();
    let allocate = |on| AllocatePayment { payment: kept.id, allocate: Allocate::Oldest, on };
    assert_eq!(field(run(&acme, &allocate(day(11)))), "on");
    let refund = RecordRefund::new(RefundOf::Payment(kept.id), usd(1));
    assert_eq!(field(run(&acme, &RecordRefund { refunded_on: day(11), ..refund })), "refunded_on");
    assert_eq!(run(&acme, &allocate(day(12))).unwrap().unapplied, Minor(0));
    right(&acme);
}

#[test]
fn money_is_applied_taken_back_and_paid_back_on_no_day_that_cannot_be() {
    let (acme, eva) = world();
    let today = acme.context().today();
    let (tomorrow, yesterday) = (today.succ_opt(), today.pred_opt());
    let invoice = billed(&acme, eva, &[("50", "0")]);
    let payment = paid(&acme, eva, 6_000);
    let allocate = |on| AllocatePayment { payment: payment.id, allocate: Allocate::Oldest, on };
    let row = allocations(&acme, &invoice).remove(0).id;
    for on in [tomorrow, yesterday] {
        assert_eq!(field(run(&acme, &allocate(on))), "on");
        assert_eq!(field(run(&acme, &UnallocatePayment { allocation: row, on })), "on");
        assert_eq!(field(run(&acme, &ReversePayment { payment: payment.id, on, reason: None })), "on");
        let refund = RecordRefund::new(RefundOf::Payment(payment.id), usd(1));
        assert_eq!(field(run(&acme, &RecordRefund { refunded_on: on, ..refund })), "refunded_on");
        let note = crediting(invoice.id, Credited::All);
        assert_eq!(field(run(&acme, &CreateCreditNote { issued_on: on, ..note })), "issued_on");
    }
    right(&acme);
}

//! Revenue, collections, taxes, debtors and days to pay: worked out by hand for a small book, and from the records one by
//! one for books of random work.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod random_books;

use std::collections::{BTreeMap, HashSet};

use crm_core::access::Role;
use crm_core::billing::{
    Allocate, AllocationSource, CreateCreditNote, CreateInvoice, CreditNoteLine, Credited, Invoice, InvoiceLine,
    InvoiceStatus, Method, NewLine, Product, RecordPayment, RecordRefund, RefundOf, ReversePayment, VoidInvoice,
};
use crm_core::entity::Stored;
use crm_core::people::{Contact, ContactKind};
use crm_core::report::{
    CollectionFigures, CollectionOptions, DaysToPayFigures, DaysToPayOptions, DebtorsOptions, RevenueBy,
    RevenueFigures, RevenueOptions, SummaryOptions, TaxFigures, TaxOptions,
};
use crm_core::store::MemoryStore;
use crm_core::value::{Currency, Date, Decimal6, Money, Text};
use crm_core::{Crm, Edit, Id, Session, block_on, testing};
use random_books::{Books, all, books_of_random_work, day};

fn dollars(cents: i64) -> Money {
    Money::new(cents, Currency::USD)
}

fn decimal(text: &str) -> Decimal6 {
    Decimal6::parse(text).unwrap()
}

/// A small book as of 15 June 2026.
struct Small {
    crm: Crm,
    owner: Session<'static>,
    member: Session<'static>,
    ana: Id<Contact>,
    luis: Id<Contact>,
}

/// Ana is billed 288 in April, paid by transfer in May, and 119 in May, withdrawn on 15 June. Luis is billed 43 in May, paid in
/// cash, which is reversed on 12 June; 357 in June, of which 119 is credited; and 10 euros. He pays 50 by card in advance, of
/// which 20 is refunded in cash. He is the member's own contact.
fn small() -> Small {
    let crm = testing::crm(MemoryStore::new(), 1);
    let owner = block_on(testing::organization(&crm, "acme")).unwrap();
    let member = block_on(testing::member(&crm, &owner, Role::Member)).unwrap();
    let columns = Contact::COLUMNS;
    let person = |name: &str, whose: &Session<'_>| {
        let person = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, name.parse().ok());
        block_on(owner.create(person.set(columns.owner_id, Some(whose.user().id)))).unwrap().id
    };
    let (ana, luis) = (person("Ana", &owner), person("Luis", &member));
    let product = |name: &str| {
        let name: Text<255> = name.parse().unwrap();
        let product = Edit::new().set(Product::COLUMNS.name, name).set(Product::COLUMNS.unit_price, decimal("100"));
        block_on(owner.create(product)).unwrap().id
    };
    let (axe, bow) = (product("Axe"), product("Bow"));
    let line = |product, quantity: &str, price: &str, tax: &str| NewLine {
        product,
        description: "Work".parse().ok(),
        quantity: decimal(quantity),
        unit_price: Some(decimal(price)),
        discount: None,
        tax_percent: Some(decimal(tax)),
    };
    let invoice = |contact, currency, on: (u32, u32), due: (u32, u32), lines| {
        let (issued_on, due_on) = (Some(day(on.0, on.1)), Some(day(due.0, due.1)));
        let draft = CreateInvoice::draft(contact, lines);
        block_on(owner.run(&CreateInvoice { currency, issued_on, due_on, issue: Some(None), ..draft })).unwrap()
    };
    let axes = |quantity: &str| line(Some(axe), quantity, "100", "19");
    let first = invoice(ana, None, (4, 10), (5, 10), vec![axes("2"), line(None, "1", "50", "0")]);
    let second = invoice(luis, None, (5, 5), (6, 4), vec![line(Some(bow), "1", "40", "7.5")]);
    let third = invoice(ana, None, (5, 20), (6, 19), vec![axes("1")]);
    invoice(luis, Some(Currency::EUR), (6, 1), (7, 1), vec![line(None, "1", "10", "0")]);
    let fifth = invoice(luis, None, (6, 2), (7, 2), vec![axes("3")]);
    let pay = |contact, amount, on: (u32, u32), method, allocate| {
        let received_on = Some(day(on.0, on.1));
        let (reference, notes, external_id, method) = (None, None, None, Some(method));
        let payment = RecordPayment { contact, amount, received_on, method, reference, notes, external_id, allocate };
        block_on(owner.run(&payment)).unwrap().id
    };
    let to = |invoice: &Stored<Invoice>, amount| Allocate::To(vec![(invoice.id, amount)]);
    pay(ana, dollars(28_800), (5, 15), Method::Transfer, to(&first, dollars(28_800)));
    let bounced = pay(luis, dollars(4_300), (5, 25), Method::Cash, to(&second, dollars(4_300)));
    let advance = pay(luis, dollars(5_000), (6, 13), Method::Card, Allocate::Nothing);
    block_on(owner.run(&ReversePayment { payment: bounced, on: Some(day(6, 12)), reason: None })).unwrap();
    let refund = RecordRefund {
        refunded_on: Some(day(6, 14)),
        method: Some(Method::Cash),
        ..RecordRefund::new(RefundOf::Payment(advance), dollars(2_000))
    };
    block_on(owner.run(&refund)).unwrap();
    let note = CreateCreditNote::new(fifth.id, Credited::Lines(vec![axes("1")]), "Returned".parse().unwrap());
    block_on(owner.run(&CreateCreditNote { issued_on: Some(day(6, 10)), ..note })).unwrap();
    block_on(owner.run(&VoidInvoice(third.id))).unwrap();
    Small { crm, owner, member, ana, luis }
}

/// Invoiced, void, credited, net, tax and total.
fn revenue_of(figures: &RevenueFigures) -> (Currency, [i64; 6]) {
    let RevenueFigures { invoiced, void, credited, net, tax, total, .. } = figures;
    (figures.currency, [invoiced, void, credited, net, tax, total].map(Money::minor))
}

fn monthly(session: &Session<'_>, to: Option<Date>, restated: bool) -> Vec<(u32, Currency, [i64; 6])> {
    let options = RevenueOptions { to, restated, ..RevenueOptions::default() };
    let rows = block_on(session.revenue(&options)).unwrap().by_month.unwrap();
    let month = |month: Date| chrono::Datelike::month(&month);
    rows.iter()
        .map(|row| {
            let (currency, figures) = revenue_of(&row.figures);
            (month(row.month), currency, figures)
        })
        .collect()
}

#[test]
fn revenue_of_a_past_month_stays_what_it_was_unless_restated() {
    let Small { owner, crm: _crm, .. } = small();
    let (usd, eur) = (Currency::USD, Currency::EUR);
    let euros = (6, eur, [1_000, 0, 0, 1_000, 0, 1_000]);
    let april = (4, usd, [25_000, 0, 0, 25_000, 3_800, 28_800]);
    let may = (5, usd, [14_000, 0, 0, 14_000, 2_200, 16_200]);
    let june = (6, usd, [30_000, 10_000, 10_000, 10_000, 1_900, 11_900]);
    assert_eq!(monthly(&owner, None, false), [euros, april, may, june]);
    assert_eq!(monthly(&owner, Some(day(5, 31)), false), [april, may]);
    let may = (5, usd, [4_000, 0, 0, 4_000, 300, 4_300]);
    let june = (6, usd, [30_000, 0, 10_000, 20_000, 3_800, 23_800]);
    assert_eq!(monthly(&owner, None, true), [euros, april, may, june]);
    let totals = block_on(owner.revenue(&RevenueOptions::default())).unwrap().totals;
    let totals: Vec<_> = totals.iter().map(revenue_of).collect();
    assert_eq!(totals, [(eur, euros.2), (usd, [69_000, 10_000, 10_000, 49_000, 7_900, 56_900])]);
}

#[test]
fn revenue_by_product_has_the_largest_first_and_the_lines_without_one_last() {
    let Small { owner, crm: _crm, .. } = small();
    let options = RevenueOptions { by: RevenueBy::Product, ..RevenueOptions::default() };
    let rows = block_on(owner.revenue(&options)).unwrap().by_product.unwrap();
    let rows: Vec<_> =
        rows.iter().map(|row| (row.product.as_deref(), row.quantity.to_string(), revenue_of(&row.figures).1)).collect();
    let row = |name, quantity: &str, figures| (name, quantity.to_owned(), figures);
    assert_eq!(
        rows,
        [
            row(None, "1", [1_000, 0, 0, 1_000, 0, 1_000]),
            row(Some("Axe"), "4", [60_000, 10_000, 10_000, 40_000, 7_600, 47_600]),
            row(Some("Bow"), "1", [4_000, 0, 0, 4_000, 300, 4_300]),
            row(None, "1", [5_000, 0, 0, 5_000, 0, 5_000]),
        ]
    );
}

/// Invoiced, credited and left, each with its tax.
fn tax_of(figures: &TaxFigures) -> [i64; 6] {
    let TaxFigures { invoiced, invoiced_tax, credited, credited_tax, net, tax, .. } = figures;
    [invoiced, invoiced_tax, credited, credited_tax, net, tax].map(Money::minor)
}

#[test]
fn taxes_are_told_apart_by_rate_and_month() {
    let Small { owner, crm: _crm, .. } = small();
    let taxes = block_on(owner.taxes(&TaxOptions { from: Some(day(5, 1)), ..TaxOptions::default() })).unwrap();
    let usd = |figures: &TaxFigures| figures.currency == Currency::USD;
    let months: Vec<_> = taxes.months.iter().filter(|row| usd(&row.figures)).collect();
    let told: Vec<_> = months.iter().map(|row| (row.month, row.percent, tax_of(&row.figures))).collect();
    assert_eq!(
        told,
        [
            (day(5, 1), decimal("7.5"), [4_000, 300, 0, 0, 4_000, 300]),
            (day(5, 1), decimal("19"), [10_000, 1_900, 0, 0, 10_000, 1_900]),
            (day(6, 1), decimal("19"), [20_000, 3_800, 10_000, 1_900, 10_000, 1_900]),
        ]
    );
    let totals = taxes.totals.iter().filter(|row| usd(&row.figures));
    let totals: Vec<_> = totals.map(|row| (row.percent, tax_of(&row.figures))).collect();
    let nineteen = (decimal("19"), [30_000, 5_700, 10_000, 1_900, 20_000, 3_800]);
    assert_eq!(totals, [(decimal("7.5"), [4_000, 300, 0, 0, 4_000, 300]), nineteen]);
}

/// Received, reversed, refunded and what is left.
fn collected(figures: &CollectionFigures) -> (i64, [i64; 4]) {
    let CollectionFigures { payments, received, reversed, refunded, net, .. } = figures;
    (*payments, [received, reversed, refunded, net].map(Money::minor))
}

#[test]
fn a_reversed_payment_is_taken_back_in_the_month_of_its_reversal() {
    let Small { owner, crm: _crm, .. } = small();
    let told = |restated| {
        let collections = block_on(owner.collections(&CollectionOptions { restated, ..Default::default() })).unwrap();
        let rows = collections.rows.iter();
        rows.map(|row| (row.month, row.method.unwrap(), collected(&row.figures))).collect::<Vec<_>>()
    };
    let transfer = (day(5, 1), Method::Transfer, (1, [28_800, 0, 0, 28_800]));
    let card = (day(6, 1), Method::Card, (1, [5_000, 0, 0, 5_000]));
    let cash = (day(5, 1), Method::Cash, (1, [4_300, 0, 0, 4_300]));
    let back = (day(6, 1), Method::Cash, (0, [0, 4_300, 2_000, -6_300]));
    assert_eq!(told(false), [cash, transfer, back, card]);
    let back = (day(6, 1), Method::Cash, (0, [0, 0, 2_000, -2_000]));
    assert_eq!(told(true), [transfer, back, card]);
}

#[test]
fn debtors_owe_what_is_pending_on_the_day() {
    let Small { owner, crm: _crm, ana, luis, .. } = small();
    let told = |on, restated, limit| {
        let debtors = block_on(owner.debtors(&DebtorsOptions { as_of: Some(on), limit, restated })).unwrap();
        let part = debtors.currencies.into_iter().find(|part| part.currency == Currency::USD).unwrap();
        let rows = part.debtors.iter();
        let rows: Vec<_> = rows
            .map(|row| {
                let amounts = [&row.pending, &row.overdue, &row.credit].map(Money::minor);
                (row.contact_id, amounts, row.oldest_due_on, row.days_late)
            })
            .collect();
        (part.contacts, part.pending.minor(), rows)
    };
    let row = |contact, amounts, due, late| (contact, amounts, Some(due), late);
    let today = row(luis, [28_100, 4_300, 3_000], day(6, 4), 11);
    assert_eq!(told(day(6, 15), false, None), (1, 28_100, vec![today]));
    // What was paid then was taken back since: it was not due, and its due date does not count.
    let (hers, his) = (row(ana, [11_900, 0, 0], day(6, 19), 0), row(luis, [23_800, 0, 0], day(7, 2), 0));
    assert_eq!(told(day(6, 11), false, None), (2, 35_700, vec![his, hers]));
    assert_eq!(told(day(6, 11), false, Some(1)), (2, 35_700, vec![his]));
    assert_eq!(told(day(6, 11), false, Some(0)), (2, 35_700, vec![]));
    let his = row(luis, [28_100, 4_300, 0], day(6, 4), 7);
    assert_eq!(told(day(6, 11), true, None), (1, 28_100, vec![his]));
}

#[test]
fn debtors_that_owe_the_same_come_by_name() {
    let crm = testing::crm(MemoryStore::new(), 1);
    let owner = block_on(testing::organization(&crm, "acme")).unwrap();
    for name in ["Zoë", "Ana", "Ñandú", "Luis"] {
        let columns = Contact::COLUMNS;
        let person = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, name.parse().ok());
        let contact = block_on(owner.create(person)).unwrap().id;
        let line = NewLine {
            product: None,
            description: "Work".parse().ok(),
            quantity: Decimal6::ONE,
            unit_price: Some(decimal(if name == "Luis" { "12" } else { "10" })),
            discount: None,
            tax_percent: None,
        };
        let invoice = CreateInvoice { issue: Some(None), ..CreateInvoice::draft(contact, vec![line]) };
        block_on(owner.run(&invoice)).unwrap();
    }
    let names = |limit| {
        let debtors = block_on(owner.debtors(&DebtorsOptions { limit, ..DebtorsOptions::default() })).unwrap();
        debtors.currencies[0].debtors.iter().map(|row| row.contact.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(None), ["Luis", "Ana", "Ñandú", "Zoë"]);
    assert_eq!(names(Some(3)), ["Luis", "Ana", "Ñandú"]);
}

fn days(figures: &DaysToPayFigures) -> (i64, String, String) {
    (figures.invoices, figures.mean_days.to_string(), figures.mean_days_late.to_string())
}

#[test]
fn days_to_pay_are_those_known_at_the_end_of_the_period() {
    let Small { owner, crm: _crm, luis, .. } = small();
    let told = |from, to, restated| {
        let options = DaysToPayOptions { from, to, per_contact: true, restated };
        let report = block_on(owner.days_to_pay(&options)).unwrap();
        assert!(report.totals.iter().all(|figures| figures.currency == Currency::USD));
        let rows = report.per_contact.unwrap();
        let rows = rows.iter().map(|row| (row.contact.clone(), days(&row.figures))).collect::<Vec<_>>();
        (report.totals.first().map(days), rows)
    };
    let some = |invoices, mean: &str, late: &str| (invoices, mean.to_owned(), late.to_owned());
    let ana = ("Ana".to_owned(), some(1, "35", "5"));
    let bounced = ("Luis".to_owned(), some(1, "20", "-10"));
    let (may, june) = (Some(day(5, 31)), Some(day(6, 1)));
    // The payment that bounced in June had settled Luis' invoice by the end of May.
    assert_eq!(told(None, may, false), (Some(some(2, "27.5", "-2.5")), vec![ana.clone(), bounced]));
    assert_eq!(told(None, may, true), (Some(some(1, "35", "5")), vec![ana.clone()]));
    assert_eq!(told(None, None, false), (Some(some(1, "35", "5")), vec![ana]));
    assert_eq!(told(june, None, false), (None, vec![]));
    // Paid again today, it is settled 41 days after its issue.
    let pay = RecordPayment {
        contact: luis,
        amount: dollars(4_300),
        received_on: None,
        method: None,
        reference: None,
        notes: None,
        external_id: None,
        allocate: Allocate::Oldest,
    };
    block_on(owner.run(&pay)).unwrap();
    for restated in [false, true] {
        let luis = ("Luis".to_owned(), some(1, "41", "11"));
        assert_eq!(told(june, None, restated), (Some(some(1, "41", "11")), vec![luis]));
    }
}

#[test]
fn members_are_told_of_their_own_contacts_only() {
    let Small { member, crm: _crm, luis, .. } = small();
    let usd = (Currency::USD, [34_000, 0, 10_000, 24_000, 4_100, 28_100]);
    for by in RevenueBy::ALL {
        let options = RevenueOptions { by: *by, ..RevenueOptions::default() };
        let totals = block_on(member.revenue(&options)).unwrap().totals;
        assert_eq!(totals.iter().map(revenue_of).collect::<Vec<_>>()[1], usd);
    }
    let taxes = block_on(member.taxes(&TaxOptions::default())).unwrap();
    let tax: i64 = taxes.totals.iter().map(|row| row.figures.tax.minor()).sum();
    assert_eq!(tax, 4_100);
    let collections = block_on(member.collections(&CollectionOptions::default())).unwrap();
    assert_eq!(collected(&collections.totals[0]), (2, [9_300, 4_300, 2_000, 3_000]));
    let june = Some(day(6, 11));
    let debtors = block_on(member.debtors(&DebtorsOptions { as_of: june, ..DebtorsOptions::default() })).unwrap();
    let contacts: HashSet<_> =
        debtors.currencies.iter().flat_map(|part| &part.debtors).map(|row| row.contact_id).collect();
    assert_eq!(contacts, HashSet::from([luis]));
    let options = DaysToPayOptions { to: Some(day(5, 31)), ..DaysToPayOptions::default() };
    assert_eq!(block_on(member.days_to_pay(&options)).unwrap().totals.iter().map(|f| f.invoices).sum::<i64>(), 1);
}

#[test]
fn a_period_that_ends_before_it_begins_is_refused() {
    let Small { owner, crm: _crm, .. } = small();
    let (from, to) = (Some(day(6, 2)), Some(day(6, 1)));
    let refused = [
        block_on(owner.revenue(&RevenueOptions { from, to, ..Default::default() })).unwrap_err(),
        block_on(owner.collections(&CollectionOptions { from, to, ..Default::default() })).unwrap_err(),
        block_on(owner.taxes(&TaxOptions { from, to, ..Default::default() })).unwrap_err(),
        block_on(owner.days_to_pay(&DaysToPayOptions { from, to, ..Default::default() })).unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.code().as_str(), "invalid", "{error}");
    }
}

/// A month and a day, or none.
type Bound = Option<(u32, u32)>;

const PERIODS: [(Bound, Bound); 7] = [
    (None, None),
    (None, Some((5, 14))),
    (Some((5, 1)), Some((6, 14))),
    (Some((6, 12)), Some((6, 20))),
    (Some((6, 15)), Some((6, 15))),
    (Some((6, 18)), None),
    (Some((6, 20)), Some((7, 3))),
];

/// Every period, restated or not.
fn periods() -> impl Iterator<Item = (Option<Date>, Option<Date>, bool)> {
    let day = |on: Bound| on.map(|(month, on)| day(month, on));
    let both = move |(from, to)| [false, true].map(|restated| (day(from), day(to), restated));
    PERIODS.into_iter().flat_map(both)
}

fn holds((from, to): (Option<Date>, Option<Date>), on: Date) -> bool {
    from.is_none_or(|from| from <= on) && to.is_none_or(|to| on <= to)
}

/// Net and tax of what was sold in the period, by currency, from the documents.
fn sold(books: &Books, period: (Option<Date>, Option<Date>), restated: bool) -> BTreeMap<Currency, [i64; 2]> {
    let mut sold: BTreeMap<Currency, [i64; 2]> = BTreeMap::new();
    let mut add = |currency, sign: i64, net: i64, tax: i64| {
        let sums = sold.entry(currency).or_default();
        *sums = [sums[0] + sign * net, sums[1] + sign * tax];
    };
    for invoice in books.invoices.iter().filter(|invoice| invoice.status != InvoiceStatus::Draft) {
        let void = invoice.voided_on.filter(|_| !restated);
        let counts = !restated || invoice.voided_on.is_none();
        if counts && holds(period, invoice.issued_on.unwrap()) {
            add(invoice.currency, 1, invoice.subtotal.0, invoice.tax.0);
        }
        if void.is_some_and(|on| holds(period, on)) {
            add(invoice.currency, -1, invoice.subtotal.0, invoice.tax.0);
        }
    }
    for note in books.notes.iter().filter(|note| holds(period, note.issued_on)) {
        add(note.currency, -1, note.subtotal.0, note.tax.0);
    }
    sold.retain(|_, sums| *sums != [0, 0]);
    sold
}

/// What is sold by month, by product and by tax rate adds up to the documents.
#[test]
fn revenue_and_taxes_add_up_to_the_documents() {
    let (mut compared, mut of_products) = (0, 0);
    for (name, _crm, session) in books_of_random_work() {
        let books = block_on(Books::read(&session));
        for (from, to, restated) in periods() {
            let expected = sold(&books, (from, to), restated);
            let about = format!("{name}, {from:?} to {to:?}, restated: {restated}");
            let add = |sums: &mut BTreeMap<Currency, [i64; 2]>, currency, net: &Money, tax: &Money| {
                let sum = sums.entry(currency).or_default();
                *sum = [sum[0] + net.minor(), sum[1] + tax.minor()];
            };
            for by in RevenueBy::ALL {
                let report = block_on(session.revenue(&RevenueOptions { from, to, by: *by, restated })).unwrap();
                let (mut totals, mut rows) = (BTreeMap::new(), BTreeMap::new());
                report.totals.iter().for_each(|f| add(&mut totals, f.currency, &f.net, &f.tax));
                let months = report.by_month.iter().flatten().map(|row| &row.figures);
                let products = report.by_product.iter().flatten();
                of_products += products.clone().filter(|row| row.product_id.is_some()).count();
                months.chain(products.map(|row| &row.figures)).for_each(|f| {
                    assert_eq!(f.net.minor(), f.invoiced.minor() - f.void.minor() - f.credited.minor());
                    assert_eq!(f.total.minor(), f.net.minor() + f.tax.minor());
                    add(&mut rows, f.currency, &f.net, &f.tax);
                });
                assert_eq!(rows, totals, "{by} in {about}");
                totals.retain(|_, sums| *sums != [0, 0]);
                assert_eq!(totals, expected, "{by} in {about}");
                compared += totals.len();
            }
            let taxes = block_on(session.taxes(&TaxOptions { from, to, restated })).unwrap();
            let (mut totals, mut rows) = (BTreeMap::new(), BTreeMap::new());
            taxes
                .totals
                .iter()
                .for_each(|row| add(&mut totals, row.figures.currency, &row.figures.net, &row.figures.tax));
            taxes
                .months
                .iter()
                .for_each(|row| add(&mut rows, row.figures.currency, &row.figures.net, &row.figures.tax));
            assert_eq!(rows, totals, "taxes of {about}");
            totals.retain(|_, sums| *sums != [0, 0]);
            assert_eq!(totals, expected, "taxes of {about}");
        }
    }
    assert!(compared > 1_000 && of_products > 500, "only {compared} sums, {of_products} products");
}

/// Each rate's tax and each product's quantity, over all time, from the lines.
#[test]
fn rates_and_quantities_follow_from_the_lines() {
    let mut rates_seen = HashSet::new();
    for (name, _crm, session) in books_of_random_work() {
        let books = block_on(Books::read(&session));
        let (lines, credited) = (block_on(all::<InvoiceLine>(&session)), block_on(all::<CreditNoteLine>(&session)));
        let never = |invoice: &Invoice| matches!(invoice.status, InvoiceStatus::Draft | InvoiceStatus::Void);
        let counts = books.invoices.iter().filter(|invoice| !never(invoice));
        let counts: HashSet<_> = counts.map(|invoice| invoice.id).collect();
        let mut rates: BTreeMap<(Currency, Decimal6), [i64; 2]> = BTreeMap::new();
        let mut sold: BTreeMap<(Currency, Option<Id<Product>>), i64> = BTreeMap::new();
        for line in lines.iter().filter(|line| counts.contains(&line.invoice_id)) {
            rates.entry((line.currency, line.tax_percent)).or_default()[0] += line.tax.0;
            *sold.entry((line.currency, line.product_id)).or_default() += line.quantity.micros();
        }
        for line in &credited {
            rates.entry((line.currency, line.tax_percent)).or_default()[1] += line.tax.0;
            *sold.entry((line.currency, line.product_id)).or_default() -= line.quantity.micros();
        }
        let taxes = block_on(session.taxes(&TaxOptions { restated: true, ..TaxOptions::default() })).unwrap();
        let found: BTreeMap<_, _> = taxes
            .totals
            .iter()
            .map(|row| {
                let amounts = [&row.figures.invoiced_tax, &row.figures.credited_tax].map(Money::minor);
                ((row.figures.currency, row.percent), amounts)
            })
            .collect();
        assert_eq!(found, rates, "{name}");
        rates_seen.extend(rates.into_keys());
        let options = RevenueOptions { by: RevenueBy::Product, restated: true, ..RevenueOptions::default() };
        let rows = block_on(session.revenue(&options)).unwrap().by_product.unwrap();
        let found: BTreeMap<_, _> =
            rows.iter().map(|row| ((row.figures.currency, row.product_id), row.quantity.micros())).collect();
        assert_eq!(found, sold, "{name}");
    }
    assert!(rates_seen.len() > 3, "{rates_seen:?}");
}

#[test]
fn collections_follow_from_payments_and_refunds() {
    let mut reversed_seen = 0;
    for (name, _crm, session) in books_of_random_work() {
        let books = block_on(Books::read(&session));
        for (from, to, restated) in periods() {
            // Payments, received, reversed, refunded.
            let mut expected: BTreeMap<(Currency, Option<Method>), [i64; 4]> = BTreeMap::new();
            let period = (from, to);
            for payment in &books.payments {
                let sums = expected.entry((payment.currency, payment.method)).or_default();
                if holds(period, payment.received_on) && !(restated && payment.reversed_on.is_some()) {
                    sums[0] += 1;
                    sums[1] += payment.amount.0;
                }
                if !restated && payment.reversed_on.is_some_and(|on| holds(period, on)) {
                    sums[2] += payment.amount.0;
                    reversed_seen += 1;
                }
            }
            for refund in books.refunds.iter().filter(|refund| holds(period, refund.refunded_on)) {
                expected.entry((refund.currency, refund.method)).or_default()[3] += refund.amount.0;
            }
            expected.retain(|_, sums| *sums != [0; 4]);
            let report = block_on(session.collections(&CollectionOptions { from, to, restated })).unwrap();
            let mut found: BTreeMap<(Currency, Option<Method>), [i64; 4]> = BTreeMap::new();
            for row in &report.rows {
                let (payments, [received, reversed, refunded, net]) = collected(&row.figures);
                assert_eq!(net, received - reversed - refunded);
                let sums = found.entry((row.figures.currency, row.method)).or_default();
                for (sum, more) in sums.iter_mut().zip([payments, received, reversed, refunded]) {
                    *sum += more;
                }
            }
            assert_eq!(found, expected, "{name}, {from:?} to {to:?}, restated: {restated}");
        }
    }
    assert!(reversed_seen > 20, "only {reversed_seen}");
}

/// What debtors owe is what the summary says, and their oldest due date that of an invoice with something due.
#[test]
fn debtors_are_those_of_the_summary() {
    let mut oldest_seen = 0;
    for (name, _crm, session) in books_of_random_work() {
        let books = block_on(Books::read(&session));
        for (month, on) in random_books::DAYS {
            for restated in [false, true] {
                let as_of = Some(day(month, on));
                let options = SummaryOptions { as_of, per_contact: true, restated, ..SummaryOptions::default() };
                let summary = block_on(session.summary(&options)).unwrap();
                let mut expected: BTreeMap<_, _> = BTreeMap::new();
                for row in summary.per_contact.iter().flatten().filter(|row| row.figures.pending.is_positive()) {
                    let f = &row.figures;
                    let due_on = books.oldest_due(row.contact_id, f.currency, day(month, on), restated);
                    let amounts = [f.pending.minor(), f.overdue.minor(), f.credit.minor()];
                    expected.insert((f.currency, row.contact_id), (amounts, due_on));
                    oldest_seen += 1;
                }
                let report = block_on(session.debtors(&DebtorsOptions { as_of, limit: None, restated })).unwrap();
                let rows = report.currencies.iter().flat_map(|part| &part.debtors);
                let found: BTreeMap<_, _> = rows
                    .map(|row| {
                        let amounts = [row.pending.minor(), row.overdue.minor(), row.credit.minor()];
                        ((row.pending.currency(), row.contact_id), (amounts, row.oldest_due_on))
                    })
                    .collect();
                assert_eq!(found, expected, "{name}, {month}-{on}, restated: {restated}");
            }
        }
    }
    assert!(oldest_seen > 500, "only {oldest_seen}");
}

impl Books {
    /// The earliest due date of an invoice of the contact with something due at the end of a day.
    fn oldest_due(&self, contact: Id<Contact>, currency: Currency, on: Date, restated: bool) -> Option<Date> {
        let theirs = self.invoices.iter().filter(|i| i.contact_id == contact && i.currency == currency);
        let issued = theirs.filter(|i| i.status != InvoiceStatus::Draft && i.issued_on.is_some_and(|day| day <= on));
        let open = issued.filter(|i| {
            let void = if restated { i.voided_on.is_some() } else { i.voided_on.is_some_and(|day| day <= on) };
            let applied = self.applied(on, restated).filter(|row| row.invoice_id == i.id);
            let applied: i64 = applied.map(|row| row.amount.0).sum();
            !void && i.written_off_on.is_none_or(|day| day > on) && applied != i.total.0
        });
        open.filter_map(|i| i.due_on).min()
    }

    /// The day on which an invoice was settled by payment, as known at the end of a day.
    fn paid_on(&self, invoice: &Stored<Invoice>, to: Date, restated: bool) -> Option<Date> {
        if invoice.status == InvoiceStatus::Draft || invoice.written_off_on.is_some_and(|day| day <= to) {
            return None;
        }
        let mut rows: Vec<_> = self.applied(to, restated).filter(|row| row.invoice_id == invoice.id).collect();
        if restated {
            let undone: HashSet<_> = self.allocations.iter().filter_map(|row| row.undoes).collect();
            rows.retain(|row| row.undoes.is_none() && !undone.contains(&row.id));
        }
        let applied: i64 = rows.iter().map(|row| row.amount.0).sum();
        let paid = rows.iter().filter(|row| row.source != AllocationSource::Offset);
        let paid: i64 = paid.map(|row| row.amount.0).sum();
        (paid > 0 && applied == invoice.total.0)
            .then(|| rows.iter().map(|row| if restated { row.restated_on } else { row.applied_on }).max())?
    }
}

#[test]
fn days_to_pay_follow_from_what_was_applied() {
    let (mut seen, mut corrected) = (0, 0);
    for (name, _crm, session) in books_of_random_work() {
        let books = block_on(Books::read(&session));
        let undone: HashSet<_> =
            books.allocations.iter().filter(|row| row.undoes.is_some()).map(|row| row.invoice_id).collect();
        for (from, to, restated) in periods() {
            let mut expected: BTreeMap<Currency, [i64; 3]> = BTreeMap::new();
            for invoice in &books.invoices {
                let Some(on) = books.paid_on(invoice, to.unwrap_or(Date::MAX), restated) else { continue };
                if !holds((from, to), on) {
                    continue;
                }
                let sums = expected.entry(invoice.currency).or_default();
                sums[0] += 1;
                sums[1] += (on - invoice.issued_on.unwrap()).num_days();
                sums[2] += (on - invoice.due_on.unwrap()).num_days();
                seen += 1;
                corrected += i32::from(undone.contains(&invoice.id));
            }
            let options = DaysToPayOptions { from, to, per_contact: true, restated };
            let report = block_on(session.days_to_pay(&options)).unwrap();
            let mean = |sum: i64, count: i64| {
                let micros = i128::from(sum) * 2_000_000 + i128::from(sum.signum() * count);
                Decimal6::from_micros(i64::try_from(micros / i128::from(2 * count)).unwrap())
            };
            let found: Vec<_> =
                report.totals.iter().map(|f| (f.currency, f.invoices, f.mean_days, f.mean_days_late)).collect();
            let expected: Vec<_> =
                expected.iter().map(|(c, [n, days, late])| (*c, *n, mean(*days, *n), mean(*late, *n))).collect();
            assert_eq!(found, expected, "{name}, {from:?} to {to:?}, restated: {restated}");
            let of_contacts: i64 = report.per_contact.iter().flatten().map(|row| row.figures.invoices).sum();
            assert_eq!(of_contacts, report.totals.iter().map(|f| f.invoices).sum::<i64>());
        }
    }
    assert!(seen > 200 && corrected > 100, "only {seen} invoices, {corrected} corrected");
}

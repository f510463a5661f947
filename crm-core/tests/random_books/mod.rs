//! Books of random work, and what follows from their records one by one.

use crm_core::billing::{
    Allocate, AllocateCreditNote, AllocatePayment, Allocation, CreateCreditNote, CreateInvoice, CreditNote, Credited,
    Invoice, Method, NewLine, Payment, Product, RecordPayment, RecordRefund, Refund, RefundOf, ReversePayment, Split,
    UnallocateCreditNote, UnallocatePayment, VoidInvoice, WriteOffInvoice,
};
use crm_core::crud::Rules;
use crm_core::entity::Stored;
use crm_core::people::{Contact, ContactKind};
use crm_core::store::{MemoryStore, Query};
use crm_core::testing::TestEnvironment;
use crm_core::testing::script::Dice;
use crm_core::value::{Currency, Date, Decimal6, Money, Text};
use crm_core::{Crm, CrmError, Edit, Id, Session, block_on, testing};

pub(crate) async fn all<E: Rules>(session: &Session<'_>) -> Vec<Stored<E>> {
    session.list(&Query::all().with_archived().limit(10_000)).await.unwrap().items
}

/// Everything in the books, each record by itself.
pub(crate) struct Books {
    pub(crate) invoices: Vec<Stored<Invoice>>,
    pub(crate) allocations: Vec<Stored<Allocation>>,
    pub(crate) payments: Vec<Stored<Payment>>,
    pub(crate) notes: Vec<Stored<CreditNote>>,
    pub(crate) refunds: Vec<Stored<Refund>>,
}

impl Books {
    pub(crate) async fn read(session: &Session<'_>) -> Self {
        Self {
            invoices: all(session).await,
            allocations: all(session).await,
            payments: all(session).await,
            notes: all(session).await,
            refunds: all(session).await,
        }
    }

    /// The allocations that count at the end of a day.
    pub(crate) fn applied(&self, day: Date, restated: bool) -> impl Iterator<Item = &Stored<Allocation>> {
        self.allocations.iter().filter(move |row| if restated { row.restated_on <= day } else { row.applied_on <= day })
    }
}

pub(crate) fn day(month: u32, day: u32) -> Date {
    Date::from_ymd_opt(2026, month, day).unwrap()
}

pub(crate) const DAYS: [(u32, u32); 14] = [
    (4, 1),
    (4, 28),
    (5, 14),
    (6, 1),
    (6, 12),
    (6, 14),
    (6, 15),
    (6, 19),
    (6, 24),
    (6, 28),
    (7, 5),
    (7, 15),
    (7, 30),
    (12, 31),
];

fn played(seed: u64) -> (Crm, Session<'static>) {
    let crm = testing::crm(MemoryStore::new(), 1);
    block_on(testing::script::play(&crm, seed, 600)).unwrap();
    let session = block_on(crm.session(&"here".parse().unwrap(), &"owner@here.example".parse().unwrap())).unwrap();
    (crm, session)
}

/// Two contacts' money going back and forth over some weeks, one thing or more a day.
pub(crate) fn busy(seed: u64) -> (Crm, Session<'static>) {
    let environment = TestEnvironment::new(1);
    let crm = Crm::new(MemoryStore::new(), environment.clone());
    let session = block_on(testing::organization(&crm, "busy")).unwrap();
    let mut dice = Dice::new(seed);
    let columns = Contact::COLUMNS;
    let contacts = ["Eva", "Luis"].map(|name| {
        let person = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, name.parse().ok());
        block_on(session.create(person)).unwrap().id
    });
    for name in ["Bread", "Wine"] {
        let product = Edit::new().set(Product::COLUMNS.name, name.parse::<Text<255>>().unwrap());
        block_on(session.create(product.set(Product::COLUMNS.unit_price, Decimal6::ONE))).unwrap();
    }
    for _ in 0..80 {
        environment.advance(i64::try_from(dice.roll(40_000)).unwrap());
        let contact = *dice.pick(&contacts).unwrap();
        // What is refused changes nothing.
        let _ = block_on(busy_step(&session, &mut dice, contact));
    }
    (crm, session)
}

async fn busy_step(session: &Session<'_>, dice: &mut Dice, contact: Id<Contact>) -> Result<(), CrmError> {
    let cents = |dice: &mut Dice, most: u64| {
        Money::new(
            i64::try_from(dice.roll(most)).unwrap() + 1,
            if dice.once_in(9) { Currency::EUR } else { Currency::USD },
        )
    };
    let earlier = |dice: &mut Dice| {
        let back = chrono::Days::new(dice.roll(8));
        (dice.once_in(2)).then(|| session.context().today().checked_sub_days(back).unwrap())
    };
    let mut invoices: Vec<_> = all::<Invoice>(session).await;
    invoices.retain(|invoice| invoice.contact_id == contact);
    let invoice = dice.pick(&invoices).map(|invoice| invoice.id);
    let payment = dice.pick(&all::<Payment>(session).await).map(|payment| payment.id);
    let note = dice.pick(&all::<CreditNote>(session).await).map(|note| note.id);
    let row = dice.pick(&all::<Allocation>(session).await).map(|row| row.id);
    let to = |dice: &mut Dice| match invoice {
        Some(id) if dice.once_in(2) => Allocate::To(vec![(id, cents(dice, 3_000))]),
        _ => Allocate::Oldest,
    };
    let on = earlier(dice);
    match (dice.roll(14), invoice, payment, note, row) {
        (0..=2, ..) => {
            let products = all::<Product>(session).await;
            let line = |dice: &mut Dice| {
                let price = dice.roll(60_000_000);
                NewLine {
                    // One of the two, or none.
                    product: products.get(usize::try_from(price % 3).unwrap()).map(|product| product.id),
                    description: "Work".parse().ok(),
                    quantity: Decimal6::ONE,
                    unit_price: Some(Decimal6::from_micros(i64::try_from(price).unwrap())),
                    discount: None,
                    tax_percent: dice.once_in(2).then(|| Decimal6::parse("19").unwrap()),
                }
            };
            let currency = dice.once_in(9).then_some(Currency::EUR);
            let lines = vec![line(dice), line(dice)];
            let draft = CreateInvoice::draft(contact, lines);
            session.run(&CreateInvoice { currency, issued_on: on, issue: Some(None), ..draft }).await.map(drop)
        }
        (3..=5, ..) => {
            let (amount, allocate) = (cents(dice, 5_000), to(dice));
            // One of three, or none.
            let method = Method::ALL[..3].get(usize::try_from(amount.minor() % 4).unwrap()).copied();
            let (reference, notes, external_id) = (None, None, None);
            let received_on = on;
            let payment =
                RecordPayment { contact, amount, received_on, method, reference, notes, external_id, allocate };
            session.run(&payment).await.map(drop)
        }
        (6, Some(id), ..) if dice.once_in(2) => session.run(&VoidInvoice(id)).await.map(drop),
        (6 | 7, Some(id), ..) => session.run(&WriteOffInvoice(id)).await.map(drop),
        (8, _, Some(payment), ..) => session.run(&ReversePayment { payment, on, reason: None }).await.map(drop),
        (9, _, _, _, Some(allocation)) => {
            let undone = session.run(&UnallocatePayment { allocation, on }).await.map(drop);
            undone.or(session.run(&UnallocateCreditNote { allocation, on }).await.map(drop))
        }
        (10, _, Some(payment), ..) => {
            let allocate = to(dice);
            session.run(&AllocatePayment { payment, allocate, on }).await.map(drop)
        }
        (11, Some(id), ..) => {
            let credited = if dice.once_in(3) { Credited::All } else { Credited::Amount(cents(dice, 3_000)) };
            let split = Split { refund: dice.once_in(3).then(|| cents(dice, 500)), ..Split::default() };
            let note = CreateCreditNote::new(id, credited, "Returned".parse().unwrap());
            session.run(&CreateCreditNote { split, issued_on: on, ..note }).await.map(drop)
        }
        (12, _, _, Some(credit_note), _) => {
            let allocate = to(dice);
            session.run(&AllocateCreditNote { credit_note, allocate, on }).await.map(drop)
        }
        (13, _, Some(payment), note, _) => {
            let of = match note {
                Some(note) if dice.once_in(2) => RefundOf::CreditNote(note),
                _ => RefundOf::Payment(payment),
            };
            let refund = RecordRefund { refunded_on: on, ..RecordRefund::new(of, cents(dice, 900)) };
            session.run(&refund).await.map(drop)
        }
        _ => Ok(()),
    }
}

/// Books of random work: of many kinds, and of money alone.
pub(crate) fn books_of_random_work() -> impl Iterator<Item = (String, Crm, Session<'static>)> {
    let named = |name: &str, seed: u64, (crm, session)| (format!("{name} {seed}"), crm, session);
    (0..12)
        .map(move |seed| named("played", seed, played(seed)))
        .chain((0..50).map(move |seed| named("busy", seed, busy(seed))))
}

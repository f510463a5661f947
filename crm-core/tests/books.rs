//! One fault of each kind, planted in the books by raw rows, and found.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use crm_core::billing::{
    Allocate, AllocateCreditNote, Allocation, AllocationSource, CreateCreditNote, CreateInvoice, CreditNote,
    CreditNoteLine, Credited, Invoice, InvoiceLine, InvoiceStatus, NewLine, NumberSeries, Payment, RecordPayment,
    RecordRefund, Refund, RefundOf, ReversePayment, Split, VoidInvoice,
};
use crm_core::crud::Rules;
use crm_core::entity::{Entity, Minor, Stored};
use crm_core::people::{Contact, ContactKind};
use crm_core::store::{Change, ChangeSet, MemoryStore, Query};
use crm_core::value::{Currency, Decimal6, Money};
use crm_core::{Edit, Id, Session, block_on, testing};

const fn usd(cents: i64) -> Money {
    Money::new(cents, Currency::USD)
}

/// Books with something of everything: an invoice of 50.00 paid by 60.00 and credited by 20.00, of which 5.00 are refunded
/// and 6.00 pay another; a reversed payment, a void invoice, a draft.
struct Books {
    session: Session<'static>,
    other: Id<Contact>,
    invoice: Stored<Invoice>,
    part: Stored<Invoice>,
    void: Stored<Invoice>,
    draft: Stored<Invoice>,
    payment: Stored<Payment>,
    bounced: Stored<Payment>,
    note: Stored<CreditNote>,
    taken_off: Stored<CreditNote>,
}

async fn books() -> Books {
    let crm = testing::crm(MemoryStore::new(), 1);
    let session = testing::organization(&crm, "acme").await.unwrap();
    let columns = Contact::COLUMNS;
    let person =
        |name: &str| Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, name.parse().ok());
    let eva = session.create(person("Eva")).await.unwrap().id;
    let other = session.create(person("Luis")).await.unwrap().id;
    let line = || NewLine {
        product: None,
        description: "Work".parse().ok(),
        quantity: Decimal6::ONE,
        unit_price: Some(Decimal6::parse("50").unwrap()),
        discount: None,
        tax_percent: None,
    };
    let draft = CreateInvoice::draft(eva, vec![line()]);
    let issue = CreateInvoice { issue: Some(None), ..draft.clone() };
    let pay = |cents, allocate| RecordPayment {
        contact: eva,
        amount: usd(cents),
        received_on: None,
        method: None,
        reference: None,
        notes: None,
        external_id: None,
        allocate,
    };
    let invoice = session.run(&issue).await.unwrap();
    let payment = session.run(&pay(6_000, Allocate::Oldest)).await.unwrap();
    let bounced = session.run(&pay(700, Allocate::Nothing)).await.unwrap();
    let bounced = session.run(&ReversePayment { payment: bounced.id, on: None, reason: None }).await.unwrap();
    session.run(&RecordRefund::new(RefundOf::Payment(payment.id), usd(100))).await.unwrap();
    let credit =
        |invoice, cents| CreateCreditNote::new(invoice, Credited::Amount(usd(cents)), "Returned".parse().unwrap());
    let split = Split { refund: Some(usd(500)), ..Split::default() };
    let note = session.run(&CreateCreditNote { split, ..credit(invoice.id, 2_000) }).await.unwrap();
    let part = session.run(&issue).await.unwrap();
    let to = Allocate::To(vec![(part.id, usd(600))]);
    session.run(&AllocateCreditNote { credit_note: note.id, allocate: to, on: None }).await.unwrap();
    let taken_off = session.run(&credit(part.id, 300)).await.unwrap();
    let void = session.run(&issue).await.unwrap();
    session.run(&VoidInvoice(void.id)).await.unwrap();
    let draft = session.run(&draft).await.unwrap();
    Books {
        other,
        invoice: session.get(invoice.id).await.unwrap(),
        part: session.get(part.id).await.unwrap(),
        void: session.get(void.id).await.unwrap(),
        draft,
        payment: session.get(payment.id).await.unwrap(),
        bounced,
        note: session.get(note.id).await.unwrap(),
        taken_off,
        session,
    }
}

impl Books {
    async fn all<E: Rules>(&self) -> Vec<Stored<E>> {
        self.session.list(&Query::all().limit(1_000)).await.unwrap().items
    }

    async fn row(&self, source: AllocationSource) -> Stored<Allocation> {
        self.all::<Allocation>().await.into_iter().find(|row| row.source == source).unwrap()
    }

    /// Writes a row over another, past every rule.
    async fn plant<E: Entity>(&self, before: &Stored<E>, change: impl FnOnce(&mut E)) {
        let mut after = before.clone();
        change(&mut after.value);
        let mut changes = ChangeSet::new(self.session.context().stamp("fault.plant"));
        let table = E::TABLE;
        changes.changes.push(Change::Update { table, before: before.to_row(), after: after.to_row() });
        self.session.store().apply(self.session.scope(), changes).await.unwrap();
    }

    async fn add<E: Entity>(&self, value: E) {
        let mut context = self.session.context();
        let mut changes = ChangeSet::new(context.stamp("fault.plant"));
        changes.insert(&mut context, value);
        self.session.store().apply(self.session.scope(), changes).await.unwrap();
    }

    async fn remove<E: Entity>(&self, record: &Stored<E>) {
        let mut changes = ChangeSet::new(self.session.context().stamp("fault.plant"));
        changes.delete(record);
        self.session.store().apply(self.session.scope(), changes).await.unwrap();
    }

    async fn found(&self) -> String {
        let found = self.session.verify_books().await.unwrap();
        found.iter().map(|finding| format!("{}: {}", finding.entity, finding.problem)).collect::<Vec<_>>().join("\n")
    }
}

/// Plants faults in fresh books, one at a time, each of which must be found by its words.
macro_rules! faults {
    ($($expected:literal => |$books:ident| $plant:expr;)*) => {
        #[test]
        fn right_books_have_no_findings_and_every_fault_is_found() {
            block_on(async {
                assert_eq!(books().await.found().await, "");
                $({
                    let $books = books().await;
                    $plant.await;
                    let found = $books.found().await;
                    assert!(found.lines().any(|line| line.starts_with($expected)), "{}: found\n{found}", $expected);
                })*
            });
        }
    };
}

faults! {
    "invoice: paid is 4999" => |books| books.plant(&books.invoice, |invoice| invoice.paid = Minor(4_999));
    "invoice: offset is 299" => |books| books.plant(&books.part, |invoice| invoice.offset = Minor(299));
    "invoice: credited is 1999" => |books| books.plant(&books.invoice, |invoice| invoice.credited = Minor(1_999));
    "invoice: subtotal is 4999" => |books| books.plant(&books.invoice, |invoice| invoice.subtotal = Minor(4_999));
    "invoice: tax is 1, it should be 0" => |books| books.plant(&books.invoice, |invoice| invoice.tax = Minor(1));
    "invoice: total is 5001" => |books| books.plant(&books.invoice, |invoice| invoice.total = Minor(5_001));
    "invoice: it is open, by its sums and days paid" =>
        |books| books.plant(&books.invoice, |invoice| invoice.status = InvoiceStatus::Open);
    "invoice: it is paid, by its sums and days open" =>
        |books| books.plant(&books.part, |invoice| invoice.status = InvoiceStatus::Paid);
    "invoice: settled_on is None" => |books| books.plant(&books.invoice, |invoice| invoice.settled_on = None);
    "invoice: reopened_on is Some" => |books| books.plant(&books.invoice, |invoice| invoice.reopened_on = invoice.issued_on);
    "invoice: applied_on is None" => |books| books.plant(&books.invoice, |invoice| invoice.applied_on = None);
    "invoice: it is void, although" => |books| books.plant(&books.invoice, |invoice| invoice.voided_on = invoice.issued_on);
    "invoice: it was due before" =>
        |books| books.plant(&books.invoice, |invoice| invoice.due_on = invoice.issued_on.unwrap().pred_opt());
    "invoice: a draft has a number" => |books| books.plant(&books.draft, |invoice| invoice.number = "X-1".parse().ok());
    "invoice: it was issued without a number" => |books| books.plant(&books.part, |invoice| invoice.number = None);
    "invoice: something was applied to a draft" => |books| books.plant(&books.part, |invoice| invoice.status = InvoiceStatus::Draft);
    "invoice: 6000 paid and 0 offset are more" => |books| books.plant(&books.invoice, |invoice| invoice.paid = Minor(6_000));
    "invoice: less than nothing is paid" => |books| books.plant(&books.invoice, |invoice| invoice.paid = Minor(-1));
    "invoice: 5001 credited is more" => |books| books.plant(&books.invoice, |invoice| invoice.credited = Minor(5_001));
    "invoice: 2000 was refunded and kept, only 1999" => |books| books.plant(&books.invoice, |invoice| invoice.paid = Minor(1_999));
    "invoice: 1 more is credited at 0 %" => |books| async {
        let line = books.all::<CreditNoteLine>().await.remove(0);
        books.plant(&line, |line| line.net = Minor(5_001)).await;
    };
    "invoice_line: it is in EUR" => |books| async {
        let line = books.all::<InvoiceLine>().await.remove(0);
        books.plant(&line, |line| line.currency = Currency::EUR).await;
    };
    "allocation: it is in EUR" => |books| async {
        books.plant(&books.row(AllocationSource::Payment).await, |row| row.currency = Currency::EUR).await;
    };
    "allocation: it is of another contact" => |books| async {
        books.plant(&books.row(AllocationSource::Payment).await, |row| row.contact_id = books.other).await;
    };
    "allocation: its day" => |books| async {
        let row = books.row(AllocationSource::Payment).await;
        books.plant(&row, |row| row.applied_on = row.applied_on.pred_opt().unwrap()).await;
    };
    "allocation: it is restated, undoes nothing and takes nothing's place" => |books| async {
        let row = books.row(AllocationSource::Payment).await;
        books.plant(&row, |row| row.restated_on = row.restated_on.pred_opt().unwrap()).await;
    };
    "allocation: it applies -1" => |books| async {
        books.plant(&books.row(AllocationSource::Payment).await, |row| row.amount = Minor(-1)).await;
    };
    "allocation: its source is offset" => |books| async {
        books.plant(&books.row(AllocationSource::Payment).await, |row| row.source = AllocationSource::Offset).await;
    };
    "allocation: it does not undo" => |books| async {
        let row = books.row(AllocationSource::Payment).await;
        books.add(Allocation { amount: Minor(-4_999), undoes: Some(row.id), ..row.value.clone() }).await;
    };
    "payment: unapplied is 899" => |books| books.plant(&books.payment, |payment| payment.unapplied = Minor(899));
    "payment: refunded is 99" => |books| books.plant(&books.payment, |payment| payment.refunded = Minor(99));
    "payment: unapplied is 1, it should be 0" => |books| books.plant(&books.bounced, |payment| payment.unapplied = Minor(1));
    "payment: 5000 applied and 100 refunded are more" =>
        |books| books.plant(&books.payment, |payment| (payment.amount, payment.unapplied) = (Minor(5_000), Minor(-100)));
    "payment: 0 was received" => |books| books.plant(&books.bounced, |payment| payment.amount = Minor(0));
    "payment: it is reversed, and 5000" =>
        |books| books.plant(&books.payment, |payment| payment.reversed_on = Some(payment.received_on));
    "credit_note: total of refund, credit and offset is 2000, it should be 2001" =>
        |books| books.plant(&books.note, |note| note.refund = Minor(501));
    "credit_note: subtotal is 1999" => |books| books.plant(&books.note, |note| note.subtotal = Minor(1_999));
    "credit_note: tax is 1" => |books| books.plant(&books.note, |note| note.tax = Minor(1));
    "credit_note: total is 2001" => |books| books.plant(&books.note, |note| note.total = Minor(2_001));
    "credit_note: offset is 299" => |books| books.plant(&books.taken_off, |note| note.offset = Minor(299));
    "credit_note: unapplied is 901" => |books| books.plant(&books.note, |note| note.unapplied = Minor(901));
    "credit_note: 600 applied is more" => |books| books.plant(&books.note, |note| note.unapplied = Minor(-1));
    "credit_note: refunded is 1" => |books| books.plant(&books.note, |note| note.refunded = Minor(1));
    "credit_note: it or a part of it is less" =>
        |books| books.plant(&books.taken_off, |note| (note.refund, note.credit) = (Minor(-1), Minor(1)));
    "credit_note: it is of another contact" => |books| books.plant(&books.note, |note| note.contact_id = books.other);
    "credit_note: its day" => |books| books.plant(&books.note, |note| note.issued_on = note.issued_on.pred_opt().unwrap());
    "credit_note: it was issued without a number" => |books| books.plant(&books.note, |note| note.number = None);
    "credit_note_line: it is in EUR" => |books| async {
        let line = books.all::<CreditNoteLine>().await.remove(0);
        books.plant(&line, |line| line.currency = Currency::EUR).await;
    };
    "refund: it is in EUR" => |books| async {
        books.plant(&books.all::<Refund>().await[0], |refund| refund.currency = Currency::EUR).await;
    };
    "refund: it is of another contact" => |books| async {
        books.plant(&books.all::<Refund>().await[0], |refund| refund.contact_id = books.other).await;
    };
    "refund: its day" => |books| async {
        let refund = books.all::<Refund>().await.remove(0);
        books.plant(&refund, |refund| refund.refunded_on = refund.refunded_on.pred_opt().unwrap()).await;
    };
    "refund: -1 was paid back" => |books| async {
        books.plant(&books.all::<Refund>().await[0], |refund| refund.amount = Minor(-1)).await;
    };
    "refund: it is of a payment and of a credit note" => |books| async {
        let refund = books.all::<Refund>().await.remove(0);
        books.plant(&refund, |refund| {
            (refund.payment_id, refund.credit_note_id) = (Some(books.payment.id), Some(books.note.id));
        }).await;
    };
    "refund: it is neither" => |books| async {
        let refund = books.all::<Refund>().await.remove(0);
        books.plant(&refund, |refund| (refund.payment_id, refund.credit_note_id) = (None, None)).await;
    };
    "number_series: numbers 2 to 2 of INV- are missing" => |books| async {
        books.plant(&books.part, |invoice| invoice.number = "X-2".parse().ok()).await;
    };
    "number_series: numbers 3 to 3 of INV- are missing" => |books| async {
        books.plant(&books.void, |invoice| invoice.number = "X-3".parse().ok()).await;
    };
    "number_series: number 9 of INV- was not given out yet" =>
        |books| books.plant(&books.void, |invoice| invoice.number = "INV-000009".parse().ok());
    "number_series: numbers 2 to 2 of CN- are missing" => |books| async {
        for line in books.all::<CreditNoteLine>().await {
            if line.credit_note_id == books.taken_off.id {
                books.remove(&line).await;
            }
        }
        books.remove(&books.row(AllocationSource::Offset).await).await;
        books.remove(&books.taken_off).await;
    };
}

#[test]
fn numbers_under_an_earlier_prefix_leave_no_gap() {
    block_on(async {
        let books = books().await;
        let series = books.all::<NumberSeries>().await;
        for series in &series {
            let other = Edit::new().set(NumberSeries::COLUMNS.prefix, "NEW-".parse().ok());
            books.session.update(series.id, other).await.unwrap();
        }
        assert_eq!(books.found().await, "");
    });
}

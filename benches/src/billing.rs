//! One invoice issued and paid: the library, and bare statements that write the very same rows in the same
//! transactions.

use std::path::Path;
use std::time::{Duration, Instant};

use crm_core::billing::{
    Allocate, CreateInvoice, Discount, Invoice, InvoiceLine, Method, NewLine, Payment, Product, RecordPayment,
};
use crm_core::entity::{Entity as _, Stored};
use crm_core::people::Contact;
use crm_core::store::Query;
use crm_core::value::Decimal6;
use crm_core::{Edit, Id, Session};
use crm_store_sqlite::Durability;
use sqlx::PgConnection;
use tokio::runtime::Runtime;

use crate::book::{self, Folder};
use crate::contacts::fields;
use crate::replay::{self, Change, Reader, Tables};
use crate::rounds::{Goal, Workload, each, per_unit};
use crate::{Options, Outcome, deals, pg};

/// How many contacts are billed in turn, and for how many products.
const CONTACTS: usize = 100;
const PRODUCTS: usize = 20;

pub(crate) fn run(options: &Options) -> Outcome {
    let runtime = book::runtime()?;
    sqlite(options, &runtime)?;
    match std::env::var("CRM_TEST_POSTGRES_URL") {
        _ if options.pinned => Ok(()),
        Ok(url) if !url.is_empty() => postgres(options, &runtime, &url),
        _ => {
            eprintln!("billing: without PostgreSQL, since CRM_TEST_POSTGRES_URL is not set");
            Ok(())
        }
    }
}

/// Who is billed for what.
struct Catalogue {
    contacts: Vec<Id<Contact>>,
    products: Vec<Id<Product>>,
}

impl Catalogue {
    /// Makes it.
    async fn make(session: &Session<'_>) -> Outcome {
        for fields in fields(0..CONTACTS) {
            session.create::<Contact>(fields.parsed(session)?).await?;
        }
        for number in 0..PRODUCTS {
            let (name, price) = (format!("Product {number}"), format!("{}.{:02}", 5 + number, number * 7 % 100));
            let fields = [("name", name.as_str()), ("kind", "product"), ("unit_price", &price), ("tax_percent", "19")];
            let edit = Edit::parse(fields, &session.locale()).map_err(|refused| format!("{:?}", refused.first()))?;
            session.create::<Product>(edit).await?;
        }
        Ok(())
    }

    /// As it was made.
    async fn read(session: &Session<'_>) -> Outcome<Self> {
        let contacts = deals::all::<Contact>(session, Query::all()).await?;
        let products = deals::all::<Product>(session, Query::all()).await?;
        Ok(Self {
            contacts: contacts.into_iter().map(Id::new).collect(),
            products: products.into_iter().map(Id::new).collect(),
        })
    }

    /// Two lines of the catalogue and a third in words.
    fn invoice(&self, number: usize) -> Outcome<CreateInvoice> {
        let product = |place: usize| self.products[(number + place) % self.products.len()];
        let line = NewLine {
            product: Some(product(0)),
            description: None,
            quantity: Decimal6::from_micros(1_500_000),
            unit_price: None,
            discount: None,
            tax_percent: None,
        };
        let discounted = NewLine {
            product: Some(product(7)),
            quantity: Decimal6::ONE,
            discount: Some(Discount::Percent(Decimal6::from_micros(2_500_000))),
            ..line.clone()
        };
        let told = NewLine {
            product: None,
            description: Some(format!("Delivery {number}").parse()?),
            unit_price: Some(Decimal6::from_micros(4_990_000)),
            ..line.clone()
        };
        let contact = self.contacts[number % self.contacts.len()];
        Ok(CreateInvoice { issue: Some(None), ..CreateInvoice::draft(contact, vec![line, discounted, told]) })
    }

    async fn issue(&self, session: &Session<'_>, number: usize) -> Outcome<Stored<Invoice>> {
        Ok(session.run(&self.invoice(number)?).await?)
    }

    /// Issues and pays invoices, one after the other.
    async fn play(&self, session: &Session<'_>, count: usize) -> Outcome {
        for number in 0..count {
            let invoice = self.issue(session, number).await?;
            pay(session, &invoice).await?;
        }
        Ok(())
    }
}

/// Pays all of it.
async fn pay(session: &Session<'_>, invoice: &Stored<Invoice>) -> Outcome<Stored<Payment>> {
    let total = invoice.money(invoice.total);
    let payment = RecordPayment {
        contact: invoice.contact_id,
        amount: total,
        received_on: None,
        method: Some(Method::Transfer),
        reference: None,
        notes: None,
        external_id: None,
        allocate: Allocate::To(vec![(invoice.id, total)]),
    };
    Ok(session.run(&payment).await?)
}

/// What is written in the two transactions of an invoice.
type Written<V> = [Vec<Change<V>>; 2];

/// What the library writes for so many invoices.
fn written<T: Tables>(
    runtime: &Runtime,
    session: &Session<'_>,
    tables: &mut T,
    count: usize,
) -> Outcome<Vec<Written<T::Value>>> {
    let catalogue = runtime.block_on(Catalogue::read(session))?;
    let invoices = Invoice::TABLE.name;
    let mut entries = tables.rows("crm_audit_entry", "org = 1")?.rows.len();
    let mut audit = |tables: &mut T| -> Outcome<Change<T::Value>> {
        let rows = tables.rows("crm_audit_entry", &format!("org = 1 ORDER BY id LIMIT 1000 OFFSET {entries}"))?;
        entries += rows.rows.len();
        Ok(Change::Insert(rows))
    };
    let mut all = Vec::with_capacity(count);
    for number in 0..count {
        let invoice = runtime.block_on(catalogue.issue(session, number))?;
        let (id, value) = (T::id(invoice.id.uuid()), T::value(invoice.id.uuid()));
        let issued = tables.rows(invoices, &format!("id = {id}"))?;
        let lines = tables.rows(InvoiceLine::TABLE.name, &format!("invoice_id = {id} ORDER BY position"))?;
        let issue = audit(tables)?;
        let payment = runtime.block_on(pay(session, &invoice))?;
        let paid = tables.rows(invoices, &format!("id = {id}"))?;
        let payments = tables.rows(Payment::TABLE.name, &format!("id = {}", T::id(payment.id.uuid())))?;
        let allocations = tables.rows("crm_allocation", &format!("invoice_id = {id}"))?;
        let update = replay::update(value, &issued, &paid);
        let pay = vec![Change::Insert(payments), update, Change::Insert(allocations), audit(tables)?];
        all.push([vec![Change::Count, Change::Insert(issued), Change::Insert(lines), issue], pay]);
    }
    Ok(all)
}

fn sqlite(options: &Options, runtime: &Runtime) -> Outcome {
    let folder = Folder::new()?;
    let template = folder.template()?;
    runtime.block_on(async {
        let store = book::open(&template, Durability::Full)?;
        Catalogue::make(&book::session(store.clone()).await?).await?;
        store.checkpoint().await?;
        Outcome::Ok(store.close().await?)
    })?;
    for (durability, name, usual) in [(Durability::Normal, "NORMAL", 2_000), (Durability::Full, "FULL", 400)] {
        let count = options.rows(usual);
        let path = folder.copy(&template, "written.db")?;
        let session = runtime.block_on(book::session(book::open(&path, Durability::Normal)?))?;
        let written = written(runtime, &session, &mut book::connect(&path, None)?, count)?;
        let statements: Vec<_> =
            written.iter().map(|both| both.each_ref().map(|one| replay::for_sqlite(one))).collect();
        check(&path, &folder.copy(&template, "again.db")?, &statements)?;

        let title = format!("billing: one invoice issued and paid, SQLite, {name}, {}", options.regime());
        let mut workload = Workload::new(title, "invoice");
        let floor = workload.competitor("bare transactions", || {
            let connection = book::connect(&folder.copy(&template, "bare.db")?, Some(durability))?;
            per_unit(count, || {
                statements.iter().flatten().try_for_each(|transaction| replay::write(&connection, transaction))
            })
        });
        let library = workload.competitor("library", || {
            let path = folder.copy(&template, "library.db")?;
            timed(runtime, book::open(&path, durability)?, count)
        });
        workload.goal(library, floor, Goal::AtMost(2.0));
        workload.run(options.rounds(9))?;
    }
    Ok(())
}

/// Plays on a store and gives the seconds of each invoice.
fn timed(runtime: &Runtime, store: impl crm_core::store::Store + 'static, count: usize) -> Outcome<f64> {
    runtime.block_on(async {
        let session = book::session(store).await?;
        let catalogue = Catalogue::read(&session).await?;
        let begun = Instant::now();
        catalogue.play(&session, count).await?;
        Ok(each(begun.elapsed(), count))
    })
}

/// The bare statements write all that the library wrote.
fn check(library: &Path, bare: &Path, statements: &[[Vec<replay::Statement<rusqlite::types::Value>>; 2]]) -> Outcome {
    let connection = book::connect(bare, Some(Durability::Normal))?;
    statements.iter().flatten().try_for_each(|transaction| replay::write(&connection, transaction))?;
    let (mut library, mut bare) = (book::connect(library, None)?, book::connect(bare, None)?);
    for table in
        ["crm_invoice", "crm_invoice_line", "crm_payment", "crm_allocation", "crm_audit_entry", "crm_number_series"]
    {
        if library.rows(table, "TRUE ORDER BY id")?.rows != bare.rows(table, "TRUE ORDER BY id")?.rows {
            return Err(format!("the bare statements leave other rows in {table}").into());
        }
    }
    Ok(())
}

/// Takes back what was billed.
async fn empty(connection: &mut PgConnection) -> Outcome {
    pg::say(connection, "TRUNCATE crm_invoice, crm_payment, crm_audit_entry CASCADE").await?;
    pg::say(connection, "UPDATE crm_number_series SET next = 1").await?;
    // Nobody's turn pays for what the one before left to be written.
    if pg::say(connection, "CHECKPOINT").await.is_err() {
        eprintln!("not allowed to checkpoint: turns may pay for each other's pages");
    }
    Ok(())
}

fn postgres(options: &Options, runtime: &Runtime, url: &str) -> Outcome {
    let count = options.rows(500).min(2_000);
    let statements: Vec<_> = {
        let store = runtime.block_on(pg::fresh(url))?;
        let session = runtime.block_on(book::session(store.clone()))?;
        runtime.block_on(Catalogue::make(&session))?;
        runtime.block_on(store.close())?;
        // The entries are read before they are sealed.
        let store = runtime.block_on(pg::open_sealing(url, Duration::from_hours(1)))?;
        let session = runtime.block_on(book::session(store.clone()))?;
        let connection = runtime.block_on(pg::connect(url))?;
        let written = written(runtime, &session, &mut Reader { runtime, connection }, count)?;
        runtime.block_on(store.close())?;
        written.iter().map(|both| both.each_ref().map(|one| replay::for_postgres(one))).collect()
    };
    let mut workload =
        Workload::new("billing: one invoice issued and paid, PostgreSQL, synchronous_commit on", "invoice");
    let floor = workload.competitor("bare statements", || {
        runtime.block_on(async {
            let mut connection = pg::connect(url).await?;
            empty(&mut connection).await?;
            let begun = Instant::now();
            for transaction in statements.iter().flatten() {
                replay::write_postgres(&mut connection, transaction).await?;
            }
            Ok(each(begun.elapsed(), count))
        })
    });
    // Without the sealer, which works in the background at its own time: the cost of its work is told apart.
    for (name, after) in [("library", Duration::from_hours(1)), ("library, sealing meanwhile", Duration::from_secs(1))]
    {
        let library = workload.competitor(name, move || {
            runtime.block_on(async { empty(&mut pg::connect(url).await?).await })?;
            let store = runtime.block_on(pg::open_sealing(url, after))?;
            let took = timed(runtime, store.clone(), count)?;
            runtime.block_on(store.close())?;
            Ok(took)
        });
        workload.goal(library, floor, Goal::AtMost(2.0));
    }
    workload.run(options.rounds(5))
}

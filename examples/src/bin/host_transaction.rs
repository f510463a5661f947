//! A host program with tables of its own, which puts CRM writes into its own transaction: both are written or
//! neither is, and a refused command leaves the host's work usable.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use crm_core::access::Organization;
use crm_core::people::{Contact, ContactKind};
use crm_core::store::Query;
use crm_core::{Crm, Edit, NewOrganization, SystemEnvironment};
use crm_store_sqlite::{SqliteOptions, SqliteStore};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("shop.db");
    let store = SqliteStore::open(&file.to_string_lossy(), SqliteOptions::default())?;
    let crm = Crm::new(store, SystemEnvironment);
    crm.create_organization(&NewOrganization {
        organization: Organization::new("shop".parse()?, "Shop".parse()?, "EUR".parse()?, "Europe/Madrid".parse()?),
        owner_email: "eva@shop.example".parse()?,
        owner_name: "Eva Sol".parse()?,
        invoice_prefix: "F-".into(),
    })
    .await?;
    let shop = crm.session(&"shop".parse()?, &"eva@shop.example".parse()?).await?;

    let mut host = SqliteConnectOptions::new().filename(&file).foreign_keys(true).connect().await?;
    sqlx::query("CREATE TABLE orders (number TEXT PRIMARY KEY, customer TEXT NOT NULL) STRICT")
        .execute(&mut host)
        .await?;

    for (order, keep) in [("A-1", false), ("A-2", true)] {
        let mut transaction = host.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT INTO orders VALUES (?, 'Luis')").bind(order).execute(&mut *transaction).await?;
        {
            let within = SqliteStore::within(&mut transaction).await?;
            let session = shop.on(&within);
            session.create(person("Luis", "luis@example.com")?).await?;
            // The same address again is refused; the transaction goes on.
            let refused = session.create(person("Luis", "luis@example.com")?).await;
            println!("{order}: {}", refused.err().map_or_else(String::new, |error| error.to_string()));
        }
        if keep {
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        let orders: i64 = sqlx::query_scalar("SELECT count(*) FROM orders").fetch_one(&mut host).await?;
        let contacts = shop.count(&Query::<Contact>::all()).await?;
        println!("{order}: {orders} orders, {contacts} contacts");
    }
    Ok(())
}

fn person(name: &str, email: &str) -> Fallible<Edit<Contact>> {
    let columns = Contact::COLUMNS;
    let edit = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, Some(name.parse()?));
    Ok(edit.set(columns.email, Some(email.parse()?)))
}

//! The shortest useful program: a book in one file, a contact in it, and a question.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use crm_core::access::Organization;
use crm_core::people::{Contact, ContactKind};
use crm_core::store::{Filter, Query};
use crm_core::{Crm, CrmError, Edit, NewOrganization, SystemEnvironment, block_on};
use crm_store_sqlite::{SqliteOptions, SqliteStore};

fn main() -> Result<(), CrmError> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("acme.db");
    block_on(run(&file.to_string_lossy()))
}

async fn run(file: &str) -> Result<(), CrmError> {
    let crm = Crm::new(SqliteStore::open(file, SqliteOptions::default())?, SystemEnvironment);
    crm.create_organization(&NewOrganization {
        organization: Organization::new("acme".parse()?, "Acme".parse()?, "USD".parse()?, "America/New_York".parse()?),
        owner_email: "ana@acme.example".parse()?,
        owner_name: "Ana Ruiz".parse()?,
        invoice_prefix: "INV-".into(),
    })
    .await?;
    let acme = crm.session(&"acme".parse()?, &"ana@acme.example".parse()?).await?;
    let columns = Contact::COLUMNS;
    let eva = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, Some("Éva".parse()?));
    acme.create::<Contact>(eva).await?;
    for contact in acme.list(&Query::new(Filter::<Contact>::search("eva"))).await?.items {
        println!("{} {}", contact.id, contact.display_name());
    }
    Ok(())
}

//! Records of several kinds on the command line: a contact by any of its keys, others as `deal:…`, `lead:…`,
//! `invoice:…`, `case:…`.

use clap::Arg;
use crm_core::Session;
use crm_core::activity::Subject;
use crm_core::value::ValueError;

use crate::error::Failure;
use crate::records;

/// The option of a record of any kind.
pub(crate) fn argument() -> Arg {
    Arg::new("record").value_name("RECORD").help(
        "A contact by its id, e-mail, phone, account number or code; or deal:REF, lead:REF, invoice:REF, case:REF",
    )
}

/// The record that a text names.
pub(crate) async fn find(session: &Session<'_>, text: &str) -> Result<Subject, Failure> {
    let kinds = || Subject::COLUMNS.iter().filter_map(|column| column.strip_suffix("_id"));
    let (entity, reference) = match text.split_once(':') {
        Some((kind, reference)) if kinds().any(|known| known == kind) => (kind, reference),
        _ => ("contact", text),
    };
    let id = records::resolve(session, entity, reference).await?;
    let unknown = || Failure::invalid("record", &ValueError::unknown_value(entity, &kinds().collect::<Vec<_>>()));
    Subject::named(entity, id).ok_or_else(unknown)
}

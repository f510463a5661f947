//! What every store must import alike: files as they come, and the Chinook and sales pipeline samples whole.
//!
//! ```
//! use crm_core::store::MemoryStore;
//! let crm = crm_core::testing::crm(MemoryStore::new(), 77);
//! crm_core::block_on(crm_core::import::testing::suite(&crm));
//! ```
//!
//! A failing case panics with its name. Each works in an organization of its own.

#![expect(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

mod chinook;
mod deals;
mod documents;
mod files;
mod pipeline;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use super::{Import, ImportKind, ImportReport, Mapping, Observer};
use crate::audit::AuditEntry;
use crate::error::{CrmError, Invalid};
use crate::store::{Aggregate, Expr, Measure, Query};
use crate::{Crm, Rules, Session};

/// A case's session, in an organization of its own.
type Case = for<'w> fn(&'w Crm, &'w Session<'static>) -> Pin<Box<dyn Future<Output = ()> + Send + 'w>>;

/// Lists cases by name.
macro_rules! cases {
    ($($module:ident::$name:ident),* $(,)?) => {
        /// Every case, with its name.
        const CASES: &[(&str, Case)] = &[$((stringify!($name), |crm, session| Box::pin($module::$name(crm, session)))),*];
    };
}
cases![
    files::headers_must_fit,
    files::columns_that_are_not_read_are_told,
    files::files_come_in_many_forms,
    files::rows_that_cannot_be_read_are_named,
    files::a_file_without_rows_is_fine,
    files::good_rows_are_kept_if_asked,
    files::every_natural_key_finds_its_record,
    files::blank_cells_clear_what_has_no_default,
    files::owners_are_members,
    files::a_borrowed_session_imports_too,
    files::only_those_who_may_import,
    documents::invoices_of_several_rows,
    documents::issued_documents_do_not_change,
    documents::payments_see_each_other,
    documents::broken_documents_are_named,
    deals::deals_come_with_their_history,
    deals::deals_that_are_there_follow_the_file,
    deals::broken_deals_are_named,
    chinook::broken_rows_refuse_the_whole_file,
    pipeline::broken_opportunities_refuse_the_whole_file,
    // The larger ones last: the memory store copies all that it holds for each import.
    files::numbers_come_from_the_series,
    files::duplicates_are_refused_by_line,
    files::a_dry_run_writes_nothing,
    documents::invoices_take_numbers_from_the_series,
    documents::lines_in_another_order_are_refused,
    chinook::chinook_is_imported_whole,
    chinook::a_second_run_changes_nothing,
    pipeline::the_sales_pipeline_is_imported_whole,
];

/// Runs every case on the book's store.
///
/// # Panics
/// When an import does not do what it must; the message names the case.
pub async fn suite(crm: &Crm) {
    for (name, case) in CASES {
        let slug = format!("import-{}", &name.replace('_', "-")[..name.len().min(50)]);
        let session = crate::testing::organization(crm, slug.trim_end_matches('-')).await.unwrap();
        let told = Told(name);
        case(crm, &session).await;
        std::mem::forget(told);
    }
}

/// Names the case when its test panics.
struct Told(&'static str);

impl Drop for Told {
    #[expect(clippy::print_stderr, reason = "tells a test's reader which case failed")]
    fn drop(&mut self) {
        eprintln!("import case failed: {}", self.0);
    }
}

/// A mapping of fields to columns, with constants.
fn mapping(columns: &[(&str, &str)], constants: &[(&str, &str)]) -> Mapping {
    let owned = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    Mapping { columns: owned(columns), constants: owned(constants), ..Mapping::default() }
}

/// Bytes to import, with columns named like fields.
fn file(kind: ImportKind, bytes: impl AsRef<[u8]>) -> Import {
    Import::new(kind, std::io::Cursor::new(bytes.as_ref().to_vec()))
}

/// People, given by text.
fn people(text: impl AsRef<[u8]>) -> Import {
    Import { mapping: mapping(&[], &[("kind", "person")]), ..file(ImportKind::Contacts, text) }
}

/// How many records of a kind there are.
async fn count<E: Rules>(session: &Session<'_>) -> i64 {
    session.count(&Query::<E>::all().with_archived()).await.unwrap()
}

/// The sum of a column.
async fn sum(session: &Session<'_>, table: &'static crate::entity::Table, column: &str) -> i64 {
    let column = crate::store::Operand::Column(table.expect_position(column));
    let query = Aggregate::new(table, Expr::True).measure(Measure::Sum(column));
    session.store().aggregate(session.scope(), &[query]).await.unwrap()[0][0][0].as_int().unwrap()
}

/// How many entries the audit has.
async fn entries(session: &Session<'_>) -> i64 {
    count::<AuditEntry>(session).await
}

/// Line and field of every problem.
fn places(report: &ImportReport) -> Vec<(u64, &str)> {
    report.problems.iter().map(|problem| (problem.line, problem.field.as_str())).collect()
}

/// Created, updated, unchanged, refused, and whether it was written.
fn counts(report: &ImportReport) -> (u64, u64, u64, u64, bool) {
    (report.created, report.updated, report.unchanged, report.refused, report.written)
}

/// The fields that an error refuses.
fn fields(result: Result<ImportReport, CrmError>) -> Vec<String> {
    match result {
        Err(CrmError::Invalid(fields)) => fields.into_iter().map(|invalid| invalid.field).collect(),
        other => panic!("not refused: {other:?}"),
    }
}

/// Keeps what an observer is told.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    header: Vec<String>,
    rows: u64,
    refused: Vec<(u64, Vec<String>, Vec<String>)>,
    lines: Vec<(u64, Vec<String>)>,
}

impl Observer for Notes {
    fn progress(&mut self, rows_read: u64) {
        self.0.lock().unwrap().rows = rows_read;
    }
    fn refused(&mut self, line: u64, record: &[String], reasons: &[Invalid]) {
        let fields = reasons.iter().map(|reason| reason.field.clone()).collect();
        self.0.lock().unwrap().refused.push((line, record.to_vec(), fields));
    }
    fn header(&mut self, header: &[String]) {
        self.0.lock().unwrap().header = header.to_vec();
    }
    fn refused_line(&mut self, line: u64, record: &[String], _: &[Invalid]) {
        self.0.lock().unwrap().lines.push((line, record.to_vec()));
    }
}

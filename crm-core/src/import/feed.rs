//! The feed that gives a store the chunks of an import.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::deals::Deals;
use super::invoices::Invoices;
use super::mapping::Sheet;
use super::output::Output;
use super::payments::Payments;
use super::records::Records;
use super::{Import, ImportKind, ImportReport};
use crate::billing::Product;
use crate::context::Context;
use crate::crm::{Seat, Session};
use crate::error::CrmError;
use crate::people::Contact;
use crate::privacy::Meanwhile;
use crate::store::{Abort, ChangeSet, Feed, Store};
use crate::value::ValueError;

/// How many rows make a chunk.
pub(super) const CHUNK: usize = 1_000;

/// Where the feed leaves what came of it.
pub(super) type Outcome = Arc<Mutex<Option<Result<ImportReport, CrmError>>>>;

/// Decides the rows of one kind of file, chunk by chunk.
#[async_trait]
pub(super) trait Chunks: Send {
    /// The columns of the file, and of the file of lines if there is one.
    fn sheets(&self) -> Vec<&Sheet>;

    /// Reads the next rows, decides, and adds what is to be written; false when there are none.
    async fn next(&mut self, step: &mut Step<'_>) -> Result<bool, CrmError>;
}

/// What the decision of a chunk needs and gives.
pub(super) struct Step<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) context: &'a mut Context,
    pub(super) changes: &'a mut ChangeSet,
    pub(super) output: &'a mut Output,
}

/// The key by which existing records are found, checked.
pub(super) fn upsert_key(asked: Option<&str>, allowed: &[&'static str]) -> Result<Option<&'static str>, CrmError> {
    let Some(asked) = asked else { return Ok(None) };
    let known = allowed.iter().copied().find(|key| *key == asked);
    let unknown = || CrmError::invalid("upsert_by", ValueError::unknown_value(asked, allowed));
    known.map(Some).ok_or_else(unknown)
}

pub(super) struct ImportFeed {
    chunks: Box<dyn Chunks>,
    seat: Seat,
    context: Context,
    operation: &'static str,
    output: Output,
    skip_refused: bool,
    outcome: Outcome,
}

impl ImportFeed {
    /// Reads the headers and fits the mappings to them.
    pub(super) fn open(
        import: Import,
        seat: Seat,
        context: Context,
        operation: &'static str,
        outcome: Outcome,
    ) -> Result<Self, CrmError> {
        if import.lines.is_some() && import.kind != ImportKind::Invoices {
            return Err(CrmError::invalid("lines", ValueError::NotAllowed { when: "the file does not hold invoices" }));
        }
        let Import { kind, input, lines, lines_mapping, mapping, upsert_by, dry_run, lenient, skip_refused, observer } =
            import;
        let key = upsert_by.as_deref();
        let chunks: Box<dyn Chunks> = match kind {
            ImportKind::Contacts => Box::new(Records::<Contact>::open(input, &mapping, key, lenient, &context)?),
            ImportKind::Products => Box::new(Records::<Product>::open(input, &mapping, key, lenient, &context)?),
            ImportKind::Invoices => {
                Box::new(Invoices::open(input, &mapping, lines.map(|lines| (lines, &lines_mapping)), key, &context)?)
            }
            ImportKind::Payments => Box::new(Payments::open(input, &mapping, key, &context)?),
            ImportKind::Deals => Box::new(Deals::open(input, &mapping, key, &context)?),
        };
        let mut output = Output { observer, report: ImportReport { dry_run, ..ImportReport::default() } };
        for (at, sheet) in chunks.sheets().into_iter().enumerate() {
            if at == 0 {
                output.observer.header(sheet.header());
            }
            sheet.unread().for_each(|problem| output.warn(problem));
        }
        Ok(Self { chunks, seat, context, operation, output, skip_refused, outcome })
    }

    fn leave(&self, outcome: Result<ImportReport, CrmError>) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }

    /// The next chunk that writes anything.
    async fn chunk(&mut self, view: &dyn Store) -> Result<Option<ChangeSet>, CrmError> {
        let session = self.seat.on(view);
        loop {
            let mut changes = ChangeSet::new(self.context.stamp(self.operation));
            let mut step =
                Step { session: &session, context: &mut self.context, changes: &mut changes, output: &mut self.output };
            let more = self.chunks.next(&mut step).await?;
            self.output.observer.progress(self.output.report.read);
            if !more {
                return Ok(None);
            }
            if !changes.is_empty() {
                session.require_living(&mut changes, Meanwhile::Yes).await?;
                session.charge(&mut self.context, &mut changes, true).await?;
                return Ok(Some(changes));
            }
        }
    }
}

#[async_trait]
impl Feed for ImportFeed {
    async fn next(&mut self, view: &dyn Store) -> Result<Option<ChangeSet>, Abort> {
        match self.chunk(view).await {
            Ok(Some(chunk)) => Ok(Some(chunk)),
            Ok(None) => {
                let report = self.output.report.clone();
                let withdrawn = report.dry_run || (report.refused > 0 && !self.skip_refused);
                self.leave(Ok(report));
                if withdrawn { Err(Abort::Withdrawn) } else { Ok(None) }
            }
            Err(error) => {
                self.leave(Err(error));
                Err(Abort::Withdrawn)
            }
        }
    }
}

//! Timelines, handed over as the classes in `crm_py.reports`.

use crm_core::Row;
use crm_core::activity::{Happening, Interaction, LARGEST_TIMELINE, Subject, Task, Timeline, TimelineOptions};
use crm_core::entity::{Entity as _, Table};
use crm_core::sales::StageChange;
use crm_core::service::CaseEvent;
use crm_core::value::ValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::{invalid, wrong_type};
use crate::record::Record;
use crate::report::class;
use crate::value::{instant_object, uuid_object};

/// The record whose timeline is wanted.
pub(crate) fn subject(value: &Bound<'_, PyAny>) -> PyResult<Subject> {
    let record = value.cast::<Record>().ok().map(Bound::get);
    let subject = record.and_then(|record| Subject::named(record.table.entity, record.table.id(&record.row)));
    subject.ok_or_else(|| wrong_type("record", "Contact, Lead, Deal, Invoice or Case", value))
}

/// Reads which page is wanted.
pub(crate) fn options(py: Python<'_>, limit: Option<i64>, after: Option<&str>) -> PyResult<TimelineOptions> {
    let after = after.map(str::parse).transpose().map_err(|reason| invalid(py, "after", reason))?;
    let mut options = TimelineOptions { after, ..TimelineOptions::default() };
    if let Some(limit) = limit {
        let size = u32::try_from(limit).ok().filter(|size| (1..=LARGEST_TIMELINE).contains(size));
        options.limit = size.ok_or_else(|| invalid(py, "limit", ValueError::out_of_range(1, LARGEST_TIMELINE)))?;
    }
    Ok(options)
}

/// The items of a page, and where to go on.
pub(crate) fn page(py: Python<'_>, timeline: Timeline) -> PyResult<(Vec<Bound<'_, PyAny>>, Option<String>)> {
    let item_class = class(py, "TimelineItem")?;
    let items = timeline.items.into_iter().map(|item| {
        let kind = item.what.kind().as_str();
        item_class.call1((instant_object(py, item.at)?, kind, happening(py, item.what)?))
    });
    Ok((items.collect::<PyResult<_>>()?, timeline.next.map(|next| next.to_string())))
}

fn happening(py: Python<'_>, what: Happening) -> PyResult<Bound<'_, PyAny>> {
    let record = |table: &'static Table, row: Row| Ok(Record::wrap(py, table, row)?.into_bound(py));
    match what {
        Happening::Interaction(interaction) => record(Interaction::TABLE, interaction.to_row()),
        Happening::Task(task) => record(Task::TABLE, task.to_row()),
        Happening::StageChange(step) => record(StageChange::TABLE, step.to_row()),
        Happening::CaseEvent(event) => record(CaseEvent::TABLE, event.to_row()),
        Happening::Change(change) => {
            let actor = change.actor_id.map(|actor| uuid_object(py, actor.uuid())).transpose()?;
            let (id, record_id) = (uuid_object(py, change.id.uuid())?, uuid_object(py, change.record_id)?);
            let fields = PyTuple::new(py, change.fields)?;
            class(py, "RecordChange")?.call1((id, change.entity, record_id, actor, change.command, fields))
        }
        other => Err(pyo3::exceptions::PyTypeError::new_err(format!("{} is not shown", other.kind()))),
    }
}

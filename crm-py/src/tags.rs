//! Tags, put on records and taken off.

use crm_core::entity::{Entity as _, Stored};
use crm_core::people::Contact;
use crm_core::sales::{AddTag, Deal, Lead, RemoveTag, Tag, Tagged, Tagging};
use crm_core::store::{Direction, Order, Select};
use crm_core::value::Text;
use crm_core::{Id, Row};
use pyo3::prelude::*;

use crate::error::{Outcome, invalid, wrong_type};
use crate::query::tag_name;
use crate::record::Record;
use crate::session::{Session, idempotency};

/// What is done with tags, in a session.
#[pyclass(frozen, module = "crm_py._crm_py")]
pub(crate) struct Tags(Py<Session>);

/// The record that has tags.
fn tagged(value: &Bound<'_, PyAny>) -> PyResult<Tagged> {
    let record = value.cast::<Record>().map(|record| {
        let record = record.get();
        (record.table, record.table.id(&record.row))
    });
    match record {
        Ok((table, id)) if table == Contact::TABLE => Ok(Tagged::Contact(Id::new(id))),
        Ok((table, id)) if table == Lead::TABLE => Ok(Tagged::Lead(Id::new(id))),
        Ok((table, id)) if table == Deal::TABLE => Ok(Tagged::Deal(Id::new(id))),
        _ => Err(wrong_type("record", "Contact, Lead or Deal", value)),
    }
}

/// The name of a tag, as a caller gave it.
fn name_of(tag: &Bound<'_, PyAny>) -> PyResult<Text<50>> {
    tag_name("tag", tag)?.parse().map_err(|reason| invalid(tag.py(), "tag", reason))
}

/// The tag that was put on a record or taken off it.
async fn tag_of(session: &Session, tagging: &Stored<Tagging>) -> Outcome<Row> {
    Ok(session.inner().get(tagging.tag_id).await?.to_row())
}

#[pymethods]
impl Tags {
    #[new]
    const fn new(session: Py<Session>) -> Self {
        Self(session)
    }

    /// Puts a tag on a record.
    #[pyo3(signature = (record, tag, *, key = None))]
    fn add(
        &self,
        py: Python<'_>,
        record: &Bound<'_, PyAny>,
        tag: &Bound<'_, PyAny>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let command = AddTag { tag: name_of(tag)?, record: tagged(record)? };
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let tagging = session.inner().run_with_key(&command, key.as_ref()).await?;
            tag_of(session, &tagging).await
        })?;
        Record::wrap(py, Tag::TABLE, row)
    }

    /// Takes a tag off a record.
    #[pyo3(signature = (record, tag, *, key = None))]
    fn remove(
        &self,
        py: Python<'_>,
        record: &Bound<'_, PyAny>,
        tag: &Bound<'_, PyAny>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let command = RemoveTag { tag: name_of(tag)?, record: tagged(record)? };
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let tagging = session.inner().run_with_key(&command, key.as_ref()).await?;
            tag_of(session, &tagging).await
        })?;
        Record::wrap(py, Tag::TABLE, row)
    }

    /// The tags of a record, by name.
    fn of(&self, py: Python<'_>, record: &Bound<'_, PyAny>) -> PyResult<Vec<Py<PyAny>>> {
        let session = self.0.get();
        let record = tagged(record)?;
        let rows = session.call(py, async {
            let inner = session.inner();
            match record {
                Tagged::Contact(id) => inner.get(id).await.map(drop),
                Tagged::Lead(id) => inner.get(id).await.map(drop),
                Tagged::Deal(id) => inner.get(id).await.map(drop),
            }?;
            let tags = Tagging::COLUMNS.tag_id.of_any(record.taggings()).into_expr();
            let by_name = Order { column: Tag::COLUMNS.name_key.index(), direction: Direction::Ascending };
            let query = Select::new(Tag::TABLE, tags.and(inner.visible::<Tag>("read").await?)).ordered(&[by_name]);
            Ok(inner.store().select(inner.scope(), &query).await?)
        })?;
        Record::wrap_all(py, Tag::TABLE, rows)
    }
}

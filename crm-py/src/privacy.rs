//! What is stored about a contact, given out and erased.

use crm_core::CrmError;
use crm_core::entity::Entity as _;
use crm_core::people::Contact;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::given::Reference;
use crate::report::class;
use crate::session::Session;
use crate::value::date;

/// What is done for the privacy of contacts, in a session.
#[pyclass(frozen, module = "crm_py._crm_py")]
pub(crate) struct Privacy(Py<Session>);

#[pymethods]
impl Privacy {
    #[new]
    const fn new(session: Py<Session>) -> Self {
        Self(session)
    }

    /// All that is stored about a contact, as JSON.
    fn export(&self, py: Python<'_>, contact: &Bound<'_, PyAny>) -> PyResult<String> {
        let reference = Reference::read("contact", Contact::TABLE, contact)?;
        let session = self.0.get();
        session.call(py, async {
            let contact = reference.resolve::<Contact>(session.inner()).await?;
            let export = session.inner().export_contact(contact).await?;
            serde_json::to_string(&export)
                .map_err(|error| CrmError::Store(crm_core::store::StoreError::Backend(error.into())))
        })
    }

    /// Erases a contact.
    fn erase<'py>(&self, py: Python<'py>, contact: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let reference = Reference::read("contact", Contact::TABLE, contact)?;
        let session = self.0.get();
        let done = session.call(py, async {
            let contact = reference.resolve::<Contact>(session.inner()).await?;
            session.inner().erase_contact(contact).await
        })?;
        let erased = PyDict::new(py);
        for (entity, records) in done.erased {
            erased.set_item(entity, records)?;
        }
        let kept_class = class(py, "Kept")?;
        let kept = done.kept.into_iter().map(|kept| kept_class.call1((kept.entity, kept.records, kept.reason)));
        let kept = kept.collect::<PyResult<Vec<_>>>()?;
        class(py, "Erased")?.call1((erased, done.deleted_before, kept, done.purged))
    }

    /// Leaves nothing in the store's files of what was erased.
    fn purge(&self, py: Python<'_>) -> PyResult<bool> {
        let session = self.0.get();
        session.call(py, async { session.inner().purge().await })
    }

    /// Whether an erasure still waits for its purge.
    fn is_purge_due(&self, py: Python<'_>) -> PyResult<bool> {
        let session = self.0.get();
        session.call(py, async { session.inner().is_purge_due().await })
    }

    /// Deletes the log of API keys' requests from before a day.
    fn purge_requests(&self, py: Python<'_>, before: &Bound<'_, PyAny>) -> PyResult<u64> {
        let before = date("before", before)?;
        let session = self.0.get();
        session.call(py, async { session.inner().purge_requests(before).await })
    }
}

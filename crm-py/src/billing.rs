//! What is done with payments, credit notes and refunds, besides what every record can do; documents that are printed.

use crm_core::billing::{
    Allocate, AllocateCreditNote, AllocatePayment, Allocation, BookFinding, CreateCreditNote, CreditNote, Credited,
    DocumentKind, Invoice, Payment, RecordRefund, Refund, RefundOf, ReversePayment, Split, UnallocateCreditNote,
    UnallocatePayment, Warning,
};
use crm_core::entity::{Entity as _, Stored};
use crm_core::people::Contact;
use crm_core::print::{PrintError, Printable, render};
use crm_core::report::StatementOptions;
use crm_core::value::{Currency, Money as Amount};
use crm_core::{ErrorCode, Id};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::{Outcome, exception, invalid};
use crate::given::{Reference, resolve_lines};
use crate::money::amount_of;
use crate::record::Record;
use crate::report::class;
use crate::session::{Session, Shares, allocation, idempotency, optional, optional_date, parsed};
use crate::value::{date, json_loads, uuid_object};

/// What is done with the documents of billing, in a session.
#[pyclass(frozen, module = "crm_py._crm_py")]
pub(crate) struct Billing(Py<Session>);

/// A document that money is left of.
enum Document {
    Payment(Stored<Payment>),
    CreditNote(Stored<CreditNote>),
}

impl Document {
    async fn find(session: &Session, entity: &str, reference: &Reference) -> Outcome<Self> {
        let session = session.inner();
        Ok(match entity {
            "payment" => Self::Payment(session.get(reference.resolve(session).await?).await?),
            _ => Self::CreditNote(session.get(reference.resolve(session).await?).await?),
        })
    }

    const fn currency(&self) -> Currency {
        match self {
            Self::Payment(payment) => payment.value.currency,
            Self::CreditNote(note) => note.value.currency,
        }
    }
}

/// An amount as it was given, in the currency of a document that is found first.
fn maybe_amount(field: &str, given: Option<&Bound<'_, PyAny>>, currency: Currency) -> PyResult<Option<Amount>> {
    given.map(|given| amount_of(field, given, currency)).transpose()
}

/// The table of a kind of document.
fn table(entity: &str) -> PyResult<&'static crm_core::entity::Table> {
    match entity {
        "payment" => Ok(Payment::TABLE),
        "credit_note" => Ok(CreditNote::TABLE),
        _ => Err(PyTypeError::new_err(format!("nothing is left of a record of kind {entity}"))),
    }
}

/// A document as HTML, or as the JSON that it is made of.
fn printed<'py, D: Printable + Sync>(
    py: Python<'py>,
    document: &D,
    form: &str,
    template: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    if form == "html" {
        let html = py.detach(|| render(template, document)).map_err(|error| refused(py, &error))?;
        return Ok(html.into_pyobject(py)?.into_any());
    }
    let json = serde_json::to_string(document).map_err(|error| PyTypeError::new_err(error.to_string()))?;
    json_loads(py)?.call1((json,))
}

/// The exception for a template that is wrong.
fn refused(py: Python<'_>, error: &PrintError) -> PyErr {
    exception(py, ErrorCode::Invalid, &error.to_string(), Some("template".to_owned()), Vec::new(), None)
}

fn sentences(warnings: &[Warning]) -> Vec<String> {
    warnings.iter().map(ToString::to_string).collect()
}

#[pymethods]
impl Billing {
    #[new]
    const fn new(session: Py<Session>) -> Self {
        Self(session)
    }

    /// Settles invoices with what is left of a payment or of the credit that a credit note kept.
    #[pyo3(signature = (entity, reference, invoices, *, on = None, key = None))]
    fn allocate(
        &self,
        py: Python<'_>,
        entity: &str,
        reference: &Bound<'_, PyAny>,
        invoices: &Bound<'_, PyAny>,
        on: Option<&Bound<'_, PyAny>>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let table = table(entity)?;
        let reference = Reference::read(entity, table, reference)?;
        let (on, key) = (optional_date("on", on)?, idempotency(py, key)?);
        let document = session.call(py, Document::find(session, entity, &reference))?;
        let (allocate, shares): (Allocate, Shares) = allocation(Some(invoices), document.currency())?;
        let row = session.call(py, async {
            let allocate = session.settled(allocate, shares).await?;
            match &document {
                Document::Payment(payment) => {
                    session.run(&AllocatePayment { payment: payment.id, allocate, on }, key.as_ref()).await
                }
                Document::CreditNote(note) => {
                    session.run(&AllocateCreditNote { credit_note: note.id, allocate, on }, key.as_ref()).await
                }
            }
        })?;
        Record::wrap(py, table, row)
    }

    /// Takes an allocation back from its invoice.
    #[pyo3(signature = (entity, allocation, *, on = None, key = None))]
    fn unallocate(
        &self,
        py: Python<'_>,
        entity: &str,
        allocation: &Bound<'_, PyAny>,
        on: Option<&Bound<'_, PyAny>>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let table = table(entity)?;
        let reference = Reference::read("allocation", Allocation::TABLE, allocation)?;
        let (on, key) = (optional_date("on", on)?, idempotency(py, key)?);
        let row = session.call(py, async {
            let allocation = reference.resolve(session.inner()).await?;
            if table == Payment::TABLE {
                session.run(&UnallocatePayment { allocation, on }, key.as_ref()).await
            } else {
                session.run(&UnallocateCreditNote { allocation, on }, key.as_ref()).await
            }
        })?;
        Record::wrap(py, table, row)
    }

    /// Reverses a payment.
    #[pyo3(signature = (payment, *, reason = None, on = None, key = None))]
    fn reverse_payment(
        &self,
        py: Python<'_>,
        payment: &Bound<'_, PyAny>,
        reason: Option<&str>,
        on: Option<&Bound<'_, PyAny>>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let reference = Reference::read("payment", Payment::TABLE, payment)?;
        let (on, reason, key) = (optional_date("on", on)?, optional(py, "reason", reason)?, idempotency(py, key)?);
        let row = session.call(py, async {
            let payment = reference.resolve(session.inner()).await?;
            session.run(&ReversePayment { payment, on, reason }, key.as_ref()).await
        })?;
        Record::wrap(py, Payment::TABLE, row)
    }

    /// Makes a credit note of an invoice: of `"all"` that is not credited yet, of an amount, or of lines.
    #[pyo3(signature = (invoice, *, reason, amount = None, lines = None, refund = None, credit = None, offset = None, issued_on = None, number = None, method = None, reference = None, notes = None, external_id = None, key = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn create_credit_note(
        &self,
        py: Python<'_>,
        invoice: &Bound<'_, PyAny>,
        reason: &str,
        amount: Option<&Bound<'_, PyAny>>,
        lines: Option<&Bound<'_, PyAny>>,
        refund: Option<&Bound<'_, PyAny>>,
        credit: Option<&Bound<'_, PyAny>>,
        offset: Option<&Bound<'_, PyAny>>,
        issued_on: Option<&Bound<'_, PyAny>>,
        number: Option<&str>,
        method: Option<&str>,
        reference: Option<&str>,
        notes: Option<&str>,
        external_id: Option<&str>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        if amount.is_some() && lines.is_some() {
            return Err(PyTypeError::new_err("lines: give either an amount or lines"));
        }
        let invoice = Reference::read("invoice", Invoice::TABLE, invoice)?;
        let reason = reason.parse().map_err(|error| invalid(py, "reason", error))?;
        let given = lines.map(crate::given::lines).transpose()?;
        let key = idempotency(py, key)?;
        let invoice: Stored<Invoice> = session
            .call(py, async { session.inner().get(invoice.resolve_field(session.inner(), "invoice").await?).await })?;
        let money = |field: &str, given: Option<&Bound<'_, PyAny>>| maybe_amount(field, given, invoice.currency);
        let credited = money("amount", amount)?.map_or(Credited::All, Credited::Amount);
        let mut command = CreateCreditNote::new(invoice.id, credited, reason);
        command.split = Split {
            refund: money("refund", refund)?,
            credit: money("credit", credit)?,
            offset: money("offset", offset)?,
        };
        command.issued_on = optional_date("issued_on", issued_on)?;
        command.number = parsed(py, "number", number)?;
        command.method = parsed(py, "method", method)?;
        command.reference = optional(py, "reference", reference)?;
        command.notes = optional(py, "notes", notes)?;
        command.external_id = optional(py, "external_id", external_id)?;
        let row = session.call(py, async {
            if let Some(given) = given {
                command.credited = Credited::Lines(resolve_lines(session.inner(), given).await?);
            }
            session.run(&command, key.as_ref()).await
        })?;
        Record::wrap(py, CreditNote::TABLE, row)
    }

    /// Records money paid back, of what a payment or a credit note has left.
    #[pyo3(signature = (entity, document, amount = None, *, refunded_on = None, method = None, reference = None, notes = None, external_id = None, key = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn record_refund(
        &self,
        py: Python<'_>,
        entity: &str,
        document: &Bound<'_, PyAny>,
        amount: Option<&Bound<'_, PyAny>>,
        refunded_on: Option<&Bound<'_, PyAny>>,
        method: Option<&str>,
        reference: Option<&str>,
        notes: Option<&str>,
        external_id: Option<&str>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let given = Reference::read(entity, table(entity)?, document)?;
        let key = idempotency(py, key)?;
        let document = session.call(py, Document::find(session, entity, &given))?;
        let given = maybe_amount("amount", amount, document.currency())?;
        let (of, left) = match &document {
            Document::Payment(payment) => (RefundOf::Payment(payment.id), payment.money(payment.unapplied)),
            Document::CreditNote(note) => (RefundOf::CreditNote(note.id), note.money(note.unapplied)),
        };
        let mut command = RecordRefund::new(of, given.unwrap_or(left));
        command.refunded_on = optional_date("refunded_on", refunded_on)?;
        command.method = parsed(py, "method", method)?;
        command.reference = optional(py, "reference", reference)?;
        command.notes = optional(py, "notes", notes)?;
        command.external_id = optional(py, "external_id", external_id)?;
        let row = session.call(py, async { session.run(&command, key.as_ref()).await })?;
        Record::wrap(py, Refund::TABLE, row)
    }

    /// What is worth knowing about the number of an invoice or a credit note, in words.
    fn warnings(&self, py: Python<'_>, entity: &str, reference: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
        let session = self.0.get();
        if entity == "invoice" {
            let reference = Reference::read("invoice", Invoice::TABLE, reference)?;
            return session.call(py, async {
                let invoice = session.inner().get(reference.resolve(session.inner()).await?).await?;
                Ok(sentences(&session.inner().warnings(&invoice).await?))
            });
        }
        let reference = Reference::read("credit_note", CreditNote::TABLE, reference)?;
        session.call(py, async {
            let note = session.inner().get::<CreditNote>(reference.resolve(session.inner()).await?).await?;
            let Some(number) = &note.number else { return Ok(Vec::new()) };
            let warnings = session.inner().number_warnings(DocumentKind::CreditNote, number, note.issued_on).await?;
            Ok(sentences(&warnings))
        })
    }

    /// An invoice or a credit note as it is printed: as HTML, or as the JSON that it is made of.
    #[pyo3(signature = (entity, reference, form, *, template = None))]
    fn print<'py>(
        &self,
        py: Python<'py>,
        entity: &str,
        reference: &Bound<'py, PyAny>,
        form: &str,
        template: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        if entity == "invoice" {
            let reference = Reference::read("invoice", Invoice::TABLE, reference)?;
            let document = session.call(py, async {
                session.inner().invoice_document(reference.resolve(session.inner()).await?).await
            })?;
            return printed(py, &document, form, template);
        }
        let reference = Reference::read("credit_note", CreditNote::TABLE, reference)?;
        let document = session.call(py, async {
            session.inner().credit_note_document(reference.resolve(session.inner()).await?).await
        })?;
        printed(py, &document, form, template)
    }

    /// A statement of account as it is printed: as HTML, or as the JSON that it is made of.
    #[pyo3(signature = (contact, from_, to, form, *, restated = false, template = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn print_statement<'py>(
        &self,
        py: Python<'py>,
        contact: &Bound<'py, PyAny>,
        from_: &Bound<'py, PyAny>,
        to: &Bound<'py, PyAny>,
        form: &str,
        restated: bool,
        template: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let contact = Reference::read("contact", Contact::TABLE, contact)?;
        let options = StatementOptions { from: date("from_", from_)?, to: date("to", to)?, restated };
        let document = session.call(py, async {
            let contact: Id<Contact> = contact.resolve(session.inner()).await?;
            session.inner().statement_document(contact, &options).await
        })?;
        printed(py, &document, form, template)
    }

    /// Checks the books.
    fn verify_books<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let session = self.0.get();
        let found = session.call(py, session.inner().verify_books())?;
        let finding_class = class(py, "Finding")?;
        let finding = |finding: &BookFinding| {
            finding_class.call1((finding.entity, uuid_object(py, finding.id)?, py.None(), &finding.problem))
        };
        PyTuple::new(py, found.iter().map(finding).collect::<PyResult<Vec<_>>>()?)
    }
}

//! Reports, handed over as the arguments of the classes in `crm_py.reports`.

use crm_core::audit::Verification;
use crm_core::report::{Ageing, AgeingRow, Figures, Statement, StatementCurrency, Summary};
use crm_core::value::Money as Amount;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyModule, PyTuple};

use crate::money::Money;
use crate::value::uuid_object;

pub(crate) fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static REPORTS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let reports = REPORTS.get_or_try_init(py, || py.import("crm_py.reports").map(Bound::unbind))?;
    reports.bind(py).getattr(name)
}

pub(crate) fn money(py: Python<'_>, amount: Amount) -> PyResult<Bound<'_, PyAny>> {
    Ok(Bound::new(py, Money(amount))?.into_any())
}

fn figures<'py>(py: Python<'py>, figures: &Figures) -> PyResult<Bound<'py, PyAny>> {
    let arguments = (
        figures.currency.code(),
        figures.invoices,
        money(py, figures.billed)?,
        money(py, figures.paid)?,
        money(py, figures.offset)?,
        money(py, figures.pending)?,
        money(py, figures.overdue)?,
        money(py, figures.uncollectible)?,
        money(py, figures.void)?,
        money(py, figures.credit)?,
    );
    class(py, "Figures")?.call1(arguments)
}

/// R1.
pub(crate) fn summary<'py>(py: Python<'py>, summary: &Summary) -> PyResult<Bound<'py, PyAny>> {
    let totals = summary.totals.iter().map(|row| figures(py, row)).collect::<PyResult<Vec<_>>>()?;
    let contacts = summary.per_contact.as_ref().map(|rows| {
        let row_class = class(py, "ContactFigures")?;
        let rows = rows.iter().map(|row| {
            let id = uuid_object(py, row.contact_id.uuid())?;
            row_class.call1((id, &row.contact, row.email.as_deref(), figures(py, &row.figures)?))
        });
        PyTuple::new(py, rows.collect::<PyResult<Vec<_>>>()?)
    });
    let arguments = (summary.as_of, summary.contacts, PyTuple::new(py, totals)?, contacts.transpose()?);
    class(py, "Summary")?.call1(arguments)
}

/// R2.
pub(crate) fn ageing<'py>(py: Python<'py>, ageing: &Ageing) -> PyResult<Bound<'py, PyAny>> {
    let row_class = class(py, "AgeingRow")?;
    let rows = |rows: &[AgeingRow]| {
        let rows = rows.iter().map(|row| {
            let id = row.contact_id.map(|id| uuid_object(py, id.uuid())).transpose()?;
            row_class.call1((
                id,
                row.contact.as_deref(),
                row.currency.code(),
                money(py, row.current)?,
                money(py, row.days_1_30)?,
                money(py, row.days_31_60)?,
                money(py, row.days_61_90)?,
                money(py, row.days_over_90)?,
                money(py, row.total)?,
            ))
        });
        PyTuple::new(py, rows.collect::<PyResult<Vec<_>>>()?)
    };
    let contacts = ageing.per_contact.as_deref().map(rows).transpose()?;
    class(py, "Ageing")?.call1((ageing.as_of, rows(&ageing.totals)?, contacts))
}

/// The parts of an account in each currency.
pub(crate) fn account<'py>(py: Python<'py>, currencies: &[StatementCurrency]) -> PyResult<Bound<'py, PyTuple>> {
    let (entry_class, part_class) = (class(py, "StatementEntry")?, class(py, "StatementCurrency")?);
    let parts = currencies.iter().map(|part| {
        let entries = part.entries.iter().map(|entry| {
            let (amount, balance) = (money(py, entry.amount)?, money(py, entry.balance)?);
            entry_class.call1((entry.on, entry.kind.as_str(), entry.reference.as_deref(), amount, balance))
        });
        let entries = PyTuple::new(py, entries.collect::<PyResult<Vec<_>>>()?)?;
        part_class.call1((part.currency.code(), money(py, part.opening)?, entries, money(py, part.closing)?))
    });
    PyTuple::new(py, parts.collect::<PyResult<Vec<_>>>()?)
}

/// R3.
pub(crate) fn statement<'py>(py: Python<'py>, statement: &Statement) -> PyResult<Bound<'py, PyAny>> {
    let parts = account(py, &statement.currencies)?;
    let id = uuid_object(py, statement.contact_id.uuid())?;
    class(py, "Statement")?.call1((id, &statement.contact, statement.from, statement.to, parts))
}

/// What a check of the audit found.
pub(crate) fn verification<'py>(py: Python<'py>, found: &Verification) -> PyResult<Bound<'py, PyAny>> {
    let finding_class = class(py, "Finding")?;
    let findings = found.findings.iter().map(|finding| {
        let id = finding.id.map(|id| uuid_object(py, id)).transpose()?;
        finding_class.call1((finding.entity, id, finding.seq, &finding.problem))
    });
    let findings = PyTuple::new(py, findings.collect::<PyResult<Vec<_>>>()?)?;
    let head = found.head.to_string();
    class(py, "Verification")?.call1((head, found.entries, found.unsealed, found.records, found.problems, findings))
}

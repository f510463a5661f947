//! The further reports of billing, handed over as the arguments of the classes in `crm_py.reports`.

use crm_core::billing::Method;
use crm_core::entity::Entity as _;
use crm_core::people::Contact;
use crm_core::report::{
    CollectionFigures, CollectionOptions, Collections, DaysToPay, DaysToPayFigures, DaysToPayOptions, Debtors,
    DebtorsOptions, LedgerOptions, Revenue, RevenueBy, RevenueFigures, RevenueOptions, TaxFigures, TaxOptions, Taxes,
};
use crm_core::value::ValueError;
use pyo3::prelude::*;

use crate::error::invalid;
use crate::given::Reference;
use crate::report::{account, class, money};
use crate::sales_report::{period, tuple};
use crate::session::{Session, optional_date, parsed};
use crate::value::uuid_object;

/// The further reports of billing, in a session.
#[pyclass(frozen, module = "crm_py._crm_py")]
pub(crate) struct BillingReports(Py<Session>);

fn revenue<'py>(py: Python<'py>, report: &Revenue) -> PyResult<Bound<'py, PyAny>> {
    let figures_class = class(py, "RevenueFigures")?;
    let figures = |row: &RevenueFigures| {
        figures_class.call1((
            row.currency.code(),
            money(py, row.invoiced)?,
            money(py, row.void)?,
            money(py, row.credited)?,
            money(py, row.net)?,
            money(py, row.tax)?,
            money(py, row.total)?,
        ))
    };
    let (month_class, product_class) = (class(py, "RevenueMonth")?, class(py, "RevenueProduct")?);
    let months = report
        .by_month
        .as_ref()
        .map(|rows| tuple(py, rows, |row| month_class.call1((row.month, figures(&row.figures)?))));
    let products = report.by_product.as_ref().map(|rows| {
        tuple(py, rows, |row| {
            let id = row.product_id.map(|id| uuid_object(py, id.uuid())).transpose()?;
            let (product, sku) = (row.product.as_deref(), row.sku.as_deref());
            product_class.call1((id, product, sku, row.quantity.decimal(), figures(&row.figures)?))
        })
    });
    let totals = tuple(py, &report.totals, figures)?;
    class(py, "Revenue")?.call1((report.from, report.to, totals, months.transpose()?, products.transpose()?))
}

fn collections<'py>(py: Python<'py>, report: &Collections) -> PyResult<Bound<'py, PyAny>> {
    let (figures_class, row_class) = (class(py, "CollectionFigures")?, class(py, "CollectionRow")?);
    let figures = |row: &CollectionFigures| {
        figures_class.call1((
            row.currency.code(),
            row.payments,
            money(py, row.received)?,
            money(py, row.reversed)?,
            money(py, row.refunded)?,
            money(py, row.net)?,
        ))
    };
    let rows = tuple(py, &report.rows, |row| {
        row_class.call1((row.month, row.method.map(Method::as_str), figures(&row.figures)?))
    })?;
    class(py, "Collections")?.call1((report.from, report.to, tuple(py, &report.totals, figures)?, rows))
}

fn taxes<'py>(py: Python<'py>, report: &Taxes) -> PyResult<Bound<'py, PyAny>> {
    let row_class = class(py, "TaxRow")?;
    let row = |month: Option<crm_core::value::Date>, percent: crm_core::value::Decimal6, row: &TaxFigures| {
        row_class.call1((
            month,
            percent.decimal(),
            row.currency.code(),
            money(py, row.invoiced)?,
            money(py, row.invoiced_tax)?,
            money(py, row.credited)?,
            money(py, row.credited_tax)?,
            money(py, row.net)?,
            money(py, row.tax)?,
        ))
    };
    let totals = tuple(py, &report.totals, |total| row(None, total.percent, &total.figures))?;
    let months = tuple(py, &report.months, |month| row(Some(month.month), month.percent, &month.figures))?;
    class(py, "Taxes")?.call1((report.from, report.to, totals, months))
}

fn debtors<'py>(py: Python<'py>, report: &Debtors) -> PyResult<Bound<'py, PyAny>> {
    let (part_class, debtor_class) = (class(py, "DebtorsCurrency")?, class(py, "Debtor")?);
    let parts = tuple(py, &report.currencies, |part| {
        let rows = tuple(py, &part.debtors, |row| {
            debtor_class.call1((
                uuid_object(py, row.contact_id.uuid())?,
                &row.contact,
                row.email.as_deref(),
                money(py, row.pending)?,
                money(py, row.overdue)?,
                money(py, row.credit)?,
                row.oldest_due_on,
                row.days_late,
            ))
        })?;
        let (pending, overdue) = (money(py, part.pending)?, money(py, part.overdue)?);
        part_class.call1((part.currency.code(), part.contacts, pending, overdue, rows))
    })?;
    class(py, "Debtors")?.call1((report.as_of, parts))
}

fn days_to_pay<'py>(py: Python<'py>, report: &DaysToPay) -> PyResult<Bound<'py, PyAny>> {
    let (figures_class, row_class) = (class(py, "DaysToPayFigures")?, class(py, "DaysToPayRow")?);
    let figures = |row: &DaysToPayFigures| {
        let (days, late) = (row.mean_days.decimal(), row.mean_days_late.decimal());
        figures_class.call1((row.currency.code(), row.invoices, days, late))
    };
    let contacts = report.per_contact.as_ref().map(|rows| {
        tuple(py, rows, |row| {
            row_class.call1((uuid_object(py, row.contact_id.uuid())?, &row.contact, figures(&row.figures)?))
        })
    });
    let totals = tuple(py, &report.totals, figures)?;
    class(py, "DaysToPay")?.call1((report.from, report.to, totals, contacts.transpose()?))
}

#[pymethods]
impl BillingReports {
    #[new]
    const fn new(session: Py<Session>) -> Self {
        Self(session)
    }

    /// What was sold, by month or by product.
    #[pyo3(signature = (*, by = "month", from_ = None, to = None, restated = false))]
    fn revenue<'py>(
        &self,
        py: Python<'py>,
        by: &str,
        from_: Option<&Bound<'py, PyAny>>,
        to: Option<&Bound<'py, PyAny>>,
        restated: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let (from, to) = period(from_, to)?;
        let by = parsed(py, "by", Some(by))?.unwrap_or(RevenueBy::Month);
        let options = RevenueOptions { from, to, by, restated };
        revenue(py, &session.call(py, session.inner().revenue(&options))?)
    }

    /// The money that came in and went out again, by month and method.
    #[pyo3(signature = (*, from_ = None, to = None, restated = false))]
    fn collections<'py>(
        &self,
        py: Python<'py>,
        from_: Option<&Bound<'py, PyAny>>,
        to: Option<&Bound<'py, PyAny>>,
        restated: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let (from, to) = period(from_, to)?;
        let options = CollectionOptions { from, to, restated };
        collections(py, &session.call(py, session.inner().collections(&options))?)
    }

    /// The taxes on what was invoiced and credited, by month and rate.
    #[pyo3(signature = (*, from_ = None, to = None, restated = false))]
    fn taxes<'py>(
        &self,
        py: Python<'py>,
        from_: Option<&Bound<'py, PyAny>>,
        to: Option<&Bound<'py, PyAny>>,
        restated: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let (from, to) = period(from_, to)?;
        let options = TaxOptions { from, to, restated };
        taxes(py, &session.call(py, session.inner().taxes(&options))?)
    }

    /// Who owes something, those who owe most first.
    #[pyo3(signature = (*, as_of = None, limit = None, restated = false))]
    fn debtors<'py>(
        &self,
        py: Python<'py>,
        as_of: Option<&Bound<'py, PyAny>>,
        limit: Option<i64>,
        restated: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let out_of_range = |_| invalid(py, "limit", ValueError::out_of_range(0, u32::MAX));
        let limit = limit.map(usize::try_from).transpose().map_err(out_of_range)?;
        let options = DebtorsOptions { as_of: optional_date("as_of", as_of)?, limit, restated };
        debtors(py, &session.call(py, session.inner().debtors(&options))?)
    }

    /// How many days invoices took to be paid on average.
    #[pyo3(signature = (*, from_ = None, to = None, per_contact = false, restated = false))]
    fn days_to_pay<'py>(
        &self,
        py: Python<'py>,
        from_: Option<&Bound<'py, PyAny>>,
        to: Option<&Bound<'py, PyAny>>,
        per_contact: bool,
        restated: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let (from, to) = period(from_, to)?;
        let options = DaysToPayOptions { from, to, per_contact, restated };
        days_to_pay(py, &session.call(py, session.inner().days_to_pay(&options))?)
    }

    /// Everything on a contact's account.
    #[pyo3(signature = (contact, *, from_ = None, to = None, restated = false))]
    fn ledger<'py>(
        &self,
        py: Python<'py>,
        contact: &Bound<'py, PyAny>,
        from_: Option<&Bound<'py, PyAny>>,
        to: Option<&Bound<'py, PyAny>>,
        restated: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let contact = Reference::read("contact", Contact::TABLE, contact)?;
        let (from, to) = period(from_, to)?;
        let options = LedgerOptions { from, to, restated };
        let report = session
            .call(py, async { session.inner().ledger(contact.resolve(session.inner()).await?, &options).await })?;
        let id = uuid_object(py, report.contact_id.uuid())?;
        let arguments = (id, &report.contact, report.from, report.to, account(py, &report.currencies)?);
        class(py, "Ledger")?.call1(arguments)
    }
}

//! Amounts of money, as Python sees them.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crm_core::value::{self, Currency, ValueError};
use pyo3::basic::CompareOp;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use crate::error::{invalid, wrong_type};
use crate::value::decimal_text;

/// An exact amount in a currency.
///
/// `Money(Decimal("9.99"), "USD")`, or with the amount as text; never from a float. More digits than the currency has
/// are an error, not a rounding. Amounts of one currency can be added, subtracted and ordered.
#[pyclass(frozen, module = "crm_py")]
#[derive(Clone, Copy)]
pub(crate) struct Money(pub(crate) value::Money);

impl Money {
    fn of_same(self, py: Python<'_>, other: &Self, field: &str) -> PyResult<Ordering> {
        self.0.checked_cmp(other.0).map_err(|reason| invalid(py, field, reason))
    }
}

#[pymethods]
impl Money {
    #[new]
    fn new(amount: &Bound<'_, PyAny>, currency: &str) -> PyResult<Self> {
        let py = amount.py();
        let currency: Currency = currency.parse().map_err(|reason| invalid(py, "currency", reason))?;
        let text = match amount.cast::<PyString>() {
            Ok(text) => text.to_str()?.to_owned(),
            Err(_) => decimal_text("amount", amount)?,
        };
        value::Money::parse(&text, currency).map(Self).map_err(|reason| invalid(py, "amount", reason))
    }

    /// The amount, with as many places as the currency has.
    #[getter]
    fn amount(&self) -> rust_decimal::Decimal {
        self.0.decimal()
    }

    /// The ISO 4217 code of the currency.
    #[getter]
    fn currency(&self) -> String {
        self.0.currency().code().to_owned()
    }

    /// The amount in the currency's smallest unit, such as cents.
    #[getter]
    const fn minor(&self) -> i64 {
        self.0.minor()
    }

    #[classattr]
    const fn __match_args__() -> (&'static str, &'static str) {
        ("amount", "currency")
    }

    fn __richcmp__<'py>(&self, other: &Bound<'py, PyAny>, op: CompareOp) -> PyResult<Bound<'py, PyAny>> {
        let py = other.py();
        let Ok(other) = other.cast::<Self>() else { return Ok(py.NotImplemented().into_bound(py)) };
        let other = other.get();
        let holds = match op {
            CompareOp::Eq => self.0 == other.0,
            CompareOp::Ne => self.0 != other.0,
            op => op.matches(self.of_same(py, other, "currency")?),
        };
        Ok(holds.into_pyobject(py)?.to_owned().into_any())
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }

    fn __add__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.combined(other, value::Money::checked_add)
    }

    /// Lets `sum(...)` begin with its 0.
    fn __radd__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = other.py();
        if other.extract::<i64>().is_ok_and(|number| number == 0) {
            return Ok(Bound::new(py, *self)?.into_any());
        }
        Ok(py.NotImplemented().into_bound(py))
    }

    fn __sub__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.combined(other, value::Money::checked_sub)
    }

    fn __neg__(&self, py: Python<'_>) -> PyResult<Self> {
        self.0.checked_neg().map(Self).map_err(|reason| invalid(py, "amount", reason))
    }

    const fn __bool__(&self) -> bool {
        !self.0.is_zero()
    }

    fn __repr__(&self) -> String {
        format!("Money('{}', '{}')", self.0.decimal(), self.0.currency().code())
    }

    fn __str__(&self) -> String {
        format!("{} {}", self.0.decimal(), self.0.currency().code())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (String, String)) {
        (py.get_type::<Self>(), (self.0.decimal().to_string(), self.currency()))
    }

    const fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, memo: &Bound<'_, PyAny>) -> Py<Self> {
        let _ = memo;
        slf
    }
}

impl Money {
    fn combined<'py>(
        self,
        other: &Bound<'py, PyAny>,
        combine: impl FnOnce(value::Money, value::Money) -> Result<value::Money, ValueError>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = other.py();
        let Ok(other) = other.cast::<Self>() else { return Ok(py.NotImplemented().into_bound(py)) };
        let sum = combine(self.0, other.get().0).map_err(|reason| invalid(py, "amount", reason))?;
        Ok(Bound::new(py, Self(sum))?.into_any())
    }
}

/// Reads an amount that a caller gave: `Money`, or a decimal in the given currency.
pub(crate) fn amount_of(field: &str, value: &Bound<'_, PyAny>, currency: Currency) -> PyResult<value::Money> {
    if let Ok(money) = value.cast::<Money>() {
        return Ok(money.get().0);
    }
    if value.cast::<PyString>().is_ok() {
        return Err(wrong_type(field, "Decimal, int or Money", value));
    }
    let text = decimal_text(field, value)?;
    value::Money::parse(&text, currency).map_err(|reason| invalid(value.py(), field, reason))
}

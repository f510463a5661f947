//! Values across the border: stored values to Python objects, and Python objects to what the engine reads.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use crm_core::entity::Kind;
use crm_core::row::Value;
use crm_core::value::{Currency, Date, Decimal6, Instant, ValueError, days_of};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBoolMethods, PyBytes, PyDate, PyDateTime, PyInt, PyString, PyType};
use uuid::Uuid;

use crate::error::{invalid, wrong_type};
use crate::money::Money;

/// A class or function of the standard library, imported once.
macro_rules! standard {
    ($name:ident, $module:literal, $attribute:literal) => {
        pub(crate) fn $name(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
            static CELL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
            CELL.get_or_try_init(py, || Ok(py.import($module)?.getattr($attribute)?.unbind())).map(|cell| cell.bind(py))
        }
    };
}
standard!(decimal_class, "decimal", "Decimal");
standard!(uuid_class, "uuid", "UUID");
standard!(json_loads, "json", "loads");
standard!(json_dumps, "json", "dumps");
standard!(utc, "datetime", "timezone");

/// A stored value as a Python object. Amounts are in the currency of the same row.
pub(crate) fn to_python<'py>(
    py: Python<'py>,
    kind: Kind,
    value: &Value,
    currency: impl FnOnce() -> Option<Currency>,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null | Value::Deferred(_) => py.None().into_bound(py),
        Value::Bool(truth) => PyBool::new(py, *truth).to_owned().into_any(),
        Value::Int(number) => match kind {
            Kind::Decimal => Decimal6::from_micros(*number).decimal().into_pyobject(py)?.into_any(),
            Kind::Money => match currency() {
                Some(currency) => Bound::new(py, Money(crm_core::value::Money::new(*number, currency)))?.into_any(),
                None => number.into_pyobject(py)?.into_any(),
            },
            _ => number.into_pyobject(py)?.into_any(),
        },
        Value::Text(text) if kind == Kind::Json => json_loads(py)?.call1((text,))?,
        Value::Text(text) => PyString::new(py, text).into_any(),
        Value::Date(date) => date_object(py, *date)?,
        Value::Instant(instant) => instant_object(py, *instant)?,
        Value::Id(id) => uuid_object(py, *id)?,
        Value::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
    })
}

/// Objects that were made before, by their values. Making one costs more than everything else of reading a field, and
/// the same owner, author, contact or day comes again and again; an import gives all of its records one instant.
struct Kept<K>(Mutex<[Slot<K>; KEPT]>);

/// Where one of them is.
type Slot<K> = Option<(K, Py<PyAny>)>;

/// How many objects of a type are kept.
const KEPT: usize = 256;

impl<K: Copy + Eq> Kept<K> {
    const fn new() -> Self {
        Self(Mutex::new([const { None }; KEPT]))
    }

    /// The object for the key; `hash` says where it is kept.
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: K,
        hash: u64,
        make: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let slot = usize::try_from(hash % KEPT as u64).unwrap_or(0);
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((kept, object)) = &lock()[slot]
            && *kept == key
        {
            return Ok(object.clone_ref(py).into_bound(py));
        }
        // The lock is not held while Python code runs, nor while an object ends.
        let object = make()?;
        let before = lock()[slot].replace((key, object.clone().unbind()));
        drop(before);
        Ok(object)
    }
}

/// A `uuid.UUID`.
pub(crate) fn uuid_object(py: Python<'_>, id: Uuid) -> PyResult<Bound<'_, PyAny>> {
    static KEPT: Kept<Uuid> = Kept::new();
    // The last bits of an id are random.
    KEPT.get(py, id, u64::from(id.as_bytes()[15]), || match UuidParts::of(py)? {
        Some(parts) => parts.build(py, id),
        None => Ok(id.into_pyobject(py)?.into_any()),
    })
}

/// What `uuid.UUID` is made of. Its constructor is Python code that checks six ways to call it, three times the cost of
/// filling its slots.
struct UuidParts {
    new: Py<PyAny>,
    set_int: Py<PyAny>,
    set_is_safe: Py<PyAny>,
    unknown: Py<PyAny>,
}

impl UuidParts {
    /// The parts, if this Python's class has them.
    fn of(py: Python<'_>) -> PyResult<Option<&'static Self>> {
        static PARTS: PyOnceLock<Option<UuidParts>> = PyOnceLock::new();
        let find = || -> PyResult<Self> {
            let class = uuid_class(py)?;
            let setter = |name: &str| class.getattr(name)?.getattr("__set__");
            let parts = Self {
                new: py.get_type::<PyAny>().getattr("__new__")?.unbind(),
                set_int: setter("int")?.unbind(),
                set_is_safe: setter("is_safe")?.unbind(),
                unknown: py.import("uuid")?.getattr("SafeUUID")?.getattr("unknown")?.unbind(),
            };
            // It must come out as the constructor would have it.
            let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
            let same = parts.build(py, id)?.eq(id.into_pyobject(py)?)?;
            if same { Ok(parts) } else { Err(PyTypeError::new_err("uuid.UUID is made otherwise")) }
        };
        PARTS.get_or_try_init(py, || Ok(find().ok())).map(Option::as_ref)
    }

    fn build<'py>(&self, py: Python<'py>, id: Uuid) -> PyResult<Bound<'py, PyAny>> {
        let object = self.new.bind(py).call1((uuid_class(py)?,))?;
        self.set_int.bind(py).call1((&object, id.as_u128()))?;
        self.set_is_safe.bind(py).call1((&object, &self.unknown))?;
        Ok(object)
    }
}

/// A `datetime` in UTC.
pub(crate) fn instant_object(py: Python<'_>, instant: Instant) -> PyResult<Bound<'_, PyAny>> {
    static KEPT: Kept<Instant> = Kept::new();
    KEPT.get(py, instant, instant.micros().unsigned_abs(), || Ok(instant.datetime().into_pyobject(py)?.into_any()))
}

/// A `date`.
fn date_object(py: Python<'_>, date: Date) -> PyResult<Bound<'_, PyAny>> {
    static KEPT: Kept<Date> = Kept::new();
    let hash = u64::from(days_of(date).unsigned_abs());
    KEPT.get(py, date, hash, || Ok(date.into_pyobject(py)?.into_any()))
}

/// An exact number in plain notation; floats and text are refused.
pub(crate) fn decimal_text(field: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = value.py();
    if value.cast::<PyInt>().is_ok() && value.cast::<PyBool>().is_err() {
        return Ok(value.str()?.to_str()?.to_owned());
    }
    if !value.is_instance(decimal_class(py)?)? {
        let got = value.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "{field}: expected Decimal, got {got}; write Decimal(\"0.10\"), floats are not exact"
        )));
    }
    if !value.call_method0(intern!(py, "is_finite"))?.is_truthy()? {
        return Err(invalid(py, field, ValueError::syntax("a finite number", value.str()?.to_str()?)));
    }
    if !value.is_truthy()? {
        return Ok("0".to_owned());
    }
    // Before it is written out: an exponent of a million would be a million digits.
    let magnitude: i64 = value.call_method0(intern!(py, "adjusted"))?.extract()?;
    if magnitude > 40 {
        return Err(invalid(py, field, ValueError::Overflow));
    }
    if magnitude < -40 {
        let got = u32::try_from(magnitude.unsigned_abs()).unwrap_or(u32::MAX);
        return Err(invalid(py, field, ValueError::TooManyDecimals { allowed: 6, got }));
    }
    let text = value.call_method1(intern!(py, "__format__"), (intern!(py, "f"),))?;
    Ok(text.cast::<PyString>()?.to_str()?.to_owned())
}

/// A decimal with six places.
pub(crate) fn decimal6(field: &str, value: &Bound<'_, PyAny>) -> PyResult<Decimal6> {
    let text = decimal_text(field, value)?;
    Decimal6::parse(&text).map_err(|reason| invalid(value.py(), field, reason))
}

/// A civil date; a point in time is none.
pub(crate) fn date(field: &str, value: &Bound<'_, PyAny>) -> PyResult<crm_core::value::Date> {
    if value.cast::<PyDate>().is_err() || value.cast::<PyDateTime>().is_ok() {
        return Err(wrong_type(field, "date", value));
    }
    value.extract()
}

/// A point in time, which must know its zone.
pub(crate) fn instant(field: &str, value: &Bound<'_, PyAny>) -> PyResult<Instant> {
    let py = value.py();
    if value.cast::<PyDateTime>().is_err() {
        return Err(wrong_type(field, "datetime", value));
    }
    if value.call_method0(intern!(py, "utcoffset"))?.is_none() {
        return Err(PyTypeError::new_err(format!(
            "{field}: the datetime has no time zone; write datetime(..., tzinfo=timezone.utc)"
        )));
    }
    let zone = utc(py)?.getattr(intern!(py, "utc"))?;
    let moved: DateTime<Utc> = value.call_method1(intern!(py, "astimezone"), (zone,))?.extract()?;
    Instant::from_datetime(moved).map_err(|reason| invalid(py, field, reason))
}

/// Text, and nothing else.
pub(crate) fn text(field: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.cast::<PyString>() {
        Ok(text) => Ok(text.to_str()?.to_owned()),
        Err(_) => Err(wrong_type(field, "str", value)),
    }
}

/// A truth value, and nothing else.
pub(crate) fn truth(field: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    value.cast::<PyBool>().map(PyBoolMethods::is_true).map_err(|_| wrong_type(field, "bool", value))
}

/// A whole number of 64 bits.
pub(crate) fn integer(field: &str, value: &Bound<'_, PyAny>) -> PyResult<i64> {
    if value.cast::<PyInt>().is_err() || value.cast::<PyBool>().is_ok() {
        return Err(wrong_type(field, "int", value));
    }
    value.extract().map_err(|_| invalid(value.py(), field, ValueError::Overflow))
}

/// A UUID object.
pub(crate) fn uuid(value: &Bound<'_, PyAny>) -> PyResult<Option<Uuid>> {
    let class = uuid_class(value.py())?.cast::<PyType>()?;
    if value.is_instance(class)? { value.extract().map(Some) } else { Ok(None) }
}

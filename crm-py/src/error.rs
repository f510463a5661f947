//! Errors of the engine as exceptions of `crm_py.errors`.

use std::error::Error as _;

use crm_core::access::AccessError;
use crm_core::store::StoreError;
use crm_core::value::ValueError;
use crm_core::{CrmError, Environment as _, ErrorCode, Invalid, SystemEnvironment};
use crm_store_postgres::NotGranted;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use crate::value::instant_object;

/// What a call gives inside, before it crosses into Python.
pub(crate) type Outcome<T> = Result<T, CrmError>;

/// The class in `crm_py.errors` for each kind of error.
const fn class_name(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Unauthenticated => "Unauthenticated",
        ErrorCode::Forbidden => "PermissionDenied",
        ErrorCode::NotFound => "NotFound",
        ErrorCode::Conflict => "Conflict",
        ErrorCode::Duplicate => "Duplicate",
        ErrorCode::Invalid => "ValidationError",
        ErrorCode::Rule => "RuleError",
        ErrorCode::Throttled => "Throttled",
        ErrorCode::Unavailable => "Unavailable",
        ErrorCode::OutcomeUnknown => "OutcomeUnknown",
        ErrorCode::Corrupt => "Corrupt",
        _ => "CrmError",
    }
}

/// What to do about an error, where that is not plain from its message.
fn hint(error: &CrmError) -> Option<&'static str> {
    match error {
        CrmError::Ambiguous { .. } => Some("use one of the ids in details"),
        CrmError::KeyReused(_) => Some("use a new key for a new command"),
        CrmError::Referenced { .. } => Some("archive the record instead"),
        CrmError::TokenRefused => Some("refresh, or sign in again"),
        CrmError::Access(AccessError::NoTokenKeys) => Some("give token_keys to crm_py.open"),
        CrmError::Access(AccessError::WeakKey(_)) => Some("make one with secrets.token_hex(32)"),
        CrmError::Store(StoreError::OutcomeUnknown(_)) => {
            Some("send the same call again with the same key: it is carried out at most once")
        }
        CrmError::Store(StoreError::Backend(source)) if source.is::<NotGranted>() => {
            Some("the owner of the tables grants it with Crm.grant")
        }
        CrmError::Store(StoreError::Unavailable(_)) => Some("nothing was written; try again"),
        CrmError::Store(StoreError::Schema { found, known }) if 0 < *found && *found < *known => {
            Some("open it once as the owner of its tables")
        }
        CrmError::Store(StoreError::Schema { .. }) => Some("use a newer version of crm_py"),
        _ => None,
    }
}

/// The exception for an error of the engine.
pub(crate) fn raised(py: Python<'_>, error: &CrmError) -> PyErr {
    let mut message = error.to_string();
    let mut source = match error {
        CrmError::Store(store) => store.source(),
        _ => None,
    };
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    let details = || -> PyResult<(Option<String>, Vec<Bound<'_, PyDict>>)> {
        Ok(match error {
            CrmError::Invalid(fields) => {
                let details = fields.iter().map(|invalid| detail(py, invalid)).collect::<PyResult<_>>()?;
                (fields.first().map(|invalid| invalid.field.clone()), details)
            }
            CrmError::Ambiguous { candidates, .. } => {
                let details = candidates.iter().map(|id| {
                    let detail = PyDict::new(py);
                    detail.set_item("id", id)?;
                    Ok(detail)
                });
                (None, details.collect::<PyResult<_>>()?)
            }
            CrmError::Duplicate { fields, .. } => (fields.first().map(|field| (*field).to_owned()), Vec::new()),
            _ => (None, Vec::new()),
        })
    };
    let raise = || -> PyResult<PyErr> {
        let (field, details) = details()?;
        let keywords = keywords(py, error.code(), field, details, hint(error))?;
        build(py, limits(error, &keywords)?, &message, &keywords)
    };
    raise().unwrap_or_else(|failed| failed)
}

/// The class of an error; what it tells besides what every error does is added to its keywords.
fn limits(error: &CrmError, keywords: &Bound<'_, PyDict>) -> PyResult<&'static str> {
    match error {
        CrmError::Throttled { retry_after_seconds } => keywords.set_item("retry_after", retry_after_seconds)?,
        CrmError::QuotaExceeded { operation, limit, resets_at } => {
            let wait = resets_at.micros() - SystemEnvironment.now().micros();
            keywords.set_item("retry_after", wait.max(0).unsigned_abs().div_ceil(1_000_000))?;
            keywords.set_item("operation", operation)?;
            keywords.set_item("limit", limit)?;
            keywords.set_item("resets_at", instant_object(keywords.py(), *resets_at)?)?;
            return Ok("QuotaExceeded");
        }
        _ => {}
    }
    Ok(class_name(error.code()))
}

fn detail<'py>(py: Python<'py>, invalid: &Invalid) -> PyResult<Bound<'py, PyDict>> {
    let detail = PyDict::new(py);
    detail.set_item("field", &invalid.field)?;
    detail.set_item("reason", invalid.reason.to_string())?;
    detail.set_item("code", invalid.reason.code())?;
    Ok(detail)
}

/// An exception of `crm_py.errors`, by its kind.
pub(crate) fn exception(
    py: Python<'_>,
    code: ErrorCode,
    message: &str,
    field: Option<String>,
    details: Vec<Bound<'_, PyDict>>,
    hint: Option<&str>,
) -> PyErr {
    let keywords = keywords(py, code, field, details, hint);
    keywords.and_then(|keywords| build(py, class_name(code), message, &keywords)).unwrap_or_else(|failed| failed)
}

/// What every error tells.
fn keywords<'py>(
    py: Python<'py>,
    code: ErrorCode,
    field: Option<String>,
    details: Vec<Bound<'py, PyDict>>,
    hint: Option<&str>,
) -> PyResult<Bound<'py, PyDict>> {
    let keywords = PyDict::new(py);
    keywords.set_item("code", code.as_str())?;
    keywords.set_item("field", field)?;
    keywords.set_item("details", PyTuple::new(py, details)?)?;
    keywords.set_item("hint", hint)?;
    Ok(keywords)
}

fn build(py: Python<'_>, class: &str, message: &str, keywords: &Bound<'_, PyDict>) -> PyResult<PyErr> {
    static ERRORS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let errors = ERRORS.get_or_try_init(py, || py.import("crm_py.errors").map(Bound::unbind))?;
    let class = errors.bind(py).getattr(class)?;
    Ok(PyErr::from_value(class.call((message,), Some(keywords))?))
}

/// An exception for a field that was refused here, before it reached the engine.
pub(crate) fn invalid(py: Python<'_>, field: &str, reason: ValueError) -> PyErr {
    raised(py, &CrmError::invalid(field, reason))
}

/// A value of the wrong type: what was wanted, and what came.
pub(crate) fn wrong_type(field: &str, expected: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let got = value.get_type().name().map_or_else(|_| "something else".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("{field}: expected {expected}, got {got}"))
}

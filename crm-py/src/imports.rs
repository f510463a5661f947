//! Imports of CSV files, from a path or an open Python file.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};

use crm_core::ErrorCode;
use crm_core::import::{Import, ImportKind, ImportReport, Mapping, Problem};
use pyo3::exceptions::{PyOSError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use crate::error::{exception, invalid};
use crate::session::Session;

/// How much of an open file is asked for at a time.
const CHUNK: usize = 64 * 1024;

/// What a Python file raised, kept until the call is back in Python.
type Raised = Arc<Mutex<Option<PyErr>>>;

/// An open Python file, of text or of bytes.
struct PythonFile {
    file: Py<PyAny>,
    rest: Vec<u8>,
    at: usize,
    raised: Raised,
}

impl PythonFile {
    fn more(&self) -> PyResult<Vec<u8>> {
        Python::attach(|py| {
            let chunk = self.file.bind(py).call_method1("read", (CHUNK,))?;
            if let Ok(bytes) = chunk.cast::<PyBytes>() {
                return Ok(bytes.as_bytes().to_vec());
            }
            match chunk.cast::<PyString>() {
                Ok(text) => Ok(text.to_str()?.as_bytes().to_vec()),
                Err(_) => Err(PyTypeError::new_err("source: read() gave neither text nor bytes")),
            }
        })
    }
}

impl Read for PythonFile {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.rest.len() {
            self.rest = self.more().map_err(|error| {
                let text = error.to_string();
                *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                io::Error::other(text)
            })?;
            self.at = 0;
        }
        let count = out.len().min(self.rest.len() - self.at);
        out[..count].copy_from_slice(&self.rest[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// Opens what a caller gave: a path, or an open file.
fn input(source: &Bound<'_, PyAny>, raised: &Raised) -> PyResult<Box<dyn Read + Send>> {
    let Ok(path) = source.cast::<PyString>() else {
        return Ok(Box::new(PythonFile {
            file: source.clone().unbind(),
            rest: Vec::new(),
            at: 0,
            raised: Arc::clone(raised),
        }));
    };
    let path = path.to_str()?;
    let file = File::open(path).map_err(|error| match error.raw_os_error() {
        // The class of an OSError follows from its number: FileNotFoundError and the like.
        Some(number) => PyOSError::new_err((number, error.kind().to_string(), path.to_owned())),
        None => PyOSError::new_err(error.to_string()),
    })?;
    Ok(Box::new(BufReader::new(file)))
}

fn mapping(py: Python<'_>, field: &str, json: Option<&str>) -> PyResult<Mapping> {
    let Some(json) = json else { return Ok(Mapping::default()) };
    serde_json::from_str(json).map_err(|error| {
        let message = format!("{field}: {error}");
        exception(py, ErrorCode::Invalid, &message, Some(field.to_owned()), Vec::new(), None)
    })
}

/// A file to import, as a caller described it.
pub(crate) struct Given<'a, 'py> {
    pub(crate) kind: &'a str,
    pub(crate) source: &'a Bound<'py, PyAny>,
    pub(crate) mapping: Option<&'a str>,
    pub(crate) lines: Option<&'a Bound<'py, PyAny>>,
    pub(crate) lines_mapping: Option<&'a str>,
}

/// Imports a file; the rest of how comes with `options`.
pub(crate) fn import<'py>(
    py: Python<'py>,
    session: &Session,
    given: &Given<'_, 'py>,
    options: impl FnOnce(Import) -> Import,
) -> PyResult<Bound<'py, PyAny>> {
    let kind: ImportKind = given.kind.parse().map_err(|reason| invalid(py, "kind", reason))?;
    let raised = Raised::default();
    let import = options(Import {
        mapping: mapping(py, "mapping", given.mapping)?,
        lines: given.lines.map(|lines| input(lines, &raised)).transpose()?,
        lines_mapping: mapping(py, "lines_mapping", given.lines_mapping)?,
        ..Import::new(kind, input(given.source, &raised)?)
    });
    let report = session.call(py, async { session.inner().import(import).await });
    if let Some(error) = raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(error);
    }
    let report = report?;
    if !report.written && !report.dry_run {
        return Err(refused(py, &report)?);
    }
    report_of(py, &report)
}

/// The exception for an import of which nothing was written.
fn refused(py: Python<'_>, report: &ImportReport) -> PyResult<PyErr> {
    let details = report.problems.iter().map(|problem| {
        let detail = PyDict::new(py);
        detail.set_item("line", problem.line)?;
        detail.set_item("field", &problem.field)?;
        detail.set_item("reason", &problem.reason)?;
        detail.set_item("got", &problem.got)?;
        Ok(detail)
    });
    let details = details.collect::<PyResult<Vec<_>>>()?;
    let (rows, were) = if report.refused == 1 { ("row", "was") } else { ("rows", "were") };
    let mut message = format!("{} of {} {rows} {were} refused and nothing was written", report.refused, report.read);
    if let Some(first) = report.problems.first() {
        message = format!("{message}; line {}, {}: {}", first.line, first.field, first.reason);
    }
    let field = report.problems.first().map(|problem| problem.field.clone());
    let hint = "correct the file, or import the other rows with skip_refused=True";
    Ok(exception(py, ErrorCode::Invalid, &message, field, details, Some(hint)))
}

fn report_of<'py>(py: Python<'py>, report: &ImportReport) -> PyResult<Bound<'py, PyAny>> {
    let problem_class = crate::report::class(py, "Problem")?;
    let problems = |problems: &[Problem]| {
        let problems = problems
            .iter()
            .map(|problem| problem_class.call1((problem.line, &problem.field, &problem.reason, &problem.got)));
        PyTuple::new(py, problems.collect::<PyResult<Vec<_>>>()?)
    };
    let arguments = (
        report.read,
        report.created,
        report.updated,
        report.unchanged,
        report.refused,
        problems(&report.problems)?,
        report.further_problems,
        problems(&report.warnings)?,
        report.further_warnings,
        report.dry_run,
        report.written,
    );
    crate::report::class(py, "ImportReport")?.call1(arguments)
}

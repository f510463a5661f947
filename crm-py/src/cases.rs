//! What is done with cases, the calendar and the deadline rules, besides what every record can do.

use crm_core::access::{IdempotencyKey, User};
use crm_core::entity::Entity as _;
use crm_core::report::CaseReportOptions;
use crm_core::service::calendar::{BusinessCalendar, OverrideKind};
use crm_core::service::{
    AnswerCase, AppealCase, AssignCase, Calendar, CalendarDay, Case, ClearDay, CloseCase, CompleteCase, ExtendBy,
    ExtendCase, NotifyCase, OpenCase, PauseCase, ReopenCase, ServiceError, SetCalendar, SetDay, TransferCase,
};
use crm_core::value::{Date, Notes, ValueError};
use crm_core::{CrmError, Id, Row};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::case_report;
use crate::error::{Outcome, invalid};
use crate::given::{Fields, Reference};
use crate::record::Record;
use crate::sales_report::{how_many, period};
use crate::session::{Session, idempotency, optional_date, parsed};
use crate::value::date;

/// What is done with cases, the calendar and the deadline rules, in a session.
#[pyclass(frozen, module = "crm_py._crm_py")]
pub(crate) struct Cases(Py<Session>);

impl Cases {
    /// The organization's calendar as it counts days.
    async fn business(&self) -> Outcome<BusinessCalendar> {
        self.0.get().inner().calendar().await?.business()
    }
}

/// A step of a case that says something.
async fn say(
    session: &Session,
    id: Id<Case>,
    step: &str,
    text: Option<Notes<10000>>,
    key: Option<&IdempotencyKey>,
) -> Outcome<Row> {
    let said = |field| text.clone().ok_or_else(|| CrmError::invalid(field, ValueError::Blank));
    match step {
        "transfer" => session.run(&TransferCase { id, to: said("to")? }, key).await,
        "pause" => session.run(&PauseCase { id, missing: said("missing")? }, key).await,
        "complete" => session.run(&CompleteCase { id, text }, key).await,
        "answer" => session.run(&AnswerCase { id, text: said("text")? }, key).await,
        "notify" => session.run(&NotifyCase { id, proof: said("proof")? }, key).await,
        "reopen" => session.run(&ReopenCase { id, reason: said("reason")? }, key).await,
        "appeal" => session.run(&AppealCase { id, grounds: said("grounds")? }, key).await,
        "close" => session.run(&CloseCase { id, reason: text }, key).await,
        _ => Err(CrmError::NotFound { entity: "command", reference: format!("case.{step}") }),
    }
}

#[pymethods]
impl Cases {
    #[new]
    const fn new(session: Py<Session>) -> Self {
        Self(session)
    }

    /// Opens a case.
    #[pyo3(signature = (fields, *, assignee = None, key = None))]
    fn open(
        &self,
        py: Python<'_>,
        fields: &Bound<'_, PyDict>,
        assignee: Option<&Bound<'_, PyAny>>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let fields = Fields::read(Case::TABLE, fields, true)?;
        let user = assignee.map(|user| Reference::read("assignee", User::TABLE, user)).transpose()?;
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let edit = fields.edit::<Case>(session.inner(), &session.inner().locale()).await?;
            let assignee = match user {
                Some(user) => Some(Id::new(user.resolve_in(session.inner(), User::TABLE, "assignee").await?)),
                None => None,
            };
            session.run(&OpenCase { edit, assignee }, key.as_ref()).await
        })?;
        Record::wrap(py, Case::TABLE, row)
    }

    /// Gives a case to a member, or to nobody.
    #[pyo3(signature = (case, assignee, *, key = None))]
    fn assign(
        &self,
        py: Python<'_>,
        case: &Bound<'_, PyAny>,
        assignee: Option<&Bound<'_, PyAny>>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let case = Reference::read("case", Case::TABLE, case)?;
        let user = assignee.map(|user| Reference::read("assignee", User::TABLE, user)).transpose()?;
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let id = case.resolve(session.inner()).await?;
            let assignee = match user {
                Some(user) => Some(Id::new(user.resolve_in(session.inner(), User::TABLE, "assignee").await?)),
                None => None,
            };
            session.run(&AssignCase { id, assignee }, key.as_ref()).await
        })?;
        Record::wrap(py, Case::TABLE, row)
    }

    /// Carries out a step that says something: transfer, pause, complete, answer, notify, reopen, appeal or close.
    #[pyo3(signature = (step, case, text, *, key = None))]
    fn say(
        &self,
        py: Python<'_>,
        step: &str,
        case: &Bound<'_, PyAny>,
        text: Option<&str>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let case = Reference::read("case", Case::TABLE, case)?;
        let text = parsed(py, "text", text)?;
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let id = case.resolve(session.inner()).await?;
            say(session, id, step, text, key.as_ref()).await
        })?;
        Record::wrap(py, Case::TABLE, row)
    }

    /// Gives a case more time, by days or to a day.
    #[pyo3(signature = (case, reason, *, days = None, to = None, key = None))]
    fn extend(
        &self,
        py: Python<'_>,
        case: &Bound<'_, PyAny>,
        reason: &str,
        days: Option<i64>,
        to: Option<&Bound<'_, PyAny>>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let case = Reference::read("case", Case::TABLE, case)?;
        let by = match (days, optional_date("to", to)?) {
            (Some(days), None) => ExtendBy::Days(how_many(py, "days", days)?),
            (None, Some(to)) => ExtendBy::To(to),
            _ => return Err(PyTypeError::new_err("days, to: give one of them")),
        };
        let reason = reason.parse().map_err(|reason| invalid(py, "reason", reason))?;
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let id = case.resolve(session.inner()).await?;
            session.run(&ExtendCase { id, by, reason }, key.as_ref()).await
        })?;
        Record::wrap(py, Case::TABLE, row)
    }

    /// Why a case is due when it is.
    fn explain<'py>(&self, py: Python<'py>, case: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let case = Reference::read("case", Case::TABLE, case)?;
        let explanation = session.call(py, async {
            let id = case.resolve(session.inner()).await?;
            session.inner().explain_case(id).await
        })?;
        case_report::explanation(py, &explanation)
    }

    /// What the calendar as it is now makes of open cases.
    fn recompute<'py>(&self, py: Python<'py>, apply: bool) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let found = session.call(py, async { session.inner().recompute_cases(apply).await })?;
        case_report::recomputed(py, &found)
    }

    /// The deadline rules that cases can get.
    fn rules<'py>(&self, py: Python<'py>, all: bool) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let session = self.0.get();
        let known = session.call(py, async { session.inner().deadline_rules(all).await })?;
        known.iter().map(|known| case_report::rule(py, known.id, &known.rule)).collect()
    }

    /// The organization's calendar as it is now.
    fn calendar(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let row = session.call(py, async { Ok(session.inner().calendar().await?.to_row()) })?;
        Record::wrap(py, Calendar::TABLE, row)
    }

    /// Changes the calendar.
    #[pyo3(signature = (fields, *, key = None))]
    fn set_calendar(&self, py: Python<'_>, fields: &Bound<'_, PyDict>, key: Option<&str>) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let fields = Fields::read(Calendar::TABLE, fields, false)?;
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let edit = fields.edit::<Calendar>(session.inner(), &session.inner().locale()).await?;
            session.run(&SetCalendar(edit), key.as_ref()).await
        })?;
        Record::wrap(py, Calendar::TABLE, row)
    }

    /// Makes a day a holiday or a working day.
    #[pyo3(signature = (on, *, name, working, key = None))]
    fn set_day(
        &self,
        py: Python<'_>,
        on: &Bound<'_, PyAny>,
        name: &str,
        working: bool,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let kind = if working { OverrideKind::Working } else { OverrideKind::Holiday };
        let name = name.parse().map_err(|reason| invalid(py, "name", reason))?;
        let command = SetDay(CalendarDay { on: date("on", on)?, kind, name });
        let key = idempotency(py, key)?;
        let row = session.call(py, async { session.run(&command, key.as_ref()).await })?;
        Record::wrap(py, Calendar::TABLE, row)
    }

    /// Lets a day be what the week and the public holidays make it.
    #[pyo3(signature = (on, *, key = None))]
    fn clear_day(&self, py: Python<'_>, on: &Bound<'_, PyAny>, key: Option<&str>) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let command = ClearDay(date("on", on)?);
        let key = idempotency(py, key)?;
        let row = session.call(py, async { session.run(&command, key.as_ref()).await })?;
        Record::wrap(py, Calendar::TABLE, row)
    }

    /// What a day is, and the business days at it.
    fn check_day<'py>(&self, py: Python<'py>, day: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let day = date("day", day)?;
        let (kind, counts_on, next) = self.0.get().call(py, async {
            let calendar = self.business().await?;
            let found = || Ok((calendar.day(day)?, calendar.on_or_after(day)?, calendar.next_business_day(day)?));
            found().map_err(|error: crm_core::service::calendar::CalendarError| ServiceError::from(error).into())
        })?;
        case_report::day(py, day, &kind, counts_on, next)
    }

    /// The holidays of a period: dates and names.
    fn holidays(
        &self,
        py: Python<'_>,
        from_: &Bound<'_, PyAny>,
        to: &Bound<'_, PyAny>,
    ) -> PyResult<Vec<(Date, String)>> {
        let (from, to) = (date("from_", from_)?, date("to", to)?);
        let calendar = self.0.get().call(py, self.business())?;
        Ok(calendar.holidays(from, to).map(|holiday| (holiday.date, holiday.name.to_string())).collect())
    }

    /// R9, the report of cases.
    #[pyo3(signature = (*, days = 5, as_of = None, from_ = None, to = None, zone = None))]
    fn report<'py>(
        &self,
        py: Python<'py>,
        days: i64,
        as_of: Option<&Bound<'py, PyAny>>,
        from_: Option<&Bound<'py, PyAny>>,
        to: Option<&Bound<'py, PyAny>>,
        zone: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let (from, to) = period(from_, to)?;
        let as_of = optional_date("as_of", as_of)?;
        let options =
            CaseReportOptions { days: how_many(py, "days", days)?, as_of, from, to, zone: parsed(py, "zone", zone)? };
        let report = session.call(py, async { session.inner().case_report(&options).await })?;
        case_report::report(py, &report)
    }
}

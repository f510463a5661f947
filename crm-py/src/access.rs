//! What is done with members, their users and API keys, besides what every record can do.

use crm_core::access::{
    ActivateUser, ApiKey, DeactivateUser, EndSessions, Invitation, KeyQuota, Membership, NewInvitation, NewKey,
    ResetPassword, SetQuota, SetUsername, User,
};
use crm_core::entity::Entity as _;
use crm_core::store::Query;
use crm_core::value::{Text, Username};
use crm_core::{Command, Id, Row};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::invalid;
use crate::given::Reference;
use crate::logins::secret;
use crate::record::Record;
use crate::report::class;
use crate::session::{Session, member_reference, optional};
use crate::value::{date, instant, instant_object, integer, text, uuid_object};

/// Who may come in, and with what, in a session.
#[pyclass(frozen, module = "crm_py._crm_py")]
pub(crate) struct Access(Py<Session>);

#[pymethods]
impl Access {
    #[new]
    const fn new(session: Py<Session>) -> Self {
        Self(session)
    }

    /// Invites somebody: the invitation, and its text, which is shown this once.
    #[pyo3(signature = (email, *, role, days = None))]
    fn invite(
        &self,
        py: Python<'_>,
        email: &str,
        role: &str,
        days: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<(Py<PyAny>, String)> {
        let new = NewInvitation {
            email: email.parse().map_err(|reason| invalid(py, "email", reason))?,
            role: role.parse().map_err(|reason| invalid(py, "role", reason))?,
            days: days.map(|days| integer("days", days)).transpose()?,
        };
        let session = self.0.get();
        let created = session.call(py, async { session.inner().invite(&new).await })?;
        let invitation = Record::wrap(py, Invitation::TABLE, created.invitation.to_row())?;
        Ok((invitation, created.text.expose().to_owned()))
    }

    /// Gives a member a new password.
    fn reset_password(
        &self,
        py: Python<'_>,
        member: &Bound<'_, PyAny>,
        password: &Bound<'_, PyAny>,
    ) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
        let password = secret("password", password)?;
        self.of_member(py, member, |member| ResetPassword { member, password: password.clone() })
    }

    /// Keeps a member from acting at all, or lets them act again.
    fn set_active(&self, py: Python<'_>, member: &Bound<'_, PyAny>, active: bool) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
        if active { self.of_member(py, member, ActivateUser) } else { self.of_member(py, member, DeactivateUser) }
    }

    /// Changes the acting user's own password.
    fn change_password(
        &self,
        py: Python<'_>,
        current: &Bound<'_, PyAny>,
        new: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let (session, current, new) = (self.0.get(), secret("current", current)?, secret("new", new)?);
        let user = session.call(py, async { session.inner().change_password(&current, &new).await })?;
        Record::wrap(py, User::TABLE, user.to_row())
    }

    /// Sets or clears the acting user's name to sign in with.
    fn set_username(&self, py: Python<'_>, username: Option<&str>) -> PyResult<Py<PyAny>> {
        let username: Option<Username> = optional(py, "username", username)?;
        self.of_oneself(py, &SetUsername(username))
    }

    /// Ends all sessions of the acting user.
    fn end_sessions(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.of_oneself(py, &EndSessions)
    }

    /// Makes an API key: the key, and its text, which is shown this once.
    #[pyo3(signature = (alias, *, role, scopes, expires = None, quotas = None))]
    fn create_key(
        &self,
        py: Python<'_>,
        alias: &str,
        role: &str,
        scopes: &str,
        expires: Option<&Bound<'_, PyAny>>,
        quotas: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<(Py<PyAny>, String)> {
        let alias: Text<100> = alias.parse().map_err(|reason| invalid(py, "alias", reason))?;
        let role = role.parse().map_err(|reason| invalid(py, "role", reason))?;
        let scopes = scopes.parse().map_err(|reason| invalid(py, "scopes", reason))?;
        let mut new = NewKey::new(alias, role, scopes);
        new.expires_at = expires.map(|at| instant("expires", at)).transpose()?;
        if let Some(quotas) = quotas {
            // What is not named keeps its default.
            for (operation, per_day) in quotas {
                let operation = text("quotas.operation", &operation)?;
                new.quotas.retain(|(known, _)| *known != operation);
                if !per_day.is_none() {
                    new.quotas.push((operation, integer("quotas.per_day", &per_day)?));
                }
            }
        }
        let session = self.0.get();
        let created = session.call(py, async { session.inner().create_key(&new).await })?;
        let key = Record::wrap(py, ApiKey::TABLE, created.key.to_row())?;
        Ok((key, created.text.expose().to_owned()))
    }

    /// Sets, changes or removes a quota of a key.
    fn set_quota(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyAny>,
        operation: String,
        per_day: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let reference = Reference::read("key", ApiKey::TABLE, key)?;
        let per_day = per_day.map(|per_day| integer("per_day", per_day)).transpose()?;
        let session = self.0.get();
        let row = session.call(py, async {
            let key = reference.resolve(session.inner()).await?;
            session.run(&SetQuota { key, operation, per_day }, None).await
        })?;
        Record::wrap(py, ApiKey::TABLE, row)
    }

    /// The quotas of a key: how often a day it may do what.
    fn quotas_of(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<Vec<(String, i64)>> {
        let reference = Reference::read("key", ApiKey::TABLE, key)?;
        let session = self.0.get();
        session.call(py, async {
            let inner = session.inner();
            let key: Id<ApiKey> = reference.resolve(inner).await?;
            let key = inner.get(key).await?.id;
            let columns = KeyQuota::COLUMNS;
            let query = Query::new(columns.key_id.eq(&key)).ascending(columns.operation).limit(1_000);
            let quotas = inner.list(&query).await?.items;
            Ok(quotas.into_iter().map(|quota| (quota.value.operation, quota.value.per_day)).collect())
        })
    }

    /// What API keys did, by day, key and operation.
    #[pyo3(signature = (from_, to, *, key = None))]
    fn key_usage<'py>(
        &self,
        py: Python<'py>,
        from_: &Bound<'py, PyAny>,
        to: &Bound<'py, PyAny>,
        key: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let (from, to) = (date("from_", from_)?, date("to", to)?);
        let key = key.map(|key| Reference::read("key", ApiKey::TABLE, key)).transpose()?;
        let session = self.0.get();
        let lines = session.call(py, async {
            let key = match &key {
                Some(key) => Some(key.resolve(session.inner()).await?),
                None => None,
            };
            session.inner().key_usage(key, from, to).await
        })?;
        let line_class = class(py, "KeyUsage")?;
        let lines = lines.into_iter().map(|line| {
            let (key, resets_at) = (uuid_object(py, line.key_id.uuid())?, instant_object(py, line.resets_at)?);
            line_class.call1((line.day, key, line.alias, line.operation, line.used, line.per_day, resets_at))
        });
        lines.collect()
    }

    /// What is left of the quotas of the API key at work.
    fn quotas<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let session = self.0.get();
        let left = session.call(py, async { session.inner().quotas().await })?;
        let left_class = class(py, "QuotaLeft")?;
        let left = left.into_iter().map(|left| {
            let (remaining, resets_at) = (left.remaining(), instant_object(py, left.resets_at)?);
            left_class.call1((left.operation, left.limit, left.used, remaining, resets_at))
        });
        left.collect()
    }
}

impl Access {
    /// Carries out a command on a member's user.
    fn of_member<C: Command<Root = User>>(
        &self,
        py: Python<'_>,
        member: &Bound<'_, PyAny>,
        command: impl FnOnce(Id<Membership>) -> C + Send,
    ) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
        let reference = member_reference(member)?;
        let session = self.0.get();
        let (member, user) = session.call(py, async {
            let member = reference.resolve_member(session.inner()).await?;
            let user = session.run(&command(member), None).await?;
            Ok((session.inner().get(member).await?.to_row(), user))
        })?;
        Ok((Record::wrap(py, Membership::TABLE, member)?, session.wrap_user(py, user)?))
    }

    /// Carries out a command on the acting user.
    fn of_oneself(&self, py: Python<'_>, command: &impl Command<Root = User>) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let row: Row = session.call(py, async { session.run(command, None).await })?;
        Record::wrap(py, User::TABLE, row)
    }
}

//! Signing in: passwords, tokens, API keys and invitations open organizations.

use std::sync::Arc;

use crm_core::access::{Login, Membership, PasswordCost, Requester, Secret, Signed, User};
use crm_core::entity::Entity as _;
use crm_core::value::ValueError;
use crm_core::{Crm, CrmError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMapping, PyString};

use crate::database::Database;
use crate::error::{Outcome, invalid, raised, wrong_type};
use crate::record::Record;
use crate::session::{Session, optional};
use crate::value::{instant_object, text};

/// The keys that sign access tokens, and for whom.
///
/// `keys` maps the id of each key to its secret, at least 32 random bytes that cannot be guessed; `current` is the id
/// of the one that signs, which need not be said of a single key. The others are accepted: the key before, until its
/// last token has expired, or the next one.
#[pyclass(frozen, module = "crm_py")]
pub(crate) struct TokenKeys(crm_core::access::TokenKeys, String);

#[pymethods]
impl TokenKeys {
    #[new]
    #[pyo3(signature = (issuer, audience, keys, *, current = None))]
    fn new(
        py: Python<'_>,
        issuer: &str,
        audience: &str,
        keys: &Bound<'_, PyMapping>,
        current: Option<&str>,
    ) -> PyResult<Self> {
        let mut given = Vec::with_capacity(keys.len()?);
        for item in keys.items()? {
            let (id, key): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
            given.push((text("keys", &id)?, key_secret(&key)?));
        }
        let ids: Vec<&str> = given.iter().map(|(id, _)| id.as_str()).collect();
        let current = match (current, &*ids) {
            (Some(id), ids) => ids
                .iter()
                .position(|known| *known == id)
                .ok_or_else(|| invalid(py, "current", ValueError::unknown_value(id, ids)))?,
            (None, [_]) => 0,
            (None, _) => return Err(invalid(py, "current", ValueError::Blank)),
        };
        let shown = format!("<token keys of {issuer} for {audience}: {}>", ids.join(", "));
        let (id, key) = given.swap_remove(current);
        let mut others = given.iter();
        let signing = crm_core::access::TokenKeys::new(issuer, audience, &id, &key);
        let all = signing.and_then(|keys| others.try_fold(keys, |keys, (id, key)| keys.accepting(id, key)));
        Ok(Self(all.map_err(|error| raised(py, &error.into()))?, shown))
    }

    fn __repr__(&self) -> &str {
        &self.1
    }
}

impl TokenKeys {
    /// A book whose users can sign in.
    pub(crate) fn equip(&self, crm: Crm) -> Crm {
        crm.with_logins(self.0.clone(), PasswordCost::default())
    }
}

/// The secret of a key, as text or as bytes.
fn key_secret(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    match value.cast::<PyBytes>() {
        Ok(bytes) => Ok(bytes.as_bytes().to_vec()),
        Err(_) => Ok(secret("keys", value)?.expose().as_bytes().to_vec()),
    }
}

/// A secret text. What is wrong with it is told without it.
pub(crate) fn secret(field: &str, value: &Bound<'_, PyAny>) -> PyResult<Secret> {
    let text = value.cast::<PyString>().map_err(|_| wrong_type(field, "str", value))?;
    let text = text.to_str().map_err(|_| invalid(value.py(), field, ValueError::syntax("text", "half a character")))?;
    Ok(text.into())
}

/// What a session was opened with.
pub(crate) struct Credential {
    crm: Crm,
    shown: Shown,
}

enum Shown {
    Token(Secret),
    Key(Secret, Requester),
}

impl Credential {
    /// Opens a session, as long as the credential is valid.
    pub(crate) async fn open(&self) -> Outcome<crm_core::Session<'static>> {
        match &self.shown {
            Shown::Token(token) => self.crm.session_with_token(token.expose()).await,
            Shown::Key(key, requester) => Ok(self.crm.session_with_key(key).await?.requested_by(requester)),
        }
    }
}

/// How people and programs come in.
#[pyclass(frozen, module = "crm_py._crm_py")]
pub(crate) struct Logins(Py<Database>);

/// Somebody who signed in: access and refresh token, when each expires, who, and in which role.
type Tokens<'py> = (String, String, Bound<'py, PyAny>, Bound<'py, PyAny>, Py<PyAny>, &'static str);

#[pymethods]
impl Logins {
    #[new]
    const fn new(database: Py<Database>) -> Self {
        Self(database)
    }

    /// Signs somebody in with a password.
    #[pyo3(signature = (organization, name, password, *, source = None))]
    fn login<'py>(
        &self,
        py: Python<'py>,
        organization: &str,
        name: String,
        password: &Bound<'py, PyAny>,
        source: Option<&str>,
    ) -> PyResult<Tokens<'py>> {
        // What names no organization gets the answer that an unknown one gets.
        let refused = || raised(py, &CrmError::LoginRefused);
        let login = Login {
            organization: organization.parse().map_err(|_| refused())?,
            name,
            password: secret("password", password)?,
            source: optional(py, "source", source)?,
        };
        let database = self.0.get();
        tokens(py, &database.shared().run(py, async { database.crm().login(&login).await })?)
    }

    /// Exchanges a refresh token for the next pair of tokens.
    fn refresh<'py>(&self, py: Python<'py>, token: &Bound<'py, PyAny>) -> PyResult<Tokens<'py>> {
        let (database, token) = (self.0.get(), secret("token", token)?);
        tokens(py, &database.shared().run(py, async { database.crm().refresh(&token).await })?)
    }

    /// Ends the session of a refresh token.
    fn logout(&self, py: Python<'_>, token: &Bound<'_, PyAny>) -> PyResult<()> {
        let (database, token) = (self.0.get(), secret("token", token)?);
        database.shared().run(py, async { database.crm().logout(&token).await })
    }

    /// Opens the session of an access token.
    fn with_token(&self, py: Python<'_>, access: &Bound<'_, PyAny>) -> PyResult<Session> {
        self.open(py, Shown::Token(secret("access", access)?))
    }

    /// Opens an organization for an API key.
    #[pyo3(signature = (key, *, name = None, email = None, application_id = None))]
    fn with_key(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyAny>,
        name: Option<&str>,
        email: Option<&str>,
        application_id: Option<&str>,
    ) -> PyResult<Session> {
        let requester = Requester {
            name: optional(py, "name", name)?,
            email: optional(py, "email", email)?,
            application_id: optional(py, "application_id", application_id)?,
        };
        self.open(py, Shown::Key(secret("key", key)?, requester))
    }

    /// Makes the invited person a member.
    #[pyo3(signature = (text, *, full_name = None))]
    fn accept_invitation(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyAny>,
        full_name: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let (database, text) = (self.0.get(), secret("text", text)?);
        let name = optional(py, "full_name", full_name)?;
        let member = database.shared().run(py, async { database.crm().accept_invitation(&text, name).await })?;
        Record::wrap(py, Membership::TABLE, member.to_row())
    }

    /// Answers an invitation with no.
    fn decline_invitation(&self, py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<()> {
        let (database, text) = (self.0.get(), secret("text", text)?);
        database.shared().run(py, async { database.crm().decline_invitation(&text).await })
    }

    /// Sets a user's password, for a host that knows who asks.
    fn set_password(&self, py: Python<'_>, email: &str, password: &Bound<'_, PyAny>) -> PyResult<()> {
        let (database, password) = (self.0.get(), secret("password", password)?);
        let email = email.parse().map_err(|reason| invalid(py, "email", reason))?;
        database.shared().run(py, async { database.crm().set_password(&email, &password).await })
    }

    /// Lets a user act again who was deactivated, for a host that knows who asks.
    fn activate_user(&self, py: Python<'_>, email: &str) -> PyResult<()> {
        let database = self.0.get();
        let email = email.parse().map_err(|reason| invalid(py, "email", reason))?;
        database.shared().run(py, async { database.crm().activate_user(&email).await })
    }
}

impl Logins {
    fn open(&self, py: Python<'_>, shown: Shown) -> PyResult<Session> {
        let database = self.0.get();
        let credential = Credential { crm: database.crm().clone(), shown };
        let session = database.shared().run(py, credential.open())?;
        Ok(Session::new(Arc::clone(database.shared()), session, Some(credential)))
    }
}

fn tokens<'py>(py: Python<'py>, signed: &Signed) -> PyResult<Tokens<'py>> {
    Ok((
        signed.access.expose().to_owned(),
        signed.refresh.expose().to_owned(),
        instant_object(py, signed.expires_at)?,
        instant_object(py, signed.refresh_expires_at)?,
        Record::wrap(py, User::TABLE, signed.user.to_row())?,
        signed.role.as_str(),
    ))
}

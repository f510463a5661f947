//! Who acts: a member by name, an API key, or whoever signed in.
//!
//! The first of these that was given decides: the option `--as`; an API key, from standard input or `CRM_KEY`; `CRM_AS`;
//! the login to the organization; the configuration file. What decides must hold: a login that has ended is no reason to
//! act as somebody else.

use crm_core::access::{QuotaLeft, Requester, Secret};
use crm_core::value::{Email, Instant, Slug};
use crm_core::{Crm, CrmError, Environment as _, Session};

use crate::config::Origin;
use crate::error::Failure;
use crate::logins::{self, Login, Logins};
use crate::open::App;
use crate::output::moment;
use crate::secrets;

/// The environment variable with an API key.
pub(crate) const KEY: &str = "CRM_KEY";
/// The environment variables that say who asks, for the log of an API key's requests.
const APPLICATION: &str = "CRM_APPLICATION";
const NAME: &str = "CRM_REQUEST_NAME";
const EMAIL: &str = "CRM_REQUEST_EMAIL";

/// How it is known who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// A member was named, here.
    Named(Origin),
    /// An API key was given, here.
    Key(Origin),
    /// Somebody has signed in; when that ends unless it is used before.
    Login(Instant),
}

/// Somebody at work.
#[derive(Clone)]
pub(crate) struct Acting {
    /// Their session.
    pub(crate) session: Session<'static>,
    /// How it is known who they are.
    pub(crate) how: How,
    /// What was left of an API key's quotas when it began; known unless it is to be quiet.
    quotas: Vec<QuotaLeft>,
}

/// Who is said to act.
enum Claim {
    Named(String, Origin),
    Key(Secret, Origin),
    Login(Box<Login>),
}

impl App {
    /// Whoever acts, at work in the organization that the settings name.
    pub(crate) async fn session(&self) -> Result<Session<'static>, Failure> {
        Ok(self.acting().await?.session.clone())
    }

    /// Whoever acts, and how that is known.
    pub(crate) async fn acting(&self) -> Result<&Acting, Failure> {
        if let Some(acting) = self.acting.get() {
            return Ok(acting);
        }
        let acting = self.begin().await?;
        Ok(self.acting.get_or_init(|| acting))
    }

    async fn begin(&self) -> Result<Acting, Failure> {
        let claim = self.claim()?;
        let (session, how) = match claim {
            Claim::Named(name, origin) => {
                let org = self.org()?;
                let email: Email = name.parse().map_err(|reason| Failure::invalid("as", &reason))?;
                let database = self.database(false).await?;
                (database.crm(self.clock).session(&org, &email).await?, How::Named(origin))
            }
            Claim::Key(text, origin) => {
                let crm = self.database(false).await?.crm(self.clock);
                let session = crm.session_with_key(&text).await?;
                self.require_chosen(&session)?;
                (session.requested_by(&requester()?), How::Key(origin))
            }
            Claim::Login(login) => self.through(*login).await?,
        };
        let quotas = if self.out.quiet { Vec::new() } else { session.quotas().await? };
        Ok(Acting { session, how, quotas })
    }

    /// Whether the settings or a credential say who acts, and where.
    pub(crate) fn is_somebody_named(&self) -> bool {
        let member = self.settings.get("as").is_some() && self.settings.get("org").is_some();
        member || self.key_stdin || std::env::var_os(KEY).is_some() || self.login().is_ok_and(|login| login.is_some())
    }

    /// Whether an API key or a login says who acts, and so reaches no further than one organization.
    pub(crate) fn is_by_credential(&self) -> Result<bool, Failure> {
        let named = self.settings.get("as").and(self.settings.origin("as"));
        if let Some(Origin::Flag(_)) = named {
            return Ok(false);
        }
        if self.key_stdin || std::env::var_os(KEY).is_some() {
            return Ok(true);
        }
        Ok(!matches!(named, Some(Origin::Env(_))) && self.login()?.is_some())
    }

    fn claim(&self) -> Result<Claim, Failure> {
        let named = self.settings.get("as").zip(self.settings.origin("as"));
        let named = named.map(|(name, origin)| (name.to_owned(), origin.clone()));
        if let Some((name, origin @ Origin::Flag(_))) = named {
            return Ok(Claim::Named(name, origin));
        }
        if self.key_stdin {
            return Ok(Claim::Key(secrets::key()?, Origin::Flag("key-stdin")));
        }
        if let Some(key) = std::env::var_os(KEY) {
            let key = Secret::from(key.to_string_lossy().trim());
            if key.expose().is_empty() {
                // Whoever set it meant to act through a key, and not as whoever comes next.
                return Err(
                    Failure::nobody("CRM_KEY is blank", "Give it the text of an API key, or unset it").field(KEY)
                );
            }
            return Ok(Claim::Key(key, Origin::Env(KEY)));
        }
        if let Some((name, origin @ Origin::Env(_))) = named {
            return Ok(Claim::Named(name, origin));
        }
        if let Some(login) = self.login()? {
            return Ok(Claim::Login(Box::new(login)));
        }
        match named {
            Some((name, origin)) => Ok(Claim::Named(name, origin)),
            None => {
                Err(Failure::nobody("Nobody is acting", "Sign in with `crm login`, give --as EMAIL, or set CRM_KEY"))
            }
        }
    }

    /// The login to the organization that the settings name; where they name none, the only one to the database.
    pub(crate) fn login(&self) -> Result<Option<Login>, Failure> {
        let org = self.settings.get("org").map(|_| self.org()).transpose()?;
        let database = logins::place(self.settings.database());
        Ok(Logins::load()?.find(&database, org.as_ref().map(Slug::as_str)).cloned())
    }

    /// The organization that the settings name.
    pub(crate) fn org(&self) -> Result<Slug, Failure> {
        let missing = || {
            Failure::usage("No organization is chosen")
                .field("org")
                .hint("Give --org SLUG, set CRM_ORG, or run `crm config set org SLUG`")
        };
        let org = self.settings.get("org").ok_or_else(missing)?;
        org.parse().map_err(|reason| Failure::invalid("org", &reason))
    }

    /// An API key names its organization itself. It goes before the one that is remembered, but not against one that was
    /// asked for.
    fn require_chosen(&self, session: &Session<'_>) -> Result<(), Failure> {
        if !matches!(self.settings.origin("org"), Some(Origin::Flag(_) | Origin::Env(_))) {
            return Ok(());
        }
        let org = self.org()?;
        if session.organization().slug == org {
            return Ok(());
        }
        let message = format!("The API key is none of the organization {org}");
        Err(Failure::nobody(message, "Give no organization: the key names its own").field("org"))
    }

    /// The session of a login, whose access token is renewed once it has expired.
    async fn through(&self, login: Login) -> Result<(Session<'static>, How), Failure> {
        let crm = self.crm_with_logins(false).await?;
        if let Some(token) = login.access_at(self.clock.now()) {
            match crm.session_with_token(token.expose()).await {
                // Whether it was the token or the login, the other token tells.
                Err(CrmError::TokenRefused) => {}
                opened => return Ok((opened?, How::Login(login.ends_at()))),
            }
        }
        let ended = |login: &Login| {
            Failure::nobody(
                format!("The login of {} to {} has ended", login.user, login.org),
                format!("Sign in again with `crm login {}`, or forget it with `crm logout`", login.user),
            )
        };
        let renewed = self.renew(&crm, login, ended).await?;
        match renewed.access_at(self.clock.now()) {
            Some(token) => match crm.session_with_token(token.expose()).await {
                Err(CrmError::TokenRefused) => Err(ended(&renewed)),
                opened => Ok((opened?, How::Login(renewed.ends_at()))),
            },
            None => Err(ended(&renewed)),
        }
    }

    /// Exchanges the tokens of a login, unless another process has done so meanwhile.
    async fn renew(&self, crm: &Crm, login: Login, ended: impl Fn(&Login) -> Failure) -> Result<Login, Failure> {
        let (held, mut logins) = Logins::change()?;
        let kept = logins.find(&login.database, Some(&login.org)).cloned();
        let kept = kept.ok_or_else(|| ended(&login))?;
        if kept.refresh() != login.refresh() && kept.access_at(self.clock.now()).is_some() {
            return Ok(kept);
        }
        let signed = crm.refresh(kept.refresh()).await.map_err(|error| match error {
            CrmError::TokenRefused => ended(&kept),
            other => other.into(),
        })?;
        let renewed = Login::new(kept.database, kept.org, &signed);
        logins.put(renewed.clone());
        logins.save()?;
        drop(held);
        Ok(renewed)
    }

    /// Says what an API key's work took from its quotas. The work is done: that they cannot be read is no failure of it.
    pub(crate) async fn tell_quotas(&self) {
        let Some(acting) = self.acting.get().filter(|acting| !acting.quotas.is_empty()) else { return };
        for left in acting.session.quotas().await.unwrap_or_default() {
            let before = acting.quotas.iter().find(|before| before.operation == left.operation);
            if before.is_none_or(|before| before.used != left.used) {
                self.out.note(&format!("{}.", sentence_of(&left)));
            }
        }
    }
}

/// What is left of a quota, for people.
pub(crate) fn sentence_of(left: &QuotaLeft) -> String {
    let QuotaLeft { operation, limit, resets_at, .. } = left;
    format!("{operation}: {} of {limit} left until {}", left.remaining(), moment(*resets_at))
}

/// Who asks, as the environment says.
fn requester() -> Result<Requester, Failure> {
    fn read<T: std::str::FromStr<Err = crm_core::value::ValueError>>(name: &str) -> Result<Option<T>, Failure> {
        let text = std::env::var(name).ok().filter(|text| !text.trim().is_empty());
        text.map(|text| text.parse()).transpose().map_err(|reason| Failure::invalid(name, &reason))
    }
    Ok(Requester { name: read(NAME)?, email: read(EMAIL)?, application_id: read(APPLICATION)? })
}

//! What a rule may know of the world: the time, new ids, who acts, and for which organization.

use std::sync::Arc;

use uuid::Uuid;

use crate::access::{ApiKey, Organization, Rights, Role, Scopes, User};
use crate::id::Id;
use crate::store::Stamp;
use crate::value::{Currency, Date, Instant, Zone};

/// Gives the time, new ids and random bytes. Injected, so that core reads no clock and every run can be repeated.
pub trait Environment: Send + Sync {
    /// The present instant.
    fn now(&self) -> Instant;
    /// A new id: a UUID version 7, larger than the ones before it.
    fn new_id(&self) -> Uuid;
    /// Fills the bytes with what nobody can guess: passwords' salts and tokens come of it.
    fn fill_random(&self, bytes: &mut [u8]);
}

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A member.
    User(Id<User>),
    /// An API key, for the member that it was made by.
    Key {
        /// The key.
        id: Id<ApiKey>,
        /// The member.
        user: Id<User>,
    },
    /// The program itself, as when it creates an organization.
    System,
}

impl Actor {
    /// The actor's id, if it has one.
    pub const fn id(self) -> Option<Uuid> {
        match self {
            Self::User(id) => Some(id.uuid()),
            Self::Key { id, .. } => Some(id.uuid()),
            Self::System => None,
        }
    }

    /// The member, or the one that the API key acts for.
    pub const fn user(self) -> Option<Id<User>> {
        match self {
            Self::User(id) | Self::Key { user: id, .. } => Some(id),
            Self::System => None,
        }
    }
}

/// Random bytes of which the salts of a change-set's audit entries come; never printed.
#[derive(Clone, Default)]
pub struct Seed([u8; 32]);

impl Seed {
    /// The bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed")
    }
}

/// What a rule may know of the world while it decides one command.
#[derive(Clone)]
pub struct Context {
    environment: Arc<dyn Environment>,
    now: Instant,
    actor: Actor,
    role: Role,
    scopes: Option<Arc<Scopes>>,
    organization: Arc<Organization>,
}

impl Context {
    /// The world as it is now.
    pub fn new(environment: Arc<dyn Environment>, actor: Actor, role: Role, organization: Arc<Organization>) -> Self {
        let now = environment.now();
        Self { environment, now, actor, role, scopes: None, organization }
    }

    /// The same within the scopes of an API key, if there are any.
    #[must_use]
    pub fn within(self, scopes: Option<Arc<Scopes>>) -> Self {
        Self { scopes, ..self }
    }

    /// The world above organizations, where the program itself acts.
    pub(crate) fn system(environment: Arc<dyn Environment>) -> Self {
        let (slug, name) = ("system".parse().expect("a valid slug"), "system".parse().expect("a valid name"));
        let nobodys = Organization::new(slug, name, Currency::USD, Zone::UTC);
        Self::new(environment, Actor::System, Role::Owner, Arc::new(nobodys))
    }

    /// The instant of the command, the same throughout.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The civil date in the organization's time zone.
    pub fn today(&self) -> Date {
        self.organization.time_zone.date_at(self.now)
    }

    /// A new id.
    pub fn new_id(&mut self) -> Uuid {
        self.environment.new_id()
    }

    /// Fills the bytes with what nobody can guess.
    pub fn fill_random(&mut self, bytes: &mut [u8]) {
        self.environment.fill_random(bytes);
    }

    pub(crate) fn environment(&self) -> &dyn Environment {
        &*self.environment
    }

    /// Who acts.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// In which role.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// What the actor may do.
    pub fn rights(&self) -> Rights<'_> {
        Rights::within(self.role, self.scopes.as_deref())
    }

    /// For which organization.
    pub fn organization(&self) -> &Organization {
        &self.organization
    }

    /// The organization's default currency.
    pub fn currency(&self) -> Currency {
        self.organization.default_currency
    }

    /// Who does what, now.
    pub fn stamp(&mut self, command: &'static str) -> Stamp {
        let mut seed = [0; 32];
        self.fill_random(&mut seed);
        Stamp { id: self.new_id(), actor: self.actor, command, at: self.now, seed: Seed(seed) }
    }
}

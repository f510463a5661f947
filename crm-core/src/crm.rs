//! The facade: organizations are opened here, and every command runs through a [`Session`].
//!
//! A command loads what it needs, decides with plain functions, and applies one change-set. If what it
//! decided on changed meanwhile, it loads and decides again.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;

use crate::access::{
    AccessError, ApiKey, Charge, Counted, Grant, Hasher, Idempotency, IdempotencyKey, Membership, Organization,
    PasswordCost, Requester, Role, TokenKeys, User, invalid_key, join, left,
};
use crate::acting::{Acting, LoginAtWork, acting};
use crate::billing::{DocumentKind, NumberSeries};
use crate::commands::{Archive, Create, Delete, Restore, Update};
use crate::context::{Actor, Context, Environment};
use crate::crud::{self, Edit, Rules};
use crate::entity::{Entity, Locale, Stored, Tenancy};
use crate::error::CrmError;
use crate::id::Id;
use crate::privacy::Meanwhile;
use crate::refusal::new_to_all;
pub(crate) use crate::refusal::{field_of, named};
use crate::row::{Deferred, Row, Value};
use crate::sales::default_pipeline;
use crate::service::first_calendar;
use crate::sight::{conceal, concealed};
use crate::store::{
    Aggregate, Applied, ChangeSet, Expr, Filter, Measure, Page, Query, Scope, Select, Store, StoreError, StoreExt as _,
};
use crate::value::{Document, Email, Slug, Text, fold};

/// How often a command decides again before it gives up.
pub(crate) const TRIES: u32 = 200;

/// A book of customer relations on some store. A cheap handle; clone it freely.
#[derive(Clone)]
pub struct Crm {
    store: Arc<dyn Store>,
    environment: Arc<dyn Environment>,
    security: Arc<Security>,
}

/// How passwords are hashed and tokens signed.
struct Security {
    hasher: Hasher,
    keys: Option<TokenKeys>,
}

/// What a new organization needs.
#[derive(Clone, Debug)]
pub struct NewOrganization {
    /// Its settings; the key is given by the store.
    pub organization: Organization,
    /// The first owner's address.
    pub owner_email: Email,
    /// The first owner's name.
    pub owner_name: Text<255>,
    /// What stands before the numbers of its invoices.
    pub invoice_prefix: String,
}

impl Crm {
    /// A book on this store, with this clock and source of ids.
    pub fn new(store: impl Store + 'static, environment: impl Environment + 'static) -> Self {
        #[cfg(feature = "testing")]
        crate::testing::trace::start();
        let security = Security { hasher: Hasher::new(PasswordCost::default()), keys: None };
        Self { store: Arc::new(store), environment: Arc::new(environment), security: Arc::new(security) }
    }

    /// The same book, whose users can sign in: with the keys that sign their tokens, and what hashing a password costs.
    #[must_use]
    pub fn with_logins(self, keys: TokenKeys, cost: PasswordCost) -> Self {
        Self { security: Arc::new(Security { hasher: Hasher::new(cost), keys: Some(keys) }), ..self }
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The clock and source of ids.
    pub fn environment(&self) -> &Arc<dyn Environment> {
        &self.environment
    }

    pub(crate) fn hasher(&self) -> &Hasher {
        &self.security.hasher
    }

    pub(crate) fn token_keys(&self) -> Result<&TokenKeys, AccessError> {
        self.security.keys.as_ref().ok_or(AccessError::NoTokenKeys)
    }

    /// How many password hashes this book has computed.
    #[cfg(feature = "testing")]
    pub fn hashes_computed(&self) -> u64 {
        self.hasher().computed()
    }

    /// The organizations, by slug.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn organizations(&self) -> Result<Vec<Stored<Organization>>, CrmError> {
        let query = Query::all().ascending(Organization::COLUMNS.slug).limit(10_000).to_select()?;
        Ok(self.store.all(Scope::SYSTEM, &query).await?)
    }

    /// Creates an organization with its first owner, its series of invoices and credit notes, and a pipeline. For an owner
    /// who is a user already the same holds as when they accept an invitation ([`Crm::accept_invitation`]).
    ///
    /// # Errors
    /// [`CrmError::Duplicate`] when the slug is taken; [`AccessError::Deactivated`] for an owner who could not act.
    pub async fn create_organization(&self, new: &NewOrganization) -> Result<Stored<Organization>, CrmError> {
        for _ in 0..TRIES {
            // The key is the next free one; the unique index decides between two who chose the same.
            let largest = Aggregate::new(Organization::TABLE, Expr::True)
                .measure(Measure::Max(Organization::COLUMNS.key.operand()));
            let answers = self.store.aggregate(Scope::SYSTEM, &[largest]).await?;
            let key = answers.first().and_then(|rows| rows.first()?[0].as_int()).unwrap_or(0) + 1;
            let known = Select::new(User::TABLE, User::COLUMNS.email_key.eq(&new.owner_email.key().to_owned()).into());
            let known = self.store.first::<User>(Scope::SYSTEM, known).await?;

            let mut organization = Organization { key, ..new.organization.clone() };
            let context =
                Context::new(Arc::clone(&self.environment), Actor::System, Role::Owner, Arc::new(organization.clone()));
            organization.check(None, &context).map_err(CrmError::Invalid)?;
            let mut context = context;
            let mut changes = ChangeSet::new(context.stamp("organization.create"));
            let created = changes.insert(&mut context, organization);
            let user = if let Some(user) = known {
                join(&user, Some(&new.owner_name), &context, &mut changes)?;
                user.id
            } else {
                let (email, full_name) = (new.owner_email.clone(), new.owner_name.clone());
                changes.insert(&mut context, User::new(email, full_name)).id
            };
            changes.insert(&mut context, Membership { user_id: user, role: Role::Owner });
            let series = NumberSeries::new(DocumentKind::Invoice, &new.invoice_prefix, 6);
            changes.insert(&mut context, series.map_err(|reason| CrmError::invalid("invoice_prefix", reason))?);
            changes.insert(&mut context, NumberSeries::new(DocumentKind::CreditNote, "CN-", 6)?);
            default_pipeline(&mut context, &mut changes)?;
            let series = NumberSeries::new(DocumentKind::Case, "PQR-{date}-", 4);
            changes.insert(&mut context, series.map_err(|reason| CrmError::invalid("case_prefix", reason))?);
            first_calendar(&mut context, &mut changes)?;
            match self.store.apply(Scope::organization(key), changes).await {
                Ok(_) => return Ok(created),
                Err(StoreError::Conflict { table, .. }) if table == User::TABLE.name => {}
                Err(StoreError::Duplicate { table, columns })
                    if (table == Organization::TABLE.name && columns == ["key"]) || table == User::TABLE.name => {}
                Err(error) => return Err(named(error, "")),
            }
        }
        Err(CrmError::Conflict { entity: Organization::TABLE.entity, reference: new.organization.slug.to_string() })
    }

    /// Opens an organization for a member.
    ///
    /// The host vouches for the member. The session reads the organization's settings and number series and the member's
    /// role now. Every write checks in its own transaction that the role is still the same, and is decided anew if it is
    /// not. What a session that is kept reads meanwhile is as the role was when it was opened, or wrote last; so are
    /// settings and series. A session is cheap: open one for each piece of work, or open another and call
    /// [`Session::renew`]. A session that a credential opened ([`Crm::session_with_token`], [`Crm::session_with_key`]) asks
    /// at every call whether that still holds.
    ///
    /// # Errors
    /// [`CrmError::NotFound`] when there is no such organization, [`CrmError::Unauthenticated`] when the
    /// user is not an active member of it.
    pub async fn session(&self, organization: &Slug, acting_as: &Email) -> Result<Session<'static>, CrmError> {
        let query = Select::new(Organization::TABLE, Organization::COLUMNS.slug.eq(organization).into());
        let not_found =
            || CrmError::NotFound { entity: Organization::TABLE.entity, reference: organization.to_string() };
        let organization = self.store.first::<Organization>(Scope::SYSTEM, query).await?.ok_or_else(not_found)?;
        let query = Select::new(User::TABLE, User::COLUMNS.email_key.eq(&acting_as.key().to_owned()).into());
        let stranger = || CrmError::Unauthenticated(acting_as.to_string());
        let user = self.store.first::<User>(Scope::SYSTEM, query).await?.ok_or_else(stranger)?;
        self.open(organization, user, None).await
    }

    /// Opens an organization for a user; with a login, for as long as that goes on.
    pub(crate) async fn open(
        &self,
        organization: Stored<Organization>,
        user: Stored<User>,
        login: Option<LoginAtWork>,
    ) -> Result<Session<'static>, CrmError> {
        let scope = Scope::organization(organization.key);
        let acting = Acting { login, ..acting(&*self.store, scope, organization, user).await? };
        Ok(Session {
            store: Handle::Shared(Arc::clone(&self.store)),
            environment: Arc::clone(&self.environment),
            security: Arc::clone(&self.security),
            scope,
            acting: Arc::new(RwLock::new(Arc::new(acting))),
            checked: false,
        })
    }

    /// A session of an API key's member through the key.
    pub(crate) async fn session_of_key(&self, scope: Scope, key: Stored<ApiKey>) -> Result<Session<'static>, CrmError> {
        let query = Select::new(Organization::TABLE, Organization::COLUMNS.key.eq(&scope.key()).into());
        let organization = self.store.first::<Organization>(scope, query).await?.ok_or_else(invalid_key)?;
        let user = self.store.get(scope, key.user_id).await?.ok_or_else(invalid_key)?;
        let session = match self.open(organization, user, None).await {
            Err(CrmError::Unauthenticated(_)) => return Err(invalid_key()),
            other => other?,
        };
        let acting = (*session.acting()).clone().through(&*self.store, scope, key, self.environment.now()).await?;
        Ok(Session { acting: Arc::new(RwLock::new(Arc::new(acting))), ..session })
    }
}

/// A member at work in an organization. Everything that is done passes here: the policy, the retries, the
/// idempotency keys. A cheap handle; clone it freely.
#[derive(Clone)]
pub struct Session<'a> {
    store: Handle<'a>,
    environment: Arc<dyn Environment>,
    security: Arc<Security>,
    scope: Scope,
    pub(crate) acting: Arc<RwLock<Arc<Acting>>>,
    /// Whether the call has asked if what the session rests on still holds, or its change-set will.
    checked: bool,
}

/// A session without its store.
#[derive(Clone)]
pub(crate) struct Seat {
    environment: Arc<dyn Environment>,
    security: Arc<Security>,
    scope: Scope,
    acting: Arc<Acting>,
}

impl Seat {
    /// The member at work on a view of a store.
    pub(crate) fn on<'b>(&self, view: &'b dyn Store) -> Session<'b> {
        Session {
            store: Handle::Borrowed(view),
            environment: Arc::clone(&self.environment),
            security: Arc::clone(&self.security),
            scope: self.scope,
            acting: Arc::new(RwLock::new(Arc::clone(&self.acting))),
            checked: true,
        }
    }
}

/// A session's store: shared, or borrowed for as long as a view lives.
#[derive(Clone)]
enum Handle<'a> {
    Shared(Arc<dyn Store>),
    Borrowed(&'a dyn Store),
}

/// One thing that a member can do. The operation is `ENTITY.VERB`, by the root's entity.
#[async_trait]
pub trait Command: Send + Sync {
    /// The record that the command is about and gives back.
    type Root: Entity;
    /// The verb, as in the policy.
    const VERB: &'static str;

    /// Everything that makes this command differ from another one, for idempotency keys.
    fn body(&self) -> String;

    /// Loads what it needs, decides, and adds what is to be written.
    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Self::Root>, CrmError>;
}

impl Session<'_> {
    /// The store.
    pub fn store(&self) -> &dyn Store {
        match &self.store {
            Handle::Shared(store) => &**store,
            Handle::Borrowed(store) => *store,
        }
    }

    /// The organization's rows.
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    pub(crate) fn acting(&self) -> Arc<Acting> {
        Arc::clone(&self.acting.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The organization, as last read.
    pub fn organization(&self) -> Stored<Organization> {
        self.acting().organization.clone()
    }

    /// The acting user.
    pub fn user(&self) -> Stored<User> {
        self.acting().user.clone()
    }

    /// The acting user's role, or that of the API key, as last read.
    pub fn role(&self) -> Role {
        self.acting().role()
    }

    /// The API key that is at work, if it is one.
    pub fn key(&self) -> Option<Stored<ApiKey>> {
        self.acting().key.as_ref().map(|at_work| at_work.key.clone())
    }

    /// The same, with who asks for the log of an API key's requests; outside a key's session it changes nothing.
    #[must_use]
    pub fn requested_by(&self, requester: &Requester) -> Self {
        let mut acting = (*self.acting()).clone();
        acting.key.iter_mut().for_each(|at_work| at_work.requester = requester.clone());
        Self { acting: Arc::new(RwLock::new(Arc::new(acting))), ..self.clone() }
    }

    /// How typed text is read here: the organization's region and currency.
    pub fn locale(&self) -> Locale {
        let acting = self.acting();
        Locale { region: acting.value.default_region, currency: acting.value.default_currency }
    }

    /// The world as a rule sees it now.
    pub fn context(&self) -> Context {
        let acting = self.acting();
        let user = acting.user.id;
        let actor = acting.key.as_ref().map_or(Actor::User(user), |at_work| Actor::Key { id: at_work.key.id, user });
        let environment = Arc::clone(&self.environment);
        Context::new(environment, actor, acting.role(), Arc::clone(&acting.value)).within(acting.scopes().cloned())
    }

    /// The same member at work on a view of a store: within a host's transaction, or an import's.
    pub fn on<'b>(&self, view: &'b dyn Store) -> Session<'b> {
        Session {
            store: Handle::Borrowed(view),
            environment: Arc::clone(&self.environment),
            security: Arc::clone(&self.security),
            scope: self.scope,
            acting: Arc::clone(&self.acting),
            checked: self.checked,
        }
    }

    pub(crate) const fn is_checked(&self) -> bool {
        self.checked
    }

    /// The same for the rest of a call that has asked, or whose change-set will, if what it rests on still holds.
    pub(crate) fn checked(&self) -> Self {
        Self { checked: true, ..self.clone() }
    }

    /// Who is at work, without a store: for a feed, which is given a view of its own. It goes on though a token expires, and
    /// what else it rests on the change-set has checked.
    pub(crate) fn seat(&self) -> Seat {
        Seat {
            environment: Arc::clone(&self.environment),
            security: Arc::clone(&self.security),
            scope: self.scope,
            acting: Arc::new(Acting { login: None, ..(*self.acting()).clone() }),
        }
    }

    pub(crate) fn environment(&self) -> &Arc<dyn Environment> {
        &self.environment
    }

    pub(crate) fn hasher(&self) -> &Hasher {
        &self.security.hasher
    }

    /// Carries out a command: checks the policy, decides, applies, and decides again on a conflict.
    ///
    /// # Errors
    /// Whatever the command refuses; [`CrmError::Conflict`] when others kept being faster.
    pub async fn run<C: Command>(&self, command: &C) -> Result<Stored<C::Root>, CrmError> {
        self.run_with_key(command, None).await
    }

    /// Carries out a command at most once for this key: the same command sent again gives the first
    /// result, another command under the same key is refused.
    ///
    /// # Errors
    /// As [`Session::run`]; [`CrmError::KeyReused`] when the key belongs to another command.
    pub async fn run_with_key<C: Command>(
        &self,
        command: &C,
        key: Option<&IdempotencyKey>,
    ) -> Result<Stored<C::Root>, CrmError> {
        self.run_counted(command, key).await.map(|counted| counted.record)
    }

    /// As [`Session::run`] or [`Session::run_with_key`], and tells what is left of the API key's quotas that the command
    /// took from.
    ///
    /// # Errors
    /// As those; [`CrmError::QuotaExceeded`] when nothing was left.
    pub async fn run_counted<C: Command>(
        &self,
        command: &C,
        key: Option<&IdempotencyKey>,
    ) -> Result<Counted<C::Root>, CrmError> {
        // On the heap: callers would hold all that a command may come to wait for in futures of their own.
        let outcome = Box::pin(self.carry_out(command, key)).await;
        match &outcome {
            Ok((_, true)) => {}
            other => Box::pin(self.log_apart(C::Root::TABLE.entity, C::VERB, other.as_ref().err())).await,
        }
        outcome.map(|(counted, _)| counted)
    }

    /// The result, and whether it was written now.
    async fn carry_out<C: Command>(
        &self,
        command: &C,
        key: Option<&IdempotencyKey>,
    ) -> Result<(Counted<C::Root>, bool), CrmError> {
        let mut again = false;
        for _ in 0..TRIES {
            let acting = self.acting();
            let plan = self.plan_once(command, key).await;
            // What writes nothing is not guarded by what it writes.
            if !matches!(plan, Ok(Plan::Apply(..))) && !self.is_still(&acting).await? {
                continue;
            }
            let (changes, root, charges) = match plan? {
                Plan::Unchanged(root) => {
                    return Ok((Counted { record: concealed(*root)?, quotas: Vec::new() }, false));
                }
                Plan::Apply(changes, root, charges) => (changes, root, charges),
            };
            let id = C::Root::TABLE.id(&root).to_string();
            let new_to_all = new_to_all(&changes);
            match self.store().apply(self.scope, *changes).await {
                Ok(applied) => {
                    let record = finish(root, &applied)?;
                    return Ok((Counted { record, quotas: left(charges, &applied) }, true));
                }
                Err(StoreError::Conflict { .. }) => self.refresh().await?,
                Err(StoreError::Duplicate { .. } | StoreError::Limit { .. }) if new_to_all && !again => again = true,
                Err(error) => self.refused_for_good(error, &id, &acting).await?,
            }
        }
        let reference = command.body().lines().next().unwrap_or_default().to_owned();
        Err(CrmError::Conflict { entity: C::Root::TABLE.entity, reference })
    }

    /// What the key was used for, or else a plan.
    async fn plan_once<C: Command>(
        &self,
        command: &C,
        key: Option<&IdempotencyKey>,
    ) -> Result<Plan<C::Root>, CrmError> {
        if let Some(key) = key
            && let Some(first) = self.repeated(command, key).await?
        {
            return Ok(Plan::Unchanged(Box::new(first)));
        }
        self.plan(command, key).await
    }

    /// Decides a command without applying it.
    async fn plan<C: Command>(&self, command: &C, key: Option<&IdempotencyKey>) -> Result<Plan<C::Root>, CrmError> {
        // Whoever acts first is guarded: what is decided on later readings conflicts if they differ.
        let acting = self.acting();
        let (operation, grant) = self.granted_to(&acting, C::Root::TABLE.entity, C::VERB)?;
        let mut context = self.context();
        let mut changes = ChangeSet::new(context.stamp(operation));
        let root = command.decide(&self.checked(), grant, &mut context, &mut changes).await?;
        if changes.is_empty() && key.is_none() {
            return Ok(Plan::Unchanged(Box::new(root)));
        }
        self.require_living(&mut changes, Meanwhile::No).await?;
        acting.guard(&mut changes);
        let position = changes.position(root.id);
        let row = position.map_or_else(|| root.to_row(), |position| changes.changes[position].row().clone());
        if let Some(key) = key {
            let record = Idempotency {
                key: key.text().clone(),
                body_hash: self.body_hash(operation, command),
                at: context.now(),
                result: Document::from_canonical(crate::encode::encode_row(C::Root::TABLE, &root.to_row())),
                record_id: Some(root.id.uuid()),
            };
            let record = changes.insert(&mut context, record);
            if let Some(change) = position {
                changes.defer(record.id, Idempotency::COLUMNS.result.index(), Deferred::RowOf { change });
            }
        }
        let charges = self.charge(&mut context, &mut changes, false).await?;
        self.log(&mut context, &mut changes);
        Ok(Plan::Apply(Box::new(changes), row, charges))
    }

    /// What the role may read of an entity, as a filter to add to every query.
    ///
    /// # Errors
    /// As [`Session::authorize`]: when it may read nothing, and when a credential does not hold any more.
    pub async fn visible<E: Rules>(&self, verb: &str) -> Result<Expr, CrmError> {
        let (_, grant) = self.authorize(E::TABLE.entity, verb).await?;
        Ok(self.within_grant::<E>(grant))
    }

    pub(crate) fn within_grant<E: Rules>(&self, grant: Grant) -> Expr {
        let acting = self.acting();
        let granted = match grant {
            Grant::All => Expr::True,
            Grant::Own => E::own(acting.user.id),
            Grant::Never => Expr::False,
        };
        match E::TABLE.tenancy {
            Tenancy::Organization => granted,
            Tenancy::Global => granted.and(E::of_organization(acting.organization.id)),
        }
    }

    /// The record with this id, within a grant; another one is not found.
    pub(crate) async fn load<E: Rules>(&self, grant: Grant, id: Id<E>) -> Result<Stored<E>, CrmError> {
        let not_found = || CrmError::NotFound { entity: E::TABLE.entity, reference: id.to_string() };
        let found = match self.within_grant::<E>(grant) {
            Expr::True => self.store().get(self.scope, id).await?,
            filter => {
                let query = Select::new(E::TABLE, crud::column_is(0, Value::Id(id.uuid())).and(filter));
                self.store().first(self.scope, query).await?
            }
        };
        found.ok_or_else(not_found)
    }

    /// The record with this id.
    ///
    /// # Errors
    /// [`CrmError::NotFound`] when there is none that the member may see.
    pub async fn get<E: Rules>(&self, id: Id<E>) -> Result<Stored<E>, CrmError> {
        let (_, grant) = self.authorize(E::TABLE.entity, "read").await?;
        concealed(self.load(grant, id).await?)
    }

    /// The record that answers to the text: an id, or one of the entity's natural keys.
    ///
    /// # Errors
    /// [`CrmError::NotFound`]; [`CrmError::Ambiguous`] with the candidates when several answer.
    pub async fn find<E: Rules>(&self, reference: &str) -> Result<Stored<E>, CrmError> {
        if let Ok(id) = reference.parse() {
            return self.get(id).await;
        }
        let visible = self.visible::<E>("read").await?;
        if let Some(name) = E::NAME_IN_FORCE {
            let in_force = crud::column_is(E::TABLE.expect_position(name), Value::Text(fold(reference)));
            let in_force = Select::new(E::TABLE, in_force.and(visible.clone()));
            if let Some(record) = self.store().first(self.scope, in_force).await? {
                return concealed(record);
            }
        }
        let mut any = Vec::new();
        for name in E::NATURAL_KEYS {
            let column = E::TABLE.expect_position(name);
            let Ok(value) = E::parse(column, reference, &self.locale()) else { continue };
            // Text that is compared by a folded key is looked up by it.
            let (column, value) = match (*name, E::TABLE.position("email_key")) {
                ("email", Some(key)) => match reference.parse::<Email>() {
                    Ok(email) => (key, Value::Text(email.key().to_owned())),
                    Err(_) => continue,
                },
                _ => (column, value),
            };
            if !value.is_null() {
                any.push(crud::column_is(column, value));
            }
        }
        let filter = Expr::Or(any).and(visible);
        let found: Vec<Stored<E>> = self.store().all(self.scope, &Select::new(E::TABLE, filter).limited(10)).await?;
        match <[_; 1]>::try_from(found) {
            Ok([one]) => concealed(one),
            Err(none) if none.is_empty() => {
                Err(CrmError::NotFound { entity: E::TABLE.entity, reference: reference.to_owned() })
            }
            Err(several) => Err(CrmError::Ambiguous {
                entity: E::TABLE.entity,
                reference: reference.to_owned(),
                candidates: several.iter().map(|record| record.id.to_string()).collect(),
            }),
        }
    }

    /// A page of records that the member may see. Of records of other entities the query sees those that the member may see.
    ///
    /// # Errors
    /// When the role may not read an entity that the query looks at, the cursor belongs to another list, or a secret
    /// column is asked for.
    pub async fn list<E: Rules>(&self, query: &Query<E>) -> Result<Page<E>, CrmError> {
        let visible = self.visible::<E>("read").await?;
        let select = query.to_select().map_err(|reason| CrmError::invalid("after", reason))?;
        let mut select = self.confined(select)?;
        select.filter = select.filter.and(visible);
        let page = self.store().page(self.scope, &select).await?;
        let items = page.items.into_iter().map(concealed).collect::<Result<_, _>>()?;
        Ok(Page { items, ..page })
    }

    /// How many records that the member may see fulfil the query.
    ///
    /// # Errors
    /// When the role may not read an entity that the query looks at, or a secret column is asked for.
    pub async fn count<E: Rules>(&self, query: &Query<E>) -> Result<i64, CrmError> {
        let visible = self.visible::<E>("read").await?;
        let mut query = query.clone();
        query.filter = Filter::new(self.confined_filter(E::TABLE, &query.filter.into_expr())?.and(visible));
        Ok(self.store().count(self.scope, &query).await?)
    }

    /// Creates a record.
    ///
    /// # Errors
    /// [`CrmError::Invalid`] with every field that is missing or refused, and as [`Session::run`].
    pub async fn create<E: Rules>(&self, edit: Edit<E>) -> Result<Stored<E>, CrmError> {
        self.run(&Create(edit)).await
    }

    /// Creates many records at once, all or none.
    ///
    /// # Errors
    /// As [`Session::create`]; the fields are named by the record's position, `3.email`.
    pub async fn create_many<E: Rules>(&self, edits: &[Edit<E>]) -> Result<Vec<Stored<E>>, CrmError> {
        let outcome = Box::pin(self.create_all(edits)).await;
        if let Err(error) = &outcome {
            self.log_apart(E::TABLE.entity, "create", Some(error)).await;
        }
        outcome
    }

    async fn create_all<E: Rules>(&self, edits: &[Edit<E>]) -> Result<Vec<Stored<E>>, CrmError> {
        crud::require_general::<E>("create")?;
        let mut again = false;
        for _ in 0..TRIES {
            self.require_current().await?;
            let acting = self.acting();
            let (operation, grant) = self.granted_to(&acting, E::TABLE.entity, "create")?;
            let mut context = self.context();
            let mut changes = ChangeSet::new(context.stamp(operation));
            let mut created = Vec::with_capacity(edits.len());
            let mut refused = Vec::new();
            self.check_references(edits.iter().flat_map(crud::references), E::TABLE).await?;
            for (position, edit) in edits.iter().enumerate() {
                match crud::create(edit, &context) {
                    Ok(record) => created.push(changes.insert(&mut context, record)),
                    Err(CrmError::Invalid(fields)) => refused.extend(fields.into_iter().map(|mut invalid| {
                        invalid.field = format!("{position}.{}", invalid.field);
                        invalid
                    })),
                    Err(other) => return Err(other),
                }
            }
            if !refused.is_empty() {
                return Err(CrmError::Invalid(refused));
            }
            for record in &created {
                self.require_own(grant, record)?;
            }
            self.number(&mut context, &mut changes, created.iter().map(|record| record.id)).await?;
            self.require_living(&mut changes, Meanwhile::No).await?;
            acting.guard(&mut changes);
            self.charge(&mut context, &mut changes, false).await?;
            self.log(&mut context, &mut changes);
            let rows: Option<Vec<Row>> = (!changes.counters.is_empty()).then(|| {
                let positions = created.iter().filter_map(|record| changes.position(record.id));
                positions.map(|position| changes.changes[position].row().clone()).collect()
            });
            let new_to_all = new_to_all(&changes);
            match self.store().apply(self.scope, changes).await {
                Ok(applied) => {
                    return match rows {
                        Some(rows) => rows.into_iter().map(|row| finish(row, &applied)).collect(),
                        None => Ok(created),
                    };
                }
                Err(StoreError::Conflict { .. }) => self.refresh().await?,
                Err(StoreError::Duplicate { .. } | StoreError::Limit { .. }) if new_to_all && !again => again = true,
                Err(error) => self.refused_for_good(error, "", &acting).await?,
            }
        }
        Err(CrmError::Conflict { entity: E::TABLE.entity, reference: String::new() })
    }

    /// Changes a record.
    ///
    /// # Errors
    /// [`CrmError::Invalid`] with every field that is refused, and as [`Session::run`].
    pub async fn update<E: Rules>(&self, id: Id<E>, edit: Edit<E>) -> Result<Stored<E>, CrmError> {
        self.run(&Update { id, edit }).await
    }

    /// Archives a record: it leaves the lists and keeps its history.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub async fn archive<E: Rules>(&self, id: Id<E>) -> Result<Stored<E>, CrmError> {
        self.run(&Archive(id)).await
    }

    /// Restores an archived record.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub async fn restore<E: Rules>(&self, id: Id<E>) -> Result<Stored<E>, CrmError> {
        self.run(&Restore(id)).await
    }

    /// Deletes a record for good.
    ///
    /// # Errors
    /// [`CrmError::Referenced`] while other records refer to it, and as [`Session::run`].
    pub async fn delete<E: Rules>(&self, id: Id<E>) -> Result<Stored<E>, CrmError> {
        self.run(&Delete(id)).await
    }
}

enum Plan<E> {
    Unchanged(Box<Stored<E>>),
    Apply(Box<ChangeSet>, Row, Vec<Charge>),
}

/// The record as it was written, numbers included.
fn finish<E: Entity>(mut row: Row, applied: &Applied) -> Result<Stored<E>, CrmError> {
    for value in &mut row {
        if let Value::Deferred(deferred) = value
            && let Some(number) = deferred.number(&applied.counters)
        {
            *value = Value::Text(number);
        }
    }
    conceal(E::TABLE, &mut row);
    Ok(Stored::from_row(row)?)
}

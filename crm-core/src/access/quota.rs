//! Quotas: how often an API key may do what in one UTC day. They are data, and they are counted by a bounded counter of
//! the same change-set as the work: what is refused or fails is not counted, and no two callers take the last one.

use async_trait::async_trait;
use serde::Serialize;

use super::api_key::{ApiKey, members_only};
use super::{Grant, body_hash, policy};
use crate::context::Context;
use crate::crm::{Command, Session, TRIES};
use crate::crud::Rules;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{Applied, Change, ChangeSet, Filter, Query, Select, StoreError, StoreExt as _};
use crate::value::{Date, Instant, ValueError, Zone};

/// The largest quota.
const LARGEST: i64 = 1_000_000_000;

/// How many quotas a key has at most.
pub(crate) const QUOTAS: u32 = 200;

/// How many lines a report of usage has at most.
const LINES: u32 = 10_000;

/// The verbs of what creates a record of the entity.
const CREATIONS: &[&str] = &["create", "record", "open"];

/// Rights within other commands: nothing runs under their names, so that nothing of them can be counted.
const WITHIN_OTHERS: &[&str] = &["lead.reopen", "deal.move_back", "deal.import_past"];

crate::entity! {
    /// How often an API key may do one thing in one UTC day.
    pub struct KeyQuota: "key_quota" in "crm_key_quota" as Record, Organization {
        /// Which key.
        pub key_id: Id<ApiKey> [SERVER_OWNED] => ApiKey,
        /// What, as in the policy.
        pub operation: String [SERVER_OWNED],
        /// How often.
        pub per_day: i64 [SERVER_OWNED],
    }
    columns KeyQuotaColumns;
    derived { }
    unique { "crm_key_quota_operation": [key_id, operation] }
    index { }
}

impl Rules for KeyQuota {}

crate::entity! {
    /// How often an API key did one thing in one UTC day.
    pub struct KeyUsage: "key_usage" in "crm_key_usage" as Entry, Organization, unaudited {
        /// Which key.
        pub key_id: Id<ApiKey> [SERVER_OWNED] => ApiKey,
        /// What, as in the policy.
        pub operation: String [SERVER_OWNED],
        /// On which day.
        pub day: Date [SERVER_OWNED],
        /// How often.
        pub used: i64 [SERVER_OWNED COUNTER],
    }
    columns KeyUsageColumns;
    derived { }
    unique { "crm_key_usage_day": [key_id, operation, day] }
    index { "crm_key_usage_on": [day, id] }
}

impl Rules for KeyUsage {}

impl KeyQuota {
    /// A quota of a key.
    ///
    /// # Errors
    /// [`CrmError::Invalid`] when the operation is none that is counted, or the number is below 0 or above a thousand
    /// million.
    pub(crate) fn new(key_id: Id<ApiKey>, operation: &str, per_day: i64) -> Result<Self, CrmError> {
        if !is_counted(operation) {
            let reason = ValueError::syntax("an operation that writes, such as contact.create", operation);
            return Err(CrmError::invalid("quotas.operation", reason));
        }
        if !(0..=LARGEST).contains(&per_day) {
            return Err(CrmError::invalid("quotas.per_day", ValueError::out_of_range(0, LARGEST)));
        }
        Ok(Self { key_id, operation: operation.to_owned(), per_day })
    }

    /// How much of the quota a change-set takes. Whatever creates a record takes of the quota of its creation, so that
    /// an import is no way around it; anything else is taken once, by the command of that name.
    fn demand(&self, changes: &ChangeSet, in_chunk: bool) -> i64 {
        let creation = self.operation.split_once('.').filter(|(_, verb)| CREATIONS.contains(verb));
        let created = creation.map_or(0, |(entity, _)| {
            let inserts = changes.changes.iter().filter(|change| matches!(change, Change::Insert { .. }));
            i64::try_from(inserts.filter(|change| change.table().entity == entity).count()).unwrap_or(i64::MAX)
        });
        created.max(i64::from(!in_chunk && self.operation == changes.stamp.command))
    }
}

/// Whether a command runs under the operation's name, so that it can be counted.
pub(crate) fn is_counted(operation: &str) -> bool {
    let known = operation.split_once('.').filter(|(entity, verb)| policy::find(entity, verb).is_some());
    known.is_some_and(|(entity, verb)| {
        entity != "report" && verb != "read" && verb != "verify" && !WITHIN_OTHERS.contains(&operation)
    })
}

/// What is left of a quota.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuotaLeft {
    /// The operation, such as `contact.create`.
    pub operation: String,
    /// How often it may be done in one UTC day.
    pub limit: i64,
    /// How often it was done on the day.
    pub used: i64,
    /// When the next day begins.
    pub resets_at: Instant,
}

impl QuotaLeft {
    /// How often it may still be done on the day.
    pub fn remaining(&self) -> i64 {
        (self.limit - self.used).max(0)
    }
}

/// The UTC day of an instant, and when the next one begins.
fn day_of(now: Instant) -> (Date, Instant) {
    let day = Zone::UTC.date_at(now);
    (day, end(day))
}

/// When the UTC day after this one begins.
fn end(day: Date) -> Instant {
    day.succ_opt().map_or(Instant::MAX, |next| Zone::UTC.start_of(next))
}

/// The id of a day's counter: the same for all who make it at the same time, so that one waits for the other. By a unique
/// index that is checked at the end of the statement they would wait for each other.
fn usage_id(quota: &KeyQuota, day: Date) -> Id<KeyUsage> {
    let (key, day) = (quota.key_id.uuid(), day.to_string());
    let hash = body_hash(&[key.as_bytes(), quota.operation.as_bytes(), day.as_bytes()]);
    let bytes = hash.first_chunk::<16>().copied().unwrap_or_default();
    Id::new(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// What a change-set takes of a quota.
#[derive(Debug)]
pub(crate) struct Charge {
    counter: usize,
    by: i64,
    left: QuotaLeft,
}

/// What is left after a change-set was applied.
pub(crate) fn left(charges: Vec<Charge>, applied: &Applied) -> Vec<QuotaLeft> {
    let left = charges.into_iter().map(|charge| {
        let before = applied.counters.get(charge.counter).copied().unwrap_or_default();
        QuotaLeft { used: before + charge.by, ..charge.left }
    });
    left.collect()
}

/// A record with what is left of the API key's quotas that it was taken from; none outside a key's session.
#[derive(Clone, Debug)]
pub struct Counted<E> {
    /// The record.
    pub record: Stored<E>,
    /// What is left.
    pub quotas: Vec<QuotaLeft>,
}

impl Session<'_> {
    /// Takes what a change-set does from the quotas of the API key, if one is at work. To be called when everything else
    /// is decided. A chunk of an import is no command of its own.
    pub(crate) async fn charge(
        &self,
        context: &mut Context,
        changes: &mut ChangeSet,
        in_chunk: bool,
    ) -> Result<Vec<Charge>, CrmError> {
        let acting = self.acting();
        let Some(at_work) = &acting.key else { return Ok(Vec::new()) };
        let (day, resets_at) = day_of(context.now());
        let mut charges = Vec::new();
        for quota in &at_work.quotas {
            let by = quota.demand(changes, in_chunk);
            if by == 0 {
                continue;
            }
            let usage = self.usage(context, quota, day).await?;
            let counter = changes.count(usage, KeyUsage::COLUMNS.used.index(), by, quota.per_day);
            let left = QuotaLeft { operation: quota.operation.clone(), limit: quota.per_day, used: 0, resets_at };
            charges.push(Charge { counter, by, left });
        }
        Ok(charges)
    }

    /// Takes something that an API key has read from its quotas, and logs it; nothing outside a key's session.
    pub(crate) async fn account_for(&self, entity: &str, verb: &str) -> Result<(), CrmError> {
        for _ in 0..TRIES {
            let acting = self.acting();
            if acting.key.is_none() {
                return Ok(());
            }
            let (operation, _) = self.granted_to(&acting, entity, verb)?;
            let mut context = self.context();
            let mut changes = ChangeSet::new(context.stamp(operation));
            acting.guard(&mut changes);
            self.charge(&mut context, &mut changes, false).await?;
            self.log(&mut context, &mut changes);
            match self.store().apply(self.scope(), changes).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Conflict { .. }) => self.refresh().await?,
                Err(error) => {
                    let refused = self.exceeded(error).await?;
                    self.log_apart(entity, verb, Some(&refused)).await;
                    return Err(refused);
                }
            }
        }
        Err(CrmError::Conflict { entity: KeyUsage::TABLE.entity, reference: verb.to_owned() })
    }

    /// Makes the counters of the day of everything that an import may take from, since a chunk can make none.
    pub(crate) async fn open_usage(&self, context: &mut Context) -> Result<(), CrmError> {
        let acting = self.acting();
        for quota in acting.key.iter().flat_map(|key| &key.quotas) {
            let (day, _) = day_of(context.now());
            self.usage(context, quota, day).await?;
        }
        Ok(())
    }

    /// The counter of a day. It is made by itself, before the work that it counts: only what is there can be counted.
    async fn usage(&self, context: &mut Context, quota: &KeyQuota, day: Date) -> Result<Id<KeyUsage>, CrmError> {
        let id = usage_id(quota, day);
        for _ in 0..TRIES {
            if self.store().get(self.scope(), id).await?.is_some() {
                break;
            }
            let mut made = ChangeSet::new(context.stamp("key_usage.open"));
            let (key_id, operation) = (quota.key_id, quota.operation.clone());
            made.insert_as(context, id, KeyUsage { key_id, operation, day, used: 0 });
            match self.store().apply(self.scope(), made).await {
                Ok(_) => break,
                // Someone else was faster, or in the way.
                Err(StoreError::Duplicate { .. } | StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(id)
    }

    /// Says of a refusal by a quota's counter which quota it was; any other error stays as it is.
    pub(crate) async fn exceeded(&self, error: StoreError) -> Result<CrmError, StoreError> {
        let StoreError::Limit { table, id, .. } = &error else { return Err(error) };
        if *table != KeyUsage::TABLE.name {
            return Err(error);
        }
        let Some(usage) = self.store().get::<KeyUsage>(self.scope(), Id::new(*id)).await? else { return Err(error) };
        let acting = self.acting();
        let quotas = acting.key.iter().flat_map(|key| &key.quotas);
        let limit = quotas.filter(|quota| quota.operation == usage.operation).map(|quota| quota.per_day).next();
        let resets_at = end(usage.day);
        let operation = usage.value.operation;
        Ok(CrmError::QuotaExceeded { operation, limit: limit.unwrap_or_default(), resets_at })
    }

    /// What is left of the API key's quotas now; nothing outside a key's session.
    ///
    /// # Errors
    /// [`CrmError::BadCredential`] when the key does not work any more, and when the store fails.
    pub async fn quotas(&self) -> Result<Vec<QuotaLeft>, CrmError> {
        self.require_current().await?;
        let acting = self.acting();
        let Some(at_work) = &acting.key else { return Ok(Vec::new()) };
        let (day, resets_at) = day_of(self.environment().now());
        let columns = KeyUsage::COLUMNS;
        let today = Select::new(KeyUsage::TABLE, (columns.key_id.eq(&at_work.key.id) & columns.day.eq(&day)).into());
        let used: Vec<Stored<KeyUsage>> = self.store().all(self.scope(), &today).await?;
        let left = at_work.quotas.iter().map(|quota| {
            let used = used.iter().find(|usage| usage.operation == quota.operation).map_or(0, |usage| usage.used);
            QuotaLeft { operation: quota.operation.clone(), limit: quota.per_day, used, resets_at }
        });
        Ok(left.collect())
    }

    /// What the organization's API keys did in a period of UTC days, both included, as far as it has a quota: by day,
    /// key and operation, at most ten thousand lines. For today there is a line for every quota of a key that works,
    /// although nothing was taken of it.
    ///
    /// # Errors
    /// [`CrmError::Forbidden`]; [`CrmError::Invalid`] when the period ends before it begins.
    pub async fn key_usage(
        &self,
        key: Option<Id<ApiKey>>,
        from: Date,
        to: Date,
    ) -> Result<Vec<KeyUsageLine>, CrmError> {
        let session = self.current().await?;
        if to < from {
            return Err(CrmError::invalid("to", ValueError::Before { earliest: from, got: to }));
        }
        let (columns, mut of_key) = (KeyUsage::COLUMNS, Filter::all());
        let mut filter = columns.day.ge(&from) & columns.day.le(&to);
        if let Some(key) = key {
            let key = session.get(key).await?.id;
            filter = filter & columns.key_id.eq(&key);
            of_key = KeyQuota::COLUMNS.key_id.eq(&key);
        }
        let query = Query::new(filter).ascending(columns.day).limit(LINES).to_select();
        let mut query = query.map_err(|reason| CrmError::invalid("from", reason))?;
        query.filter = query.filter.and(session.visible::<KeyUsage>("read").await?);
        let used: Vec<Stored<KeyUsage>> = self.store().all(self.scope(), &query).await?;
        let quotas = Select::new(KeyQuota::TABLE, of_key.into()).limited(LINES);
        let quotas: Vec<Stored<KeyQuota>> = self.store().all(self.scope(), &quotas).await?;
        let mut ids: Vec<uuid::Uuid> = used.iter().map(|usage| usage.key_id.uuid()).collect();
        ids.extend(quotas.iter().map(|quota| quota.key_id.uuid()));
        ids.sort_unstable();
        ids.dedup();
        let keys = self.store().fetch(self.scope(), ApiKey::TABLE, &ids).await?;
        let keys: Vec<Stored<ApiKey>> = keys.into_iter().map(Stored::from_row).collect::<Result<_, _>>()?;
        let line = |day: Date, key_id: Id<ApiKey>, operation: &str, used: i64| {
            let alias = keys.iter().find(|key| key.id == key_id).map(|key| key.alias.to_string());
            let quota = quotas.iter().find(|quota| quota.key_id == key_id && quota.operation == operation);
            let (alias, operation) = (alias.unwrap_or_default(), operation.to_owned());
            KeyUsageLine {
                day,
                key_id,
                alias,
                operation,
                used,
                per_day: quota.map(|of| of.per_day),
                resets_at: end(day),
            }
        };
        let there = used.iter().filter(|usage| usage.used > 0);
        let mut lines: Vec<KeyUsageLine> =
            there.map(|usage| line(usage.day, usage.key_id, &usage.operation, usage.used)).collect();
        let now = self.environment().now();
        let today = Zone::UTC.date_at(now);
        if (from..=to).contains(&today) {
            let works = |id: Id<ApiKey>| keys.iter().any(|key| key.id == id && key.is_valid_at(now));
            for KeyQuota { key_id, operation, .. } in quotas.iter().map(|quota| &quota.value) {
                let known =
                    |line: &KeyUsageLine| line.day == today && line.key_id == *key_id && line.operation == *operation;
                if works(*key_id) && !lines.iter().any(known) {
                    lines.push(line(today, *key_id, operation, 0));
                }
            }
        }
        lines.sort_by(|a, b| (a.day, &a.alias, a.key_id, &a.operation).cmp(&(b.day, &b.alias, b.key_id, &b.operation)));
        lines.truncate(LINES as usize);
        Ok(lines)
    }
}

/// How often a key did one thing in one UTC day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyUsageLine {
    /// The day.
    pub day: Date,
    /// The key.
    pub key_id: Id<ApiKey>,
    /// What people call it.
    pub alias: String,
    /// The operation.
    pub operation: String,
    /// How often.
    pub used: i64,
    /// How often it may do it in one day, at present; absent: without limit.
    pub per_day: Option<i64>,
    /// When the day ends.
    pub resets_at: Instant,
}

/// Sets, changes or removes a quota of a key. What was done already on the day counts.
#[derive(Clone, Debug)]
pub struct SetQuota {
    /// Of which key.
    pub key: Id<ApiKey>,
    /// The operation, such as `contact.create`.
    pub operation: String,
    /// How often in one UTC day; absent: without limit.
    pub per_day: Option<i64>,
}

#[async_trait]
impl Command for SetQuota {
    type Root = ApiKey;
    const VERB: &'static str = "set_quota";

    fn body(&self) -> String {
        format!("{}\n{}\n{:?}", self.key, self.operation, self.per_day)
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<ApiKey>, CrmError> {
        members_only(context)?;
        let key = session.load(grant, self.key).await?;
        super::membership::owners_only(context, &[key.role])?;
        let wanted = KeyQuota::new(key.id, &self.operation, self.per_day.unwrap_or_default())?;
        let columns = KeyQuota::COLUMNS;
        let of_key = columns.key_id.eq(&key.id) & columns.operation.eq(&self.operation);
        let known = session.store().first::<KeyQuota>(session.scope(), Select::new(KeyQuota::TABLE, of_key.into()));
        match (known.await?, self.per_day) {
            (None, None) => return Ok(key),
            (Some(quota), Some(_)) if quota.value == wanted => return Ok(key),
            (Some(quota), Some(_)) => drop(changes.update(context, &quota, wanted)),
            (Some(quota), None) => changes.delete(&quota),
            (None, Some(_)) => drop(changes.insert(context, wanted)),
        }
        // Sessions of the key rest on its version: they read the quotas again.
        let revised = ApiKey { quota_revision: key.quota_revision + 1, ..key.value.clone() };
        Ok(changes.update(context, &key, revised))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::POLICY;

    #[test]
    fn only_commands_are_counted() {
        assert!(is_counted("contact.create") && is_counted("deal.import"));
        for other in
            ["contact.read", "report.summary", "audit_entry.verify", "deal.move_back", "contact.explode", "", "contact"]
        {
            assert!(!is_counted(other), "{other}");
        }
        assert!(WITHIN_OTHERS.iter().all(|operation| POLICY.iter().any(|rule| rule.operation == *operation)));
    }

    #[test]
    fn a_day_ends_at_midnight_utc() {
        let last: Instant = "2026-06-15T23:59:59.999999Z".parse().unwrap();
        let first: Instant = "2026-06-16T00:00:00Z".parse().unwrap();
        assert_eq!(day_of(last), (Date::from_ymd_opt(2026, 6, 15).unwrap(), first));
        assert_eq!(day_of(first).0, Date::from_ymd_opt(2026, 6, 16).unwrap());
    }
}

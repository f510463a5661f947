//! Callers that want the last pieces of an API key's quota at the same time, at noon and across midnight: exactly as many
//! get through as the quota allows, on every day.

use std::collections::{BTreeMap, BTreeSet};

use super::TestEnvironment;
use crate::access::{ApiKey, KeyUsage, NewKey, QuotaLeft, Role, Secret, SetQuota};
use crate::commands::Create;
use crate::context::Environment as _;
use crate::crud::Edit;
use crate::error::CrmError;
use crate::id::Id;
use crate::people::{Contact, ContactKind};
use crate::store::{Query, Store};
use crate::value::{Date, Instant, Zone};
use crate::{Crm, Session};

/// How many callers there are in a trial.
pub const CALLERS: usize = 64;

const DAY: i64 = 86_400;

/// How many trials are made; `CRM_TEST_TRIALS` makes more.
pub fn trials() -> u32 {
    std::env::var("CRM_TEST_TRIALS").ok().and_then(|trials| trials.parse().ok()).unwrap_or(8)
}

/// An organization with a key, for trials one after the other.
#[derive(Clone)]
pub struct QuotaRace {
    crm: Crm,
    environment: TestEnvironment,
    owner: Session<'static>,
    key: Id<ApiKey>,
    text: Secret,
}

/// What came of a call.
#[derive(Clone, Debug)]
pub enum Call {
    /// It made a contact.
    Accepted {
        /// On which UTC day.
        day: Date,
        /// What was left then.
        left: Vec<QuotaLeft>,
    },
    /// The quota was used up.
    Refused {
        /// Until when.
        resets_at: Instant,
    },
}

impl QuotaRace {
    /// Makes the organization and the key.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn new(store: impl Store + 'static, slug: &str) -> Result<Self, CrmError> {
        let environment = TestEnvironment::new(1);
        let crm = Crm::new(store, environment.clone());
        let owner = super::organization(&crm, slug).await?;
        let new = NewKey::new("racer".parse()?, Role::Manager, "contact.create".parse()?);
        let created = owner.create_key(&new).await?;
        Ok(Self { crm, environment, owner, key: created.key.id, text: created.text })
    }

    /// Sets the quota and the clock for a trial, and gives the quota: on a day of its own, every second trial begins some
    /// seconds before midnight.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin(&self, trial: u32) -> Result<i64, CrmError> {
        // Those around the number of callers first: a few trials try them too.
        let limits = [64, 1, 63, 65, 35, 20, 31, 33];
        let limit = limits[(trial as usize / 2) % limits.len()];
        let operation = "contact.create".to_owned();
        self.owner.run(&SetQuota { key: self.key, operation, per_day: Some(limit) }).await?;
        // The clock moves a second at every look.
        let now = self.environment.now().micros() / 1_000_000;
        let midnight = (now / DAY + 2) * DAY;
        let before = if trial.is_multiple_of(2) { DAY / 2 } else { 10 + i64::from(trial) * 37 % 300 };
        self.environment.advance(midnight - before - now);
        Ok(limit)
    }

    /// A session of the key.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(&self) -> Result<Session<'static>, CrmError> {
        self.crm.session_with_key(&self.text).await
    }

    /// Asks for one contact; half of the callers share a session.
    ///
    /// # Errors
    /// Anything but a refusal by the quota.
    pub async fn call(&self, shared: &Session<'_>, number: usize) -> Result<Call, CrmError> {
        let session = if number.is_multiple_of(2) { shared.clone() } else { self.open().await? };
        let columns = Contact::COLUMNS;
        let edit = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, "Eva".parse().ok());
        match session.run_counted(&Create(edit), None).await {
            Ok(counted) => {
                let day = Zone::UTC.date_at(counted.record.created_at);
                Ok(Call::Accepted { day, left: counted.quotas })
            }
            Err(CrmError::QuotaExceeded { resets_at, .. }) => Ok(Call::Refused { resets_at }),
            Err(error) => Err(error),
        }
    }

    /// Checks the answers against each other and against what is stored.
    ///
    /// # Errors
    /// When the store fails.
    ///
    /// # Panics
    /// When more or fewer got through than the quota allows, or an answer told another rest.
    pub async fn check(&self, trial: u32, limit: i64, calls: &[Call]) -> Result<(), CrmError> {
        assert_eq!(calls.len(), CALLERS, "trial {trial}");
        let mut used: BTreeMap<Date, BTreeSet<i64>> = BTreeMap::new();
        for call in calls {
            match call {
                Call::Accepted { day, left } => {
                    let [left] = left.as_slice() else { panic!("trial {trial}: {left:?}") };
                    assert_eq!((left.limit, left.remaining()), (limit, limit - left.used), "trial {trial}");
                    assert!(used.entry(*day).or_default().insert(left.used), "trial {trial}: {left:?} twice");
                }
                // Whoever is refused is refused because the day is used up.
                Call::Refused { resets_at } => {
                    let day = Zone::UTC.date_at(resets_at.checked_add_micros(-1)?);
                    let stored = self.used_on(day).await?;
                    assert_eq!(stored, limit, "trial {trial}: refused on {day}");
                }
            }
        }
        for (day, used) in &used {
            let accepted = i64::try_from(used.len()).unwrap_or(i64::MAX);
            assert!(accepted <= limit, "trial {trial}: {accepted} of {limit} on {day}");
            assert!(used.iter().copied().eq(1..=accepted), "trial {trial}: {used:?}");
            assert_eq!(self.used_on(*day).await?, accepted, "trial {trial}: stored on {day}");
            let (from, to) = (Zone::UTC.start_of(*day), Zone::UTC.start_of(day.succ_opt().unwrap_or(*day)));
            let columns = Contact::COLUMNS;
            let made = columns.created_at.ge(&from) & columns.created_at.lt(&to);
            assert_eq!(self.owner.count(&Query::new(made)).await?, accepted, "trial {trial}: contacts of {day}");
        }
        if trial.is_multiple_of(2) {
            let accepted: usize = used.values().map(BTreeSet::len).sum();
            assert_eq!(
                i64::try_from(accepted).unwrap_or(0),
                limit.min(i64::try_from(CALLERS).unwrap_or(i64::MAX)),
                "trial {trial}: not exactly the limit"
            );
        }
        Ok(())
    }

    /// On how many days calls were accepted.
    pub fn days(calls: &[Call]) -> usize {
        let days = calls.iter().filter_map(|call| match call {
            Call::Accepted { day, .. } => Some(*day),
            Call::Refused { .. } => None,
        });
        days.collect::<BTreeSet<_>>().len()
    }

    async fn used_on(&self, day: Date) -> Result<i64, CrmError> {
        let page = self.owner.list(&Query::new(KeyUsage::COLUMNS.day.eq(&day))).await?;
        Ok(page.items.iter().map(|usage| usage.used).sum())
    }
}

/// Makes trials with a thread for each caller, for stores that need no runtime. Gives how many crossed midnight with
/// calls accepted on both days.
///
/// # Errors
/// When the store fails.
///
/// # Panics
/// As [`QuotaRace::check`].
pub fn threads(race: &QuotaRace, trials: std::ops::Range<u32>) -> Result<u32, CrmError> {
    let mut crossed = 0;
    for trial in trials {
        let limit = crate::block_on(race.begin(trial))?;
        let shared = crate::block_on(race.open())?;
        let barrier = std::sync::Barrier::new(CALLERS);
        let calls: Result<Vec<Call>, CrmError> = std::thread::scope(|scope| {
            let caller = |number| {
                let (race, shared, barrier) = (race, &shared, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    crate::block_on(race.call(shared, number))
                })
            };
            let threads: Vec<_> = (0..CALLERS).map(caller).collect();
            threads.into_iter().map(|thread| thread.join().expect("a caller does not panic")).collect()
        });
        let calls = calls?;
        crate::block_on(race.check(trial, limit, &calls))?;
        crossed += u32::from(QuotaRace::days(&calls) > 1);
    }
    Ok(crossed)
}

//! How fast somebody may guess passwords. Kept in the store, so that it holds for every process on it.
//!
//! Attempts are counted by account and source together, by account, and by source. An attempt is charged as a failure
//! before the password is checked and taken back when it was right, so that any number of attempts at once cannot pass
//! between the reading of a count and its writing.
//!
//! - Account and source together: five failures, then a delay that doubles from a second to a quarter of an hour.
//! - Account, over all sources: beyond 20 failures an hour one attempt every 30 seconds.
//! - Source: 50 failures an hour.
//!
//! A source from which the account has signed in in the last 30 days waits for the failures of account and source together
//! alone: others who guess, from the same address or elsewhere, do not shut the account out of it. Of an address of IPv6
//! its network of 64 bits counts, which one customer has to himself.
//!
//! An account is a user, by whichever name they are called; where there is none, it is the name. So whoever guesses can
//! tell that two names are one account's.
//!
//! Where the account is not known, a turn in 30 seconds is all that guesses leave it, and whoever asks most often takes it:
//! while an attack from many sources goes on, a user at a new place, or any user of a host that gives no sources, may be
//! kept waiting as long as it lasts. Their way in is the host's word: [`Crm::set_password`](crate::Crm::set_password) frees
//! the account of the guesses until then, and the source of the login that follows is known.

use core::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use super::body_hash;
use crate::context::{Context, Environment};
use crate::crm::TRIES;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::store::{ChangeSet, Query, Scope, Select, Store, StoreError, StoreExt as _};
use crate::value::Instant;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// Failures of account and source together that cost nothing.
const PAIR_FREE: i64 = 5;
/// The longest delay for account and source together.
const PAIR_DELAY: i64 = 900 * SECOND;
/// Failures of an account within an hour that cost nothing.
const ACCOUNT_FREE: i64 = 20;
/// The delay for an account beyond them.
const ACCOUNT_DELAY: i64 = 30 * SECOND;
/// Failures of a source within an hour.
const SOURCE_MOST: i64 = 50;
/// How long a source from which an account has signed in is known.
const KNOWN: i64 = 30 * DAY;
/// How many rows without meaning an attempt removes at most.
const STALE: u32 = 4;

crate::entity! {
    /// How often somebody failed to sign in.
    pub struct LoginThrottle: "login_throttle" in "crm_login_throttle" as Record, Global, unaudited {
        /// SHA-256 of what is counted: account and source, account, or source.
        pub key: Vec<u8> [SERVER_OWNED],
        /// How many failures.
        pub failures: i64 [SERVER_OWNED],
        /// When counting began.
        pub since: Instant [SERVER_OWNED],
        /// Until when no attempt is let through.
        pub not_before: Option<Instant> [SERVER_OWNED],
        /// Whether the account has signed in from this source.
        pub known: bool [SERVER_OWNED],
        /// When the row has no meaning any more.
        pub expires_at: Instant [SERVER_OWNED],
    }
    columns LoginThrottleColumns;
    derived { }
    unique { "crm_login_throttle_key": [key] }
    index { "crm_login_throttle_expires_at": [expires_at] }
}

/// What attempts are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Account and source together; the source may be unknown.
    Pair { sourced: bool },
    /// The account, over all sources.
    Account,
    /// The source, over all accounts.
    Source,
}

/// The counts that an attempt touches.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) counts: Vec<(Limit, Vec<u8>)>,
}

impl Attempt {
    /// An attempt on an account, named as it is compared, from a source.
    pub(crate) fn new(purpose: &str, account: &str, source: Option<&str>) -> Self {
        let hash = |kind: &str, account: &str, source: &str| {
            body_hash(&[purpose.as_bytes(), kind.as_bytes(), account.as_bytes(), source.as_bytes()])
        };
        let network = source.map(network);
        let source = network.as_deref();
        let pair = match source {
            Some(source) => hash("pair", account, source),
            None => hash("unsourced", account, ""),
        };
        let mut counts = vec![(Limit::Pair { sourced: source.is_some() }, pair)];
        counts.push((Limit::Account, hash("account", account, "")));
        counts.extend(source.map(|source| (Limit::Source, hash("source", "", source))));
        Self { counts }
    }
}

/// What of a source is counted: of an address of IPv6 the network, since who has one address of it has all.
fn network(source: &str) -> String {
    match source.trim().parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let network = Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX));
            format!("{network}/64")
        }
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => source.to_owned(),
    }
}

/// How many seconds are to be waited, given what is stored for each count of an attempt; none if it is let through.
pub(crate) fn wait(counts: &[(Limit, Option<&LoginThrottle>)], now: Instant) -> Option<u64> {
    let current = |row: &&LoginThrottle| row.expires_at > now;
    let pair = |limit: Limit| matches!(limit, Limit::Pair { .. });
    let known = counts.iter().any(|(limit, row)| pair(*limit) && row.filter(current).is_some_and(|row| row.known));
    let left = |(limit, row): &(Limit, Option<&LoginThrottle>)| {
        let until = row.filter(current)?.not_before?;
        let left = until.micros() - now.micros();
        (left > 0 && (pair(*limit) || !known)).then_some(left)
    };
    let longest = counts.iter().filter_map(left).max()?;
    u64::try_from((longest + SECOND - 1) / SECOND).ok()
}

impl LoginThrottle {
    /// The count after one more attempt, which is taken for a failure.
    pub(crate) fn charged(before: Option<&Self>, limit: Limit, key: Vec<u8>, now: Instant) -> Self {
        let later = |micros: i64| Instant::clamped(now.micros().saturating_add(micros));
        let fresh = Self { key, failures: 0, since: now, not_before: None, known: false, expires_at: now };
        let before = before.filter(|row| row.expires_at > now);
        let started = match limit {
            Limit::Pair { .. } => before,
            // Whole hours from the first failure.
            Limit::Account | Limit::Source => before.filter(|row| now.micros() - row.since.micros() < HOUR),
        };
        let row = started.cloned().unwrap_or(fresh);
        let failures = row.failures + 1;
        let end_of_hour = Instant::clamped(row.since.micros().saturating_add(HOUR));
        let (not_before, expires_at) = match limit {
            Limit::Pair { sourced } => {
                let longest = if sourced { PAIR_DELAY } else { ACCOUNT_DELAY };
                let doubled = u32::try_from(failures - PAIR_FREE).ok().map(|times| SECOND << times.min(20));
                let until = doubled.map(|delay| later(delay.min(longest)));
                (until, if row.known { row.expires_at.max(later(DAY)) } else { later(DAY) })
            }
            Limit::Account => {
                ((failures > ACCOUNT_FREE).then(|| later(ACCOUNT_DELAY)), end_of_hour.max(later(ACCOUNT_DELAY)))
            }
            Limit::Source => ((failures >= SOURCE_MOST).then_some(end_of_hour), end_of_hour),
        };
        Self { failures, not_before, expires_at, ..row }
    }

    /// The count when the attempt that was charged proved to be right.
    pub(crate) fn succeeded(&self, limit: Limit, now: Instant) -> Self {
        let (failures, most) = match limit {
            Limit::Pair { sourced } => {
                let expires_at = Instant::clamped(now.micros().saturating_add(KNOWN));
                return Self { failures: 0, not_before: None, known: sourced, expires_at, ..self.clone() };
            }
            Limit::Account => ((self.failures - 1).max(0), ACCOUNT_FREE),
            Limit::Source => ((self.failures - 1).max(0), SOURCE_MOST - 1),
        };
        let not_before = self.not_before.filter(|_| failures > most);
        Self { failures, not_before, ..self.clone() }
    }
}

/// Counts an attempt as a failure, unless it comes too early.
pub(crate) async fn charge(
    store: &dyn Store,
    environment: &Arc<dyn Environment>,
    attempt: &Attempt,
) -> Result<(), CrmError> {
    for _ in 0..TRIES {
        let rows = counts(store, attempt).await?;
        let mut context = Context::system(Arc::clone(environment));
        let now = context.now();
        let known: Vec<_> = rows.iter().map(|count| (count.limit, count.value())).collect();
        if let Some(retry_after_seconds) = wait(&known, now) {
            return Err(CrmError::Throttled { retry_after_seconds });
        }
        let mut changes = ChangeSet::new(context.stamp("user.login"));
        for count in &rows {
            let charged = LoginThrottle::charged(count.value(), count.limit, count.key.clone(), now);
            match &count.row {
                Some(row) => changes.update(&context, row, charged),
                None => changes.insert(&mut context, charged),
            };
        }
        // More rows than an attempt adds, so that the table does not grow for ever.
        let stale = Query::new(LoginThrottle::COLUMNS.expires_at.le(&now));
        let stale = stale.ascending(LoginThrottle::COLUMNS.expires_at).limit(STALE).to_select()?;
        for row in store.all::<LoginThrottle>(Scope::SYSTEM, &stale).await? {
            if changes.position(row.id).is_none() {
                changes.delete(&row);
            }
        }
        match store.apply(Scope::SYSTEM, changes).await {
            Ok(_) => return Ok(()),
            Err(StoreError::Conflict { .. } | StoreError::Duplicate { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(CrmError::Conflict { entity: LoginThrottle::TABLE.entity, reference: String::new() })
}

/// Takes back what an attempt was charged.
pub(crate) async fn clear(
    store: &dyn Store,
    attempt: &Attempt,
    context: &Context,
    changes: &mut ChangeSet,
) -> Result<(), CrmError> {
    for count in counts(store, attempt).await? {
        if let Some(row) = &count.row {
            changes.reach_beyond(row);
            changes.update(context, row, row.value.succeeded(count.limit, context.now()));
        }
    }
    Ok(())
}

/// Takes an account's failures back, wherever they came from; each source keeps its own.
pub(crate) async fn forgive(store: &dyn Store, account: &str, changes: &mut ChangeSet) -> Result<(), CrmError> {
    let attempt = Attempt::new("login", account, None);
    for row in counts(store, &attempt).await?.iter().filter_map(|count| count.row.as_ref()) {
        changes.reach_beyond(row);
        changes.delete(row);
    }
    Ok(())
}

/// What is stored for one count of an attempt.
struct Count {
    limit: Limit,
    key: Vec<u8>,
    row: Option<Stored<LoginThrottle>>,
}

impl Count {
    fn value(&self) -> Option<&LoginThrottle> {
        self.row.as_ref().map(|row| &row.value)
    }
}

async fn counts(store: &dyn Store, attempt: &Attempt) -> Result<Vec<Count>, CrmError> {
    let keys: Vec<Vec<u8>> = attempt.counts.iter().map(|(_, key)| key.clone()).collect();
    let query = Select::new(LoginThrottle::TABLE, LoginThrottle::COLUMNS.key.is_in(&keys).into());
    let rows = store.all::<LoginThrottle>(Scope::SYSTEM, &query).await?;
    let of = |key: &Vec<u8>| rows.iter().find(|row| row.key == *key).cloned();
    let count = |(limit, key): &(Limit, Vec<u8>)| Count { limit: *limit, key: key.clone(), row: of(key) };
    Ok(attempt.counts.iter().map(count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: Limit = Limit::Pair { sourced: true };

    fn at(seconds: i64) -> Instant {
        Instant::from_micros(seconds * SECOND).unwrap()
    }

    /// How many attempts pass, of one each second for so long.
    fn passed(limit: Limit, seconds: i64) -> Vec<i64> {
        let mut row = None;
        (0..seconds)
            .filter(|second| {
                let free = wait(&[(limit, row.as_ref())], at(*second)).is_none();
                if free {
                    row = Some(LoginThrottle::charged(row.as_ref(), limit, Vec::new(), at(*second)));
                }
                free
            })
            .collect()
    }

    #[test]
    fn account_and_source_wait_twice_as_long_each_time_up_to_a_quarter_of_an_hour() {
        let passed = passed(PAIR, 6_000);
        assert_eq!(passed[..5], [0, 1, 2, 3, 4]);
        let gaps: Vec<i64> = passed[4..].windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(gaps[..12], [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    }

    #[test]
    fn without_a_source_no_wait_is_longer_than_half_a_minute() {
        let passed = passed(Limit::Pair { sourced: false }, 600);
        assert_eq!(passed.windows(2).map(|pair| pair[1] - pair[0]).max(), Some(30));
    }

    #[test]
    fn an_account_is_never_closed_for_longer_than_half_a_minute() {
        let passed = passed(Limit::Account, 7_200);
        assert_eq!(passed[..21], (0..21).collect::<Vec<_>>());
        assert_eq!(passed.windows(2).map(|pair| pair[1] - pair[0]).max(), Some(30));
        assert_eq!(passed.iter().filter(|second| **second < 3_600).count(), 21 + (3_600 - 21) / 30);
    }

    #[test]
    fn a_source_has_fifty_failures_an_hour() {
        let passed = passed(Limit::Source, 3 * 3_600);
        for hour in 0..3 {
            assert_eq!(passed.iter().filter(|second| **second / 3_600 == hour).count(), 50);
        }
    }

    #[test]
    fn a_right_password_clears_the_pair_and_takes_back_one_failure_elsewhere() {
        let charge = |limit, times: i64| {
            (0..times).fold(None, |row, _| Some(LoginThrottle::charged(row.as_ref(), limit, vec![1], at(10)))).unwrap()
        };
        let pair = charge(PAIR, 9).succeeded(PAIR, at(10));
        assert_eq!((pair.failures, pair.not_before, pair.known), (0, None, true));
        let account = charge(Limit::Account, 21).succeeded(Limit::Account, at(10));
        assert_eq!((account.failures, account.not_before), (20, None));
        let closed = charge(Limit::Account, 30).succeeded(Limit::Account, at(10));
        assert_eq!((closed.failures, closed.not_before), (29, Some(at(40))));
        let source = charge(Limit::Source, 50).succeeded(Limit::Source, at(10));
        assert_eq!((source.failures, source.not_before), (49, None));
        // A known source does not wait for the account, but for itself.
        assert_eq!(wait(&[(PAIR, Some(&pair)), (Limit::Account, Some(&closed))], at(10)), None);
        assert_eq!(wait(&[(PAIR, None), (Limit::Account, Some(&closed))], at(10)), Some(30));
        // Nor for others at its address.
        let full = charge(Limit::Source, 50);
        assert_eq!(wait(&[(PAIR, Some(&pair)), (Limit::Source, Some(&full))], at(10)), None);
        assert_eq!(wait(&[(PAIR, None), (Limit::Source, Some(&full))], at(10)), Some(3_600));
        let failing = LoginThrottle { failures: 9, not_before: Some(at(26)), ..pair };
        assert_eq!(wait(&[(PAIR, Some(&failing)), (Limit::Account, Some(&closed))], at(10)), Some(16));
    }

    #[test]
    fn addresses_of_one_network_are_one_source() {
        for (one, other) in [
            ("2001:db8:1:2::1", "2001:DB8:1:2:ffff:ffff:ffff:ffff"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            (" 192.0.2.1", "192.0.2.1 "),
        ] {
            assert_eq!(network(one), network(other));
        }
        let all =
            ["2001:db8:1:2::1", "2001:db8:1:3::1", "192.0.2.1", "192.0.2.2", "10.0.0.1:80", "a host", "A host", ""];
        assert_eq!(all.map(network).iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
    }

    #[test]
    fn counts_are_kept_apart() {
        let keys = |account, source| Attempt::new("login", account, source).counts;
        let all = [keys("a", Some("b")), keys("ab", Some("")), keys("a", None), keys("b", Some("a"))].concat();
        let distinct: std::collections::BTreeSet<_> = all.iter().map(|(_, key)| key.clone()).collect();
        // The account `a` is the same from everywhere.
        assert_eq!((all.len(), distinct.len()), (11, 10));
    }
}

//! Where writers have got in each other's way.
//!
//! Two who insert the same unique value wait for each other, since uniques are checked at the end of the statement; the
//! server notices after a second and lets one of them fail. Many who try again at once would go on like this for minutes.
//! So whoever failed in that way writes one after the other with the others who did, for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crm_core::store::Scope;

/// For how long.
const WHILE: Duration = Duration::from_secs(10);

/// The organizations in which this process has met others.
#[derive(Default)]
pub(crate) struct Crowd(Mutex<HashMap<Scope, Instant>>);

impl Crowd {
    /// Remembers that others were in the way.
    pub(crate) fn met(&self, scope: Scope) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(scope, Instant::now());
    }

    /// What a transaction begins with to write after the others; nothing where none were met.
    pub(crate) fn queue(&self, scope: Scope) -> Option<String> {
        let mut met = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = met.get(&scope)?;
        if at.elapsed() > WHILE {
            met.remove(&scope);
            return None;
        }
        // A block gives no row, so that more can follow in the same round trip. Only a whole number is written into it.
        Some(format!(
            "DO $$BEGIN PERFORM pg_advisory_xact_lock(hashtextextended('crm_crowd:' || current_schema(), {})); END$$",
            scope.key()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_met_others_queues_and_only_there() {
        let crowd = Crowd::default();
        let (one, other) = (Scope::for_tests(1), Scope::for_tests(2));
        assert_eq!(crowd.queue(one), None);
        crowd.met(one);
        assert!(crowd.queue(one).is_some_and(|text| text.contains(", 1)")));
        assert_eq!(crowd.queue(other), None);
    }
}

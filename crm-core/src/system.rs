//! The machine's clock and sources of ids and random bytes: the one place in core that reads any of them, behind the
//! feature `system`.

use uuid::Uuid;

use crate::context::Environment;
use crate::value::Instant;

/// The machine's clock, ids of UUID version 7 that grow within the process, and the operating system's random bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEnvironment;

impl Environment for SystemEnvironment {
    fn now(&self) -> Instant {
        Instant::from_datetime(chrono::Utc::now()).unwrap_or(Instant::EPOCH)
    }

    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }

    /// # Panics
    /// When the operating system gives no random bytes: nothing that rests on them could be safe.
    fn fill_random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn random_bytes_are_not_repeated() {
        let drawn: Vec<[u8; 32]> = (0..256)
            .map(|_| {
                let mut bytes = [0; 32];
                SystemEnvironment.fill_random(&mut bytes);
                bytes
            })
            .collect();
        assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), 256);
        // Of 256 draws each byte takes 162 values of 256 on average, and 120 in all but one of many millions of runs.
        assert!((0..32).all(|at| drawn.iter().map(|bytes| bytes[at]).collect::<HashSet<_>>().len() > 120));
    }

    #[test]
    fn ids_grow() {
        let ids: Vec<Uuid> = (0..1_000).map(|_| SystemEnvironment.new_id()).collect();
        assert!(ids.is_sorted_by(|one, next| one < next));
    }
}

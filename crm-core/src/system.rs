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

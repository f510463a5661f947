//! The machine's clock and a source of ids: the one place in core that reads either, behind the feature
//! `system`.

use uuid::Uuid;

use crate::context::Environment;
use crate::value::Instant;

/// The machine's clock, and ids of UUID version 7 that grow within the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEnvironment;

impl Environment for SystemEnvironment {
    fn now(&self) -> Instant {
        Instant::from_datetime(chrono::Utc::now()).unwrap_or(Instant::EPOCH)
    }

    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

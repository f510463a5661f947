//! How a store is opened.

use std::time::Duration;

/// How a store is opened.
///
/// ```
/// use crm_store_sqlite::{Durability, SqliteOptions};
/// let options = SqliteOptions { create: false, ..SqliteOptions::default() };
/// assert_eq!(options.durability, Durability::Full);
/// ```
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// What an acknowledged write survives.
    pub durability: Durability,
    /// Whether a file that is not there is made, and the tables in a file that has none. Otherwise both are refused; an
    /// older schema is brought up to date in any case.
    pub create: bool,
    /// How many connections read at the same time, reports and exports apart; at least one.
    pub readers: usize,
    /// How long a writer waits for another process before it answers that the database is unavailable.
    pub busy_timeout: Duration,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        let readers = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
        Self { durability: Durability::Full, create: true, readers, busy_timeout: Duration::from_secs(5) }
    }
}

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The loss of power: each commit waits for the disk. Writers that come at the same time share one wait.
    #[default]
    Full,
    /// The end of the process, but not the loss of power, which may take the last commits with it. The file stays
    /// whole.
    Normal,
}

impl Durability {
    pub(crate) const fn pragma(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
        }
    }
}

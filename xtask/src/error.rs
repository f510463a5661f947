//! Why a chore ends before its end.

use std::fmt;

/// The reason for giving up; every clean-up happens on the way out, in `Drop`.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A signal arrived: nothing more is started.
    Interrupted(i32),
    /// Something that the step needs is missing or failed.
    Failed(String),
}

impl Stop {
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// The shell's convention for a program ended by a signal, else plain failure.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
            Self::Failed(_) => 1,
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted(signal) => write!(f, "interrupted by signal {signal}"),
            Self::Failed(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Stop {}

/// Names the thing that an I/O error is about.
pub(crate) trait About<T> {
    /// `what` completes the sentence "cannot …".
    fn about(self, what: impl FnOnce() -> String) -> Result<T, Stop>;
}

impl<T> About<T> for std::io::Result<T> {
    fn about(self, what: impl FnOnce() -> String) -> Result<T, Stop> {
        self.map_err(|error| Stop::Failed(format!("cannot {}: {error}", what())))
    }
}

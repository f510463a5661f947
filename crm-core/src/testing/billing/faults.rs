//! Faults planted in stored rows.

/// Placeholder.
pub fn planted_faults_are_found() {}

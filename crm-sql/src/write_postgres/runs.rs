//! How changes are put together to runs, and runs to statements.

use std::collections::HashSet;
use std::ops::Range;

use crm_core::entity::Table;
use crm_core::store::Change;

/// The most changes that one statement gets.
pub const SLICE: usize = 10_000;
/// The most runs that one statement gets, so that its parameters and the depth of its plan stay bounded.
const RUNS: usize = 48;

/// What a run of changes does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Insert,
    Update,
    Delete,
}

pub(super) const fn verb(change: &Change) -> Verb {
    match change {
        Change::Insert { .. } => Verb::Insert,
        Change::Update { .. } => Verb::Update,
        Change::Delete { .. } => Verb::Delete,
    }
}

/// Changes of one kind and table.
pub(super) struct Run<'a> {
    pub(super) verb: Verb,
    pub(super) table: &'static Table,
    pub(super) changes: Vec<&'a Change>,
}

/// Which run a change joins: the table's last one, if that is of the same kind. So the changes of each table stay in
/// order, while those of different tables, which come alternately in an import, do not break each other's runs.
pub(super) fn home(runs: &[(Verb, &'static Table)], change: &Change) -> Option<usize> {
    let at = runs.iter().rposition(|(_, table)| *table == change.table())?;
    (runs[at].0 == verb(change)).then_some(at)
}

/// Cuts changes into slices of which each goes as one statement: bounded, and with each record at most once, since one
/// statement cannot change a row twice.
pub fn slices(changes: &[Change]) -> Vec<Range<usize>> {
    if changes.len() <= 1 {
        return Vec::from_iter((!changes.is_empty()).then_some(0..1));
    }
    let mut slices = Vec::new();
    let mut start = 0;
    let mut records = HashSet::with_capacity(changes.len().min(SLICE));
    let mut runs: Vec<(Verb, &'static Table)> = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        let record = (change.table().name, change.id());
        let known = home(&runs, change).is_some();
        if at - start == SLICE || records.contains(&record) || (!known && runs.len() == RUNS) {
            slices.push(start..at);
            start = at;
            records.clear();
            runs.clear();
        }
        records.insert(record);
        if home(&runs, change).is_none() {
            runs.push((verb(change), change.table()));
        }
    }
    slices.push(start..changes.len());
    slices
}

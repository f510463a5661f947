//! Canaries: a marker in every column that holds a secret or tells something of a person, and the search for it in all that
//! is logged at the finest level while the suites run, and in what is printed of the types that hold secrets.
//!
//! A program that calls [`check`] can log nothing else: the subscriber is the process's.
//!
//! Personal fields stand in the `Debug` form of their record, which whoever has the record may print; nothing of this
//! library does.

mod needles;
mod plant;
mod recorder;
mod shown;

pub(super) use needles::{SHORTEST, in_row, is_wordless};
pub use recorder::Recorder;

use super::{boundaries, cases, logins, machines, script, trace};
use crate::error::CrmError;
use crate::store::Store;

/// Plays the suites on fresh stores while everything that is logged is kept, and looks for canaries and for every secret
/// and personal value that a store holds afterwards.
///
/// `logs` says that the store's driver logs at all; the stores keep their statements out of the log.
///
/// # Errors
/// When a store fails.
///
/// # Panics
/// When something is found, a flagged column held no canary, or the search finds nothing where something is.
pub async fn check<S: Store + Clone + 'static>(mut fresh: impl AsyncFnMut() -> S, logs: bool) -> Result<(), CrmError> {
    let recorder = Recorder::install();

    let store = fresh().await;
    let crm = super::crm(store.clone(), 1);
    boundaries::foreign(&crm).await?;
    let planted = plant::everywhere(&crm).await?;
    shown::check(&crm, &planted).await?;
    let mut needles = needles::Needles::default();
    needles.collect(&store).await?;
    needles.cover_every_flagged_column();

    let store = fresh().await;
    logins::suite(store.clone()).await?;
    needles.collect(&store).await?;

    let store = fresh().await;
    let transcript = script::play(&super::crm(store.clone(), 1), 7, 1_000).await?;
    needles.collect(&store).await?;
    assert_eq!(needles.secrets_in(&transcript), [] as [&str; 0], "in the transcript");

    for number in 0..3 {
        let store = fresh().await;
        let crm = super::crm(store.clone(), 1);
        match number {
            0 => drop(cases::check(&crm).await?),
            1 => machines::every_move(&crm).await?,
            _ => crate::import::testing::suite(&crm).await,
        }
        needles.collect(&store).await?;
    }

    let logged = recorder.text();
    assert!(!logs || recorder.events() > 0, "nothing was logged");
    assert_eq!(needles.all_in(&logged), [] as [&str; 0], "in the log");
    trace::end();
    // The search finds what is there, whichever way it was logged.
    recorder::say(planted.text());
    let caught = recorder.text();
    assert_eq!(caught.matches(planted.text()).count(), 2, "what is logged is not kept");
    assert!(!needles.all_in(&caught).is_empty(), "the search finds nothing");
    Ok(())
}

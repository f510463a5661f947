//! Why a case is due when it is.

use super::case_event::CaseEventKind;
use super::case_work::{Work, ended_pauses, stops};
use super::deadline::{Explanation, Pause, due_by_kept};
use super::{Case, ServiceError};
use crate::crm::Session;
use crate::error::CrmError;
use crate::id::Id;
use crate::value::ValueError;

impl Session<'_> {
    /// Why a case is due when it is: every counted day, every skipped one, pauses, extension, and the versions of rule
    /// and calendar that the case keeps. Computed anew, so it says as well if the stored due date were another one.
    ///
    /// # Errors
    /// [`CrmError::NotFound`] when there is no such case that the member may see; [`ServiceError::NoRule`] when it has
    /// no due date to explain.
    pub async fn explain_case(&self, id: Id<Case>) -> Result<Explanation, CrmError> {
        let case = self.get(id).await?;
        let work = Work::of(self, case, self.context().now()).await?;
        let steps = stops(self, &[id]).await?;
        let ended = ended_pauses(&steps, work.before.counted_at);
        let pauses: Vec<Pause> = ended.iter().map(|(pause, _)| *pause).collect();
        let extension = u32::try_from(work.before.extension_days)
            .map_err(|_| CrmError::invalid("extension_days", ValueError::Overflow))?;
        let deadline = due_by_kept(work.rule()?, &work.calendar, work.before.counted_at, &pauses, extension);
        let mut explanation = deadline.map_err(ServiceError::from)?.explanation;
        let (received_at, counted_at) = (work.before.received_at, work.before.counted_at);
        explanation.first_received_at = Some(received_at).filter(|first| *first != counted_at);
        let closed = ended.into_iter().filter(|(_, end)| *end == Some(CaseEventKind::Closed));
        explanation.ended_by_closing = closed.map(|(pause, _)| pause).collect();
        Ok(explanation)
    }
}

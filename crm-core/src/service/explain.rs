//! Why a case is due when it is.

use super::case_work::{Work, pauses, stops};
use super::deadline::{Explanation, due};
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
        let pauses = pauses(&steps, work.before.counted_at);
        let extension = u32::try_from(work.before.extension_days)
            .map_err(|_| CrmError::invalid("extension_days", ValueError::Overflow))?;
        let deadline = due(work.rule()?, &work.calendar, work.before.counted_at, &pauses, extension);
        Ok(deadline.map_err(ServiceError::from)?.explanation)
    }
}

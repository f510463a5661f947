//! What people do about the records: tasks, interactions, and the timeline that shows them together.
//!
//! ```
//! use crm_core::activity::Task;
//! use crm_core::store::Query;
//! use crm_core::value::{Date, Instant};
//!
//! let (now, today) = (Instant::EPOCH, Date::default());
//! let late = Query::new(Task::overdue(now, today)).ascending(Task::COLUMNS.due_on);
//! ```

mod interaction;
mod subject;
mod task;
mod timeline;

pub use interaction::{Interaction, InteractionColumns, InteractionKind};
pub use subject::{About, Subject};
pub use task::{CancelTask, CompleteTask, ReopenTask, TASK_MOVES, Task, TaskColumns, TaskEvent, TaskStatus};
pub use timeline::{Happening, LARGEST_TIMELINE, RecordChange, Timeline, TimelineItem, TimelineKind, TimelineOptions};

/// A rule of activities that a command would break.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActivityError {
    /// The task's status does not allow it.
    #[error("task {task} is {status} and cannot be {event}")]
    Status {
        /// Which task, by id.
        task: String,
        /// Its status.
        status: TaskStatus,
        /// What was asked for.
        event: TaskEvent,
    },
}

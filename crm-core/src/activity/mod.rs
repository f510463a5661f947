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
pub use task::{CancelTask, CompleteTask, ReopenTask, TASK, Task, TaskColumns, TaskStatus};
pub use timeline::{Happening, LARGEST_TIMELINE, RecordChange, Timeline, TimelineItem, TimelineKind, TimelineOptions};

//! What a business hopes to sell: leads, pipelines with their stages, deals and their history.
//!
//! A lead is a contact's interest; converted, it closes and becomes a deal. A deal goes through the stages of a
//! pipeline until it is won or lost, and every step leaves a [`StageChange`]. Which status may follow which is
//! written down in [`LEAD`], [`DEAL`] and [`DEAL_STAGE`].
//!
//! ```
//! use crm_core::entity::Minor;
//! use crm_core::sales::{CreateDeal, Deal, DealStatus, WinDeal};
//! use crm_core::value::Text;
//! use crm_core::{Edit, Session};
//!
//! async fn sold(session: &Session<'_>) -> Result<(), crm_core::CrmError> {
//!     let title: Text<200> = "100 chairs".parse()?;
//!     let edit = Edit::new().set(Deal::COLUMNS.title, title).set(Deal::COLUMNS.amount, Minor(120_000));
//!     let deal = session.run(&CreateDeal::new(edit)).await?;
//!     assert_eq!(session.run(&WinDeal(deal.id)).await?.status, DealStatus::Won);
//!     Ok(())
//! }
//! ```

mod convert;
mod deal;
mod deal_commands;
mod lead;
mod pipeline;
mod pipeline_commands;
mod stage_change;
mod tag;

pub use convert::{Conversion, ConvertLead, DealPlan, plan_conversion};
pub use deal::{DEAL, DEAL_STAGE, Deal, DealColumns, DealStatus};
pub use deal_commands::{CreateDeal, DeleteDeal, LoseDeal, MoveDeal, ReopenDeal, StartDeal, WinDeal};
pub use lead::{AssignLead, Channel, LEAD, Lead, LeadColumns, LeadStatus, MoveLead};
pub use pipeline::{NewStage, Pipeline, PipelineColumns, Stage, StageColumns};
pub(crate) use pipeline_commands::default_pipeline;
pub use pipeline_commands::{
    AddStage, ChangeStage, CreatePipeline, DeletePipeline, DeleteStage, MakeDefault, ReorderStages,
};
pub use stage_change::{StageChange, StageChangeColumns};
pub use tag::{AddTag, RemoveTag, Tag, TagColumns, Tagged, Tagging, TaggingColumns};

/// A rule of sales that a command would break.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SalesError {
    /// The organization has no pipeline.
    #[error("the organization has no pipeline")]
    NoPipeline,
    /// The stage belongs to another pipeline.
    #[error("stage {0} is not one of the deal's pipeline")]
    OtherPipeline(String),
    /// A pipeline keeps at least one stage.
    #[error("pipeline {0} would have no stage")]
    NoStages(String),
    /// The organization keeps a default pipeline.
    #[error("pipeline {0} is the organization's default")]
    DefaultPipeline(String),
    /// The lead was converted before.
    #[error("lead {lead} was converted to deal {deal} already")]
    Converted {
        /// Which lead.
        lead: String,
        /// The deal that came of it.
        deal: String,
    },
    /// The deal came of another lead.
    #[error("deal {deal} came of lead {lead}")]
    OtherLead {
        /// Which deal.
        deal: String,
        /// The lead that it came of.
        lead: String,
    },
    /// The deal is with another contact than the lead.
    #[error("deal {0} is with another contact")]
    OtherContact(String),
    /// The record does not have the tag.
    #[error("there is no tag {0:?} on the record")]
    NotTagged(String),
}

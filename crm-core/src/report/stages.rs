//! What the reports of stages share: the stages as of the figures, and the visits open at an instant.

use super::between;
use crate::crm::Session;
use crate::entity::{Entity as _, Field as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::row::{Row, Value};
use crate::sales::{Deal, Pipeline, SalesError, Stage, StageChange};
use crate::store::{Aggregate, Cmp, Expr, Group, Operand, Select, StoreError, StoreExt as _, Totals};
use crate::value::{Decimal6, Instant};

/// A stage as the reports see it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StageRow {
    pub(super) pipeline: Id<Pipeline>,
    pub(super) position: i64,
    pub(super) id: Id<Stage>,
    pub(super) name: String,
    pub(super) probability: Decimal6,
}

/// The answers to queries that rest on stages, with the stages.
pub(super) struct Answered {
    pub(super) stages: Vec<StageRow>,
    pub(super) queries: Vec<Aggregate>,
    pub(super) answers: Vec<Vec<Row>>,
}

impl Answered {
    /// The rows of one query.
    pub(super) fn rows(&self, query: usize) -> impl Iterator<Item = Totals<'_>> {
        self.answers[query].iter().map(move |row| Totals::new(&self.queries[query], row))
    }

    /// The place of the stage that a group names.
    pub(super) fn place(&self, group: &Value) -> Option<usize> {
        let id = group.as_id()?;
        self.stages.iter().position(|stage| stage.id.uuid() == id)
    }
}

/// The stages of a pipeline, or of all, in order.
fn stages(pipeline: Option<Id<Pipeline>>) -> Aggregate {
    let columns = Stage::COLUMNS;
    let filter = pipeline.map_or(Expr::True, |pipeline| columns.pipeline_id.eq(&pipeline).into());
    let groups = [
        columns.pipeline_id.operand(),
        columns.position.operand(),
        columns.id.operand(),
        columns.name.operand(),
        columns.probability.operand(),
    ];
    groups.into_iter().map(Group::Value).fold(Aggregate::new(Stage::TABLE, filter), Aggregate::by)
}

fn read(rows: &[Row]) -> Result<Vec<StageRow>, CrmError> {
    let corrupt = || StoreError::Corrupt {
        table: Stage::TABLE.name,
        column: "id",
        id: None,
        reason: "a stage cannot be read".to_owned(),
    };
    let stage = |row: &Row| {
        Some(StageRow {
            pipeline: Id::new(row[0].as_id()?),
            position: row[1].as_int()?,
            id: Id::new(row[2].as_id()?),
            name: row[3].as_text()?.to_owned(),
            probability: Decimal6::load(row[4].clone()).ok()?,
        })
    };
    Ok(rows.iter().map(stage).collect::<Option<_>>().ok_or_else(corrupt)?)
}

impl Session<'_> {
    /// The pipeline that a report is of: the one asked for, or the organization's default.
    ///
    /// # Errors
    /// [`CrmError::NotFound`] when it is not there; [`SalesError::NoPipeline`] when there is none.
    pub(super) async fn reported_pipeline(&self, asked: Option<Id<Pipeline>>) -> Result<Stored<Pipeline>, CrmError> {
        if let Some(id) = asked {
            return self.get(id).await;
        }
        let query = Select::new(Pipeline::TABLE, Pipeline::COLUMNS.default_key.eq(&Some(1)).into());
        let pipeline = self.store().first(self.scope(), query).await?;
        pipeline.ok_or_else(|| SalesError::NoPipeline.into())
    }

    /// Asks what depends on the stages, and the stages with it, in one snapshot. Where somebody changes a stage
    /// between the first look and the answer, it is asked again.
    pub(super) async fn by_stage(
        &self,
        pipeline: Option<Id<Pipeline>>,
        ask: impl Fn(&[StageRow]) -> Vec<Aggregate> + Send + Sync,
    ) -> Result<Answered, CrmError> {
        let mut known = read(&self.store().aggregate(self.scope(), &[stages(pipeline)]).await?.swap_remove(0))?;
        loop {
            let mut queries = ask(&known);
            queries.push(stages(pipeline));
            let mut answers = self.store().aggregate(self.scope(), &queries).await?;
            let found = read(&answers.pop().unwrap_or_default())?;
            queries.pop();
            if found == known {
                return Ok(Answered { stages: known, queries, answers });
            }
            known = found;
        }
    }
}

/// The visits of stages that were open at an instant: those that are open now and began before, and those that
/// began before and have ended since. For the present the second are none, and their index says so.
pub(super) struct Visits {
    pub(super) until: Instant,
    /// Which deals the member sees.
    pub(super) deals: Expr,
    /// Which steps of deals the member sees.
    pub(super) steps: Expr,
}

impl Visits {
    /// Deals in one of the stages now and then.
    pub(super) fn lasting(&self, stages: &[Id<Stage>]) -> Expr {
        let columns = Deal::COLUMNS;
        let open = columns.stage_id.is_in(stages) & columns.is_open.eq(&true);
        let began = between(&columns.stage_entered_at.operand(), None, Some(self.until));
        open.into_expr().and(began).and(self.shown()).and(self.deals.clone())
    }

    /// The steps by which deals that were in one of the stages have left it since.
    pub(super) fn ended(&self, stages: &[Id<Stage>]) -> Expr {
        let columns = StageChange::COLUMNS;
        let stages: Vec<_> = stages.iter().copied().map(Some).collect();
        let left = between(&columns.at.operand(), Some(self.until), None);
        let began = between(&columns.entered_at.operand(), None, Some(self.until));
        let shown = Expr::Related { reference: columns.deal_id.index(), filter: Box::new(self.shown()) };
        columns.from_stage_id.is_in(&stages).into_expr().and(left).and(began).and(shown).and(self.steps.clone())
    }

    /// Deals that were not archived then.
    fn shown(&self) -> Expr {
        unarchived(&Deal::COLUMNS.archived_at.operand(), self.until)
    }
}

/// Records that were not archived at an instant.
pub(super) fn unarchived(archived_at: &Operand, at: Instant) -> Expr {
    let later = Expr::Compare(archived_at.clone(), Cmp::Ge, Value::Instant(at));
    Expr::Or(vec![Expr::IsNull(archived_at.clone()), later])
}

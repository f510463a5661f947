//! The random work of sales.

use super::{Dice, Made, NAMES, date, pairs, told};
use crate::access::IdempotencyKey;
use crate::error::CrmError;
use crate::id::Id;
use crate::sales::{
    AddStage, AddTag, AssignLead, ChangeStage, ConvertLead, CreateDeal, CreatePipeline, Deal, DeleteDeal,
    DeletePipeline, DeleteStage, Lead, LeadStatus, LoseDeal, MakeDefault, MoveDeal, MoveLead, NewStage, Pipeline,
    RemoveTag, ReopenDeal, ReorderStages, Stage, StartDeal, Tag, Tagged, WinDeal,
};
use crate::store::Query;
use crate::value::{Decimal6, Text};
use crate::{Edit, Session};

/// Words that fold alike, and others.
const TAGS: &[&str] = &["Été", "ETE", "vip", "wei\u{df}"];

/// What the play has made of sales.
#[derive(Default)]
pub(super) struct MadeSales {
    pub(super) leads: Vec<Id<Lead>>,
    pub(super) deals: Vec<Id<Deal>>,
    pub(super) pipelines: Vec<Id<Pipeline>>,
    stages: Vec<Id<Stage>>,
}

impl MadeSales {
    /// Notes the pipelines and stages of an organization.
    pub(super) async fn note(&mut self, session: &Session<'_>) -> Result<(), CrmError> {
        let pipelines = session.list(&Query::<Pipeline>::all().limit(1_000)).await?.items;
        let stages = session.list(&Query::<Stage>::all().limit(1_000)).await?.items;
        self.pipelines.extend(pipelines.iter().map(|pipeline| pipeline.id));
        self.stages.extend(stages.iter().map(|stage| stage.id));
        self.pipelines.sort_unstable();
        self.pipelines.dedup();
        self.stages.sort_unstable();
        self.stages.dedup();
        Ok(())
    }
}

/// One step; nothing when there is nothing yet to take it with.
pub(super) async fn step(session: &Session<'_>, dice: &mut Dice, made: &mut Made) -> Option<String> {
    Some(match dice.roll(12) {
        0 | 1 => {
            let (line, lead) = told(session.create(lead(dice, made)).await);
            made.sales.leads.extend(lead.map(|lead| lead.id));
            format!("lead.create {line}")
        }
        2 | 3 => lead_step(session, dice, made).await?,
        4 | 5 => {
            let create = CreateDeal {
                edit: deal(dice, made),
                pipeline: if dice.once_in(4) { dice.pick(&made.sales.pipelines).copied() } else { None },
                stage: if dice.once_in(3) { dice.pick(&made.sales.stages).copied() } else { None },
            };
            let (line, deal) = told(session.run(&create).await);
            made.sales.deals.extend(deal.map(|deal| deal.id));
            format!("deal.create {line}")
        }
        6..=8 => deal_step(session, dice, made).await?,
        9 => pipeline_step(session, dice, made).await?,
        _ => tag_step(session, dice, made).await?,
    })
}

fn number(dice: &mut Dice, sides: u64) -> i64 {
    i64::try_from(dice.roll(sides)).unwrap_or(0)
}

fn lead(dice: &mut Dice, made: &Made) -> Edit<Lead> {
    let mut fields = Vec::new();
    if let Some(contact) = dice.pick(&made.contacts) {
        fields.push(("contact_id", contact.to_string()));
    }
    if dice.once_in(2) {
        fields.push(("channel", ["web", "whatsapp", "fax"][usize::try_from(dice.roll(3)).unwrap_or(0)].to_owned()));
    }
    if dice.once_in(4) {
        fields.push(("external_id", format!("L{}", dice.roll(20))));
    }
    if dice.once_in(3) {
        fields.push(("sales_notes", dice.pick(NAMES).copied().unwrap_or_default().to_owned()));
    }
    pairs(&fields)
}

fn deal(dice: &mut Dice, made: &Made) -> Edit<Deal> {
    let mut fields = Vec::new();
    if !dice.once_in(8) {
        fields.push(("title", format!("{} {}", dice.pick(NAMES).copied().unwrap_or_default(), dice.roll(9))));
    }
    if !dice.once_in(4) {
        fields.push(("amount", ["0", "-1", "12.30", "99999"][usize::try_from(dice.roll(4)).unwrap_or(0)].to_owned()));
    }
    if dice.once_in(4) {
        fields.push(("currency", if dice.once_in(2) { "EUR" } else { "JPY" }.to_owned()));
    }
    if dice.once_in(2)
        && let Some(contact) = dice.pick(&made.contacts)
    {
        fields.push(("contact_id", contact.to_string()));
    }
    if dice.once_in(4)
        && let Some(product) = dice.pick(&made.products)
    {
        fields.push(("product_id", product.to_string()));
    }
    if dice.once_in(2) {
        fields.push(("expected_close_on", date(dice).to_string()));
    }
    pairs(&fields)
}

async fn lead_step(session: &Session<'_>, dice: &mut Dice, made: &mut Made) -> Option<String> {
    let id = dice.pick(&made.sales.leads).copied()?;
    let (verb, result) = match dice.roll(10) {
        0 => ("archive", session.archive(id).await),
        1 => ("restore", session.restore(id).await),
        2 => ("delete", session.delete(id).await),
        3 => ("update", session.update(id, lead(dice, made)).await),
        4 => {
            let assignee = if dice.once_in(2) { Some(session.user().id) } else { None };
            ("assign", session.run(&AssignLead { id, assignee }).await)
        }
        5 | 6 => {
            let convert = ConvertLead {
                deal: if dice.once_in(3) { dice.pick(&made.sales.deals).copied() } else { None },
                edit: if dice.once_in(2) { deal(dice, made) } else { Edit::new() },
                stage: if dice.once_in(3) { dice.pick(&made.sales.stages).copied() } else { None },
                ..ConvertLead::new(id)
            };
            let key: Option<IdempotencyKey> =
                dice.once_in(3).then(|| format!("lead key {}", dice.roll(9)).parse().ok()).flatten();
            let result = session.run_with_key(&convert, key.as_ref()).await;
            made.sales.deals.extend(result.as_ref().ok().and_then(|lead| lead.deal_id));
            ("convert", result)
        }
        _ => {
            let status = dice.pick(LeadStatus::ALL).copied()?;
            ("move", session.run(&MoveLead { id, status }).await)
        }
    };
    Some(format!("lead.{verb} {}", told(result).0))
}

async fn deal_step(session: &Session<'_>, dice: &mut Dice, made: &Made) -> Option<String> {
    let id = dice.pick(&made.sales.deals).copied()?;
    let (verb, result) = match dice.roll(12) {
        0 => ("archive", session.archive(id).await),
        1 => ("restore", session.restore(id).await),
        2 => ("delete", session.run(&DeleteDeal(id)).await),
        3 => ("update", session.update(id, deal(dice, made)).await),
        4 => ("start", session.run(&StartDeal(id)).await),
        5 => ("win", session.run(&WinDeal(id)).await),
        6 => {
            let reason = dice.pick(NAMES).and_then(|name| name.parse::<Text<500>>().ok())?;
            ("lose", session.run(&LoseDeal { id, reason }).await)
        }
        7 => ("reopen", session.run(&ReopenDeal(id)).await),
        _ => ("move", session.run(&MoveDeal { id, stage: dice.pick(&made.sales.stages).copied()? }).await),
    };
    Some(format!("deal.{verb} {}", told(result).0))
}

async fn pipeline_step(session: &Session<'_>, dice: &mut Dice, made: &mut Made) -> Option<String> {
    let pipeline = dice.pick(&made.sales.pipelines).copied()?;
    let stage = dice.pick(&made.sales.stages).copied()?;
    let mut new_stage = || NewStage {
        name: format!("stage {}", dice.roll(6)).parse().expect("a short name is valid"),
        probability: Decimal6::from_micros(number(dice, 110) * 1_000_001),
    };
    let (first, second) = (new_stage(), new_stage());
    let (verb, result) = match dice.roll(14) {
        0 | 9 | 10 => {
            let name = format!("Way {}", dice.roll(5)).parse().ok()?;
            ("create", session.run(&CreatePipeline { name, stages: vec![first, second] }).await)
        }
        1 => {
            let name: Text<100> = format!("Way {}", dice.roll(5)).parse().ok()?;
            ("update", session.update(pipeline, Edit::new().set(Pipeline::COLUMNS.name, name)).await)
        }
        2 => ("make_default", session.run(&MakeDefault(pipeline)).await),
        3 | 11..=13 => {
            // The newest one is the least likely to be in use.
            let known = session.list(&Query::<Pipeline>::all()).await.ok()?.items;
            ("delete", session.run(&DeletePipeline(known.last()?.id)).await)
        }
        4 => ("delete_stage", session.run(&DeleteStage(stage)).await),
        5 => ("add_stage", session.run(&AddStage { pipeline, stage: first }).await),
        6 => {
            let (name, probability) = (dice.once_in(2).then_some(first.name), Some(second.probability));
            ("change_stage", session.run(&ChangeStage { stage, name, probability }).await)
        }
        _ => {
            let query = Query::new(Stage::COLUMNS.pipeline_id.eq(&pipeline));
            let mut order: Vec<_> = match session.list(&query).await {
                Ok(page) => page.items.iter().map(|stage| stage.id).collect(),
                Err(_) => Vec::new(),
            };
            if !order.is_empty() {
                let by = usize::try_from(dice.roll(order.len() as u64)).unwrap_or(0);
                order.rotate_left(by);
            }
            ("reorder", session.run(&ReorderStages { pipeline, order }).await)
        }
    };
    let line = format!("pipeline.{verb} {}", told(result).0);
    match made.sales.note(session).await {
        Ok(()) => Some(line),
        Err(error) => Some(format!("{line} {error}")),
    }
}

async fn tag_step(session: &Session<'_>, dice: &mut Dice, made: &Made) -> Option<String> {
    let tag: Text<50> = dice.pick(TAGS).and_then(|name| name.parse().ok())?;
    let record = match dice.roll(3) {
        0 => Tagged::Contact(dice.pick(&made.contacts).copied()?),
        1 => Tagged::Lead(dice.pick(&made.sales.leads).copied()?),
        _ => Tagged::Deal(dice.pick(&made.sales.deals).copied()?),
    };
    Some(match dice.roll(5) {
        0 => format!("tagging.remove {}", told(session.run(&RemoveTag { tag, record }).await).0),
        1 => format!("tag.create {}", told(session.create(Edit::new().set(Tag::COLUMNS.name, tag)).await).0),
        2 => {
            let renamed = Edit::new().set(Tag::COLUMNS.name, tag.clone());
            match session.find::<Tag>(&tag).await {
                Ok(known) if dice.once_in(2) => format!("tag.delete {}", told(session.delete(known.id).await).0),
                Ok(known) => format!("tag.update {}", told(session.update(known.id, renamed).await).0),
                Err(error) => format!("tag.read {error}"),
            }
        }
        _ => format!("tagging.add {}", told(session.run(&AddTag { tag, record }).await).0),
    })
}

/// A filter and order of deals, tags among them.
pub(super) fn deal_filter(dice: &mut Dice) -> Query<Deal> {
    let columns = Deal::COLUMNS;
    let name = dice.pick(NAMES).copied().unwrap_or_default();
    let tag = dice.pick(TAGS).copied().unwrap_or_default();
    let filter = match dice.roll(4) {
        0 => columns.is_open.eq(&true),
        1 => Tag::on_deals(tag),
        2 => !Tag::on_deals(tag) & columns.stage_id.refers_to(Stage::COLUMNS.position.ge(&2)),
        _ => columns.title_key.contains_folded(name) | columns.expected_close_on.lt(&Some(date(dice))),
    };
    Query::new(filter).descending(columns.amount).limit(u32::try_from(dice.roll(6) + 1).unwrap_or(1))
}

/// A filter and order of leads, tags among them.
pub(super) fn lead_filter(dice: &mut Dice) -> Query<Lead> {
    let columns = Lead::COLUMNS;
    let status = dice.pick(LeadStatus::ALL).copied().unwrap_or(LeadStatus::New);
    let filter = match dice.roll(3) {
        0 => columns.status.eq(&status),
        1 => Tag::on_leads(dice.pick(TAGS).copied().unwrap_or_default()),
        _ => columns.assignee_id.is_null(),
    };
    Query::new(filter).descending(columns.created_at).limit(u32::try_from(dice.roll(6) + 1).unwrap_or(1))
}

//! The arithmetic of the reports of sales, as a table of cases: each an input and the exact figures expected, worked out
//! by hand. The table is data (`cases/*.json`) that other programs can read, too.
//!
//! Each group is a world of its own: an organization in US dollars and New York's time with the default pipeline
//! (`Sales`: lead 10 %, qualification 25 %, proposal 50 %, negotiation 75 %), further pipelines, deals with their way
//! from instant to instant, leads; then the cases that ask a report about it. What is archived is archived on 15 June
//! 2026, which is today.

#![expect(clippy::unwrap_used, reason = "a table that cannot be read has failed")]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{member, organization};
use crate::access::{Role, User};
use crate::context::{Actor, Context, Environment};
use crate::entity::Minor;
use crate::error::CrmError;
use crate::id::Id;
use crate::people::{Contact, ContactKind};
use crate::report::{
    CohortOptions, DealTotalsOptions, ForecastOptions, FunnelOptions, LeadCountsOptions, VelocityOptions,
};
use crate::sales::{
    ChangeStage, Channel, CreatePipeline, Deal, DealStatus, Lead, LeadStatus, NewStage, Pipeline, ReorderStages, Stage,
    StageChange,
};
use crate::store::{ChangeSet, Query};
use crate::value::{Date, Decimal6, Instant, Zone};
use crate::{Crm, Edit, Session};

/// The table, a file for each report.
pub const TABLE: [(&str, &str); 5] = [
    ("leads", include_str!("cases/leads.json")),
    ("deals", include_str!("cases/deals.json")),
    ("funnel", include_str!("cases/funnel.json")),
    ("forecast", include_str!("cases/forecast.json")),
    ("velocity", include_str!("cases/velocity.json")),
];

/// A world with the cases that ask about it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    /// Further pipelines: the name, and each stage's name and probability.
    #[serde(default)]
    pipelines: Vec<(String, Vec<(String, Decimal6)>)>,
    #[serde(default)]
    deals: Vec<DealGiven>,
    #[serde(default)]
    leads: Vec<LeadGiven>,
    /// The order into which the default pipeline's stages are put in the end.
    #[serde(default)]
    reorder: Vec<String>,
    /// The probabilities that stages get in the end.
    #[serde(default)]
    probabilities: BTreeMap<String, Decimal6>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DealGiven {
    /// Such as `120.00 EUR`.
    amount: String,
    /// An instant and what happened: the name of a stage, `won`, `lost` or `reopened`.
    moves: Vec<String>,
    #[serde(default = "sales")]
    pipeline: String,
    close: Option<Date>,
    /// The expected date that it gets later.
    reclose: Option<Date>,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    contact: bool,
    /// Whether it is the member's; the owner's otherwise.
    #[serde(default)]
    member: bool,
}

fn sales() -> String {
    "Sales".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LeadGiven {
    at: Instant,
    channel: Channel,
    status: LeadStatus,
    #[serde(default)]
    archived: bool,
    /// Whether the member is assigned to it.
    #[serde(default)]
    member: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// `leads`, `deals`, `funnel`, `cohort`, `forecast` or `velocity`.
    report: String,
    /// Whether the member asks; the owner does otherwise.
    #[serde(default)]
    member: bool,
    pipeline: Option<String>,
    /// A date, or for leads and velocity an instant.
    as_of: Option<String>,
    from: Option<Date>,
    to: Option<Date>,
    zone: Option<Zone>,
    hours: Option<u32>,
    days: Option<u32>,
    /// What the report must hold. Fields that are not named may be anything; lists are given whole, or as
    /// `{"of": LENGTH, "with": [...], "rest": {...}}`; money as text.
    #[serde(default)]
    expect: Json,
    /// What the error says instead.
    error: Option<String>,
}

/// Plays every case, and gives their names.
///
/// # Errors
/// When the store fails.
///
/// # Panics
/// When a figure is not what it must be; the message names the case.
pub async fn check(crm: &Crm) -> Result<Vec<String>, CrmError> {
    let mut names = Vec::new();
    for (file, text) in TABLE {
        let groups: Vec<Group> = serde_json::from_str(text).unwrap_or_else(|error| panic!("{file}.json: {error}"));
        for (number, group) in groups.iter().enumerate() {
            let world = World::new(crm, &format!("{file}-{number}"), group).await?;
            for case in &group.cases {
                let name = format!("{file}: {}", case.name);
                match (world.ask(case).await, &case.error) {
                    (Ok(found), None) => compare(&name, &case.expect, &found),
                    (Err(error), Some(expected)) => assert_eq!(error.to_string(), *expected, "{name}"),
                    (found, expected) => panic!("{name}: got {found:?}, expected the error {expected:?}"),
                }
                names.push(name);
            }
        }
    }
    Ok(names)
}

/// An organization with what a group gives.
struct World {
    owner: Session<'static>,
    member: Session<'static>,
    environment: Arc<dyn Environment>,
    pipelines: BTreeMap<String, Id<Pipeline>>,
    /// By the pipeline's id and the stage's name.
    stages: BTreeMap<(Id<Pipeline>, String), Id<Stage>>,
}

/// A clock that stands still.
struct Still {
    at: Instant,
    ids: Arc<dyn Environment>,
}

impl Environment for Still {
    fn now(&self) -> Instant {
        self.at
    }

    fn new_id(&self) -> Uuid {
        self.ids.new_id()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.ids.fill_random(bytes);
    }
}

impl World {
    async fn new(crm: &Crm, slug: &str, group: &Group) -> Result<Self, CrmError> {
        let owner = organization(crm, slug).await?;
        let member = member(crm, &owner, Role::Member).await?;
        for (name, stages) in &group.pipelines {
            let stages = stages.iter().map(|(name, probability)| {
                let name = name.parse()?;
                Ok(NewStage { name, probability: *probability })
            });
            let stages = stages.collect::<Result<_, CrmError>>()?;
            owner.run(&CreatePipeline { name: name.parse()?, stages }).await?;
        }
        let pipelines = owner.list(&Query::<Pipeline>::all()).await?.items;
        let stages = owner.list(&Query::<Stage>::all()).await?.items;
        let world = Self {
            owner,
            member,
            environment: Arc::clone(crm.environment()),
            pipelines: pipelines.into_iter().map(|pipeline| (pipeline.name.to_string(), pipeline.id)).collect(),
            stages: stages.into_iter().map(|s| ((s.pipeline_id, s.name.to_string()), s.id)).collect(),
        };
        let columns = Contact::COLUMNS;
        let ann = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, Some("Ann".parse()?));
        let ann = world.owner.create::<Contact>(ann).await?.id;
        for given in &group.deals {
            world.deal(given, ann).await?;
        }
        for given in &group.leads {
            world.lead(given, ann).await?;
        }
        for (name, probability) in &group.probabilities {
            let stage = world.stage("Sales", name);
            world.owner.run(&ChangeStage { stage, name: None, probability: Some(*probability) }).await?;
        }
        if !group.reorder.is_empty() {
            let order = group.reorder.iter().map(|name| world.stage("Sales", name)).collect();
            world.owner.run(&ReorderStages { pipeline: world.pipelines["Sales"], order }).await?;
        }
        Ok(world)
    }

    fn stage(&self, pipeline: &str, name: &str) -> Id<Stage> {
        self.stages[&(self.pipelines[pipeline], name.to_owned())]
    }

    fn user(&self, member: bool) -> Id<User> {
        if member { self.member.user().id } else { self.owner.user().id }
    }

    /// What the owner does at an instant.
    fn changes(&self, at: Instant) -> (Context, ChangeSet) {
        let environment = Arc::new(Still { at, ids: Arc::clone(&self.environment) });
        let actor = Actor::User(self.owner.user().id);
        let organization = Arc::new(self.owner.organization().value);
        let mut context = Context::new(environment, actor, Role::Owner, organization);
        let changes = ChangeSet::new(context.stamp("test"));
        (context, changes)
    }

    /// Writes a deal with its history, as an import does.
    async fn deal(&self, given: &DealGiven, contact: Id<Contact>) -> Result<(), CrmError> {
        let (amount, currency) = given.amount.split_once(' ').unwrap();
        // All places are given, and amounts beyond those that a command accepts are tried, too.
        let (amount, currency) = (amount.replace('.', "").parse().unwrap(), currency.parse()?);
        let mut way: Vec<(Instant, Deal)> = Vec::new();
        for step in &given.moves {
            let (at, what) = step.split_once(' ').unwrap();
            let at: Instant = at.parse()?;
            let deal = match way.last() {
                Some((_, before)) => self.moved(before, given, at, what),
                None => Deal {
                    title: "Something".parse()?,
                    contact_id: given.contact.then_some(contact),
                    owner_id: self.user(given.member),
                    currency,
                    amount: Minor(amount),
                    pipeline_id: self.pipelines[&given.pipeline],
                    stage_id: self.stage(&given.pipeline, what),
                    status: DealStatus::New,
                    expected_close_on: given.close,
                    opened_at: at,
                    closed_at: None,
                    lost_reason: None,
                    product_id: None,
                    lead_id: None,
                    stage_entered_at: at,
                    external_id: None,
                },
            };
            way.push((at, deal));
        }
        let (at, last) = way.last().unwrap();
        let (mut context, mut changes) = self.changes(*at);
        let deal = changes.insert(&mut context, last.clone());
        for (number, (at, after)) in way.iter().enumerate() {
            let before = number.checked_sub(1).map(|before| &way[before].1);
            let by = context.actor().user().map(Id::uuid);
            changes.insert(&mut context, StageChange::between(before, deal.id, after, *at, by));
        }
        self.owner.store().apply(self.owner.scope(), changes).await?;
        if given.reclose.is_some() {
            self.owner.update(deal.id, Edit::new().set(Deal::COLUMNS.expected_close_on, given.reclose)).await?;
        }
        if given.archived {
            self.owner.archive(deal.id).await?;
        }
        Ok(())
    }

    /// A deal after a step.
    fn moved(&self, before: &Deal, given: &DealGiven, at: Instant, what: &str) -> Deal {
        let mut deal = before.clone();
        match what {
            "won" => (deal.status, deal.closed_at) = (DealStatus::Won, Some(at)),
            "lost" => {
                (deal.status, deal.closed_at) = (DealStatus::Lost, Some(at));
                deal.lost_reason = "too dear".parse().ok();
            }
            "reopened" => {
                (deal.status, deal.closed_at, deal.lost_reason) = (DealStatus::InProgress, None, None);
                deal.stage_entered_at = at;
            }
            stage => {
                deal.stage_id = self.stage(&given.pipeline, stage);
                (deal.status, deal.stage_entered_at) = (DealStatus::InProgress, at);
            }
        }
        deal
    }

    async fn lead(&self, given: &LeadGiven, contact: Id<Contact>) -> Result<(), CrmError> {
        let (mut context, mut changes) = self.changes(given.at);
        let lead = Lead {
            contact_id: contact,
            channel: given.channel,
            status: given.status,
            assignee_id: given.member.then(|| self.user(true)),
            admin_notes: None,
            sales_notes: None,
            deal_id: None,
            external_id: None,
        };
        let lead = changes.insert(&mut context, lead);
        self.owner.store().apply(self.owner.scope(), changes).await?;
        if given.archived {
            self.owner.archive(lead.id).await?;
        }
        Ok(())
    }

    async fn ask(&self, case: &Case) -> Result<Json, CrmError> {
        let session = if case.member { &self.member } else { &self.owner };
        let Case { from, to, zone, .. } = *case;
        let pipeline = case.pipeline.as_ref().map(|name| self.pipelines[name]);
        let day = || case.as_of.as_ref().map(|as_of| as_of.parse::<Date>().unwrap());
        let instant = || case.as_of.as_ref().map(|as_of| as_of.parse::<Instant>().unwrap());
        Ok(match case.report.as_str() {
            "leads" => {
                let hours = case.hours.unwrap_or(24);
                let options = LeadCountsOptions { hours, as_of: instant(), from, to, zone };
                json!(session.lead_counts(&options).await?)
            }
            "deals" => {
                let days = case.days.unwrap_or(30);
                let options = DealTotalsOptions { days, as_of: day(), from, to, zone };
                json!(session.deal_totals(&options).await?)
            }
            "funnel" => json!(session.funnel(&FunnelOptions { pipeline, as_of: day(), zone }).await?),
            "cohort" => json!(session.cohort(&CohortOptions { pipeline, from, to, zone }).await?),
            "forecast" => json!(session.forecast(&ForecastOptions { pipeline, as_of: day(), zone }).await?),
            "velocity" => {
                let options = VelocityOptions { pipeline, from, to, as_of: instant(), zone };
                json!(session.velocity(&options).await?)
            }
            other => panic!("{}: there is no report {other}", case.name),
        })
    }
}

/// Whether what was found is what was expected of it.
fn fits(expected: &Json, found: &Json) -> bool {
    match (expected, found) {
        (Json::String(money), Json::Object(parts)) => {
            let part = |name| parts.get(name).and_then(Json::as_str).unwrap_or_default();
            *money == format!("{} {}", part("amount"), part("currency"))
        }
        (Json::Object(fields), Json::Object(parts)) => {
            fields.iter().all(|(name, field)| parts.get(name).is_some_and(|part| fits(field, part)))
        }
        (Json::Object(list), Json::Array(items)) => {
            let with = list["with"].as_array().unwrap();
            let named = |item: &&Json| with.iter().any(|expected| fits(expected, item));
            json!(items.len()) == list["of"]
                && items.iter().filter(named).count() == with.len()
                && with.iter().all(|expected| items.iter().any(|item| fits(expected, item)))
                && items.iter().filter(|item| !named(item)).all(|item| fits(&list["rest"], item))
        }
        (Json::Array(all), Json::Array(items)) => {
            all.len() == items.len() && all.iter().zip(items).all(|(expected, item)| fits(expected, item))
        }
        _ => expected == found,
    }
}

fn compare(name: &str, expected: &Json, found: &Json) {
    assert!(expected.as_object().is_some_and(|fields| !fields.is_empty()), "{name} expects nothing");
    for (field, expected) in expected.as_object().into_iter().flatten() {
        assert!(fits(expected, &found[field]), "{name}: {field}\nexpected {expected}\n   found {}", found[field]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_fit_only_what_they_are() {
        let found = json!({"rows": [{"n": 1, "m": {"amount": "1.00", "currency": "EUR"}}, {"n": 0}, {"n": 0}]});
        for expected in [
            json!({"rows": {"of": 3, "with": [{"n": 1, "m": "1.00 EUR"}], "rest": {"n": 0}}}),
            json!({"rows": [{"n": 1}, {"n": 0}, {}]}),
        ] {
            assert!(fits(&expected, &found), "{expected}");
        }
        for expected in [
            json!({"rows": {"of": 2, "with": [{"n": 1}], "rest": {"n": 0}}}),
            json!({"rows": {"of": 3, "with": [{"n": 2}], "rest": {}}}),
            json!({"rows": {"of": 3, "with": [], "rest": {"n": 0}}}),
            json!({"rows": {"of": 3, "with": [{"n": 1, "m": "1.00 USD"}], "rest": {"n": 0}}}),
            json!({"rows": [{"n": 1}, {"n": 0}]}),
            json!({"rows": [{"n": 1}, {"n": 0}, {"n": 1}]}),
            json!({"other": null}),
        ] {
            assert!(!fits(&expected, &found), "{expected}");
        }
    }
}

//! Deals with a past, decided by the chunk.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::io::Read;

use async_trait::async_trait;

use super::deal_rows::{Candidate, DealRows};
use super::feed::{CHUNK, Chunks, Step, upsert_key};
use super::lookup::{By, Found, members, members_by_name, references};
use super::mapping::{Mapping, Sheet};
use super::output::Refusal;
use super::records::refusal;
use super::unique::{Claim, Claims, Given, rows_with};
use crate::access::User;
use crate::billing::Product;
use crate::context::Context;
use crate::crm::Session;
use crate::crud::Rules as _;
use crate::entity::{Entity as _, Stored};
use crate::error::{CrmError, Invalid};
use crate::id::Id;
use crate::people::Contact;
use crate::row::{Row, Value};
use crate::sales::{Deal, Pipeline, Stage, Standing, write_history};
use crate::store::{Direction, Expr, Order, Select, StoreExt as _, fresh};
use crate::value::{ValueError, excerpt, fold};

/// The file of deals.
pub(super) struct Deals {
    rows: DealRows,
    key: bool,
    claims: Claims,
    given: Given,
    /// The members by their names; read when the first row asks for them.
    names: Option<HashMap<String, Vec<Id<User>>>>,
}

/// What becomes of a row.
enum Plan {
    Refused,
    Unchanged,
    Create(Id<Deal>, Box<(Deal, Row)>),
    Update(Box<(Stored<Deal>, Deal)>),
}

/// What the rows of a chunk refer to.
struct Referred {
    contacts: Found<Contact>,
    products: Found<Product>,
    owners: HashMap<String, Id<User>>,
    ways: Ways,
}

/// The pipelines and their stages, in order.
struct Ways {
    pipelines: Vec<Stored<Pipeline>>,
    stages: Vec<Stored<Stage>>,
}

impl Ways {
    async fn load(session: &Session<'_>) -> Result<Self, CrmError> {
        let pipelines = Select::new(Pipeline::TABLE, Expr::True);
        let order = Order { column: Stage::COLUMNS.position.index(), direction: Direction::Ascending };
        let stages = Select::new(Stage::TABLE, Expr::True).ordered(&[order]);
        let (store, scope) = (session.store(), session.scope());
        Ok(Self { pipelines: store.all(scope, &pipelines).await?, stages: store.all(scope, &stages).await? })
    }

    /// The stage that a row names, or where its deal is, or where a new one begins.
    fn stage(&self, row: &Candidate, before: Option<&Stored<Deal>>) -> Result<&Stored<Stage>, Invalid> {
        let missing = |entity: &'static str, text: &str| {
            Invalid::new(entity, ValueError::NotThere { entity, reference: excerpt(text) })
        };
        let pipeline = if row.pipeline.is_empty() {
            let default = self.pipelines.iter().find(|pipeline| pipeline.is_default).map(|pipeline| pipeline.id);
            let there = before.map(|deal| deal.pipeline_id).or(default);
            there.ok_or_else(|| Invalid::new("pipeline", ValueError::Blank))?
        } else {
            let id = row.pipeline.parse().ok();
            let name = fold(&row.pipeline);
            let named = self.pipelines.iter().find(|known| Some(known.id) == id || fold(&known.name) == name);
            named.ok_or_else(|| missing("pipeline", &row.pipeline))?.id
        };
        if before.is_some_and(|before| before.pipeline_id != pipeline) {
            return Err(Invalid::new("pipeline", ValueError::NotAllowed { when: "the deal goes another way" }));
        }
        let mut stages = self.stages.iter().filter(|stage| stage.pipeline_id == pipeline);
        if row.stage.is_empty() {
            let there = stages.find(|stage| before.is_none_or(|deal| deal.stage_id == stage.id));
            return there.ok_or_else(|| Invalid::new("stage", ValueError::Blank));
        }
        let (id, name) = (row.stage.parse().ok(), fold(&row.stage));
        let named = stages.find(|stage| Some(stage.id) == id || fold(&stage.name) == name);
        named.ok_or_else(|| missing("stage", &row.stage))
    }

    /// A stage by its id.
    fn by_id(&self, id: Id<Stage>) -> Option<&Stored<Stage>> {
        self.stages.iter().find(|stage| stage.id == id)
    }
}

impl Deals {
    pub(super) fn open(
        input: Box<dyn Read + Send>,
        mapping: &Mapping,
        upsert_by: Option<&str>,
        context: &Context,
    ) -> Result<Self, CrmError> {
        let key = upsert_key(upsert_by, Deal::NATURAL_KEYS)?;
        let rows = DealRows::open(input, mapping, key.is_some(), context)?;
        let claims = Claims::of(Deal::TABLE, &["lead_id"]);
        Ok(Self { rows, key: key.is_some(), claims, given: Given::default(), names: None })
    }

    /// Looks up whatever the rows refer to.
    async fn look_up(&mut self, session: &Session<'_>, candidates: &[Candidate]) -> Result<Referred, CrmError> {
        let texts = |of: fn(&Candidate) -> &String| {
            let texts: BTreeSet<&String> = candidates.iter().map(of).filter(|text| !text.is_empty()).collect();
            texts.into_iter().cloned().collect::<Vec<_>>()
        };
        let by = |chosen: Option<(usize, By)>| chosen.map_or(By::Id, |(_, by)| by);
        if self.names.is_none() && candidates.iter().any(|candidate| !candidate.owner_name.is_empty()) {
            self.names = Some(members_by_name(session).await?);
        }
        let emails = candidates.iter().filter_map(|candidate| candidate.owner.as_ref()).collect();
        let (contacts, products) = (texts(|candidate| &candidate.contact), texts(|candidate| &candidate.product));
        Ok(Referred {
            contacts: references(session, by(self.rows.contact), contacts).await?,
            products: references(session, by(self.rows.product), products).await?,
            owners: members(session, emails).await?,
            ways: Ways::load(session).await?,
        })
    }

    /// Puts what a row refers to into its edit, and a title where it has none.
    fn refer(&self, candidate: &mut Candidate, referred: &Referred) {
        let columns = Deal::COLUMNS;
        let mut names = Vec::new();
        if let (Some((field, _)), Some(found)) = (self.rows.contact, referred.contacts.get(&candidate.contact)) {
            match found {
                Ok(contact) => {
                    candidate.edit.put(columns.contact_id.index(), Value::Id(contact.id.uuid()));
                    names.push(contact.display_name());
                }
                Err(reason) => candidate.refuse(self.rows.sheet.name(field), reason.clone()),
            }
        }
        if let (Some((field, _)), Some(found)) = (self.rows.product, referred.products.get(&candidate.product)) {
            match found {
                Ok(product) => {
                    candidate.edit.put(columns.product_id.index(), Value::Id(product.id.uuid()));
                    names.push(product.name.to_string());
                }
                Err(reason) => candidate.refuse(self.rows.sheet.name(field), reason.clone()),
            }
        }
        // As much of the names as a title holds.
        candidate.title = names.join(": ").chars().take(200).collect::<String>().parse().ok();
        match self.owner(candidate, referred) {
            Ok(Some(owner)) => candidate.edit.put(columns.owner_id.index(), Value::Id(owner.uuid())),
            Ok(None) => {}
            Err(refused) => candidate.refused.push(refused),
        }
    }

    fn owner(&self, candidate: &Candidate, referred: &Referred) -> Result<Option<Id<User>>, Invalid> {
        let missing = |text: &str| ValueError::NotThere { entity: "member", reference: excerpt(text) };
        if let Some(email) = &candidate.owner {
            let owner = referred.owners.get(email.key()).copied();
            return owner.map(Some).ok_or_else(|| Invalid::new("owner", missing(email.as_str())));
        }
        let name = &candidate.owner_name;
        if name.is_empty() {
            return Ok(None);
        }
        let known = self.names.as_ref().and_then(|names| names.get(&fold(name)));
        match known.map_or(&[][..], Vec::as_slice) {
            [owner] => Ok(Some(*owner)),
            [] => Err(Invalid::new("owner_name", missing(name))),
            _ => Err(Invalid::new("owner_name", ValueError::NotAllowed { when: "several members have the name" })),
        }
    }

    /// The deals that the external ids name.
    async fn known(
        &self,
        session: &Session<'_>,
        candidates: &[Candidate],
    ) -> Result<HashMap<String, Stored<Deal>>, CrmError> {
        let mut known = HashMap::new();
        if self.key {
            let column = Deal::COLUMNS.external_id.index();
            let ids = candidates.iter().filter_map(|candidate| candidate.external_id.as_ref());
            let values = ids.map(|id| Value::Text(id.to_string())).collect();
            for row in rows_with(session, Deal::TABLE, column, values).await? {
                let text = row[column].as_text().unwrap_or_default().to_owned();
                known.insert(text, Stored::from_row(row)?);
            }
        }
        Ok(known)
    }

    /// What becomes of a row, unique values aside.
    fn plan(
        &mut self,
        candidate: &mut Candidate,
        known: &mut HashMap<String, Stored<Deal>>,
        ways: &Ways,
        context: &mut Context,
    ) -> Result<Plan, CrmError> {
        let mut before = None;
        if let (true, Some(id)) = (self.key, candidate.external_id.clone()) {
            before = known.remove(id.as_str());
            let line = self.given.before(&Value::Text(id.to_string()), candidate.row.line);
            // Not every id of a long file can be remembered.
            let again = before.as_ref().is_some_and(|deal| self.given.is_full() && deal.updated_at == context.now());
            if let Some(line) = line {
                candidate.refuse("external_id", ValueError::Repeated { got: excerpt(&id), line });
            } else if again {
                let when = "an earlier row of the file names the same record";
                candidate.refuse("external_id", ValueError::NotAllowed { when });
            }
        }
        let stage = ways.stage(candidate, before.as_ref()).map_err(|refused| candidate.refused.push(refused));
        let Ok(stage) = stage else { return Ok(Plan::Refused) };
        if !candidate.refused.is_empty() {
            return Ok(Plan::Refused);
        }
        let standing = Standing {
            stage,
            status: candidate.status,
            opened: candidate.opened,
            closed: candidate.closed,
            lost_reason: candidate.lost_reason.take(),
        };
        let zone = context.organization().time_zone;
        let made = match before {
            Some(before) => {
                if candidate.opened.is_some_and(|opened| !opened.is(before.opened_at, zone)) {
                    let computed = zone.date_at(before.opened_at).to_string();
                    let stated = self.rows.sheet.cell(&candidate.row.record, self.rows.field("opened_at")).to_owned();
                    candidate.warning = Some(Invalid::new("opened_at", ValueError::NotEqual { stated, computed }));
                }
                let from = ways.by_id(before.stage_id).unwrap_or(stage);
                let after = standing.change(&before, from, &candidate.edit, context);
                after.map(|after| match after {
                    after if before.value == after => Plan::Unchanged,
                    after => Plan::Update(Box::new((before, after))),
                })
            }
            None => standing.create(candidate.new_edit(), context).map(|deal| {
                let id = Id::new(context.new_id());
                let row = fresh(context, id, deal.clone()).to_row();
                Plan::Create(id, Box::new((deal, row)))
            }),
        };
        match made {
            Err(CrmError::Invalid(refused)) => {
                candidate.refused.extend(refused);
                Ok(Plan::Refused)
            }
            other => other,
        }
    }

    /// Refuses what would hold a unique value twice. Deals that are there keep theirs.
    async fn claim(
        &mut self,
        session: &Session<'_>,
        candidates: &mut [Candidate],
        plans: &mut [Plan],
    ) -> Result<(), CrmError> {
        let mut places = Vec::with_capacity(plans.len());
        let mut claims = Vec::with_capacity(plans.len());
        for (place, plan) in plans.iter().enumerate() {
            if let Plan::Create(id, made) = plan {
                places.push(place);
                let line = candidates[place].row.line;
                claims.push(Claim { line, id: id.uuid(), row: Cow::Borrowed(&made.1) });
            }
        }
        let refused = self.claims.check(session, &claims).await?;
        for (place, refused) in places.into_iter().zip(refused) {
            if !refused.is_empty() {
                candidates[place].refused = refused;
                plans[place] = Plan::Refused;
            }
        }
        Ok(())
    }

    /// A refused field by the name that the file has for it.
    fn refusal(&self, candidate: &Candidate, invalid: Invalid) -> Refusal {
        let invalid = Invalid { field: self.rows.field(&invalid.field).to_owned(), ..invalid };
        refusal(&self.rows.sheet, candidate.row.line, &candidate.row.record, invalid)
    }

    fn write(&self, mut candidate: Candidate, plan: Plan, ways: &Ways, step: &mut Step<'_>) {
        if let (Some(warning), false) = (candidate.warning.take(), matches!(plan, Plan::Refused)) {
            step.output.warn(self.refusal(&candidate, warning).problem());
        }
        match plan {
            Plan::Refused => {
                let refused = std::mem::take(&mut candidate.refused).into_iter();
                let refusals: Vec<Refusal> = refused.map(|invalid| self.refusal(&candidate, invalid)).collect();
                step.output.refuse(&candidate.row, &refusals);
            }
            Plan::Unchanged => step.output.report.unchanged += 1,
            Plan::Create(id, made) => {
                step.output.report.created += 1;
                let (deal, row) = *made;
                step.changes.insert_row(id, row);
                write_history(None, id, &deal, step.context, step.changes);
            }
            Plan::Update(change) => {
                step.output.report.updated += 1;
                let (before, after) = *change;
                if before.stage_id != after.stage_id {
                    // Whether a deal may go there depends on the stages' places.
                    let stages = [before.stage_id, after.stage_id].into_iter().filter_map(|id| ways.by_id(id));
                    stages.for_each(|stage| step.changes.require_unchanged(stage));
                }
                step.changes.update(step.context, &before, after.clone());
                write_history(Some(&before.value), before.id, &after, step.context, step.changes);
            }
        }
    }
}

#[async_trait]
impl Chunks for Deals {
    fn sheets(&self) -> Vec<&Sheet> {
        vec![&self.rows.sheet]
    }

    async fn next(&mut self, step: &mut Step<'_>) -> Result<bool, CrmError> {
        let mut candidates = Vec::with_capacity(CHUNK);
        while candidates.len() < CHUNK {
            let Some(candidate) = self.rows.next()? else { break };
            step.output.read();
            candidates.push(candidate);
        }
        if candidates.is_empty() {
            return Ok(false);
        }
        let referred = self.look_up(step.session, &candidates).await?;
        let mut known = self.known(step.session, &candidates).await?;
        let mut plans = Vec::with_capacity(candidates.len());
        for candidate in &mut candidates {
            self.refer(candidate, &referred);
            plans.push(self.plan(candidate, &mut known, &referred.ways, step.context)?);
        }
        self.claim(step.session, &mut candidates, &mut plans).await?;
        for (candidate, plan) in candidates.into_iter().zip(plans) {
            self.write(candidate, plan, &referred.ways, step);
        }
        Ok(true)
    }
}

//! Contacts and products: plain records, created or changed row by row.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Read;
use std::mem;

use async_trait::async_trait;
use csv::StringRecord;
use uuid::Uuid;

use super::cell;
use super::feed::{CHUNK, Chunks, Step, upsert_key};
use super::lookup::{key_column, key_value, members};
use super::mapping::{Mapping, Place, Sheet};
use super::output::{Output, Refusal, refused_fields};
use super::rows::{RawRow, Rows};
use super::unique::{Claim, Claims, Given, rows_with};
use crate::context::Context;
use crate::crm::Session;
use crate::crud::{self, Edit, Rules};
use crate::entity::{Locale, Stored};
use crate::error::{CrmError, Invalid};
use crate::id::Id;
use crate::row::{Row, Value};
use crate::store::fresh;
use crate::value::{Country, Email, Region, ValueError};

/// The columns that only a number series fills.
const NUMBERED: &[&str] = &["code"];

/// How many ways to write a country are remembered.
const COUNTRIES: usize = 1_000;

/// What a field of the file sets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// A column.
    Column(usize),
    /// The owner, by e-mail address.
    Owner,
    /// Nothing: it names the record.
    Key,
}

/// The rows of a file of plain records.
pub(super) struct Records<E> {
    rows: Rows,
    sheet: Sheet,
    slots: Vec<Slot>,
    /// Columns whose blank cells are left alone because new records have a default.
    defaults: Vec<usize>,
    /// The column of the country, that of the phone number and that of one that cannot be read.
    phone: Option<Phones>,
    locale: Locale,
    regions: HashMap<String, Option<Region>>,
    /// Countries that were read before, by their cells' text: few names come in many rows.
    countries: HashMap<String, Value>,
    /// What the fields with the same text in every row hold, by the field's position.
    constants: Vec<Option<Value>>,
    key: Option<Key>,
    lenient: bool,
    claims: Claims,
    given: Given,
    entity: std::marker::PhantomData<fn() -> E>,
}

#[derive(Clone, Copy)]
struct Phones {
    country: usize,
    phone: usize,
    raw: usize,
}

/// The key by which existing records are found.
struct Key {
    name: &'static str,
    /// The column by which they are looked up.
    column: usize,
    /// The field of the sheet that holds it.
    field: usize,
}

/// A row as it is read.
struct Candidate<E> {
    row: RawRow,
    edit: Edit<E>,
    /// The columns that refer to other records, with the ids.
    references: Vec<(usize, Uuid)>,
    owner: Option<Email>,
    key: Option<Value>,
    refused: Vec<Invalid>,
    warning: Option<Invalid>,
    /// What becomes of it, where that can be told from the row alone.
    plan: Option<Plan<E>>,
}

/// What becomes of a row.
enum Plan<E> {
    Refused,
    Unchanged,
    Create(Id<E>, Row),
    Update(Box<(Stored<E>, E)>),
}

impl<E: Rules> Records<E> {
    /// Fits the mapping to the file.
    pub(super) fn open(
        input: Box<dyn Read + Send>,
        mapping: &Mapping,
        upsert_by: Option<&str>,
        lenient: bool,
        context: &Context,
    ) -> Result<Self, CrmError> {
        let key = upsert_key(upsert_by, E::NATURAL_KEYS)?;
        let mut names = crud::settable::<E>();
        let owner = E::TABLE.position("owner_id");
        names.extend(owner.map(|_| "owner"));
        names.extend(key.filter(|key| !names.contains(key)));
        let rows = Rows::open(input, mapping.delimiter, "")?;
        let sheet = Sheet::new(mapping, rows.header(), names.clone(), Place { prefix: "", optional: "" })
            .map_err(CrmError::Invalid)?;
        let settable = crud::settable::<E>();
        let slots = names.iter().map(|name| match E::TABLE.position(name) {
            Some(at) if settable.contains(name) => Slot::Column(at),
            Some(_) => Slot::Key,
            None => Slot::Owner,
        });
        let slots: Vec<Slot> = slots.collect();
        let constants = vec![None; slots.len()];
        let defaults: Vec<usize> = E::defaults(context).values().iter().map(|(column, _)| *column).collect();
        let mut refused = Vec::new();
        let given = |name: &str| sheet.position(name).is_some_and(|at| sheet.has(at));
        if given("owner") && given("owner_id") {
            refused.push(Invalid::new("columns.owner", ValueError::NotAllowed { when: "owner_id is given" }));
        }
        if let Some(key) = key {
            if !given(key) {
                refused.push(Invalid::new(format!("columns.{key}"), ValueError::Blank));
            }
        } else {
            // Without these no row can make a record.
            let needed = settable.iter().map(|name| (*name, E::TABLE.expect_position(name)));
            let needed = needed.filter(|(_, at)| !E::TABLE.columns[*at].nullable && !defaults.contains(at));
            refused.extend(
                needed
                    .filter(|(name, _)| !given(name))
                    .map(|(name, _)| Invalid::new(format!("columns.{name}"), ValueError::Blank)),
            );
        }
        if !refused.is_empty() {
            return Err(CrmError::Invalid(refused));
        }
        let key = key.and_then(|name| {
            let column = key_column::<E>(name, context.organization());
            sheet.position(name).map(|field| Key { name, column, field })
        });
        let organization = context.organization();
        let column = |name| E::TABLE.position(name);
        let phones = (column("country"), column("phone"), column("phone_raw"));
        Ok(Self {
            rows,
            slots,
            defaults,
            phone: match phones {
                (Some(country), Some(phone), Some(raw)) => Some(Phones { country, phone, raw }),
                _ => None,
            },
            locale: Locale { region: organization.default_region, currency: organization.default_currency },
            regions: HashMap::new(),
            countries: HashMap::new(),
            constants,
            key,
            lenient,
            claims: Claims::of(E::TABLE, NUMBERED),
            given: Given::default(),
            entity: std::marker::PhantomData,
            sheet,
        })
    }

    /// Reads a row's cells.
    fn parse(&mut self, row: RawRow) -> Candidate<E> {
        let mut candidate = Candidate {
            edit: Edit::with_capacity(self.slots.len() + 1),
            references: Vec::new(),
            owner: None,
            key: None,
            plan: None,
            refused: Vec::new(),
            warning: None,
            row,
        };
        let record = &candidate.row.record;
        if let Some(fault) = &candidate.row.fault {
            candidate.refused.push(fault.invalid(&self.sheet, record));
            return candidate;
        }
        let mut phone = None;
        for (field, slot) in self.slots.iter().enumerate() {
            let Some(text) = self.sheet.text(record, field) else { continue };
            match *slot {
                Slot::Key => {}
                Slot::Owner if text.is_empty() => {}
                Slot::Owner => match text.parse() {
                    Ok(email) => candidate.owner = Some(email),
                    Err(reason) => candidate.refused.push(Invalid::new("owner", reason)),
                },
                Slot::Column(at) if text.is_empty() => {
                    if E::TABLE.columns[at].nullable && !self.defaults.contains(&at) {
                        candidate.edit.put(at, Value::Null);
                    }
                }
                Slot::Column(at) if self.phone.is_some_and(|phones| phones.phone == at) => phone = Some(text),
                Slot::Column(at) => {
                    let is_country = self.phone.is_some_and(|phones| phones.country == at);
                    let known = if is_country { self.countries.get(text) } else { self.constants[field].as_ref() };
                    if let Some(known) = known {
                        candidate.edit.put(at, known.clone());
                        continue;
                    }
                    let plain = cell::plain(text, E::TABLE.columns[at].kind, &self.sheet);
                    match plain.and_then(|text| E::parse(at, &text, &self.locale)) {
                        Ok(value) => {
                            if is_country && self.countries.len() < COUNTRIES {
                                self.countries.insert(text.to_owned(), value.clone());
                            } else if self.sheet.is_constant(field) {
                                self.constants[field] = Some(value.clone());
                            }
                            candidate.edit.put(at, value);
                        }
                        Err(reason) => candidate.refused.push(Invalid::new(E::TABLE.columns[at].name, reason)),
                    }
                }
            }
        }
        let mut locale = self.locale.clone();
        if let Some(phones) = self.phone {
            locale.region = region_of(&mut self.regions, candidate.edit.value(phones.country)).or(locale.region);
        }
        if let (Some(text), Some(phones)) = (phone, self.phone) {
            match E::parse(phones.phone, text, &locale) {
                Ok(value) => candidate.edit.put(phones.phone, value),
                Err(reason) => match E::parse(phones.raw, text, &locale) {
                    Ok(raw) if self.lenient => {
                        candidate.edit.put(phones.raw, raw);
                        candidate.warning = Some(Invalid::new("phone", reason));
                    }
                    _ => candidate.refused.push(Invalid::new("phone", reason)),
                },
            }
        }
        candidate.references = crud::references(&candidate.edit).collect();
        if let Some(key) = &self.key {
            let text = self.sheet.text(record, key.field).unwrap_or_default();
            match key_value::<E>(key.name, text, &locale) {
                Ok(value) => candidate.key = Some(value),
                Err(_) if candidate.refused.iter().any(|refused| refused.field == key.name) => {}
                Err(reason) => candidate.refused.push(Invalid::new(key.name, reason)),
            }
        }
        candidate
    }

    /// Puts owners in, and refuses references to what is not there.
    async fn refer(&self, session: &Session<'_>, candidates: &mut [Candidate<E>]) -> Result<(), CrmError> {
        if let Some(at) = E::TABLE.position("owner_id") {
            let emails = candidates.iter().filter_map(|candidate| candidate.owner.as_ref()).collect();
            let members = members(session, emails).await?;
            for candidate in candidates.iter_mut() {
                let Some(email) = &candidate.owner else { continue };
                if let Some(user) = members.get(email.key()) {
                    candidate.edit.put(at, Value::Id(user.uuid()));
                } else {
                    let reason = ValueError::NotThere { entity: "member", reference: email.to_string() };
                    candidate.refused.push(Invalid::new("owner", reason));
                }
            }
        }
        let mut wanted: BTreeMap<usize, BTreeSet<Uuid>> = BTreeMap::new();
        for (column, id) in candidates.iter().flat_map(|candidate| &candidate.references) {
            wanted.entry(*column).or_default().insert(*id);
        }
        for (column, ids) in wanted {
            let Some(target) = E::TABLE.columns[column].target() else { continue };
            let ids: Vec<Uuid> = ids.into_iter().collect();
            let found: HashSet<Uuid> = session.referable(target, &ids).await?.into_iter().collect();
            for candidate in candidates.iter_mut() {
                let missing = |(at, id): &&(usize, Uuid)| *at == column && !found.contains(id);
                if let Some((_, id)) = candidate.references.iter().find(missing) {
                    let reason = ValueError::NotThere { entity: target.entity, reference: id.to_string() };
                    candidate.refused.push(Invalid::new(E::TABLE.columns[column].name, reason));
                }
            }
        }
        Ok(())
    }

    /// The records that the keys name.
    async fn known(
        &self,
        session: &Session<'_>,
        candidates: &[Candidate<E>],
    ) -> Result<HashMap<Value, Vec<Stored<E>>>, CrmError> {
        let mut known: HashMap<Value, Vec<Stored<E>>> = HashMap::new();
        let Some(key) = &self.key else { return Ok(known) };
        let values = candidates.iter().filter_map(|candidate| candidate.key.clone()).collect();
        for row in rows_with(session, E::TABLE, key.column, values).await? {
            known.entry(row[key.column].clone()).or_default().push(Stored::from_row(row)?);
        }
        Ok(known)
    }

    /// What becomes of a row, unique values aside.
    fn plan(
        &mut self,
        candidate: &mut Candidate<E>,
        known: &mut HashMap<Value, Vec<Stored<E>>>,
        context: &mut Context,
    ) -> Result<Plan<E>, CrmError> {
        if !candidate.refused.is_empty() {
            return Ok(Plan::Refused);
        }
        let mut existing = Vec::new();
        if let (Some(key), Some(value)) = (&self.key, &candidate.key) {
            existing = known.remove(value).unwrap_or_default();
            let reason = match self.given.before(value, candidate.row.line) {
                Some(line) => {
                    let got = self.sheet.cell(&candidate.row.record, key.name);
                    Some(ValueError::Repeated { got: crate::value::excerpt(got), line })
                }
                // Not every key of a long file can be remembered.
                None if self.given.is_full() && existing.iter().any(|record| record.updated_at == context.now()) => {
                    Some(ValueError::NotAllowed { when: "an earlier row of the file names the same record" })
                }
                None if existing.len() > 1 => Some(ValueError::NotAllowed { when: "several records answer to it" }),
                // A number that only the series gives cannot be given to a new record.
                None if existing.is_empty() && self.slots[key.field] == Slot::Key => {
                    let reference = self.sheet.cell(&candidate.row.record, key.name).to_owned();
                    Some(ValueError::NotThere { entity: E::TABLE.entity, reference })
                }
                None => None,
            };
            if let Some(reason) = reason {
                candidate.refused.push(Invalid::new(key.name, reason));
                return Ok(Plan::Refused);
            }
        }
        let made = match existing.pop() {
            Some(before) => crud::change(&before, &candidate.edit, context).map(|after| {
                if before.has(&after) { Plan::Unchanged } else { Plan::Update(Box::new((before, after))) }
            }),
            None => crud::create_from(mem::take(&mut candidate.edit), context).map(|record| {
                let id = Id::new(context.new_id());
                Plan::Create(id, fresh(context, id, record).to_row())
            }),
        };
        match made {
            Ok(plan) => Ok(plan),
            Err(error) => {
                candidate.refused = refused_fields(error)?;
                Ok(Plan::Refused)
            }
        }
    }

    /// Refuses what would hold a unique value twice.
    async fn claim(
        &mut self,
        session: &Session<'_>,
        context: &Context,
        candidates: &mut [Candidate<E>],
        plans: &mut [Plan<E>],
    ) -> Result<(), CrmError> {
        let mut places = Vec::with_capacity(plans.len());
        let mut claims = Vec::with_capacity(plans.len());
        for (place, plan) in plans.iter().enumerate() {
            let (id, row) = match plan {
                Plan::Create(id, row) => (id.uuid(), Cow::Borrowed(row)),
                Plan::Update(change) => {
                    let row = fresh(context, change.0.id, change.1.clone()).to_row();
                    (change.0.id.uuid(), Cow::Owned(row))
                }
                Plan::Refused | Plan::Unchanged => continue,
            };
            places.push(place);
            claims.push(Claim { line: candidates[place].row.line, id, row });
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

    fn refuse(&self, candidate: Candidate<E>, output: &mut Output) {
        let Candidate { row, refused, .. } = candidate;
        let refusals: Vec<Refusal> =
            refused.into_iter().map(|invalid| refusal(&self.sheet, row.line, &row.record, invalid)).collect();
        output.refuse(&row, &refusals);
    }
}

/// A refused field with its cell's text.
pub(super) fn refusal(sheet: &Sheet, line: u64, record: &StringRecord, invalid: Invalid) -> Refusal {
    let got = sheet.cell(record, &invalid.field);
    Refusal::new(line, invalid, got)
}

/// The region of the row's own country.
fn region_of(known: &mut HashMap<String, Option<Region>>, country: Option<&Value>) -> Option<Region> {
    let Some(Value::Text(code)) = country else { return None };
    if let Some(region) = known.get(code) {
        return *region;
    }
    let region = Country::from_code(code).and_then(|country| Region::try_from(country).ok());
    known.insert(code.clone(), region);
    region
}

#[async_trait]
impl<E: Rules> Chunks for Records<E> {
    fn sheets(&self) -> Vec<&Sheet> {
        vec![&self.sheet]
    }

    async fn next(&mut self, step: &mut Step<'_>) -> Result<bool, CrmError> {
        let mut candidates = Vec::with_capacity(CHUNK);
        while candidates.len() < CHUNK {
            let Some(row) = self.rows.next()? else { break };
            step.output.read();
            let mut candidate = self.parse(row);
            if self.key.is_none() && candidate.owner.is_none() {
                // At once, while the row is in the processor's cache.
                candidate.plan = Some(self.plan(&mut candidate, &mut HashMap::new(), step.context)?);
            }
            candidates.push(candidate);
        }
        if candidates.is_empty() {
            return Ok(false);
        }
        self.refer(step.session, &mut candidates).await?;
        let mut known = self.known(step.session, &candidates).await?;
        let mut plans = Vec::with_capacity(candidates.len());
        for candidate in &mut candidates {
            plans.push(match candidate.plan.take() {
                Some(plan) if candidate.refused.is_empty() => plan,
                Some(_) => Plan::Refused,
                None => self.plan(candidate, &mut known, step.context)?,
            });
        }
        self.claim(step.session, step.context, &mut candidates, &mut plans).await?;
        let mut created = Vec::new();
        for (candidate, plan) in candidates.into_iter().zip(plans) {
            if let (Some(warning), false) = (&candidate.warning, matches!(plan, Plan::Refused)) {
                let row = &candidate.row;
                step.output.warn(refusal(&self.sheet, row.line, &row.record, warning.clone()).problem());
            }
            let report = &mut step.output.report;
            match plan {
                Plan::Refused => self.refuse(candidate, step.output),
                Plan::Unchanged => report.unchanged += 1,
                Plan::Create(id, row) => {
                    report.created += 1;
                    step.changes.insert_row::<E>(id, row);
                    created.push(id);
                }
                Plan::Update(change) => {
                    report.updated += 1;
                    let (before, after) = *change;
                    step.changes.update(step.context, &before, after);
                }
            }
        }
        if !created.is_empty() {
            step.session.number(step.context, step.changes, created.into_iter()).await?;
        }
        Ok(true)
    }
}

//! The deadline rules of an organization, which add to the built-in ones or stand in their place.

use std::borrow::Cow;

use serde::Serialize;

use super::deadline::{self, DeadlineRule, Extension, Silence, Start, Topic, Unit};
use super::{Case, ServiceError};
use crate::context::Context;
use crate::crm::Session;
use crate::crud::{Edit, Rules};
use crate::entity::{Entity as _, Stored};
use crate::error::{CrmError, Invalid};
use crate::id::Id;
use crate::store::{Direction, LARGEST_PAGE, Order, Query, Select, StoreExt as _};
use crate::value::{Country, Date, Notes, Text, ValueError};

crate::entity! {
    /// How long the organization has to answer cases of a topic, by its own or its country's law. Not legal advice.
    ///
    /// While it is in force it stands in the place of every built-in rule for the topic. It is never changed, because
    /// cases rest on it: it is given an end, and another version begins.
    pub struct CaseRule: "case_rule" in "crm_case_rule" as Record, Organization {
        /// Its name.
        pub code: Text<60>,
        /// Tells the rules of one name apart.
        pub rule_version: Text<60>,
        /// For which topic.
        pub topic: Topic,
        /// Whose law it is.
        pub jurisdiction: Option<Country>,
        /// Which body of rules it belongs to.
        pub regime: Option<Text<60>>,
        /// How many days there are, 1 to 1,000.
        pub base_days: i64,
        /// Which days count.
        pub unit: Unit,
        /// Which day is the first.
        pub start: Start,
        /// How far a case may be extended: `none`, a number of days, or a factor such as `x2`.
        pub largest_extension: Extension,
        /// What it means in law when no answer is given in time.
        pub silence: Silence,
        /// The first day of receipt that it governs.
        pub valid_from: Date,
        /// The last day of receipt that it governs; absent while it is in force.
        pub valid_until: Option<Date>,
        /// Where it is written.
        pub source: Text<500>,
        /// What else is to be known.
        pub notes: Option<Notes<2000>>,
    }
    columns CaseRuleColumns;
    derived { }
    unique { "crm_case_rule_code": [code, rule_version] }
    index { "crm_case_rule_topic": [topic, valid_from] }
}

/// The most days that a rule may give.
const MOST_DAYS: i64 = 1_000;

impl CaseRule {
    /// The rule as dates are computed by it.
    fn rule(&self) -> DeadlineRule {
        let text = |text: Option<&str>| Cow::Owned(text.unwrap_or_default().to_owned());
        DeadlineRule {
            code: Cow::Owned(self.code.to_string()),
            version: Cow::Owned(self.rule_version.to_string()),
            jurisdiction: text(self.jurisdiction.as_ref().map(Country::code)),
            regime: text(self.regime.as_deref()),
            topic: self.topic,
            base_days: u32::try_from(self.base_days).unwrap_or(0),
            unit: self.unit,
            start: self.start,
            largest_extension: self.largest_extension,
            silence: self.silence,
            valid_from: self.valid_from,
            valid_until: self.valid_until,
            source: Cow::Owned(self.source.to_string()),
            notes: text(self.notes.as_deref()),
        }
    }
}

impl Rules for CaseRule {
    const GENERAL: &'static [&'static str] = &["create", "update", "delete"];
    const NATURAL_KEYS: &'static [&'static str] = &["code"];

    fn defaults(context: &Context) -> Edit<Self> {
        let columns = Self::COLUMNS;
        Edit::new()
            .set(columns.unit, Unit::Business)
            .set(columns.start, Start::NextBusinessDay)
            .set(columns.largest_extension, Extension::None)
            .set(columns.silence, Silence::None)
            .set(columns.valid_from, context.today())
    }

    fn check(&mut self, before: Option<&Self>, _: &Context) -> Result<(), Vec<Invalid>> {
        let mut refused = Vec::new();
        let mut refuse = |field: &str, reason| refused.push(Invalid::new(field, reason));
        if !(1..=MOST_DAYS).contains(&self.base_days) {
            refuse("base_days", ValueError::out_of_range(1, MOST_DAYS));
        }
        if let Some(until) = self.valid_until
            && until < self.valid_from
        {
            refuse("valid_until", ValueError::Before { earliest: self.valid_from, got: until });
        }
        if let Some(before) = before {
            let ended = Self { valid_until: self.valid_until, notes: self.notes.clone(), ..before.clone() };
            if *self != ended {
                refuse("code", ValueError::NotAllowed { when: "the rule exists; another version is another rule" });
            }
        }
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }
}

/// A rule that cases can get, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownRule {
    /// The organization's own rule; absent for a built-in one.
    pub id: Option<Id<CaseRule>>,
    /// The rule.
    #[serde(flatten)]
    pub rule: DeadlineRule,
}

impl Session<'_> {
    /// The organization's own rules, and those that are built in for the country of its calendar, or for every country
    /// if `all` is set. Each group by topic, then by first day; rules that are no longer in force too.
    ///
    /// # Errors
    /// When the role may not see them, or the organization has no calendar.
    pub async fn deadline_rules(&self, all: bool) -> Result<Vec<KnownRule>, CrmError> {
        let session = self.current().await?;
        let mut known = Vec::new();
        let mut query = Query::<CaseRule>::all().limit(LARGEST_PAGE);
        loop {
            let page = session.list(&query).await?;
            known.extend(page.items.iter().map(|own| KnownRule { id: Some(own.id), rule: own.rule() }));
            match page.next {
                Some(next) => query = query.after(Some(next)),
                None => break,
            }
        }
        let base = session.calendar().await?.base;
        let here = |rule: &&DeadlineRule| all || base.is_some_and(|base| rule.jurisdiction == base.code());
        known.extend(deadline::RULES.iter().filter(here).map(|rule| KnownRule { id: None, rule: rule.clone() }));
        known.sort_by(|left, right| {
            let key = |known: &KnownRule| (known.id.is_none(), known.rule.topic, known.rule.valid_from);
            key(left).cmp(&key(right)).then_with(|| left.rule.code.cmp(&right.rule.code))
        });
        Ok(known)
    }
}

/// A rule that was found, and whose it is.
pub(super) struct Found {
    pub(super) rule: DeadlineRule,
    /// The organization's own rule; absent for a built-in one.
    pub(super) id: Option<Id<CaseRule>>,
}

impl Found {
    /// Writes what a case keeps of its rule, or that it has none.
    pub(super) fn keep(found: Option<&Self>, case: &mut Case) -> Result<(), CrmError> {
        case.rule_code = found.map(|found| found.rule.code.parse()).transpose()?;
        case.rule_version = found.map(|found| found.rule.version.parse()).transpose()?;
        case.rule_id = found.and_then(|found| found.id);
        case.base_days = found.map(|found| i64::from(found.rule.base_days));
        case.silence = found.map_or(Silence::None, |found| found.rule.silence);
        Ok(())
    }
}

/// The rule for what is received on a day: the organization's own one for the topic that came last, or else that of its
/// country, or none.
pub(super) async fn rule_for(
    session: &Session<'_>,
    country: Option<Country>,
    topic: Topic,
    on: Date,
) -> Result<Option<Found>, CrmError> {
    let columns = CaseRule::COLUMNS;
    let in_force = columns.valid_from.le(&on) & !columns.valid_until.lt(&Some(on));
    let latest = Order { column: columns.valid_from.index(), direction: Direction::Descending };
    let query = Select::new(CaseRule::TABLE, (columns.topic.eq(&topic) & in_force).into()).ordered(&[latest]);
    let own: Option<Stored<CaseRule>> = session.store().first(session.scope(), query).await?;
    Ok(match own {
        Some(own) => Some(Found { rule: own.rule(), id: Some(own.id) }),
        None => country
            .and_then(|country| deadline::rule_for(country.code(), topic, on))
            .map(|rule| Found { rule: rule.clone(), id: None }),
    })
}

/// The rule that a case keeps.
///
/// # Errors
/// [`ServiceError::RuleGone`] when the case rests on a built-in rule that this program does not have.
pub(super) async fn rule_of(session: &Session<'_>, case: &Stored<Case>) -> Result<Option<DeadlineRule>, CrmError> {
    let Some(code) = &case.rule_code else { return Ok(None) };
    let gone = || ServiceError::RuleGone { case: case.label(), rule: code.to_string() };
    let Some(id) = case.rule_id else {
        return Ok(Some(deadline::rule(code).ok_or_else(gone)?.clone()));
    };
    let own = session.store().get(session.scope(), id).await?.ok_or_else(gone)?;
    Ok(Some(own.rule()))
}

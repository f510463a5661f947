//! The dated situations of [`deadlines`](super::deadlines) played through real cases: opened when they arrive, extended,
//! paused and completed on their days, by commands on a store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use uuid::Uuid;

use super::deadlines::{DatedCase, dated_cases};
use crate::context::Environment;
use crate::error::CrmError;
use crate::id::Id;
use crate::people::{Contact, ContactKind};
use crate::service::deadline::{DeadlineRule, RULES};
use crate::service::{
    Calendar, CalendarDay, Case, CaseKind, CaseRule, CompleteCase, ExtendBy, ExtendCase, OpenCase, PauseCase,
    ServiceError, SetCalendar, SetDay,
};
use crate::value::{Date, Instant, Notes, Text, ValueError};
use crate::{Crm, Edit, Session};

/// A clock that is set.
#[derive(Clone)]
struct Clock {
    micros: Arc<AtomicI64>,
    ids: Arc<dyn Environment>,
}

impl Environment for Clock {
    fn now(&self) -> Instant {
        Instant::from_micros(self.micros.load(Ordering::Relaxed)).unwrap_or(Instant::EPOCH)
    }

    fn new_id(&self) -> Uuid {
        self.ids.new_id()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.ids.fill_random(bytes);
    }
}

impl Clock {
    fn set(&self, at: Instant) {
        self.micros.store(at.micros(), Ordering::Relaxed);
    }

    /// Goes on to noon of a day, or a second further if noon has passed.
    fn go_to(&self, day: Date, zone: crate::value::Zone) -> Result<(), ValueError> {
        let noon = zone.start_of(day).checked_add_micros(12 * 3_600_000_000)?;
        self.set(noon.max(self.now().checked_add_micros(1_000_000)?));
        Ok(())
    }
}

/// An office with the calendar and the rule of some situations.
struct Office {
    session: Session<'static>,
    contact: Id<Contact>,
}

/// Plays every situation that the commands allow, and gives how many that were.
///
/// # Errors
/// When the store fails or a command is refused that must not be.
///
/// # Panics
/// When a due date is not what it must be; the message names the situation.
pub async fn check(crm: &Crm) -> Result<usize, CrmError> {
    let clock = Clock { micros: Arc::default(), ids: Arc::clone(crm.environment()) };
    let crm = Crm::new(Arc::clone(crm.store()), clock.clone());
    let mut offices: BTreeMap<String, Office> = BTreeMap::new();
    let mut played = 0;
    for dated in dated_cases() {
        // A case has one clock: what begins before the one before it ends cannot be recorded.
        if !dated.pauses.windows(2).all(|pair| pair[0].to.is_some_and(|to| to <= pair[1].from)) {
            continue;
        }
        clock.set(dated.received_at);
        let built_in = RULES.iter().any(|rule| rule.code == dated.rule.code && is_country(&dated, rule));
        let rule = if built_in { "" } else { &*dated.rule.code };
        let base = dated.base.map_or("-", |base| base.code);
        let key = format!("{base} {} {} {:?} {rule}", dated.zone, dated.week, dated.overrides);
        if !offices.contains_key(&key) {
            let office = office(&crm, &format!("office-{}", offices.len()), &dated, !built_in).await?;
            offices.insert(key.clone(), office);
        }
        play(&offices[&key], &clock, &dated).await?;
        played += 1;
    }
    Ok(played)
}

fn is_country(dated: &DatedCase, rule: &DeadlineRule) -> bool {
    dated.base.is_some_and(|base| base.code == rule.jurisdiction)
}

/// A new organization with the calendar of a situation, and its rule if that is not built in for the country.
async fn office(crm: &Crm, slug: &str, dated: &DatedCase, own_rule: bool) -> Result<Office, CrmError> {
    let session = super::organization(crm, slug).await?;
    let columns = Calendar::COLUMNS;
    let base = dated.base.map(|base| base.code.parse()).transpose()?;
    let edit = Edit::new().set(columns.base, base).set(columns.zone, dated.zone).set(columns.week, dated.week.clone());
    session.run(&SetCalendar(edit)).await?;
    for change in &dated.overrides {
        let day = CalendarDay { on: change.date, kind: change.kind, name: change.name.parse()? };
        session.run(&SetDay(day)).await?;
    }
    if own_rule {
        let columns = CaseRule::COLUMNS;
        let rule = &dated.rule;
        let edit = Edit::new()
            .set(columns.code, rule.code.parse::<Text<60>>()?)
            .set(columns.rule_version, rule.version.parse::<Text<60>>()?)
            .set(columns.topic, rule.topic)
            .set(columns.base_days, i64::from(rule.base_days))
            .set(columns.unit, rule.unit)
            .set(columns.start, rule.start)
            .set(columns.largest_extension, rule.largest_extension)
            .set(columns.silence, rule.silence)
            .set(columns.valid_from, rule.valid_from)
            .set(columns.valid_until, rule.valid_until)
            .set(columns.source, rule.source.parse::<Text<500>>()?);
        session.create(edit).await?;
    }
    let columns = Contact::COLUMNS;
    let eva = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, "Eva".parse().ok());
    let contact = session.create(eva).await?.id;
    Ok(Office { session, contact })
}

async fn play(office: &Office, clock: &Clock, dated: &DatedCase) -> Result<(), CrmError> {
    let Office { session, contact } = office;
    let place = format!("{}: {}", dated.place, dated.situation);
    let words = || "So it is.".parse::<Notes<10000>>();
    let columns = Case::COLUMNS;
    let edit = Edit::new()
        .set(columns.kind, CaseKind::Petition)
        .set(columns.topic, dated.rule.topic)
        .set(columns.subject, "Something".parse::<Text<100>>()?)
        .set(columns.description, "Something is asked for.".parse::<Notes<10000>>()?)
        .set(columns.contact_id, *contact);
    let case = session.run(&OpenCase::new(edit)).await?;
    assert!(case.rule_code.as_deref() == Some(&*dated.rule.code), "{place}: by rule {:?}", case.rule_code);
    let id = case.id;
    if dated.extension_days > 0 {
        session.run(&ExtendCase { id, by: ExtendBy::Days(dated.extension_days), reason: words()? }).await?;
    }
    for pause in &dated.pauses {
        clock.go_to(pause.from, dated.zone)?;
        match session.run(&PauseCase { id, missing: words()? }).await {
            Ok(paused) => assert!(paused.due_on.is_none(), "{place}: due {:?} while paused", paused.due_on),
            // A notice after the term does not move it.
            Err(CrmError::Service(ServiceError::Late { due_on, .. })) if due_on < pause.from => continue,
            Err(error) => return Err(error),
        }
        if let Some(to) = pause.to {
            clock.go_to(to, dated.zone)?;
            session.run(&CompleteCase { id, text: None }).await?;
        }
    }
    let due_on = session.get(id).await?.due_on;
    assert!(due_on == dated.due_on, "{place}: expected {:?}, got {due_on:?}", dated.due_on);
    let explained = session.explain_case(id).await?.due_on;
    assert!(explained == dated.due_on, "{place}: expected {:?}, explained {explained:?}", dated.due_on);
    Ok(())
}

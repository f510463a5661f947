//! The random work of cases.

use super::{Dice, Made, NAMES, date, pairs, told};
use crate::error::CrmError;
use crate::id::Id;
use crate::service::calendar::OverrideKind;
use crate::service::deadline::Topic;
use crate::service::{
    AnswerCase, AppealCase, AssignCase, Calendar, CalendarDay, Case, CaseChannel, CaseKind, CasePriority, CaseRule,
    CaseStatus, ClearDay, CloseCase, CompleteCase, ExtendBy, ExtendCase, NotifyCase, OpenCase, PauseCase, ReopenCase,
    SetCalendar, SetDay, TransferCase,
};
use crate::store::Query;
use crate::value::Notes;
use crate::{Edit, Session};

/// Weeks, one of them with two intervals a day and half a Saturday, one that is none.
const WEEKS: &[&str] = &["mon-fri 08:00-17:00", "mon-fri 07:30-12:00 14:00-18:00; sat 08:00-12:00", "fri-mon"];

/// What the play has made of cases.
#[derive(Default)]
pub(super) struct MadeCases {
    pub(super) cases: Vec<Id<Case>>,
    rules: Vec<Id<CaseRule>>,
}

/// Gives an organization a country with deadlines.
pub(super) async fn settle(session: &Session<'_>) -> Result<(), CrmError> {
    let edit = pairs(&[("base", "CO".to_owned()), ("zone", "America/Bogota".to_owned())]);
    session.run(&SetCalendar(edit)).await.map(drop)
}

/// One step; nothing when there is nothing yet to take it with.
pub(super) async fn step(session: &Session<'_>, dice: &mut Dice, made: &mut Made) -> Option<String> {
    Some(match dice.roll(14) {
        0..=3 | 12 | 13 => {
            let assignee = dice.once_in(3).then(|| session.user().id);
            let (line, case) = told(session.run(&OpenCase { edit: case(dice, made), assignee }).await);
            made.cases.cases.extend(case.map(|case| case.id));
            format!("case.open {line}")
        }
        4 => calendar_step(session, dice).await?,
        5 => rule_step(session, dice, made).await?,
        6 => match session.recompute_cases(dice.once_in(2)).await {
            Ok(recomputed) => format!("case.recompute {}", serde_json::json!(recomputed)),
            Err(error) => format!("case.recompute {}: {error}", error.code().as_str()),
        },
        7 => {
            let id = dice.pick(&made.cases.cases).copied()?;
            match session.explain_case(id).await {
                Ok(explained) => format!("case.explain {} {explained}", serde_json::json!(explained)),
                Err(error) => format!("case.explain {}: {error}", error.code().as_str()),
            }
        }
        _ => case_step(session, dice, made).await?,
    })
}

fn one(dice: &mut Dice, of: &[&str]) -> String {
    dice.pick(of).copied().unwrap_or_default().to_owned()
}

fn words(dice: &mut Dice) -> Option<Notes<10000>> {
    dice.pick(NAMES).and_then(|name| format!("{name} said so").parse().ok())
}

fn case(dice: &mut Dice, made: &Made) -> Edit<Case> {
    let mut fields = vec![
        ("kind", one(dice, CaseKind::NAMES)),
        ("subject", format!("{} {}", one(dice, NAMES), if dice.once_in(8) { "" } else { "asks" })),
        ("description", format!("{} wants to know why.", one(dice, NAMES))),
        ("received_at", format!("{}T{:02}:30:00Z", date(dice), dice.roll(24))),
    ];
    if dice.once_in(3) {
        // In the play's hour, or after it.
        fields.pop();
    }
    if let Some(contact) = dice.pick(&made.contacts) {
        fields.push(("contact_id", contact.to_string()));
    }
    if dice.once_in(2) {
        fields.push(("topic", one(dice, Topic::NAMES)));
    }
    if dice.once_in(2) {
        fields.push(("channel", one(dice, CaseChannel::NAMES)));
    }
    if dice.once_in(5) {
        fields.push(("external_id", format!("Q{}", dice.roll(20))));
    }
    pairs(&fields)
}

async fn case_step(session: &Session<'_>, dice: &mut Dice, made: &Made) -> Option<String> {
    let id = dice.pick(&made.cases.cases).copied()?;
    let said = words(dice)?;
    let (verb, result) = match dice.roll(12) {
        0 => {
            let edit = pairs(&[("priority", one(dice, CasePriority::NAMES)), ("account_number", "7".to_owned())]);
            ("update", session.update(id, edit).await)
        }
        1 => {
            let assignee = if dice.once_in(3) { None } else { Some(session.user().id) };
            ("assign", session.run(&AssignCase { id, assignee }).await)
        }
        2 => ("transfer", session.run(&TransferCase { id, to: said }).await),
        3 => ("pause", session.run(&PauseCase { id, missing: said }).await),
        4 => ("complete", session.run(&CompleteCase { id, text: Some(said) }).await),
        5 | 6 => {
            let by = match dice.roll(3) {
                0 => ExtendBy::To(date(dice)),
                _ => ExtendBy::Days(u32::try_from(dice.roll(12)).unwrap_or(0)),
            };
            ("extend", session.run(&ExtendCase { id, by, reason: said }).await)
        }
        7 => ("notify", session.run(&NotifyCase { id, proof: said }).await),
        8 => ("reopen", session.run(&ReopenCase { id, reason: said }).await),
        9 => ("appeal", session.run(&AppealCase { id, grounds: said }).await),
        10 => ("close", session.run(&CloseCase { id, reason: Some(said).filter(|_| dice.once_in(2)) }).await),
        _ => ("answer", session.run(&AnswerCase { id, text: said }).await),
    };
    Some(format!("case.{verb} {}", told(result).0))
}

async fn calendar_step(session: &Session<'_>, dice: &mut Dice) -> Option<String> {
    let on = date(dice);
    let (verb, result): (_, Result<_, CrmError>) = match dice.roll(3) {
        0 => {
            let edit: Edit<Calendar> = pairs(&[
                ("base", one(dice, &["CO", "CO", "RU", "US", ""])),
                ("zone", one(dice, &["America/Bogota", "Asia/Tokyo"])),
                ("week", one(dice, WEEKS)),
            ]);
            ("set", session.run(&SetCalendar(edit)).await)
        }
        1 => {
            let kind = *dice.pick(OverrideKind::ALL)?;
            ("set_day", session.run(&SetDay(CalendarDay { on, kind, name: one(dice, NAMES).parse().ok()? })).await)
        }
        _ => ("clear_day", session.run(&ClearDay(on)).await),
    };
    Some(format!("calendar.{verb} {}", told(result).0))
}

async fn rule_step(session: &Session<'_>, dice: &mut Dice, made: &mut Made) -> Option<String> {
    let known = dice.pick(&made.cases.rules).copied();
    let (verb, result) = match (dice.roll(6), known) {
        (0, Some(id)) => {
            let edit = pairs(&[("valid_until", date(dice).to_string())]);
            ("update", session.update(id, edit).await)
        }
        (1, Some(id)) => ("delete", session.delete(id).await),
        _ => {
            let edit: Edit<CaseRule> = pairs(&[
                ("code", format!("R{}", dice.roll(3))),
                ("rule_version", dice.roll(5).to_string()),
                ("topic", one(dice, Topic::NAMES)),
                ("base_days", dice.roll(30).to_string()),
                ("unit", one(dice, &["business", "calendar"])),
                ("start", one(dice, &["next_business_day", "next_day", "same_day"])),
                ("largest_extension", one(dice, &["none", "5", "x2"])),
                ("silence", one(dice, &["none", "positive", "negative"])),
                ("valid_from", date(dice).to_string()),
                ("source", one(dice, NAMES)),
            ]);
            let (line, rule) = told(session.create(edit).await);
            made.cases.rules.extend(rule.map(|rule| rule.id));
            return Some(format!("case_rule.create {line}"));
        }
    };
    Some(format!("case_rule.{verb} {}", told(result).0))
}

/// A filter and order of cases.
pub(super) fn filter(dice: &mut Dice) -> Query<Case> {
    let columns = Case::COLUMNS;
    let (day, later) = (date(dice), date(dice));
    let filter = match dice.roll(5) {
        0 => Case::due(day, later),
        1 => Case::overdue(day),
        2 => columns.status.eq(dice.pick(CaseStatus::ALL).unwrap_or(&CaseStatus::Received)),
        3 => !columns.paused_since.is_null() | columns.answered_late.eq(&Some(true)),
        _ => Case::open() & columns.rule_code.starts_with("CO-"),
    };
    let query = Query::new(filter).limit(u32::try_from(dice.roll(6) + 1).unwrap_or(1));
    match dice.roll(3) {
        0 => query.ascending(columns.due_on),
        1 => query.descending(columns.answer_days),
        _ => query.ascending(columns.number),
    }
}

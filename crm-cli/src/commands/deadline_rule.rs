//! `crm deadline-rule`: how long there is to answer cases, by law or by the organization's own rules.

use clap::{ArgMatches, Command};
use crm_core::CrmError;
use crm_core::entity::Entity as _;
use crm_core::service::deadline::{DISCLAIMER, Unit};
use crm_core::service::{CaseRule, KnownRule};
use crm_core::value::Date;

use super::verb;
use crate::args::{self, examples, flag, given, group};
use crate::error::Done;
use crate::open::App;
use crate::output::{self, Format, Out};
use crate::records;

pub(super) fn command() -> Command {
    let on = |name: &'static str, about: &'static str| {
        Command::new(name).about(about).arg(records::reference_arg::<CaseRule>())
    };
    let keeps = ["valid_until", "notes"];
    let mut edit =
        args::settable(on("edit", "Gives a rule an end, or notes; an empty value clears them"), CaseRule::TABLE);
    let fixed: Vec<String> = edit.get_arguments().map(|arg| arg.get_id().to_string()).collect();
    for name in fixed.into_iter().filter(|name| name != "ref" && !keeps.contains(&name.as_str())) {
        edit = edit.mut_arg(name, |arg| arg.hide(true));
    }
    let group = group("deadline-rule", "Works on deadline rules: how long there is to answer cases; not legal advice")
        .subcommand(
            Command::new("list")
                .about("Lists the organization's own rules, and those built in for the country of its calendar")
                .arg(flag(
                    "all",
                    "All that are built in, whatever the country of the calendar; so far those of Colombia",
                )),
        )
        .subcommand(on("show", "Shows a rule with its source"))
        .subcommand(records::add_command::<CaseRule>().about(
            "Adds a rule; for what is received from its first day on it stands in the place of those built in for its \
             topic",
        ))
        .subcommand(edit)
        .subcommand(on("delete", "Deletes a rule that no case rests on").arg(flag("yes", "Does not ask")));
    examples(
        group,
        &[
            ("list", "crm deadline-rule list"),
            ("show", "crm deadline-rule show CO-UTILITIES"),
            (
                "add",
                "crm deadline-rule add --code OURS --rule-version 1 --topic general --base-days 10 --largest-extension 5 \
                 --valid-from 2026-01-01 --source 'Resolution 7 of 2025'",
            ),
            ("edit", "crm deadline-rule edit OURS --valid-until 2026-12-31"),
            ("delete", "crm deadline-rule delete OURS --yes"),
        ],
    )
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    if !matches!(verb, "list" | "show") {
        return records::run::<CaseRule>(app, verb, args).await;
    }
    let session = app.session().await?;
    if verb == "list" {
        let rules = session.deadline_rules(given(args, "all")).await?;
        output::items(app.out, &rules, &HEADER, &[4], cells)?;
        app.out.note(DISCLAIMER);
        return Ok(());
    }
    let reference = records::reference(args);
    let is = |known: &KnownRule| {
        known.rule.code.eq_ignore_ascii_case(reference) || known.id.is_some_and(|id| id.to_string() == reference)
    };
    let rules: Vec<KnownRule> = session.deadline_rules(true).await?.into_iter().filter(is).collect();
    match rules.as_slice() {
        [rule] => show(app, rule),
        several => Err(unclear(several, reference).into()),
    }
}

/// Nothing answers to a reference, or several rules do.
fn unclear(found: &[KnownRule], reference: &str) -> CrmError {
    let (entity, reference) = (CaseRule::TABLE.entity, reference.to_owned());
    let candidates: Vec<String> = found.iter().filter_map(|known| known.id).map(|id| id.to_string()).collect();
    if found.is_empty() {
        CrmError::NotFound { entity, reference }
    } else {
        CrmError::Ambiguous { entity, reference, candidates }
    }
}

fn day(day: Option<Date>) -> String {
    day.map_or_else(String::new, |day| day.to_string())
}

const HEADER: [&str; 10] =
    ["code", "version", "own", "topic", "base_days", "unit", "largest_extension", "silence", "from", "until"];

fn cells(known: &KnownRule) -> Vec<String> {
    let rule = &known.rule;
    vec![
        rule.code.to_string(),
        rule.version.to_string(),
        if known.id.is_some() { "yes" } else { "no" }.to_owned(),
        rule.topic.to_string(),
        rule.base_days.to_string(),
        rule.unit.to_string(),
        rule.largest_extension.to_string(),
        rule.silence.to_string(),
        rule.valid_from.to_string(),
        day(rule.valid_until),
    ]
}

fn show(app: &App, known: &KnownRule) -> Done {
    let rule = &known.rule;
    let text = match app.out.format {
        Format::Json => format!("{}\n", output::pretty(known)?),
        Format::Ndjson | Format::Csv | Format::Id => {
            return output::items(app.out, &[known], &HEADER, &[], |known| cells(known));
        }
        Format::Table => {
            let unit = match rule.unit {
                Unit::Business => "business days",
                Unit::Calendar => "calendar days",
            };
            let extension = match rule.largest_extension_days() {
                0 => "none".to_owned(),
                days => format!("{days} {unit}"),
            };
            let whose = match known.id {
                Some(id) => format!("the organization's own, {id}"),
                None => "built in".to_owned(),
            };
            let fields: Vec<(&str, String)> = [
                ("Code", rule.code.to_string()),
                ("Version", rule.version.to_string()),
                ("Whose", whose),
                ("Jurisdiction", rule.jurisdiction.to_string()),
                ("Regime", rule.regime.to_string()),
                ("Topic", rule.topic.to_string()),
                ("Term", format!("{} {unit}", rule.base_days)),
                ("Start", rule.start.to_string()),
                ("Largest extension", extension),
                ("Silence", rule.silence.to_string()),
                ("Valid from", rule.valid_from.to_string()),
                ("Valid until", day(rule.valid_until)),
                ("Source", rule.source.to_string()),
                ("Notes", rule.notes.to_string()),
            ]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
            Out::fields(&fields)
        }
    };
    app.out.data(&text)?;
    app.out.note(DISCLAIMER);
    Ok(())
}

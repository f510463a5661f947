//! Cases on SQLite: from the receipt to the answer, calendars, rules, the report.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use common::Sandbox;

/// A water utility in Bogotá with two members, a contact and its calendar.
fn utility() -> Sandbox {
    let crm = Sandbox::acme();
    crm.ok("calendar set --base CO --zone America/Bogota --topic utilities -q");
    crm.ok("contact add --given-name Eva --email eva@example.com --account-number 4711 -q -o id");
    crm.ok("member add luis@acme.example --role member --name Luis");
    crm.ok("member add vera@acme.example --role viewer --name Vera");
    crm
}

const OPEN: &str = "case open --kind claim --channel web --contact eva@example.com --subject 'The bill of March' \
                    --description 'It counts water that I did not use.' --external-id";

#[test]
fn a_case_is_worked_on_from_receipt_to_appeal() {
    let crm = utility();
    let open = |id: &str, more: &str| crm.run(&format!("{OPEN} {id} {more}")).to_string();
    let mut said = vec![
        open("C-1", "--assignee luis@acme.example"),
        open("C-2", "--received-at 2026-04-01T20:15:00-05:00 --key k -q -o csv"),
        open("C-2", "--received-at 2026-04-01T20:15:00-05:00 --key k -q -o id"),
        open("C-2", ""),
        open("C-3", "--received-at 2030-01-01T00:00:00Z"),
        open("C-3", "--topic general --priority urgent -q -o id"),
        crm.run("case open --kind claim --contact ghost --subject X --description short").to_string(),
    ];
    crm.clock("2026-06-17T15:00:00Z");
    said.push(crm.transcript(&[
        "--as luis@acme.example case list --sort number",
        "case list --where 'overdue' --columns external_id,due_on -o csv",
        "case list --where 'open and not overdue' --columns external_id,due_on,assignee -o csv --sort external_id",
        "case assign C-3 luis@acme.example -q -o id",
        "case assign C-3 luis@acme.example -q -o id",
        "case assign C-3",
        "case assign C-3 --nobody -o csv",
        "case edit C-3 --priority low -q -o id",
        "case transfer C-3 'Public Works: the street is theirs' -q -o id",
        "case note C-1 'She called again'",
        "case pause C-1 'A photo of the meter'",
        "case pause C-1 'A photo of the meter'",
        "case answer C-1 'The bill is corrected.'",
        "case explain C-1",
        "case extend C-2 --days 5 --reason 'The laboratory needs longer'",
        "case extend C-3 --days 16 --reason 'The laboratory needs longer'",
        "case extend C-3 --days 5 --reason 'The laboratory needs longer'",
        "case extend C-3 --to 2026-07-20 --reason 'Longer still'",
        "case extend C-3 --to 2026-07-21 --reason 'Longer still' -q -o id",
        "case extend C-3 --reason 'Longer still'",
        "--as vera@acme.example case answer C-1 'The bill is corrected.'",
        "--as luis@acme.example case answer C-3 'It is not his'",
    ]));
    crm.clock("2026-06-24T15:00:00Z");
    crm.file("answer.txt", "The bill is corrected.\nYou pay 12,000 less.\n");
    said.push(crm.transcript(&[
        "case complete C-1 'The photo came by e-mail'",
        "case complete C-1",
        "case explain C-1",
        "case explain C-1 -o csv",
        "case notify C-1 'Guide 700123'",
        "case answer C-1 --file answer.txt -q -o id",
        "case answer C-1 --file gone.txt",
        "case notify C-1 'Guide 700123' -q -o id",
        "case show C-1",
        "case show C-1 -o json",
        "case history C-1 -o csv --columns on,kind,text,from_due_on,to_due_on",
        "timeline case:C-1",
        "task add --title 'Read the meter' --case C-1 --due-on 2026-06-26 -q -o csv",
        "task list",
        "log case:C-1 --kind call 'She thanks us' -q -o id",
        "timeline case:C-1 --limit 2 -o csv",
        "case reopen C-1 'The wrong bill was corrected' -q -o id",
        "--as luis@acme.example case reopen C-2 'So it was'",
        "case answer C-1 'Now the right bill is corrected.' -q -o id",
        "case appeal C-1 'April is wrong too' -q -o json",
        "case close C-1",
        "case close C-1 --reason 'She withdrew it' -q -o csv",
        "case edit C-1 --subject 'Another one'",
        "case show ghost",
    ]));
    crm.check("cases", &said.join("\n"));
}

#[test]
fn a_piped_answer_is_taken_whole() {
    let crm = utility();
    crm.ok(&format!("{OPEN} C-1 -q -o id"));
    let ran = crm.run_with(&["case", "answer", "C-1", "--file", "-", "-q", "-o", "json"], "Dear Eva,\nno.\n");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains(r#""answer": "Dear Eva,\nno.""#), "{}", ran.stdout);
    let ran = crm.run_with(&["case", "answer", "C-1", "--file", "-"], " ");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(5), "Error: Invalid file: must not be blank.\n"));
}

#[test]
fn calendars_are_shown_changed_and_recomputed() {
    let crm = utility();
    crm.ok(&format!("{OPEN} C-1 -q -o id"));
    crm.ok(&format!("{OPEN} C-2 --received-at 2026-05-01T10:00:00Z -q -o id"));
    let text = crm.transcript(&[
        "calendar show",
        "calendar show 2026",
        "calendar show 2014",
        "calendar check 2026-06-15",
        "calendar check 2026-06-16T17:00:00-05:00 -o json",
        "calendar check 2026-06-20 -o csv",
        "calendar check 2040-01-01",
        "calendar check tomorrow",
        "calendar add-day 2026-07-03 --name 'The office moves'",
        "calendar add-day 2026-07-03 --name 'The office moves' -q -o id",
        "case explain C-1 -o csv",
        "case recompute",
        "case recompute -o json",
        "case recompute --apply",
        "case recompute --apply",
        "case explain C-1",
        "calendar add-day 2026-06-27 --name 'Open Saturday' --working -q -o id",
        "calendar show",
        "calendar show 2026 -o csv",
        "case recompute -o csv",
        "case history C-1 --columns kind,from_due_on,to_due_on -o csv",
        "calendar remove-day 2026-06-27 -q -o json",
        "calendar set --week 'mon 12:00-08:00'",
        "calendar set --base DE",
        "calendar set --week 'mon-fri 08:00-12:00 13:00-17:00; sat 08:00-12:00' -q -o csv",
        "calendar list --sort -revision",
        "--as luis@acme.example calendar add-day 2026-07-06 --name Bridge",
        "--as luis@acme.example case recompute",
    ]);
    crm.check("calendars", &text);
}

#[test]
fn an_organization_replaces_a_rule() {
    let crm = utility();
    let text = crm.transcript(&[
        "deadline-rule list",
        "deadline-rule show co-utilities",
        "deadline-rule show CO-UTILITIES -o csv",
        "deadline-rule show ghost",
        "deadline-rule add --code OURS --rule-version 1 --topic utilities --base-days 8 --unit calendar --largest-extension 4 \
         --silence positive --valid-from 2026-06-01 --source 'Contract of uniform conditions, clause 12'",
        "deadline-rule add --code OURS --rule-version 2 --topic utilities --base-days 0 --source X",
        "deadline-rule list -o csv",
        "deadline-rule show OURS -o json",
        &format!("{OPEN} C-1 -q -o id"),
        "case explain C-1",
        "case extend C-1 --days 5 --reason 'The laboratory needs longer'",
        "case extend C-1 --days 4 --reason 'The laboratory needs longer' -q -o id",
        "deadline-rule edit OURS --base-days 9",
        "deadline-rule edit OURS --valid-until 2026-12-31 --notes 'Replaced by law' -q -o id",
        "deadline-rule delete OURS --yes",
        "calendar set --base '' --topic general -q -o id",
        "deadline-rule list -o id",
        "deadline-rule list --all -o id",
        &format!("{OPEN} C-2 -o id"),
        "case list --where 'due_on is null' --columns external_id,due_on,rule_code -o csv",
        "case explain C-2",
        "case extend C-2 --days 4 --reason 'The laboratory needs longer'",
        &format!("{OPEN} C-3 -q -o id"),
        "case pause C-3 'A photo of the meter' -q -o id",
        "deadline-rule add --code PROMISE --rule-version 1 --topic general --base-days 10 --source 'Our promise' -q -o id",
        "case recompute",
        "case recompute --apply -o csv",
        "case recompute --apply",
        "case complete C-3 -o csv",
        "case assign C-2 vera@acme.example",
    ]);
    crm.check("deadline_rules", &text);
}

#[test]
fn the_report_counts_answers_and_what_waits() {
    let crm = utility();
    for (id, more) in [
        ("C-1", "--received-at 2026-05-04T15:00:00Z --assignee luis@acme.example"),
        ("C-2", "--received-at 2026-05-05T15:00:00Z"),
        ("C-3", "--received-at 2026-05-25T15:00:00Z --assignee luis@acme.example"),
        ("C-4", "--topic general --received-at 2026-06-10T15:00:00Z"),
        ("C-5", "--received-at 2026-06-12T15:00:00Z"),
    ] {
        crm.ok(&format!("{OPEN} {id} {more} -q -o id"));
    }
    crm.ok("case answer C-1 'The bill is corrected.' -q -o id");
    crm.ok("case pause C-5 'A photo of the meter' -q -o id");
    let text = crm.transcript(&[
        "report cases",
        "report cases -o csv",
        "report cases -o json --from 2026-05-01 --to 2026-05-31 --days 2",
        "report cases -o id",
        "report cases --from 2026-06-01 --to 2026-05-01",
        "--as luis@acme.example report cases -o ndjson",
        "series show case -o json",
        "series edit case --prefix 'R-{year}-' --digits 6 -q -o csv",
        &format!("{OPEN} C-6 -o id"),
        "series add --kind case --prefix PQR-",
    ]);
    crm.check("case_report", &text);
}

/// The commands on the page of the utility's month.
#[test]
fn the_utilitys_month_goes_by_hand_as_well() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/utility-month/README.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (_, script) = page.split_once("```sh\n").unwrap();
    let (script, _) = script.split_once("```").unwrap();
    let crm = Sandbox::new();
    let lines: Vec<&str> = script.lines().map(|line| line.strip_prefix("crm ").unwrap()).collect();
    assert!(lines.len() > 15, "{script}");
    for line in lines {
        crm.ok(line);
    }
    assert_eq!(
        crm.ok("case list --where overdue --columns external_id,due_on -o csv"),
        "external_id,due_on\nC-1,2025-05-08\n"
    );
    assert_eq!(crm.ok("case show C-2 -o csv").lines().count(), 2);
}

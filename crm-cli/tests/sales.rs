//! Sales on SQLite: leads, deals, pipelines, tasks, timelines, tags and machines.

mod common;

use common::Sandbox;

/// The organization with two contacts and a second member.
fn acme() -> Sandbox {
    let crm = Sandbox::acme();
    crm.ok("contact add --company-name 'Elka Ltd' --email sales@elka.example -q -o id");
    crm.ok("contact add --given-name Eva --email eva@example.com --company sales@elka.example -q -o id");
    crm.ok("member add luis@acme.example --role member --name Luis");
    crm
}

#[test]
fn leads_are_worked_on_and_become_deals() {
    let crm = acme();
    let text = crm.transcript(&[
        "lead add --contact eva@example.com --channel web --external-id L-1 --sales-notes 'At the fair'",
        "lead add --contact sales@elka.example --external-id L-2 --key k -q -o id",
        "lead add --contact sales@elka.example --external-id L-2 --key k -q -o id",
        "lead add --contact ghost",
        "lead add --channel fax --contact eva@example.com",
        "lead list --where 'status = new and assignee is null' --sort external_id",
        "lead assign L-1 luis@acme.example -q -o csv",
        "lead assign L-1 luis@acme.example -q -o id",
        "lead assign L-1",
        "lead assign L-1 --nobody",
        "lead assign L-1 ghost@acme.example",
        "lead move L-1 contacted",
        "lead move L-1 contacted",
        "lead move L-1 new",
        "lead edit L-1 --sales-notes ''",
        "lead convert L-1 --plan --amount 1200 --product-id ''",
        "lead convert L-1 --plan -o json",
        "lead convert L-1 --amount 1200 --stage proposal --key c1",
        "lead convert L-1 --amount 1200 --stage proposal --key c1 -q -o json",
        "lead convert L-1",
        "lead add --contact eva@example.com --external-id L-3 -q -o id",
        "lead convert L-3 --plan",
        "lead convert L-1 L-2 --plan",
        "lead convert L-1 L-2 --plan -o json",
        "lead convert L-1 L-2 L-3 ghost --title Renewal",
        "lead convert L-2 L-3 -o json",
        "lead convert L-2 L-3 --key c2",
        "lead archive L-3 -q -o id",
        "lead list --columns external_id,status,deal",
        "lead list --archived --columns external_id,status -o csv",
        "lead restore L-3 -q -o id",
        "lead delete L-3",
    ]);
    crm.check("leads", &text);
}

#[test]
fn a_lead_can_be_linked_to_a_deal() {
    let crm = acme();
    crm.ok("lead add --contact eva@example.com --external-id L-1");
    crm.ok("deal add --title 'Big order' --contact sales@elka.example --amount 10");
    let plan = crm.ok("lead convert L-1 --deal 'big order' --plan");
    assert!(plan.contains("link to Big order"), "{plan}");
    assert_eq!(crm.run("lead convert L-1 --deal 'big order' --amount 5").code, Some(2));
    crm.ok("lead convert L-1 --deal 'big order'");
    let deal = crm.ok("deal list -o csv --columns title,amount,contact,lead");
    assert!(!deal.lines().nth(1).unwrap().ends_with(','), "{deal}");
    // The history of the lead shows on the deal.
    crm.ok("log lead:L-1 --kind call 'We talked about it'");
    assert!(crm.ok("timeline deal:'Big order'").contains("call: We talked about it"));
}

#[test]
fn deals_go_through_their_stages() {
    let crm = acme();
    let text = crm.transcript(&[
        "deal add --title 'Big order' --contact eva@example.com --expected-close-on 2026-09-30 --external-id D-1",
        "deal add --title 'big ORDER' --amount 5 --currency EUR -q -o id",
        "deal add --title Small --amount 12.345",
        "deal add --title Small --stage nowhere",
        "deal show 'Big Order'",
        "deal show Huge",
        "deal start D-1 -q -o csv",
        "deal stage D-1 negotiation",
        "deal stage D-1 negotiation",
        "deal stage D-1 nowhere",
        "--as luis@acme.example deal stage D-1 lead",
        "deal stage D-1 Proposal -q -o id",
        "deal win D-1",
        "deal edit D-1 --amount 1500 -q -o id",
        "deal win D-1",
        "deal win D-1",
        "deal edit D-1 --amount 0",
        "deal stage D-1 negotiation",
        "deal reopen D-1 -q -o id",
        "deal lose D-1",
        "deal lose D-1 --reason 'Too expensive' -q -o json",
        "deal history D-1",
        "deal history D-1 --limit 2 -o csv --columns from_stage,to_stage,from_status,to_status",
        "deal list --sort -amount",
        "deal list --where 'is_open and stage = lead' --columns title,amount",
        "deal archive D-1 -q -o id",
        "deal restore D-1 -q -o id",
        "deal delete D-1 -q -o id",
        "deal history D-1",
    ]);
    crm.check("deals", &text);
}

#[test]
fn pipelines_and_their_stages_are_data() {
    let crm = acme();
    let text = crm.transcript(&[
        "pipeline list",
        "pipeline add Partners --stage contact=20 --stage contract=62.5%",
        "pipeline add partners --stage contact=20",
        "pipeline add Odd --stage contact=120",
        "pipeline add Odd --stage contact",
        "pipeline stage add Partners --name trial --probability 40 -q -o json",
        "pipeline stage reorder Partners contact trial contract",
        "pipeline stage reorder Partners contact trial",
        "pipeline stage edit Partners trial --name pilot --probability 45 -q",
        "pipeline stage edit Partners pilot --name Contract",
        "pipeline stage remove Partners trial",
        "pipeline default partners -q -o id",
        "pipeline default partners",
        "pipeline delete partners",
        "deal add --title D -q -o id",
        "deal add --title E --pipeline sales --stage proposal -q -o id",
        "deal add --title F --pipeline sales --stage pilot",
        "deal stage D proposal",
        "deal list --columns title,pipeline,stage --sort title",
        "pipeline stage remove partners contact",
        "pipeline stage remove partners pilot -q",
        "pipeline edit Sales --name 'New business' -q -o id",
        "pipeline delete 'New business'",
        "--as luis@acme.example pipeline add Mine --stage a=1",
        "pipeline list --columns name,is_default -o csv",
    ]);
    crm.check("pipelines", &text);
}

#[test]
fn tasks_interactions_timelines_and_tags() {
    let crm = acme();
    crm.ok("deal add --title 'Big order' --contact eva@example.com --amount 100");
    crm.ok("invoice create --contact eva@example.com --line 'Work|1|70' --issue -q");
    let id = crm.ok(
        "task add --title 'Call back' --deal 'Big order' --due-on 2026-06-15 --assignee luis@acme.example -q -o id",
    );
    let id = id.trim();
    let text = crm.transcript(&[
        "task add --title Late --due-on 2026-06-14",
        "task add --title Both --contact eva@example.com --deal 'Big order'",
        "task add --title 'Send the offer' --contact eva@example.com --due-at 2026-06-16T09:00:00Z",
        "task list --columns title,deal,contact,due_on,due_at,assignee,status",
        "task list --where overdue",
        &format!("task done {id}"),
        &format!("task done {id} -q -o id"),
        &format!("task cancel {id}"),
        &format!("task reopen {id} -q -o id"),
        &format!("task cancel {id} -q -o csv"),
        &format!("--as luis@acme.example task delete {id}"),
        &format!("task delete {id} -q -o id"),
        "task show ghost",
        "log eva@example.com --kind call 'She wants an offer' --occurred-at 2026-06-14T15:00:00Z",
        "log eva@example.com --kind call 'Hm'",
        "log eva@example.com 'From the future' --occurred-at 2027-01-01T00:00:00Z",
        "log deal:'Big order' --kind meeting 'They liked the samples' -q -o id",
        "log invoice:INV-000001 'Sent again by post' -q -o json",
        "log deal:Huge 'There is no such deal'",
        "deal stage 'Big order' proposal -q -o id",
        "timeline eva@example.com",
        "timeline deal:'Big order' --limit 2",
        "timeline deal:'Big order' -o csv",
        "timeline invoice:INV-000001 -o ndjson",
        "timeline eva@example.com --after nonsense",
        "tag add eva@example.com vip newsletter",
        "tag add eva@example.com VIP -o csv",
        "tag add deal:'Big order' vip -q -o json",
        "tag add invoice:INV-000001 vip",
        "contact list --tag vip --tag newsletter --columns name",
        "deal list --tag vip --columns title -o csv",
        "lead list --tag vip -o id",
        "tag remove eva@example.com newsletter -q",
        "tag remove eva@example.com newsletter",
        "tag list",
        "tag list eva@example.com -o csv --columns name",
    ]);
    crm.check("activity", &text);
}

#[test]
fn timelines_go_on_where_they_ended() {
    let crm = acme();
    for number in 0..7 {
        crm.ok(&format!("log eva@example.com 'Number {number}' -q -o id"));
    }
    let all = crm.ok("timeline eva@example.com -o id");
    assert_eq!(all.lines().count(), 8);
    let (mut ids, mut after) = (String::new(), String::new());
    loop {
        let ran = crm.run(&format!("timeline eva@example.com --limit 3 -o id{after}"));
        ids.push_str(&ran.stdout);
        match ran.stderr.split_once("--after ") {
            Some((_, cursor)) => after = format!(" --after {}", cursor.trim()),
            None => break,
        }
    }
    assert_eq!(ids, all);
}

#[test]
fn members_see_what_is_theirs() {
    let crm = acme();
    crm.ok("lead add --contact eva@example.com --external-id L-1");
    crm.ok("deal add --title Mine --amount 1");
    crm.ok("deal add --title Theirs --amount 2 --owner luis@acme.example");
    let luis = |line: &str| crm.run(&format!("--as luis@acme.example {line}"));
    assert_eq!(luis("lead list -o json").stdout, "[]\n");
    assert_eq!(luis("deal list -o csv --columns title").stdout, "title\nTheirs\n");
    assert_eq!(luis("deal show Mine").code, Some(3));
    assert_eq!(luis("timeline deal:Mine").code, Some(3));
    assert_eq!(luis("lead move L-1 contacted").code, Some(3));
    assert_eq!(luis("lead assign L-1 luis@acme.example").code, Some(3));
    crm.ok("lead assign L-1 luis@acme.example");
    assert_eq!(luis("lead move L-1 contacted").code, Some(0));
}

#[test]
fn reports_of_sales() {
    let crm = acme();
    for (now, line) in [
        ("2026-05-01T12:00:00Z", "deal add --title A --amount 1000 --expected-close-on 2026-06-30"),
        ("2026-05-02T12:00:00Z", "deal add --title B --amount 333.33 --expected-close-on 2026-06-01"),
        ("2026-05-03T12:00:00Z", "deal add --title C --amount 70 --currency EUR"),
        ("2026-05-04T12:00:00Z", "deal add --title D --amount 20 --expected-close-on 2026-07-15"),
        ("2026-05-11T15:30:00Z", "deal stage A proposal"),
        ("2026-05-12T12:00:00Z", "deal stage B qualification"),
        ("2026-05-12T12:00:00Z", "deal stage D negotiation"),
        ("2026-05-31T12:00:00Z", "deal win A"),
        ("2026-06-01T12:00:00Z", "deal lose D --reason 'No answer'"),
        ("2026-06-13T12:00:00Z", "lead add --contact eva@example.com --channel web"),
        ("2026-06-15T11:00:00Z", "lead add --contact sales@elka.example --external-id L-2"),
        ("2026-06-15T11:30:00Z", "lead move L-2 quoted"),
    ] {
        crm.at(now, line);
    }
    let text = crm.transcript(&[
        "report leads",
        "report leads --hours 72 -o csv",
        "report deals",
        "report deals --days 45 -o csv",
        "report funnel",
        "report funnel -o csv",
        "report funnel --as-of 2026-05-12 -o ndjson",
        "report funnel --cohort --from 2026-05-02",
        "report funnel --cohort --to 2026-05-03 -o csv",
        "report funnel --from 2026-05-02",
        "report forecast",
        "report forecast -o csv",
        "report forecast --pipeline nowhere",
        "report velocity",
        "report velocity -o csv",
        "report velocity --from 2026-05-13 --to 2026-05-31 --zone Europe/Madrid -o json",
        "report velocity --from 2026-05-13 --to 2026-05-01",
        "report deals -o id",
        "--as luis@acme.example report deals -o csv",
    ]);
    crm.check("sales_reports", &text);
}

#[test]
fn machines_are_shown_in_every_form() {
    // They need neither a database nor an organization.
    let crm = Sandbox::new();
    let text = crm.transcript(&[
        "machine list",
        "machine show task",
        "machine show task -o dot",
        "machine show task -o mermaid",
        "machine show task -o json",
        "machine show task -o csv",
        "machine show taks",
        "machine list -o dot",
    ]);
    crm.check("machines", &text);
}

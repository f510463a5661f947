//! The same commands on SQLite and on PostgreSQL say the same.

mod common;
#[path = "common/postgres.rs"]
mod postgres;

use common::{Sandbox, without_ids};
use postgres::Schema;

#[test]
fn both_databases_say_the_same() {
    let schema = Schema::new();
    let lines = [
        "contact add --given-name Eva --family-name Pérez --email eva@example.com --city Bogotá -q",
        "contact add --company-name 'Ёлка & Sons' --email sales@elka.example -q",
        "contact add --given-name Eva --email EVA@example.com",
        "product add --sku HAT-01 --name Hat --unit-price 12.5 --tax-percent 19 -q",
        "invoice create --contact eva@example.com --line sku=HAT-01,qty=2 --line 'Work|1.5|80.005' --issue -q -o json",
        "invoice create --contact sales@elka.example --line 'Work|1|70' --issue --issued-on 2026-01-10 -q",
        "invoice create --contact sales@elka.example --line 'Work|1|70' --currency EUR -q",
        "invoice pay INV-000001 --amount 50 --key k -q",
        "invoice pay INV-000001 --amount 50 --key k -q -o json",
        "invoice pay INV-000001 --amount 51 --key k",
        "invoice pay INV-000001 --amount 500",
        "payment record --contact sales@elka.example --amount 100 --oldest -q",
        "contact edit eva@example.com --company sales@elka.example --notes 'a note' -q",
        "contact delete sales@elka.example",
        "contact list -o json --sort name",
        "contact list -o csv --search ELKA",
        "contact list --where 'name ~ PEREZ or not city is null' -o json",
        "invoice list -o json --sort -total",
        "invoice list --where 'total >= 100 and not overdue' -o csv",
        "payment list -o ndjson",
        "report summary -o json --per-contact",
        "report ageing -o json --per-contact",
        "report ageing --as-of 2026-05-01",
        "report statement eva@example.com -o json",
        "lead add --contact eva@example.com --channel web --external-id L-1 -q -o json",
        "lead add --contact sales@elka.example --external-id L-2 --assignee ana@acme.example -q -o csv",
        "lead convert L-1 --plan -o json",
        "lead convert L-1 --amount 99.5 --stage proposal --key c -o csv",
        "lead convert L-1 --amount 99.5 --stage proposal --key c -o csv",
        "lead convert L-2 L-1 ghost --title 'Second deal'",
        "lead list -o json --sort external_id --columns external_id,status,channel",
        "deal add --title 'second DEAL' --amount 10 -q -o id",
        "deal show 'Second deal'",
        "deal edit 'Eva Pérez' --title Eva --expected-close-on 2026-09-30 -q -o json",
        "deal stage eva negotiation -q -o csv",
        "deal win eva -q -o json",
        "deal reopen eva -q -o id",
        "deal lose eva --reason 'Too expensive' -q",
        "deal history eva -o json",
        "deal list --where 'is_open and owner = ana@acme.example' --sort -amount -o csv",
        "pipeline add Partners --stage contact=20 --stage contract=62.5 -o json",
        "pipeline stage reorder Partners contract contact -q",
        "pipeline stage add Partners --name Contact --probability 1",
        "pipeline stage remove Sales proposal",
        "pipeline default partners -q",
        "task add --title 'Call back' --deal eva --due-on 2026-06-15 -q -o csv",
        "task list --where overdue -o json",
        "log deal:eva --kind meeting 'They liked the samples' -q -o json",
        "log lead:L-1 --kind call 'She wants an offer' --occurred-at 2026-06-14T15:00:00Z -q -o id",
        "timeline deal:eva -o json",
        "timeline deal:eva",
        "tag add deal:eva vip 'Ёлка' -q -o csv",
        "tag add eva@example.com VIP -q",
        "tag remove deal:eva ЕЛКА -q -o json",
        "deal list --tag vip --columns title,stage,status",
        "contact list --tag Vip --tag nothing -o csv",
        "report leads -o csv",
        "report deals -o json",
        "report funnel --pipeline sales -o json",
        "report funnel --cohort --pipeline Sales",
        "report forecast -o json",
        "report velocity --pipeline sales -o csv",
        "calendar set --base CO --zone America/Bogota --topic utilities -q -o csv",
        "calendar add-day 2026-07-03 --name 'The office moves' -q -o json",
        "calendar show 2026 -o json",
        "calendar check 2026-06-12T20:00:00-05:00 -o json",
        "deadline-rule add --code OURS --rule-version 1 --topic information --base-days 8 --largest-extension x2 \
         --valid-from 2026-06-01 --source 'Resolution 7' -q -o json",
        "deadline-rule list -o json",
        "case open --kind claim --channel web --contact eva@example.com --subject 'The bill' --description 'It is too high.' \
         --external-id C-1 --received-at 2026-06-12T20:00:00-05:00 --key o -q -o json",
        "case open --kind claim --channel web --contact eva@example.com --subject 'The bill' --description 'It is too high.' \
         --external-id C-1 --received-at 2026-06-12T20:00:00-05:00 --key o -q -o json",
        "case open --kind petition --topic information --contact eva@example.com --subject 'Ёлка' --description \
         'Who planted the tree?' --external-id C-2 --assignee ana@acme.example -q -o csv",
        "case open --kind complaint --contact eva@example.com --subject Noise --description 'They dig at night.' --external-id \
         C-3 --received-at 2026-04-01T10:00:00Z -q -o csv",
        "case assign C-1 ana@acme.example -o csv",
        "case pause C-1 'A photo of the meter' -q -o json",
        "case answer C-1 no",
        "case complete C-1 -q -o csv",
        "case extend C-1 --days 1 --reason 'Too much to do'",
        "case extend C-2 --days 3 --reason 'Too much to do' -q -o json",
        "case extend C-2 --days 9 --reason 'Too much to do'",
        "case answer C-3 'They dig by day now.' -q -o json",
        "case notify C-3 'Guide 700123' -q -o csv",
        "case transfer C-2 'The park office' -q -o id",
        "case note C-2 'He planted it himself' -q -o json",
        "case explain C-2",
        "case explain C-1 -o json",
        "case show C-2 -o json",
        "case show C-2",
        "case list --where 'open and due_on <= 2026-07-31' --sort due_on -o csv",
        "case list --where overdue -o id",
        "calendar remove-day 2026-07-03 -q -o csv",
        "case recompute -o json",
        "case recompute --apply -o csv",
        "case history C-1 -o json",
        "case reopen C-3 'They dig again' -q -o json",
        "case close C-3 --reason 'The work is over' -q -o csv",
        "case appeal C-3 'It is not' -q -o json",
        "case close C-2",
        "task add --title 'Read the meter' --case C-1 -q -o csv",
        "log case:C-1 --kind call 'She wants to know more' -q -o csv",
        "timeline case:C-1 -o json",
        "timeline case:C-1",
        "report cases -o json",
        "report cases",
        // Billing.
        "invoice create --contact eva@example.com --line 'Work|2|80|19%|10%' --issue -q -o csv",
        "credit-note create INV-000001 --amount 30 --refund 10 --reason Late -q -o json",
        "credit-note create INV-000003 --everything --reason Late --key n -q -o csv",
        "credit-note create INV-000003 --everything --reason Late --key n -q -o id",
        "credit-note allocate CN-000001 --oldest",
        "credit-note list -o json",
        "refund list -o ndjson",
        "refund record --credit-note CN-000001 --amount 1000",
        "invoice void INV-000003",
        "series edit invoice --last 9 --warn-percent 20 -q -o json",
        "invoice create --contact eva@example.com --line 'Work|1|5' --issue",
        "invoice void INV-000004 -q",
        "invoice print INV-000001 --json -",
        "ledger eva@example.com",
        "ledger eva@example.com --restated -o csv",
        "report revenue -o json",
        "report revenue --by product -o csv",
        "report collections -o csv",
        "report taxes --restated -o json",
        "report debtors --limit 1",
        "report days-to-pay --per-contact -o json",
        "contact delete eva@example.com",
        "member list -o csv",
        "contact show ghost -o json",
        "--as ghost@acme.example contact list",
    ];
    let file = Sandbox::acme();
    let server = Sandbox::on(&schema.url());
    server.init();
    for line in lines {
        let (left, right) = (file.run(line).to_string(), server.run(line).to_string());
        assert_eq!(without_ids(&left), without_ids(&right), "crm {line}");
    }
    for sandbox in [&file, &server] {
        assert!(sandbox.ok("audit verify --books -o json").contains("\"ok\": true"));
        assert_eq!(sandbox.run("doctor").code, Some(0));
    }
}

#[test]
fn a_role_that_owns_nothing_works_with_what_it_was_granted() {
    let schema = Schema::new();
    let (role, url) = schema.role();
    let init = "init --org acme --currency USD --zone UTC --owner ana@acme.example --grant-to";
    let owner = Sandbox::on(&schema.url());
    // Granting alone makes nothing.
    let alone = owner.run(&format!("init --grant-to {role}"));
    assert_eq!(alone.code, Some(1), "{alone}");
    assert!(alone.stderr.contains("`crm init` makes a book"), "{alone}");
    let refused = owner.run(&format!("{init} nobody-of-that-name")).to_string();
    assert!(
        refused.contains("The server has no role \"nobody-of-that-name\"") && refused.contains("exit 5"),
        "{refused}"
    );
    let incomplete = owner.run(&format!("init --org acme --grant-to {role} --currency USD"));
    assert_eq!(incomplete.code, Some(2), "{incomplete}");
    owner.init();
    let granted = Sandbox::on(&url);
    let refused = granted.run("org list");
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.stderr.contains(&format!("The role {role} was not granted")), "{refused}");
    assert!(refused.stderr.contains("`crm init --grant-to ROLE`"), "{refused}");
    let done = owner.run(&format!("{init} {role}"));
    assert_eq!(done.code, Some(6), "{done}");
    assert!(done.stderr.contains(&format!("`crm init --grant-to {role}` alone does nothing else")), "{done}");
    let done = owner.run(&format!("init --grant-to {role}"));
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""), "{done}");
    assert!(done.stderr.contains(&format!("Granted the role {role}")), "{done}");
    let line = "--org acme --as ana@acme.example";
    granted.ok(&format!("contact add --given-name Eva --email eva@example.com -q {line}"));
    assert!(granted.ok(&format!("contact list {line}")).contains("eva@example.com"));
    assert!(granted.ok(&format!("audit verify --books -o json {line}")).contains("\"ok\": true"));
    assert!(granted.ok("doctor").contains("holds this role to one organization at a time"));
    assert!(owner.ok("doctor").contains("does not hold this role"));
    let file = Sandbox::new().run(&format!("{init} {role}")).to_string();
    assert!(file.contains("A file has no roles") && file.contains("exit 2"), "{file}");
    let file = Sandbox::new().run(&format!("init --grant-to {role}")).to_string();
    assert!(file.contains("A file has no roles") && file.contains("exit 2"), "{file}");
}

#[test]
fn many_may_begin_at_once() {
    let schema = Schema::new();
    for sandbox in [Sandbox::new(), Sandbox::on(&schema.url())] {
        let children: Vec<_> = (0..6)
            .map(|number| {
                let slug = format!("org-{number}");
                let init =
                    ["init", "--org", &slug, "--currency", "USD", "--zone", "UTC", "--owner", "ana@acme.example"];
                let quiet = std::process::Stdio::null;
                sandbox.command(&init).stdout(quiet()).stderr(std::process::Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert_eq!(sandbox.ok("org list -o id").lines().count(), 6);
    }
}

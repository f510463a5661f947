//! The main flows on SQLite: standard output, standard error and exit status.

mod common;

use std::io::Read as _;
use std::process::Stdio;

use common::Sandbox;

const INIT: &str = "init --org acme --name Acme --currency USD --zone America/New_York --owner ana@acme.example";

#[test]
fn init_remembers_defaults_and_refuses_a_second_time() {
    let crm = Sandbox::new();
    let text = crm.transcript(&[
        INIT,
        INIT,
        "init --org other --currency EUR --zone Europe/Madrid --owner eva@other.example -q -o json",
        "init --currency USD --zone UTC --owner ana@acme.example",
        "init --org acme2 --currency USD --zone Mars/Base --owner ana@acme.example",
        "config list --show-origin",
        "org list",
        "org edit --payment-days 15 --default-region US",
    ]);
    crm.check("init", &text);
}

#[test]
fn contacts_are_added_listed_changed_and_ended() {
    let crm = Sandbox::acme();
    let text = crm.transcript(&[
        "contact add --given-name Eva --family-name Pérez --email Eva@Example.com --phone '+57 321 1234567' --city Bogotá --country CO --key k1",
        "contact add --given-name Eva --family-name Pérez --email Eva@Example.com --phone '+57 321 1234567' --city Bogotá --country CO --key k1 -q -o csv",
        "contact add --given-name Other --key k1",
        "contact add --company-name 'Ёлка & Sons' --email sales@elka.example -q -o id",
        "contact add --email eva@example.com --given-name E",
        "contact add --given-name Nobody --email nonsense --stratum 9 --phone 12",
        "contact edit eva@example.com --company sales@elka.example --owner ana@acme.example --city ''",
        "contact edit eva@example.com",
        "contact edit +573211234567 --notes 'one\ntwo' -q -o json",
        "contact list",
        "contact list --search elka -o id",
        "contact list --where 'name ~ PEREZ and company = sales@elka.example' --columns name,email,company_id",
        "contact archive eva@example.com -q -o id",
        "contact list -o csv --columns name,kind,email",
        "contact list --archived --sort -name -o ndjson --columns name,archived_at",
        "contact restore eva@example.com -q -o id",
        "contact delete sales@elka.example",
        "contact delete eva@example.com -q -o id",
        "contact show eva@example.com",
        "contact list -o json --where 'stratum = 3'",
        "contact list --where 'stratum = 3'",
    ]);
    crm.check("contacts", &text);
}

#[test]
fn invoices_go_from_the_draft_to_their_end() {
    let crm = Sandbox::acme();
    crm.ok("contact add --given-name Eva --email eva@example.com");
    crm.ok("contact add --given-name Max --email max@example.com");
    let text = crm.transcript(&[
        "product add --sku HAT-01 --name Hat --unit-price 12.5 --tax-percent 19",
        "invoice create --contact eva@example.com --line sku=HAT-01,qty=2 --line 'Consulting|1.5|80|10%' --total 161.75 --external-id 77",
        "invoice edit 77 --line 'Consulting, long|2|80' --due-on 2026-07-31 -q -o id",
        "invoice issue 77",
        "invoice issue 77",
        "invoice edit 77 --notes x",
        "invoice pay INV-000001 --amount 100 --key p1 --method cash",
        "invoice pay INV-000001 --amount 100 --key p1 --method cash -q -o id",
        "invoice pay INV-000001 --amount 100.001",
        "invoice pay INV-000001 --amount 100",
        "invoice void INV-000001",
        "invoice show INV-000001 -o json",
        "invoice pay INV-000001",
        "invoice pay INV-000001",
        "invoice create --contact max@example.com --line 'Cup||4.005|' --issue --issued-on 2026-01-10 -o csv",
        "invoice create --contact max@example.com --line 'Cup||4' --issue --number INV-000009",
        "invoice create --contact max@example.com --line 'Cup||4' --issue --number A-1 -q -o id",
        "invoice create --contact max@example.com --line 'Cup||4' --issue --number A-1 -q -o id",
        "invoice create --contact max@example.com --line sku=NOPE",
        "invoice create --contact max@example.com --line 'Cup|-1|x'",
        "invoice create --contact max@example.com --line 'Cup||4' --total 5",
        "invoice create --contact max@example.com --issue",
        "payment record --contact max@example.com --amount 5 --oldest --reference BANK-1",
        "payment record --contact max@example.com --amount 1 --invoice A-1=1 --invoice INV-000002",
        "payment record --contact max@example.com --amount 1 --invoice INV-000001=1",
        "invoice void A-1",
        "invoice write-off A-1 -q -o id",
        "invoice list",
        "invoice list --where overdue",
        "payment list --columns received_on,amount,unapplied,contact",
        "contact delete eva@example.com",
    ]);
    crm.check("invoices", &text);
}

#[test]
fn reports_and_the_audit() {
    let crm = Sandbox::acme();
    crm.ok("contact add --given-name Eva --email eva@example.com");
    crm.ok("invoice create --contact eva@example.com --line 'Work|1|100' --issue --issued-on 2026-03-01");
    crm.ok("invoice create --contact eva@example.com --line 'Work|1|50' --issue --issued-on 2026-06-01");
    crm.ok("invoice create --contact eva@example.com --line 'Work|1|7' --currency EUR --issue");
    crm.ok("payment record --contact eva@example.com --amount 30 --oldest --received-on 2026-04-02 --reference R1");
    let text = crm.transcript(&[
        "report summary",
        "report summary -o json",
        "report summary --per-contact -o csv",
        "report summary --per-contact",
        "report summary --as-of 2026-03-31 -o csv",
        "report ageing",
        "report ageing --per-contact -o csv",
        "report ageing -o json",
        "report statement eva@example.com --from 2026-04-01",
        "report statement eva@example.com -o csv",
        "report statement eva@example.com --from 2026-04-01 --to 2026-03-01",
        "report summary -o id",
        "audit list --limit 2",
        "audit list --where 'entity = contact' -o ndjson --columns seq,command,action,actor_kind",
        "audit show 1 -o csv",
        "audit show 999",
        "audit verify",
    ]);
    crm.check("reports", &text);
    assert!(crm.ok("audit verify --users -o json").contains("\"ok\": true"));
    let head = crm.ok("audit verify -o id");
    assert!(crm.run(&format!("audit verify --head {}", head.trim())).code == Some(0));
    let forged = format!("{}:{}", head.split(':').next().unwrap(), "0".repeat(64));
    // What is wrong is no warning: it is told even to who wants to hear of errors alone.
    let told = crm.run(&format!("audit verify --head {forged} -q"));
    assert!(told.code == Some(1) && told.stderr.starts_with("Problem: "), "{}", told.stderr);
}

#[test]
fn members_may_do_what_their_roles_allow() {
    let crm = Sandbox::acme();
    let text = crm.transcript(&[
        "member add vera@acme.example --role viewer",
        "member add vera@acme.example --role viewer --name Vera",
        "member add vera@acme.example --role viewer --name Vera",
        "--as vera@acme.example contact add --given-name X",
        "--as vera@acme.example contact list -o json",
        "--as vera@acme.example audit list",
        "--as ghost@acme.example contact list",
        "--org nowhere contact list",
        "member set-role vera@acme.example admin -o json",
        "member set-role ana@acme.example admin",
        "--as vera@acme.example member remove ana@acme.example",
        "member list",
        "member remove vera@acme.example -q -o csv",
        "member remove vera@acme.example",
        "series list -o csv --columns kind,prefix,digits,next",
        "series add --kind contact --prefix C- --digits 6 -q -o id",
        "contact add --given-name Eva -q -o csv",
    ]);
    crm.check("members", &text);
}

#[test]
fn errors_have_one_shape_and_documented_exit_codes() {
    let crm = Sandbox::acme();
    crm.ok("contact add --given-name Eva --email eva@example.com --account-number 7");
    crm.ok("contact add --given-name Max --email max@example.com --external-id 7");
    let text = crm.transcript(&[
        "nonsense",
        "nonsense -o json",
        "contact",
        "contact list --limit 0",
        "contact list --where 'emial = x'",
        "contact list --where 'emial = x' -o json",
        "contact list --where 'kind > person' -o json",
        "contact list --sort nothing",
        "contact list --columns name,nothing",
        "contact list --after nonsense",
        "contact show 7",
        "contact show 7 -o json",
        "contact show ghost -o json",
        "contact add --email eva@example.com --given-name E -o json",
        "contact add --given-name E --kind robot",
        "--database missing.db contact list -o json",
        "--database mysql://x/y contact list",
        "config set databse x",
        "config set output xml",
        "config get org",
        "config set org acme2",
        "config unset org",
        "contact list",
        "help exit-codes",
        "help where",
        "help lines",
        "help templates",
        "help environment",
        "help nothing",
    ]);
    crm.check("errors", &text);
}

#[test]
fn settings_come_from_flag_environment_file_and_default_in_this_order() {
    let crm = Sandbox::acme();
    let get = |environment: Option<&str>, line: &[&str]| {
        let mut command = crm.command(line);
        if let Some(value) = environment {
            command.env("CRM_ORG", value);
        }
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert_eq!(get(None, &["config", "get", "org"]), "acme\n");
    assert_eq!(get(Some("env"), &["config", "get", "org"]), "env\n");
    assert_eq!(get(Some(""), &["config", "get", "org"]), "acme\n");
    assert_eq!(get(Some("env"), &["--org", "flag", "config", "get", "org"]), "flag\n");
    assert_eq!(get(None, &["config", "get", "output"]), "table\n");
    crm.file("config.toml", "orgg = 'acme'\n");
    let ran = crm.run("config list");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("Did you mean \"org\"?"), "{}", ran.stderr);
}

#[test]
fn passwords_stay_hidden() {
    let crm = Sandbox::acme();
    crm.ok("config set database postgres://ana:secret@localhost:1/crm");
    assert!(!crm.ok("config list").contains("secret"));
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(crm.path().join("config.toml")).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    // Nobody listens there: the storage is unavailable, and a later try may succeed.
    let ran = crm.run("contact list -o json");
    assert_eq!(ran.code, Some(8), "{}", ran.stderr);
    assert!(!ran.stderr.contains("secret"));
}

#[test]
fn a_password_in_an_address_on_the_command_line_is_warned_of() {
    let crm = Sandbox::new();
    let warning = "sees the password in this address";
    for (line, warned) in [
        ("--database postgres://ana:secret@localhost:1/crm contact list", true),
        ("--database postgres://ana@localhost:1/crm?password=secret contact list", true),
        ("--database postgres://ana:secret@localhost:1/crm contact list -q", false),
        ("--database postgres://ana@localhost:1/crm contact list", false),
        ("config set database postgres://ana:secret@localhost:1/crm", true),
        // From the file, which only its owner may read.
        ("contact list", false),
        ("config set database postgres://ana@localhost:1/crm", false),
    ] {
        let ran = crm.run(line);
        assert_eq!(ran.stderr.contains(warning), warned, "{line}\n{}", ran.stderr);
        assert!(!ran.stderr.contains("secret"), "{line}\n{}", ran.stderr);
    }
}

#[test]
fn lists_go_on_where_they_ended() {
    let crm = Sandbox::acme();
    for number in 0..7 {
        crm.ok(&format!("contact add --given-name N{} --stratum {} -q -o id", 6 - number, number % 3 + 1));
    }
    let mut names = Vec::new();
    let mut after = String::new();
    loop {
        let ran = crm.run(&format!("contact list --sort stratum,-name --limit 3 -o csv --columns stratum,name{after}"));
        names.extend(ran.stdout.lines().skip(1).map(str::to_owned));
        match ran.stderr.split_once("--after ") {
            Some((_, cursor)) => after = format!(" --after {}", cursor.trim()),
            None => break,
        }
    }
    assert_eq!(names, ["1,N6", "1,N3", "1,N0", "2,N5", "2,N2", "3,N4", "3,N1"]);
    let all = crm.ok("contact list --sort stratum,-name --all -o csv --columns stratum,name");
    assert_eq!(all.lines().skip(1).collect::<Vec<_>>(), names);
    let stale = crm.run(&format!("contact list --sort name{after}"));
    assert_eq!(stale.code, Some(5), "{}", stale.stderr);
}

#[test]
fn spreadsheets_are_protected_on_demand() {
    let crm = Sandbox::acme();
    crm.ok("contact add --given-name '=1+1' --phone '+57 321 1234567'");
    assert_eq!(crm.ok("contact list -o csv --columns given_name,phone"), "given_name,phone\n=1+1,+573211234567\n");
    let safe = crm.ok("contact list -o csv --columns given_name,phone --excel-safe");
    assert_eq!(safe, "given_name,phone\n'=1+1,'+573211234567\n");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let crm = Sandbox::acme();
    for number in 0..3 {
        crm.ok(&format!("contact add --given-name N{number} --notes '{}' -q -o id", "x".repeat(9_000)));
    }
    let mut child = crm
        .command(&["contact", "list", "-o", "json", "--all"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn the_demonstration_is_fresh_every_time_and_the_same() {
    let crm = Sandbox::new();
    let first = crm.run("demo --dir sample");
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let second = crm.run("demo --dir sample");
    assert_eq!(second.code, Some(0), "{}", second.stderr);
    assert_eq!(first.stdout, second.stdout);
    assert!(second.stderr.contains("sample-2"));
    crm.check("demo", &first.to_string());
    let verified = "--database sample-2/crm.db --org demo --as ana@example.com audit verify -o json";
    assert!(crm.ok(verified).contains("\"ok\": true"));
    let doctor = crm.run("--database sample/crm.db --org demo --as ana@example.com doctor");
    assert_eq!(doctor.code, Some(0), "{}", doctor.stdout);
    assert_eq!(crm.run("--database none.db doctor").code, Some(1));
}

#[test]
fn completions_and_manual_pages_are_made() {
    let crm = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(crm.ok(&format!("completion {shell}")).contains("write-off"), "{shell}");
    }
    crm.ok("man pages");
    let pages = std::fs::read_dir(crm.path().join("pages")).unwrap().count();
    assert!(pages > 50, "{pages}");
    let page = std::fs::read_to_string(crm.path().join("pages/crm-contact-add.1")).unwrap();
    assert!(page.contains("given\\-name"));
}

#[test]
fn help_and_version_are_data() {
    let crm = Sandbox::new();
    crm.check("help", &crm.transcript(&["--version", "--help", "help contact", "invoice create --help"]));
}

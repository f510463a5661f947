//! Imports from the command line: the Chinook sample by its documented commands, and what is refused.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;
#[path = "common/postgres.rs"]
mod postgres;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use common::{Ran, Sandbox, without_ids};
use postgres::Schema;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crm-core/tests/data/chinook").join(name)
}

fn map(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/chinook").join(name)
}

/// The documented commands.
fn imports(lenient: bool) -> Vec<Vec<String>> {
    let words = |text: &str, files: &[(&str, PathBuf)]| {
        let place = |word: &str| {
            let file = files.iter().find(|(name, _)| *name == word);
            file.map_or_else(|| word.to_owned(), |(_, path)| path.to_str().unwrap().to_owned())
        };
        text.split(' ').map(place).collect::<Vec<_>>()
    };
    let mut contacts = words(
        "import contacts customers.csv --map contacts.toml --upsert-by external_id",
        &[("customers.csv", data("customers.csv")), ("contacts.toml", map("contacts.toml"))],
    );
    if lenient {
        contacts.push("--lenient".to_owned());
    }
    vec![
        contacts,
        words(
            "import products products.csv --map products.toml --upsert-by sku",
            &[("products.csv", data("products.csv")), ("products.toml", map("products.toml"))],
        ),
        words(
            "import invoices invoices.csv --lines invoice_lines.csv --map invoices.toml --upsert-by number",
            &[
                ("invoices.csv", data("invoices.csv")),
                ("invoice_lines.csv", data("invoice_lines.csv")),
                ("invoices.toml", map("invoices.toml")),
            ],
        ),
        words(
            "import payments invoices.csv --map payments.toml --upsert-by external_id",
            &[("invoices.csv", data("invoices.csv")), ("payments.toml", map("payments.toml"))],
        ),
    ]
}

fn run(crm: &Sandbox, words: &[String]) -> Ran {
    crm.run_with(words, "")
}

/// Imports the whole sample, twice, and gives what the reports and lists say.
fn chinook(crm: &Sandbox) -> Vec<String> {
    let refused = run(crm, &imports(false)[0]);
    assert_eq!(refused.code, Some(5), "{}", refused.stderr);
    assert_eq!(refused.stderr.matches(", phone: ").count(), 3, "{}", refused.stderr);
    assert_eq!(crm.ok("contact list -o json"), "[]\n");

    let mut said = Vec::new();
    for (words, count) in imports(true).iter().zip(["59", "1984", "412", "412"]) {
        let first = run(crm, words);
        assert_eq!(first.code, Some(0), "{}\n{}", words.join(" "), first.stderr);
        let field = |ran: &Ran, name: &str| {
            let line = ran.stdout.lines().find(|line| line.starts_with(name)).map(str::to_owned);
            line.unwrap_or_default().split_whitespace().last().unwrap_or_default().to_owned()
        };
        assert_eq!(field(&first, "Created"), count, "{}", first.stdout);
        let second = run(crm, words);
        assert_eq!(second.code, Some(0), "{}\n{}", words.join(" "), second.stderr);
        assert_eq!((field(&second, "Unchanged"), field(&second, "Created")), (count.to_owned(), "0".to_owned()));
        said.extend([first.stdout, first.stderr]);
    }
    said.push(crm.ok("report summary -o json"));
    said.push(crm.ok("contact list -o json --all --sort external_id"));
    said.push(crm.ok("invoice list -o json --all --sort number"));
    said.push(crm.ok("report ageing -o csv --per-contact"));
    assert!(crm.ok("audit verify -o json").contains("\"ok\": true"));
    said
}

#[test]
fn chinook_comes_to_the_cent_and_alike_on_both_databases() {
    let file = Sandbox::acme();
    let left = chinook(&file);
    let csv = file.ok("report summary -o csv");
    assert_eq!(
        csv,
        "currency,invoices,billed,paid,offset,pending,overdue,uncollectible,void,credit\n\
         USD,412,2328.60,2328.60,0.00,0.00,0.00,0.00,0.00,0.00\n"
    );
    let phones = file.ok("contact list --all -o csv --columns phone");
    assert_eq!(phones.lines().filter(|line| line.starts_with('+')).count(), 55);
    let raw = file.ok("contact list --where 'not phone_raw is null' -o csv --columns phone_raw,country --sort country");
    assert_eq!(raw.lines().count(), 4, "{raw}");
    let countries = file.ok("contact list --all -o csv --columns country");
    assert!(countries.lines().skip(1).all(|code| code.len() == 2), "{countries}");

    let schema = Schema::new();
    let server = Sandbox::on(&schema.url());
    server.init();
    let right = chinook(&server);
    for (left, right) in left.iter().zip(&right) {
        assert_eq!(without_ids(left), without_ids(right));
    }
}

#[test]
fn broken_rows_are_refused_whole_with_their_reasons() {
    let crm = Sandbox::acme();
    let mut rows = String::from("kind,given_name,email,stratum\n");
    for row in 0..200 {
        let (name, email, stratum) = match row {
            7 => (String::new(), format!("e{row}@example.com"), "1"),
            21 => ("=formula".to_owned(), "nonsense".to_owned(), "1"),
            50 => (format!("N{row}"), format!("e{row}@example.com"), "9"),
            _ => (format!("N{row}"), format!("e{row}@example.com"), "3"),
        };
        writeln!(rows, "person,{name},{email},{stratum}").unwrap();
    }
    let path = crm.file("people.csv", &rows);
    let text = [
        crm.run("import contacts people.csv --rejects rejects.csv"),
        crm.run("import contacts people.csv -o json"),
        crm.run("contact list -o json"),
        crm.run("import contacts people.csv --skip-refused --dry-run -o csv"),
        crm.run("contact list -o json"),
        crm.run("import contacts people.csv --skip-refused"),
        crm.run("contact list --where 'name ~ n199' --columns name,email -o csv"),
        crm.run("import contacts people.csv --upsert-by email --skip-refused -o csv"),
        crm.run_with(&["import", "contacts", "-"], "kind,given_name\nperson,Eva\n"),
        crm.run("import contacts nowhere.csv"),
        crm.run("import contacts people.csv --map nowhere.toml"),
        crm.run_with(&["import", "contacts", "-"], "a,b\n1,2\n"),
        crm.run_with(&["import", "contacts", "-", "-o", "json"], "a,b\n1,2\n"),
        crm.run("import products people.csv --upsert-by nothing"),
    ];
    let mut text: Vec<String> = text.iter().map(ToString::to_string).collect();
    text.push(format!("rejects.csv\n{}", std::fs::read_to_string(crm.path().join("rejects.csv")).unwrap()));
    assert!(!crm.path().join("rejects.csv.part").exists());
    drop(path);
    crm.check("import", &text.join("\n"));
}

#[test]
fn twenty_broken_rows_give_twenty_reasons() {
    let crm = Sandbox::acme();
    let text = std::fs::read_to_string(data("customers.csv")).unwrap();
    let broken: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(at, line)| match line.rsplit_once(',') {
            // The e-mail address is the last but one.
            Some((rest, last)) if (1..=20).contains(&at) => {
                let (rest, _) = rest.rsplit_once(',').unwrap();
                format!("{rest},broken-{at},{last}")
            }
            _ => line.to_owned(),
        })
        .collect();
    crm.file("broken.csv", &broken.join("\n"));
    let map = map("contacts.toml");
    let words = ["import", "contacts", "broken.csv", "--lenient", "-o", "json", "--map", map.to_str().unwrap()];
    let ran = crm.run_with(&words, "");
    assert_eq!(ran.code, Some(5));
    let (problems, _) = ran.stdout.split_once("\"warnings\"").unwrap();
    assert_eq!(problems.matches("\"reason\"").count(), 20, "{}", ran.stdout);
    assert_eq!(ran.stderr.lines().filter(|line| line.starts_with("Line ")).count(), 20, "{}", ran.stderr);
    assert_eq!(crm.ok("contact list -o json"), "[]\n");
}

#[test]
fn an_interrupted_import_leaves_nothing_behind() {
    let crm = Sandbox::acme();
    let mut child = crm
        .command(&["import", "contacts", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"kind,given_name\n").unwrap();
    for number in 0..20_000 {
        stdin.write_all(format!("person,N{number}\n").as_bytes()).unwrap();
    }
    stdin.flush().unwrap();
    let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(stdin);
    assert_eq!(crm.ok("contact list -o json"), "[]\n");
    assert_eq!(crm.run("doctor").code, Some(0));
    assert!(crm.ok("audit verify -o json").contains("\"ok\": true"));
}

#[test]
fn refused_rows_are_not_written_over_the_file_that_is_read() {
    let crm = Sandbox::acme();
    let text = "kind,given_name,email\nperson,Good,good@example.com\nperson,Bad,bad\n";
    let file = crm.file("in.csv", text);
    let ran = crm.run("import contacts in.csv --rejects ./in.csv");
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("would overwrite in.csv"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(file).unwrap(), text);
}

#[test]
fn only_init_and_demo_make_tables() {
    let crm = Sandbox::new();
    let foreign = crm.path().join("other.db");
    std::fs::write(&foreign, "").unwrap();
    let schema = Schema::new();
    for database in [foreign.to_str().unwrap(), &schema.url()] {
        let ran = crm.run(&format!("--database {database} --org acme --as ana@acme.example contact list"));
        assert_ne!(ran.code, Some(0));
        assert!(ran.stderr.contains("crm init"), "{}", ran.stderr);
    }
    assert_eq!(std::fs::metadata(&foreign).unwrap().len(), 0, "nothing was written");
}

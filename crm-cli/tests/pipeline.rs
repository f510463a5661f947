//! The sales pipeline sample by its documented commands, on both databases.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;
#[path = "common/postgres.rs"]
mod postgres;

use std::path::{Path, PathBuf};

use common::{Sandbox, without_ids};
use postgres::Schema;

fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The commands of the example's page.
fn documented() -> String {
    let page = std::fs::read_to_string(workspace("examples/sales-pipeline/README.md")).unwrap();
    let (_, rest) = page.split_once("```sh\n").unwrap();
    let (script, _) = rest.split_once("```").unwrap();
    script.to_owned()
}

/// Runs lines of a shell in a folder with the sample's files, and gives what they say.
fn shell(crm: &Sandbox, script: &str) -> String {
    for folder in ["examples/sales-pipeline", "crm-core/tests/data/sales-pipeline"] {
        for entry in std::fs::read_dir(workspace(folder)).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, crm.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let program = Path::new(env!("CARGO_BIN_EXE_crm"));
    let path = std::env::var("PATH").unwrap();
    // The environment of the command itself, with the shell in its place.
    let template = crm.command::<&str>(&[]);
    let mut shell = std::process::Command::new("sh");
    for (name, value) in template.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.env("PATH", format!("{}:{path}", program.parent().unwrap().display()));
    let output = shell.args(["-eu", "-c", script]).current_dir(crm.path()).output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
    assert_eq!(output.status.code(), Some(0), "{}\n{}", said[0], said[1]);
    said.concat()
}

/// Everything that the sample comes to.
fn sample(crm: &Sandbox) -> Vec<String> {
    // The database is the sandbox's, and whoever creates an organization is told where.
    let script = documented();
    let (begin, script) = script.split_at(script.find("export CRM_ORG").unwrap());
    let init = begin.lines().find(|line| line.starts_with("crm init ")).unwrap();
    shell(crm, init);
    let setting = "export CRM_ORG=sales CRM_AS=ana@sales.example\n";
    let mut said = vec![shell(crm, script)];
    let imports: Vec<&str> = script.lines().filter(|line| line.starts_with("crm import ")).collect();
    assert_eq!(imports.len(), 3);
    for (import, rows) in imports.iter().zip(["85", "7", "8800"]) {
        let again = shell(crm, &format!("{setting}{import} -o csv"));
        assert_eq!(again, format!("read,created,updated,unchanged,refused,written\n{rows},0,0,{rows},0,yes\n"));
    }
    for list in [
        "crm contact list -o json --all --sort external_id",
        "crm deal list -o json --all --sort external_id",
        "crm deal history 1C1I7A6R -o json",
        "crm member list -o json",
        "crm pipeline show Opportunities -o json",
        "crm report deals -o json",
        "crm report funnel --pipeline Opportunities -o json",
        "crm report funnel --pipeline Opportunities --cohort --from 2017-01-01 --to 2017-06-30 -o json",
        "crm report velocity --pipeline Opportunities --from 2017-01-01 --to 2017-12-31 -o json",
        "crm report forecast --pipeline Opportunities -o json",
    ] {
        said.push(shell(crm, &format!("{setting}{list}")));
    }
    let verified = shell(crm, &format!("{setting}crm audit verify -o json"));
    assert!(verified.contains("\"ok\": true"), "{verified}");
    said
}

#[test]
fn the_sample_comes_to_the_cent_and_alike_on_both_databases() {
    let file = Sandbox::new();
    let left = sample(&file);
    let csv = shell(
        &file,
        "crm --org sales --as ana@sales.example deal list --all -o csv --columns status,amount,contact,owner,title",
    );
    let deals: Vec<Vec<&str>> = csv.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let of = |status: &str| deals.iter().filter(|deal| deal[0] == status).count();
    assert_eq!(["won", "lost", "in_progress", "new"].map(of), [4_238, 2_473, 1_589, 500]);
    let cents = |deal: &Vec<&str>| deal[1].replace('.', "").parse::<u64>().unwrap();
    assert_eq!(deals.iter().map(cents).sum::<u64>(), 1_000_553_400);

    let data = std::fs::read_to_string(workspace("crm-core/tests/data/sales-pipeline/sales_pipeline.csv")).unwrap();
    let column: u64 = data.lines().skip(1).map(|line| line.split(',').nth(7).unwrap().parse().unwrap_or(0)).sum();
    assert_eq!(column * 100, 1_000_553_400);

    let schema = Schema::new();
    let server = Sandbox::on(&schema.url());
    let right = sample(&server);
    assert_eq!(left.len(), right.len());
    for (left, right) in left.iter().zip(&right) {
        let (left, right) = (without_ids(left), without_ids(right));
        for (left, right) in left.lines().zip(right.lines()) {
            assert_eq!(left, right);
        }
        assert_eq!(left.len(), right.len());
    }
}

#[test]
fn broken_opportunities_are_refused_whole_with_their_reasons() {
    let crm = Sandbox::acme();
    let file = "id,name,stage,status,amount,from,until,why\n\
        1,A,lead,won,10,20-10-16,01-03-17,\n\
        2,B,nowhere,new,,,,\n\
        3,C,lead,lost,,20-10-16,01-03-17,\n\
        4,D,lead,won,0,20-10-16,01-03-17,\n\
        5,E,lead,won,1,01-03-17,20-10-16,\n\
        6,F,lead,won,1,31-02-17,01-03-17,\n";
    crm.file("deals.csv", file);
    crm.file(
        "deals.toml",
        "date_format = \"%d-%m-%y\"\n[columns]\nexternal_id = \"id\"\ntitle = \"name\"\nstage = \"stage\"\nstatus = \"status\"\n\
         amount = \"amount\"\nopened_on = \"from\"\nclosed_on = \"until\"\nlost_reason = \"why\"\n",
    );
    crm.ok("member add max@acme.example --role manager --name Max");
    let text = [
        crm.run("import deals deals.csv --map deals.toml"),
        crm.run("deal list -o json"),
        crm.run("--as max@acme.example import deals deals.csv --map deals.toml --skip-refused"),
        crm.run("import deals deals.csv --map deals.toml --skip-refused --dry-run"),
        crm.run("import deals deals.csv --map deals.toml --skip-refused -q"),
        crm.run("deal list -o csv --columns external_id,status,amount,opened_at,closed_at"),
        crm.run("import deals --help"),
    ];
    let text: Vec<String> = text.iter().map(ToString::to_string).collect();
    crm.check("import_deals", &text.join("\n"));
}

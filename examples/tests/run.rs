//! Runs every example and checks what it says.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::process::Command;

fn output(program: &str) -> String {
    let output = Command::new(program).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn quickstart_finds_its_contact() {
    let said = output(env!("CARGO_BIN_EXE_quickstart"));
    assert_eq!(said.split_once(' ').unwrap().1, "Éva\n");
}

#[test]
fn a_host_transaction_takes_both_or_neither() {
    let said = output(env!("CARGO_BIN_EXE_host_transaction"));
    let refused = "there is a contact with the same email already";
    let expected = format!("A-1: {refused}\nA-1: 0 orders, 0 contacts\nA-2: {refused}\nA-2: 1 orders, 1 contacts\n");
    assert_eq!(said, expected);
}

#[test]
fn a_store_of_ones_own_serves() {
    assert_eq!(output(env!("CARGO_BIN_EXE_own_store")), "Hour costs 180 CHF\n2 writes\n");
}

/// The page shows what the program says, to the letter.
#[test]
fn a_utilitys_month_is_as_its_page_tells() {
    let said = output(env!("CARGO_BIN_EXE_utility_month"));
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/utility-month/README.md")).unwrap();
    let (_, shown) = page.split_once("```text\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    for (shown, said) in shown.lines().zip(said.lines()) {
        assert_eq!(shown, said);
    }
    assert_eq!(shown, said);
    // What came in is counted once by kind, by status and by channel.
    for section in ["By kind", "By status", "By channel"] {
        let (_, rows) = said.split_once(&format!("\n{section}\n")).unwrap();
        let rows = rows.lines().take_while(|row| row.starts_with("  "));
        let cases: u32 = rows.map(|row| row.split_whitespace().last().unwrap().parse::<u32>().unwrap()).sum();
        assert_eq!(cases, 200, "{section}");
    }
}

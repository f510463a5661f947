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

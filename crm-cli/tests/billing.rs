//! Billing from the command line: discounts and taxes, credit notes, refunds, what is taken back, the reports, the printed
//! page.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use common::Sandbox;

/// Two contacts, and three invoices of one: 100 with 19 % tax, 50, and 200 EUR.
fn billed() -> Sandbox {
    let crm = Sandbox::acme();
    crm.ok("contact add --given-name Eva --email eva@example.com");
    crm.ok("contact add --given-name Max --email max@example.com");
    crm.ok("product add --sku HAT-01 --name Hat --unit-price 12.5 --tax-percent 19");
    crm.ok("invoice create --contact eva@example.com --line 'Work|1|100|19%' --issue --issued-on 2026-03-01 --due-on 2026-03-31");
    crm.ok("invoice create --contact eva@example.com --line sku=HAT-01,qty=4,tax=0 --issue --issued-on 2026-05-02");
    crm.ok(
        "invoice create --contact eva@example.com --line 'Work|1|200' --currency EUR --issue --issued-on 2026-05-03",
    );
    crm
}

#[test]
fn lines_have_discounts_and_taxes_are_told_per_rate() {
    let crm = Sandbox::acme();
    crm.ok("contact add --given-name Eva --email eva@example.com");
    crm.ok("product add --sku HAT-01 --name Hat --unit-price 12.5 --tax-percent 19");
    let text = crm.transcript(&[
        "invoice create --contact eva@example.com --line 'Work|2|80|19%|10%' --line sku=HAT-01,qty=3,discount=2.675 --line 'Book||20|5' --issue",
        "invoice show INV-000001 -o json",
        "invoice create --contact eva@example.com --line 'Work|1|80||81'",
        "invoice create --contact eva@example.com --line 'Work|1|80||101%'",
        "invoice create --contact eva@example.com --line 'Work|1|80|1|2|3'",
    ]);
    crm.check("discounts", &text);
}

#[test]
fn credit_notes_and_refunds() {
    let crm = billed();
    let text = crm.transcript(&[
        "credit-note create INV-000001 --amount 19 --reason 'Too late' --key c1",
        "credit-note create INV-000001 --amount 19 --reason 'Too late' --key c1 -q -o id",
        "credit-note create INV-000001 --amount 200 --reason x",
        "credit-note create INV-000001 --reason x",
        "credit-note create INV-000001 --amount 19 --everything --reason x",
        "invoice void INV-000001",
        "invoice pay INV-000001 -q -o id",
        "credit-note create INV-000001 --line 'Work|1|50|19%' --refund 20 --reason Returned --method transfer --reference R-1",
        "credit-note create INV-000001 --amount 10 --offset 10 --reason x",
        "credit-note create INV-000001 --amount 10 --refund 5 --credit 6 --reason x",
        "refund record --credit-note CN-000002 --amount 50",
        "refund record --credit-note CN-000002 --amount 4.5 --method cash --external-id RF-1",
        "credit-note allocate CN-000002 --invoice INV-000002=30",
        "credit-note allocate CN-000002",
        "credit-note allocate CN-000002 --oldest --invoice INV-000002",
        "credit-note show CN-000002 -o json",
        "credit-note show CN-000002 -o csv",
        "credit-note list",
        "credit-note list --where 'unapplied > 0 and contact = eva@example.com' -o id",
        "refund list -o csv --columns refunded_on,amount,currency,method,reference,external_id",
        "refund show RF-1",
        "refund record --amount 5",
        "invoice show INV-000002",
        "credit-note create INV-000001 --everything --reason 'All of it' -q -o csv",
        "credit-note create INV-000001 --everything --reason 'All of it'",
        "credit-note show CN-999999",
    ]);
    crm.check("credit_notes", &text);
    assert!(crm.ok("audit verify --books -o json").contains("\"ok\": true"));
}

#[test]
fn payments_are_allocated_taken_back_and_reversed() {
    let crm = billed();
    let id = |line: &str| crm.ok(&format!("{line} -q -o id")).trim().to_owned();
    let payment = id("payment record --contact eva@example.com --amount 150 --received-on 2026-05-10");
    let shown = crm.ok(&format!("payment allocate {payment} --invoice INV-000001=60 --on 2026-05-20 -q -o json"));
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["unapplied"]["amount"], "90.00");
    let allocation = shown["allocations"][0]["id"].as_str().unwrap().to_owned();
    let text = crm.transcript(&[
        &format!("payment show {payment}"),
        &format!("payment unallocate {allocation} --on 2026-05-19"),
        &format!("payment unallocate {allocation} --on 2026-05-25"),
        &format!("payment unallocate {allocation}"),
        &format!("credit-note unallocate {allocation}"),
        "payment unallocate nonsense",
        &format!("payment allocate {payment} --oldest -q"),
        "invoice list --columns invoice,status,paid,balance",
        &format!("refund record --payment {payment}"),
        &format!("payment reverse {payment} --reason 'No funds' --on 2026-06-14"),
        &format!("payment reverse {payment}"),
        "invoice list --columns invoice,status,paid,balance",
        "ledger eva@example.com",
        "ledger eva@example.com --restated -o csv",
        "ledger eva@example.com --from 2026-05-03 --to 2026-06-01 -o json",
        "ledger max@example.com",
        "ledger nobody@example.com",
        "ledger eva@example.com -o id",
        "invoice write-off INV-000002 -q -o id",
        "invoice pay INV-000002 --amount 20 -q -o csv",
        "invoice show INV-000002",
    ]);
    crm.check("taken_back", &text);
    assert!(crm.ok("audit verify --books -o json").contains("\"ok\": true"));
}

#[test]
fn reports_of_billing() {
    let crm = billed();
    crm.ok("payment record --contact eva@example.com --amount 119 --oldest --received-on 2026-04-10 --method transfer");
    crm.ok("invoice create --contact max@example.com --line 'Work|1|1000|19%' --issue --issued-on 2026-06-01");
    crm.ok("invoice create --contact max@example.com --line 'Work|1|30|19%' --issue --issued-on 2026-06-02");
    crm.ok("credit-note create INV-000004 --amount 119 --reason Discount");
    crm.ok("invoice void INV-000005");
    let text = crm.transcript(&[
        "report revenue",
        "report revenue --restated -o csv",
        "report revenue --by product",
        "report revenue --by product -o csv --from 2026-05-01 --to 2026-05-31",
        "report revenue -o json --from 2026-06-01",
        "report revenue --by week",
        "report revenue --from 2026-06-01 --to 2026-05-01",
        "report collections",
        "report collections -o csv",
        "report taxes",
        "report taxes -o csv --to 2026-03-31",
        "report debtors",
        "report debtors --limit 1 --as-of 2026-04-01 -o csv",
        "report debtors -o json --limit 1",
        "report days-to-pay",
        "report days-to-pay --per-contact -o csv",
        "report days-to-pay --to 2026-04-01",
        "report summary",
        "report ageing --as-of 2026-04-05",
        "report debtors -o id",
    ]);
    crm.check("billing_reports", &text);
}

#[test]
fn series_have_ranges_and_warnings() {
    let crm = Sandbox::acme();
    crm.ok("contact add --given-name Eva --email eva@example.com");
    let text = crm.transcript(&[
        "series list",
        "series edit invoice --last 2 --warn-percent 50 --valid-until 2026-07-01 --authorisation 'DIAN 18764'",
        "invoice create --contact eva@example.com --line 'Work|1|80' --issue -o id",
        "invoice create --contact eva@example.com --line 'Work|1|80' --issue -o id --issued-on 2026-05-01",
        "invoice create --contact eva@example.com --line 'Work|1|80' --issue",
        "series edit invoice --valid-until 2026-06-01 --last 9",
        "invoice create --contact eva@example.com --line 'Work|1|80' --issue",
        "series edit credit_note --prefix 'NC{year}-' --digits 4 --reset year -q -o json",
        "credit-note create INV-000001 --everything --reason x -q -o csv",
        "series show credit_note",
    ]);
    crm.check("series", &text);
}

#[test]
fn invoices_are_printed() {
    let crm = billed();
    let mine = crm.file("mine.html", "<b>{{ number }} {{ total|amount(2) }}</b>\n");
    crm.file("wrong.html", "<b>\n{{ totl }}</b>");
    assert_eq!(crm.ok("invoice print INV-000001 --html - --template mine.html"), "<b>INV-000001 119.00</b>\n");
    let text = crm.transcript(&[
        "invoice print INV-000001 --html invoice.html --json invoice.json",
        "invoice print INV-000001 --json - -q",
        "invoice print INV-000001",
        "invoice print INV-000001 --html - --json -",
        "invoice print INV-000001 --json - --template mine.html",
        "invoice print INV-000001 --html - --template wrong.html",
        "invoice print INV-000001 --html - --template none.html",
        "invoice print INV-000001 --html none/invoice.html",
        "invoice print INV-999999 --html -",
        "report statement eva@example.com --from 2026-01-01 --html statement.html --json statement.json",
        "credit-note create INV-000001 --everything --reason Late -q -o id",
        "credit-note print CN-000001 --html credit-note.html --json -",
    ]);
    crm.check("print", &text);
    let page = std::fs::read_to_string(crm.path().join("invoice.html")).unwrap();
    assert!(
        page.to_lowercase().starts_with("<!doctype html>") && page.contains("INV-000001") && page.contains("119.00")
    );
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(crm.path().join("invoice.json")).unwrap()).unwrap();
    assert_eq!(json["total"]["amount"], "119.00");
    assert!(mine.exists());
    let page = |name: &str| std::fs::read_to_string(crm.path().join(name)).unwrap();
    assert!(page("statement.html").contains("INV-000002") && page("statement.json").contains("\"closing\""));
    assert!(page("credit-note.html").contains("CN-000001"));
}

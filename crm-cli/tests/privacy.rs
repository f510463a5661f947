//! `crm privacy`, on both databases: what is given out, what is erased, and that nothing of it is left in the file.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;
#[path = "common/postgres.rs"]
mod postgres;

use common::Sandbox;
use postgres::Schema;

/// Words that nothing but the contact's records hold.
const PERSONAL: [&str; 7] = [
    "Quetzalina",
    "Xochimilco",
    "quetza@xmpl.example",
    "former@wxyz.example",
    "+573001234567",
    "Zubrowka",
    "Yggdrasil",
];

/// A contact with an invoice, a case, a task and a call, all of it settled but for what `open` says.
fn played(crm: &Sandbox) {
    crm.init();
    crm.ok("contact add --kind person --given-name Quetzalina --family-name Xochimilco --email former@wxyz.example \
         --phone +573001234567 --custom '{\"pet\": \"Zubrowka\"}' -q");
    crm.ok("member invite former@wxyz.example --role viewer -q");
    crm.ok("contact edit former@wxyz.example --email quetza@xmpl.example --notes 'Likes Yggdrasil' -q");
    crm.ok("log quetza@xmpl.example --kind call 'Xochimilco asked about Yggdrasil' -q");
    crm.ok("task add --title 'Call Quetzalina' --contact quetza@xmpl.example -q");
    crm.ok("lead add --contact quetza@xmpl.example --channel web --external-id L-1 -q");
    crm.ok("invoice create --contact quetza@xmpl.example --line 'Consulting|1|100.00' --issue -q");
}

fn erased_everywhere(crm: &Sandbox) {
    played(crm);
    let contact = crm.ok("contact show quetza@xmpl.example -o id");
    let contact = contact.trim();
    let export = crm.ok("privacy export quetza@xmpl.example");
    for word in PERSONAL {
        assert!(export.contains(word), "{word} is missing in {export}");
    }
    let export: serde_json::Value = serde_json::from_str(&export).unwrap();
    assert_eq!(export["records"]["invoice"][0]["number"], "INV-000001");
    let shown: serde_json::Value = serde_json::from_str(&crm.ok("invoice show INV-000001 -o json")).unwrap();
    assert_eq!(export["records"]["invoice"][0]["total"], shown["total"]);
    assert_eq!(shown["total"], serde_json::json!({ "amount": "100.00", "currency": "USD" }));
    let to = crm.ok("privacy export quetza@xmpl.example --to eva.json");
    assert_eq!(to, "");
    assert_eq!(std::fs::read_to_string(crm.path().join("eva.json")).unwrap().matches("Zubrowka").count(), 2);
    std::fs::remove_file(crm.path().join("eva.json")).unwrap();

    let refused = crm.run("privacy erase quetza@xmpl.example --yes");
    assert_eq!(refused.code, Some(5), "{}", refused.stderr);
    assert!(refused.stderr.contains("INV-000001"), "{}", refused.stderr);
    crm.ok("invoice pay INV-000001 -q");
    crm.ok("member add vera@acme.example --role manager --name Vera -q");
    assert_eq!(crm.run("--as vera@acme.example privacy erase quetza@xmpl.example --yes").code, Some(4));
    assert_eq!(crm.run("--as vera@acme.example privacy export quetza@xmpl.example").code, Some(4));

    let unasked = crm.run("privacy erase quetza@xmpl.example");
    assert_eq!(unasked.code, Some(2), "{}", unasked.stderr);
    let told: serde_json::Value =
        serde_json::from_str(&crm.ok("privacy erase quetza@xmpl.example --yes -o json")).unwrap();
    assert_eq!(told["erased"]["contact"], 1);
    assert_eq!(told["erased"]["interaction"], 1);
    assert_eq!(told["erased"]["invitation"], 1, "to the former address");
    assert_eq!(told["purged"], true, "{told}");
    assert_eq!(crm.run("contact show quetza@xmpl.example").code, Some(3));
    let shown = crm.ok(&format!("contact show {contact} -o json"));
    assert!(PERSONAL.iter().all(|word| !shown.contains(word)), "{shown}");
    let refused = crm.run(&format!("log {contact} --kind call 'Again'"));
    assert_eq!(refused.code, Some(5), "{}", refused.stderr);
    assert!(refused.stderr.contains("erased"), "{}", refused.stderr);
    // The law wants invoices kept, with their buyer.
    let page = crm.ok("invoice print INV-000001 --html -");
    assert!(page.contains("Quetzalina Xochimilco"), "{page}");
    assert!(crm.ok("audit verify --books -o json").contains("\"problems\": 0"));
    let again: serde_json::Value =
        serde_json::from_str(&crm.ok(&format!("privacy erase {contact} --yes -o json"))).unwrap();
    assert_eq!(again["erased"], serde_json::json!({}));
    crm.ok("privacy purge");
    assert_eq!(crm.ok("privacy purge-requests --before 2026-01-01 -o csv"), "requests\n0\n");
}

#[test]
fn sqlite_erases_a_contact_everywhere() {
    let crm = Sandbox::new();
    erased_everywhere(&crm);
    // The buyer of the issued invoice is all that is left: of what never stood on it there is nothing.
    let mut found = Vec::new();
    for entry in std::fs::read_dir(crm.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            for word in ["former@wxyz.example", "573001234567", "zubrowka", "yggdrasil"] {
                found.extend(text.contains(word).then(|| format!("{word} in {}", path.display())));
            }
        }
    }
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn postgresql_erases_a_contact_everywhere() {
    let schema = Schema::new();
    erased_everywhere(&Sandbox::on(&schema.url()));
}

#[test]
fn an_erasure_that_was_not_purged_is_told_until_it_is() {
    let crm = Sandbox::new();
    played(&crm);
    crm.ok("invoice pay INV-000001 -q");
    let reader = rusqlite::Connection::open(crm.path().join("crm.db")).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    reader.query_row("SELECT count(*) FROM crm_contact", [], |row| row.get::<_, i64>(0)).unwrap();
    let erased = crm.run("privacy erase quetza@xmpl.example --yes");
    assert!(
        erased.code == Some(0) && erased.stderr.contains("Warning: The book's files still hold"),
        "{}",
        erased.stderr
    );
    let verified = crm.run("audit verify -o json");
    assert!(verified.code == Some(0) && verified.stdout.contains("\"purge_due\": true"), "{}", verified.stdout);
    assert!(verified.stderr.contains("Run `crm privacy purge`"), "{}", verified.stderr);
    assert_eq!(crm.run("audit verify -q").stderr, "");
    let doctor = crm.run("doctor");
    assert!(doctor.code == Some(1) && doctor.stdout.contains("WRONG: still in the file"), "{}", doctor.stdout);
    assert_eq!(crm.run("privacy purge").code, Some(8));
    reader.execute_batch("COMMIT").unwrap();
    crm.ok("privacy purge");
    assert!(crm.ok("doctor").contains("nothing left in the file"));
    let verified = crm.run("audit verify -o json");
    assert!(verified.stdout.contains("\"purge_due\": false") && verified.stderr.is_empty(), "{}", verified.stderr);
}

//! Lines of invoices: what is rounded where, discounts, taxes per rate, terms.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use crm_core::billing::{CreateInvoice, Discount, Invoice, InvoiceLine, IssueInvoice, NewLine, taxes};
use crm_core::entity::{Minor, Stored};
use crm_core::import::{Import, ImportKind};
use crm_core::people::Contact;
use crm_core::store::{MemoryStore, Query};
use crm_core::value::{Currency, Decimal6, Money};
use crm_core::{CrmError, Edit, Id, Session, block_on, testing};

fn world() -> (Session<'static>, Id<Contact>) {
    let crm = testing::crm(MemoryStore::new(), 1);
    let session = block_on(testing::organization(&crm, "acme")).unwrap();
    let fields = [("kind", "person"), ("given_name", "Eva"), ("account_number", "7")];
    let edit = Edit::parse(fields, &session.locale()).unwrap();
    let contact = block_on(session.create::<Contact>(edit)).unwrap().id;
    (session, contact)
}

fn decimal(text: &str) -> Decimal6 {
    Decimal6::parse(text).unwrap()
}

fn line(quantity: &str, price: &str, discount: Option<Discount>, tax: &str) -> NewLine {
    NewLine {
        product: None,
        description: "Work".parse().ok(),
        quantity: decimal(quantity),
        unit_price: Some(decimal(price)),
        discount,
        tax_percent: Some(decimal(tax)),
    }
}

/// Discount, net and tax of the line in cents.
fn built(line: &NewLine) -> (i64, i64, i64) {
    let line = line.build(Id::new(uuid::Uuid::nil()), 1, Currency::USD, None).unwrap();
    assert_eq!(line.gross().0, line.net.0 + line.discount.0);
    (line.discount.0, line.net.0, line.tax.0)
}

fn refused(line: &NewLine) -> String {
    let refused = line.build(Id::new(uuid::Uuid::nil()), 1, Currency::USD, None).unwrap_err();
    refused.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn lines_of(session: &Session<'_>, invoice: &Stored<Invoice>) -> Vec<Stored<InvoiceLine>> {
    let query = Query::new(InvoiceLine::COLUMNS.invoice_id.eq(&invoice.id)).ascending(InvoiceLine::COLUMNS.position);
    block_on(session.list(&query)).unwrap().items
}

#[test]
fn half_a_cent_goes_away_from_zero_as_price() {
    assert_eq!(built(&line("1", "10.005", None, "0")), (0, 1_001, 0));
    assert_eq!(built(&line("1", "2.675", None, "0")), (0, 268, 0));
    assert_eq!(built(&line("3", "0.335", None, "0")), (0, 101, 0));
}

#[test]
fn half_a_cent_goes_away_from_zero_as_tax() {
    // 5 % of 200.10 is 10.005, of 53.50 is 2.675.
    assert_eq!(built(&line("1", "200.10", None, "5")), (0, 20_010, 1_001));
    assert_eq!(built(&line("1", "53.50", None, "5")), (0, 5_350, 268));
}

#[test]
fn half_a_cent_goes_away_from_zero_as_discount_in_percent() {
    let five = Some(Discount::Percent(decimal("5")));
    assert_eq!(built(&line("1", "200.10", five, "0")), (1_001, 19_009, 0));
    assert_eq!(built(&line("1", "53.50", five, "0")), (268, 5_082, 0));
}

#[test]
fn half_a_cent_goes_away_from_zero_as_discount_amount() {
    let off = |text| Some(Discount::Amount(decimal(text)));
    assert_eq!(built(&line("1", "100", off("10.005"), "0")), (1_001, 8_999, 0));
    assert_eq!(built(&line("1", "100", off("2.675"), "0")), (268, 9_732, 0));
}

#[test]
fn half_a_cent_goes_away_from_zero_in_an_import() {
    let (session, _) = world();
    let rows = "number,contact_account_number,total,line.description,line.unit_price,line.discount_percent,line.discount,\
                line.tax_percent\n\
                R-1,7,12.69,Work,10.005,,,\n\
                R-1,7,12.69,Work,2.675,,,\n\
                R-2,7,190.09,Work,200.10,5,,\n\
                R-3,7,97.32,Work,100,,2.675,\n\
                R-4,7,210.11,Work,200.10,,,5\n";
    let report = block_on(session.import(Import::new(ImportKind::Invoices, rows.as_bytes()))).unwrap();
    assert_eq!((report.created, report.written), (4, true), "{:?}", report.problems);
    let second = block_on(session.find::<Invoice>("R-2")).unwrap();
    let lines = lines_of(&session, &second);
    assert_eq!((lines[0].discount_percent, lines[0].discount), (Some(decimal("5")), Minor(1_001)));
    // Again: what is there is compared, the discount too.
    let again = |rows: String| {
        let import = Import {
            upsert_by: Some("number".into()),
            ..Import::new(ImportKind::Invoices, std::io::Cursor::new(rows))
        };
        block_on(session.import(import)).unwrap()
    };
    assert_eq!(again(rows.to_owned()).unchanged, 4);
    let changed = again(rows.replace("R-3,7,97.32,Work,100,,2.675", "R-3,7,97.32,Work,99,,1.675"));
    assert!(changed.problems.iter().any(|problem| problem.field == "line.discount"), "{:?}", changed.problems);
    let both = again(rows.replace("R-2,7,190.09,Work,200.10,5,,", "R-5,7,,Work,200.10,5,1,"));
    assert_eq!(both.problems.iter().map(|problem| &*problem.field).collect::<Vec<_>>(), ["line.discount"]);
}

#[test]
fn printed_figures_add_up() {
    let off = Some(Discount::Percent(decimal("33.333333")));
    let (discount, net, tax) = built(&line("3", "0.335", off, "19"));
    // 1.005 is 1.01; a third of it 0.34; 19 % of 0.67 is 0.13.
    assert_eq!((discount, net, tax), (34, 67, 13));
}

#[test]
fn a_discount_is_between_nothing_and_the_whole() {
    let with = |discount| line("2", "5", Some(discount), "0");
    assert_eq!(built(&with(Discount::Percent(decimal("100")))), (1_000, 0, 0));
    assert_eq!(built(&with(Discount::Amount(decimal("10")))), (1_000, 0, 0));
    let refusals = [
        (Discount::Percent(decimal("100.000001")), "lines.1.discount_percent: must be between 0 and 100"),
        (Discount::Percent(decimal("-1")), "lines.1.discount_percent: must be between 0 and 100"),
        (Discount::Amount(decimal("10.01")), "lines.1.discount: must be between 0.00 USD and 10.00 USD"),
        (Discount::Amount(decimal("-0.01")), "lines.1.discount: must not be negative"),
    ];
    for (discount, reason) in refusals {
        assert_eq!(refused(&with(discount)), reason);
    }
    assert_eq!(Discount::of(Some(decimal("1")), Some(decimal("1"))).unwrap_err().field, "discount");
}

#[test]
fn taxes_are_summed_per_rate_over_rounded_lines() {
    let (session, contact) = world();
    let lines = vec![line("1", "0.05", None, "19"), line("1", "0.05", None, "19"), line("1", "10", None, "5")];
    let invoice = block_on(session.run(&CreateInvoice::draft(contact, lines))).unwrap();
    let lines = lines_of(&session, &invoice);
    let rates = taxes(lines.iter().map(|line| (line.tax_percent, line.money(line.net), line.money(line.tax)))).unwrap();
    let rates: Vec<_> = rates.iter().map(|rate| (rate.percent, rate.net.minor(), rate.tax.minor())).collect();
    // Twice one cent, not two times 0.0095.
    assert_eq!(rates, [(decimal("5"), 1_000, 50), (decimal("19"), 10, 2)]);
    assert_eq!(invoice.tax, Minor(52));
    let mixed = [Money::new(1, Currency::USD), Money::new(1, Currency::EUR)].map(|net| (Decimal6::ZERO, net, net));
    assert!(taxes(mixed).is_err());
}

#[test]
fn a_contacts_term_beats_the_organizations() {
    let (session, contact) = world();
    let due = |contact| {
        let draft = block_on(session.run(&CreateInvoice::draft(contact, vec![line("1", "1", None, "0")]))).unwrap();
        let issued = block_on(session.run(&IssueInvoice { id: draft.id, number: None })).unwrap();
        issued.due_on.unwrap().signed_duration_since(issued.issued_on.unwrap()).num_days()
    };
    assert_eq!(due(contact), 30);
    let term = |text: &str| {
        let edit = Edit::<Contact>::parse([("payment_days", text)], &session.locale()).map_err(CrmError::Invalid)?;
        block_on(session.update(contact, edit))
    };
    term("0").unwrap();
    assert_eq!(due(contact), 0);
    assert!(term("3651").is_err() && term("-1").is_err());
    let rows = "kind,given_name,account_number,payment_days\nperson,Eva,7,45\n";
    let import =
        Import { upsert_by: Some("account_number".into()), ..Import::new(ImportKind::Contacts, rows.as_bytes()) };
    assert_eq!(block_on(session.import(import)).unwrap().updated, 1);
    assert_eq!(due(contact), 45);
}

//! The reports as a careful hand writes them, for both databases, and their figures, which must be the library's.

use std::collections::{BTreeMap, HashMap};

use chrono::{Days, NaiveDate};
use crm_core::Value;
use crm_core::report::{Ageing, Summary};
use uuid::Uuid;

use crate::Outcome;
use crate::hand::{Cells, Database};

/// Invoices, billed, paid, offset, pending, overdue, uncollectible, void and credit; or the five buckets.
pub(crate) type Figures = [i64; 9];
/// By currency.
pub(crate) type ByCurrency = BTreeMap<String, Figures>;

/// How many contacts there are.
const CONTACTS: &str = "SELECT count(*) FROM crm_contact WHERE org = 1 AND archived_at IS NULL";

/// By status, as the index has it, so that few sums need a condition.
const BY_STATUS: &str = "\
    SELECT currency, status, count(*), CAST(sum(total) AS BIGINT), CAST(sum(paid) AS BIGINT), CAST(sum(balance) AS BIGINT), \
    CAST(sum(balance) FILTER (WHERE settled_on <= ?1) AS BIGINT), \
    CAST(sum(balance) FILTER (WHERE due_on < ?1 AND (settled_on IS NULL OR settled_on > ?1)) AS BIGINT), \
    count(*) FILTER (WHERE voided_on <= ?1), CAST(sum(total) FILTER (WHERE voided_on <= ?1) AS BIGINT) \
    FROM crm_invoice WHERE org = 1 AND status <> 'draft' AND issued_on <= ?1 GROUP BY currency, status";

/// What was applied or taken back after the day: as paid, in all, to what was due on the day, overdue on it, given up by it.
const LATER: &str = "\
    SELECT a.currency, CAST(sum(a.amount) FILTER (WHERE a.source <> 'offset') AS BIGINT), CAST(sum(a.amount) AS BIGINT), \
    CAST(sum(a.amount) FILTER (WHERE i.settled_on IS NULL OR i.settled_on > ?1) AS BIGINT), \
    CAST(sum(a.amount) FILTER (WHERE i.due_on < ?1 AND (i.settled_on IS NULL OR i.settled_on > ?1)) AS BIGINT), \
    CAST(sum(a.amount) FILTER (WHERE i.settled_on <= ?1) AS BIGINT) \
    FROM crm_allocation a JOIN crm_invoice i ON i.org = a.org AND i.id = a.invoice_id \
    WHERE a.org = 1 AND a.applied_on > ?1 AND i.issued_on <= ?1 GROUP BY a.currency";

/// What payments have left, and had if they were reversed after the day; what credit notes have left; what of either was
/// used after the day; what of it was paid back after the day.
const CREDITS: [&str; 4] = [
    "SELECT currency, CAST(sum(CASE WHEN reversed_on > ?1 THEN unapplied + amount ELSE unapplied END) AS BIGINT) \
     FROM crm_payment WHERE org = 1 AND received_on <= ?1 AND (unapplied <> 0 OR reversed_on > ?1) GROUP BY currency",
    "SELECT currency, CAST(sum(unapplied) AS BIGINT) FROM crm_credit_note \
     WHERE org = 1 AND issued_on <= ?1 AND unapplied <> 0 GROUP BY currency",
    "SELECT a.currency, CAST(sum(a.amount) AS BIGINT) FROM crm_allocation a \
     LEFT JOIN crm_payment p ON p.org = a.org AND p.id = a.payment_id \
     LEFT JOIN crm_credit_note n ON n.org = a.org AND n.id = a.credit_note_id \
     WHERE a.org = 1 AND a.applied_on > ?1 AND a.source <> 'offset' AND (p.received_on <= ?1 OR n.issued_on <= ?1) \
     GROUP BY a.currency",
    "SELECT r.currency, CAST(sum(r.amount) AS BIGINT) FROM crm_refund r \
     LEFT JOIN crm_payment p ON p.org = r.org AND p.id = r.payment_id \
     LEFT JOIN crm_credit_note n ON n.org = r.org AND n.id = r.credit_note_id \
     WHERE r.org = 1 AND r.refunded_on > ?1 AND (p.received_on <= ?1 OR n.issued_on <= ?1) GROUP BY r.currency",
];

/// Per contact, with its name, by its name.
const PER_CONTACT: &str = "\
    SELECT c.given_name, c.family_name, c.company_name, c.email, s.* FROM (SELECT contact_id, currency, \
    count(*) FILTER (WHERE voided_on IS NULL OR voided_on > ?1) AS invoices, \
    CAST(sum(total) FILTER (WHERE voided_on IS NULL OR voided_on > ?1) AS BIGINT) AS billed, \
    CAST(sum(paid) AS BIGINT) AS paid, CAST(sum(total - paid - balance) AS BIGINT) AS taken_off, \
    CAST(sum(balance) FILTER (WHERE settled_on IS NULL OR settled_on > ?1) AS BIGINT) AS pending, \
    CAST(sum(balance) FILTER (WHERE due_on < ?1 AND (settled_on IS NULL OR settled_on > ?1)) AS BIGINT) AS overdue, \
    CAST(sum(balance) FILTER (WHERE status = 'uncollectible' AND settled_on <= ?1) AS BIGINT) AS given_up, \
    CAST(sum(total) FILTER (WHERE voided_on <= ?1) AS BIGINT) AS void \
    FROM crm_invoice WHERE org = 1 AND status <> 'draft' AND issued_on <= ?1 GROUP BY contact_id, currency) s \
    JOIN crm_contact c ON c.org = 1 AND c.id = s.contact_id ORDER BY c.name_key, c.id, s.currency";

/// Credit per contact, as of a day after which nothing happened.
const CREDIT_PER_CONTACT: [&str; 2] = [
    "SELECT contact_id, currency, CAST(sum(unapplied) AS BIGINT) FROM crm_payment \
     WHERE org = 1 AND received_on <= ?1 AND unapplied <> 0 GROUP BY contact_id, currency",
    "SELECT contact_id, currency, CAST(sum(unapplied) AS BIGINT) FROM crm_credit_note \
     WHERE org = 1 AND issued_on <= ?1 AND unapplied <> 0 GROUP BY contact_id, currency",
];

/// Open balances by bucket. The inner groups are in the order of the index, so that nothing is sorted.
const AGEING: &str = "\
    SELECT currency, CAST(sum(b0) AS BIGINT), CAST(sum(b1) AS BIGINT), CAST(sum(b2) AS BIGINT), CAST(sum(b3) AS BIGINT), \
    CAST(sum(b4) AS BIGINT) FROM (SELECT open_until, currency, \
    COALESCE(sum(balance) FILTER (WHERE due_on >= ?1), 0) AS b0, \
    COALESCE(sum(balance) FILTER (WHERE due_on >= ?2 AND due_on < ?1), 0) AS b1, \
    COALESCE(sum(balance) FILTER (WHERE due_on >= ?3 AND due_on < ?2), 0) AS b2, \
    COALESCE(sum(balance) FILTER (WHERE due_on >= ?4 AND due_on < ?3), 0) AS b3, \
    COALESCE(sum(balance) FILTER (WHERE due_on < ?4), 0) AS b4 \
    FROM crm_invoice WHERE org = 1 AND open_until > ?1 AND issued_on <= ?1 GROUP BY open_until, currency) s GROUP BY currency";

/// What was allocated after the day to invoices open on it, by bucket.
const LATER_AGEING: &str = "\
    SELECT a.currency, \
    CAST(COALESCE(sum(a.amount) FILTER (WHERE i.due_on >= ?1), 0) AS BIGINT), \
    CAST(COALESCE(sum(a.amount) FILTER (WHERE i.due_on >= ?2 AND i.due_on < ?1), 0) AS BIGINT), \
    CAST(COALESCE(sum(a.amount) FILTER (WHERE i.due_on >= ?3 AND i.due_on < ?2), 0) AS BIGINT), \
    CAST(COALESCE(sum(a.amount) FILTER (WHERE i.due_on >= ?4 AND i.due_on < ?3), 0) AS BIGINT), \
    CAST(COALESCE(sum(a.amount) FILTER (WHERE i.due_on < ?4), 0) AS BIGINT) \
    FROM crm_allocation a JOIN crm_invoice i ON i.org = a.org AND i.id = a.invoice_id \
    WHERE a.org = 1 AND a.applied_on > ?1 AND i.open_until > ?1 AND i.issued_on <= ?1 GROUP BY a.currency";

/// The text with PostgreSQL's placeholders.
pub(crate) fn postgres(text: &str) -> String {
    text.replace('?', "$")
}

/// The rows of a statement that takes the day, and for the ageing those 30, 60 and 90 days before.
fn rows<D: Database, T>(
    database: &mut D,
    text: &str,
    day: NaiveDate,
    read: impl FnMut(&D::Row<'_>) -> Outcome<T>,
) -> Outcome<Vec<T>> {
    let places = (1..=4).take_while(|place| text.contains(&format!("?{place}")));
    let values: Vec<_> = places.map(|place| Value::Date(day - Days::new(30 * (place - 1)))).collect();
    database.ask(text, &values, read)
}

fn numbers<const N: usize>(row: &impl Cells, first: usize) -> Outcome<[i64; N]> {
    let mut numbers = [0; N];
    for (at, number) in numbers.iter_mut().enumerate() {
        *number = row.number(first + at)?;
    }
    Ok(numbers)
}

/// The currency in the first column, and the numbers from the second on.
fn sums<const N: usize>(row: &impl Cells) -> Outcome<(String, [i64; N])> {
    Ok((row.text(0)?.unwrap_or_default(), numbers(row, 1)?))
}

/// The summary: how many contacts there are, and the figures.
pub(crate) fn summary<D: Database>(day: NaiveDate, database: &mut D) -> Outcome<(i64, ByCurrency)> {
    let mut found = ByCurrency::new();
    database.begin()?;
    let contacts = rows(database, CONTACTS, day, |row| row.number(0))?.into_iter().sum();
    let read =
        |row: &D::Row<'_>| Ok((row.text(0)?.unwrap_or_default(), row.text(1)?.unwrap_or_default(), numbers(row, 2)?));
    for (currency, status, numbers) in rows(database, BY_STATUS, day, read)? {
        add_status(found.entry(currency).or_default(), &status, numbers);
    }
    for (currency, [paid, applied, due, late, given_up]) in rows(database, LATER, day, |row| sums(row))? {
        let figures = found.entry(currency).or_default();
        figures[2] -= paid;
        figures[3] -= applied - paid;
        figures[4] += due;
        figures[5] += late;
        figures[6] += given_up;
    }
    for text in CREDITS {
        for (currency, [credit]) in rows(database, text, day, |row| sums(row))? {
            found.entry(currency).or_default()[8] += credit;
        }
    }
    database.end()?;
    Ok((contacts, found))
}

/// Adds one row of [`BY_STATUS`] up.
fn add_status(figures: &mut Figures, status: &str, row: [i64; 8]) {
    let [count, total, paid, balance, settled, overdue, void_count, void] = row;
    figures[0] += count - void_count;
    figures[1] += total - void;
    figures[2] += paid;
    figures[3] += total - paid - balance;
    figures[4] += balance - settled;
    figures[5] += overdue;
    // What is withdrawn may have been given up before. Nothing is paid on it, so it owes its total.
    if matches!(status, "void" | "uncollectible") {
        figures[6] += settled - void;
    }
    figures[7] += void;
}

/// The summary per contact, as of a day after which nothing happened; the library asks for that too.
pub(crate) fn per_contact<D: Database>(day: NaiveDate, database: &mut D) -> Outcome<Vec<ContactRow>> {
    database.begin()?;
    let mut credits: HashMap<(Option<Uuid>, String), i64> = HashMap::new();
    for text in CREDIT_PER_CONTACT {
        let read = |row: &D::Row<'_>| Ok((row.id(0)?, row.text(1)?.unwrap_or_default(), row.number(2)?));
        for (contact, currency, credit) in rows(database, text, day, read)? {
            *credits.entry((contact, currency)).or_default() += credit;
        }
    }
    let found = rows(database, PER_CONTACT, day, |row| {
        let contact = match (row.text(0)?, row.text(1)?) {
            (Some(given), Some(family)) => format!("{given} {family}"),
            (Some(name), None) | (None, Some(name)) => name,
            (None, None) => row.text(2)?.unwrap_or_default(),
        };
        let (id, currency) = (row.id(4)?, row.text(5)?.unwrap_or_default());
        let mut figures: Figures = [0; 9];
        figures[..8].copy_from_slice(&numbers::<8>(row, 6)?);
        let key = (id, currency);
        figures[8] = credits.get(&key).copied().unwrap_or(0);
        Ok(ContactRow { contact, email: row.text(3)?, id, currency: key.1, figures })
    })?;
    database.end()?;
    Ok(found)
}

/// The ageing.
pub(crate) fn ageing<D: Database>(day: NaiveDate, database: &mut D) -> Outcome<ByCurrency> {
    let mut found = ByCurrency::new();
    database.begin()?;
    for text in [AGEING, LATER_AGEING] {
        for (currency, buckets) in rows(database, text, day, |row| sums::<5>(row))? {
            found.entry(currency).or_default().iter_mut().zip(buckets).for_each(|(sum, number)| *sum += number);
        }
    }
    database.end()?;
    found.retain(|_, buckets| buckets.iter().any(|bucket| *bucket != 0));
    Ok(found)
}

/// One row of the report per contact.
#[derive(PartialEq, Debug)]
pub(crate) struct ContactRow {
    contact: String,
    email: Option<String>,
    id: Option<Uuid>,
    currency: String,
    figures: Figures,
}

fn of(figures: &crm_core::report::Figures) -> Figures {
    let money = [
        figures.billed,
        figures.paid,
        figures.offset,
        figures.pending,
        figures.overdue,
        figures.uncollectible,
        figures.void,
        figures.credit,
    ];
    let mut all = [figures.invoices; 9];
    all[1..].copy_from_slice(&money.map(|money| money.minor()));
    all
}

/// The library's figures, to be compared.
pub(crate) fn of_summary(summary: &Summary) -> ByCurrency {
    summary.totals.iter().map(|figures| (figures.currency.to_string(), of(figures))).collect()
}

/// The library's figures per contact.
pub(crate) fn of_contacts(summary: Summary) -> Vec<ContactRow> {
    let rows = summary.per_contact.unwrap_or_default().into_iter();
    rows.map(|row| ContactRow {
        figures: of(&row.figures),
        currency: row.figures.currency.to_string(),
        id: Some(row.contact_id.uuid()),
        contact: row.contact,
        email: row.email,
    })
    .collect()
}

/// The library's buckets.
pub(crate) fn of_ageing(ageing: &Ageing) -> ByCurrency {
    let buckets = |row: &crm_core::report::AgeingRow| {
        let all = [row.current, row.days_1_30, row.days_31_60, row.days_61_90, row.days_over_90];
        let mut figures = [0; 9];
        figures[..5].copy_from_slice(&all.map(|money| money.minor()));
        figures
    };
    ageing.totals.iter().map(|row| (row.currency.to_string(), buckets(row))).collect()
}

/// Two ways to the same figures.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(name: &str, library: &T, hand: &T) -> Outcome {
    if library == hand {
        return Ok(());
    }
    let (library, hand) = (format!("{library:?}"), format!("{hand:?}"));
    let start = |text: &str| text.chars().take(1_500).collect::<String>();
    let (library, hand) = (start(&library), start(&hand));
    Err(format!("{name}: the library says\n{library}\nand the hand-written statement\n{hand}").into())
}

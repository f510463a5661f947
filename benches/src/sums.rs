//! The reports as a careful hand writes them, for both databases, and their figures, which must be the library's.

use std::collections::BTreeMap;

use crm_core::report::{Ageing, Summary};

use crate::Outcome;

/// Invoices, billed, paid, pending, overdue, uncollectible, void and credit; or the five buckets.
pub(crate) type Figures = [i64; 8];
/// By currency.
pub(crate) type ByCurrency = BTreeMap<String, Figures>;

/// How many contacts there are.
pub(crate) const CONTACTS: &str = "SELECT count(*) FROM crm_contact WHERE org = 1 AND archived_at IS NULL";

/// By status, as the index has it, so that few sums need a condition.
pub(crate) const BY_STATUS: &str = "\
    SELECT currency, status, count(*), CAST(sum(total) AS BIGINT), CAST(sum(paid) AS BIGINT), \
    count(*) FILTER (WHERE settled_on <= ?1), \
    CAST(COALESCE(sum(total) FILTER (WHERE settled_on <= ?1), 0) AS BIGINT), \
    CAST(COALESCE(sum(paid) FILTER (WHERE settled_on <= ?1), 0) AS BIGINT), \
    CAST(COALESCE(sum(total - paid) FILTER (WHERE due_on < ?1 AND (settled_on IS NULL OR settled_on > ?1)), 0) AS BIGINT) \
    FROM crm_invoice WHERE org = 1 AND status <> 'draft' AND issued_on <= ?1 GROUP BY currency, status";

/// What was allocated after the day.
pub(crate) const LATER: &str = "\
    SELECT a.currency, CAST(sum(a.amount) AS BIGINT), \
    CAST(COALESCE(sum(a.amount) FILTER (WHERE i.due_on < ?1), 0) AS BIGINT) \
    FROM crm_allocation a JOIN crm_invoice i ON i.org = a.org AND i.id = a.invoice_id \
    WHERE a.org = 1 AND a.applied_on > ?1 AND i.issued_on <= ?1 GROUP BY a.currency";

/// What settles no invoice, but for what was allocated after the day.
pub(crate) const CREDIT: &str = "\
    SELECT currency, CAST(sum(unapplied) AS BIGINT) FROM crm_payment WHERE org = 1 AND received_on <= ?1 GROUP BY currency";

/// Its later part.
pub(crate) const LATER_CREDIT: &str = "\
    SELECT a.currency, CAST(sum(a.amount) AS BIGINT) FROM crm_allocation a \
    JOIN crm_payment p ON p.org = a.org AND p.id = a.payment_id \
    WHERE a.org = 1 AND a.applied_on > ?1 AND p.received_on <= ?1 GROUP BY a.currency";

/// Per contact, with its name, by its name.
pub(crate) const PER_CONTACT: &str = "\
    SELECT c.given_name, c.family_name, c.company_name, c.email, s.* FROM (SELECT contact_id, currency, \
    count(*) FILTER (WHERE NOT (status = 'void' AND settled_on <= ?1)) AS invoices, \
    CAST(COALESCE(sum(total) FILTER (WHERE NOT (status = 'void' AND settled_on <= ?1)), 0) AS BIGINT) AS billed, \
    CAST(COALESCE(sum(paid) FILTER (WHERE NOT (status = 'void' AND settled_on <= ?1)), 0) AS BIGINT) AS paid, \
    CAST(COALESCE(sum(total - paid) FILTER (WHERE settled_on IS NULL OR settled_on > ?1), 0) AS BIGINT) AS pending, \
    CAST(COALESCE(sum(total - paid) FILTER (WHERE due_on < ?1 AND (settled_on IS NULL OR settled_on > ?1)), 0) AS BIGINT) \
    AS overdue, \
    CAST(COALESCE(sum(total - paid) FILTER (WHERE status = 'uncollectible' AND settled_on <= ?1), 0) AS BIGINT) AS given_up, \
    CAST(COALESCE(sum(total) FILTER (WHERE status = 'void' AND settled_on <= ?1), 0) AS BIGINT) AS void \
    FROM crm_invoice WHERE org = 1 AND status <> 'draft' AND issued_on <= ?1 GROUP BY contact_id, currency) s \
    JOIN crm_contact c ON c.org = 1 AND c.id = s.contact_id ORDER BY c.name_key, c.id, s.currency";

/// Credit per contact.
pub(crate) const CREDIT_PER_CONTACT: &str = "\
    SELECT contact_id, currency, CAST(sum(unapplied) AS BIGINT) FROM crm_payment \
    WHERE org = 1 AND received_on <= ?1 GROUP BY contact_id, currency HAVING sum(unapplied) <> 0";

/// Open balances by bucket. The inner groups are in the order of the index, so that nothing is sorted.
pub(crate) const AGEING: &str = "\
    SELECT currency, CAST(sum(b0) AS BIGINT), CAST(sum(b1) AS BIGINT), CAST(sum(b2) AS BIGINT), CAST(sum(b3) AS BIGINT), \
    CAST(sum(b4) AS BIGINT) FROM (SELECT open_until, currency, \
    COALESCE(sum(balance) FILTER (WHERE due_on >= ?1), 0) AS b0, \
    COALESCE(sum(balance) FILTER (WHERE due_on >= ?2 AND due_on < ?1), 0) AS b1, \
    COALESCE(sum(balance) FILTER (WHERE due_on >= ?3 AND due_on < ?2), 0) AS b2, \
    COALESCE(sum(balance) FILTER (WHERE due_on >= ?4 AND due_on < ?3), 0) AS b3, \
    COALESCE(sum(balance) FILTER (WHERE due_on < ?4), 0) AS b4 \
    FROM crm_invoice WHERE org = 1 AND open_until > ?1 AND issued_on <= ?1 GROUP BY open_until, currency) s GROUP BY currency";

/// What was allocated after the day to invoices open on it, by bucket.
pub(crate) const LATER_AGEING: &str = "\
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

/// Adds one row of [`BY_STATUS`] up.
pub(crate) fn add_status(figures: &mut Figures, status: &str, row: [i64; 7]) {
    let [count, total, paid, settled_count, settled_total, settled_paid, overdue] = row;
    let is_void = status == "void";
    figures[0] += if is_void { count - settled_count } else { count };
    figures[1] += if is_void { total - settled_total } else { total };
    figures[2] += if is_void { paid - settled_paid } else { paid };
    figures[3] += (total - paid) - (settled_total - settled_paid);
    figures[4] += overdue;
    match status {
        "void" => figures[6] += settled_total,
        "uncollectible" => figures[5] += settled_total - settled_paid,
        _ => {}
    }
}

/// What was allocated later was due still and not paid.
pub(crate) fn add_later(figures: &mut Figures, amount: i64, late: i64) {
    figures[2] -= amount;
    figures[3] += amount;
    figures[4] += late;
}

/// One row of the report per contact.
#[derive(PartialEq, Debug)]
pub(crate) struct ContactRow {
    pub(crate) contact: String,
    pub(crate) email: Option<String>,
    pub(crate) id: [u8; 16],
    pub(crate) currency: String,
    pub(crate) figures: Figures,
}

fn of(figures: &crm_core::report::Figures) -> Figures {
    let money = [
        figures.billed,
        figures.paid,
        figures.pending,
        figures.overdue,
        figures.uncollectible,
        figures.void,
        figures.credit,
    ];
    let mut all = [figures.invoices; 8];
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
        id: *row.contact_id.uuid().as_bytes(),
        contact: row.contact,
        email: row.email,
    })
    .collect()
}

/// The library's buckets.
pub(crate) fn of_ageing(ageing: &Ageing) -> ByCurrency {
    let buckets = |row: &crm_core::report::AgeingRow| {
        let all = [row.current, row.days_1_30, row.days_31_60, row.days_61_90, row.days_over_90];
        let mut figures = [0; 8];
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

//! What is done with invoices: written, changed, issued, voided, given up, deleted.

use std::collections::HashMap;

use async_trait::async_trait;

use super::invoice::{Invoice, InvoiceEvent, InvoiceStatus};
use super::line::{InvoiceLine, NewLine};
use super::{BillingError, DocumentKind, Numbering, Product};
use crate::access::Grant;
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::encode::{write_text, write_value};
use crate::entity::{Entity as _, Minor, Stored};
use crate::error::{CrmError, Invalid};
use crate::id::Id;
use crate::people::Contact;
use crate::store::{ChangeSet, Select, StoreExt as _};
use crate::value::{Currency, Date, Document, LAST_DATE, Money, Notes, Patch, Text, ValueError};

/// Writes an invoice: a draft, or issued at once.
#[derive(Clone, Debug)]
pub struct CreateInvoice {
    /// Who is billed.
    pub contact: Id<Contact>,
    /// The currency; the organization's otherwise.
    pub currency: Option<Currency>,
    /// The civil date of issue; today otherwise.
    pub issued_on: Option<Date>,
    /// The civil date until which it is to be paid; after the contact's or the organization's term otherwise.
    pub due_on: Option<Date>,
    /// What is billed.
    pub lines: Vec<NewLine>,
    /// What the caller takes the total to be; refused when the lines say otherwise.
    pub total: Option<Money>,
    /// What else is to be said.
    pub notes: Option<Notes<2000>>,
    /// The id in the system that it comes from.
    pub external_id: Option<Text<100>>,
    /// Whether it is issued at once, and under which number if not the series' next.
    pub issue: Option<Option<Text<50>>>,
}

impl CreateInvoice {
    /// A draft for a contact with these lines.
    pub const fn draft(contact: Id<Contact>, lines: Vec<NewLine>) -> Self {
        Self {
            contact,
            currency: None,
            issued_on: None,
            due_on: None,
            lines,
            total: None,
            notes: None,
            external_id: None,
            issue: None,
        }
    }

    /// The draft and its lines, added to a change-set.
    ///
    /// # Errors
    /// [`CrmError::Invalid`] with every field that is refused.
    pub fn write(
        &self,
        products: &HashMap<Id<Product>, Stored<Product>>,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<(Stored<Invoice>, Vec<InvoiceLine>), CrmError> {
        let currency = self.currency.unwrap_or_else(|| context.currency());
        let id = Id::new(context.new_id());
        let lines = build_lines(id, &self.lines, currency, products)?;
        let (subtotal, tax, total) = totals(&lines, currency)?;
        if let Some(stated) = self.total
            && stated != Money::new(total.0, currency)
        {
            let reason = ValueError::NotEqual { stated: stated.to_string(), computed: display(total, currency) };
            return Err(CrmError::invalid("total", reason));
        }
        let invoice = Invoice {
            number: None,
            contact_id: self.contact,
            currency,
            status: InvoiceStatus::Draft,
            issued_on: self.issued_on,
            due_on: self.due_on,
            subtotal,
            tax,
            total,
            paid: Minor(0),
            offset: Minor(0),
            credited: Minor(0),
            applied_on: None,
            written_off_on: None,
            voided_on: None,
            reopened_on: None,
            settled_on: None,
            buyer: None,
            notes: self.notes.clone(),
            external_id: self.external_id.clone(),
        };
        check_dates(&invoice)?;
        let invoice = changes.insert_as(context, id, invoice);
        for line in &lines {
            changes.insert(context, line.clone());
        }
        Ok((invoice, lines))
    }
}

#[async_trait]
impl Command for CreateInvoice {
    type Root = Invoice;
    const VERB: &'static str = "create";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        _: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Invoice>, CrmError> {
        let contact = required(session, self.contact, "contact").await?;
        let products = products(session, &self.lines).await?;
        let (invoice, lines) = self.write(&products, context, changes)?;
        let Some(number) = &self.issue else { return Ok(invoice) };
        crate::access::policy::authorize(context.rights(), Invoice::TABLE.entity, "issue")?;
        let series = Numbering::of(session, DocumentKind::Invoice).await?;
        issue(&invoice, &contact, lines.len(), series.as_ref(), number.as_ref(), context, changes)
    }
}

/// Changes a draft. What is absent stays.
#[derive(Clone, Debug)]
pub struct UpdateInvoice {
    /// Which draft.
    pub id: Id<Invoice>,
    /// Who is billed.
    pub contact: Option<Id<Contact>>,
    /// The civil date of issue.
    pub issued_on: Patch<Date>,
    /// The civil date until which it is to be paid.
    pub due_on: Patch<Date>,
    /// All its lines anew.
    pub lines: Option<Vec<NewLine>>,
    /// What else is to be said.
    pub notes: Patch<Notes<2000>>,
}

#[async_trait]
impl Command for UpdateInvoice {
    type Root = Invoice;
    const VERB: &'static str = "update";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Invoice>, CrmError> {
        let before = session.load(grant, self.id).await?;
        before.after(InvoiceEvent::Edit)?;
        let mut after = before.value.clone();
        if let Some(contact) = self.contact {
            after.contact_id = required(session, contact, "contact").await?.id;
        }
        after.issued_on = self.issued_on.apply(after.issued_on);
        after.due_on = self.due_on.apply(after.due_on);
        after.notes = self.notes.clone().apply(after.notes);
        check_dates(&after)?;
        let mut replaced = None;
        if let Some(lines) = &self.lines {
            let products = products(session, lines).await?;
            let lines = build_lines(before.id, lines, after.currency, &products)?;
            (after.subtotal, after.tax, after.total) = totals(&lines, after.currency)?;
            replaced = Some((lines_of(session, before.id).await?, lines));
        }
        let invoice = changes.update(context, &before, after);
        if let Some((old, new)) = replaced {
            // The draft's version guards its lines, so new lines must move it even if no total changes.
            changes.require_unchanged(&before);
            for line in &old {
                changes.delete(line);
            }
            for line in new {
                changes.insert(context, line);
            }
        }
        Ok(invoice)
    }
}

/// Issues a draft: it gets its number and becomes binding.
#[derive(Clone, Debug)]
pub struct IssueInvoice {
    /// Which draft.
    pub id: Id<Invoice>,
    /// Under which number; the series' next otherwise.
    pub number: Option<Text<50>>,
}

#[async_trait]
impl Command for IssueInvoice {
    type Root = Invoice;
    const VERB: &'static str = "issue";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Invoice>, CrmError> {
        let draft = session.load(grant, self.id).await?;
        let contact = required(session, draft.contact_id, "contact").await?;
        let lines = lines_of(session, draft.id).await?.len();
        let series = Numbering::of(session, DocumentKind::Invoice).await?;
        issue(&draft, &contact, lines, series.as_ref(), self.number.as_ref(), context, changes)
    }
}

/// Issues a draft: the rule.
///
/// # Errors
/// [`BillingError`] when the draft has no lines, is no draft, or there is no series;
/// [`CrmError::Invalid`] when a supplied number is one that the series will give out.
pub fn issue(
    draft: &Stored<Invoice>,
    contact: &Stored<Contact>,
    lines: usize,
    series: Option<&Numbering>,
    number: Option<&Text<50>>,
    context: &mut Context,
    changes: &mut ChangeSet,
) -> Result<Stored<Invoice>, CrmError> {
    let status = draft.after(InvoiceEvent::Issue)?;
    if lines == 0 {
        return Err(BillingError::NoLines(draft.label()).into());
    }
    let today = context.today();
    let issued_on = draft.issued_on.unwrap_or(today);
    // A draft may plan a date. What is done to an invoice counts from its issue on, and nothing counts in the future.
    if issued_on > today {
        return Err(CrmError::invalid("issued_on", ValueError::After { latest: today, got: issued_on }));
    }
    let due_on = draft
        .due_on
        .unwrap_or_else(|| due_on(issued_on, contact.payment_days.unwrap_or(context.organization().payment_days)));
    if let (Some(number), Some(series)) = (number, series)
        && series.gives(number)
    {
        return Err(CrmError::invalid("number", ValueError::NotAllowed { when: "the series gives out such numbers" }));
    }
    let nothing_due = draft.total == Minor(0);
    let issued = Invoice {
        number: number.cloned(),
        // What costs nothing is paid by being issued.
        status: if nothing_due { InvoiceStatus::Paid } else { status },
        settled_on: nothing_due.then_some(issued_on),
        issued_on: Some(issued_on),
        due_on: Some(due_on),
        buyer: Some(buyer(contact)),
        ..draft.value.clone()
    };
    check_dates(&issued)?;
    let issued = changes.update(context, draft, issued);
    if number.is_none() {
        let series = series.ok_or(BillingError::NoSeries(DocumentKind::Invoice))?;
        let column = Invoice::COLUMNS.number.index();
        series.take(context, changes, std::iter::once(issued.id), column, issued_on)?;
    }
    Ok(issued)
}

/// Withdraws an issued invoice on which nothing was paid.
#[derive(Clone, Debug)]
pub struct VoidInvoice(pub Id<Invoice>);

/// Gives up an open invoice.
#[derive(Clone, Debug)]
pub struct WriteOffInvoice(pub Id<Invoice>);

/// Deletes a draft with its lines.
#[derive(Clone, Debug)]
pub struct DeleteInvoice(pub Id<Invoice>);

#[async_trait]
impl Command for VoidInvoice {
    type Root = Invoice;
    const VERB: &'static str = "void";

    fn body(&self) -> String {
        self.0.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Invoice>, CrmError> {
        let before = session.load(grant, self.0).await?;
        before.after(InvoiceEvent::Void)?;
        if before.paid != Minor(0) {
            let paid = before.money(before.paid);
            return Err(BillingError::Paid { invoice: before.label(), paid }.into());
        }
        if before.credited != Minor(0) {
            let credited = before.money(before.credited);
            return Err(BillingError::Credited { invoice: before.label(), credited }.into());
        }
        let after = Invoice { voided_on: Some(last_day(&before, context)), ..before.value.clone() };
        Ok(changes.update(context, &before, after.standing()))
    }
}

#[async_trait]
impl Command for WriteOffInvoice {
    type Root = Invoice;
    const VERB: &'static str = "write_off";

    fn body(&self) -> String {
        self.0.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Invoice>, CrmError> {
        let before = session.load(grant, self.0).await?;
        before.after(InvoiceEvent::WriteOff)?;
        let after = Invoice { written_off_on: Some(last_day(&before, context)), ..before.value.clone() };
        Ok(changes.update(context, &before, after.standing()))
    }
}

#[async_trait]
impl Command for DeleteInvoice {
    type Root = Invoice;
    const VERB: &'static str = "delete";

    fn body(&self) -> String {
        self.0.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        _: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Invoice>, CrmError> {
        let before = session.load(grant, self.0).await?;
        before.after(InvoiceEvent::Delete)?;
        // Lines first: they refer to the draft.
        for line in &lines_of(session, before.id).await? {
            changes.delete(line);
        }
        changes.delete(&before);
        Ok(before)
    }
}

/// The day on which an invoice is withdrawn or given up: today, or the latest day of anything before that.
fn last_day(invoice: &Invoice, context: &Context) -> Date {
    invoice.day(context.today()).max(invoice.applied_on.unwrap_or(Date::MIN))
}

/// The sums of the lines: before tax, tax, total. Taxes are summed over the lines' rounded taxes.
///
/// # Errors
/// When a sum is larger than any amount may be.
pub fn totals(lines: &[InvoiceLine], currency: Currency) -> Result<(Minor, Minor, Minor), CrmError> {
    let sum = |amount: fn(&InvoiceLine) -> Minor| -> Result<Money, ValueError> {
        lines.iter().try_fold(Money::zero(currency), |sum, line| sum.checked_add(Money::new(amount(line).0, currency)))
    };
    let compute = || -> Result<_, ValueError> {
        let (net, tax) = (sum(|line| line.net)?, sum(|line| line.tax)?);
        let total = net.checked_add(tax)?;
        Ok((Minor(net.minor()), Minor(tax.minor()), Minor(total.minor())))
    };
    compute().map_err(|reason| CrmError::invalid("lines", reason))
}

/// The civil date so many days after another; the last day of all when there is none.
pub fn due_on(issued_on: Date, days: i64) -> Date {
    let days = chrono::Days::new(u64::try_from(days).unwrap_or(0));
    issued_on.checked_add_days(days).map_or(LAST_DATE, |date| date.min(LAST_DATE))
}

fn check_dates(invoice: &Invoice) -> Result<(), CrmError> {
    match (invoice.issued_on, invoice.due_on) {
        (Some(issued), Some(due)) if due < issued => {
            Err(CrmError::invalid("due_on", ValueError::Before { earliest: issued, got: due }))
        }
        _ => Ok(()),
    }
}

pub(super) fn build_lines(
    invoice: Id<Invoice>,
    lines: &[NewLine],
    currency: Currency,
    products: &HashMap<Id<Product>, Stored<Product>>,
) -> Result<Vec<InvoiceLine>, CrmError> {
    let mut built = Vec::with_capacity(lines.len());
    let mut refused = Vec::new();
    for (position, line) in (1..).zip(lines) {
        let product = line.product.and_then(|id| products.get(&id));
        if let (Some(id), None) = (line.product, product) {
            let reason = ValueError::NotThere { entity: Product::TABLE.entity, reference: id.to_string() };
            refused.push(Invalid::new(format!("lines.{position}.product"), reason));
            continue;
        }
        match line.build(invoice, position, currency, product.map(|product| &product.value)) {
            Ok(line) => built.push(line),
            Err(fields) => refused.extend(fields),
        }
    }
    if refused.is_empty() { Ok(built) } else { Err(CrmError::Invalid(refused)) }
}

/// The buyer as known now, a JSON object of the fields that an invoice shows.
pub(crate) fn buyer(contact: &Stored<Contact>) -> Document {
    let mut out = String::from("{");
    write_text(&mut out, "name");
    out.push(':');
    write_text(&mut out, &contact.display_name());
    let shown = [
        "email",
        "address_line",
        "city",
        "region",
        "postal_code",
        "country",
        "tax_scheme",
        "tax_number",
        "account_number",
    ];
    for (column, value) in Contact::TABLE.columns.iter().zip(contact.to_row()) {
        if shown.contains(&column.name) && !value.is_null() {
            out.push(',');
            write_text(&mut out, column.name);
            out.push(':');
            write_value(&mut out, column.kind, &value);
        }
    }
    out.push('}');
    // Reading it back sorts the keys.
    serde_json::from_str(&out).map_or_else(|_| Document::from_canonical(out), |json| Document::new(&json))
}

fn display(amount: Minor, currency: Currency) -> String {
    Money::new(amount.0, currency).to_string()
}

/// The contact that a command names; one that is not there is refused by field.
pub(crate) async fn required(session: &Session<'_>, id: Id<Contact>, field: &str) -> Result<Stored<Contact>, CrmError> {
    let missing = || {
        let reason = ValueError::NotThere { entity: Contact::TABLE.entity, reference: id.to_string() };
        CrmError::invalid(field, reason)
    };
    session.store().get(session.scope(), id).await?.ok_or_else(missing)
}

pub(super) async fn products(
    session: &Session<'_>,
    lines: &[NewLine],
) -> Result<HashMap<Id<Product>, Stored<Product>>, CrmError> {
    let mut ids: Vec<_> = lines.iter().filter_map(|line| line.product).map(Id::uuid).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = session.store().fetch(session.scope(), Product::TABLE, &ids).await?;
    let products = rows.into_iter().map(Stored::<Product>::from_row);
    Ok(products.map(|product| product.map(|product| (product.id, product))).collect::<Result<_, _>>()?)
}

pub(super) async fn lines_of(
    session: &Session<'_>,
    invoice: Id<Invoice>,
) -> Result<Vec<Stored<InvoiceLine>>, CrmError> {
    let query = Select::new(InvoiceLine::TABLE, InvoiceLine::COLUMNS.invoice_id.eq(&invoice).into());
    Ok(session.store().all(session.scope(), &query).await?)
}

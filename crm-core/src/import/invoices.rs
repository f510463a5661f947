//! Invoices, decided by the chunk: looked up at once, written and issued one by one.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::io::Read;

use async_trait::async_trait;

use super::feed::{CHUNK, Chunks, Step, upsert_key};
use super::invoice_rows::{Draft, InvoiceRows};
use super::lookup::{By, Found, references};
use super::mapping::{Mapping, Sheet};
use super::output::{Output, Reason, Refusal};
use super::unique::{Claim, Claims, Given, rows_with};
use crate::billing::{CreateInvoice, DocumentKind, Invoice, InvoiceLine, Numbering, Product, issue};
use crate::context::Context;
use crate::crm::Session;
use crate::crud::Rules as _;
use crate::entity::{Entity as _, Field as _, Locale, Stored};
use crate::error::{CrmError, Invalid};
use crate::id::Id;
use crate::people::Contact;
use crate::row::Value;
use crate::store::ChangeSet;
use crate::value::{ValueError, excerpt};

/// How many lines make a chunk, if its invoices do not.
const LINES: usize = 5_000;

/// The file of invoices.
pub(super) struct Invoices {
    rows: InvoiceRows,
    locale: Locale,
    key: Option<&'static str>,
    claims: Claims,
    given: Given,
    /// Invoices that are read and whose lines are not, where these stand in another file.
    ahead: VecDeque<Draft>,
    /// How often each key stands ahead.
    later: HashMap<String, u32>,
}

/// What the invoices of a chunk refer to.
struct World {
    contacts: Found<Contact>,
    products: Found<Product>,
    by_id: HashMap<Id<Product>, Stored<Product>>,
    known: HashMap<String, Stored<Invoice>>,
    lines: HashMap<Id<Invoice>, Vec<InvoiceLine>>,
    series: Option<Numbering>,
}

impl Invoices {
    pub(super) fn open(
        input: Box<dyn Read + Send>,
        mapping: &Mapping,
        lines: Option<(Box<dyn Read + Send>, &Mapping)>,
        upsert_by: Option<&str>,
        context: &Context,
    ) -> Result<Self, CrmError> {
        let key = upsert_key(upsert_by, Invoice::NATURAL_KEYS)?;
        let organization = context.organization();
        let locale = Locale { region: organization.default_region, currency: organization.default_currency };
        let rows = InvoiceRows::open(input, mapping, lines, locale.clone())?;
        if let Some(key) = key
            && !rows.sheet.position(key).is_some_and(|at| rows.sheet.has(at))
        {
            return Err(CrmError::invalid(format!("columns.{key}"), ValueError::Blank));
        }
        Ok(Self {
            rows,
            locale,
            key,
            claims: Claims::of(Invoice::TABLE, &[]),
            given: Given::default(),
            ahead: VecDeque::new(),
            later: HashMap::new(),
        })
    }

    /// The invoices of the next chunk, with their lines.
    fn drafts(&mut self, output: &mut Output) -> Result<Vec<Draft>, CrmError> {
        let mut drafts = Vec::new();
        let mut lines = 0;
        if !self.rows.has_line_file() {
            while drafts.len() < CHUNK && lines < LINES {
                let Some(draft) = self.rows.draft(output)? else { break };
                lines += draft.lines.len();
                drafts.push(draft);
            }
            return Ok(drafts);
        }
        // The next chunk is looked ahead at, to tell lines of later invoices from lines of none.
        while self.ahead.len() < 2 * CHUNK {
            let Some(draft) = self.rows.draft(output)? else { break };
            draft.keys.iter().for_each(|key| *self.later.entry(key.clone()).or_default() += 1);
            self.ahead.push_back(draft);
        }
        let Some(file) = self.rows.lines.as_mut() else { return Ok(drafts) };
        file.begin_chunk();
        while drafts.len() < CHUNK && lines < LINES {
            let Some(mut draft) = self.ahead.pop_front() else { break };
            for key in &draft.keys {
                if let Some(count) = self.later.get_mut(key) {
                    *count -= 1;
                    if *count == 0 {
                        self.later.remove(key);
                    }
                }
            }
            file.attach(&mut draft, &self.later, &self.locale, output)?;
            lines += draft.lines.len();
            drafts.push(draft);
        }
        if drafts.is_empty() {
            file.finish(output)?;
        }
        Ok(drafts)
    }

    /// Looks up what the chunk refers to.
    async fn world(&self, session: &Session<'_>, drafts: &[Draft]) -> Result<World, CrmError> {
        let texts = drafts.iter().map(|draft| draft.fields.contact.clone()).filter(|text| !text.is_empty());
        let contacts = references(session, self.rows.contact.1, texts).await?;
        let skus = drafts.iter().flat_map(|draft| &draft.lines).filter_map(|line| line.sku.as_ref());
        let products: Found<Product> = references(session, By::Key("sku"), skus.map(ToString::to_string)).await?;
        let by_id = products.values().flatten().map(|product| (product.id, (**product).clone())).collect();
        let mut known = HashMap::new();
        let mut lines: HashMap<Id<Invoice>, Vec<InvoiceLine>> = HashMap::new();
        if let Some(key) = self.key {
            let column = Invoice::TABLE.expect_position(key);
            let values = drafts.iter().filter_map(|draft| self.key_of(draft)).map(Value::Text).collect();
            for row in rows_with(session, Invoice::TABLE, column, values).await? {
                let text = row[column].as_text().unwrap_or_default().to_owned();
                known.insert(text, Stored::<Invoice>::from_row(row)?);
            }
            let ids = known.values().map(|invoice| Value::Id(invoice.id.uuid())).collect();
            for row in rows_with(session, InvoiceLine::TABLE, InvoiceLine::COLUMNS.invoice_id.index(), ids).await? {
                let line = Stored::<InvoiceLine>::from_row(row)?.value;
                lines.entry(line.invoice_id).or_default().push(line);
            }
            for lines in lines.values_mut() {
                lines.sort_by_key(|line| line.position);
            }
        }
        let series = Numbering::of(session, DocumentKind::Invoice).await?;
        Ok(World { contacts, products, by_id, known, lines, series })
    }

    /// The text of the key by which an existing invoice is found.
    fn key_of(&self, draft: &Draft) -> Option<String> {
        match self.key? {
            "number" => draft.fields.number.as_ref().map(ToString::to_string),
            _ => draft.fields.external_id.as_ref().map(ToString::to_string),
        }
    }

    /// The command that a draft stands for, with its contact. What cannot be found is noted as refused.
    fn command(&self, draft: &mut Draft, world: &World) -> Option<(CreateInvoice, Stored<Contact>)> {
        let mut refusals = Vec::new();
        let contact = match world.contacts.get(&draft.fields.contact) {
            Some(Ok(contact)) => Some(contact),
            Some(Err(reason)) => {
                let field = self.rows.sheet.name(self.rows.contact.0);
                refusals.push(Refusal::new(draft.line(), Invalid::new(field, reason.clone()), &draft.fields.contact));
                None
            }
            // A blank one is noted already.
            None => None,
        };
        let mut lines = Vec::with_capacity(draft.lines.len());
        for (position, spec) in draft.lines.iter().enumerate() {
            let mut line = spec.line.clone();
            match spec.sku.as_ref().map(|sku| (sku, world.products.get(sku.as_str()))) {
                Some((_, Some(Ok(product)))) => line.product = Some(product.id),
                Some((sku, found)) => {
                    let missing = || ValueError::NotThere { entity: Product::TABLE.entity, reference: sku.to_string() };
                    let reason = found.and_then(|found| found.as_ref().err().cloned()).unwrap_or_else(missing);
                    let at = draft.line_row(position).map_or(0, |row| row.line);
                    refusals.push(Refusal::new(at, Invalid::new("line.product_sku", reason), sku));
                }
                None => {}
            }
            lines.push(line);
        }
        if draft.lines.is_empty() && draft.refusals.is_empty() {
            refusals.push(Refusal::new(draft.line(), Invalid::new("lines", ValueError::Blank), ""));
        }
        draft.refusals.extend(refusals);
        let contact = contact.filter(|_| draft.refusals.is_empty())?;
        let fields = &draft.fields;
        let command = CreateInvoice {
            contact: contact.id,
            currency: fields.currency,
            issued_on: fields.issued_on,
            due_on: fields.due_on,
            lines,
            total: fields.total,
            notes: fields.notes.clone(),
            external_id: fields.external_id.clone(),
            issue: Some(fields.number.clone()),
        };
        Some((command, (**contact).clone()))
    }

    /// Notes what the rules refuse. A line's field is that of its row.
    fn note(&self, draft: &mut Draft, error: CrmError) -> Result<(), CrmError> {
        let refusals: Vec<Refusal> = match error {
            CrmError::Invalid(fields) => fields.into_iter().map(|invalid| self.of_line(draft, invalid)).collect(),
            CrmError::Billing(error) => {
                let (line, field) = (draft.line(), "lines".to_owned());
                vec![Refusal { line, field, reason: Reason::Billing(error), got: String::new() }]
            }
            other => return Err(other),
        };
        draft.refusals.extend(refusals);
        Ok(())
    }

    /// `lines.2.quantity` as `line.quantity` of the second line's row.
    fn of_line(&self, draft: &Draft, invalid: Invalid) -> Refusal {
        let named = invalid.field.strip_prefix("lines.").and_then(|rest| rest.split_once('.'));
        let found = named.and_then(|(position, field)| {
            let position = position.parse::<usize>().ok()?.checked_sub(1)?;
            Some((draft.line_row(position)?, format!("line.{field}")))
        });
        match found {
            Some((row, field)) => {
                let invalid = Invalid { field, reason: invalid.reason };
                match &self.rows.lines {
                    Some(file) => file.refusal(row, invalid),
                    None => self.rows.refusal(row, invalid),
                }
            }
            None => self.rows.refusal(&draft.rows[0], invalid),
        }
    }

    /// Writes and issues an invoice, or takes back what was begun of it.
    fn write(
        &self,
        draft: &mut Draft,
        command: &CreateInvoice,
        contact: &Stored<Contact>,
        world: &World,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<(), CrmError> {
        let mark = (changes.changes.len(), changes.counters.len());
        let number = draft.fields.number.as_ref();
        let written = command.write(&world.by_id, context, changes).and_then(|(invoice, lines)| {
            issue(&invoice, contact, lines.len(), world.series.as_ref(), number, context, changes)
        });
        if let Err(error) = written {
            changes.rewind(mark.0, mark.1);
            self.note(draft, error)?;
        }
        Ok(())
    }

    /// Notes where an invoice that is there differs from what the file says.
    fn compare(
        &self,
        draft: &mut Draft,
        command: &CreateInvoice,
        known: &Stored<Invoice>,
        world: &World,
        context: &mut Context,
    ) -> Result<(), CrmError> {
        let mut scratch = ChangeSet::new(context.stamp("invoice.import"));
        let (asked, lines) = match command.write(&world.by_id, context, &mut scratch) {
            Ok(written) => written,
            Err(error) => return self.note(draft, error),
        };
        let mut differ = Differences::default();
        let contact = self.rows.sheet.name(self.rows.contact.0);
        differ.unless_equal(contact, &asked.contact_id, &known.contact_id);
        differ.unless_equal("currency", &asked.currency, &known.currency);
        differ.unless_given_equal("number", draft.fields.number.as_ref(), known.number.as_ref());
        differ.unless_given_equal("external_id", asked.external_id.as_ref(), known.external_id.as_ref());
        differ.unless_given_equal("issued_on", asked.issued_on.as_ref(), known.issued_on.as_ref());
        differ.unless_given_equal("due_on", asked.due_on.as_ref(), known.due_on.as_ref());
        differ.unless_equal("total", &asked.money(asked.total), &known.money(known.total));
        let stored = world.lines.get(&known.id).map_or(&[][..], Vec::as_slice);
        differ.unless_equal("lines", &lines.len(), &stored.len());
        for (line, stored) in lines.iter().zip(stored) {
            let field = |name: &str| format!("lines.{}.{name}", line.position);
            let id = |product: Option<Id<Product>>| product.map_or_else(|| "none".to_owned(), |id| id.to_string());
            differ.unless_equal(&field("product_sku"), &id(line.product_id), &id(stored.product_id));
            differ.unless_equal(&field("description"), &line.description, &stored.description);
            differ.unless_equal(&field("quantity"), &line.quantity, &stored.quantity);
            differ.unless_equal(&field("unit_price"), &line.unit_price, &stored.unit_price);
            differ.unless_equal(&field("discount"), &line.money(line.discount), &stored.money(stored.discount));
            differ.unless_equal(&field("tax_percent"), &line.tax_percent, &stored.tax_percent);
        }
        if differ.0.is_empty() { Ok(()) } else { self.note(draft, CrmError::Invalid(differ.0)) }
    }

    /// Refuses invoices that would take a number or external id that another one has.
    async fn claim(&mut self, session: &Session<'_>, drafts: &mut [Draft], new: &[usize]) -> Result<(), CrmError> {
        let (number, external_id) = (Invoice::COLUMNS.number.index(), Invoice::COLUMNS.external_id.index());
        let claims: Vec<Claim> = new
            .iter()
            .map(|at| {
                let fields = &drafts[*at].fields;
                let mut row = vec![Value::Null; Invoice::TABLE.columns.len()];
                row[number] = fields.number.store();
                row[external_id] = fields.external_id.store();
                Claim { line: drafts[*at].line(), id: uuid::Uuid::nil(), row: Cow::Owned(row) }
            })
            .collect();
        let refused = self.claims.check(session, &claims).await?;
        for (at, refused) in new.iter().zip(refused) {
            let draft = &mut drafts[*at];
            let refusals: Vec<Refusal> =
                refused.into_iter().map(|invalid| self.rows.refusal(&draft.rows[0], invalid)).collect();
            draft.refusals.extend(refusals);
        }
        Ok(())
    }
}

/// What differs between a file and a document that is there.
#[derive(Default)]
pub(super) struct Differences(pub(super) Vec<Invalid>);

impl Differences {
    /// Notes a difference.
    pub(super) fn unless_equal<T: PartialEq + ToString>(&mut self, field: &str, stated: &T, stored: &T) {
        if stated != stored {
            let (stated, computed) = (excerpt(&stated.to_string()), excerpt(&stored.to_string()));
            self.0.push(Invalid::new(field, ValueError::NotEqual { stated, computed }));
        }
    }

    /// Notes a difference, if the file says anything.
    pub(super) fn unless_given_equal<T: PartialEq + ToString>(
        &mut self,
        field: &str,
        stated: Option<&T>,
        stored: Option<&T>,
    ) {
        match (stated, stored) {
            (Some(stated), Some(stored)) => self.unless_equal(field, stated, stored),
            (Some(stated), None) => self.unless_equal(field, &stated.to_string(), &"nothing".to_owned()),
            (None, _) => {}
        }
    }
}

#[async_trait]
impl Chunks for Invoices {
    fn sheets(&self) -> Vec<&Sheet> {
        std::iter::once(&self.rows.sheet).chain(self.rows.lines.as_ref().map(|lines| &lines.sheet)).collect()
    }

    async fn next(&mut self, step: &mut Step<'_>) -> Result<bool, CrmError> {
        let mut drafts = self.drafts(step.output)?;
        if drafts.is_empty() {
            return Ok(false);
        }
        let world = self.world(step.session, &drafts).await?;
        let mut commands = Vec::with_capacity(drafts.len());
        let mut new = Vec::new();
        for (at, draft) in drafts.iter_mut().enumerate() {
            let key = self.key_of(draft);
            if let Some(name) = self.key {
                let reason = match &key {
                    None if draft.refusals.iter().any(|refusal| refusal.field == name) => None,
                    None => Some(ValueError::Blank),
                    Some(text) => {
                        let line = self.given.before(&Value::Text(text.clone()), draft.line());
                        line.map(|line| ValueError::Repeated { got: excerpt(text), line })
                    }
                };
                let refusal = reason.map(|reason| self.rows.refusal(&draft.rows[0], Invalid::new(name, reason)));
                draft.refusals.extend(refusal);
            }
            let command = self.command(draft, &world);
            let known = key.and_then(|key| world.known.get(&key));
            if command.is_some() && known.is_none() {
                new.push(at);
            }
            commands.push((command, known));
        }
        self.claim(step.session, &mut drafts, &new).await?;
        for (mut draft, (command, known)) in drafts.into_iter().zip(commands) {
            if let (Some((command, contact)), true) = (command, draft.refusals.is_empty()) {
                match known {
                    Some(known) => self.compare(&mut draft, &command, known, &world, step.context)?,
                    None => self.write(&mut draft, &command, &contact, &world, step.context, step.changes)?,
                }
            }
            let report = &mut step.output.report;
            if !draft.refusals.is_empty() {
                step.output.refuse_all(&draft.rows, &draft.refusals);
            } else if known.is_some() {
                report.unchanged += 1;
            } else {
                report.created += 1;
            }
        }
        Ok(true)
    }
}

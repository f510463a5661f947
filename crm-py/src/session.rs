//! A member at work in an organization: queries and commands.

use std::str::FromStr;
use std::sync::Arc;

use crm_core::access::{AddMember, Grant, IdempotencyKey, Membership, RemoveMember, Role, SetRole, User};
use crm_core::billing::{Allocate, CreateInvoice, Invoice, IssueInvoice, Payment, RecordPayment, UpdateInvoice};
use crm_core::entity::{Entity as _, Locale, Stored, Tenancy};
use crm_core::people::Contact;
use crm_core::row::Value;
use crm_core::store::{Aggregate, Expr, Measure, Scope, Select};
use crm_core::value::{Currency, Patch, ValueError};
use crm_core::{Command, Create, Update};
use crm_core::{CrmError, Id, Invalid, Row};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::database::Shared;
use crate::entities::{self, Described, for_entity};
use crate::error::{Outcome, invalid, wrong_type};
use crate::given::{Fields, Reference, lines, resolve_lines};
use crate::logins::Credential;
use crate::money::{Money, amount_of};
use crate::query::Wanted;
use crate::record::{Record, currency_at};
use crate::value::{date, text};

/// An organization as one of its members sees it.
#[pyclass(frozen, module = "crm_py._crm_py")]
pub(crate) struct Session {
    shared: Arc<Shared>,
    inner: crm_core::Session<'static>,
    /// What opened it, unless the host vouches for the member.
    credential: Option<Credential>,
}

impl Session {
    pub(crate) const fn new(
        shared: Arc<Shared>,
        inner: crm_core::Session<'static>,
        credential: Option<Credential>,
    ) -> Self {
        Self { shared, inner, credential }
    }

    /// Carries out a call while other Python threads run. A credential is checked before each, so that what is revoked
    /// or has expired opens nothing any more.
    pub(crate) fn call<T: Send>(&self, py: Python<'_>, call: impl Future<Output = Outcome<T>> + Send) -> PyResult<T> {
        self.shared.run(py, async {
            if let Some(credential) = &self.credential {
                self.inner.renew(&credential.open().await?)?;
            }
            call.await
        })
    }

    pub(crate) const fn inner(&self) -> &crm_core::Session<'static> {
        &self.inner
    }

    /// What the member may read of a kind of record, as a filter.
    async fn visible(&self, described: &Described) -> Outcome<Expr> {
        let (_, grant) = self.inner.authorize(described.table.entity, "read").await?;
        Ok(match grant {
            Grant::All => Expr::True,
            Grant::Own => (described.own)(self.inner.user().id),
            Grant::Never => Expr::False,
        })
    }

    async fn by_id(&self, described: &'static Described, id: uuid::Uuid) -> Outcome<Row> {
        let filter = Expr::eq(0, Value::Id(id)).and(self.visible(described).await?);
        let rows = self.inner.store().select(self.inner.scope(), &Select::new(described.table, filter)).await?;
        let not_found = || CrmError::NotFound { entity: described.table.entity, reference: id.to_string() };
        rows.into_iter().next().ok_or_else(not_found)
    }

    /// How the fields of a change are read: amounts without a currency are in the record's.
    async fn locale_for(&self, described: &'static Described, id: uuid::Uuid, fields: &Fields) -> Outcome<Locale> {
        let mut locale = self.inner.locale();
        if fields.in_currency_of_record() {
            let row = self.by_id(described, id).await?;
            let currency = currency_at(&row, described.table.position("currency"));
            locale.currency = currency.unwrap_or(locale.currency);
        }
        Ok(locale)
    }

    /// What is settled, with the invoices found.
    pub(crate) async fn settled(&self, allocate: Allocate, shares: Shares) -> Outcome<Allocate> {
        if shares.is_empty() {
            return Ok(allocate);
        }
        let mut found = Vec::with_capacity(shares.len());
        for (invoice, share) in shares {
            found.push((invoice.resolve_field(&self.inner, "invoices").await?, share));
        }
        Ok(Allocate::To(found))
    }

    pub(crate) async fn run<C: Command>(&self, command: &C, key: Option<&IdempotencyKey>) -> Outcome<Row> {
        Ok(self.inner.run_with_key(command, key).await?.to_row())
    }
}

/// The kind of record with this name, of those that belong to an organization.
fn kind(entity: &str) -> PyResult<&'static Described> {
    entities::find(entity)
        .filter(|described| described.table.tenancy == Tenancy::Organization)
        .ok_or_else(|| PyTypeError::new_err(format!("there are no records of kind {entity} here")))
}

/// Reads text that a caller gave.
pub(crate) fn parsed<T: FromStr<Err = ValueError>>(
    py: Python<'_>,
    field: &str,
    text: Option<&str>,
) -> PyResult<Option<T>> {
    text.map(str::parse).transpose().map_err(|reason| invalid(py, field, reason))
}

/// Reads text of which nothing may be left.
pub(crate) fn optional<T: FromStr<Err = ValueError>>(
    py: Python<'_>,
    field: &str,
    text: Option<&str>,
) -> PyResult<Option<T>> {
    parsed(py, field, text.filter(|text| !text.trim().is_empty()))
}

pub(crate) fn optional_date(field: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<crm_core::value::Date>> {
    value.map(|value| date(field, value)).transpose()
}

pub(crate) fn idempotency(py: Python<'_>, key: Option<&str>) -> PyResult<Option<IdempotencyKey>> {
    parsed(py, "key", key)
}

/// The currency that a caller gave, or the organization's.
fn currency_of(py: Python<'_>, session: &Session, code: Option<&str>) -> PyResult<Currency> {
    Ok(parsed(py, "currency", code)?.unwrap_or_else(|| session.inner.locale().currency))
}

/// Takes a field out of the changes of a draft.
fn change<'py, T>(
    fields: &Bound<'py, PyDict>,
    field: &str,
    read: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<Option<T>>,
) -> PyResult<Patch<T>> {
    let Some(value) = fields.get_item(field)? else { return Ok(Patch::Keep) };
    if value.is_none() {
        return Ok(Patch::Clear);
    }
    Ok(read(&value)?.map_or(Patch::Clear, Patch::Set))
}

#[pymethods]
impl Session {
    /// The organization.
    fn organization(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let organization = self.inner.organization();
        Record::wrap(py, crm_core::access::Organization::TABLE, organization.to_row())
    }

    /// The acting user.
    fn user(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.wrap_user(py, self.inner.user().to_row())
    }

    /// The acting user's role.
    fn role(&self) -> &'static str {
        self.inner.role().as_str()
    }

    /// One record, by id or natural key.
    fn get(&self, py: Python<'_>, entity: &str, reference: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let described = kind(entity)?;
        let reference = Reference::read(entity, described.table, reference)?;
        let row = self.call(py, async {
            match &reference {
                Reference::Id(id) => self.by_id(described, *id).await,
                Reference::Key(key) => {
                    for_entity!(entity, E => self.inner.find::<E>(key).await.map(|record| record.to_row()))
                }
            }
        })?;
        Record::wrap(py, described.table, row)
    }

    /// A page of records, and where to go on.
    #[pyo3(signature = (entity, filters, *, search = None, order_by = Vec::new(), limit = None, after = None, archived = false))]
    #[expect(clippy::too_many_arguments, clippy::needless_pass_by_value, reason = "they come from Python")]
    fn page(
        &self,
        py: Python<'_>,
        entity: &str,
        filters: &Bound<'_, PyDict>,
        search: Option<String>,
        order_by: Vec<String>,
        limit: Option<i64>,
        after: Option<&str>,
        archived: bool,
    ) -> PyResult<(Vec<Py<PyAny>>, Option<String>)> {
        let described = kind(entity)?;
        let wanted = Wanted::read(described, filters, search, archived)?.page(py, &order_by, after, limit)?;
        let (rows, next) = self.call(py, async {
            let visible = self.visible(described).await?;
            wanted.rows(&self.inner, visible).await
        })?;
        Ok((Record::wrap_all(py, described.table, rows)?, next))
    }

    /// How many records there are.
    #[pyo3(signature = (entity, filters, *, search = None, archived = false))]
    fn count(
        &self,
        py: Python<'_>,
        entity: &str,
        filters: &Bound<'_, PyDict>,
        search: Option<String>,
        archived: bool,
    ) -> PyResult<i64> {
        let described = kind(entity)?;
        let wanted = Wanted::read(described, filters, search, archived)?;
        self.call(py, async {
            let filter = wanted.filter(&self.inner).await?.and(self.visible(described).await?);
            let query = Aggregate::new(described.table, filter).measure(Measure::Count);
            let answers = self.inner.store().aggregate(self.inner.scope(), &[query]).await?;
            Ok(answers.first().and_then(|rows| rows.first()?[0].as_int()).unwrap_or(0))
        })
    }

    /// Creates a record.
    #[pyo3(signature = (entity, fields, *, key = None))]
    fn create(
        &self,
        py: Python<'_>,
        entity: &str,
        fields: &Bound<'_, PyDict>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let described = kind(entity)?;
        let fields = Fields::read(described.table, fields, true)?;
        let key = idempotency(py, key)?;
        let row = self.call(py, async {
            for_entity!(entity, E => {
                let edit = fields.edit::<E>(&self.inner, &self.inner.locale()).await?;
                self.run(&Create(edit), key.as_ref()).await
            })
        })?;
        Record::wrap(py, described.table, row)
    }

    /// Creates many records, all or none.
    fn create_many(&self, py: Python<'_>, entity: &str, records: &Bound<'_, PyAny>) -> PyResult<Vec<Py<PyAny>>> {
        let described = kind(entity)?;
        let mut given = Vec::new();
        for (position, fields) in records.try_iter()?.enumerate() {
            let fields = fields?;
            let Ok(fields) = fields.cast::<PyDict>() else {
                return Err(wrong_type(&position.to_string(), "dict", &fields));
            };
            given.push(Fields::read(described.table, fields, true)?);
        }
        let rows: Vec<Row> = self.call(py, async {
            let locale = self.inner.locale();
            for_entity!(entity, E => {
                let mut edits = Vec::with_capacity(given.len());
                let mut refused = Vec::new();
                for (position, fields) in given.into_iter().enumerate() {
                    match fields.edit::<E>(&self.inner, &locale).await {
                        Ok(edit) => edits.push(edit),
                        Err(CrmError::Invalid(fields)) => refused.extend(
                            fields.into_iter().map(|field| Invalid::new(format!("{position}.{}", field.field), field.reason)),
                        ),
                        Err(other) => return Err(other),
                    }
                }
                if !refused.is_empty() {
                    return Err(CrmError::Invalid(refused));
                }
                let created = self.inner.create_many(&edits).await?;
                Ok(created.iter().map(Stored::to_row).collect())
            })
        })?;
        Record::wrap_all(py, described.table, rows)
    }

    /// Changes a record.
    #[pyo3(signature = (entity, reference, fields, *, key = None))]
    fn update(
        &self,
        py: Python<'_>,
        entity: &str,
        reference: &Bound<'_, PyAny>,
        fields: &Bound<'_, PyDict>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let described = kind(entity)?;
        let reference = Reference::read(entity, described.table, reference)?;
        let fields = Fields::read(described.table, fields, false)?;
        let key = idempotency(py, key)?;
        let row = self.call(py, async {
            for_entity!(entity, E => {
                let id = reference.resolve::<E>(&self.inner).await?;
                let locale = self.locale_for(described, id.uuid(), &fields).await?;
                let edit = fields.edit::<E>(&self.inner, &locale).await?;
                self.run(&Update { id, edit }, key.as_ref()).await
            })
        })?;
        Record::wrap(py, described.table, row)
    }

    /// Changes the organization's settings.
    fn update_organization(&self, py: Python<'_>, fields: &Bound<'_, PyDict>) -> PyResult<Py<PyAny>> {
        let table = crm_core::access::Organization::TABLE;
        let fields = Fields::read(table, fields, false)?;
        let row = self.call(py, async {
            // One's own and no other: organizations stand above the scope of a session.
            let id = self.inner.organization().id;
            let edit = fields.edit::<crm_core::access::Organization>(&self.inner, &self.inner.locale()).await?;
            self.run(&Update { id, edit }, None).await
        })?;
        Record::wrap(py, table, row)
    }

    /// Carries out a command that needs nothing but a record, such as `archive`, `void` or `win`.
    #[pyo3(signature = (entity, verb, reference, *, key = None))]
    fn act(
        &self,
        py: Python<'_>,
        entity: &str,
        verb: &str,
        reference: &Bound<'_, PyAny>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let described = kind(entity)?;
        let reference = Reference::read(entity, described.table, reference)?;
        let key = idempotency(py, key)?;
        let row = self.call(py, async { crate::acts::act(self, entity, verb, &reference, key.as_ref()).await })?;
        Record::wrap(py, described.table, row)
    }

    /// Writes an invoice, and issues it if asked to.
    #[pyo3(signature = (*, contact, lines, currency = None, issued_on = None, due_on = None, total = None, notes = None, external_id = None, issue = false, number = None, key = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn create_invoice(
        &self,
        py: Python<'_>,
        contact: &Bound<'_, PyAny>,
        lines: &Bound<'_, PyAny>,
        currency: Option<&str>,
        issued_on: Option<&Bound<'_, PyAny>>,
        due_on: Option<&Bound<'_, PyAny>>,
        total: Option<&Bound<'_, PyAny>>,
        notes: Option<&str>,
        external_id: Option<&str>,
        issue: bool,
        number: Option<&str>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        if number.is_some() && !issue {
            return Err(PyTypeError::new_err("number: a draft has none; pass issue=True as well"));
        }
        let contact = Reference::read("contact", Contact::TABLE, contact)?;
        let given = crate::given::lines(lines)?;
        let code = currency_of(py, self, currency)?;
        let total = total.map(|total| amount_of("total", total, code)).transpose()?;
        let number = parsed(py, "number", number)?;
        let mut command = CreateInvoice::draft(Id::new(uuid::Uuid::nil()), Vec::new());
        command.currency = parsed(py, "currency", currency)?;
        command.issued_on = optional_date("issued_on", issued_on)?;
        command.due_on = optional_date("due_on", due_on)?;
        command.total = total;
        command.notes = optional(py, "notes", notes)?;
        command.external_id = optional(py, "external_id", external_id)?;
        command.issue = issue.then_some(number);
        let key = idempotency(py, key)?;
        let row = self.call(py, async {
            command.contact = contact.resolve_field(&self.inner, "contact").await?;
            command.lines = resolve_lines(&self.inner, given).await?;
            self.run(&command, key.as_ref()).await
        })?;
        Record::wrap(py, Invoice::TABLE, row)
    }

    /// Changes a draft.
    #[pyo3(signature = (reference, fields, *, key = None))]
    fn update_invoice(
        &self,
        py: Python<'_>,
        reference: &Bound<'_, PyAny>,
        fields: &Bound<'_, PyDict>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        const NAMES: [&str; 5] = ["contact", "issued_on", "due_on", "lines", "notes"];
        for name in fields.keys() {
            let name = name.cast::<PyString>()?.to_str()?.to_owned();
            if !NAMES.contains(&name.as_str()) {
                return Err(invalid(py, &name, ValueError::unknown_value(&name, &NAMES)));
            }
        }
        let reference = Reference::read("invoice", Invoice::TABLE, reference)?;
        let contact = match fields.get_item("contact")? {
            Some(contact) => Some(Reference::read("contact", Contact::TABLE, &contact)?),
            None => None,
        };
        let given = fields.get_item("lines")?.map(|given| lines(&given)).transpose()?;
        let mut command = UpdateInvoice {
            id: Id::new(uuid::Uuid::nil()),
            contact: None,
            issued_on: change(fields, "issued_on", |value| date("issued_on", value).map(Some))?,
            due_on: change(fields, "due_on", |value| date("due_on", value).map(Some))?,
            lines: None,
            notes: change(fields, "notes", |value| optional(py, "notes", Some(&text("notes", value)?)))?,
        };
        let key = idempotency(py, key)?;
        let row = self.call(py, async {
            command.id = reference.resolve(&self.inner).await?;
            if let Some(contact) = contact {
                command.contact = Some(contact.resolve_field(&self.inner, "contact").await?);
            }
            if let Some(given) = given {
                command.lines = Some(resolve_lines(&self.inner, given).await?);
            }
            self.run(&command, key.as_ref()).await
        })?;
        Record::wrap(py, Invoice::TABLE, row)
    }

    /// Issues a draft.
    #[pyo3(signature = (reference, *, number = None, key = None))]
    fn issue_invoice(
        &self,
        py: Python<'_>,
        reference: &Bound<'_, PyAny>,
        number: Option<&str>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let reference = Reference::read("invoice", Invoice::TABLE, reference)?;
        let number = parsed(py, "number", number)?;
        let key = idempotency(py, key)?;
        let row = self.call(py, async {
            let id = reference.resolve(&self.inner).await?;
            self.run(&IssueInvoice { id, number }, key.as_ref()).await
        })?;
        Record::wrap(py, Invoice::TABLE, row)
    }

    /// Records a payment.
    #[pyo3(signature = (*, contact, amount, currency = None, received_on = None, method = None, reference = None, notes = None, external_id = None, invoices = None, key = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn record_payment(
        &self,
        py: Python<'_>,
        contact: &Bound<'_, PyAny>,
        amount: &Bound<'_, PyAny>,
        currency: Option<&str>,
        received_on: Option<&Bound<'_, PyAny>>,
        method: Option<&str>,
        reference: Option<&str>,
        notes: Option<&str>,
        external_id: Option<&str>,
        invoices: Option<&Bound<'_, PyAny>>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let contact = Reference::read("contact", Contact::TABLE, contact)?;
        let code = currency_of(py, self, currency)?;
        let amount = amount_of("amount", amount, code)?;
        if currency.is_some() && amount.currency() != code {
            let reason = ValueError::CurrencyMismatch { left: amount.currency(), right: code };
            return Err(invalid(py, "currency", reason));
        }
        let (allocate, shares) = allocation(invoices, amount.currency())?;
        let mut command = RecordPayment {
            contact: Id::new(uuid::Uuid::nil()),
            amount,
            received_on: optional_date("received_on", received_on)?,
            method: parsed(py, "method", method)?,
            reference: optional(py, "reference", reference)?,
            notes: optional(py, "notes", notes)?,
            external_id: optional(py, "external_id", external_id)?,
            allocate: Allocate::Nothing,
        };
        let key = idempotency(py, key)?;
        let row = self.call(py, async {
            command.contact = contact.resolve_field(&self.inner, "contact").await?;
            command.allocate = self.settled(allocate, shares).await?;
            self.run(&command, key.as_ref()).await
        })?;
        Record::wrap(py, Payment::TABLE, row)
    }

    /// Makes somebody a new user and a member; who is a user already is invited.
    #[pyo3(signature = (email, *, role, full_name = None, key = None))]
    fn add_member(
        &self,
        py: Python<'_>,
        email: &str,
        role: &str,
        full_name: Option<&str>,
        key: Option<&str>,
    ) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
        let command = AddMember {
            email: email.parse().map_err(|reason| invalid(py, "email", reason))?,
            full_name: optional(py, "full_name", full_name)?,
            role: role.parse().map_err(|reason| invalid(py, "role", reason))?,
        };
        let key = idempotency(py, key)?;
        let row = self.call(py, async { self.run(&command, key.as_ref()).await })?;
        self.with_user(py, row)
    }

    /// Changes a member's role.
    fn set_role(&self, py: Python<'_>, member: &Bound<'_, PyAny>, role: &str) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
        let member = member_reference(member)?;
        let role: Role = role.parse().map_err(|reason| invalid(py, "role", reason))?;
        let row = self.call(py, async {
            let member = member.resolve_member(&self.inner).await?;
            self.run(&SetRole { member, role }, None).await
        })?;
        self.with_user(py, row)
    }

    /// Ends a membership.
    fn remove_member(&self, py: Python<'_>, member: &Bound<'_, PyAny>) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
        let member = member_reference(member)?;
        let row = self.call(py, async {
            let member = member.resolve_member(&self.inner).await?;
            self.run(&RemoveMember { member }, None).await
        })?;
        self.with_user(py, row)
    }

    /// The members with their users.
    fn members(&self, py: Python<'_>) -> PyResult<Vec<(Py<PyAny>, Py<PyAny>)>> {
        let rows = self.call(py, async {
            let visible = self.inner.visible::<Membership>("read").await?;
            Ok(self.inner.store().select(self.inner.scope(), &Select::new(Membership::TABLE, visible)).await?)
        })?;
        rows.into_iter().map(|row| self.with_user(py, row)).collect()
    }

    /// One member, with the user.
    fn member(&self, py: Python<'_>, member: &Bound<'_, PyAny>) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
        let member = member_reference(member)?;
        let row = self.call(py, async {
            let member = member.resolve_member(&self.inner).await?;
            Ok(self.inner.get(member).await?.to_row())
        })?;
        self.with_user(py, row)
    }

    /// Checks the audit, from the beginning to its end.
    #[pyo3(signature = (anchor = None))]
    fn verify_audit<'py>(&self, py: Python<'py>, anchor: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let anchor = parsed(py, "anchor", anchor)?;
        let found = self.call(py, async { self.inner.verify(anchor.as_ref()).await })?;
        crate::report::verification(py, &found)
    }

    /// R1, the financial summary.
    #[pyo3(signature = (*, as_of = None, per_contact = false, include_void = false, restated = false))]
    fn summary<'py>(
        &self,
        py: Python<'py>,
        as_of: Option<&Bound<'py, PyAny>>,
        per_contact: bool,
        include_void: bool,
        restated: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let as_of = optional_date("as_of", as_of)?;
        let options = crm_core::report::SummaryOptions { as_of, include_void, per_contact, restated };
        let summary = self.call(py, async { self.inner.summary(&options).await })?;
        crate::report::summary(py, &summary)
    }

    /// R2, the ageing of receivables.
    #[pyo3(signature = (*, as_of = None, per_contact = false, restated = false))]
    fn ageing<'py>(
        &self,
        py: Python<'py>,
        as_of: Option<&Bound<'py, PyAny>>,
        per_contact: bool,
        restated: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let as_of = optional_date("as_of", as_of)?;
        let options = crm_core::report::AgeingOptions { as_of, per_contact, restated };
        let ageing = self.call(py, async { self.inner.ageing(&options).await })?;
        crate::report::ageing(py, &ageing)
    }

    /// R3, a contact's statement of account.
    #[pyo3(signature = (contact, from_, to, *, restated = false))]
    fn statement<'py>(
        &self,
        py: Python<'py>,
        contact: &Bound<'py, PyAny>,
        from_: &Bound<'py, PyAny>,
        to: &Bound<'py, PyAny>,
        restated: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let contact = Reference::read("contact", Contact::TABLE, contact)?;
        let (from, to) = (date("from_", from_)?, date("to", to)?);
        let statement = self.call(py, async {
            let contact = contact.resolve(&self.inner).await?;
            let options = crm_core::report::StatementOptions { from, to, restated };
            self.inner.statement(contact, &options).await
        })?;
        crate::report::statement(py, &statement)
    }

    /// A page of a record's timeline, and where to go on.
    #[pyo3(signature = (record, *, limit = None, after = None))]
    fn timeline<'py>(
        &self,
        py: Python<'py>,
        record: &Bound<'py, PyAny>,
        limit: Option<i64>,
        after: Option<&str>,
    ) -> PyResult<(Vec<Bound<'py, PyAny>>, Option<String>)> {
        let (subject, options) = (crate::timeline::subject(record)?, crate::timeline::options(py, limit, after)?);
        let timeline = self.call(py, async { self.inner.timeline(subject, &options).await })?;
        crate::timeline::page(py, timeline)
    }

    /// Imports a CSV file.
    #[pyo3(signature = (kind, source, *, mapping = None, lines = None, lines_mapping = None, upsert_by = None, dry_run = false, lenient = false, skip_refused = false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn import_csv<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        source: &Bound<'py, PyAny>,
        mapping: Option<&str>,
        lines: Option<&Bound<'py, PyAny>>,
        lines_mapping: Option<&str>,
        upsert_by: Option<String>,
        dry_run: bool,
        lenient: bool,
        skip_refused: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let given = crate::imports::Given { kind, source, mapping, lines, lines_mapping };
        let how = |import| crm_core::import::Import { upsert_by, dry_run, lenient, skip_refused, ..import };
        crate::imports::import(py, self, &given, how)
    }

    fn __repr__(&self) -> String {
        format!("<session of {} in {}>", self.inner.user().email, self.inner.organization().slug)
    }
}

impl Session {
    /// A user as an object. Users see all of their own account; an API key is none of them, whoever made it.
    pub(crate) fn wrap_user(&self, py: Python<'_>, row: Row) -> PyResult<Py<PyAny>> {
        let own = self.inner.key().is_none().then(|| self.inner.user().id);
        Record::user(py, row, own)
    }

    fn with_user(&self, py: Python<'_>, row: Row) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
        let user = row[Membership::COLUMNS.user_id.index()].as_id().unwrap_or_default();
        let users =
            self.call(py, async { Ok(self.inner.store().fetch(Scope::SYSTEM, User::TABLE, &[user]).await?) })?;
        let not_found = CrmError::NotFound { entity: User::TABLE.entity, reference: user.to_string() };
        let user = users.into_iter().next().ok_or_else(|| crate::error::raised(py, &not_found))?;
        Ok((Record::wrap(py, Membership::TABLE, row)?, self.wrap_user(py, user)?))
    }
}

/// A member as a caller names one: by membership or user, or by id or e-mail address.
pub(crate) fn member_reference(value: &Bound<'_, PyAny>) -> PyResult<Reference> {
    match value.cast::<Record>() {
        Ok(record) if record.get().table == User::TABLE => Ok(Reference::Id(User::TABLE.id(&record.get().row))),
        _ => Reference::read("member", Membership::TABLE, value),
    }
}

/// How much goes to which invoice, as it was given.
pub(crate) type Shares = Vec<(Reference, crm_core::value::Money)>;

/// What a payment is to settle: nothing, `"oldest"`, or a mapping of invoices to amounts.
pub(crate) fn allocation(invoices: Option<&Bound<'_, PyAny>>, currency: Currency) -> PyResult<(Allocate, Shares)> {
    let Some(invoices) = invoices else { return Ok((Allocate::Nothing, Vec::new())) };
    if invoices.cast::<PyString>().is_ok_and(|word| word == "oldest") {
        return Ok((Allocate::Oldest, Vec::new()));
    }
    let Ok(invoices) = invoices.cast::<PyDict>() else {
        return Err(wrong_type("invoices", "a dict of invoices and amounts, or \"oldest\"", invoices));
    };
    let mut shares = Vec::with_capacity(invoices.len());
    for (invoice, share) in invoices {
        let invoice = Reference::read("invoices", Invoice::TABLE, &invoice)?;
        let share = match share.cast::<Money>() {
            Ok(money) => money.get().0,
            Err(_) => amount_of("invoices", &share, currency)?,
        };
        shares.push((invoice, share));
    }
    Ok((Allocate::Nothing, shares))
}

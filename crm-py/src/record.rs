//! Records: rows with one lazy attribute per column, described by the tables.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crm_core::access;
use crm_core::encode::{decode_value, write_text, write_value};
use crm_core::entity::{Column, Entity as _, Flags, Kind, Table};
use crm_core::people;
use crm_core::row::Value;
use crm_core::value::{Currency, Instant};
use crm_core::{Id, Row};
use pyo3::exceptions::{PyAttributeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::entities::{self, Described};
use crate::value::{instant_object, to_python, uuid_object};

/// One record, as it was when it was read.
///
/// Records do not change: `update` and the other commands give back new ones. Two records are equal when they are the
/// same version of the same record with the same values.
#[pyclass(subclass, frozen, module = "crm_py")]
pub(crate) struct Record {
    pub(crate) table: &'static Table,
    pub(crate) row: Row,
}

/// Declares the class of each entity.
macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[pyclass(extends = Record, frozen, module = "crm_py")]
        pub(crate) struct $name;

        impl Class for $name {
            fn wrap(py: Python<'_>, record: Record) -> PyResult<Py<PyAny>> {
                Ok(Py::new(py, PyClassInitializer::from(record).add_subclass(Self))?.into_any())
            }

            fn class(py: Python<'_>) -> Bound<'_, PyType> {
                py.get_type::<Self>()
            }
        }
    )*};
}

/// The Python class of an entity.
pub(crate) trait Class {
    /// A record as an object of this class.
    fn wrap(py: Python<'_>, record: Record) -> PyResult<Py<PyAny>>;
    /// The class.
    fn class(py: Python<'_>) -> Bound<'_, PyType>;
}

classes! {
    /// An organization: the tenant that every other record belongs to.
    Organization,
    /// A person who can act. Of others only the id, the address, the name and whether they may act are told.
    User,
    /// One user's membership of one organization.
    Membership,
    /// A person or company that the organization deals with.
    Contact,
    /// Something the organization sells.
    Product,
    /// A claim on a contact for things sold.
    Invoice,
    /// One line of an invoice.
    InvoiceLine,
    /// Money received from a contact.
    Payment,
    /// An amount applied to an invoice, or taken back from it.
    Allocation,
    /// A part of an invoice, or all of it, credited.
    CreditNote,
    /// One line of a credit note.
    CreditNoteLine,
    /// Money paid back to a contact.
    Refund,
    /// One change of one record, as the audit keeps it.
    AuditEntry,
    /// A series of numbers for one kind of document.
    NumberSeries,
    /// A way that deals go, stage by stage.
    Pipeline,
    /// A stage of a pipeline.
    Stage,
    /// A contact's interest in buying something.
    Lead,
    /// Something that a contact may buy, on its way through a pipeline.
    Deal,
    /// A step of a deal: its creation, a move to another stage, its being won, lost or reopened.
    StageChange,
    /// A word that records can be found by.
    Tag,
    /// A petition, complaint, claim, suggestion or report of a contact, with its due date.
    Case,
    /// A step of a case.
    CaseEvent,
    /// How long the organization has to answer cases of a topic, by its own rule.
    CaseRule,
    /// A state of the organization's business calendar.
    Calendar,
    /// Something to be done.
    Task,
    /// Something that was said or done about a record.
    Interaction,
    /// A key by which a program works in an organization.
    ApiKey,
    /// One command that an API key asked for.
    ApiRequest,
    /// An invitation to become a member.
    Invitation,
}

/// Whether a column is an attribute: not secret, nor of use to the engine alone, and not computed unless it is an
/// amount or a truth value.
pub(crate) fn exposed(column: &Column) -> bool {
    let internal = column.flags.contains(Flags::DERIVED) && !matches!(column.kind, Kind::Money | Kind::Bool);
    let unshown = column.name.ends_with("_claim") || ["last_used_micros", "quota_revision"].contains(&column.name);
    !column.flags.contains(Flags::SECRET) && !internal && !unshown
}

/// What members see of each other's accounts. Of their own, users see all.
const MEMBERS_SEE: [&str; 4] = ["id", "email", "full_name", "active"];

/// Whether an attribute may be absent: as its column may be, and what others do not see of a user.
fn absent(table: &Table, column: &Column) -> bool {
    column.nullable || (*table == *access::User::TABLE && !MEMBERS_SEE.contains(&column.name))
}

/// One attribute of a record: a column of its table.
#[pyclass(frozen, module = "crm_py._crm_py")]
pub(crate) struct Field {
    column: &'static Column,
    /// The column's place in the row.
    index: usize,
    /// The place of the currency of amounts.
    currency: Option<usize>,
    /// Whether it may be absent.
    nullable: bool,
}

impl Field {
    fn read<'py>(&self, py: Python<'py>, record: &Record) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, self.column.kind, &record.row[self.index], || currency_at(&record.row, self.currency))
    }
}

#[pymethods]
impl Field {
    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        record: &Bound<'py, PyAny>,
        owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = owner;
        match record.cast::<Record>() {
            Ok(record) => slf.get().read(slf.py(), record.get()),
            Err(_) => Ok(slf.clone().into_any()),
        }
    }

    fn __set__(&self, record: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = (record, value);
        let name = self.column.name;
        Err(PyAttributeError::new_err(format!("{name}: records do not change; use update(record, {name}=...)")))
    }

    /// The column's name.
    #[getter]
    const fn name(&self) -> &'static str {
        self.column.name
    }

    /// What it holds, as one word.
    #[getter]
    const fn kind(&self) -> &'static str {
        kind_name(self.column.kind)
    }

    /// Whether it may be absent.
    #[getter]
    const fn nullable(&self) -> bool {
        self.nullable
    }

    /// Whether only the engine sets it.
    #[getter]
    const fn read_only(&self) -> bool {
        self.column.flags.contains(Flags::SERVER_OWNED)
    }

    /// The words that it can hold, if they are fixed.
    #[getter]
    fn choices<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        match self.column.kind {
            Kind::Enum(names) => PyTuple::new(py, names).map(Some),
            _ => Ok(None),
        }
    }

    /// The kind of record that it points to, if it does.
    #[getter]
    fn references(&self) -> Option<&'static str> {
        self.column.target().map(|table| table.entity)
    }

    /// One sentence on it.
    #[getter]
    const fn doc(&self) -> &'static str {
        self.column.doc
    }

    fn __repr__(&self) -> String {
        format!("<field {}: {}>", self.column.name, kind_name(self.column.kind))
    }
}

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Id => "id",
        Kind::Bool => "bool",
        Kind::Int => "int",
        Kind::Money => "money",
        Kind::Decimal => "decimal",
        Kind::Text => "text",
        Kind::Enum(_) => "enum",
        Kind::Json => "json",
        Kind::Date => "date",
        Kind::Instant => "instant",
        Kind::Bytes => "bytes",
    }
}

/// The currency that stands at this place of a row.
pub(crate) fn currency_at(row: &[Value], place: Option<usize>) -> Option<Currency> {
    Currency::from_stored(row[place?].as_text()?).ok()
}

impl Record {
    /// A record as an object of its own class.
    pub(crate) fn wrap(py: Python<'_>, table: &'static Table, row: Row) -> PyResult<Py<PyAny>> {
        (Self::described(table)?.wrap)(py, Self::bare(table, row))
    }

    /// A user as an object, as far as whoever acts may see them: all of it if it is this one.
    pub(crate) fn user(py: Python<'_>, mut row: Row, own: Option<Id<access::User>>) -> PyResult<Py<PyAny>> {
        let table = access::User::TABLE;
        if own.is_none_or(|own| table.id(&row) != own.uuid()) {
            for (column, value) in table.columns.iter().zip(&mut row) {
                if !MEMBERS_SEE.contains(&column.name) {
                    *value = Value::Null;
                }
            }
        }
        Self::wrap(py, table, row)
    }

    /// Records as objects of their own class.
    pub(crate) fn wrap_all(py: Python<'_>, table: &'static Table, rows: Vec<Row>) -> PyResult<Vec<Py<PyAny>>> {
        let wrap = Self::described(table)?.wrap;
        rows.into_iter().map(|row| wrap(py, Self::bare(table, row))).collect()
    }

    /// A record without its secrets: nothing that can be read, printed or pickled has them.
    fn bare(table: &'static Table, mut row: Row) -> Self {
        for (column, value) in table.columns.iter().zip(&mut row) {
            if column.flags.contains(Flags::SECRET) {
                *value = Value::Null;
            }
        }
        Self { table, row }
    }

    fn described(table: &'static Table) -> PyResult<&'static Described> {
        entities::of_table(table).ok_or_else(|| PyTypeError::new_err(format!("{} is not shown", table.entity)))
    }

    /// The columns that are attributes, with their values.
    fn shown<'a, 'py>(
        &'a self,
        py: Python<'py>,
    ) -> impl Iterator<Item = PyResult<(&'static str, Bound<'py, PyAny>)>> + use<'a, 'py> {
        let place = self.table.position("currency");
        self.table.columns.iter().zip(&self.row).filter(|(column, _)| exposed(column)).map(move |(column, value)| {
            let object = to_python(py, column.kind, value, || currency_at(&self.row, place))?;
            Ok((column.name, object))
        })
    }

    fn text(&self, column: &str) -> Option<String> {
        self.row[self.table.position(column)?].as_text().map(str::to_owned)
    }
}

#[pymethods]
impl Record {
    /// Names the record.
    #[getter]
    fn id<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        uuid_object(py, self.table.id(&self.row))
    }

    /// The name by which people know the record: a contact's name, an invoice's number, a deal's title, or its id.
    #[getter]
    fn display_name(&self) -> String {
        if self.table == people::Contact::TABLE {
            return contact_name(&self.row);
        }
        let named = [
            "number",
            "name",
            "title",
            "full_name",
            "alias",
            "description",
            "reference",
            "command",
            "operation",
            "kind",
        ];
        let name = named.iter().find_map(|column| self.text(column));
        name.unwrap_or_else(|| self.table.id(&self.row).to_string())
    }

    /// The attributes and their values.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for shown in self.shown(py) {
            let (name, value) = shown?;
            dict.set_item(name, value)?;
        }
        Ok(dict)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| {
            let other = other.get();
            self.table == other.table && self.row == other.row
        })
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.table.id(&self.row).hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let mut parts = Vec::new();
        for shown in slf.get().shown(slf.py()) {
            let (name, value) = shown?;
            if !value.is_none() {
                parts.push(format!("{name}={}", value.repr()?));
            }
        }
        Ok(format!("{}({})", slf.get_type().name()?, parts.join(", ")))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (&'static str, String))> {
        let restore = py.import("crm_py._crm_py")?.getattr("restore")?;
        Ok((restore, (self.table.entity, frozen(self.table, &self.row))))
    }

    const fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, memo: &Bound<'_, PyAny>) -> Py<Self> {
        let _ = memo;
        slf
    }
}

/// How a column is written by pickle: documents as the very text that they are.
const fn frozen_kind(kind: Kind) -> Kind {
    match kind {
        Kind::Json => Kind::Text,
        other => other,
    }
}

/// A row as pickle keeps it: a JSON object by column name.
fn frozen(table: &Table, row: &[Value]) -> String {
    let mut out = String::from("{");
    for (column, value) in table.columns.iter().zip(row) {
        if out.len() > 1 {
            out.push(',');
        }
        write_text(&mut out, column.name);
        out.push(':');
        write_value(&mut out, frozen_kind(column.kind), value);
    }
    out.push('}');
    out
}

/// A row of what pickle kept; columns that were not there then are absent.
fn thawed(table: &Table, text: &str) -> Option<Row> {
    let serde_json::Value::Object(mut object) = serde_json::from_str(text).ok()? else { return None };
    let row: Row = table
        .columns
        .iter()
        .map(|column| decode_value(frozen_kind(column.kind), object.remove(column.name).unwrap_or_default()).ok())
        .collect::<Option<_>>()?;
    row[0].as_id().is_some().then_some(row)
}

#[pymethods]
impl ApiKey {
    /// When it was last used, to the minute; absent before its first use.
    #[getter]
    fn last_used_at<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let micros = slf.as_super().get().row[access::ApiKey::COLUMNS.last_used_micros.index()].as_int();
        let at = micros.filter(|micros| *micros != 0).and_then(|micros| Instant::from_micros(micros).ok());
        at.map(|at| instant_object(slf.py(), at)).transpose()
    }
}

/// Makes a record again of what pickle kept.
#[pyfunction]
#[pyo3(signature = (entity, row, /))]
pub(crate) fn restore(py: Python<'_>, entity: &str, row: &str) -> PyResult<Py<PyAny>> {
    let Some(described) = entities::find(entity) else {
        return Err(PyValueError::new_err(format!("there is no kind of record {entity}")));
    };
    let wrong = || PyValueError::new_err(format!("this is no record of kind {entity}"));
    let row = thawed(described.table, row).ok_or_else(wrong)?;
    (described.wrap)(py, Record { table: described.table, row })
}

/// The contact's name by the engine's own rule, of the columns that it looks at.
fn contact_name(row: &[Value]) -> String {
    let columns = people::Contact::COLUMNS;
    let used = [columns.given_name.index(), columns.family_name.index(), columns.company_name.index()];
    let mut values =
        row.iter().enumerate().skip(1).map(|(at, value)| {
            if at == columns.kind.index() || used.contains(&at) { value.clone() } else { Value::Null }
        });
    people::Contact::read(&mut values).map(|contact| contact.display_name()).unwrap_or_default()
}

/// Gives every class the attributes of its table.
pub(crate) fn describe(py: Python<'_>) -> PyResult<()> {
    for described in entities::ALL {
        let class = (described.class)(py);
        let currency = described.table.position("currency");
        let columns = described.table.columns.iter().enumerate().filter(|(_, column)| exposed(column));
        let mut names = Vec::new();
        for (index, column) in columns {
            let nullable = absent(described.table, column);
            class.setattr(column.name, Bound::new(py, Field { column, index, currency, nullable })?)?;
            names.push(column.name);
        }
        class.setattr("__match_args__", PyTuple::new(py, names)?)?;
        class.setattr("record_kind", described.table.entity)?;
    }
    Ok(())
}

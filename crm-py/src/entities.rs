//! The kinds of records, with what Python needs of each.

use crm_core::Id;
use crm_core::access::{self, User};
use crm_core::activity;
use crm_core::audit;
use crm_core::billing;
use crm_core::crud::Rules;
use crm_core::entity::{Entity, Locale, Table};
use crm_core::people;
use crm_core::row::Value;
use crm_core::sales;
use crm_core::service;
use crm_core::store::Expr;
use crm_core::value::ValueError;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::record::{self, Class, Record};

/// What Python needs of a kind of record.
pub(crate) struct Described {
    /// Its table.
    pub(crate) table: &'static Table,
    /// Makes an object of its class.
    pub(crate) wrap: fn(Python<'_>, Record) -> PyResult<Py<PyAny>>,
    /// Its class.
    pub(crate) class: fn(Python<'_>) -> Bound<'_, PyType>,
    /// Reads typed text into one of its columns.
    pub(crate) parse: fn(usize, &str, &Locale) -> Result<Value, ValueError>,
    /// The records that are a member's own.
    pub(crate) own: fn(Id<User>) -> Expr,
}

const fn ruled<E: Rules, C: Class>() -> Described {
    Described { table: E::TABLE, wrap: C::wrap, class: C::class, parse: E::parse, own: E::own }
}

const fn plain<E: Entity, C: Class>() -> Described {
    Described { table: E::TABLE, wrap: C::wrap, class: C::class, parse: E::parse, own: |_| Expr::False }
}

/// Every kind of record that is shown.
pub(crate) static ALL: &[Described] = &[
    ruled::<access::Organization, record::Organization>(),
    plain::<User, record::User>(),
    ruled::<access::Membership, record::Membership>(),
    ruled::<people::Contact, record::Contact>(),
    ruled::<billing::Product, record::Product>(),
    ruled::<billing::Invoice, record::Invoice>(),
    ruled::<billing::InvoiceLine, record::InvoiceLine>(),
    ruled::<billing::Payment, record::Payment>(),
    ruled::<billing::Allocation, record::Allocation>(),
    // Billing.
    ruled::<billing::CreditNote, record::CreditNote>(),
    ruled::<billing::CreditNoteLine, record::CreditNoteLine>(),
    ruled::<billing::Refund, record::Refund>(),
    plain::<audit::AuditEntry, record::AuditEntry>(),
    ruled::<billing::NumberSeries, record::NumberSeries>(),
    // Sales.
    ruled::<sales::Pipeline, record::Pipeline>(),
    ruled::<sales::Stage, record::Stage>(),
    ruled::<sales::Lead, record::Lead>(),
    ruled::<sales::Deal, record::Deal>(),
    ruled::<sales::StageChange, record::StageChange>(),
    ruled::<sales::Tag, record::Tag>(),
    // Cases.
    ruled::<service::Case, record::Case>(),
    ruled::<service::CaseEvent, record::CaseEvent>(),
    ruled::<service::CaseRule, record::CaseRule>(),
    ruled::<service::Calendar, record::Calendar>(),
    // Activity.
    ruled::<activity::Task, record::Task>(),
    ruled::<activity::Interaction, record::Interaction>(),
    // Access.
    ruled::<access::ApiKey, record::ApiKey>(),
    ruled::<access::ApiRequest, record::ApiRequest>(),
    ruled::<access::Invitation, record::Invitation>(),
];

/// The kind of record with this name.
pub(crate) fn find(entity: &str) -> Option<&'static Described> {
    ALL.iter().find(|described| described.table.entity == entity)
}

/// The kind of record of this table.
pub(crate) fn of_table(table: &Table) -> Option<&'static Described> {
    ALL.iter().find(|described| described.table == table)
}

/// Runs code for the entity with this name, among those that plain commands work on.
macro_rules! for_entity {
    ($entity:expr, $type:ident => $body:expr) => {
        match $entity {
            "contact" => {
                type $type = crm_core::people::Contact;
                $body
            }
            "product" => {
                type $type = crm_core::billing::Product;
                $body
            }
            "invoice" => {
                type $type = crm_core::billing::Invoice;
                $body
            }
            "payment" => {
                type $type = crm_core::billing::Payment;
                $body
            }
            // Billing.
            "credit_note" => {
                type $type = crm_core::billing::CreditNote;
                $body
            }
            "refund" => {
                type $type = crm_core::billing::Refund;
                $body
            }
            "number_series" => {
                type $type = crm_core::billing::NumberSeries;
                $body
            }
            "organization" => {
                type $type = crm_core::access::Organization;
                $body
            }
            "pipeline" => {
                type $type = crm_core::sales::Pipeline;
                $body
            }
            "stage" => {
                type $type = crm_core::sales::Stage;
                $body
            }
            "lead" => {
                type $type = crm_core::sales::Lead;
                $body
            }
            "deal" => {
                type $type = crm_core::sales::Deal;
                $body
            }
            "tag" => {
                type $type = crm_core::sales::Tag;
                $body
            }
            "case" => {
                type $type = crm_core::service::Case;
                $body
            }
            "case_rule" => {
                type $type = crm_core::service::CaseRule;
                $body
            }
            "task" => {
                type $type = crm_core::activity::Task;
                $body
            }
            "interaction" => {
                type $type = crm_core::activity::Interaction;
                $body
            }
            // Access.
            "api_key" => {
                type $type = crm_core::access::ApiKey;
                $body
            }
            "invitation" => {
                type $type = crm_core::access::Invitation;
                $body
            }
            other => Err(crm_core::CrmError::NotFound { entity: "kind of record", reference: other.to_owned() }),
        }
    };
}
pub(crate) use for_entity;

//! The native half of the Python package `crm_py`.
//!
//! It holds what must be fast or exact: the database handle, sessions, records and money. The Python half,
//! in `python/crm_py`, gives them their typed, documented face.

mod access;
mod acts;
mod billing;
mod billing_report;
mod case_report;
mod cases;
mod database;
mod entities;
mod error;
mod given;
mod imports;
mod logins;
mod machine;
mod money;
mod pipelines;
mod privacy;
mod query;
mod record;
mod report;
mod sales;
mod sales_report;
mod session;
mod tags;
mod timeline;
mod value;

use pyo3::prelude::*;

/// The native half of `crm_py`.
#[pymodule]
mod _crm_py {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::access::Access;
    #[pymodule_export]
    use crate::billing::Billing;
    #[pymodule_export]
    use crate::billing_report::BillingReports;
    #[pymodule_export]
    use crate::cases::Cases;
    #[pymodule_export]
    use crate::database::Database;
    #[pymodule_export]
    use crate::logins::{Logins, TokenKeys};
    #[pymodule_export]
    use crate::machine::machines;
    #[pymodule_export]
    use crate::money::Money;
    #[pymodule_export]
    use crate::pipelines::Pipelines;
    #[pymodule_export]
    use crate::privacy::Privacy;
    #[pymodule_export]
    use crate::record::{
        Allocation, ApiKey, ApiRequest, AuditEntry, Calendar, Case, CaseEvent, CaseRule, Contact, CreditNote,
        CreditNoteLine, Deal, Field, Interaction, Invitation, Invoice, InvoiceLine, Lead, Membership, NumberSeries,
        Organization, Payment, Pipeline, Product, Record, Refund, Stage, StageChange, Tag, Task, User, restore,
    };
    #[pymodule_export]
    use crate::sales::Sales;
    #[pymodule_export]
    use crate::sales_report::SalesReports;
    #[pymodule_export]
    use crate::session::Session;
    #[pymodule_export]
    use crate::tags::Tags;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::record::describe(module.py())
    }
}

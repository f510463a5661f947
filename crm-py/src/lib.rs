//! The native half of the Python package `crm_py`.
//!
//! It holds what must be fast or exact: the database handle, sessions, records and money. The Python half,
//! in `python/crm_py`, gives them their typed, documented face.

mod database;
mod entities;
mod error;
mod given;
mod imports;
mod money;
mod query;
mod record;
mod report;
mod session;
mod value;

use pyo3::prelude::*;

/// The native half of `crm_py`.
#[pymodule]
mod _crm_py {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::database::Database;
    #[pymodule_export]
    use crate::money::Money;
    #[pymodule_export]
    use crate::record::{
        Allocation, AuditEntry, Contact, Field, Invoice, InvoiceLine, Membership, NumberSeries, Organization, Payment,
        Product, Record, User, restore,
    };
    #[pymodule_export]
    use crate::session::Session;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::record::describe(module.py())
    }
}

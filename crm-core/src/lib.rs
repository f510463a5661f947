//! The domain of an embeddable CRM engine: entities, rules, reports, and the storage contract.
//!
//! This crate does no I/O, reads no clock and knows no database. An entity is a struct with a
//! [`Table`](entity::Table); stores, filters, audit, imports and exports derive from it. A command loads
//! what it needs, decides with plain functions and applies one [`ChangeSet`](store::ChangeSet), all or
//! nothing, through a [`Session`].
//!
//! ```
//! use crm_core::access::Organization;
//! use crm_core::people::{Contact, ContactKind};
//! use crm_core::store::MemoryStore;
//! use crm_core::{Crm, Edit, NewOrganization, SystemEnvironment};
//!
//! # fn main() -> Result<(), crm_core::CrmError> {
//! # crm_core::block_on(async {
//! let crm = Crm::new(MemoryStore::new(), SystemEnvironment);
//! let acme = Organization::new("acme".parse()?, "Acme".parse()?, "USD".parse()?, "America/New_York".parse()?);
//! crm.create_organization(&NewOrganization {
//!     organization: acme,
//!     owner_email: "ana@acme.example".parse()?,
//!     owner_name: "Ana".parse()?,
//!     invoice_prefix: "INV-".into(),
//! })
//! .await?;
//! let session = crm.session(&"acme".parse()?, &"ana@acme.example".parse()?).await?;
//! let columns = Contact::COLUMNS;
//! let edit = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, Some("Eva".parse()?));
//! let eva = session.create::<Contact>(edit).await?;
//! assert_eq!(eva.display_name(), "Eva");
//! # Ok(())
//! # })
//! # }
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod access;
mod acting;
pub mod activity;
pub mod audit;
pub mod billing;
mod commands;
pub mod context;
pub mod crm;
pub mod crud;
pub mod encode;
pub mod entity;
mod error;
mod field;
mod id;
pub mod import;
mod macros;
pub mod people;
#[cfg(feature = "print")]
pub mod print;
pub mod privacy;
mod references;
mod refusal;
pub mod report;
pub mod row;
pub mod sales;
pub mod schema;
pub mod service;
mod sight;
pub mod status;
pub mod store;
#[cfg(feature = "system")]
mod system;
#[cfg(feature = "testing")]
pub mod testing;
pub mod value;

pub use commands::{Archive, Create, Delete, Restore, Update};
pub use context::{Actor, Context, Environment};
pub use crm::{Command, Crm, NewOrganization, Session};
pub use crud::{Edit, Rules};
pub use error::{CrmError, ErrorCode, Invalid};
pub use id::Id;
pub use row::{Row, Value};
#[cfg(feature = "system")]
pub use system::SystemEnvironment;

/// Runs a future to its end on this thread, for programs without a runtime of their own.
pub use futures_executor::block_on;

//! The domain of an embeddable CRM engine.
pub mod value;

//! Documents as HTML: ready to be printed on A4 or Letter paper, or to be saved as PDF by any browser.
//!
//! A document is plain data ([`InvoiceDocument`], [`CreditNoteDocument`], [`StatementDocument`]), which also is its JSON. [`render`] makes HTML of it with the
//! built-in template, or one of the user's own in the language of [Jinja](https://jinja.palletsprojects.com/templates/).
//! Every value is escaped. A template sees the document's fields by name, can use the partial templates of the built-in
//! ones (`{% extends "layout.html" %}`, `{% include "parties.html" %}`), and has one filter more: `amount` writes an
//! amount or a decimal with thousands separators; with an argument, with at least so many decimals.
//!
//! ```
//! use crm_core::print::{Printable, render};
//!
//! #[derive(serde::Serialize)]
//! struct Receipt {
//!     total: &'static str,
//! }
//! impl Printable for Receipt {
//!     const TEMPLATE: &'static str = "invoice.html";
//! }
//!
//! let html = render(Some("<b>{{ total|amount(2) }}</b>"), &Receipt { total: "1234.5" }).unwrap();
//! assert_eq!(html, "<b>1,234.50</b>");
//! let wrong = render(Some("<b>\n{{ totl }}</b>"), &Receipt { total: "1" }).unwrap_err();
//! assert!(wrong.to_string().starts_with("the template is wrong in line 2: "));
//! ```

mod amount;
mod credit_note;
mod invoice;
mod party;
mod statement;

pub use credit_note::CreditNoteDocument;
pub use invoice::{InvoiceDocument, NumberAuthorisation, PrintedLine, Stamp};
pub use party::{Buyer, Seller};
pub use statement::{PrintedAccount, StatementDocument};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;

/// What a user's own template is called in errors of the template engine.
const OWN: &str = "template";

/// The built-in templates, by name.
const TEMPLATES: &[(&str, &str)] = &[
    ("layout.html", include_str!("templates/layout.html")),
    ("style.css", include_str!("templates/style.css")),
    ("parties.html", include_str!("templates/parties.html")),
    ("lines.html", include_str!("templates/lines.html")),
    ("totals.html", include_str!("templates/totals.html")),
    ("notes.html", include_str!("templates/notes.html")),
    ("invoice.html", include_str!("templates/invoice.html")),
    ("credit_note.html", include_str!("templates/credit_note.html")),
    ("account.html", include_str!("templates/account.html")),
    ("statement.html", include_str!("templates/statement.html")),
];

/// Something that a built-in template prints.
pub trait Printable: Serialize {
    /// The name of its template.
    const TEMPLATE: &'static str;
}

/// Why a document was not printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrintError {
    /// The template is no template, or asks for what is not there.
    #[error("the template{} is wrong{}: {reason}", Part(" ", template.as_ref()), Part(" in line ", line.as_ref()))]
    Template {
        /// Which of the built-in templates that it uses, if it is not the template itself.
        template: Option<String>,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong.
        reason: String,
    },
}

/// Text before a part of a message that may be absent.
struct Part<'a, T>(&'static str, Option<&'a T>);

impl<T: std::fmt::Display> std::fmt::Display for Part<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.1.map_or(Ok(()), |part| write!(f, "{}{part}", self.0))
    }
}

impl From<minijinja::Error> for PrintError {
    fn from(error: minijinja::Error) -> Self {
        let template = error.name().filter(|name| *name != OWN).map(ToOwned::to_owned);
        let reason = match error.detail() {
            Some(detail) => format!("{}, {detail}", error.kind()),
            None => error.kind().to_string(),
        };
        Self::Template { template, line: error.line(), reason }
    }
}

/// Makes HTML of a document, with the built-in template or the one given.
///
/// # Errors
/// [`PrintError::Template`] when the given template is wrong, with its line and what is wrong.
pub fn render<D: Printable>(template: Option<&str>, document: &D) -> Result<String, PrintError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
        .set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?);
    environment.add_filter("amount", amount::amount);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    let values = Value::from(Serde(document));
    Ok(match template {
        Some(source) => environment.render_named_str(OWN, source, values)?,
        None => environment.get_template(D::TEMPLATE)?.render(values)?,
    })
}

//! The nouns of the command line: how people call the records of each entity, and what their lists show.

use crm_core::access::{ApiKey, ApiRequest, Invitation};
use crm_core::activity::{Interaction, Task};
use crm_core::billing::{CreditNote, Invoice, NumberSeries, Payment, Product, Refund};
use crm_core::crud::Rules;
use crm_core::entity::Stored;
use crm_core::people::Contact;
use crm_core::sales::{Deal, Lead, Pipeline, Stage, StageChange, Tag};
use crm_core::service::{Calendar, Case, CaseEvent, CaseRule};
use crm_core::store::Filter;

/// An entity that people work on from the command line.
pub(crate) trait Noun: Rules {
    /// Its name in commands and sentences.
    const NAME: &'static str;
    /// The columns of a list, for people.
    const LIST: &'static [&'static str];
    /// The column of the folded name, where a name that one record alone has may stand for it.
    const FOLDED: Option<&'static str> = None;
    /// The records with a tag, where records have tags.
    const TAGGED: Option<fn(&str) -> Filter<Self>> = None;
    /// How people call one record.
    fn title(stored: &Stored<Self>) -> String;
    /// Fills in what follows from the fields of a new record.
    fn complete(fields: &mut Vec<(&'static str, String)>) {
        let _ = fields;
    }
}

impl Noun for Contact {
    const NAME: &'static str = "contact";
    const LIST: &'static [&'static str] = &["name", "kind", "email", "phone", "city", "country", "owner"];
    const TAGGED: Option<fn(&str) -> Filter<Self>> = Some(Tag::on_contacts);

    fn title(stored: &Stored<Self>) -> String {
        stored.display_name()
    }

    /// Who has no name of a person but a company's is a company.
    fn complete(fields: &mut Vec<(&'static str, String)>) {
        let has = |wanted: &str| fields.iter().any(|(name, text)| *name == wanted && !text.trim().is_empty());
        if !has("kind") {
            let company = has("company_name") && !has("given_name") && !has("family_name");
            fields.push(("kind", if company { "company" } else { "person" }.to_owned()));
        }
    }
}

impl Noun for Product {
    const NAME: &'static str = "product";
    const LIST: &'static [&'static str] = &["sku", "name", "kind", "unit_price", "currency", "tax_percent"];

    fn title(stored: &Stored<Self>) -> String {
        stored.name.to_string()
    }
}

impl Noun for NumberSeries {
    const NAME: &'static str = "series";
    const LIST: &'static [&'static str] = &["kind", "prefix", "digits", "reset", "next", "last", "valid_until"];

    fn title(stored: &Stored<Self>) -> String {
        stored.kind.to_string()
    }
}

impl Noun for Invoice {
    const NAME: &'static str = "invoice";
    const LIST: &'static [&'static str] = &["invoice", "contact", "status", "issued_on", "due_on", "total", "balance"];

    fn title(stored: &Stored<Self>) -> String {
        stored.label()
    }
}

impl Noun for Payment {
    const NAME: &'static str = "payment";
    const LIST: &'static [&'static str] =
        &["id", "contact", "received_on", "amount", "unapplied", "method", "reference"];

    fn title(stored: &Stored<Self>) -> String {
        stored.id.to_string()
    }
}

// Billing.
impl Noun for CreditNote {
    const NAME: &'static str = "credit note";
    const LIST: &'static [&'static str] =
        &["credit_note", "invoice", "contact", "issued_on", "total", "refund", "credit", "offset", "unapplied"];

    fn title(stored: &Stored<Self>) -> String {
        stored.number.as_ref().map_or_else(|| stored.id.to_string(), ToString::to_string)
    }
}

impl Noun for Refund {
    const NAME: &'static str = "refund";
    const LIST: &'static [&'static str] =
        &["id", "contact", "refunded_on", "amount", "method", "reference", "payment", "credit_note"];

    fn title(stored: &Stored<Self>) -> String {
        stored.id.to_string()
    }
}

impl Noun for Lead {
    const NAME: &'static str = "lead";
    const LIST: &'static [&'static str] = &["lead", "contact", "channel", "status", "assignee", "created_at"];
    const TAGGED: Option<fn(&str) -> Filter<Self>> = Some(Tag::on_leads);

    fn title(stored: &Stored<Self>) -> String {
        stored.external_id.as_ref().map_or_else(|| stored.id.to_string(), ToString::to_string)
    }
}

impl Noun for Deal {
    const NAME: &'static str = "deal";
    const LIST: &'static [&'static str] =
        &["title", "contact", "owner", "pipeline", "stage", "status", "amount", "expected_close_on"];
    const FOLDED: Option<&'static str> = Some("title_key");
    const TAGGED: Option<fn(&str) -> Filter<Self>> = Some(Tag::on_deals);

    fn title(stored: &Stored<Self>) -> String {
        stored.title.to_string()
    }
}

impl Noun for StageChange {
    const NAME: &'static str = "step";
    const LIST: &'static [&'static str] = &["at", "from_stage", "to_stage", "from_status", "to_status", "by"];

    fn title(stored: &Stored<Self>) -> String {
        stored.id.to_string()
    }
}

impl Noun for Pipeline {
    const NAME: &'static str = "pipeline";
    const LIST: &'static [&'static str] = &["name", "is_default", "created_at"];
    const FOLDED: Option<&'static str> = Some("name_key");

    fn title(stored: &Stored<Self>) -> String {
        stored.name.to_string()
    }
}

impl Noun for Stage {
    const NAME: &'static str = "stage";
    const LIST: &'static [&'static str] = &["position", "name", "probability"];
    const FOLDED: Option<&'static str> = Some("name_key");

    fn title(stored: &Stored<Self>) -> String {
        stored.name.to_string()
    }
}

impl Noun for Tag {
    const NAME: &'static str = "tag";
    const LIST: &'static [&'static str] = &["name", "created_at"];
    const FOLDED: Option<&'static str> = Some("name_key");

    fn title(stored: &Stored<Self>) -> String {
        stored.name.to_string()
    }
}

impl Noun for Task {
    const NAME: &'static str = "task";
    const LIST: &'static [&'static str] =
        &["id", "title", "contact", "lead", "deal", "invoice", "case", "due_on", "due_at", "assignee", "status"];

    fn title(stored: &Stored<Self>) -> String {
        stored.title.to_string()
    }
}

impl Noun for Interaction {
    const NAME: &'static str = "interaction";
    const LIST: &'static [&'static str] = &["occurred_at", "kind", "author", "notes"];

    fn title(stored: &Stored<Self>) -> String {
        stored.kind.to_string()
    }
}

impl Noun for Case {
    const NAME: &'static str = "case";
    const LIST: &'static [&'static str] =
        &["number", "kind", "topic", "contact", "subject", "assignee", "priority", "status", "received_on", "due_on"];

    fn title(stored: &Stored<Self>) -> String {
        stored.label()
    }
}

impl Noun for CaseEvent {
    const NAME: &'static str = "event";
    const LIST: &'static [&'static str] = &["on", "kind", "by", "text", "from_due_on", "to_due_on", "assignee", "days"];

    fn title(stored: &Stored<Self>) -> String {
        stored.id.to_string()
    }
}

impl Noun for CaseRule {
    const NAME: &'static str = "deadline-rule";
    const LIST: &'static [&'static str] = &["code", "rule_version", "topic", "base_days", "unit", "valid_from"];

    fn title(stored: &Stored<Self>) -> String {
        stored.code.to_string()
    }
}

// Access.
impl Noun for Invitation {
    const NAME: &'static str = "invitation";
    const LIST: &'static [&'static str] = &["email", "role", "invited_by", "expires_at", "ended", "ended_at"];

    fn title(stored: &Stored<Self>) -> String {
        format!("to {}", stored.email)
    }
}

impl Noun for ApiKey {
    const NAME: &'static str = "key";
    const LIST: &'static [&'static str] = &["alias", "prefix", "user", "role", "scopes", "expires_at", "last_used_at"];
    const FOLDED: Option<&'static str> = Some("alias_key");

    fn title(stored: &Stored<Self>) -> String {
        stored.alias.to_string()
    }
}

impl Noun for ApiRequest {
    const NAME: &'static str = "request";
    const LIST: &'static [&'static str] = &["at", "key", "operation", "outcome", "name", "email", "application_id"];

    fn title(stored: &Stored<Self>) -> String {
        stored.id.to_string()
    }
}

impl Noun for Calendar {
    const NAME: &'static str = "calendar";
    const LIST: &'static [&'static str] = &["revision", "code", "base", "zone", "week", "topic", "created_at"];

    fn title(stored: &Stored<Self>) -> String {
        stored.code.to_string()
    }
}

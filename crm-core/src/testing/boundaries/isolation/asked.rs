//! A call as data, so that it can be made in two books and told.

use uuid::Uuid;

use super::super::{Answer, CALLS, Ids};
use crate::access::{ApiKey, ApiRequest, IdempotencyKey, Invitation, KeyQuota, KeyUsage, Membership, Organization};
use crate::activity::{Interaction, Subject, Task, TimelineOptions};
use crate::audit::AuditEntry;
use crate::billing::{
    Allocation, CreditNote, CreditNoteLine, DocumentKind, Invoice, InvoiceLine, NumberSeries, Payment, Product, Refund,
};
use crate::commands::{Create, Update};
use crate::encode::encode_row;
use crate::entity::{Entity, Stored, Table};
use crate::error::CrmError;
use crate::id::Id;
use crate::import::{Import, ImportKind};
use crate::people::Contact;
use crate::row::{Row, Value};
use crate::sales::{ConvertLead, Deal, Lead, Pipeline, Stage, StageChange, Tag, Tagging};
use crate::service::{Calendar, Case, CaseEvent, CaseRule};
use crate::store::{Cursor, Expr, Filter, Order, Query};
use crate::{Edit, Rules, Session};

/// A call with its arguments.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// One of the calls that there is for every operation.
    Operation(usize, Box<Ids>),
    /// Something that can be asked of every kind of record.
    General(usize, General),
    /// A file of one kind, by what its rows are known.
    Import(ImportKind, String, Option<String>),
    /// A page of a timeline.
    Timeline(Subject, Option<Cursor>),
    /// Leads, many at once.
    Convert(Vec<Uuid>, Option<Uuid>),
    /// What a number would be warned of.
    Number(String),
}

/// What can be asked of every kind of record.
#[derive(Clone, Debug)]
pub(super) enum General {
    Get(Uuid),
    Find(String),
    List(Expr, Vec<Order>, Option<Cursor>),
    Count(Expr),
    Create(Vec<(usize, Value)>, Option<IdempotencyKey>),
    CreateMany(Vec<Vec<(usize, Value)>>),
    Update(Uuid, Vec<(usize, Value)>, Option<IdempotencyKey>),
    Archive(Uuid),
    Restore(Uuid),
    Delete(Uuid),
}

/// Asks of one kind of record.
type Ask = for<'a> fn(&'a Session<'a>, &'a General) -> Answer<'a, String>;

macro_rules! kinds {
    ($($entity:ident),* $(,)?) => {
        /// Every kind of record, with its table.
        pub(super) const KINDS: &[(&Table, Ask)] =
            &[$(($entity::TABLE, |session, general| Box::pin(ask::<$entity>(session, general)))),*];
    };
}
kinds!(
    Organization,
    Membership,
    AuditEntry,
    NumberSeries,
    Contact,
    Product,
    Invoice,
    InvoiceLine,
    Payment,
    CreditNote,
    CreditNoteLine,
    Allocation,
    Refund,
    Pipeline,
    Stage,
    Lead,
    Deal,
    StageChange,
    Tag,
    Tagging,
    Calendar,
    CaseRule,
    Case,
    CaseEvent,
    Task,
    Interaction,
    ApiKey,
    KeyQuota,
    KeyUsage,
    ApiRequest,
    Invitation,
);

impl Asked {
    /// Whether the answer holds audit entries.
    pub(super) fn is_of_audit(&self) -> bool {
        match self {
            Self::Operation(number, _) => CALLS[*number].0.starts_with("audit_entry."),
            _ => false,
        }
    }

    /// The answer that a session gets.
    pub(super) async fn of(&self, session: &Session<'_>) -> Result<String, CrmError> {
        match self {
            Self::Operation(number, ids) => Ok(CALLS[*number].1(session, ids).await?.text),
            Self::General(kind, general) => KINDS[*kind].1(session, general).await,
            Self::Import(kind, text, upsert_by) => {
                let import = Import::new(*kind, std::io::Cursor::new(text.clone()));
                let report = session.import(Import { upsert_by: upsert_by.clone(), ..import }).await?;
                Ok(format!("{report:?}"))
            }
            Self::Timeline(subject, after) => {
                let options = TimelineOptions { after: after.clone(), ..TimelineOptions::default() };
                Ok(format!("{:?}", session.timeline(*subject, &options).await?))
            }
            Self::Convert(leads, deal) => {
                let convert = |lead: &Uuid| ConvertLead { deal: deal.map(Id::new), ..ConvertLead::new(Id::new(*lead)) };
                let commands: Vec<ConvertLead> = leads.iter().map(convert).collect();
                Ok(format!("{:?}", session.convert_leads(&commands).await))
            }
            Self::Number(number) => {
                let on = super::super::day(15);
                Ok(format!("{:?}", session.number_warnings(DocumentKind::Invoice, number, on).await?))
            }
        }
    }
}

async fn ask<E: Rules>(session: &Session<'_>, general: &General) -> Result<String, CrmError> {
    Ok(match general {
        General::Get(id) => text(&session.get(Id::<E>::new(*id)).await?),
        General::Find(reference) => text(&session.find::<E>(reference).await?),
        General::List(filter, order, after) => {
            let query = Query::new(Filter::<E>::new(filter.clone())).with_archived().limit(20).after(after.clone());
            let query = order.iter().fold(query, |query, term| query.order(term.column, term.direction));
            let page = session.list(&query).await?;
            let items: Vec<String> = page.items.iter().map(text).collect();
            format!("{items:?} {:?}", page.next)
        }
        General::Count(filter) => session.count(&Query::new(Filter::<E>::new(filter.clone()))).await?.to_string(),
        General::Create(values, key) => text(&session.run_with_key(&Create(edit::<E>(values)), key.as_ref()).await?),
        General::CreateMany(records) => {
            let edits: Vec<Edit<E>> = records.iter().map(|values| edit(values)).collect();
            format!("{:?}", session.create_many(&edits).await?.iter().map(text).collect::<Vec<_>>())
        }
        General::Update(id, values, key) => {
            let update = Update { id: Id::<E>::new(*id), edit: edit(values) };
            text(&session.run_with_key(&update, key.as_ref()).await?)
        }
        General::Archive(id) => text(&session.archive(Id::<E>::new(*id)).await?),
        General::Restore(id) => text(&session.restore(Id::<E>::new(*id)).await?),
        General::Delete(id) => text(&session.delete(Id::<E>::new(*id)).await?),
    })
}

fn edit<E: Entity>(values: &[(usize, Value)]) -> Edit<E> {
    let mut edit = Edit::new();
    for (column, value) in values {
        edit.put(*column, value.clone());
    }
    edit
}

/// A record as text, but for what sealing adds to it.
fn text<E: Entity>(stored: &Stored<E>) -> String {
    let mut row: Row = stored.to_row();
    if *E::TABLE == *AuditEntry::TABLE {
        row[AuditEntry::COLUMNS.seq.index()] = Value::Null;
        row[AuditEntry::COLUMNS.hash.index()] = Value::Null;
    }
    encode_row(E::TABLE, &row)
}

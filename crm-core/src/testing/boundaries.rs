//! Who gets through to what: every operation called by every role, and with the ids of another
//! organization.
//!
//! Each operation of the policy has a call here; one without a call fails [`roles`].

mod access;
mod activity;
mod billing;
mod cases;
mod cells;
mod isolation;
mod kept;
mod sales;
mod told;
mod users;

// What the tests of privacy make as well.
pub(super) use activity::{call, task};
pub(super) use cases::case;
pub(super) use sales::{deal as deal_edit, lead as lead_edit};

use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;

use uuid::Uuid;

use crate::access::{
    ActivateUser, AddMember, ApiRequest, DeactivateUser, EndSessions, IdempotencyKey, KeyQuota, Membership,
    Organization, POLICY, RemoveMember, RevokeKey, Role, SetQuota, SetRole, User, WithdrawInvitation,
};
use crate::activity::{CancelTask, CompleteTask, ReopenTask, Task};
use crate::audit::AuditEntry;
use crate::billing::{
    Allocate, Allocation, CreateInvoice, CreditNote, Credited, DeleteInvoice, DocumentKind, Invoice, InvoiceLine,
    IssueInvoice, NewLine, NumberSeries, Payment, Product, RecordPayment, RefundOf, UpdateInvoice, VoidInvoice,
    WriteOffInvoice,
};
use crate::encode::encode_row;
use crate::entity::{Entity as _, Stored, Tenancy};
use crate::error::CrmError;
use crate::id::Id;
use crate::import::{Import, ImportKind};
use crate::people::Contact;
use crate::report::{
    AgeingOptions, CaseReportOptions, CohortOptions, CollectionOptions, DaysToPayOptions, DealTotalsOptions,
    DebtorsOptions, ForecastOptions, FunnelOptions, LeadCountsOptions, LedgerOptions, RevenueBy, RevenueOptions,
    StatementOptions, SummaryOptions, TaxOptions, VelocityOptions,
};
use crate::row::Value;
use crate::sales::{
    AddStage, AddTag, AssignLead, ChangeStage, ConvertLead, CreateDeal, Deal, DeleteDeal, DeletePipeline, DeleteStage,
    Lead, LeadStatus, LoseDeal, MakeDefault, MoveDeal, MoveLead, RemoveTag, ReopenDeal, ReorderStages, Stage,
    StageChange, StartDeal, Tag, Tagged, Tagging, WinDeal,
};
use crate::schema::TABLES;
use crate::service::{
    AnswerCase, AppealCase, AssignCase, Case, CaseEvent, ClearDay, CloseCase, CompleteCase, ExtendBy, ExtendCase,
    NotifyCase, OpenCase, PauseCase, ReopenCase, TransferCase,
};
use crate::store::{ChangeSet, Cursor, Expr, Page, Query, Select, StoreExt as _};
use crate::value::{Currency, Date, Decimal6, Instant, Money, Patch, Zone};
use crate::{Create, Crm, Edit, Session};

pub use access::stored_scopes;
pub use cells::{Credentials, cells, cells_beside};
pub use isolation::{Isolation, ROUND, isolation, rounds};
pub use kept::{Kept, kept};

/// One record of each kind that a call may name.
#[derive(Clone, Debug)]
pub struct Ids {
    organization: Id<Organization>,
    user: Id<User>,
    member: Id<Membership>,
    series: Id<NumberSeries>,
    contact: Id<Contact>,
    /// A contact to which nothing refers.
    loose: Id<Contact>,
    product: Id<Product>,
    draft: Id<Invoice>,
    open: Id<Invoice>,
    /// An invoice on which a part is paid.
    paid: Id<Invoice>,
    payment: Id<Payment>,
    allocation: Id<Allocation>,
    line: Id<InvoiceLine>,
    activity: activity::Ids,
    billing: billing::Ids,
    access: access::Ids,
    entry: Id<AuditEntry>,
    sales: sales::Ids,
    cases: cases::Ids,
    cursor: Cursor,
    key: IdempotencyKey,
    email: String,
}

/// Takes some fields from another record of ids, and some of the fields that are such records themselves.
macro_rules! mixed {
    ($($field:ident),+ $(; $($part:ident),+)?) => {
        /// These ids, but where `pick` says so those of another.
        pub(super) fn mixed(&self, other: &Self, pick: &mut dyn FnMut() -> bool) -> Self {
            Self {
                $($field: if pick() { other.$field.clone() } else { self.$field.clone() },)+
                $($($part: self.$part.mixed(&other.$part, pick),)+)?
            }
        }
    };
}
use mixed;

impl Ids {
    /// The same id everywhere.
    fn all(id: Uuid) -> Result<Self, CrmError> {
        Ok(Self {
            organization: Id::new(id),
            user: Id::new(id),
            member: Id::new(id),
            series: Id::new(id),
            contact: Id::new(id),
            loose: Id::new(id),
            product: Id::new(id),
            draft: Id::new(id),
            open: Id::new(id),
            paid: Id::new(id),
            payment: Id::new(id),
            allocation: Id::new(id),
            line: Id::new(id),
            activity: activity::Ids::all(id),
            billing: billing::Ids::all(id),
            access: access::Ids::all(id),
            entry: Id::new(id),
            sales: sales::Ids::all(id),
            cases: cases::Ids::all(id),
            cursor: "none".parse()?,
            key: id.to_string().parse()?,
            email: format!("{id}@members.example"),
        })
    }

    mixed!(
        organization, user, member, series, contact, loose, product, draft, open, paid, payment, allocation, line,
        entry, cursor, key, email; activity, billing, access, sales, cases
    );
}

/// What came of a call.
type Answer<'a, T = Told> = Pin<Box<dyn Future<Output = Result<T, CrmError>> + Send + 'a>>;
/// An operation's name and a call of it.
type Call = (&'static str, for<'a> fn(&'a Session<'a>, &'a Ids) -> Answer<'a>);

/// Writes calls as `"operation" => |session, ids| future`.
macro_rules! calls {
    ($($name:literal => |$session:ident, $ids:ident| $call:expr;)*) => {
        &[$(($name, |$session, $ids| Box::pin(async move { $call.await.map(|answer| Told::new(&answer)) }))),*]
    };
}

use calls;
use told::{Told, outcome};

/// Every operation, with the ids in every argument that can hold one.
const CALLS: &[Call] = calls! {
    "organization.read" => |session, ids| session.get(ids.organization);
    "organization.update" => |session, ids| session.update(ids.organization, rename());
    "membership.read" => |session, ids| session.get(ids.member);
    "membership.read" => |session, ids| session.list(&Query::new(Membership::COLUMNS.user_id.eq(&ids.user)));
    "membership.add" => |session, ids| session.run(&add(&ids.email));
    "membership.set_role" => |session, ids| session.run(&SetRole { member: ids.member, role: Role::Manager });
    "membership.remove" => |session, ids| session.run(&RemoveMember { member: ids.member });
    "audit_entry.read" => |session, ids| session.get(ids.entry);
    "audit_entry.read" => |session, ids| history(session, ids.contact.uuid());
    "audit_entry.verify" => |session, _ids| session.verify(None);
    "number_series.read" => |session, ids| session.get(ids.series);
    "number_series.create" => |session, _ids| session.create(contact_series());
    "number_series.update" => |session, ids| session.update(ids.series, Edit::new().set(NumberSeries::COLUMNS.digits, 7));
    "contact.read" => |session, ids| session.get(ids.contact);
    "contact.read" => |session, ids| session.list(&Query::<Contact>::all().after(Some(ids.cursor.clone())));
    "contact.read" => |session, ids| session.list(&Query::new(Contact::COLUMNS.company_id.eq(&Some(ids.contact))));
    "contact.create" => |session, ids| session.create(person().set(Contact::COLUMNS.company_id, Some(ids.contact)));
    "contact.create" => |session, ids| session.create(person().set(Contact::COLUMNS.owner_id, Some(ids.user)));
    "contact.create" => |session, _ids| session.create(person());
    "contact.create" => |session, ids| session.run_with_key(&Create(person()), Some(&ids.key));
    "contact.update" => |session, ids| session.update(ids.contact, Edit::new().set(Contact::COLUMNS.stratum, Some(3)));
    "contact.archive" => |session, ids| session.archive(ids.contact);
    "contact.restore" => |session, ids| session.restore(ids.contact);
    "contact.delete" => |session, ids| session.delete(ids.loose);
    "contact.import" => |session, ids| import(session, ImportKind::Contacts, format!("kind,given_name,company_id,owner_id\nperson,Eva,{},{}\n", ids.contact, ids.user));
    "product.read" => |session, ids| session.get(ids.product);
    "product.create" => |session, _ids| session.create(thing());
    "product.update" => |session, ids| session.update(ids.product, thing());
    "product.archive" => |session, ids| session.archive(ids.product);
    "product.restore" => |session, ids| session.restore(ids.product);
    "product.delete" => |session, ids| session.delete(ids.product);
    "product.import" => |session, _ids| import(session, ImportKind::Products, "name,unit_price\nThing,1\n".to_owned());
    "invoice.read" => |session, ids| session.get(ids.open);
    "invoice.read" => |session, ids| session.list(&Query::new(
        Invoice::COLUMNS.contact_id.refers_to(Contact::COLUMNS.id.eq(&ids.contact)),
    ));
    "invoice_line.read" => |session, ids| session.get(ids.line);
    "invoice.create" => |session, ids| session.run(&CreateInvoice::draft(ids.contact, vec![line(None)]));
    "invoice.create" => |session, ids| with_product(session, ids.product);
    "invoice.update" => |session, ids| session.run(&change(ids.draft, None));
    "invoice.update" => |session, ids| change_to(session, ids.contact);
    "invoice.issue" => |session, ids| session.run(&IssueInvoice { id: ids.draft, number: None });
    "invoice.void" => |session, ids| session.run(&VoidInvoice(ids.open));
    "invoice.write_off" => |session, ids| session.run(&WriteOffInvoice(ids.open));
    "invoice.delete" => |session, ids| session.run(&DeleteInvoice(ids.draft));
    "invoice.import" => |session, ids| import(session, ImportKind::Invoices, format!("contact_id,line.description,line.unit_price\n{},Work,1\n", ids.contact));
    "payment.read" => |session, ids| session.get(ids.payment);
    "allocation.read" => |session, ids| session.get(ids.allocation);
    "payment.record" => |session, ids| session.run(&pay(ids.contact, Allocate::Oldest));
    "payment.record" => |session, ids| session.run(&pay(ids.contact, Allocate::To(vec![(ids.open, dollars(1))])));
    "payment.record" => |session, ids| pay_own(session, ids.open);
    "payment.import" => |session, ids| import(session, ImportKind::Payments, format!("invoice,amount\n{},1\n", ids.open));
    "payment.import" => |session, ids| import(session, ImportKind::Payments, format!("contact_id,amount,received_on\n{},1,2026-06-10\n", ids.contact));
    "report.summary" => |session, _ids| session.summary(&SummaryOptions { per_contact: true, ..Default::default() });
    "report.ageing" => |session, _ids| session.ageing(&AgeingOptions { per_contact: true, ..Default::default() });
    "report.statement" => |session, ids| session.statement(ids.contact, &StatementOptions { from: day(1), to: day(28), restated: false });
    // Billing.
    "payment.allocate" => |session, ids| session.run(&billing::allocate(ids.billing.advance, Allocate::Oldest));
    "payment.allocate" => |session, ids| billing::allocate_own(session, ids.open);
    "payment.unallocate" => |session, ids| session.run(&billing::unallocate(ids.allocation));
    "payment.reverse" => |session, ids| session.run(&billing::reverse(ids.billing.advance));
    "credit_note.read" => |session, ids| session.get(ids.billing.note);
    "credit_note.read" => |session, ids| session.list(&Query::new(CreditNote::COLUMNS.contact_id.eq(&ids.contact)));
    "credit_note_line.read" => |session, ids| session.get(ids.billing.line);
    "credit_note.create" => |session, ids| session.run(&billing::credit(ids.open, Credited::All));
    "credit_note.create" => |session, ids| session.run(&billing::credit_with_refund(ids.paid));
    "credit_note.create" => |session, ids| billing::credit_product(session, ids.product);
    "credit_note.allocate" => |session, ids| session.run(&billing::allocate_credit(ids.billing.note, Allocate::Oldest));
    "credit_note.allocate" => |session, ids| billing::allocate_own_credit(session, ids.open);
    "credit_note.unallocate" => |session, ids| session.run(&billing::unallocate_credit(ids.billing.credited));
    "refund.read" => |session, ids| session.get(ids.billing.refund);
    "refund.record" => |session, ids| session.run(&billing::refund(RefundOf::Payment(ids.billing.advance)));
    "refund.record" => |session, ids| session.run(&billing::refund(RefundOf::CreditNote(ids.billing.note)));
    "audit_entry.verify" => |session, _ids| session.verify_books();
    "report.ledger" => |session, ids| session.ledger(ids.contact, &LedgerOptions::default());
    "report.revenue" => |session, _ids| session.revenue(&RevenueOptions::default());
    "report.revenue" => |session, _ids| session.revenue(&RevenueOptions { by: RevenueBy::Product, ..RevenueOptions::default() });
    "report.collections" => |session, _ids| session.collections(&CollectionOptions::default());
    "report.taxes" => |session, _ids| session.taxes(&TaxOptions::default());
    "report.debtors" => |session, _ids| session.debtors(&DebtorsOptions::default());
    "report.days_to_pay" => |session, _ids| session.days_to_pay(&DaysToPayOptions { per_contact: true, ..DaysToPayOptions::default() });
    // Sales.
    "pipeline.read" => |session, ids| session.get(ids.sales.pipeline);
    "pipeline.create" => |session, _ids| session.run(&sales::another_pipeline());
    "pipeline.update" => |session, ids| session.update(ids.sales.pipeline, sales::rename(&ids.email));
    "pipeline.make_default" => |session, ids| session.run(&MakeDefault(ids.sales.pipeline));
    "pipeline.add_stage" => |session, ids| session.run(&AddStage { pipeline: ids.sales.pipeline, stage: sales::stage("late") });
    "pipeline.change_stage" => |session, ids| session.run(&ChangeStage { stage: ids.sales.second, name: None, probability: Some(Decimal6::ONE) });
    "pipeline.reorder" => |session, ids| session.run(&ReorderStages { pipeline: ids.sales.pipeline, order: vec![ids.sales.end, ids.sales.second, ids.sales.first] });
    "pipeline.reorder" => |session, ids| sales::reorder_own(session, ids.sales.first);
    "pipeline.delete_stage" => |session, ids| session.run(&DeleteStage(ids.sales.second));
    "pipeline.delete" => |session, ids| session.run(&DeletePipeline(ids.sales.pipeline));
    "stage.read" => |session, ids| session.get(ids.sales.first);
    "stage.read" => |session, ids| session.list(&Query::new(Stage::COLUMNS.pipeline_id.eq(&ids.sales.pipeline)));
    "lead.read" => |session, ids| session.get(ids.sales.lead);
    "lead.read" => |session, ids| session.list(&Query::new(Lead::COLUMNS.contact_id.eq(&ids.contact)));
    "lead.create" => |session, ids| session.create(sales::lead(ids.contact));
    "lead.create" => |session, ids| sales::lead_of(session, ids.user);
    "lead.update" => |session, ids| session.update(ids.sales.lead, Edit::new().set(Lead::COLUMNS.sales_notes, "hot".parse().ok()));
    "lead.update" => |session, ids| sales::lead_to(session, ids.contact);
    "lead.assign" => |session, ids| session.run(&AssignLead { id: ids.sales.lead, assignee: None });
    "lead.assign" => |session, ids| session.run(&AssignLead { id: ids.sales.lead, assignee: Some(ids.user) });
    "lead.move" => |session, ids| session.run(&MoveLead { id: ids.sales.lead, status: LeadStatus::Quoted });
    "lead.reopen" => |session, ids| session.run(&MoveLead { id: ids.sales.discarded, status: LeadStatus::New });
    "lead.convert" => |session, ids| session.run(&ConvertLead::new(ids.sales.lead));
    "lead.convert" => |session, ids| session.run(&ConvertLead { deal: Some(ids.sales.deal), ..ConvertLead::new(ids.sales.lead) });
    "lead.convert" => |session, ids| sales::convert_to(session, Some(ids.sales.deal), None, None);
    "lead.convert" => |session, ids| sales::convert_to(session, None, Some(ids.sales.pipeline), None);
    "lead.convert" => |session, ids| sales::convert_to(session, None, None, Some(ids.sales.first));
    "lead.convert" => |session, ids| session.plan_conversion(&ConvertLead::new(ids.sales.lead));
    "lead.archive" => |session, ids| session.archive(ids.sales.lead);
    "lead.restore" => |session, ids| session.restore(ids.sales.lead);
    "lead.delete" => |session, ids| session.delete(ids.sales.lead);
    "deal.read" => |session, ids| session.get(ids.sales.deal);
    "deal.read" => |session, ids| session.list(&Query::new(Deal::COLUMNS.stage_id.eq(&ids.sales.first)));
    "deal.create" => |session, _ids| session.run(&CreateDeal::new(sales::deal()));
    "deal.create" => |session, ids| session.run(&CreateDeal::new(sales::deal().set(Deal::COLUMNS.contact_id, Some(ids.contact))));
    "deal.create" => |session, ids| session.run(&CreateDeal::new(sales::deal().set(Deal::COLUMNS.owner_id, ids.user)));
    "deal.create" => |session, ids| session.run(&CreateDeal::new(sales::deal().set(Deal::COLUMNS.product_id, Some(ids.product))));
    "deal.create" => |session, ids| session.run(&CreateDeal { pipeline: Some(ids.sales.pipeline), ..CreateDeal::new(sales::deal()) });
    "deal.create" => |session, ids| session.run(&CreateDeal { stage: Some(ids.sales.second), ..CreateDeal::new(sales::deal()) });
    "deal.update" => |session, ids| session.update(ids.sales.deal, sales::deal());
    "deal.update" => |session, ids| sales::deal_with(session, Edit::new().set(Deal::COLUMNS.contact_id, Some(ids.contact)));
    "deal.update" => |session, ids| sales::deal_with(session, Edit::new().set(Deal::COLUMNS.product_id, Some(ids.product)));
    "deal.start" => |session, ids| session.run(&StartDeal(ids.sales.deal));
    "deal.move" => |session, ids| session.run(&MoveDeal { id: ids.sales.deal, stage: ids.sales.second });
    "deal.move" => |session, ids| sales::move_own(session, ids.sales.second);
    "deal.move_back" => |session, ids| session.run(&MoveDeal { id: ids.sales.late, stage: ids.sales.first });
    "deal.win" => |session, ids| session.run(&WinDeal(ids.sales.deal));
    "deal.lose" => |session, ids| session.run(&LoseDeal { id: ids.sales.deal, reason: sales::reason() });
    "deal.reopen" => |session, ids| session.run(&ReopenDeal(ids.sales.lost));
    "deal.archive" => |session, ids| session.archive(ids.sales.deal);
    "deal.restore" => |session, ids| session.restore(ids.sales.deal);
    "deal.delete" => |session, ids| session.run(&DeleteDeal(ids.sales.late));
    "deal.delete" => |session, ids| session.delete(ids.sales.late);
    "deal.import" => |session, ids| sales::import_deal(session, "contact_id", ids.contact);
    "deal.import" => |session, ids| sales::import_deal(session, "product_id", ids.product);
    "deal.import" => |session, ids| sales::import_deal(session, "pipeline", ids.sales.pipeline);
    "deal.import" => |session, ids| sales::import_deal(session, "stage", ids.sales.first);
    "deal.import_past" => |session, _ids| sales::import_deal(session, "opened_on", "2020-01-01");
    "stage_change.read" => |session, ids| session.get(ids.sales.step);
    "stage_change.read" => |session, ids| session.list(&Query::new(StageChange::COLUMNS.deal_id.eq(&ids.sales.deal)));
    "tag.read" => |session, ids| session.get(ids.sales.tag);
    "tag.create" => |session, ids| session.create(Edit::new().set(Tag::COLUMNS.name, sales::tag(&ids.email)));
    "tag.update" => |session, ids| session.update(ids.sales.tag, Edit::new().set(Tag::COLUMNS.name, sales::tag(&ids.email)));
    "tag.delete" => |session, ids| session.delete(ids.sales.unused);
    "tagging.read" => |session, ids| session.get(ids.sales.tagging);
    "tagging.read" => |session, ids| session.list(&Query::new(Tagging::COLUMNS.tag_id.eq(&ids.sales.tag)));
    "tagging.add" => |session, ids| session.run(&AddTag { tag: sales::tag("vip"), record: Tagged::Contact(ids.contact) });
    "tagging.add" => |session, ids| session.run(&AddTag { tag: sales::tag("vip"), record: Tagged::Lead(ids.sales.lead) });
    "tagging.add" => |session, ids| session.run(&AddTag { tag: sales::tag("vip"), record: Tagged::Deal(ids.sales.deal) });
    "tagging.remove" => |session, ids| session.run(&RemoveTag { tag: sales::tag("fixture"), record: Tagged::Deal(ids.sales.deal) });
    "report.leads" => |session, _ids| session.lead_counts(&LeadCountsOptions { as_of: Some(later()), ..LeadCountsOptions::default() });
    "report.deals" => |session, _ids| session.deal_totals(&DealTotalsOptions::default());
    "report.funnel" => |session, _ids| session.funnel(&FunnelOptions::default());
    "report.funnel" => |session, ids| session.funnel(&FunnelOptions { pipeline: Some(ids.sales.pipeline), ..FunnelOptions::default() });
    "report.funnel" => |session, ids| session.cohort(&CohortOptions { pipeline: Some(ids.sales.pipeline), ..CohortOptions::default() });
    "report.forecast" => |session, ids| session.forecast(&ForecastOptions { pipeline: Some(ids.sales.pipeline), ..ForecastOptions::default() });
    "report.velocity" => |session, ids| session.velocity(&VelocityOptions { pipeline: Some(ids.sales.pipeline), as_of: Some(later()), ..VelocityOptions::default() });
    // Activity.
    "task.read" => |session, ids| session.get(ids.activity.task);
    "task.read" => |session, ids| session.list(&Query::new(Task::COLUMNS.contact_id.eq(&Some(ids.contact))));
    "task.create" => |session, ids| activity::give(session, ids.contact);
    "task.create" => |session, ids| activity::give(session, ids.sales.lead);
    "task.create" => |session, ids| activity::give(session, ids.sales.deal);
    "task.create" => |session, ids| activity::give(session, ids.open);
    "task.create" => |session, ids| session.create(activity::task().set(Task::COLUMNS.assignee_id, ids.user));
    "task.update" => |session, ids| session.update(ids.activity.task, activity::task());
    "task.update" => |session, ids| activity::turn_to(session, ids.contact);
    "task.update" => |session, ids| activity::turn_to(session, ids.sales.lead);
    "task.update" => |session, ids| activity::turn_to(session, ids.sales.deal);
    "task.complete" => |session, ids| session.run(&CompleteTask(ids.activity.task));
    "task.cancel" => |session, ids| session.run(&CancelTask(ids.activity.task));
    "task.reopen" => |session, ids| session.run(&ReopenTask(ids.activity.task));
    "task.delete" => |session, ids| session.delete(ids.activity.task);
    "interaction.read" => |session, ids| session.get(ids.activity.interaction);
    "interaction.read" => |session, ids| activity::timeline(session, ids.contact);
    "interaction.read" => |session, ids| activity::timeline(session, ids.sales.lead);
    "interaction.read" => |session, ids| activity::timeline(session, ids.sales.deal);
    "interaction.read" => |session, ids| activity::timeline(session, ids.open);
    "interaction.create" => |session, ids| activity::log(session, ids.contact);
    "interaction.create" => |session, ids| activity::log(session, ids.sales.lead);
    "interaction.create" => |session, ids| activity::log(session, ids.sales.deal);
    "interaction.create" => |session, ids| activity::log(session, ids.open);
    // Cases.
    "calendar.read" => |session, ids| session.get(ids.cases.calendar);
    "calendar.read" => |session, _ids| session.calendar();
    "calendar.set" => |session, _ids| session.run(&cases::another_zone());
    "calendar.set_day" => |session, _ids| session.run(&cases::holiday(day(24)));
    "calendar.clear_day" => |session, _ids| session.run(&ClearDay(day(24)));
    "case_rule.read" => |session, ids| session.get(ids.cases.rule);
    "case_rule.create" => |session, ids| session.create(cases::rule(&ids.email, crate::service::deadline::Topic::DataClaim));
    "case_rule.update" => |session, ids| session.update(ids.cases.rule, Edit::new().set(crate::service::CaseRule::COLUMNS.notes, "old".parse().ok()));
    "case_rule.delete" => |session, ids| session.delete(ids.cases.unused);
    "case.read" => |session, ids| session.get(ids.cases.case);
    "case.read" => |session, ids| session.explain_case(ids.cases.case);
    "case.read" => |session, ids| session.list(&Query::new(Case::COLUMNS.contact_id.eq(&ids.contact)));
    "case.open" => |session, ids| session.run(&OpenCase::new(cases::case(ids.contact)));
    "case.open" => |session, ids| cases::open_own(session, Some(ids.user));
    "case.update" => |session, ids| session.update(ids.cases.case, Edit::new().set(Case::COLUMNS.account_number, "1".parse().ok()));
    "case.update" => |session, ids| cases::turn_to(session, ids.contact);
    "case.assign" => |session, ids| session.run(&AssignCase { id: ids.cases.case, assignee: None });
    "case.assign" => |session, ids| session.run(&AssignCase { id: ids.cases.case, assignee: Some(ids.user) });
    "case.transfer" => |session, ids| session.run(&TransferCase { id: ids.cases.case, to: cases::words() });
    "case.pause" => |session, ids| session.run(&PauseCase { id: ids.cases.case, missing: cases::words() });
    "case.complete" => |session, ids| session.run(&CompleteCase { id: ids.cases.paused, text: None });
    "case.extend" => |session, ids| session.run(&ExtendCase { id: ids.cases.case, by: ExtendBy::Days(1), reason: cases::words() });
    "case.answer" => |session, ids| session.run(&AnswerCase { id: ids.cases.case, text: cases::words() });
    "case.notify" => |session, ids| session.run(&NotifyCase { id: ids.cases.answered, proof: cases::words() });
    "case.reopen" => |session, ids| session.run(&ReopenCase { id: ids.cases.answered, reason: cases::words() });
    "case.appeal" => |session, ids| session.run(&AppealCase { id: ids.cases.answered, grounds: cases::words() });
    "case.close" => |session, ids| session.run(&CloseCase { id: ids.cases.case, reason: Some(cases::words()) });
    "case.recompute" => |session, _ids| session.recompute_cases(true);
    "case_event.read" => |session, ids| session.get(ids.cases.event);
    "case_event.read" => |session, ids| session.list(&Query::new(CaseEvent::COLUMNS.case_id.eq(&ids.cases.case)));
    "report.cases" => |session, _ids| session.case_report(&CaseReportOptions::default());
    "task.create" => |session, ids| activity::give(session, ids.cases.case);
    "task.update" => |session, ids| activity::turn_to(session, ids.cases.case);
    "interaction.read" => |session, ids| activity::timeline(session, ids.cases.case);
    "interaction.create" => |session, ids| activity::log(session, ids.cases.case);
    // Users.
    "user.change_password" => |session, _ids| users::change_password(session);
    "user.set_username" => |session, ids| session.run(&users::rename(&ids.email));
    "user.end_sessions" => |session, _ids| session.run(&EndSessions);
    "user.reset_password" => |session, ids| session.run(&users::reset(ids.member));
    "user.deactivate" => |session, ids| session.run(&DeactivateUser(ids.member));
    "user.activate" => |session, ids| session.run(&ActivateUser(ids.member));
    // Access.
    "api_key.read" => |session, ids| session.get(ids.access.key);
    "api_key.create" => |session, ids| session.create_key(&access::key(&ids.email));
    "api_key.set_quota" => |session, ids| session.run(&SetQuota { key: ids.access.key, operation: "contact.create".to_owned(), per_day: Some(1) });
    "api_key.revoke" => |session, ids| session.run(&RevokeKey(ids.access.key));
    "key_quota.read" => |session, ids| session.get(ids.access.quota);
    "key_quota.read" => |session, ids| session.list(&Query::new(KeyQuota::COLUMNS.key_id.eq(&ids.access.key)));
    "key_usage.read" => |session, ids| session.get(ids.access.usage);
    "key_usage.read" => |session, ids| session.key_usage(Some(ids.access.key), day(1), day(28));
    "api_request.read" => |session, ids| session.get(ids.access.request);
    "api_request.read" => |session, ids| session.list(&Query::new(ApiRequest::COLUMNS.key_id.eq(&ids.access.key)));
    "invitation.read" => |session, ids| session.get(ids.access.invitation);
    "invitation.create" => |session, ids| session.invite(&access::invitation(&ids.email));
    "invitation.withdraw" => |session, ids| session.run(&WithdrawInvitation(ids.access.invitation));
    // Privacy.
    "contact.export_personal" => |session, ids| session.export_contact(ids.contact);
    "contact.erase" => |session, ids| session.erase_contact(ids.loose);
    "contact.erase" => |session, ids| session.erase_contact(ids.contact);
    "organization.purge" => |session, _ids| session.purge();
    "api_request.purge" => |session, _ids| session.purge_requests(Date::from_ymd_opt(2026, 1, 1).unwrap_or_default());
    // Counts.
    "contact.read" => |session, _ids| session.count(&Query::<Contact>::all());
    "invoice.read" => |session, _ids| session.count(&Query::<Invoice>::all());
    "lead.read" => |session, _ids| session.count(&Query::<Lead>::all());
    "deal.read" => |session, _ids| session.count(&Query::<Deal>::all());
    "task.read" => |session, _ids| session.count(&Query::<Task>::all());
    "case.read" => |session, _ids| session.count(&Query::<Case>::all());
};

pub(super) fn day(day: u32) -> Date {
    Date::from_ymd_opt(2026, 6, day).unwrap_or_default()
}

/// An instant after all that is done, so that two answers tell of the same one.
fn later() -> Instant {
    Zone::UTC.start_of(day(28))
}

const fn dollars(amount: i64) -> Money {
    Money::new(amount * 100, Currency::USD)
}

pub(super) fn person() -> Edit<Contact> {
    let columns = Contact::COLUMNS;
    let edit = Edit::new().set(columns.kind, crate::people::ContactKind::Person);
    edit.set(columns.given_name, "Someone".parse().ok())
}

fn thing() -> Edit<Product> {
    let columns = Product::COLUMNS;
    let edit = Edit::new().set(columns.unit_price, Decimal6::ONE);
    match "Thing".parse::<crate::value::Text<255>>() {
        Ok(name) => edit.set(columns.name, name),
        Err(_) => edit,
    }
}

fn rename() -> Edit<Organization> {
    Edit::new().set(Organization::COLUMNS.payment_days, 14)
}

fn contact_series() -> Edit<NumberSeries> {
    Edit::new().set(NumberSeries::COLUMNS.kind, DocumentKind::Contact).set(NumberSeries::COLUMNS.digits, 6)
}

fn line(product: Option<Id<Product>>) -> NewLine {
    NewLine {
        product,
        description: "Work".parse().ok(),
        quantity: Decimal6::ONE,
        unit_price: Some(Decimal6::from_micros(10_000_000)),
        discount: None,
        tax_percent: None,
    }
}

fn add(email: &str) -> AddMember {
    let email = email.parse().expect("the tests' addresses are valid");
    AddMember { email, full_name: "New".parse().ok(), role: Role::Viewer }
}

fn change(id: Id<Invoice>, contact: Option<Id<Contact>>) -> UpdateInvoice {
    let notes = "changed".parse().map_or(Patch::Keep, Patch::Set);
    UpdateInvoice { id, contact, issued_on: Patch::Keep, due_on: Patch::Keep, lines: None, notes }
}

fn pay(contact: Id<Contact>, allocate: Allocate) -> RecordPayment {
    RecordPayment {
        contact,
        amount: dollars(1),
        received_on: Some(day(10)),
        method: None,
        reference: None,
        notes: None,
        external_id: None,
        allocate,
    }
}

/// Imports a row; one that is refused names what was not found.
async fn import(session: &Session<'_>, kind: ImportKind, text: String) -> Result<(), CrmError> {
    let report = session.import(Import::new(kind, std::io::Cursor::new(text))).await?;
    report.problems.into_iter().next().map_or(Ok(()), |problem| {
        let reference = format!("{}: {}", problem.field, problem.reason);
        Err(CrmError::NotFound { entity: kind.table().entity, reference })
    })
}

async fn history(session: &Session<'_>, record: Uuid) -> Result<Page<AuditEntry>, CrmError> {
    session.list(&Query::new(AuditEntry::COLUMNS.record_id.eq(&record))).await
}

/// A contact of the session's own, for calls whose other argument is in question.
async fn own_contact(session: &Session<'_>) -> Result<Id<Contact>, CrmError> {
    let found = session.list(&Query::<Contact>::all().limit(1)).await?;
    Ok(found.items.first().map_or(Id::new(Uuid::from_u128(1)), |contact| contact.id))
}

async fn with_product(session: &Session<'_>, product: Id<Product>) -> Result<(), CrmError> {
    let contact = own_contact(session).await?;
    session.run(&CreateInvoice::draft(contact, vec![line(Some(product))])).await.map(drop)
}

async fn change_to(session: &Session<'_>, contact: Id<Contact>) -> Result<(), CrmError> {
    let draft = CreateInvoice::draft(own_contact(session).await?, vec![line(None)]);
    let draft = session.run(&draft).await?;
    session.run(&change(draft.id, Some(contact))).await.map(drop)
}

async fn pay_own(session: &Session<'_>, invoice: Id<Invoice>) -> Result<(), CrmError> {
    let contact = own_contact(session).await?;
    session.run(&pay(contact, Allocate::To(vec![(invoice, dollars(1))]))).await.map(drop)
}

/// Writes one record of each kind, owned by `owner` and assigned to them.
async fn fixtures(session: &Session<'_>, owner: Id<User>, label: &str) -> Result<Ids, CrmError> {
    fixtures_of(session, owner, owner, label).await
}

/// Writes one record of each kind: contacts and deals owned by one member, leads, tasks and cases assigned to another.
async fn fixtures_of(session: &Session<'_>, owner: Id<User>, assignee: Id<User>, label: &str) -> Result<Ids, CrmError> {
    let owned = || person().set(Contact::COLUMNS.owner_id, Some(owner));
    let contact = session.create(owned()).await?;
    let loose = session.create(owned()).await?;
    let product = session.create(thing()).await?;
    let draft = session.run(&CreateInvoice::draft(contact.id, vec![line(None)])).await?;
    let issued = CreateInvoice { issue: Some(None), ..CreateInvoice::draft(contact.id, vec![line(None)]) };
    let open = session.run(&issued).await?;
    let paid = session.run(&issued).await?;
    let payment = session.run(&pay(contact.id, Allocate::To(vec![(paid.id, dollars(1))]))).await?;
    let billing = billing::fixtures(session, contact.id).await?;
    let activity = activity::fixtures(session, assignee, contact.id).await?;
    let access = access::fixtures(session, label).await?;
    let key: IdempotencyKey = format!("key {label}").parse()?;
    session.run_with_key(&Create(owned().set(Contact::COLUMNS.stratum, Some(1))), Some(&key)).await?;
    let member = session.run(&add(&format!("{label}@members.example"))).await?;
    let first = session.list(&Query::<Contact>::all().limit(1)).await?;
    let allocation = session.list(&Query::new(Allocation::COLUMNS.payment_id.eq(&Some(payment.id)))).await?;
    let lines = session.list(&Query::new(InvoiceLine::COLUMNS.invoice_id.eq(&open.id))).await?;
    let entries = session.list(&Query::<AuditEntry>::all().limit(1)).await?;
    let series = session.list(&Query::<NumberSeries>::all()).await?;
    let random = || Uuid::from_u128(2);
    let sales = sales::fixtures(session, owner, assignee, contact.id, label).await?;
    let cases = cases::fixtures(session, assignee, contact.id, label).await?;
    Ok(Ids {
        sales,
        cases,
        organization: session.organization().id,
        user: member.user_id,
        member: member.id,
        series: series.items.first().map_or(Id::new(random()), |series| series.id),
        contact: contact.id,
        loose: loose.id,
        product: product.id,
        draft: draft.id,
        open: open.id,
        paid: paid.id,
        payment: payment.id,
        allocation: allocation.items.first().map_or(Id::new(random()), |allocation| allocation.id),
        line: lines.items.first().map_or(Id::new(random()), |line| line.id),
        activity,
        billing,
        access,
        entry: entries.items.first().map_or(Id::new(random()), |entry| entry.id),
        cursor: first.next.unwrap_or("none".parse()?),
        key,
        email: format!("more-{label}@members.example"),
    })
}

/// The table of what every role gets from every operation: on records of others, and for members on their
/// own. To be compared with a reviewed one.
///
/// # Errors
/// When the fixtures cannot be written.
///
/// # Panics
/// When an operation of the policy has no call here.
pub async fn roles(crm: &Crm) -> Result<String, CrmError> {
    for rule in POLICY {
        assert!(CALLS.iter().any(|(name, _)| *name == rule.operation), "{} is not tried by any role", rule.operation);
    }
    let mut table = String::new();
    for (number, (name, call)) in CALLS.iter().enumerate() {
        let owner = super::organization(crm, &format!("roles-{number}")).await?;
        let mut sessions = vec![(Role::Owner, owner.clone())];
        for role in [Role::Admin, Role::Manager, Role::Member, Role::Viewer] {
            sessions.push((role, super::member(crm, &owner, role).await?));
        }
        let _ = write!(table, "{name:24}");
        for (role, session) in &sessions {
            let ids = fixtures(&owner, owner.user().id, &format!("c{number}-{role}")).await?;
            let ids = Ids { organization: session.organization().id, ..ids };
            let _ = write!(table, " {role}={}", outcome(&call(session, &ids).await));
            match *name {
                "number_series.create" => forget_contact_series(&owner).await?,
                "pipeline.create" => sales::forget_pipeline(&owner).await?,
                _ => {}
            }
        }
        let member = &sessions[3].1;
        let ids = fixtures(&owner, member.user().id, &format!("c{number}-own")).await?;
        let ids = Ids { organization: member.organization().id, user: member.user().id, ..ids };
        let _ = writeln!(table, " own={}", outcome(&call(member, &ids).await));
    }
    Ok(table)
}

/// The table of what every operation gives an owner's API key: with every scope but its own, and with its own alone. To
/// be compared with a reviewed one.
///
/// # Errors
/// When the fixtures cannot be written.
pub async fn scopes(crm: &Crm) -> Result<String, CrmError> {
    let mut table = String::new();
    for (number, (name, call)) in CALLS.iter().enumerate() {
        let owner = super::organization(crm, &format!("scopes-{number}")).await?;
        let _ = write!(table, "{name:24}");
        let others = POLICY.iter().map(|rule| rule.operation).filter(|operation| operation != name);
        let others = others.collect::<Vec<_>>().join(" ");
        for (label, scopes) in [("without", others.as_str()), ("alone", *name)] {
            let ids = fixtures(&owner, owner.user().id, &format!("c{number}-{label}")).await?;
            let session = access::session(crm, &owner, label, scopes).await?;
            let answer = call(&session, &ids).await;
            let out_of_scope = matches!(answer, Err(CrmError::OutOfScope { .. }));
            let _ =
                write!(table, " {label}={}", if out_of_scope { "out_of_scope".to_owned() } else { outcome(&answer) });
        }
        table.push('\n');
    }
    Ok(table)
}

/// Deletes the series that a call made, so that the next role may make it as well.
async fn forget_contact_series(owner: &Session<'_>) -> Result<(), CrmError> {
    let query = Select::new(NumberSeries::TABLE, NumberSeries::COLUMNS.kind.eq(&DocumentKind::Contact).into());
    let made: Vec<Stored<NumberSeries>> = owner.store().all(owner.scope(), &query).await?;
    let mut changes = ChangeSet::new(owner.context().stamp("test"));
    for series in &made {
        changes.delete(series);
    }
    owner.store().apply(owner.scope(), changes).await?;
    Ok(())
}

/// What answers otherwise every time, and is told nothing of others.
const ALWAYS_NEW: [&str; 3] = ["case.recompute", "api_key.create", "invitation.create"];

/// Calls every operation with another organization's ids, in every argument: the answer must be that of ids
/// that are nowhere, and the other organization must not change.
///
/// # Errors
/// When the fixtures cannot be written.
///
/// # Panics
/// When an answer differs, or something changed.
pub async fn foreign(crm: &Crm) -> Result<(), CrmError> {
    let mine = super::organization(crm, "mine").await?;
    let theirs = super::organization(crm, "theirs").await?;
    fixtures(&mine, mine.user().id, "mine").await?;
    let foreign = fixtures(&theirs, theirs.user().id, "theirs").await?;
    let before = dump(&theirs).await?;
    for (number, (name, call)) in CALLS.iter().enumerate() {
        // An organization is addressed by its own session alone; the others hold an id.
        let random = Ids {
            cursor: foreign.cursor.clone(),
            key: format!("fresh {number}").parse()?,
            email: format!("fresh-{number}@members.example"),
            ..Ids::all(Uuid::from_u128(3))?
        };
        let foreign = Ids { email: format!("other-{number}@members.example"), ..foreign.clone() };
        let (entity, verb) = name.split_once('.').unwrap_or_default();
        let theirs_answer = call(&mine, &foreign).await;
        forget_contact_series(&mine).await?;
        sales::forget_pipeline(&mine).await?;
        let random_answer = call(&mine, &random).await;
        let told = |answer: Result<Told, CrmError>| match answer {
            // Entries are sealed whenever it suits the store, what is moved once is not moved again, and secrets are drawn.
            Ok(_) if entity == "audit_entry" || ALWAYS_NEW.contains(name) => "ok".to_owned(),
            Ok(told) if verb == "read" || entity == "report" => told.text,
            // What was made has an id, an instant, a number and an address of its own.
            Ok(told) => without_digits(&without_ids(&told.text.replace("other-", "fresh-"))),
            // The id that was asked for is the one thing that may differ.
            Err(error) => format!("{} {}", error.code().as_str(), without_ids(&error.to_string())),
        };
        let (left, right) = (told(theirs_answer), told(random_answer));
        assert!(left == right, "{name} (call {number}) tells another's id from a random one: {left} / {right}");
        assert_eq!(dump(&theirs).await?, before, "{name} (call {number}) changed another organization");
    }
    Ok(())
}

/// Replaces every UUID in a text.
fn without_ids(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let id = rest.get(..36).filter(|id| Uuid::parse_str(id).is_ok());
        let taken = id.map_or(first.len_utf8(), str::len);
        out.push_str(if id.is_some() { "ID" } else { &rest[..taken] });
        rest = &rest[taken..];
    }
    out
}

/// Replaces every number in a text.
fn without_digits(text: &str) -> String {
    text.split(|c: char| c.is_ascii_digit()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("#")
}

/// Every row of an organization.
async fn dump(session: &Session<'_>) -> Result<String, CrmError> {
    let mut out = String::new();
    let unsealed = AuditEntry::COLUMNS;
    for table in TABLES.iter().filter(|table| table.tenancy == Tenancy::Organization) {
        for mut row in session.store().select(session.scope(), &Select::new(table, Expr::True)).await? {
            if **table == *AuditEntry::TABLE {
                // Sealing goes on by itself.
                row[unsealed.seq.index()] = Value::Null;
                row[unsealed.hash.index()] = Value::Null;
            }
            let _ = writeln!(out, "{} {}", table.entity, encode_row(table, &row));
        }
    }
    Ok(out)
}

//! What the calls of credit notes, refunds and allocations need.

use uuid::Uuid;

use super::{day, dollars, line, own_contact, pay};
use crate::Session;
use crate::billing::{
    Allocate, AllocateCreditNote, AllocatePayment, Allocation, AllocationSource, CreateCreditNote, CreateInvoice,
    CreditNote, CreditNoteLine, Credited, Invoice, Payment, Product, RecordPayment, RecordRefund, Refund, RefundOf,
    ReversePayment, Split, UnallocateCreditNote, UnallocatePayment,
};
use crate::crud::Rules;
use crate::entity::Stored;
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::store::{Filter, Query};

/// One record of each kind that a call may name.
#[derive(Clone, Debug)]
pub(super) struct Ids {
    /// A payment that has something left.
    pub(super) advance: Id<Payment>,
    /// An allocation of a credit note's kept credit.
    pub(super) credited: Id<Allocation>,
    /// A credit note that has some credit left.
    pub(super) note: Id<CreditNote>,
    pub(super) line: Id<CreditNoteLine>,
    pub(super) refund: Id<Refund>,
}

impl Ids {
    /// The same id everywhere.
    pub(super) fn all(id: Uuid) -> Self {
        Self { advance: Id::new(id), credited: Id::new(id), note: Id::new(id), line: Id::new(id), refund: Id::new(id) }
    }

    super::mixed!(advance, credited, note, line, refund);
}

async fn first<E: Rules>(session: &Session<'_>, filter: Filter<E>) -> Result<Id<E>, CrmError> {
    let found = session.list(&Query::new(filter)).await?;
    Ok(found.items.first().map_or(Id::new(Uuid::from_u128(2)), |record| record.id))
}

/// An issued invoice of ten dollars.
async fn issued(session: &Session<'_>, contact: Id<Contact>) -> Result<Stored<Invoice>, CrmError> {
    session.run(&CreateInvoice { issue: Some(None), ..CreateInvoice::draft(contact, vec![line(None)]) }).await
}

/// A payment of twelve dollars, eight of which settle an invoice of ten; five of these are credited, two off what is due.
pub(super) async fn fixtures(session: &Session<'_>, contact: Id<Contact>) -> Result<Ids, CrmError> {
    let invoice = issued(session, contact).await?;
    let settles = Allocate::To(vec![(invoice.id, dollars(8))]);
    let advance = session.run(&RecordPayment { amount: dollars(12), ..pay(contact, settles) }).await?;
    let note = session.run(&credit(invoice.id, Credited::Amount(dollars(5)))).await?;
    let other = issued(session, contact).await?;
    let allocate = Allocate::To(vec![(other.id, dollars(1))]);
    session.run(&AllocateCreditNote { credit_note: note.id, allocate, on: None }).await?;
    let refund = session.run(&RecordRefund::new(RefundOf::Payment(advance.id), dollars(1))).await?;
    let kept = Allocation::COLUMNS.credit_note_id.eq(&Some(note.id))
        & Allocation::COLUMNS.source.eq(&AllocationSource::Credit);
    Ok(Ids {
        advance: advance.id,
        credited: first(session, kept).await?,
        note: note.id,
        line: first(session, CreditNoteLine::COLUMNS.credit_note_id.eq(&note.id)).await?,
        refund: refund.id,
    })
}

pub(super) fn credit(invoice: Id<Invoice>, credited: Credited) -> CreateCreditNote {
    CreateCreditNote::new(invoice, credited, "Returned".parse().expect("a valid reason"))
}

pub(super) const fn allocate(payment: Id<Payment>, allocate: Allocate) -> AllocatePayment {
    AllocatePayment { payment, allocate, on: None }
}

pub(super) const fn unallocate(allocation: Id<Allocation>) -> UnallocatePayment {
    UnallocatePayment { allocation, on: None }
}

pub(super) const fn reverse(payment: Id<Payment>) -> ReversePayment {
    ReversePayment { payment, on: None, reason: None }
}

pub(super) const fn allocate_credit(credit_note: Id<CreditNote>, allocate: Allocate) -> AllocateCreditNote {
    AllocateCreditNote { credit_note, allocate, on: None }
}

pub(super) const fn unallocate_credit(allocation: Id<Allocation>) -> UnallocateCreditNote {
    UnallocateCreditNote { allocation, on: None }
}

pub(super) const fn refund(of: RefundOf) -> RecordRefund {
    RecordRefund::new(of, dollars(1))
}

/// Allocates a payment of the session's own to an invoice.
pub(super) async fn allocate_own(session: &Session<'_>, invoice: Id<Invoice>) -> Result<(), CrmError> {
    let contact = own_contact(session).await?;
    let payment = session.run(&pay(contact, Allocate::Nothing)).await?;
    session.run(&allocate(payment.id, Allocate::To(vec![(invoice, dollars(1))]))).await.map(drop)
}

/// Allocates the kept credit of a note of the session's own to an invoice.
pub(super) async fn allocate_own_credit(session: &Session<'_>, invoice: Id<Invoice>) -> Result<(), CrmError> {
    let contact = own_contact(session).await?;
    let paid = issued(session, contact).await?;
    session
        .run(&RecordPayment { amount: dollars(10), ..pay(contact, Allocate::To(vec![(paid.id, dollars(10))])) })
        .await?;
    let note = session.run(&credit(paid.id, Credited::Amount(dollars(2)))).await?;
    session.run(&allocate_credit(note.id, Allocate::To(vec![(invoice, dollars(1))]))).await.map(drop)
}

/// Credits an invoice of the session's own with a line of a product.
pub(super) async fn credit_product(session: &Session<'_>, product: Id<Product>) -> Result<(), CrmError> {
    let contact = own_contact(session).await?;
    let invoice = issued(session, contact).await?;
    session.run(&credit(invoice.id, Credited::Lines(vec![line(Some(product))]))).await.map(drop)
}

/// A credit note of which a part is paid back at once.
pub(super) fn credit_with_refund(invoice: Id<Invoice>) -> CreateCreditNote {
    let split = Split { refund: Some(dollars(1)), ..Split::default() };
    CreateCreditNote { split, issued_on: Some(day(15)), ..credit(invoice, Credited::Amount(dollars(10))) }
}

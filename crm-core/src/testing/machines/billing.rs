//! Every state, event and role of the machine of invoices.

use super::{compare, said};
use crate::Session;
use crate::billing::{
    Allocate, Allocation, CreateCreditNote, CreateInvoice, Credited, DeleteInvoice, INVOICE, Invoice, InvoiceStatus,
    IssueInvoice, NewLine, RecordPayment, UnallocatePayment, UpdateInvoice, VoidInvoice, WriteOffInvoice,
};
use crate::entity::Stored;
use crate::error::{CrmError, ErrorCode};
use crate::id::Id;
use crate::people::Contact;
use crate::store::Query;
use crate::value::{Currency, Decimal6, Money, Patch};

/// Every event.
pub(super) const EVENTS: &[&str] =
    &["changed", "issued", "deleted", "paid", "credited", "reopened", "voided", "written off"];

const TEN: Money = Money::new(1_000, Currency::USD);

fn pay(invoice: &Stored<Invoice>) -> RecordPayment {
    RecordPayment {
        contact: invoice.contact_id,
        amount: TEN,
        received_on: None,
        method: None,
        reference: None,
        notes: None,
        external_id: None,
        allocate: Allocate::To(vec![(invoice.id, TEN)]),
    }
}

/// An invoice of ten dollars in a status.
async fn prepared(
    owner: &Session<'_>,
    contact: Id<Contact>,
    status: InvoiceStatus,
) -> Result<Stored<Invoice>, CrmError> {
    let line = NewLine {
        product: None,
        description: "Work".parse().ok(),
        quantity: Decimal6::ONE,
        unit_price: Some(Decimal6::from_micros(10_000_000)),
        discount: None,
        tax_percent: None,
    };
    let draft = owner.run(&CreateInvoice::draft(contact, vec![line])).await?;
    if status == InvoiceStatus::Draft {
        return Ok(draft);
    }
    let open = owner.run(&IssueInvoice { id: draft.id, number: None }).await?;
    match status {
        InvoiceStatus::Draft | InvoiceStatus::Open => return Ok(open),
        InvoiceStatus::Paid => drop(owner.run(&pay(&open)).await?),
        InvoiceStatus::Void => drop(owner.run(&VoidInvoice(open.id)).await?),
        InvoiceStatus::Uncollectible => drop(owner.run(&WriteOffInvoice(open.id)).await?),
    }
    owner.get(open.id).await
}

/// Takes back what was paid on an invoice; of an invoice on which nothing is paid there is nothing to take back.
async fn reopen(owner: &Session<'_>, session: &Session<'_>, id: Id<Invoice>) -> Result<(), CrmError> {
    let rows = owner.list(&Query::new(Allocation::COLUMNS.invoice_id.eq(&id))).await?.items;
    let allocation = rows.first().map_or(Id::new(uuid::Uuid::from_u128(3)), |row| row.id);
    session.run(&UnallocatePayment { allocation, on: None }).await.map(drop)
}

pub(super) async fn invoice(
    owner: &Session<'_>,
    session: &Session<'_>,
    contact: Id<Contact>,
    from: InvoiceStatus,
    event: &'static str,
) -> Result<(), CrmError> {
    let role = session.role();
    let invoice = prepared(owner, contact, from).await?;
    let id = invoice.id;
    let (command, got) = match event {
        "changed" => {
            let (issued_on, due_on, notes) = (Patch::Keep, Patch::Keep, Patch::Set("soon".parse()?));
            let update = UpdateInvoice { id, contact: None, issued_on, due_on, lines: None, notes };
            ("invoice.update", session.run(&update).await.map(drop))
        }
        "issued" => ("invoice.issue", session.run(&IssueInvoice { id, number: None }).await.map(drop)),
        "deleted" => ("invoice.delete", session.run(&DeleteInvoice(id)).await.map(drop)),
        "paid" => ("payment.record", session.run(&pay(&invoice)).await.map(drop)),
        "credited" => {
            let part = Credited::Amount(Money::new(100, Currency::USD));
            let note = CreateCreditNote::new(id, part, "Returned".parse()?);
            ("credit_note.create", session.run(&note).await.map(drop))
        }
        "reopened" => ("payment.unallocate", reopen(owner, session, id).await),
        "voided" => ("invoice.void", session.run(&VoidInvoice(id)).await.map(drop)),
        _ => ("invoice.write_off", session.run(&WriteOffInvoice(id)).await.map(drop)),
    };
    let about = format!("invoice {from} {event} by {role}");
    let told = match said(&INVOICE, command, from.as_str(), event, role) {
        // Where nothing was paid, there is no allocation to take back.
        Err(ErrorCode::Rule) if event == "reopened" => Err(ErrorCode::NotFound),
        told => told,
    };
    compare(&about, told, &got);
    if event == "deleted" && got.is_ok() {
        return Ok(());
    }
    let to = INVOICE.find(from.as_str(), event).filter(|_| got.is_ok()).map_or(from.as_str(), |step| step.to);
    assert!(owner.get(id).await?.status.as_str() == to, "{about} leads to {to}");
    Ok(())
}

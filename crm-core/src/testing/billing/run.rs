//! Acts as commands of the library.

use super::Played;
use super::act::{Act, Asked, Credit, Number, To};
use super::amounts::{LineAsked, Off};
use super::books::Fund;
use crate::billing::{
    Allocate, AllocateCreditNote, AllocatePayment, Allocation, AllocationSource, CreateCreditNote, CreateInvoice,
    Credited, DeleteInvoice, Discount, IssueInvoice, NewLine, RecordPayment, RecordRefund, RefundOf, ReversePayment,
    Split, UnallocateCreditNote, UnallocatePayment, VoidInvoice, WriteOffInvoice,
};
use crate::entity::Entity as _;
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{Expr, Select};
use crate::value::{Decimal6, Money};

fn money(asked: Asked) -> Money {
    Money::new(i64::try_from(asked.amount).unwrap(), asked.currency)
}

fn new_lines(lines: &[LineAsked]) -> Vec<NewLine> {
    let line = |line: &LineAsked| NewLine {
        product: None,
        description: "Work".parse().ok(),
        quantity: Decimal6::from_micros(line.quantity),
        unit_price: Some(Decimal6::from_micros(line.price)),
        discount: line.discount.map(|off| match off {
            Off::Percent(percent) => Discount::Percent(Decimal6::from_micros(percent)),
            Off::Amount(amount) => Discount::Amount(Decimal6::from_micros(amount)),
        }),
        tax_percent: Some(Decimal6::from_micros(line.percent)),
    };
    lines.iter().map(line).collect()
}

impl Played {
    fn allocate(&self, to: &To) -> Allocate {
        match to {
            To::Nothing => Allocate::Nothing,
            To::Oldest => Allocate::Oldest,
            To::These(these) => {
                Allocate::To(these.iter().map(|(invoice, share)| (self.invoices[*invoice], money(*share))).collect())
            }
        }
    }

    /// The id of a row, in the order in which they were written.
    async fn row(&self, row: usize) -> Result<Id<Allocation>, CrmError> {
        let all = Select::new(Allocation::TABLE, Expr::True);
        let rows = self.session.store().select(self.session.scope(), &all).await?;
        Ok(Id::new(Allocation::TABLE.id(&rows[row])))
    }

    /// Carries an act out in the library.
    pub(super) async fn carry_out(&mut self, act: &Act) -> Result<(), CrmError> {
        let session = &self.session;
        match act {
            Act::Create { contact, currency, lines, issued_on, due_on, stated, issue } => {
                let number = |number: &Number| number.own().map(|number| number.parse().unwrap());
                let command = CreateInvoice {
                    currency: Some(*currency),
                    issued_on: *issued_on,
                    due_on: *due_on,
                    total: stated.map(|amount| money(Asked { amount, currency: *currency })),
                    issue: issue.as_ref().map(number),
                    ..CreateInvoice::draft(self.contacts[*contact], new_lines(lines))
                };
                let invoice = session.run(&command).await?;
                self.invoices.push(invoice.id);
            }
            Act::Issue { invoice } => {
                session.run(&IssueInvoice { id: self.invoices[*invoice], number: None }).await?;
            }
            Act::Delete { invoice } => {
                session.run(&DeleteInvoice(self.invoices[*invoice])).await?;
            }
            Act::Void { invoice } => {
                session.run(&VoidInvoice(self.invoices[*invoice])).await?;
            }
            Act::WriteOff { invoice } => {
                session.run(&WriteOffInvoice(self.invoices[*invoice])).await?;
            }
            Act::Pay { contact, amount, on, to, key } => {
                let command = RecordPayment {
                    contact: self.contacts[*contact],
                    amount: money(*amount),
                    received_on: *on,
                    method: None,
                    reference: None,
                    notes: None,
                    external_id: None,
                    allocate: self.allocate(to),
                };
                let key = key.map(|key| format!("key {key}").parse().unwrap());
                let payment = session.run_with_key(&command, key.as_ref()).await?;
                if !self.payments.contains(&payment.id) {
                    self.payments.push(payment.id);
                }
            }
            Act::Allocate { of: Fund::Payment(payment), to, on } => {
                let (payment, allocate) = (self.payments[*payment], self.allocate(to));
                session.run(&AllocatePayment { payment, allocate, on: *on }).await?;
            }
            Act::Allocate { of: Fund::Note(note), to, on } => {
                let (credit_note, allocate) = (self.notes[*note], self.allocate(to));
                session.run(&AllocateCreditNote { credit_note, allocate, on: *on }).await?;
            }
            Act::Unallocate { row, source, on } => {
                let (allocation, on) = (self.row(*row).await?, *on);
                if *source == AllocationSource::Payment {
                    session.run(&UnallocatePayment { allocation, on }).await?;
                } else {
                    session.run(&UnallocateCreditNote { allocation, on }).await?;
                }
            }
            Act::Reverse { payment, on } => {
                let payment = self.payments[*payment];
                session.run(&ReversePayment { payment, on: *on, reason: "it bounced".parse().ok() }).await?;
            }
            Act::Credit { invoice, credit, refund, keep, offset, on } => {
                let credited = match credit {
                    Credit::All => Credited::All,
                    Credit::Amount(amount) => Credited::Amount(money(*amount)),
                    Credit::Lines(lines) => Credited::Lines(new_lines(lines)),
                };
                let split = Split { refund: refund.map(money), credit: keep.map(money), offset: offset.map(money) };
                let reason = "Returned".parse()?;
                let command = CreateCreditNote {
                    split,
                    issued_on: *on,
                    ..CreateCreditNote::new(self.invoices[*invoice], credited, reason)
                };
                let note = session.run(&command).await?;
                self.notes.push(note.id);
            }
            Act::Refund { of, amount, on } => {
                let of = match of {
                    Fund::Payment(payment) => RefundOf::Payment(self.payments[*payment]),
                    Fund::Note(note) => RefundOf::CreditNote(self.notes[*note]),
                };
                session.run(&RecordRefund { refunded_on: *on, ..RecordRefund::new(of, money(*amount)) }).await?;
            }
        }
        Ok(())
    }
}

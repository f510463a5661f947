//! How a credit note is made of an invoice, and what becomes of the money.

use std::collections::HashMap;

use async_trait::async_trait;

use super::apply::{Source, apply, day};
use super::credit_note_lines::Billed;
use super::invoice_commands::{build_lines, lines_of, products};
use super::{
    BillingError, CreditNote, CreditNoteLine, DocumentKind, Invoice, InvoiceEvent, Method, NewLine, Numbering, Product,
    Refund,
};
use crate::access::{Grant, policy};
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::entity::{Entity as _, Minor, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{ChangeSet, Select, StoreExt as _};
use crate::value::{Date, Money, Notes, Text, ValueError};

/// What of an invoice is credited.
#[derive(Clone, Debug, PartialEq)]
pub enum Credited {
    /// Everything that is not credited yet.
    All,
    /// An amount with its tax, spread over the invoice's rates of tax.
    Amount(Money),
    /// These lines.
    Lines(Vec<NewLine>),
}

/// What becomes of a credit note's total. What is left open is taken off what is due, and the rest kept as credit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Split {
    /// How much is paid back at once; nothing otherwise.
    pub refund: Option<Money>,
    /// How much is kept as the contact's credit; otherwise what the other parts leave.
    pub credit: Option<Money>,
    /// How much is taken off what is due; otherwise as much as is due and the other parts leave.
    pub offset: Option<Money>,
}

/// Makes a credit note of an invoice, and issues it.
#[derive(Clone, Debug)]
pub struct CreateCreditNote {
    /// Of which invoice: an open or a paid one.
    pub invoice: Id<Invoice>,
    /// What is credited.
    pub credited: Credited,
    /// What becomes of it.
    pub split: Split,
    /// Why.
    pub reason: Text<500>,
    /// The civil date of issue; today otherwise, never later, and not before that of the invoice.
    pub issued_on: Option<Date>,
    /// Under which number; the series' next otherwise.
    pub number: Option<Text<50>>,
    /// How the refund is paid.
    pub method: Option<Method>,
    /// The bank's reference of the refund.
    pub reference: Option<Text<100>>,
    /// What else is to be said.
    pub notes: Option<Notes<2000>>,
    /// The id in the system that it comes from.
    pub external_id: Option<Text<100>>,
}

/// What a credit note is decided on.
struct Basis {
    invoice: Stored<Invoice>,
    lines: Vec<Stored<super::InvoiceLine>>,
    credited: Vec<Stored<CreditNoteLine>>,
    products: HashMap<Id<Product>, Stored<Product>>,
    series: Option<Numbering>,
}

/// The parts of a credit note's total, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parts {
    refund: i64,
    credit: i64,
    offset: i64,
}

impl CreateCreditNote {
    /// A credit note of today, split as is usual: off what is due, and the rest kept.
    pub const fn new(invoice: Id<Invoice>, credited: Credited, reason: Text<500>) -> Self {
        Self {
            invoice,
            credited,
            split: Split { refund: None, credit: None, offset: None },
            reason,
            issued_on: None,
            number: None,
            method: None,
            reference: None,
            notes: None,
            external_id: None,
        }
    }

    /// The credit note with all that it does, added to a change-set: the rule.
    fn write(
        &self,
        basis: &Basis,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<CreditNote>, CrmError> {
        let invoice = &basis.invoice;
        invoice.after(InvoiceEvent::Credit)?;
        let earliest = invoice.issued_on.max(invoice.reopened_on).unwrap_or(Date::MIN);
        let issued_on = day("issued_on", self.issued_on, earliest, context)?;
        if let (Some(number), Some(series)) = (&self.number, &basis.series)
            && series.gives(number)
        {
            let reason = ValueError::NotAllowed { when: "the series gives out such numbers" };
            return Err(CrmError::invalid("number", reason));
        }
        let id = Id::new(context.new_id());
        let billed = Billed { invoice, lines: &basis.lines, credited: &basis.credited };
        let lines = match &self.credited {
            Credited::All => billed.all(id, &self.reason)?,
            Credited::Amount(amount) => billed.amount(id, *amount, &self.reason)?,
            Credited::Lines(lines) => {
                billed.own(id, &build_lines(invoice.id, lines, invoice.currency, &basis.products)?)?
            }
        };
        let (subtotal, tax, total) = totals(&lines, invoice)?;
        if !total.is_positive() {
            return Err(CrmError::invalid("lines", ValueError::NotPositive));
        }
        billed.require_left(total)?;
        let parts = self.split.of(total, invoice)?;
        let note = CreditNote {
            number: self.number.clone(),
            invoice_id: invoice.id,
            contact_id: invoice.contact_id,
            currency: invoice.currency,
            issued_on,
            reason: self.reason.clone(),
            subtotal,
            tax,
            total: Minor(total.minor()),
            refund: Minor(parts.refund),
            credit: Minor(parts.credit),
            offset: Minor(parts.offset),
            unapplied: Minor(parts.credit),
            refunded: Minor(0),
            buyer: invoice.buyer.clone(),
            notes: self.notes.clone(),
            external_id: self.external_id.clone(),
        };
        let note = changes.insert_as(context, id, note);
        if self.number.is_none() {
            let series = basis.series.as_ref().ok_or(BillingError::NoSeries(DocumentKind::CreditNote))?;
            series.take(context, changes, std::iter::once(id), CreditNote::COLUMNS.number.index(), issued_on)?;
        }
        for line in lines {
            changes.insert(context, line);
        }
        let mut after = invoice.clone();
        if parts.offset > 0 {
            after = apply(invoice, Source::Offset(id), parts.offset, issued_on, context, changes)?;
        }
        let credited = Invoice { credited: Minor(invoice.credited.0 + total.minor()), ..after.value.clone() };
        changes.update(context, &after, credited);
        if parts.refund > 0 {
            policy::authorize(context.rights(), Refund::TABLE.entity, "record")?;
            let refund = Refund {
                contact_id: invoice.contact_id,
                currency: invoice.currency,
                amount: Minor(parts.refund),
                refunded_on: issued_on,
                method: self.method,
                reference: self.reference.clone(),
                notes: None,
                payment_id: None,
                credit_note_id: Some(id),
                external_id: None,
            };
            changes.insert(context, refund);
        }
        Ok(note)
    }
}

impl Split {
    /// The parts of a total, checked against what is due and what was paid on the invoice.
    fn of(&self, total: Money, invoice: &Stored<Invoice>) -> Result<Parts, CrmError> {
        let given = |field: &str, part: Option<Money>| match part {
            None => Ok(None),
            Some(part) if part.currency() != total.currency() => {
                let (left, right) = (part.currency(), total.currency());
                Err(CrmError::invalid(field, ValueError::CurrencyMismatch { left, right }))
            }
            Some(part) if part.is_negative() => Err(CrmError::invalid(field, ValueError::Negative)),
            Some(part) if part.minor() > total.minor() => {
                Err(CrmError::from(BillingError::Split { parts: part, total }))
            }
            Some(part) => Ok(Some(part.minor())),
        };
        let refund = given("refund", self.refund)?.unwrap_or(0);
        let (credit, offset) = (given("credit", self.credit)?, given("offset", self.offset)?);
        let due = invoice.due().0;
        let rest = total.minor() - refund;
        let offset = offset.unwrap_or_else(|| (rest - credit.unwrap_or(0)).clamp(0, due));
        let credit = credit.unwrap_or_else(|| (rest - offset).max(0));
        let sum = i128::from(refund) + i128::from(credit) + i128::from(offset);
        if sum != i128::from(total.minor()) {
            let parts = Money::new(i64::try_from(sum).unwrap_or(i64::MAX), total.currency());
            return Err(BillingError::Split { parts, total }.into());
        }
        if offset > due {
            let (asked, due) = (invoice.money(Minor(offset)), invoice.money(Minor(due)));
            return Err(BillingError::MoreThanDue { invoice: invoice.label(), asked, due }.into());
        }
        let left = (invoice.paid.0 - invoice.given_back().0).max(0);
        if refund + credit > left {
            let (asked, left) = (invoice.money(Minor(refund + credit)), invoice.money(Minor(left)));
            return Err(BillingError::MoreThanReceived { invoice: invoice.label(), asked, left }.into());
        }
        Ok(Parts { refund, credit, offset })
    }
}

/// The sums of the lines: before tax, tax, total.
fn totals(lines: &[CreditNoteLine], invoice: &Invoice) -> Result<(Minor, Minor, Money), CrmError> {
    let sum = |amount: fn(&CreditNoteLine) -> Minor| {
        Money::checked_sum(invoice.currency, lines.iter().map(|line| invoice.money(amount(line))))
    };
    let compute = || -> Result<_, ValueError> {
        let (net, tax) = (sum(|line| line.net)?, sum(|line| line.tax)?);
        Ok((Minor(net.minor()), Minor(tax.minor()), net.checked_add(tax)?))
    };
    compute().map_err(|reason| CrmError::invalid("lines", reason))
}

#[async_trait]
impl Command for CreateCreditNote {
    type Root = CreditNote;
    const VERB: &'static str = "create";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<CreditNote>, CrmError> {
        let invoice = session.load(grant, self.invoice).await?;
        let earlier = CreditNoteLine::COLUMNS.credit_note_id.refers_to(CreditNote::COLUMNS.invoice_id.eq(&invoice.id));
        let credited = match invoice.credited {
            Minor(0) => Vec::new(),
            _ => session.store().all(session.scope(), &Select::new(CreditNoteLine::TABLE, earlier.into())).await?,
        };
        let products = match &self.credited {
            Credited::Lines(lines) => products(session, lines).await?,
            Credited::All | Credited::Amount(_) => HashMap::new(),
        };
        let lines = lines_of(session, invoice.id).await?;
        let series = Numbering::of(session, DocumentKind::CreditNote).await?;
        self.write(&Basis { invoice, lines, credited, products, series }, context, changes)
    }
}

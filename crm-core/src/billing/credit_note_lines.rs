//! What of an invoice is credited: its lines, an amount, or lines of the note's own.

use std::collections::BTreeMap;

use super::{BillingError, CreditNote, CreditNoteLine, Invoice, InvoiceLine};
use crate::entity::{Minor, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::value::{Decimal6, Money, Text, ValueError};

/// What was billed at a rate of tax and is not credited yet, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    net: i64,
    tax: i64,
}

/// An invoice, its lines, and the lines that its credit notes have so far.
pub(super) struct Billed<'a> {
    pub(super) invoice: &'a Stored<Invoice>,
    pub(super) lines: &'a [Stored<InvoiceLine>],
    pub(super) credited: &'a [Stored<CreditNoteLine>],
}

/// The line of a credit note that credits such a line of an invoice.
fn crediting(
    note: Id<CreditNote>,
    position: usize,
    line: &InvoiceLine,
    credits: Option<Id<InvoiceLine>>,
) -> CreditNoteLine {
    CreditNoteLine {
        credit_note_id: note,
        position: i64::try_from(position).unwrap_or(i64::MAX),
        invoice_line_id: credits,
        product_id: line.product_id,
        description: line.description.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        discount_percent: line.discount_percent,
        discount: line.discount,
        tax_percent: line.tax_percent,
        currency: line.currency,
        net: line.net,
        tax: line.tax,
    }
}

impl Billed<'_> {
    /// What is left to be credited, by rate of tax.
    fn left(&self) -> BTreeMap<Decimal6, Left> {
        let mut left: BTreeMap<Decimal6, Left> = BTreeMap::new();
        for line in self.lines {
            let of = left.entry(line.tax_percent).or_default();
            of.net += line.net.0;
            of.tax += line.tax.0;
        }
        for line in self.credited {
            let of = left.entry(line.tax_percent).or_default();
            of.net -= line.net.0;
            of.tax -= line.tax.0;
        }
        left
    }

    /// How much is left to be credited, tax included.
    fn rest(&self) -> Money {
        self.invoice.money(Minor(self.invoice.total.0 - self.invoice.credited.0))
    }

    /// Everything that is left: the invoice's lines as they stand, if nothing was credited yet.
    ///
    /// # Errors
    /// [`BillingError::NothingToCredit`].
    pub(super) fn all(&self, note: Id<CreditNote>, words: &Text<500>) -> Result<Vec<CreditNoteLine>, CrmError> {
        let rest = self.rest();
        if !rest.is_positive() {
            return Err(BillingError::NothingToCredit(self.invoice.label()).into());
        }
        if self.invoice.credited != Minor(0) {
            return self.amount(note, rest, words);
        }
        let lines = (1..).zip(self.lines);
        Ok(lines.map(|(position, line)| crediting(note, position, line, Some(line.id))).collect())
    }

    /// An amount with its tax, spread over the invoice's rates of tax by what is left to be credited at each: one line per
    /// rate, exact to the minor unit.
    ///
    /// # Errors
    /// [`BillingError::MoreThanBilled`]; [`CrmError::Invalid`] for an amount that is nothing or in another currency.
    pub(super) fn amount(
        &self,
        note: Id<CreditNote>,
        amount: Money,
        words: &Text<500>,
    ) -> Result<Vec<CreditNoteLine>, CrmError> {
        let refused = |reason| CrmError::invalid("amount", reason);
        let (left, right) = (amount.currency(), self.invoice.currency);
        if left != right {
            return Err(refused(ValueError::CurrencyMismatch { left, right }));
        }
        if !amount.is_positive() {
            return Err(refused(ValueError::NotPositive));
        }
        self.require_left(amount)?;
        let rates: Vec<(Decimal6, Left)> = self.left().into_iter().collect();
        let weight = |amount: i64| u64::try_from(amount).unwrap_or(0);
        let weights: Vec<u64> = rates.iter().map(|(_, left)| weight(left.net + left.tax)).collect();
        let mut lines = Vec::new();
        for ((percent, left), part) in rates.into_iter().zip(amount.allocate(&weights).map_err(refused)?) {
            if part.is_zero() {
                continue;
            }
            let [net, tax] = part.allocate(&[weight(left.net), weight(left.tax)]).map_err(refused)?[..] else {
                continue;
            };
            lines.push(CreditNoteLine {
                credit_note_id: note,
                position: i64::try_from(lines.len() + 1).unwrap_or(i64::MAX),
                invoice_line_id: None,
                product_id: None,
                description: words.clone(),
                quantity: Decimal6::ONE,
                unit_price: Decimal6::parse(&net.decimal().to_string()).map_err(refused)?,
                discount_percent: None,
                discount: Minor(0),
                tax_percent: percent,
                currency: amount.currency(),
                net: Minor(net.minor()),
                tax: Minor(tax.minor()),
            });
        }
        Ok(lines)
    }

    /// Lines of the note's own.
    ///
    /// # Errors
    /// [`BillingError::MoreThanBilledAt`] when more is credited at a rate of tax than is left of what was billed at it.
    pub(super) fn own(&self, note: Id<CreditNote>, lines: &[InvoiceLine]) -> Result<Vec<CreditNoteLine>, CrmError> {
        let left = self.left();
        let mut asked: BTreeMap<Decimal6, Money> = BTreeMap::new();
        for line in lines {
            let net = self.invoice.money(line.net);
            let sum = asked.entry(line.tax_percent).or_insert_with(|| Money::zero(self.invoice.currency));
            *sum = sum.checked_add(net).map_err(|reason| CrmError::invalid("lines", reason))?;
        }
        for (percent, asked) in asked {
            let left = self.invoice.money(Minor(left.get(&percent).map_or(0, |left| left.net)));
            if asked.minor() > left.minor() {
                let invoice = self.invoice.label();
                return Err(BillingError::MoreThanBilledAt { invoice, percent, asked, left }.into());
            }
        }
        Ok((1..).zip(lines).map(|(position, line)| crediting(note, position, line, None)).collect())
    }

    /// Refuses to credit more than is left.
    pub(super) fn require_left(&self, asked: Money) -> Result<(), BillingError> {
        let left = self.rest();
        if asked.minor() <= left.minor() {
            return Ok(());
        }
        Err(BillingError::MoreThanBilled { invoice: self.invoice.label(), asked, left })
    }
}

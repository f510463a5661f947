//! The model's rules: what is refused, and what an accepted act does to the books.

use std::collections::BTreeMap;

use super::act::{Act, Asked, Credit, Number, To};
use super::amounts::{Line, LineAsked, left, spread};
use super::books::{Applied, Books, Fund, InvoiceDoc, NoteDoc, PaymentDoc, RefundDoc, totals};
use crate::billing::{AllocationSource, InvoiceStatus};
use crate::error::ErrorCode;
use crate::value::{Currency, Date};

/// How many days there are to pay when nothing else is said.
const TERM: chrono::Days = chrono::Days::new(30);

/// Why an act is refused: every reason that there is.
#[derive(Debug, Default)]
struct Reasons(Vec<ErrorCode>);

impl Reasons {
    /// A field that cannot be so.
    fn invalid(&mut self, refused: bool) {
        self.0.extend(refused.then_some(ErrorCode::Invalid));
    }

    /// A rule that would be broken.
    fn rule(&mut self, broken: bool) {
        self.0.extend(broken.then_some(ErrorCode::Rule));
    }

    fn answer(self) -> Result<(), Vec<ErrorCode>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}

/// The day of an act: today if none is asked for, never later, and not before that of what it is done to.
fn day(asked: Option<Date>, earliest: Date, today: Date, no: &mut Reasons) -> Date {
    no.invalid(asked.is_some_and(|on| on > today || on < earliest));
    asked.unwrap_or_else(|| today.max(earliest))
}

/// Lines as they are asked for; nothing when one is refused.
fn lines(asked: &[LineAsked], currency: Currency) -> Option<Vec<Line>> {
    asked.iter().map(|line| line.line(currency)).collect()
}

impl Books {
    /// Carries an act out, if nothing forbids it.
    ///
    /// # Errors
    /// The codes of all that forbids it.
    pub(super) fn carry_out(&mut self, act: &Act, today: Date) -> Result<(), Vec<ErrorCode>> {
        let mut no = Reasons::default();
        match act {
            Act::Create { contact, currency, lines, issued_on, due_on, stated, issue } => {
                let days = (*issued_on, *due_on);
                self.create((*contact, *currency), lines, days, *stated, issue.as_ref(), today, no)
            }
            Act::Issue { invoice } => {
                self.existing(*invoice)?;
                no.rule(self.invoices[*invoice].issued);
                if no.0.is_empty() { self.issue(*invoice, None, today, no) } else { no.answer() }
            }
            Act::Delete { invoice } => {
                self.existing(*invoice)?;
                no.rule(self.invoices[*invoice].issued);
                no.answer()?;
                self.invoices[*invoice].deleted = true;
                Ok(())
            }
            Act::Void { invoice } => {
                self.existing(*invoice)?;
                let status = self.status(*invoice);
                no.rule(!matches!(status, InvoiceStatus::Open | InvoiceStatus::Uncollectible));
                no.rule(self.paid_and_offset(*invoice).0 != 0 || self.credited(*invoice) != 0);
                no.answer()?;
                self.invoices[*invoice].voided_on = Some(self.last_day(*invoice, today));
                Ok(())
            }
            Act::WriteOff { invoice } => {
                self.existing(*invoice)?;
                no.rule(self.status(*invoice) != InvoiceStatus::Open);
                no.answer()?;
                self.invoices[*invoice].written_off_on = Some(self.last_day(*invoice, today));
                Ok(())
            }
            Act::Pay { contact, amount, on, to, key } => {
                if let Some(known) = key.and_then(|key| self.keys.get(&key)) {
                    return if known == act { Ok(()) } else { Err(vec![ErrorCode::Duplicate]) };
                }
                self.pay(*contact, *amount, *on, to, today, no)?;
                self.keys.extend(key.map(|key| (key, act.clone())));
                Ok(())
            }
            Act::Allocate { of, to, on } => {
                no.rule(self.is_reversed(*of));
                let (contact, currency, from) = self.party(*of);
                let on = day(*on, from.max(self.taken_back_of(*of)), today, &mut no);
                let rest = self.unapplied(*of);
                let shares = self.shares(to, contact, Asked { amount: rest, currency }, &mut no);
                no.answer()?;
                self.apply(*of, &shares, on);
                Ok(())
            }
            Act::Unallocate { row, source, on } => self.unallocate(*row, *source, *on, today, no),
            Act::Reverse { payment, on } => {
                no.rule(self.payments[*payment].reversed_on.is_some());
                let on = day(*on, self.payments[*payment].received_on, today, &mut no);
                no.answer()?;
                self.payments[*payment].reversed_on = Some(on);
                for row in 0..self.applied.len() {
                    if self.applied[row].of == Fund::Payment(*payment) && self.is_live(row) {
                        let earliest = self.earliest(self.applied[row].invoice);
                        self.undo(row, on.max(earliest).max(self.applied[row].on));
                    }
                }
                Ok(())
            }
            Act::Credit { invoice, credit, refund, keep, offset, on } => {
                self.credit(*invoice, credit, [*refund, *keep, *offset], *on, today, no)
            }
            Act::Refund { of, amount, on } => {
                let (_, currency, from) = self.party(*of);
                no.rule(self.is_reversed(*of));
                no.invalid(amount.amount <= 0 || amount.currency != currency);
                no.rule(amount.amount > self.unapplied(*of));
                let on = day(*on, from.max(self.taken_back_of(*of)), today, &mut no);
                no.answer()?;
                self.refunds.push(RefundDoc { of: *of, amount: amount.amount, on, at_once: false });
                Ok(())
            }
        }
    }

    fn existing(&self, invoice: usize) -> Result<(), Vec<ErrorCode>> {
        if self.invoices[invoice].deleted { Err(vec![ErrorCode::NotFound]) } else { Ok(()) }
    }

    /// The day on which an invoice is withdrawn or given up: today, or the last on which anything counts.
    fn last_day(&self, invoice: usize, today: Date) -> Date {
        today.max(self.earliest(invoice)).max(self.applied_on(invoice).unwrap_or(Date::MIN))
    }

    #[expect(clippy::too_many_arguments, reason = "they are an act's fields")]
    fn create(
        &mut self,
        (contact, currency): (usize, Currency),
        asked: &[LineAsked],
        (issued_on, due_on): (Option<Date>, Option<Date>),
        stated: Option<i128>,
        issue: Option<&Number>,
        today: Date,
        mut no: Reasons,
    ) -> Result<(), Vec<ErrorCode>> {
        let Some(lines) = lines(asked, currency) else { return Err(vec![ErrorCode::Invalid]) };
        no.invalid(stated.is_some_and(|stated| stated != totals(&lines)[2]));
        no.invalid(due_on.zip(issued_on).is_some_and(|(due, issued)| due < issued));
        self.invoices.push(InvoiceDoc {
            contact,
            currency,
            lines,
            number: None,
            issued: false,
            issued_on,
            due_on,
            written_off_on: None,
            voided_on: None,
            deleted: false,
        });
        let invoice = self.invoices.len() - 1;
        let done = match issue {
            None => no.answer(),
            Some(number) => self.issue(invoice, number.own(), today, no),
        };
        if done.is_err() {
            self.invoices.pop();
        }
        done
    }

    fn issue(
        &mut self,
        invoice: usize,
        number: Option<&str>,
        today: Date,
        mut no: Reasons,
    ) -> Result<(), Vec<ErrorCode>> {
        let taken = |number: &str| self.invoices.iter().any(|doc| doc.number.as_deref() == Some(number));
        no.rule(self.invoices[invoice].lines.is_empty());
        no.invalid(number.is_some_and(|number| number.starts_with("INV-0")));
        no.0.extend(number.is_some_and(taken).then_some(ErrorCode::Duplicate));
        let doc = &mut self.invoices[invoice];
        let issued_on = doc.issued_on.unwrap_or(today);
        no.invalid(issued_on > today);
        let due_on = doc.due_on.unwrap_or(issued_on + TERM);
        no.invalid(due_on < issued_on);
        no.answer()?;
        if number.is_none() {
            self.numbered += 1;
        }
        let given = || format!("INV-{:06}", self.numbered);
        doc.number = Some(number.map_or_else(given, ToOwned::to_owned));
        (doc.issued, doc.issued_on, doc.due_on) = (true, Some(issued_on), Some(due_on));
        Ok(())
    }

    fn pay(
        &mut self,
        contact: usize,
        asked: Asked,
        on: Option<Date>,
        to: &To,
        today: Date,
        mut no: Reasons,
    ) -> Result<(), Vec<ErrorCode>> {
        no.invalid(on.is_some_and(|on| on > today));
        no.invalid(asked.amount <= 0);
        let shares = self.shares(to, contact, asked, &mut no);
        no.answer()?;
        let received_on = on.unwrap_or(today);
        let Asked { amount, currency } = asked;
        self.payments.push(PaymentDoc { contact, currency, amount, received_on, reversed_on: None });
        self.apply(Fund::Payment(self.payments.len() - 1), &shares, received_on);
        Ok(())
    }

    /// How much of so much money goes to which invoice.
    fn shares(&self, to: &To, contact: usize, money: Asked, no: &mut Reasons) -> Vec<(usize, i128)> {
        let mut shares: Vec<(usize, i128)> = Vec::new();
        match to {
            To::Nothing => {}
            To::Oldest => {
                let mut rest = money.amount;
                for invoice in self.oldest(contact, money.currency) {
                    let share = rest.min(self.balance(invoice));
                    if share > 0 {
                        shares.push((invoice, share));
                        rest -= share;
                    }
                }
            }
            To::These(asked) => {
                for (invoice, share) in asked {
                    let doc = &self.invoices[*invoice];
                    if doc.deleted {
                        no.invalid(true);
                        continue;
                    }
                    no.invalid(share.amount <= 0);
                    no.rule(doc.currency != share.currency || share.currency != money.currency);
                    no.rule(doc.contact != contact);
                    match shares.iter_mut().find(|(known, _)| known == invoice) {
                        Some((_, known)) => *known += share.amount,
                        None => shares.push((*invoice, share.amount)),
                    }
                }
                no.rule(shares.iter().map(|(_, share)| share).sum::<i128>() > money.amount);
                for (invoice, share) in &shares {
                    let status = self.status(*invoice);
                    no.rule(!matches!(status, InvoiceStatus::Open | InvoiceStatus::Uncollectible));
                    no.rule(*share > self.balance(*invoice));
                }
            }
        }
        shares
    }

    fn apply(&mut self, of: Fund, shares: &[(usize, i128)], on: Date) {
        let source = match of {
            Fund::Payment(_) => AllocationSource::Payment,
            Fund::Note(_) => AllocationSource::Credit,
        };
        for (invoice, amount) in shares {
            self.apply_one(of, source, *invoice, *amount, on);
        }
    }

    fn apply_one(&mut self, of: Fund, source: AllocationSource, invoice: usize, amount: i128, on: Date) {
        let restated_on = on.max(self.earliest(invoice));
        let on = restated_on.max(self.reopened_on(invoice));
        let written_off = self.invoices[invoice].written_off_on.is_some();
        self.applied.push(Applied { of, source, invoice, amount, on, restated_on, undoes: None, written_off });
    }

    fn undo(&mut self, row: usize, on: Date) {
        let undone = self.applied[row].clone();
        let written_off = self.invoices[undone.invoice].written_off_on.is_some();
        let amount = -undone.amount;
        self.applied.push(Applied { amount, on, undoes: Some(row), written_off, ..undone });
    }

    fn unallocate(
        &mut self,
        row: usize,
        source: AllocationSource,
        on: Option<Date>,
        today: Date,
        mut no: Reasons,
    ) -> Result<(), Vec<ErrorCode>> {
        let Applied { invoice, amount, on: since, .. } = self.applied[row];
        no.rule(self.applied[row].source != source || !self.is_live(row));
        no.rule(self.paid_and_offset(invoice).0 - amount < self.given_back(invoice));
        let on = day(on, since.max(self.earliest(invoice)), today, &mut no);
        no.answer()?;
        self.undo(row, on);
        Ok(())
    }

    fn credit(
        &mut self,
        invoice: usize,
        credit: &Credit,
        parts: [Option<Asked>; 3],
        on: Option<Date>,
        today: Date,
        mut no: Reasons,
    ) -> Result<(), Vec<ErrorCode>> {
        self.existing(invoice)?;
        let status = self.status(invoice);
        no.rule(!matches!(status, InvoiceStatus::Open | InvoiceStatus::Paid));
        no.answer()?;
        let mut no = Reasons::default();
        let currency = self.invoices[invoice].currency;
        let earliest = self.invoices[invoice].issued_on.unwrap_or(today).max(self.reopened_on(invoice));
        let issued_on = day(on, earliest, today, &mut no);
        let before: Vec<Line> = self.notes_of(invoice).flat_map(|note| note.lines.clone()).collect();
        let left = left(&self.invoices[invoice].lines, &before);
        let creditable = totals(&left)[2];
        let lines = match credit {
            Credit::All if creditable <= 0 => return Err(vec![ErrorCode::Rule, ErrorCode::Invalid]),
            Credit::All if before.is_empty() => self.invoices[invoice].lines.clone(),
            Credit::All => spread(creditable, &left),
            Credit::Amount(asked) => {
                no.invalid(asked.currency != currency || asked.amount <= 0);
                no.rule(asked.amount > creditable);
                no = Self::go_on(no)?;
                spread(asked.amount, &left)
            }
            Credit::Lines(asked) => {
                let Some(lines) = lines(asked, currency) else { return Err(vec![ErrorCode::Invalid]) };
                let mut rates: BTreeMap<i64, i128> = BTreeMap::new();
                for line in &lines {
                    *rates.entry(line.percent).or_default() += line.net;
                }
                let of = |percent| left.iter().find(|rate| rate.percent == percent).map_or(0, |rate| rate.net);
                no.rule(rates.into_iter().any(|(percent, net)| net > of(percent)));
                lines
            }
        };
        let total = totals(&lines)[2];
        no.invalid(total <= 0);
        no.rule(total > creditable);
        let [refund, credit, offset] = self.split(invoice, total, parts, &mut no);
        no.answer()?;
        let number = format!("CN-{:06}", self.notes.len() + 1);
        self.notes.push(NoteDoc { invoice, number, issued_on, lines, refund, credit, offset });
        let note = Fund::Note(self.notes.len() - 1);
        if offset > 0 {
            self.apply_one(note, AllocationSource::Offset, invoice, offset, issued_on);
        }
        if refund > 0 {
            self.refunds.push(RefundDoc { of: note, amount: refund, on: issued_on, at_once: true });
        }
        Ok(())
    }

    /// Goes on if nothing was refused so far.
    fn go_on(no: Reasons) -> Result<Reasons, Vec<ErrorCode>> {
        no.answer().map(|()| Reasons::default())
    }

    /// What of a note is refunded, kept and taken off what is due.
    fn split(&self, invoice: usize, total: i128, parts: [Option<Asked>; 3], no: &mut Reasons) -> [i128; 3] {
        let currency = self.invoices[invoice].currency;
        for part in parts.iter().flatten() {
            no.invalid(part.currency != currency || part.amount < 0);
            no.rule(part.amount > total);
        }
        let due = if self.status(invoice) == InvoiceStatus::Open { self.balance(invoice) } else { 0 };
        let [refund, keep, offset] = parts.map(|part| part.map(|part| part.amount));
        let refund = refund.unwrap_or(0);
        // What nothing is said of goes off what is due first, and is kept then.
        let offset = offset.unwrap_or_else(|| (total - refund - keep.unwrap_or(0)).min(due).max(0));
        let keep = keep.unwrap_or_else(|| (total - refund - offset).max(0));
        no.rule(refund + keep + offset != total);
        no.rule(offset > due);
        let (paid, _) = self.paid_and_offset(invoice);
        no.rule(refund + keep > (paid - self.given_back(invoice)).max(0));
        [refund, keep, offset]
    }
}

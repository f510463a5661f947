//! Random acts: mostly such as are likely to be accepted, and often ones at the very edge of it.

use super::amounts::{LineAsked, MICROS, Off};
use super::books::{Books, Fund};
use crate::billing::{AllocationSource, InvoiceStatus};
use crate::testing::script::Dice;
use crate::value::{Currency, Date};

/// How many contacts a sequence has.
pub(super) const CONTACTS: usize = 3;

/// Money that is asked for, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) amount: i128,
    pub(super) currency: Currency,
}

/// What money settles.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum To {
    Nothing,
    Oldest,
    These(Vec<(usize, Asked)>),
}

/// What of an invoice is credited.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Credit {
    All,
    Amount(Asked),
    Lines(Vec<LineAsked>),
}

/// Under which number an invoice is issued.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Number {
    /// The series' next.
    Next,
    /// One of its own.
    Own(String),
}

impl Number {
    pub(super) fn own(&self) -> Option<&str> {
        match self {
            Self::Next => None,
            Self::Own(number) => Some(number),
        }
    }
}

/// One step of a sequence. Documents and rows are named by their place in the books.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    Create {
        contact: usize,
        currency: Currency,
        lines: Vec<LineAsked>,
        issued_on: Option<Date>,
        due_on: Option<Date>,
        stated: Option<i128>,
        /// Whether it is issued at once, and how it is numbered.
        issue: Option<Number>,
    },
    Issue {
        invoice: usize,
    },
    Delete {
        invoice: usize,
    },
    Void {
        invoice: usize,
    },
    WriteOff {
        invoice: usize,
    },
    Pay {
        contact: usize,
        amount: Asked,
        on: Option<Date>,
        to: To,
        key: Option<u64>,
    },
    Allocate {
        of: Fund,
        to: To,
        on: Option<Date>,
    },
    Unallocate {
        row: usize,
        source: AllocationSource,
        on: Option<Date>,
    },
    Reverse {
        payment: usize,
        on: Option<Date>,
    },
    Credit {
        invoice: usize,
        credit: Credit,
        refund: Option<Asked>,
        keep: Option<Asked>,
        offset: Option<Asked>,
        on: Option<Date>,
    },
    Refund {
        of: Fund,
        amount: Asked,
        on: Option<Date>,
    },
}

impl Act {
    /// What it is, for tallies.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Create { issue: None, .. } => "draft",
            Self::Create { .. } | Self::Issue { .. } => "issue",
            Self::Delete { .. } => "delete",
            Self::Void { .. } => "void",
            Self::WriteOff { .. } => "write off",
            Self::Pay { to: To::Oldest, .. } => "pay oldest",
            Self::Pay { to: To::These(_), .. } => "pay these",
            Self::Pay { .. } => "advance",
            Self::Allocate { of: Fund::Payment(_), .. } => "allocate payment",
            Self::Allocate { .. } => "allocate credit",
            Self::Unallocate { source: AllocationSource::Payment, .. } => "unallocate payment",
            Self::Unallocate { .. } => "unallocate credit",
            Self::Reverse { .. } => "reverse",
            Self::Credit { credit: Credit::All, .. } => "credit all",
            Self::Credit { credit: Credit::Amount(_), .. } => "credit amount",
            Self::Credit { .. } => "credit lines",
            Self::Refund { of: Fund::Payment(_), .. } => "refund payment",
            Self::Refund { .. } => "refund credit",
        }
    }
}

fn jpy() -> Currency {
    "JPY".parse().expect("a currency")
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).expect("dice roll small numbers")
}

fn currency(dice: &mut Dice) -> Currency {
    match dice.roll(10) {
        0 => jpy(),
        1 | 2 => Currency::EUR,
        _ => Currency::USD,
    }
}

/// Today, or a day of the last weeks, and rarely tomorrow.
fn day(dice: &mut Dice, today: Date) -> Option<Date> {
    match dice.roll(20) {
        0..=9 => None,
        10 => Some(today + chrono::Days::new(1)),
        11..=15 => Some(today - chrono::Days::new(dice.roll(4))),
        _ => Some(today - chrono::Days::new(dice.roll(25))),
    }
}

/// An amount about another: all of it, a part, a little more, something else, and rarely nothing or less.
fn about(dice: &mut Dice, whole: i128) -> i128 {
    let small = i128::from(dice.roll(4_000));
    match dice.roll(20) {
        0..=11 => whole,
        12..=14 => whole / 2,
        15 => whole + 1,
        16 | 17 => whole * i128::from(dice.roll(100)) / 100,
        18 => -small % 2,
        _ => small,
    }
}

fn line(dice: &mut Dice) -> LineAsked {
    // Prices with half cents and more, rates with a half percent.
    let price = match dice.roll(6) {
        0 => 10_005_000,
        1 => 2_675_000,
        2 => -1,
        _ => signed(dice.roll(60_000_000)),
    };
    LineAsked {
        quantity: signed(dice.roll(6)) * MICROS / 2,
        price,
        discount: match dice.roll(8) {
            0 => Some(Off::Percent(signed(dice.roll(110)) * MICROS)),
            1 => Some(Off::Amount(signed(dice.roll(12_000_000)))),
            _ => None,
        },
        percent: [0, 0, 19 * MICROS, 19 * MICROS, 7_500_000, 101 * MICROS][usize::try_from(dice.roll(6)).unwrap()],
    }
}

/// Lines of which most are accepted.
fn lines(dice: &mut Dice) -> Vec<LineAsked> {
    let mut lines: Vec<LineAsked> = (0..=dice.roll(3)).map(|_| line(dice)).collect();
    if !dice.once_in(8) {
        lines.retain(|line| line.line(Currency::USD).is_some());
    }
    lines
}

/// A place in a list, mostly one that is fit for what is meant to happen.
fn one_of(dice: &mut Dice, length: usize, fit: impl Fn(usize) -> bool) -> Option<usize> {
    let fitting: Vec<usize> = (0..length).filter(|at| fit(*at)).collect();
    let all: Vec<usize> = (0..length).collect();
    let chosen = if dice.once_in(8) { &all } else { &fitting };
    dice.pick(chosen).copied()
}

impl Books {
    fn invoice_that_is(&self, dice: &mut Dice, statuses: &[InvoiceStatus]) -> Option<usize> {
        one_of(dice, self.invoices.len(), |at| statuses.contains(&self.status(at)) && !self.invoices[at].deleted)
    }

    /// A payment or a credit note, mostly one that has something left.
    fn fund(&self, dice: &mut Dice) -> Option<Fund> {
        let some = |fund: Fund| self.unapplied(fund) > 0;
        let note = one_of(dice, self.notes.len(), |at| some(Fund::Note(at))).map(Fund::Note);
        let payment = one_of(dice, self.payments.len(), |at| some(Fund::Payment(at))).map(Fund::Payment);
        if dice.once_in(2) { note.or(payment) } else { payment.or(note) }
    }

    fn asked(&self, dice: &mut Dice, invoice: usize, amount: i128) -> Asked {
        let other = dice.once_in(25);
        Asked { amount, currency: if other { currency(dice) } else { self.invoices[invoice].currency } }
    }

    /// Invoices of a contact, and rarely of another.
    fn these(&self, dice: &mut Dice, contact: usize, currency: Currency) -> To {
        let mut these = Vec::new();
        for _ in 0..=dice.roll(2) {
            let fits = |at: &usize| {
                let doc = &self.invoices[*at];
                let receivable = matches!(self.status(*at), InvoiceStatus::Open | InvoiceStatus::Uncollectible);
                (doc.contact, doc.currency) == (contact, currency) && receivable
            };
            let fitting: Vec<usize> = (0..self.invoices.len()).filter(fits).collect();
            let any: Vec<usize> = (0..self.invoices.len()).collect();
            let chosen = if dice.once_in(10) { &any } else { &fitting };
            if let Some(invoice) = dice.pick(chosen).copied() {
                let amount = about(dice, self.balance(invoice));
                these.push((invoice, self.asked(dice, invoice, amount)));
            }
        }
        To::These(these)
    }

    fn to(&self, dice: &mut Dice, contact: usize, currency: Currency) -> To {
        if dice.once_in(3) { To::Oldest } else { self.these(dice, contact, currency) }
    }

    /// A step about documents that are there, or another invoice or payment.
    pub(super) fn act(&self, dice: &mut Dice, today: Date) -> Act {
        loop {
            if let Some(act) = self.try_act(dice, today) {
                return act;
            }
        }
    }

    fn try_act(&self, dice: &mut Dice, today: Date) -> Option<Act> {
        use InvoiceStatus::{Draft, Open, Uncollectible};
        // Two of three steps are about the first contact, so that much comes together.
        let contact = [0, 0, 0, 0, 1, 2][usize::try_from(dice.roll(6)).unwrap()];
        let on = day(dice, today);
        Some(match dice.roll(42) {
            // A few documents on which much happens.
            0..=7 if self.invoices.len() > 6 && !dice.once_in(4) => return None,
            0..=7 => Act::Create {
                contact,
                currency: currency(dice),
                lines: lines(dice),
                issued_on: on,
                due_on: day(dice, today).filter(|_| dice.once_in(2)),
                stated: dice.once_in(20).then(|| i128::from(dice.roll(3_000))),
                issue: (!dice.once_in(6)).then(|| match dice.roll(25) {
                    0 => Number::Own("INV-000004".to_owned()),
                    1 | 2 => Number::Own(format!("X-{}", dice.roll(3))),
                    _ => Number::Next,
                }),
            },
            8 => Act::Issue { invoice: self.invoice_that_is(dice, &[Draft])? },
            9 => Act::Delete { invoice: self.invoice_that_is(dice, &[Draft])? },
            10..=16 => self.paid_act(dice, contact, on),
            17..=20 => {
                let of = self.fund(dice)?;
                let (contact, currency, _) = self.party(of);
                let to = self.to(dice, contact, currency);
                let idle = match &to {
                    To::These(these) => these.is_empty(),
                    _ => self.oldest(contact, currency).is_empty(),
                };
                if idle && !dice.once_in(10) {
                    return None;
                }
                Act::Allocate { of, to, on }
            }
            21..=24 => {
                // Credit that was applied is rarer than payments.
                let rare = dice.once_in(2);
                let row = one_of(dice, self.applied.len(), |row| match self.applied[row].source {
                    AllocationSource::Offset => false,
                    AllocationSource::Credit => self.is_live(row),
                    AllocationSource::Payment => self.is_live(row) && !rare,
                })?;
                let own = self.applied[row].source == AllocationSource::Credit;
                let credit = own != dice.once_in(15);
                let source = if credit { AllocationSource::Credit } else { AllocationSource::Payment };
                Act::Unallocate { row, source, on }
            }
            25 => {
                let standing = |at| !self.is_reversed(Fund::Payment(at));
                Act::Reverse { payment: one_of(dice, self.payments.len(), standing)?, on }
            }
            26..=34 => self.credited_act(dice, on)?,
            35..=38 => {
                let of = self.fund(dice)?;
                let (_, own, _) = self.party(of);
                let currency = if dice.once_in(20) { currency(dice) } else { own };
                Act::Refund { of, amount: Asked { amount: about(dice, self.unapplied(of)), currency }, on }
            }
            39 | 40 if !dice.once_in(3) => return None,
            39 => Act::Void { invoice: self.invoice_that_is(dice, &[Open, Uncollectible])? },
            40 => Act::WriteOff { invoice: self.invoice_that_is(dice, &[Open])? },
            _ => {
                // Credit is kept of what is paid in full, while something else is open.
                let of = one_of(dice, self.notes.len(), |at| self.unapplied(Fund::Note(at)) > 0).map(Fund::Note)?;
                let (contact, currency, _) = self.party(of);
                Act::Allocate { of, to: self.to(dice, contact, currency), on: None }
            }
        })
    }

    fn paid_act(&self, dice: &mut Dice, contact: usize, on: Option<Date>) -> Act {
        let key = dice.once_in(5).then(|| dice.roll(4));
        // The same submission again.
        if let Some(known) = key.and_then(|key| self.keys.get(&key))
            && dice.once_in(2)
        {
            return known.clone();
        }
        let currency = currency(dice);
        let to = match dice.roll(6) {
            0 => To::Nothing,
            1 | 2 => To::Oldest,
            _ => self.these(dice, contact, currency),
        };
        let asked = match &to {
            To::These(these) => these.iter().map(|(_, share)| share.amount).sum(),
            _ => self.oldest(contact, currency).iter().map(|invoice| self.balance(*invoice)).sum(),
        };
        Act::Pay { contact, amount: Asked { amount: about(dice, asked), currency }, on, to, key }
    }

    fn credited_act(&self, dice: &mut Dice, on: Option<Date>) -> Option<Act> {
        let open = if dice.once_in(2) { InvoiceStatus::Open } else { InvoiceStatus::Paid };
        let invoice = self.invoice_that_is(dice, &[open, InvoiceStatus::Paid])?;
        let creditable = self.total(invoice) - self.credited(invoice);
        let amount = about(dice, creditable);
        let credit = match dice.roll(6) {
            0 => Credit::All,
            1 => {
                // Lines as they may have been billed, so that some fit.
                let percent = self.invoices[invoice].lines.first().map_or(0, |line| line.percent);
                let mut asked = lines(dice);
                for line in &mut asked {
                    (line.price, line.percent) = (signed(dice.roll(9_000_000)), percent);
                }
                Credit::Lines(asked)
            }
            _ => Credit::Amount(self.asked(dice, invoice, amount)),
        };
        let total = match &credit {
            Credit::Amount(asked) => asked.amount,
            _ => creditable,
        };
        let received = (self.paid_and_offset(invoice).0 - self.given_back(invoice)).max(0);
        let given_back = total.min(received).max(0);
        let mut parts = [None; 3];
        if dice.once_in(2) {
            // A split that adds up: what is given back, part refunded and part kept, and the rest off what is due.
            let refund = given_back * i128::from(dice.roll(3)) / 2;
            for (part, amount) in parts.iter_mut().zip([refund, given_back - refund, total - given_back]) {
                *part = (!dice.once_in(3)).then(|| self.asked(dice, invoice, amount));
            }
        } else {
            for part in &mut parts {
                if dice.once_in(4) {
                    let amount = about(dice, given_back);
                    *part = Some(self.asked(dice, invoice, amount));
                }
            }
        }
        let [refund, keep, offset] = parts;
        Some(Act::Credit { invoice, credit, refund, keep, offset, on })
    }
}

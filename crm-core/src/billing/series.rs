//! Number series: gap-free numbers, taken in the transaction that uses them.

use chrono::Datelike as _;

use super::prefix::Prefix;
use crate::context::Context;
use crate::crud::{Edit, Rules};
use crate::error::Invalid;
use crate::id::Id;
use crate::value::{Date, Text, ValueError};

crate::choice! {
    /// What a series numbers.
    pub enum DocumentKind {
        /// Invoices, when they are issued.
        Invoice = "invoice",
        /// Credit notes, when they are created.
        CreditNote = "credit_note",
        /// Contacts, when they are created.
        Contact = "contact",
        /// Cases, when they are created.
        Case = "case",
    }
}

impl DocumentKind {
    /// Whether the record is numbered by the general command that creates it, if there is a series.
    pub const fn on_creation(self) -> bool {
        matches!(self, Self::Contact | Self::Case)
    }
}

crate::choice! {
    /// When a series begins again.
    pub enum SeriesReset {
        /// Never.
        Never = "never",
        /// With every civil year of the documents' dates.
        Year = "year",
    }
}

crate::entity! {
    /// A series of numbers for one kind of document.
    pub struct NumberSeries: "number_series" in "crm_number_series" as Record, Organization {
        /// What it numbers.
        pub kind: DocumentKind,
        /// What stands before the number; {year}, {month} and {date} are those of the document's date.
        pub prefix: Option<Text<40>>,
        /// The least number of digits, 1 to 18.
        pub digits: i64,
        /// When it begins again.
        pub reset: SeriesReset,
        /// The number that it begins with; fixed once it gave one.
        pub start: i64,
        /// The year that begins with it, of a yearly series.
        pub start_year: Option<i64> [SERVER_OWNED],
        /// The first number that the authority allows.
        pub first: Option<i64>,
        /// The last number that the authority allows.
        pub last: Option<i64>,
        /// The first civil date on which it may be used.
        pub valid_from: Option<Date>,
        /// The last civil date on which it may be used.
        pub valid_until: Option<Date>,
        /// From which share of the range on there is a warning, in percent.
        pub warn_percent: Option<i64>,
        /// The authority's reference, printed on documents.
        pub authorisation: Option<Text<100>>,
        /// The next number; of a yearly series, how many it gave in all years, and one.
        pub next: i64 [SERVER_OWNED COUNTER],
    }
    columns NumberSeriesColumns;
    derived { }
    unique { "crm_number_series_kind": [kind] }
    index { }
}

crate::entity! {
    /// The numbers of one year of a yearly series.
    pub struct SeriesYear: "series_year" in "crm_series_year" as Entry, Organization {
        /// Of which series.
        pub series_id: Id<NumberSeries> [SERVER_OWNED] => NumberSeries,
        /// The civil year.
        pub year: i64 [SERVER_OWNED],
        /// The next number.
        pub next: i64 [SERVER_OWNED COUNTER],
    }
    columns SeriesYearColumns;
    derived { }
    unique { "crm_series_year_year": [series_id, year] }
    index { }
}

impl NumberSeries {
    /// The largest number that a series gives out.
    pub const LAST: i64 = 999_999_999_999_999_999;
    /// The longest prefix on a document, in characters.
    const PREFIX: usize = 20;

    /// A series that begins at 1 and never again.
    ///
    /// # Errors
    /// When the prefix is too long, has control characters or a place that is not known.
    pub fn new(kind: DocumentKind, prefix: &str, digits: i64) -> Result<Self, ValueError> {
        let series = Self {
            kind,
            prefix: Text::optional(prefix)?,
            digits,
            reset: SeriesReset::Never,
            start: 1,
            start_year: None,
            first: None,
            last: None,
            valid_from: None,
            valid_until: None,
            warn_percent: None,
            authorisation: None,
            next: 1,
        };
        series.check_prefix().map(|()| series)
    }

    /// The first number of its range.
    pub fn range_first(&self) -> i64 {
        self.first.unwrap_or(1)
    }

    /// The last number of its range.
    pub fn range_last(&self) -> i64 {
        self.last.unwrap_or(Self::LAST)
    }

    /// The number that it begins with; a yearly one in this year.
    pub(super) fn begins(&self, year: i64) -> i64 {
        match self.reset {
            SeriesReset::Year if self.start_year != Some(year) => self.range_first(),
            _ => self.start,
        }
    }

    /// Whether it gave a number yet.
    fn is_used(&self) -> bool {
        let unused = match self.reset {
            SeriesReset::Never => self.start,
            SeriesReset::Year => 1,
        };
        self.next > unused
    }

    pub(super) fn parsed(&self) -> Result<Prefix<'_>, ValueError> {
        Prefix::parse(self.prefix.as_deref().unwrap_or_default())
    }

    /// The year and the number in a text that has the form of the series' numbers.
    pub(super) fn read(&self, number: &str) -> Option<(Option<i64>, i64)> {
        let (year, digits) = self.parsed().ok()?.strip(number)?;
        let least = usize::try_from(self.digits).unwrap_or(1);
        let canonical = digits.len() == least || (digits.len() > least && !digits.starts_with('0'));
        let number = digits.parse().ok().filter(|_| canonical && digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        Some((year, number))
    }

    /// Whether the text could be a number that this series gives out: it has the form of one, and is not of before
    /// its beginning.
    pub fn gives(&self, number: &str) -> bool {
        let Some((year, number)) = self.read(number) else { return false };
        let before = |from: Date| year.is_some_and(|year| year < i64::from(from.year()));
        number >= self.begins(year.unwrap_or(0)) && !self.valid_from.is_some_and(before)
    }

    fn check_prefix(&self) -> Result<(), ValueError> {
        let prefix = self.parsed()?;
        if prefix.length() > Self::PREFIX {
            return Err(ValueError::TooLong { max: Self::PREFIX, got: prefix.length() });
        }
        if self.reset == SeriesReset::Year && !prefix.has_year() {
            return Err(ValueError::NotAllowed { when: "the series begins again each year and this has no {year}" });
        }
        Ok(())
    }

    /// What may not change once numbers were given, because one of them could be given again.
    fn check_change(&self, before: &Self) -> Vec<Invalid> {
        let mut refused = Vec::new();
        let mut fix = |field: &str, same: bool| {
            if !same {
                refused.push(Invalid::new(field, ValueError::NotAllowed { when: "the series has given numbers" }));
            }
        };
        fix("reset", self.reset == before.reset);
        fix("start", self.start == before.start);
        // The years that were opened do not move to another range.
        fix("first", self.reset == SeriesReset::Never || self.first == before.first);
        let counts_on = self.reset == SeriesReset::Never;
        if let (Ok(after), Ok(before)) = (self.parsed(), before.parsed())
            && !after.repeats_none_of(&before, counts_on)
        {
            refused.push(Invalid::new("prefix", ValueError::NotAllowed { when: "it could repeat a number" }));
        }
        refused
    }

    /// Sets where it begins and what is next.
    fn set_out(&mut self, before: Option<&Self>, context: &Context) {
        let first = self.range_first();
        match before.filter(|before| before.is_used()) {
            Some(before) if self.reset == SeriesReset::Never => self.next = before.next.max(first),
            Some(_) => {}
            None => {
                self.start = self.start.max(first);
                let yearly = self.reset == SeriesReset::Year;
                self.start_year = yearly.then(|| i64::from(context.today().year()));
                self.next = if yearly { 1 } else { self.start };
            }
        }
    }
}

impl Rules for NumberSeries {
    const GENERAL: &'static [&'static str] = &["create", "update"];
    const NATURAL_KEYS: &'static [&'static str] = &["kind"];

    fn defaults(_: &Context) -> Edit<Self> {
        let columns = Self::COLUMNS;
        Edit::new()
            .set(columns.digits, 6)
            .set(columns.reset, SeriesReset::Never)
            .set(columns.start, 1)
            .set(columns.next, 1)
    }

    fn check(&mut self, before: Option<&Self>, context: &Context) -> Result<(), Vec<Invalid>> {
        let mut refused = Vec::new();
        let mut refuse = |field: &str, reason| refused.push(Invalid::new(field, reason));
        if before.is_some_and(|before| before.kind != self.kind) {
            refuse("kind", ValueError::NotAllowed { when: "the series exists" });
        }
        if !(1..=18).contains(&self.digits) {
            refuse("digits", ValueError::out_of_range(1, 18));
        }
        if let Err(reason) = self.check_prefix() {
            refuse("prefix", reason);
        }
        let numbers =
            [("start", Some(self.start), 1), ("first", self.first, 1), ("last", self.last, self.range_first())];
        for (field, number, least) in numbers {
            if number.is_some_and(|number| !(least..=Self::LAST).contains(&number)) {
                refuse(field, ValueError::out_of_range(least, Self::LAST));
            }
        }
        if self.last.is_some_and(|last| self.start > last) && before.is_none_or(|before| before.start != self.start) {
            refuse("start", ValueError::out_of_range(self.range_first(), self.range_last()));
        }
        if let (Some(from), Some(until)) = (self.valid_from, self.valid_until)
            && until < from
        {
            refuse("valid_until", ValueError::Before { earliest: from, got: until });
        }
        if self.warn_percent.is_some_and(|percent| !(1..=100).contains(&percent)) {
            refuse("warn_percent", ValueError::out_of_range(1, 100));
        }
        if let Some(before) = before.filter(|before| before.is_used()) {
            refused.extend(self.check_change(before));
        }
        if !refused.is_empty() {
            return Err(refused);
        }
        self.set_out(before, context);
        Ok(())
    }
}

//! A month of a water utility's petitions, complaints and claims: 200 of them come in over April 2025, Holy Week in its
//! middle, and are assigned, paused, extended, answered, notified, appealed and closed until the middle of May, some of
//! them late. At the end stand the report of cases and the explanation of one due date.
//!
//! The people and the cases are made up by a seeded generator, so that every run says the same; `README.md` in
//! `examples/utility-month` walks through what it says.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError};

use crm_core::access::{AddMember, Organization, Role, User};
use crm_core::entity::Stored;
use crm_core::people::{Contact, ContactKind};
use crm_core::report::{AnswerTimes, CaseReport, CaseReportOptions, Waiting};
use crm_core::service::calendar::{BusinessCalendar, Week};
use crm_core::service::deadline::Topic;
use crm_core::service::{
    AnswerCase, AppealCase, AssignCase, Calendar, Case, CaseChannel, CaseEvent, CaseEventKind, CaseKind, CloseCase,
    CompleteCase, ExtendBy, ExtendCase, NotifyCase, OpenCase, PauseCase, ReopenCase, SetCalendar,
};
use crm_core::store::Query;
use crm_core::value::{Date, Decimal6, Instant, Notes, Text, parse_date};
use crm_core::{Crm, Edit, Environment, Id, NewOrganization, Session, SystemEnvironment, block_on};
use crm_store_sqlite::{Durability, SqliteOptions, SqliteStore};
use uuid::Uuid;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How many cases come in.
const CASES: usize = 200;
/// Where the generator begins.
const SEED: u64 = 20_250_417;
/// When the report is made: a Friday afternoon.
const END: &str = "2025-05-16T17:00:00-05:00";

const PEOPLE: &[&str] =
    &["Lucía", "Andrés", "Camila", "Mateo", "Sofía", "José", "Valentina", "Íñigo", "Rosa", "Hernán"];
const FAMILIES: &[&str] = &["Pérez", "Gómez", "Núñez", "Castaño"];
const OFFICERS: [(&str, &str); 3] =
    [("marta@aguas.example", "Marta Ruiz"), ("luis@aguas.example", "Luis Mora"), ("vera@aguas.example", "Vera Sosa")];

/// What people write about: how often, as what, under which topic, and what they say.
const MATTERS: &[(u64, CaseKind, Topic, &str, &str)] = &[
    (42, CaseKind::Claim, Topic::Utilities, "The bill is too high", "It counts water that I did not use."),
    (14, CaseKind::Complaint, Topic::Utilities, "Nobody came", "The inspector did not come on the day agreed."),
    (12, CaseKind::Petition, Topic::Utilities, "A new connection", "I ask for a connection for my house."),
    (10, CaseKind::Report, Topic::Utilities, "A leak in the street", "Water comes out of the pavement."),
    (12, CaseKind::Petition, Topic::Information, "Copies of my bills", "I ask for my bills of last year."),
    (6, CaseKind::Petition, Topic::General, "A visit to the plant", "Our school would like to see the plant."),
    (2, CaseKind::Claim, Topic::DataClaim, "My address is wrong", "I ask that my address be corrected."),
    (2, CaseKind::Suggestion, Topic::General, "Bills by e-mail", "You could send the bills by e-mail."),
];

/// A clock that the program sets.
#[derive(Clone)]
struct Clock(Arc<Mutex<Instant>>);

impl Clock {
    fn set(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Environment for Clock {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_id(&self) -> Uuid {
        SystemEnvironment.new_id()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        SystemEnvironment.fill_random(bytes);
    }
}

/// Numbers that look random and are the same in every run: splitmix64.
struct Dice(u64);

impl Dice {
    /// A number from 0 to one below the bound.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// Whether something of this likelihood happens.
    fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A number of days, both bounds included.
    fn days(&mut self, from: u32, to: u32) -> u32 {
        from + u32::try_from(self.below(u64::from(to - from) + 1)).unwrap_or(0)
    }

    /// One of several.
    fn of<'a, T>(&mut self, several: &'a [T]) -> &'a T {
        let several_many = u64::try_from(several.len()).unwrap_or(1);
        &several[usize::try_from(self.below(several_many)).unwrap_or(0)]
    }
}

/// What happens next to a case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Open,
    Assign,
    Pause,
    Complete,
    Extend,
    Answer,
    Notify,
    Appeal,
    Reopen,
    Close,
}

/// The office: who works there, by which calendar, and what is still to be done.
struct Office {
    clock: Clock,
    dice: Dice,
    calendar: BusinessCalendar,
    /// Who opens, assigns and closes.
    desk: Session<'static>,
    /// Who answer, each by their own session.
    officers: Vec<(Id<User>, Session<'static>)>,
    contacts: Vec<Stored<Contact>>,
    /// The cases in the order of their receipt, once they came in.
    cases: Vec<Option<Stored<Case>>>,
    /// What happens when to which case, the earliest first.
    plan: BinaryHeap<Reverse<(Instant, usize, Next)>>,
}

/// An instant by the clocks of Bogotá, which have no summer time.
fn at(day: Date, hour: u64, minute: u64) -> Fallible<Instant> {
    Ok(format!("{day}T{hour:02}:{minute:02}:00-05:00").parse()?)
}

impl Office {
    /// Lets something happen to a case at this hour, so many business days after a day.
    fn later(&mut self, case: usize, next: Next, after: Date, days: u32, hour: u64) -> Fallible<()> {
        let day = self.calendar.add_business_days(after, days)?;
        self.plan.push(Reverse((at(day, hour, 0)?, case, next)));
        Ok(())
    }

    /// Plans the receipt of every case: letters, calls and visits in office hours, everything else at any time.
    fn receive(&mut self) -> Fallible<()> {
        let days: Vec<Date> = parse_date("2025-04-01")?.iter_days().take(30).collect();
        for case in 0..CASES {
            let (mut day, mut hour) = (*self.dice.of(&days), self.dice.below(24));
            if case % 2 == 0 {
                day = self.calendar.on_or_after(day)?;
                hour = *self.dice.of(&[8, 9, 10, 11, 14, 15, 16]);
            }
            let minute = self.dice.below(60);
            self.plan.push(Reverse((at(day, hour, minute)?, case, Next::Open)));
        }
        Ok(())
    }

    /// Does what is to be done, in order, until the end.
    async fn work(&mut self, end: Instant) -> Fallible<()> {
        while let Some(Reverse((now, case, next))) = self.plan.pop() {
            if now > end {
                break;
            }
            self.clock.set(now);
            let today = self.calendar.zone().date_at(now);
            let Some(before) = self.cases[case].clone() else {
                self.cases[case] = Some(self.open(case, today).await?);
                continue;
            };
            self.cases[case] = Some(self.step(case, &before, next, today).await?);
        }
        self.clock.set(end);
        Ok(())
    }

    async fn open(&mut self, case: usize, today: Date) -> Fallible<Stored<Case>> {
        let mut drawn = self.dice.below(100);
        let matter = MATTERS.iter().find(|(often, ..)| {
            let found = drawn < *often;
            drawn = drawn.saturating_sub(*often);
            found
        });
        let (_, kind, topic, subject, description) = matter.unwrap_or(&MATTERS[0]);
        let channel = if case.is_multiple_of(2) {
            *self.dice.of(&[CaseChannel::InPerson, CaseChannel::Phone, CaseChannel::Letter])
        } else {
            *self.dice.of(&[CaseChannel::Web, CaseChannel::Web, CaseChannel::Email, CaseChannel::Whatsapp])
        };
        let contact = self.dice.of(&self.contacts).id;
        let columns = Case::COLUMNS;
        let edit = Edit::new()
            .set(columns.kind, *kind)
            .set(columns.topic, *topic)
            .set(columns.channel, channel)
            .set(columns.contact_id, contact)
            .set(columns.subject, subject.parse::<Text<100>>()?)
            .set(columns.description, description.parse::<Notes<10000>>()?);
        let opened = self.desk.run(&OpenCase::new(edit)).await?;
        self.later(case, Next::Assign, today, 1, 8)?;
        Ok(opened)
    }

    /// Carries out a step, and plans the one that follows.
    async fn step(&mut self, case: usize, before: &Stored<Case>, next: Next, today: Date) -> Fallible<Stored<Case>> {
        let id = before.id;
        let assignee = before.assignee_id;
        let officer = self.officers.iter().find(|(user, _)| Some(*user) == assignee);
        let session = officer.map_or(&self.desk, |(_, session)| session).clone();
        Ok(match next {
            Next::Open | Next::Assign => {
                let assignee = Some(self.dice.of(&self.officers).0);
                let after = self.desk.run(&AssignCase { id, assignee }).await?;
                match self.dice.below(100) {
                    0..14 => {
                        let days = self.dice.days(1, 3);
                        self.later(case, Next::Pause, today, days, 10)?;
                    }
                    14..16 => self.later(case, Next::Close, today, 2, 10)?,
                    16..19 => {} // It is forgotten.
                    // The rule of public utilities knows no extension; those of the other topics do.
                    19..60 if after.topic != Topic::Utilities => {
                        let days = self.dice.days(3, 6);
                        self.later(case, Next::Extend, today, days, 11)?;
                    }
                    _ => self.answer_by(case, after.due_on, today)?,
                }
                after
            }
            Next::Pause => {
                let missing = "A copy of the identity card and a photo of the meter are missing.".parse()?;
                let days = self.dice.days(2, 8);
                if self.dice.happens(90) {
                    self.later(case, Next::Complete, today, days, 9)?;
                }
                session.run(&PauseCase { id, missing }).await?
            }
            Next::Complete => {
                let text = Some("The papers came by e-mail.".parse()?);
                let after = session.run(&CompleteCase { id, text }).await?;
                self.answer_by(case, after.due_on, today)?;
                after
            }
            Next::Extend => {
                let reason = "The archive is being moved; the copies take longer.".parse()?;
                let by = ExtendBy::Days(self.dice.days(3, 5));
                let after = session.run(&ExtendCase { id, by, reason }).await?;
                self.answer_by(case, after.due_on, today)?;
                after
            }
            Next::Answer => {
                if self.dice.happens(92) {
                    let days = self.dice.days(1, 2);
                    self.later(case, Next::Notify, today, days, 9)?;
                }
                session.run(&AnswerCase { id, text: "We looked into it; this is what we found.".parse()? }).await?
            }
            Next::Notify => {
                let days = self.dice.days(3, 5);
                match self.dice.below(100) {
                    0..5 if before.topic == Topic::Utilities => self.later(case, Next::Appeal, today, days, 14)?,
                    5..8 => self.later(case, Next::Reopen, today, 1, 14)?,
                    8..70 => self.later(case, Next::Close, today, days, 16)?,
                    _ => {}
                }
                let proof = format!("Guide {}", 700_100 + case).parse()?;
                session.run(&NotifyCase { id, proof }).await?
            }
            Next::Appeal => {
                let after = session.run(&AppealCase { id, grounds: "The meter was read wrongly.".parse()? }).await?;
                self.answer_by(case, after.due_on, today)?;
                after
            }
            Next::Reopen => {
                // The due date stands: the answer follows as soon as it can.
                self.later(case, Next::Answer, today, 2, 15)?;
                self.desk.run(&ReopenCase { id, reason: "The answer was about another account.".parse()? }).await?
            }
            Next::Close => {
                let withdrawn = before.status.is_open().then(|| "The contact withdrew it.".parse()).transpose()?;
                self.desk.run(&CloseCase { id, reason: withdrawn }).await?
            }
        })
    }

    /// Plans the answer: on any business day until the due date, and now and then after it.
    fn answer_by(&mut self, case: usize, due_on: Option<Date>, today: Date) -> Fallible<()> {
        let due_on = due_on.unwrap_or(today);
        if self.dice.happens(10) {
            let days = self.dice.days(1, 5);
            return self.later(case, Next::Answer, due_on, days, 15);
        }
        let left = u64::try_from(self.calendar.business_days_between(today, due_on)?).unwrap_or(0);
        let days = if left > 1 { 1 + self.dice.below(left) } else { left };
        self.later(case, Next::Answer, today, u32::try_from(days)?, 15)
    }
}

/// Makes the utility: its organization, its calendar, its officers and its customers.
async fn found(file: &str) -> Fallible<Office> {
    let clock = Clock(Arc::new(Mutex::new("2025-03-31T09:00:00-05:00".parse()?)));
    let options = SqliteOptions { durability: Durability::Normal, ..SqliteOptions::default() };
    let crm = Crm::new(SqliteStore::open(file, options)?, clock.clone());
    let mut organization =
        Organization::new("aguas".parse()?, "Aguas".parse()?, "COP".parse()?, "America/Bogota".parse()?);
    organization.default_region = Some("CO".parse()?);
    crm.create_organization(&NewOrganization {
        organization,
        owner_email: "ana@aguas.example".parse()?,
        owner_name: "Ana Díaz".parse()?,
        invoice_prefix: "F-".into(),
    })
    .await?;
    let slug = "aguas".parse()?;
    let desk = crm.session(&slug, &"ana@aguas.example".parse()?).await?;
    let columns = Calendar::COLUMNS;
    let week: Week = "mon-fri 08:00-12:00 14:00-17:00".parse()?;
    let set = SetCalendar(Edit::new().set(columns.week, week).set(columns.topic, Topic::Utilities));
    let calendar = desk.run(&set).await?.business()?;
    let mut officers = Vec::new();
    for (email, name) in OFFICERS {
        let member = AddMember { email: email.parse()?, full_name: Some(name.parse()?), role: Role::Member };
        let user = desk.run(&member).await?.user_id;
        officers.push((user, crm.session(&slug, &email.parse()?).await?));
    }
    let columns = Contact::COLUMNS;
    let mut people = Vec::new();
    for (number, (family, given)) in
        FAMILIES.iter().flat_map(|family| PEOPLE.iter().map(move |given| (family, given))).enumerate()
    {
        let edit = Edit::new()
            .set(columns.kind, ContactKind::Person)
            .set(columns.given_name, Some(given.parse()?))
            .set(columns.family_name, Some(family.parse()?))
            .set(columns.account_number, Some((4_001 + number).to_string().parse()?));
        people.push(edit);
    }
    let contacts = desk.create_many(&people).await?;
    let (dice, cases, plan) = (Dice(SEED), vec![None; CASES], BinaryHeap::new());
    Ok(Office { clock, dice, calendar, desk, officers, contacts, cases, plan })
}

fn main() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("aguas.db");
    block_on(async {
        let mut office = found(&file.to_string_lossy()).await?;
        office.receive()?;
        office.work(END.parse()?).await?;
        tell_steps(&office.desk).await?;
        tell_report(&office.desk.case_report(&CaseReportOptions::default()).await?);
        tell_one(&office).await
    })
}

/// How often each step was taken.
async fn tell_steps(desk: &Session<'_>) -> Fallible<()> {
    println!("Steps");
    for kind in CaseEventKind::ALL {
        let steps = desk.count(&Query::new(CaseEvent::COLUMNS.kind.eq(kind))).await?;
        if steps > 0 {
            println!("  {:<18}{steps:>8}", kind.as_str());
        }
    }
    Ok(())
}

fn tell_report(report: &CaseReport) {
    println!("\nReport of cases as of {}: {} came in", report.as_of, report.cases);
    let rows = |title: &str, rows: Vec<(&str, i64)>| {
        println!("{title}");
        for (name, cases) in rows.into_iter().filter(|(_, cases)| *cases > 0) {
            println!("  {name:<18}{cases:>8}");
        }
    };
    rows("By kind", report.by_kind.iter().map(|row| (row.kind.as_str(), row.cases)).collect());
    rows("By status", report.by_status.iter().map(|row| (row.status.as_str(), row.cases)).collect());
    rows("By channel", report.by_channel.iter().map(|row| (row.channel.as_str(), row.cases)).collect());
    println!("Answers, in business days");
    println!("  {:<18}{:>8}{:>8}{:>8}{:>8}{:>8}", "kind", "answered", "late", "mean", "median", "90 %");
    for row in report.answers_by_kind.iter().filter(|row| row.times.answered > 0) {
        tell_times(row.kind.as_str(), &row.times);
    }
    tell_times("all", &report.answers);
    println!("Waiting for an answer; soon is until {}", report.soon_until);
    println!("  {:<18}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}", "", "open", "overdue", "today", "soon", "later", "paused");
    for row in report.waiting_by_silence.iter().filter(|row| row.waiting.open > 0) {
        tell_waiting(&format!("silence {}", row.silence), &row.waiting);
    }
    for row in &report.waiting_by_assignee {
        tell_waiting(row.assignee.as_deref().unwrap_or("nobody"), &row.waiting);
    }
    tell_waiting("all", &report.waiting);
}

fn tell_times(name: &str, times: &AnswerTimes) {
    let number =
        |number: Option<Decimal6>| number.map_or_else(String::new, |number| format!("{:.2}", number.decimal()));
    let p90 = times.p90_days.unwrap_or_default();
    let (mean, median) = (number(times.mean_days), number(times.median_days));
    println!("  {name:<18}{:>8}{:>8}{mean:>8}{median:>8}{p90:>8}", times.answered, times.late);
}

fn tell_waiting(name: &str, cases: &Waiting) {
    let Waiting { open, overdue, due_today, due_soon, due_later, paused, .. } = cases;
    println!("  {name:<18}{open:>8}{overdue:>8}{due_today:>8}{due_soon:>8}{due_later:>8}{paused:>8}");
}

/// Why a case is due when it is: the first one that was extended and whose term went over Holy Week.
async fn tell_one(office: &Office) -> Fallible<()> {
    let columns = Case::COLUMNS;
    let extended = Query::new(columns.extension_days.gt(&0)).ascending(columns.received_at);
    let thursday = parse_date("2025-04-17")?;
    for case in office.desk.list(&extended).await?.items {
        let told = office.desk.explain_case(case.id).await?;
        if told.skipped.iter().any(|day| day.date == thursday) {
            println!("\nWhy {} is due when it is\n{told}", case.label());
            break;
        }
    }
    Ok(())
}

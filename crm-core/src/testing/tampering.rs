//! Tampering with a book behind the program's back: what is done, as data that a store's tests carry out in raw SQL, and
//! whether the verification finds it.
//!
//! Whoever may write to the database can do all that the program could do: continue the chain with entries of their own and
//! make the records fit. What is drawn here is everything short of that; cutting or rewriting the end of the chain is
//! found by an anchored head.

mod draw;
mod entries;

use std::collections::BTreeMap;

use uuid::Uuid;

use super::script::{self, Dice};
use crate::access::{EndSessions, Role};
use crate::audit::{self, AuditEntry, Head};
use crate::entity::{Entity as _, Table, Tenancy};
use crate::error::CrmError;
use crate::people::Contact;
use crate::row::{Row, Value};
use crate::schema::TABLES;
use crate::store::{Expr, Query, Scope, Select, Store, StoreError};
use crate::{Crm, Edit, Session};

/// One statement of a tampering. `org` is absent for tables above organizations.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sets one column.
    Set {
        /// Of this table.
        table: &'static Table,
        /// The organization's key.
        org: Option<i64>,
        /// Of this row.
        id: Uuid,
        /// The column's position.
        column: usize,
        /// To this value.
        value: Value,
    },
    /// Deletes a row.
    Delete {
        /// Of this table.
        table: &'static Table,
        /// The organization's key.
        org: Option<i64>,
        /// This one.
        id: Uuid,
    },
    /// Inserts a row.
    Insert {
        /// Into this table.
        table: &'static Table,
        /// The organization's key.
        org: Option<i64>,
        /// This one.
        row: Row,
    },
    /// Gives an audit entry to another organization.
    Move {
        /// The organization that it was of.
        from: i64,
        /// The organization that it is of now.
        to: i64,
        /// The entry.
        id: Uuid,
    },
}

/// Something done behind the program's back.
#[derive(Clone, Debug)]
pub struct Tampering {
    /// What kind of thing.
    pub kind: &'static str,
    /// How.
    pub steps: Vec<Step>,
}

/// By what a tampering was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// The audit's verification.
    Audit,
    /// The audit's verification, but not without the anchored head.
    Anchor,
    /// The verification of users, which reads all chains.
    Users,
    /// A value that is none: the row cannot be read.
    Corrupt,
}

/// The rows of a table, of one organization or above them.
struct Records {
    table: &'static Table,
    org: Option<i64>,
    rows: Vec<Row>,
}

/// A book of two organizations whose every row is known.
pub struct Book {
    sessions: Vec<Session<'static>>,
    heads: Vec<Head>,
    rows: Vec<Records>,
    /// Records as they were before their last change.
    older: Vec<(&'static Table, i64, Row)>,
}

impl Book {
    /// Fills an empty store with random work of two organizations, and anchors their chains.
    ///
    /// # Errors
    /// When the store fails.
    ///
    /// # Panics
    /// When the book does not verify as it was written.
    pub async fn new(crm: &Crm, seed: u64) -> Result<Self, CrmError> {
        script::play(crm, seed, 1_500).await?;
        let mut book = Self { sessions: Vec::new(), heads: Vec::new(), rows: Vec::new(), older: Vec::new() };
        // Somebody of whom each chain tells something that the other does not.
        let shared = "owner@here.example".parse()?;
        let there = crm.session(&"there".parse()?, &"owner@there.example".parse()?).await?;
        super::joined(crm, &there, &shared, Role::Member).await?;
        for slug in ["here", "there", "here"] {
            crm.session(&slug.parse()?, &shared).await?.run(&EndSessions).await?;
        }
        for slug in ["here", "there"] {
            let session = crm.session(&slug.parse()?, &format!("owner@{slug}.example").parse()?).await?;
            let org = session.scope().key();
            for contact in session.list(&Query::<Contact>::all().limit(20)).await?.items {
                let edit = Edit::new().set(Contact::COLUMNS.city, "Elsewhere".parse().ok());
                session.update(contact.id, edit).await?;
                book.older.push((Contact::TABLE, org, contact.to_row()));
            }
            let verified = session.verify(None).await?;
            assert_eq!((verified.problems, verified.unsealed), (0, 0), "{:?}", verified.findings);
            book.heads.push(verified.head);
            book.sessions.push(session);
        }
        for table in TABLES.iter().copied().filter(|table| table.audited || *table == AuditEntry::TABLE) {
            if table.tenancy == Tenancy::Global {
                let rows = crm.store().select(Scope::SYSTEM, &Select::new(table, Expr::True)).await?;
                book.rows.push(Records { table, org: None, rows });
                continue;
            }
            for session in &book.sessions {
                let mut rows = crm.store().select(session.scope(), &Select::new(table, Expr::True)).await?;
                if table == AuditEntry::TABLE {
                    rows.sort_by_key(|row| row[AuditEntry::COLUMNS.seq.index()].as_int());
                }
                book.rows.push(Records { table, org: Some(session.scope().key()), rows });
            }
        }
        Ok(book)
    }

    /// How many entries the audit of both organizations has.
    pub fn entries(&self) -> usize {
        self.rows.iter().filter(|of| of.table == AuditEntry::TABLE).map(|of| of.rows.len()).sum()
    }

    /// Draws a tampering of one of these kinds.
    fn draw(&self, dice: &mut Dice, kinds: &[draw::Entry]) -> Tampering {
        let drawn = (0..1_000).find_map(|_| {
            let (kind, steps) = kinds[index(dice, kinds.len())];
            Some(Tampering { kind, steps: steps(self, dice)? })
        });
        drawn
            .unwrap_or_else(|| panic!("the book has nothing for {:?}", kinds.iter().map(|of| of.0).collect::<Vec<_>>()))
    }

    /// Sets the contents of a sealed entry to nothing, as an erasure of personal data does, without one.
    pub fn blanked(&self, dice: &mut Dice) -> Tampering {
        let (org, entries) = self.chain(dice);
        let row = &entries[index(dice, entries.len())];
        let (changes, salt) = (AuditEntry::COLUMNS.changes.index(), AuditEntry::COLUMNS.salt.index());
        // As an erasure leaves them, or half so.
        let columns = if dice.once_in(2) { vec![changes, salt] } else { vec![changes] };
        let steps = columns.into_iter().map(|column| set(org, row, column, Value::Null)).collect();
        Tampering { kind: "an entry's contents removed", steps }
    }

    /// By what a tampering is found in the book as it is now; none if it is not.
    ///
    /// # Errors
    /// When the store fails otherwise than by a value that is none.
    pub async fn found(&self, store: &dyn Store) -> Result<Option<By>, CrmError> {
        let mut by_anchor = None;
        for (session, head) in self.sessions.iter().zip(&self.heads) {
            match audit::verify(store, session.scope(), None).await {
                Ok(verified) if verified.problems > 0 => return Ok(Some(By::Audit)),
                Ok(_) => {}
                Err(StoreError::Corrupt { .. }) => return Ok(Some(By::Corrupt)),
                Err(error) => return Err(error.into()),
            }
            let anchored = audit::verify(store, session.scope(), Some(head)).await?;
            by_anchor = by_anchor.or((anchored.problems > 0).then_some(By::Anchor));
        }
        match audit::verify_users(store).await {
            Ok(verified) if verified.problems > 0 => Ok(Some(By::Users)),
            Ok(_) => Ok(by_anchor),
            Err(StoreError::Corrupt { .. }) => Ok(Some(By::Corrupt)),
            Err(error) => Err(error.into()),
        }
    }

    /// One organization's key and its entries in the order of the chain.
    fn chain(&self, dice: &mut Dice) -> (i64, &[Row]) {
        let chains: Vec<_> = self.rows.iter().filter(|of| of.table == AuditEntry::TABLE).collect();
        let of = chains[index(dice, chains.len())];
        (of.org.unwrap_or_default(), &of.rows)
    }

    /// The key of an organization that is not this one.
    fn other(&self, org: i64) -> Option<i64> {
        self.sessions.iter().map(|session| session.scope().key()).find(|key| *key != org)
    }

    /// The rows of one of these tables of records, which has some.
    fn records(&self, dice: &mut Dice, which: impl Fn(&Table) -> bool) -> &Records {
        let of_records = |of: &&Records| of.table != AuditEntry::TABLE && which(of.table) && !of.rows.is_empty();
        let tables: Vec<_> = self.rows.iter().filter(of_records).collect();
        tables[index(dice, tables.len())]
    }
}

/// What is tried next, and what was found so far.
#[derive(Debug, Default)]
pub struct Tally {
    /// How often, by the kind of tampering and by what it was found.
    pub found: BTreeMap<(&'static str, By), u32>,
    /// What was not found.
    pub missed: Vec<Tampering>,
    /// How many the database refused, by kind; a refusal is as good as not having done it.
    pub refused: BTreeMap<&'static str, u32>,
}

/// How often a kind of tampering may be refused in a row before it is first found.
const PATIENCE: u32 = 100;

impl Tally {
    /// The next tampering: first of each kind until it was found once, then any, as many as [`tamperings`] says.
    ///
    /// # Panics
    /// When a kind is refused again and again, or is nowhere in the book.
    pub fn next(&self, book: &Book, dice: &mut Dice) -> Option<Tampering> {
        let never = draw::KINDS.iter().find(|(kind, _)| {
            !self.found.keys().any(|(of, _)| of == kind) && !self.missed.iter().any(|missed| missed.kind == *kind)
        });
        if let Some(never) = never {
            let refused = self.refused.get(never.0).copied().unwrap_or_default();
            assert!(refused < PATIENCE, "{} was refused {refused} times and never done", never.0);
            return Some(book.draw(dice, &[*never]));
        }
        (self.tried() < tamperings()).then(|| book.draw(dice, draw::KINDS))
    }

    /// Notes how a tampering went: whether the database let it happen, and by what it was found then.
    pub fn note(&mut self, tampering: Tampering, went: Option<Option<By>>) {
        match went {
            Some(Some(by)) => *self.found.entry((tampering.kind, by)).or_default() += 1,
            Some(None) => self.missed.push(tampering),
            None => *self.refused.entry(tampering.kind).or_default() += 1,
        }
    }

    /// How many tamperings were tried that the database did not refuse.
    pub fn tried(&self) -> u32 {
        self.found.values().sum::<u32>() + u32::try_from(self.missed.len()).unwrap_or(u32::MAX)
    }

    /// Whether everything was found.
    ///
    /// # Panics
    /// When something was not, or the database refused most of what was tried.
    pub fn check(&self) {
        let missed: Vec<_> = self.missed.iter().map(|missed| format!("{missed:?}")).collect();
        assert!(missed.is_empty(), "not found, of {}:\n{}\nfound: {:#?}", self.tried(), missed.join("\n"), self.found);
        assert!(self.refused.values().sum::<u32>() < self.tried(), "{self:#?}");
    }
}

/// How many tamperings are tried; `CRM_TEST_TAMPERINGS` tries more.
pub fn tamperings() -> u32 {
    std::env::var("CRM_TEST_TAMPERINGS").ok().and_then(|count| count.parse().ok()).unwrap_or(100)
}

/// A position below a length that is not zero.
fn index(dice: &mut Dice, length: usize) -> usize {
    usize::try_from(dice.roll(length as u64)).unwrap_or_default()
}

/// Sets a column of an entry.
fn set(org: i64, entry: &Row, column: usize, value: Value) -> Step {
    let table = AuditEntry::TABLE;
    Step::Set { table, org: Some(org), id: table.id(entry), column, value }
}

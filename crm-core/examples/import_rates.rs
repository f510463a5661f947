//! Measures how fast rows of an import are read and decided, without a store to write them:
//! `cargo run --release -p crm-core --features testing --example import_rates`.
#![expect(clippy::print_stdout, reason = "tells what was measured")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

use std::io::Read;
use std::time::Instant;

use async_trait::async_trait;
use crm_core::entity::Entity as _;
use crm_core::entity::Table;
use crm_core::import::{Import, ImportKind, Mapping};
use crm_core::people::Contact;
use crm_core::store::{Abort, Aggregate, Applied, ChangeSet, MemoryStore, Scope, Select, Store, StoreError};
use crm_core::{Row, block_on, testing};
use uuid::Uuid;

/// Counts what a feed gives and keeps none of it: contacts are never there.
#[derive(Clone)]
struct Counting(MemoryStore);

#[async_trait]
impl Store for Counting {
    async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
        self.0.fetch(scope, table, ids).await
    }

    async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
        if query.table == Contact::TABLE {
            return Ok(Vec::new());
        }
        self.0.select(scope, query).await
    }

    async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError> {
        self.0.aggregate(scope, queries).await
    }

    async fn apply(&self, scope: Scope, mut changes: ChangeSet) -> Result<Applied, StoreError> {
        let Some(mut feed) = changes.feed.take() else { return self.0.apply(scope, changes).await };
        let mut applied = Applied::default();
        loop {
            match feed.next(self).await {
                Ok(Some(chunk)) => applied.rows += chunk.changes.len() as u64,
                Ok(None) => return Ok(applied),
                Err(Abort::Withdrawn) => return Err(StoreError::Aborted),
                Err(Abort::Store(error)) => return Err(error),
            }
        }
    }
}

/// Makes the rows of a file as it is read.
struct Rows {
    row: u64,
    last: u64,
    left: Vec<u8>,
}

impl Read for Rows {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.left.len() < buffer.len() && self.row < self.last {
            let row = self.row;
            self.left.extend_from_slice(
                format!(
                    "e{row},Given{row},Family {row},\"Company, {row}\",Street {row},Bogotá,Cundinamarca,Colombia,11001,+57 32{} {:03}{:04},Person.{row}@Example.com\n",
                    row % 3,
                    row / 10_000 % 1_000,
                    row % 10_000,
                )
                .as_bytes(),
            );
            self.row += 1;
        }
        let count = self.left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.left[..count]);
        self.left.drain(..count);
        Ok(count)
    }
}

/// The processor time that the process has used, in ticks of 10 ms; other work on the machine does not count.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

/// How much memory the process has used at most, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn main() {
    block_on(async {
        let crm = testing::crm(Counting(MemoryStore::new()), 1);
        let session = testing::organization(&crm, "rates").await.unwrap();
        let header = b"external_id,given_name,family_name,company_name,address_line,city,region,country,postal_code,phone,email\n";
        for rows in [100_000_u64, 1_000_000] {
            for key in [None, Some("email".to_owned())] {
                let mapping =
                    Mapping { constants: [("kind".to_owned(), "person".to_owned())].into(), ..Mapping::default() };
                let file = Rows { row: 0, last: rows, left: header.to_vec() };
                let (started, ticks_before) = (Instant::now(), ticks());
                let keyed = key.is_some();
                let import = Import { mapping, upsert_by: key, ..Import::new(ImportKind::Contacts, file) };
                let report = session.import(import).await.unwrap();
                let (taken, used) = (started.elapsed(), (ticks() - ticks_before).max(1));
                assert_eq!((report.created, report.refused), (rows, 0), "{:?}", report.problems.first());
                let (rate, of_cpu) = (u128::from(rows) * 1_000_000 / taken.as_micros(), rows * 100 / used);
                println!(
                    "{rows} rows, by key {keyed}: {rate} rows/s, {of_cpu} per second of processor time, peak {} KiB",
                    peak()
                );
            }
        }
    });
}

//! 100,000 contacts into a fresh file.

use std::time::Instant;

use crm_core::people::Contact;
use crm_store_sqlite::Durability;

use crate::bare::{self, Written};
use crate::book::{self, Folder};
use crate::contacts::fields;
use crate::rounds::{Goal, Workload, each, per_unit};
use crate::{Options, Outcome, peers};

pub(crate) fn run(options: &Options) -> Outcome {
    let count = options.rows(100_000);
    let folder = Folder::new()?;
    let template = folder.template()?;
    let runtime = book::runtime()?;
    let fields = fields(0..count);

    // From text to the commit: read, validated, folded, audited, searchable.
    let library = |name: &str, chunk: usize| -> Outcome<f64> {
        let path = folder.copy(&template, name)?;
        runtime.block_on(async {
            let store = book::open(&path, Durability::Full)?;
            let session = book::session(store.clone()).await?;
            let begun = Instant::now();
            for fields in fields.chunks(chunk) {
                let edits = fields.iter().map(|fields| fields.parsed(&session)).collect::<Outcome<Vec<_>>>()?;
                session.create_many::<Contact>(&edits).await?;
            }
            let took = each(begun.elapsed(), count);
            store.close().await?;
            Ok(took)
        })
    };
    library("written.db", count)?;
    let written_path = folder.path("written.db");
    let written = Written::read(&book::connect(&written_path, None)?)?;

    let python = peers::python();
    let mut workload = Workload::new(format!("bulk: {count} contacts, SQLite, FULL"), "row");
    let floor = workload.competitor("bare rusqlite loop", || {
        let path = folder.copy(&template, "bare.db")?;
        let mut connection = book::connect(&path, Some(Durability::Full))?;
        per_unit(count, || bare::bulk(&mut connection, &written))
    });
    let one = workload.competitor("library, one change-set", || library("library.db", count));
    workload.goal(one, floor, Goal::AtLeast(0.5));
    workload.competitor("library, change-sets of 10,000", || library("library.db", 10_000));
    if let Some(python) = &python {
        let peer = workload.competitor("SQLAlchemy add_all", || {
            let path = folder.copy(&template, "peer.db")?;
            let (empty, written) = (path.display().to_string(), written_path.display().to_string());
            Ok(peers::seconds(python, "bulk.py", &[&empty, &written])? / each_count(count))
        });
        workload.goal(one, peer, Goal::AtLeast(10.0));
    }
    workload.run(options.rounds(5))
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows")]
const fn each_count(count: usize) -> f64 {
    count as f64
}

//! One contact per transaction.

use std::path::Path;
use std::time::Instant;

use crm_core::Session;
use crm_core::people::Contact;
use crm_store_sqlite::Durability;
use tokio::runtime::Runtime;

use crate::bare::{self, Written};
use crate::book::{self, Folder};
use crate::contacts::{Fields, fields};
use crate::rounds::{Goal, Workload, each, per_unit};
use crate::{Options, Outcome};

/// How many callers there are at once.
const CALLERS: usize = 8;

pub(crate) fn run(options: &Options) -> Outcome {
    let folder = Folder::new()?;
    let template = folder.template()?;
    let runtime = book::runtime()?;
    for (durability, name, usual) in [(Durability::Normal, "NORMAL", 4_000), (Durability::Full, "FULL", 800)] {
        let count = options.rows(usual);
        let fields = fields(0..count);
        let written = written(&folder, &template, &runtime, &fields)?;
        let mut workload =
            Workload::new(format!("single: one contact per transaction, SQLite, {name}, {}", options.regime()), "call");
        let floor = workload.competitor("bare transaction", || {
            let connection = book::connect(&folder.copy(&template, "bare.db")?, Some(durability))?;
            per_unit(count, || Ok((0..count).try_for_each(|at| bare::one(&connection, &written, at))?))
        });
        let one = workload.competitor("library, one caller", || {
            let path = folder.copy(&template, "library.db")?;
            runtime.block_on(async {
                let session = book::session(book::open(&path, durability)?).await?;
                let begun = Instant::now();
                create(&session, &fields).await?;
                Ok(each(begun.elapsed(), count))
            })
        });
        workload.goal(one, floor, Goal::AtLeast(0.5));
        if durability == Durability::Full {
            let threads = workload.competitor("library, 8 threads", || {
                let path = folder.copy(&template, "library.db")?;
                let session = crm_core::block_on(book::session(book::open(&path, durability)?))?;
                per_unit(count, || in_threads(&session, &fields))
            });
            let tasks = workload.competitor("library, 8 tasks", || {
                let path = folder.copy(&template, "library.db")?;
                runtime.block_on(async {
                    let session = book::session(book::open(&path, durability)?).await?;
                    let begun = Instant::now();
                    in_tasks(&session, count).await?;
                    Ok(each(begun.elapsed(), count))
                })
            });
            workload.goal(threads, one, Goal::AtLeast(3.0));
            workload.goal(tasks, one, Goal::AtLeast(3.0));
        }
        workload.run(options.rounds(9))?;
    }
    Ok(())
}

/// What the library writes for these contacts.
fn written(folder: &Folder, template: &Path, runtime: &Runtime, fields: &[Fields]) -> Outcome<Written> {
    let path = folder.copy(template, "written.db")?;
    runtime.block_on(async {
        let store = book::open(&path, Durability::Normal)?;
        create(&book::session(store.clone()).await?, fields).await?;
        Outcome::Ok(store.close().await?)
    })?;
    Written::read(&book::connect(&path, None)?)
}

async fn create(session: &Session<'_>, fields: &[Fields]) -> Outcome {
    for fields in fields {
        session.create::<Contact>(fields.parsed(session)?).await?;
    }
    Ok(())
}

/// Callers without a runtime, each on a thread.
fn in_threads(session: &Session<'static>, fields: &[Fields]) -> Outcome {
    std::thread::scope(|scope| {
        let callers: Vec<_> = fields
            .chunks(fields.len().div_ceil(CALLERS))
            .map(|fields| {
                let session = session.clone();
                scope.spawn(move || crm_core::block_on(create(&session, fields)))
            })
            .collect();
        callers.into_iter().try_for_each(|caller| caller.join().map_err(|_| "a caller panicked")?)
    })
}

/// Callers that are tasks of one runtime.
async fn in_tasks(session: &Session<'static>, count: usize) -> Outcome {
    let share = count.div_ceil(CALLERS);
    let callers: Vec<_> = (0..count)
        .step_by(share)
        .map(|first| {
            let session = session.clone();
            tokio::spawn(async move { create(&session, &fields(first..count.min(first + share))).await })
        })
        .collect();
    for caller in callers {
        caller.await??;
    }
    Ok(())
}

//! What stands beneath a record that is shown: its parts, as members of its JSON object or as grids for people.

use crm_core::Session;
use crm_core::billing::TaxRate;
use crm_core::crud::Rules;
use crm_core::entity::Stored;
use crm_core::store::Query;

use crate::error::{Done, Failure};
use crate::nouns::Noun;
use crate::open::App;
use crate::output::{self, Format, Record, View, amount};
use crate::records;

/// How many parts are shown at most: more than a document has.
pub(crate) const PARTS: u32 = 100_000;

/// The parts of a record. Forms of one row, CSV and ids, leave them out.
pub(crate) struct Beneath<'a> {
    app: &'a App,
    session: &'a Session<'a>,
    members: Vec<(&'static str, String)>,
    more: String,
}

impl<'a> Beneath<'a> {
    /// Without any parts yet.
    pub(crate) const fn new(app: &'a App, session: &'a Session<'a>) -> Self {
        Self { app, session, members: Vec::new(), more: String::new() }
    }

    /// Adds records: these columns for machines, those for people. People see no grid of nothing.
    pub(crate) async fn part<E: Rules>(
        &mut self,
        name: &'static str,
        query: Query<E>,
        machine: &[&str],
        people: &[&str],
    ) -> Done {
        let format = self.app.out.format;
        if matches!(format, Format::Csv | Format::Id) {
            return Ok(());
        }
        let parts = self.session.list(&query.limit(PARTS)).await?.items;
        let parts: Vec<Record> = parts.iter().map(|part| Record { row: part.to_row(), title: String::new() }).collect();
        if format != Format::Table {
            let view = View::of(E::TABLE, machine.iter().copied())?;
            let parts: Vec<String> = parts.iter().map(|part| view.json(part, &[], None)).collect();
            self.members.push((name, format!("[{}]", parts.join(","))));
        } else if !parts.is_empty() {
            let mut view = View::of(E::TABLE, people.iter().copied())?;
            view.labels = records::labels(self.session, &view.references(&parts)).await?;
            self.grid(&view.draw(self.app.out, &parts));
        }
        Ok(())
    }

    /// Adds the taxes of each rate.
    pub(crate) fn taxes(&mut self, taxes: &[TaxRate]) -> Result<(), Failure> {
        if self.app.out.format != Format::Table {
            self.members.push(("taxes", output::json(taxes)?));
        } else if !taxes.is_empty() {
            let cells = |rate: &TaxRate| vec![format!("{} %", rate.percent), amount(rate.net), amount(rate.tax)];
            let rows: Vec<Vec<String>> = taxes.iter().map(cells).collect();
            self.grid(&self.app.out.draw(&["Tax rate", "Net", "Tax"], &[0, 1, 2], &rows));
        }
        Ok(())
    }

    fn grid(&mut self, grid: &str) {
        self.more.push('\n');
        self.more.push_str(grid);
    }

    /// Shows the record with what was added.
    pub(crate) async fn print<E: Noun>(self, stored: &Stored<E>) -> Done {
        records::print(self.app, self.session, stored, &self.members, &self.more).await
    }
}

//! Series that change while they number, in the random play.

use super::{Dice, Made, pairs, told};
use crate::billing::{Invoice, NumberSeries};
use crate::crm::Session;
use crate::store::Query;

/// Creates a series, changes one, or asks what a number is warned of.
pub(super) async fn step(session: &Session<'_>, dice: &mut Dice, made: &Made) -> String {
    if dice.once_in(3) {
        let Some(id) = dice.pick(&made.invoices).copied() else { return String::new() };
        return match session.get::<Invoice>(id).await {
            Ok(invoice) => format!("invoice.warnings {:?}", session.warnings(&invoice).await),
            Err(error) => format!("invoice.warnings {error}"),
        };
    }
    if dice.once_in(4) {
        let mut fields = fields(dice);
        fields.push(("kind", "contact".to_owned()));
        return format!("number_series.create {}", told(session.create::<NumberSeries>(pairs(&fields)).await).0);
    }
    let series = match session.list(&Query::<NumberSeries>::all()).await {
        Ok(page) => page.items,
        Err(error) => return format!("number_series.list {error}"),
    };
    let Some(series) = dice.pick(&series) else { return String::new() };
    format!("number_series.update {}", told(session.update(series.id, pairs(&fields(dice))).await).0)
}

fn fields(dice: &mut Dice) -> Vec<(&'static str, String)> {
    let prefixes = ["A-", "B{year}-", "{date}/", "A1", "{month}", "{day}"];
    let mut fields = Vec::new();
    let mut sometimes = |field, one_in, text: &dyn Fn(&mut Dice) -> String| {
        if dice.once_in(one_in) {
            fields.push((field, text(dice)));
        }
    };
    sometimes("prefix", 2, &|dice| dice.pick(&prefixes).copied().unwrap_or_default().to_owned());
    sometimes("reset", 2, &|dice| ["never", "year"][usize::from(dice.once_in(2))].to_owned());
    sometimes("start", 5, &|dice| dice.roll(40).to_string());
    sometimes("first", 8, &|dice| dice.roll(60).to_string());
    sometimes("last", 8, &|dice| (dice.roll(60) + 20).to_string());
    sometimes("warn_percent", 4, &|dice| dice.roll(110).to_string());
    sometimes("valid_until", 8, &|dice| super::date(dice).to_string());
    fields
}

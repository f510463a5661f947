//! R4, leads by status and channel.

use serde::Serialize;

use super::{between, period};
use crate::crm::Session;
use crate::entity::Entity as _;
use crate::error::CrmError;
use crate::sales::{Channel, Lead, LeadStatus};
use crate::store::{Aggregate, Cmp, Expr, Group, Measure, Totals};
use crate::value::{Date, Instant, Zone};
use crate::{Value, entity::Field as _};

/// What the counts cover.
#[derive(Clone, Copy, Debug)]
pub struct LeadCountsOptions {
    /// How many hours back from the instant a lead is a recent one.
    pub hours: u32,
    /// The instant from which the hours count back; now otherwise.
    pub as_of: Option<Instant>,
    /// Only leads that came on this civil day or later.
    pub from: Option<Date>,
    /// Only leads that came on this civil day or earlier.
    pub to: Option<Date>,
    /// The zone of the days; the organization's otherwise.
    pub zone: Option<Zone>,
}

impl Default for LeadCountsOptions {
    /// All leads, recent ones of the last 24 hours.
    fn default() -> Self {
        Self { hours: 24, as_of: None, from: None, to: None, zone: None }
    }
}

/// R4: the leads as they stand now, archived ones left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeadCounts {
    /// After which instant a lead is a recent one.
    pub since: Instant,
    /// Up to which instant.
    pub as_of: Instant,
    /// All of them.
    pub total: LeadFigures,
    /// One row for each status and channel, those without a lead too.
    pub rows: Vec<LeadRow>,
}

/// Numbers of leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LeadFigures {
    /// How many.
    pub leads: i64,
    /// How many of them are recent.
    pub recent: i64,
}

/// The leads of one status and channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LeadRow {
    /// The status.
    pub status: LeadStatus,
    /// The channel.
    pub channel: Channel,
    /// How many there are.
    #[serde(flatten)]
    pub figures: LeadFigures,
}

impl LeadCounts {
    /// The leads of a status, whatever their channel.
    pub fn of_status(&self, status: LeadStatus) -> LeadFigures {
        LeadFigures::sum(self.rows.iter().filter(|row| row.status == status))
    }

    /// The leads of a channel, whatever their status.
    pub fn of_channel(&self, channel: Channel) -> LeadFigures {
        LeadFigures::sum(self.rows.iter().filter(|row| row.channel == channel))
    }
}

impl LeadFigures {
    fn sum<'a>(rows: impl Iterator<Item = &'a LeadRow>) -> Self {
        rows.fold(Self::default(), |sum, row| Self {
            leads: sum.leads + row.figures.leads,
            recent: sum.recent + row.figures.recent,
        })
    }
}

impl Session<'_> {
    /// R4: how many leads there are, by status and channel, and how many came lately.
    ///
    /// # Errors
    /// When the role may not see it; [`CrmError::Invalid`] when the period ends before it begins or the hours go
    /// back beyond all time.
    pub async fn lead_counts(&self, options: &LeadCountsOptions) -> Result<LeadCounts, CrmError> {
        let visible = self.reported_on::<Lead>("leads").await?;
        let (from, until) = period(options.from, options.to, self.zone(options.zone))?;
        let as_of = options.as_of.unwrap_or_else(|| self.context().now());
        let back = i64::from(options.hours) * -3_600_000_000;
        let since = as_of.checked_add_micros(back).map_err(|reason| CrmError::invalid("hours", reason))?;
        let columns = Lead::COLUMNS;
        let came = columns.created_at.operand();
        let recent = Expr::Compare(came.clone(), Cmp::Gt, Value::Instant(since));
        let recent = recent.and(Expr::Compare(came.clone(), Cmp::Le, Value::Instant(as_of)));
        let filter = Expr::IsNull(columns.archived_at.operand()).and(between(&came, from, until)).and(visible);
        let query = Aggregate::new(Lead::TABLE, filter)
            .by(Group::Value(columns.status.operand()))
            .by(Group::Value(columns.channel.operand()))
            .measure(Measure::Count)
            .measure_where(Measure::Count, recent);
        let answer = self.store().aggregate(self.scope(), std::slice::from_ref(&query)).await?.swap_remove(0);
        let mut rows = Vec::with_capacity(LeadStatus::ALL.len() * Channel::ALL.len());
        for (status, channel) in LeadStatus::ALL.iter().flat_map(|s| Channel::ALL.iter().map(move |c| (*s, *c))) {
            let groups = [status.store(), channel.store()];
            let found = answer.iter().find(|row| row.starts_with(&groups)).map(|row| Totals::new(&query, row));
            let figures = found.map_or_else(LeadFigures::default, |totals| LeadFigures {
                leads: totals.number(0),
                recent: totals.number(1),
            });
            rows.push(LeadRow { status, channel, figures });
        }
        Ok(LeadCounts { since, as_of, total: LeadFigures::sum(rows.iter()), rows })
    }
}

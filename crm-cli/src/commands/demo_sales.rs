//! The sales of the demonstration: leads, the deals that came of some, and what is to be done about them.

use chrono::Days;
use crm_core::activity::{Interaction, InteractionKind, Task};
use crm_core::entity::{Minor, Stored};
use crm_core::people::Contact;
use crm_core::sales::{
    AddTag, Channel, ConvertLead, Deal, Lead, LeadStatus, LoseDeal, MoveDeal, MoveLead, Stage, Tagged, WinDeal,
};
use crm_core::store::Query;
use crm_core::{CrmError, Edit, Session};

use super::demo::edit;
use super::demo_data::{Dice, REASONS, TALKS};
use crate::error::Done;

const LEADS: usize = 40;

/// Leads of some contacts, with what became of each.
pub(super) async fn sell(session: &Session<'_>, dice: &mut Dice, contacts: &[Stored<Contact>]) -> Done {
    let stages = Query::all().ascending(Stage::COLUMNS.position);
    let stages = session.list::<Stage>(&stages).await?.items;
    let columns = Lead::COLUMNS;
    let leads: Vec<Edit<Lead>> = (0..LEADS)
        .map(|_| Edit::new().set(columns.contact_id, dice.of(contacts).id).set(columns.channel, *dice.of(Channel::ALL)))
        .collect();
    for lead in session.create_many(&leads).await? {
        talk(session, dice, &lead).await?;
        let status = match dice.below(100) {
            0..15 => continue,
            15..25 => LeadStatus::Contacted,
            25..35 => LeadStatus::Quoted,
            35..45 => LeadStatus::Discarded,
            _ => {
                deal(session, dice, &lead, &stages).await?;
                continue;
            }
        };
        session.run(&MoveLead { id: lead.id, status }).await?;
    }
    Ok(())
}

/// Makes a deal of a lead and lets it go some way.
async fn deal(session: &Session<'_>, dice: &mut Dice, lead: &Stored<Lead>, stages: &[Stored<Stage>]) -> Done {
    let today = session.context().today();
    let columns = Deal::COLUMNS;
    let amount = i64::try_from(20_000 + dice.below(480) * 1_000).unwrap_or_default();
    let close = today.checked_add_days(Days::new(dice.below(90))).unwrap_or(today);
    let mut command = ConvertLead::new(lead.id);
    command.edit = Edit::new().set(columns.amount, Minor(amount)).set(columns.expected_close_on, Some(close));
    let Some(id) = session.run(&command).await?.deal_id else { return Ok(()) };
    session.run(&MoveDeal { id, stage: dice.of(stages).id }).await?;
    if amount > 400_000 {
        let tag = "big".parse().map_err(CrmError::from)?;
        session.run(&AddTag { tag, record: Tagged::Deal(id) }).await?;
    }
    match dice.below(100) {
        0..30 => {
            session.run(&WinDeal(id)).await?;
        }
        30..50 => {
            let reason = dice.of(REASONS).parse().map_err(CrmError::from)?;
            session.run(&LoseDeal { id, reason }).await?;
        }
        _ => {
            let due = today.checked_add_days(Days::new(dice.below(14))).unwrap_or(today);
            let (deal, due) = (id.to_string(), due.to_string());
            let fields = [("title", "Ask whether there are questions"), ("deal_id", &deal), ("due_on", &due)];
            let task = edit::<Task>(session, &fields)?;
            session.create(task).await?;
        }
    }
    Ok(())
}

/// Writes down what was said, of some leads.
async fn talk(session: &Session<'_>, dice: &mut Dice, lead: &Stored<Lead>) -> Done {
    if dice.below(3) > 0 {
        return Ok(());
    }
    let (lead, kind) = (lead.id.to_string(), *dice.of(InteractionKind::NAMES));
    let said = edit(session, &[("lead_id", &lead), ("kind", kind), ("notes", *dice.of(TALKS))])?;
    session.create::<Interaction>(said).await?;
    Ok(())
}

//! The steps of the play that concern privacy.

use serde_json::json;

use super::{Dice, Made, date};
use crate::Session;
use crate::error::CrmError;
use crate::privacy::Erased;

fn refused(error: &CrmError) -> String {
    format!("{}: {error}", error.code().as_str())
}

/// One erasure or export of a contact, or the end of a part of the log.
pub(super) async fn step(session: &Session<'_>, dice: &mut Dice, made: &Made) -> Option<String> {
    Some(match dice.roll(8) {
        0 => match session.purge_requests(date(dice)).await {
            Ok(deleted) => format!("api_request.purge {deleted}"),
            Err(error) => format!("api_request.purge {}", refused(&error)),
        },
        1..=4 => match session.export_contact(*dice.pick(&made.contacts)?).await {
            Ok(export) => format!("contact.export_personal {}", json!(export)),
            Err(error) => format!("contact.export_personal {}", refused(&error)),
        },
        _ => match session.erase_contact(*dice.pick(&made.contacts)?).await {
            // Whether nothing is left in the files is each store's own.
            Ok(told) => format!("contact.erase {}", json!(Erased { purged: true, ..told })),
            Err(error) => format!("contact.erase {}", refused(&error)),
        },
    })
}

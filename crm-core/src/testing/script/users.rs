//! The steps of the play that concern users.

use super::{Dice, Made, NAMES, told};
use crate::access::{ActivateUser, DeactivateUser, EndSessions, ResetPassword, SetUsername};
use crate::crm::Session;

pub(super) async fn step(session: &Session<'_>, dice: &mut Dice, made: &Made) -> String {
    let member = dice.pick(&made.members).copied();
    let (verb, result) = match (dice.roll(8), member) {
        (0 | 1, Some(member)) => ("deactivate", session.run(&DeactivateUser(member)).await),
        (2 | 3, Some(member)) => ("activate", session.run(&ActivateUser(member)).await),
        (4, Some(member)) => {
            let password = ["password", "short", "a fine long one"][usize::try_from(dice.roll(3)).unwrap_or(0)].into();
            ("reset_password", session.run(&ResetPassword { member, password }).await)
        }
        (5, _) => ("end_sessions", session.run(&EndSessions).await),
        _ => {
            let name = format!("{}.{}", dice.pick(NAMES).copied().unwrap_or_default(), dice.roll(2));
            ("set_username", session.run(&SetUsername(name.parse().ok())).await)
        }
    };
    format!("user.{verb} {}", told(result).0)
}

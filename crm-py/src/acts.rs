//! The commands that need nothing but a record.

use crm_core::access::{IdempotencyKey, RevokeKey, WithdrawInvitation};
use crm_core::activity::{CancelTask, CompleteTask, ReopenTask};
use crm_core::billing::{DeleteInvoice, VoidInvoice, WriteOffInvoice};
use crm_core::sales::{DeleteDeal, DeletePipeline, MakeDefault, ReopenDeal, StartDeal, WinDeal};
use crm_core::{Archive, CrmError, Delete, Restore, Row};

use crate::entities::for_entity;
use crate::error::Outcome;
use crate::given::Reference;
use crate::session::Session;

/// Carries out the command with this name on a record of this kind.
pub(crate) async fn act(
    session: &Session,
    entity: &str,
    verb: &str,
    reference: &Reference,
    key: Option<&IdempotencyKey>,
) -> Outcome<Row> {
    let no_verb = || CrmError::NotFound { entity: "command", reference: format!("{entity}.{verb}") };
    macro_rules! run {
        ($command:ident) => {
            session.run(&$command(reference.resolve(session.inner()).await?), key).await
        };
    }
    match (entity, verb) {
        ("invoice", "void") => run!(VoidInvoice),
        ("invoice", "write_off") => run!(WriteOffInvoice),
        ("invoice", "delete") => run!(DeleteInvoice),
        ("invoice", _) => Err(no_verb()),
        ("deal", "start") => run!(StartDeal),
        ("deal", "win") => run!(WinDeal),
        ("deal", "reopen") => run!(ReopenDeal),
        ("deal", "delete") => run!(DeleteDeal),
        ("pipeline", "make_default") => run!(MakeDefault),
        ("pipeline", "delete") => run!(DeletePipeline),
        ("task", "complete") => run!(CompleteTask),
        ("task", "cancel") => run!(CancelTask),
        ("task", "reopen") => run!(ReopenTask),
        ("api_key", "revoke") => run!(RevokeKey),
        ("invitation", "withdraw") => {
            let id = reference.resolve_invitation(session.inner()).await?;
            session.run(&WithdrawInvitation(id), key).await
        }
        _ => for_entity!(entity, E => {
            let id = reference.resolve::<E>(session.inner()).await?;
            match verb {
                "archive" => session.run(&Archive(id), key).await,
                "restore" => session.run(&Restore(id), key).await,
                "delete" => session.run(&Delete(id), key).await,
                _ => Err(no_verb()),
            }
        }),
    }
}

//! The log of what API keys asked for: every command, carried out or refused, with who asked as the program says.
//!
//! What is carried out is logged in the same change-set; what is refused, by itself. Reads are not logged.

use super::ApiKey;
use crate::acting::KeyAtWork;
use crate::audit::ERASING;
use crate::context::Context;
use crate::crm::Session;
use crate::crud::Rules;
use crate::error::CrmError;
use crate::id::Id;
use crate::privacy::PrivacyError;
use crate::store::ChangeSet;
use crate::value::{Email, Instant, Text};

/// The outcome of what was carried out.
const OK: &str = "ok";

crate::entity! {
    /// One command that an API key asked for.
    pub struct ApiRequest: "api_request" in "crm_api_request" as Entry, Organization, unaudited {
        /// Which key.
        pub key_id: Id<ApiKey> [SERVER_OWNED] => ApiKey,
        /// When.
        pub at: Instant [SERVER_OWNED],
        /// What, as in the policy.
        pub operation: String [SERVER_OWNED],
        /// Who asked, as the program says.
        pub name: Option<Text<255>> [SERVER_OWNED PERSONAL],
        /// Their address, as the program says.
        pub email: Option<Email> [SERVER_OWNED PERSONAL],
        /// Which program, as it says.
        pub application_id: Option<Text<100>> [SERVER_OWNED],
        /// `ok`, or the code of the error.
        pub outcome: String [SERVER_OWNED],
    }
    columns ApiRequestColumns;
    derived { }
    unique { }
    index {
        "crm_api_request_at": [at, id],
        "crm_api_request_key": [key_id, at, id],
    }
}

impl Rules for ApiRequest {}

/// Who asks, as the program with the API key says; for the log alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requester {
    /// A person's name.
    pub name: Option<Text<255>>,
    /// A person's address.
    pub email: Option<Email>,
    /// The program.
    pub application_id: Option<Text<100>>,
}

fn request(at_work: &KeyAtWork, at: Instant, operation: String, outcome: &str) -> ApiRequest {
    let Requester { name, email, application_id } = at_work.requester.clone();
    ApiRequest { key_id: at_work.key.id, at, operation, name, email, application_id, outcome: outcome.to_owned() }
}

/// Of who asks about a contact that was erased, nothing personal is kept.
fn unnamed(request: ApiRequest) -> ApiRequest {
    ApiRequest { name: None, email: None, ..request }
}

impl Session<'_> {
    /// The same session of a program that does not say who asks.
    pub(crate) fn unnamed(&self) -> Self {
        let application_id = self.acting().key.as_ref().and_then(|at_work| at_work.requester.application_id.clone());
        self.requested_by(&Requester { application_id, ..Requester::default() })
    }

    /// Adds to what an API key writes that it asked for it.
    pub(crate) fn log(&self, context: &mut Context, changes: &mut ChangeSet) {
        let acting = self.acting();
        let Some(at_work) = &acting.key else { return };
        let logged = request(at_work, context.now(), changes.stamp.command.to_owned(), OK);
        // An erasure finds what it is asked under; a second one knows of nobody any more.
        let again = changes.stamp.command == ERASING && changes.changes.is_empty();
        changes.insert(context, if again { unnamed(logged) } else { logged });
    }

    /// Logs what was refused, or carried out without anything to write. That the log cannot be written changes nothing of
    /// the answer.
    pub(crate) async fn log_apart(&self, entity: &str, verb: &str, refusal: Option<&CrmError>) {
        let acting = self.acting();
        let Some(at_work) = &acting.key else { return };
        let mut context = self.context();
        let mut changes = ChangeSet::new(context.stamp("api_request.log"));
        let outcome = refusal.map_or(OK, |error| error.code().as_str());
        let logged = request(at_work, context.now(), format!("{entity}.{verb}"), outcome);
        let of_erased = matches!(refusal, Some(CrmError::Privacy(PrivacyError::Erased(_))));
        changes.insert(&mut context, if of_erased { unnamed(logged) } else { logged });
        let _ = self.store().apply(self.scope(), changes).await;
    }
}

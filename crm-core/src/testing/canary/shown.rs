//! What is printed of the types that hold secrets, and of the errors about them.

use std::error::Error;
use std::fmt::Write as _;

use super::needles::MARKER;
use super::plant::Planted;
use crate::Crm;
use crate::access::{
    ApiKey, Invitation, Login, NewInvitation, NewKey, RefreshToken, ResetPassword, Role, Secret, TokenKeys, User,
};
use crate::encode::encode_row;
use crate::entity::{Entity, Flags, Stored, Table};
use crate::error::CrmError;
use crate::row::Row;
use crate::schema::TABLES;

type Show = fn(Row) -> String;

/// The entities that hold secrets.
const WITH_SECRETS: &[(&Table, Show)] = &[
    (User::TABLE, show::<User>),
    (RefreshToken::TABLE, show::<RefreshToken>),
    (ApiKey::TABLE, show::<ApiKey>),
    (Invitation::TABLE, show::<Invitation>),
];

fn show<E: Entity>(row: Row) -> String {
    let stored = Stored::<E>::from_row(row).map_err(|error| error.to_string());
    format!("{stored:?} {:?}", stored.as_ref().map(|stored| &stored.value))
}

/// Prints everything that holds a secret or refuses one, and looks for the secrets in it.
///
/// # Panics
/// When one is there.
pub(super) async fn check(crm: &Crm, planted: &Planted) -> Result<(), CrmError> {
    let session = &planted.session;
    let mut out = String::new();
    let mut secrets: Vec<String> = Vec::new();
    for table in TABLES.iter().filter(|table| table.columns.iter().any(|column| column.flags.contains(Flags::SECRET))) {
        let (_, show) = WITH_SECRETS.iter().find(|(known, _)| known == table).expect("each entity that holds secrets");
        let (_, row) = planted.rows.iter().find(|(of, _)| of == table).expect("a canary in each table");
        let mut told = format!("{} {}", show(row.clone()), encode_row(table, row));
        for (column, value) in table.columns.iter().zip(row) {
            // What is personal may be shown to whoever has the record.
            if let (true, Some(text)) = (column.flags.contains(Flags::PERSONAL), value.as_text()) {
                told = told.replace(text, "");
                told = told.replace(&text.to_lowercase(), "");
            }
        }
        // The prefix of a credential is there to be seen.
        told = told.replace(&format!("{MARKER} prefix"), "").replace(&format!("{MARKER} alias"), "");
        let list = format!("{:?}", MARKER.as_bytes());
        assert!(!told.contains(MARKER), "{told}");
        assert!(!told.contains(list.trim_matches(['[', ']'])), "{told}");
        assert!(!told.contains("6b616e61726965"), "{told}");
    }
    for refusal in &planted.refusals {
        tell(&mut out, refusal);
    }

    let word = format!("{MARKER} word");
    let secret = Secret::from(word.as_str());
    let login = Login {
        organization: session.organization().slug.clone(),
        name: session.user().email.to_string(),
        password: secret.clone(),
        source: None,
    };
    let _ = write!(out, "{login:?} {secret:?} {secret}");
    let member = crate::Id::new(session.user().id.uuid());
    let reset = ResetPassword { member, password: secret.clone() };
    let _ = write!(out, "{reset:?}");
    tell(&mut out, &session.run(&reset).await.expect_err("no such member"));
    tell(&mut out, &crm.login(&login).await.expect_err("a wrong password"));
    tell(
        &mut out,
        &session.change_password(&secret, &"another fine horse".into()).await.expect_err("a wrong password"),
    );
    tell(&mut out, &crm.set_password(&session.user().email, &MARKER.into()).await.expect_err("a weak password"));
    let weak = TokenKeys::new("https://crm.example", "crm", "k1", MARKER.as_bytes());
    tell(&mut out, &weak.expect_err("a weak key"));
    let strong = format!("{MARKER} {}", "3f0c9a7e5b1d48c2a6e4907bd5f2813c");
    let _ = write!(out, "{:?}", TokenKeys::new("https://crm.example", "crm", "k1", strong.as_bytes())?);
    for text in [word.clone(), format!("crm_1{MARKER}_{MARKER}"), format!("{MARKER}.{MARKER}.{MARKER}")] {
        let text = Secret::from(text);
        tell(&mut out, &crm.session_with_key(&text).await.map(drop).expect_err("no key"));
        tell(&mut out, &crm.session_with_token(text.expose()).await.map(drop).expect_err("no token"));
        tell(&mut out, &crm.refresh(&text).await.expect_err("no token"));
        tell(&mut out, &crm.accept_invitation(&text, None).await.expect_err("no invitation"));
    }

    let created = session.create_key(&NewKey::new("Shown".parse()?, Role::Viewer, "*.read".parse()?)).await?;
    let _ = write!(out, "{created:?}");
    secrets.push(created.text.expose().to_owned());
    let email = "shown@example.com".parse()?;
    let invited = session.invite(&NewInvitation { email, role: Role::Viewer, days: None }).await?;
    let _ = write!(out, "{invited:?}");
    secrets.push(invited.text.expose().to_owned());
    crm.set_password(&session.user().email, &"yet another fine horse".into()).await?;
    let signed = crm.login(&Login { password: "yet another fine horse".into(), ..login }).await?;
    let _ = write!(out, "{signed:?}");
    secrets.extend([signed.access.expose().to_owned(), signed.refresh.expose().to_owned()]);
    secrets.push("yet another fine horse".to_owned());
    assert!(!out.contains(MARKER), "{out}");
    for secret in &secrets {
        assert!(!out.contains(secret), "a secret was printed");
    }
    Ok(())
}

/// Writes all that an error says.
fn tell(out: &mut String, error: &(dyn Error + 'static)) {
    let mut next = Some(error);
    while let Some(error) = next {
        let _ = write!(out, "{error} {error:?} ");
        next = error.source();
    }
}

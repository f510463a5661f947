//! References to records by natural keys, looked up for a chunk at once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::unique::rows_with;
use crate::access::{Membership, Organization, User};
use crate::crm::Session;
use crate::crud::Rules;
use crate::entity::{Entity, Locale, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::row::Value;
use crate::store::{Expr, Select, StoreError};
use crate::value::{Email, ValueError, excerpt, fold};

/// The column by which the database knows a natural key, as its unique index does.
pub(super) fn key_column<E: Entity>(key: &str, organization: &Organization) -> usize {
    let column = match key {
        "email" if organization.unique_emails => "email_claim",
        "email" => "email_key",
        "phone" if organization.unique_phones => "phone_claim",
        "name" => "name_key",
        other => other,
    };
    E::TABLE.position(column).unwrap_or_else(|| E::TABLE.expect_position(key))
}

/// A natural key's value as the column has it.
pub(super) fn key_value<E: Entity>(key: &str, text: &str, locale: &Locale) -> Result<Value, ValueError> {
    let value = match key {
        "email" => Value::Text(text.parse::<Email>()?.key().to_owned()),
        "name" => Value::Text(fold(text)),
        _ => E::parse(E::TABLE.expect_position(key), text, locale)?,
    };
    if value.is_null() { Err(ValueError::Blank) } else { Ok(value) }
}

/// What texts refer to.
pub(super) type Found<E> = HashMap<String, Result<Arc<Stored<E>>, ValueError>>;

/// How a record is referred to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// By its id, or any of these keys.
    Any(&'static [&'static str]),
    /// By its id.
    Id,
    /// By this key.
    Key(&'static str),
}

/// The records that the texts refer to.
pub(super) async fn references<E: Rules>(
    session: &Session<'_>,
    by: By,
    texts: impl IntoIterator<Item = String>,
) -> Result<Found<E>, CrmError> {
    let (locale, organization) = (session.locale(), session.organization());
    let mut found: Found<E> = HashMap::new();
    let mut hits: HashMap<String, Vec<Arc<Stored<E>>>> = HashMap::new();
    // Per column, the texts that each value stands for.
    let mut wanted: BTreeMap<usize, BTreeMap<Value, Vec<String>>> = BTreeMap::new();
    for text in texts {
        if found.contains_key(&text) {
            continue;
        }
        let mut want = |column: usize, value: Value| {
            wanted.entry(column).or_default().entry(value).or_default().push(text.clone());
        };
        let id = || text.parse::<Id<E>>().map(|id| Value::Id(id.uuid()));
        let refused = match by {
            By::Id => id().map(|id| want(0, id)).err(),
            By::Key(key) => {
                let value = key_value::<E>(key, &text, &locale);
                value.map(|value| want(key_column::<E>(key, &organization), value)).err()
            }
            By::Any(keys) => {
                if let Ok(id) = id() {
                    want(0, id);
                }
                for key in keys {
                    if let Ok(value) = key_value::<E>(key, &text, &locale) {
                        want(key_column::<E>(key, &organization), value);
                    }
                }
                None
            }
        };
        let reason =
            refused.unwrap_or_else(|| ValueError::NotThere { entity: E::TABLE.entity, reference: excerpt(&text) });
        found.insert(text, Err(reason));
    }
    for (column, texts) in wanted {
        for row in rows_with(session, E::TABLE, column, texts.keys().cloned().collect()).await? {
            let Some(texts) = texts.get(&row[column]) else { continue };
            let record = Arc::new(Stored::<E>::from_row(row)?);
            for text in texts {
                let hits = hits.entry(text.clone()).or_default();
                if hits.iter().all(|hit| hit.id != record.id) {
                    hits.push(Arc::clone(&record));
                }
            }
        }
    }
    for (text, mut hits) in hits {
        let one = if hits.len() > 1 { None } else { hits.pop() };
        found.insert(text, one.ok_or(ValueError::NotAllowed { when: "several records answer to it" }));
    }
    Ok(found)
}

/// The members with these e-mail addresses, by the addresses' keys.
pub(super) async fn members(session: &Session<'_>, emails: Vec<&Email>) -> Result<HashMap<String, Id<User>>, CrmError> {
    if emails.is_empty() {
        return Ok(HashMap::new());
    }
    let keys = emails.iter().map(|email| Value::Text(email.key().to_owned())).collect();
    let users = rows_with(session, User::TABLE, User::COLUMNS.email_key.index(), keys).await?;
    let users: Vec<Stored<User>> = users.into_iter().map(Stored::from_row).collect::<Result<_, StoreError>>()?;
    let ids = users.iter().map(|user| Value::Id(user.id.uuid())).collect();
    let members = rows_with(session, Membership::TABLE, Membership::COLUMNS.user_id.index(), ids).await?;
    let members: Vec<_> = members.iter().filter_map(|row| row[Membership::COLUMNS.user_id.index()].as_id()).collect();
    let of_here = users.iter().filter(|user| members.contains(&user.id.uuid()));
    Ok(of_here.map(|user| (user.email.key().to_owned(), user.id)).collect())
}

/// The members by their full names, folded; several may have the same.
pub(super) async fn members_by_name(session: &Session<'_>) -> Result<HashMap<String, Vec<Id<User>>>, CrmError> {
    let members = session.store().select(session.scope(), &Select::new(Membership::TABLE, Expr::True)).await?;
    let ids = members.into_iter().map(|mut row| row.swap_remove(Membership::COLUMNS.user_id.index())).collect();
    let mut names: HashMap<String, Vec<Id<User>>> = HashMap::new();
    for row in rows_with(session, User::TABLE, User::COLUMNS.id.index(), ids).await? {
        let user = Stored::<User>::from_row(row)?;
        names.entry(fold(&user.full_name)).or_default().push(user.id);
    }
    Ok(names)
}

//! Checks what stands above organizations: the users, of whom every organization's chain can tell.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::verify::{Newest, PAGE, Verification, chain, compare, complete, gone, unsealed};
use crate::access::{Membership, Organization, User};
use crate::context::Context;
use crate::crm::Crm;
use crate::entity::Entity as _;
use crate::error::CrmError;
use crate::row::Value;
use crate::store::{ChangeSet, Expr, Scope, Seal, Select, Store, StoreError};

impl Crm {
    /// Seals what was done above organizations and verifies it, and every user against the newest entry of all chains:
    /// see [`verify_users`]. For hosts: it reads every organization's audit and memberships.
    ///
    /// # Errors
    /// When the store fails; what is wrong with the data is among the findings.
    pub async fn verify_users(&self) -> Result<Verification, CrmError> {
        let mut context = Context::system(Arc::clone(self.environment()));
        let mut seal = ChangeSet::new(context.stamp("audit_entry.verify"));
        seal.seal = Some(Seal { limit: u32::MAX });
        self.store().apply(Scope::SYSTEM, seal).await?;
        Ok(verify_users(&**self.store()).await?)
    }
}

/// Checks the chain of what was done above organizations, every organization against its own chain, every user against
/// the newest entry about them in that chain and in those of all organizations, which together tell once of each of the
/// user's versions, how many memberships each has, and that no user is gone.
///
/// # Errors
/// Only when the store fails; what is wrong with the data is among the findings.
pub async fn verify_users(store: &dyn Store) -> Result<Verification, StoreError> {
    let mut report = Verification::default();
    chain(store, Scope::SYSTEM, None, &mut report).await?;
    unsealed(store, Scope::SYSTEM, &mut report).await?;
    let scopes = organizations(store, &mut report).await?;
    let mut query = Select::new(User::TABLE, Expr::True).limited(PAGE);
    loop {
        let users = store.select(Scope::SYSTEM, &query).await?;
        let Some(last) = users.last() else { break };
        query.after = Some(query.place(last));
        let ids: Vec<Value> = users.iter().map(|row| row[0].clone()).collect();
        let mut newest = Newest::new();
        let mut memberships: HashMap<Uuid, i64> = HashMap::new();
        for scope in &scopes {
            newest.read(store, *scope, User::TABLE, &ids).await?;
            if scope.is_system() {
                continue;
            }
            let user = Membership::COLUMNS.user_id;
            let members = Select::new(Membership::TABLE, Expr::In(user.operand(), ids.clone()));
            for row in store.select(*scope, &members).await? {
                if let Some(id) = row[user.index()].as_id() {
                    *memberships.entry(id).or_default() += 1;
                }
            }
        }
        for row in users {
            let id = User::TABLE.id(&row);
            let counted = row[User::COLUMNS.memberships.index()].as_int().unwrap_or(0);
            let there = memberships.get(&id).copied().unwrap_or(0);
            compare(User::TABLE, &row, newest.of(id), &mut report);
            complete(User::TABLE, &row, newest.of(id), &mut report);
            if counted != there {
                let problem = format!("the user is a member of {there} organizations, not of {counted}");
                report.find(User::TABLE.entity, Some(id), None, problem);
            }
        }
    }
    for scope in scopes {
        gone(store, scope, User::TABLE, &mut report).await?;
    }
    Ok(report)
}

/// The scope above organizations and that of each organization, whose row is compared with its own chain.
async fn organizations(store: &dyn Store, report: &mut Verification) -> Result<Vec<Scope>, StoreError> {
    let (table, key) = (Organization::TABLE, Organization::COLUMNS.key.index());
    let mut scopes = vec![Scope::SYSTEM];
    let mut query = Select::new(table, Expr::True).limited(PAGE);
    loop {
        let organizations = store.select(Scope::SYSTEM, &query).await?;
        let Some(last) = organizations.last() else { return Ok(scopes) };
        query.after = Some(query.place(last));
        for row in organizations {
            let scope = Scope::organization(row[key].as_int().unwrap_or(0));
            let mut newest = Newest::new();
            newest.read(store, scope, table, &row[..1]).await?;
            let told = newest.of(table.id(&row));
            compare(table, &row, told, report);
            complete(table, &row, told, report);
            scopes.push(scope);
        }
    }
}

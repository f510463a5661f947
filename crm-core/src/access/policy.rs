//! The policy: what each role may do. One table, deny by default.
//!
//! A role's grant is a command's right to run and a query's filter at once: [`Grant::Own`] on a read adds
//! the entity's own-records filter to every list, count, report and single read, so that a record outside it
//! is not found, exactly as one that is not there.

use super::{Role, Scopes};
use crate::error::CrmError;

/// How far a role's right goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grant {
    /// Not at all.
    Never,
    /// On records that the member owns or is assigned to.
    Own,
    /// On all of the organization's records.
    All,
}

use Grant::{All, Never, Own};

/// What each role may do with one operation.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The operation: entity and verb.
    pub operation: &'static str,
    /// Owner, admin, manager, member, viewer.
    pub grants: [Grant; 5],
}

impl Rule {
    /// The roles that may do it; members perhaps on their own records only.
    pub fn roles(&self) -> Vec<Role> {
        Role::ALL.iter().copied().filter(|role| self.grants[role.position()] != Never).collect()
    }

    /// Whether API keys may do it as far as their scopes say; the rest is for members alone.
    pub fn is_for_keys(&self) -> bool {
        !MEMBERS_ONLY.contains(&self.operation)
    }

    /// Whether an API key's quota can count it.
    pub fn is_counted(&self) -> bool {
        self.is_for_keys() && super::quota::is_counted(self.operation)
    }
}

const fn rule(operation: &'static str, grants: [Grant; 5]) -> Rule {
    Rule { operation, grants }
}

const ADMINS: [Grant; 5] = [All, All, Never, Never, Never];
const MANAGERS: [Grant; 5] = [All, All, All, Never, Never];
const WORKERS: [Grant; 5] = [All, All, All, Own, Never];
const READERS: [Grant; 5] = [All, All, All, Own, All];
const WRITERS: [Grant; 5] = [All, All, All, All, Never];
const EVERYONE: [Grant; 5] = [All, All, All, All, All];

/// Every operation there is.
pub const POLICY: &[Rule] = &[
    rule("organization.read", EVERYONE),
    rule("organization.update", ADMINS),
    rule("membership.read", EVERYONE),
    rule("membership.add", ADMINS),
    rule("membership.set_role", ADMINS),
    rule("membership.remove", ADMINS),
    rule("audit_entry.read", ADMINS),
    rule("audit_entry.verify", ADMINS),
    rule("number_series.read", ADMINS),
    rule("number_series.create", ADMINS),
    rule("number_series.update", ADMINS),
    rule("contact.read", READERS),
    rule("contact.create", WORKERS),
    rule("contact.update", WORKERS),
    rule("contact.archive", WORKERS),
    rule("contact.restore", WORKERS),
    rule("contact.delete", ADMINS),
    rule("contact.import", MANAGERS),
    rule("product.read", EVERYONE),
    rule("product.create", MANAGERS),
    rule("product.update", MANAGERS),
    rule("product.archive", MANAGERS),
    rule("product.restore", MANAGERS),
    rule("product.delete", ADMINS),
    rule("product.import", MANAGERS),
    rule("invoice.read", READERS),
    rule("invoice_line.read", READERS),
    rule("invoice.create", MANAGERS),
    rule("invoice.update", MANAGERS),
    rule("invoice.issue", MANAGERS),
    rule("invoice.void", MANAGERS),
    rule("invoice.write_off", MANAGERS),
    rule("invoice.delete", ADMINS),
    rule("invoice.import", MANAGERS),
    rule("payment.read", READERS),
    rule("allocation.read", READERS),
    rule("payment.record", MANAGERS),
    rule("payment.import", MANAGERS),
    rule("report.summary", READERS),
    rule("report.ageing", READERS),
    rule("report.statement", READERS),
    // Billing.
    rule("payment.allocate", MANAGERS),
    rule("payment.unallocate", MANAGERS),
    rule("payment.reverse", MANAGERS),
    rule("credit_note.read", READERS),
    rule("credit_note_line.read", READERS),
    rule("credit_note.create", MANAGERS),
    rule("credit_note.allocate", MANAGERS),
    rule("credit_note.unallocate", MANAGERS),
    rule("refund.read", READERS),
    rule("refund.record", MANAGERS),
    rule("report.ledger", READERS),
    rule("report.revenue", READERS),
    rule("report.collections", READERS),
    rule("report.taxes", READERS),
    rule("report.debtors", READERS),
    rule("report.days_to_pay", READERS),
    // Sales.
    rule("pipeline.read", EVERYONE),
    rule("pipeline.create", ADMINS),
    rule("pipeline.update", ADMINS),
    rule("pipeline.make_default", ADMINS),
    rule("pipeline.add_stage", ADMINS),
    rule("pipeline.change_stage", ADMINS),
    rule("pipeline.reorder", ADMINS),
    rule("pipeline.delete_stage", ADMINS),
    rule("pipeline.delete", ADMINS),
    rule("stage.read", EVERYONE),
    rule("lead.read", READERS),
    rule("lead.create", WORKERS),
    rule("lead.update", WORKERS),
    rule("lead.assign", WORKERS),
    rule("lead.move", WORKERS),
    rule("lead.reopen", MANAGERS),
    rule("lead.convert", WORKERS),
    rule("lead.archive", WORKERS),
    rule("lead.restore", WORKERS),
    rule("lead.delete", ADMINS),
    rule("deal.read", READERS),
    rule("deal.create", WORKERS),
    rule("deal.update", WORKERS),
    rule("deal.start", WORKERS),
    rule("deal.move", WORKERS),
    rule("deal.move_back", ADMINS),
    rule("deal.win", WORKERS),
    rule("deal.lose", WORKERS),
    rule("deal.reopen", MANAGERS),
    rule("deal.archive", WORKERS),
    rule("deal.restore", WORKERS),
    rule("deal.delete", ADMINS),
    rule("deal.import", MANAGERS),
    rule("deal.import_past", ADMINS),
    rule("stage_change.read", READERS),
    rule("tag.read", EVERYONE),
    rule("tag.create", WRITERS),
    rule("tag.update", MANAGERS),
    rule("tag.delete", ADMINS),
    rule("tagging.read", READERS),
    rule("tagging.add", WORKERS),
    rule("tagging.remove", WORKERS),
    rule("report.leads", READERS),
    rule("report.deals", READERS),
    rule("report.funnel", READERS),
    rule("report.forecast", READERS),
    rule("report.velocity", READERS),
    // Activity.
    rule("task.read", READERS),
    rule("task.create", WORKERS),
    rule("task.update", WORKERS),
    rule("task.complete", WORKERS),
    rule("task.cancel", WORKERS),
    rule("task.reopen", WORKERS),
    rule("task.delete", ADMINS),
    rule("interaction.read", READERS),
    rule("interaction.create", WORKERS),
    // Cases.
    rule("calendar.read", EVERYONE),
    rule("calendar.set", ADMINS),
    rule("calendar.set_day", ADMINS),
    rule("calendar.clear_day", ADMINS),
    rule("case_rule.read", EVERYONE),
    rule("case_rule.create", ADMINS),
    rule("case_rule.update", ADMINS),
    rule("case_rule.delete", ADMINS),
    rule("case.read", READERS),
    rule("case.open", WRITERS),
    rule("case.update", WORKERS),
    rule("case.assign", WORKERS),
    rule("case.transfer", WORKERS),
    rule("case.pause", WORKERS),
    rule("case.complete", WORKERS),
    rule("case.extend", WORKERS),
    rule("case.answer", WORKERS),
    rule("case.notify", WORKERS),
    rule("case.reopen", MANAGERS),
    rule("case.appeal", WORKERS),
    rule("case.close", WORKERS),
    rule("case.recompute", ADMINS),
    rule("case_event.read", READERS),
    rule("report.cases", READERS),
    // Users.
    rule("user.change_password", EVERYONE),
    rule("user.set_username", EVERYONE),
    rule("user.end_sessions", EVERYONE),
    rule("user.reset_password", ADMINS),
    rule("user.deactivate", ADMINS),
    rule("user.activate", ADMINS),
    // Access.
    rule("api_key.read", ADMINS),
    rule("api_key.create", ADMINS),
    rule("api_key.set_quota", ADMINS),
    rule("api_key.revoke", ADMINS),
    rule("key_quota.read", ADMINS),
    rule("key_usage.read", ADMINS),
    rule("api_request.read", ADMINS),
    rule("invitation.read", ADMINS),
    rule("invitation.create", ADMINS),
    rule("invitation.withdraw", ADMINS),
    // Privacy.
    rule("contact.export_personal", ADMINS),
    rule("contact.erase", ADMINS),
    rule("organization.purge", ADMINS),
    rule("api_request.purge", ADMINS),
];

/// What no scope lets an API key do: commands that refuse it with [`AccessError::MembersOnly`](super::AccessError::MembersOnly).
pub const MEMBERS_ONLY: &[&str] = &[
    "membership.add",
    "membership.set_role",
    "membership.remove",
    "user.change_password",
    "user.set_username",
    "user.end_sessions",
    "user.reset_password",
    "user.deactivate",
    "user.activate",
    "api_key.create",
    "api_key.set_quota",
    "invitation.create",
    "invitation.withdraw",
    "organization.purge",
    "api_request.purge",
];

/// The rule of an operation, if there is one.
pub fn find(entity: &str, verb: &str) -> Option<&'static Rule> {
    POLICY.iter().find(|rule| {
        rule.operation.len() == entity.len() + 1 + verb.len()
            && rule.operation.starts_with(entity)
            && rule.operation.as_bytes()[entity.len()] == b'.'
            && rule.operation.ends_with(verb)
    })
}

/// What an actor may do: what the role may, and of that only what an API key's scopes name.
#[derive(Clone, Copy, Debug)]
pub struct Rights<'a> {
    role: Role,
    scopes: Option<&'a Scopes>,
}

impl<'a> Rights<'a> {
    /// Those of a member in a role.
    pub const fn of(role: Role) -> Self {
        Self { role, scopes: None }
    }

    /// Those of an API key.
    pub const fn within(role: Role, scopes: Option<&'a Scopes>) -> Self {
        Self { role, scopes }
    }
}

/// What somebody with these rights may do; an operation without a rule is denied to all.
///
/// # Errors
/// [`CrmError::Forbidden`] when the grant is [`Grant::Never`], [`CrmError::OutOfScope`] when no scope of the API key
/// names the operation.
pub fn authorize(rights: Rights<'_>, entity: &str, verb: &str) -> Result<(&'static str, Grant), CrmError> {
    let Rights { role, scopes } = rights;
    let forbidden = || CrmError::Forbidden { operation: format!("{entity}.{verb}"), role };
    let rule = find(entity, verb).ok_or_else(forbidden)?;
    match rule.grants[role.position()] {
        Grant::Never => Err(forbidden()),
        _ if scopes.is_some_and(|scopes| !scopes.allow(entity, verb)) => {
            Err(CrmError::OutOfScope { operation: rule.operation.to_owned() })
        }
        grant => Ok((rule.operation, grant)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_named_once_and_unknown_ones_denied() {
        for (position, rule) in POLICY.iter().enumerate() {
            let (entity, verb) = rule.operation.split_once('.').unwrap();
            assert_eq!(find(entity, verb).unwrap().operation, POLICY[position].operation);
            assert_eq!(POLICY.iter().filter(|other| other.operation == rule.operation).count(), 1);
        }
        assert!(authorize(Rights::of(Role::Owner), "contact", "explode").is_err());
    }

    /// The reviewed table of roles and operations.
    #[test]
    fn the_policy_is_as_reviewed() {
        let mut text = String::new();
        for rule in POLICY {
            text.push_str(rule.operation);
            for grant in rule.grants {
                text.push_str(match grant {
                    Never => " -",
                    Own => " own",
                    All => " all",
                });
            }
            text.push('\n');
        }
        insta::assert_snapshot!("policy", text);
    }
}

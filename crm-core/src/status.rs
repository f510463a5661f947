//! State machines as data: which moves a record's status has, what each is called, and who may make it.
//!
//! The commands ask the machine, and whoever wants to see it prints it. A move names the operation of the
//! [policy](crate::access::POLICY) that allows it, so that roles are written down in one place.
//!
//! ```
//! use crm_core::access::{Rights, Role};
//! use crm_core::status::{MACHINES, machine};
//!
//! let deal = machine("deal").expect("deals have one");
//! assert_eq!(deal.find("lost", "reopened").map(|step| step.to), Some("in_progress"));
//! assert!(deal.step("Big", "won", "reopened", Rights::of(Role::Member)).is_err());
//! assert!(MACHINES.iter().all(|machine| machine.mermaid().starts_with("stateDiagram-v2")));
//! ```

use std::fmt::{Display, Write as _};

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::access::{Rights, Role, Rule, policy};
use crate::activity::TASK;
use crate::billing::INVOICE;
use crate::error::CrmError;
use crate::sales::{DEAL, DEAL_STAGE, LEAD};
use crate::service::CASE;

/// Every machine.
pub static MACHINES: &[&Machine] = &[
    &RECORD,
    &INVOICE,
    // Sales.
    &LEAD,
    &DEAL,
    &DEAL_STAGE,
    // Activity.
    &TASK,
    // Cases.
    &CASE,
];

/// The machine with this name.
pub fn machine(name: &str) -> Option<&'static Machine> {
    MACHINES.iter().copied().find(|machine| machine.name == name)
}

/// What can happen to the status of one kind of record.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// Its name: that of the entity, or of what else it rules.
    pub name: &'static str,
    /// Every state, the first one first.
    pub states: &'static [&'static str],
    /// Every move. A state and an event lead to one state at most.
    pub moves: &'static [Move],
}

/// One move of a machine.
#[derive(Debug)]
pub struct Move {
    /// From which state.
    pub from: &'static str,
    /// What happens, as in "it cannot be …".
    pub event: &'static str,
    /// To which state.
    pub to: &'static str,
    /// The operation of the policy that allows it.
    pub operation: &'static str,
    /// What else is asked for or changes.
    pub effect: &'static str,
}

/// A move that a machine does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{machine} {record} is {from}: it cannot be {event}")]
pub struct StatusError {
    /// Which machine.
    pub machine: &'static str,
    /// Which record, by name or id.
    pub record: String,
    /// Its state.
    pub from: &'static str,
    /// What was asked for.
    pub event: &'static str,
}

impl Move {
    /// Makes a move.
    pub(crate) const fn new(
        from: &'static str,
        event: &'static str,
        to: &'static str,
        operation: &'static str,
        effect: &'static str,
    ) -> Self {
        Self { from, event, to, operation, effect }
    }

    /// The roles that may make it, by the policy; members perhaps on their own records only.
    pub fn roles(&self) -> Vec<Role> {
        let rule = self.operation.split_once('.').and_then(|(entity, verb)| policy::find(entity, verb));
        rule.map(Rule::roles).unwrap_or_default()
    }
}

impl Serialize for Move {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Move", 6)?;
        fields.serialize_field("from", self.from)?;
        fields.serialize_field("event", self.event)?;
        fields.serialize_field("to", self.to)?;
        fields.serialize_field("operation", self.operation)?;
        fields.serialize_field("roles", &self.roles())?;
        fields.serialize_field("effect", self.effect)?;
        fields.end()
    }
}

impl Machine {
    /// Where an event leads from a state, if anywhere.
    pub fn find(&self, from: &str, event: &str) -> Option<&'static Move> {
        self.moves.iter().find(|step| step.from == from && step.event == event)
    }

    /// The move of a record by somebody with these rights.
    ///
    /// # Errors
    /// [`CrmError::Status`] when there is no such move, [`CrmError::Forbidden`] when the role may not make it,
    /// [`CrmError::OutOfScope`] when the API key may not.
    pub fn step(
        &self,
        record: impl Display,
        from: &'static str,
        event: &'static str,
        rights: Rights<'_>,
    ) -> Result<&'static Move, CrmError> {
        let refused = || StatusError { machine: self.name, record: record.to_string(), from, event };
        let step = self.find(from, event).ok_or_else(refused)?;
        match step.operation.split_once('.') {
            Some((entity, verb)) => policy::authorize(rights, entity, verb)?,
            None => return Err(refused().into()),
        };
        Ok(step)
    }

    /// The machine as lines of text, one move each.
    pub fn table(&self) -> String {
        let mut rows = vec![["from", "event", "to", "operation", "roles", "effect"].map(str::to_owned)];
        for step in self.moves {
            let roles: Vec<&str> = step.roles().into_iter().map(Role::as_str).collect();
            let cells = [step.from, step.event, step.to, step.operation].map(str::to_owned);
            let [from, event, to, operation] = cells;
            rows.push([from, event, to, operation, roles.join(" "), step.effect.to_owned()]);
        }
        let mut out = String::new();
        for row in &rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let width = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
                let _ = write!(line, "{cell:width$}  ");
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    /// The machine as a graph in the language of Graphviz.
    pub fn dot(&self) -> String {
        let mut out = format!("digraph {} {{\n", self.name);
        for state in self.states {
            let _ = writeln!(out, "    {state};");
        }
        for step in self.moves {
            let _ = writeln!(out, "    {} -> {} [label=\"{}\"];", step.from, step.to, step.event);
        }
        out.push_str("}\n");
        out
    }

    /// The machine as a state diagram of Mermaid.
    pub fn mermaid(&self) -> String {
        let mut out = String::from("stateDiagram-v2\n");
        for state in self.states.iter().take(1) {
            let _ = writeln!(out, "    [*] --> {state}");
        }
        for step in self.moves {
            let _ = writeln!(out, "    {} --> {}: {}", step.from, step.to, step.event);
        }
        out
    }
}

/// What every record that can be archived has. `ENTITY` stands for the record's own.
static RECORD: Machine = Machine {
    name: "record",
    states: &["active", "archived", "deleted"],
    moves: &[
        Move::new("active", "archived", "archived", "ENTITY.archive", "it leaves the lists and keeps its history"),
        Move::new("archived", "restored", "active", "ENTITY.restore", ""),
        Move::new("active", "deleted", "deleted", "ENTITY.delete", "refused while other records refer to it"),
        Move::new("archived", "deleted", "deleted", "ENTITY.delete", "refused while other records refer to it"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_consistent() {
        for machine in MACHINES {
            assert_eq!(super::machine(machine.name).map(|found| found.name), Some(machine.name));
            for step in machine.moves {
                let about = format!("{} {} {}", machine.name, step.from, step.event);
                assert!(machine.states.contains(&step.from) && machine.states.contains(&step.to), "{about}");
                let same = machine.moves.iter().filter(|other| other.from == step.from && other.event == step.event);
                assert_eq!(same.count(), 1, "{about} is there twice");
                assert!(machine.name == "record" || !step.roles().is_empty(), "{about}: nobody may {}", step.operation);
            }
        }
    }

    /// The reviewed moves, with the roles that the policy gives them.
    #[test]
    fn the_machines_are_as_reviewed() {
        let mut text = String::new();
        for machine in MACHINES {
            let _ = writeln!(text, "{}: {}\n{}", machine.name, machine.states.join(" "), machine.table());
        }
        insta::assert_snapshot!("machines", text);
    }

    /// Every state, event and role: a move that the table has is made by those it names, and by nobody else.
    #[test]
    fn every_state_event_and_role_is_decided_by_the_table() {
        for machine in MACHINES.iter().filter(|machine| machine.name != "record") {
            let events: std::collections::BTreeSet<_> = machine.moves.iter().map(|step| step.event).collect();
            for from in machine.states {
                for event in &events {
                    for role in Role::ALL {
                        let made = machine.step("it", from, event, Rights::of(*role));
                        match machine.find(from, event) {
                            None => assert!(matches!(made, Err(CrmError::Status(error)) if error.from == *from)),
                            Some(step) if step.roles().contains(role) => assert_eq!(made.unwrap().to, step.to),
                            Some(step) => assert!(
                                matches!(made, Err(CrmError::Forbidden { operation, .. }) if operation == step.operation)
                            ),
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn diagrams_name_every_move() {
        insta::assert_snapshot!("deal_dot", DEAL.dot());
        insta::assert_snapshot!("deal_mermaid", DEAL.mermaid());
        insta::assert_snapshot!("deal_stage_json", serde_json::to_string_pretty(&DEAL_STAGE).unwrap());
    }
}

//! The state machines, as data.

use crm_core::access::Role;
use crm_core::status::MACHINES;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::report::class;

/// The state machines, by name.
#[pyfunction]
pub(crate) fn machines(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let (machine_class, move_class) = (class(py, "Machine")?, class(py, "Move")?);
    let machines = PyDict::new(py);
    for machine in MACHINES {
        let moves = machine.moves.iter().map(|step| {
            let roles = PyTuple::new(py, step.roles().into_iter().map(Role::as_str))?;
            move_class.call1((step.from, step.event, step.to, step.operation, roles, step.effect))
        });
        let moves = PyTuple::new(py, moves.collect::<PyResult<Vec<_>>>()?)?;
        let states = PyTuple::new(py, machine.states)?;
        let arguments = (machine.name, states, moves, machine.dot(), machine.mermaid());
        machines.set_item(machine.name, machine_class.call1(arguments)?)?;
    }
    Ok(machines)
}

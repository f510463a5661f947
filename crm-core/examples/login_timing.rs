//! Compares how long a login takes with a wrong password and with an unknown name, at the real cost of a hash.
//!
//! `cargo run --release -p crm-core --features testing --example login_timing`: the ratio of the medians should be
//! between 0.8 and 1.25. It is printed and not asserted, since it is the machine's as much as the program's.

use std::time::Instant;

use crm_core::access::{Login, PasswordCost, TokenKeys};
use crm_core::store::MemoryStore;
use crm_core::{Crm, CrmError, SystemEnvironment, block_on, testing};

/// As many failures as an account has free.
const ROUNDS: usize = 20;

#[expect(clippy::print_stdout, reason = "this program's purpose")]
fn main() -> Result<(), CrmError> {
    let keys = TokenKeys::new("https://crm.example", "crm", "k1", b"3f0c9a7e5b1d48c2a6e4907bd5f2813c")?;
    let crm = Crm::new(MemoryStore::new(), SystemEnvironment).with_logins(keys, PasswordCost::default());
    block_on(testing::organization(&crm, "acme"))?;
    block_on(crm.set_password(&"owner@acme.example".parse()?, &"correct horse battery".into()))?;
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for (at, name) in ["owner@acme.example", "nobody@acme.example"].into_iter().enumerate() {
            let source = Some(format!("place {round}").parse()?);
            let login = Login {
                organization: "acme".parse()?,
                name: name.to_owned(),
                password: "wrong horse battery".into(),
                source,
            };
            let begun = Instant::now();
            let answer = block_on(crm.login(&login));
            let took = begun.elapsed().as_micros();
            if matches!(answer, Err(CrmError::LoginRefused)) {
                times[at].push(took);
            }
        }
    }
    let medians = times.map(|mut times| {
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or(0)
    });
    let [wrong, unknown] = medians;
    println!("wrong password {wrong} µs, unknown name {unknown} µs, ratio {} %", unknown * 100 / wrong.max(1));
    Ok(())
}

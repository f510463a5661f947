//! Compares how long a login takes with a wrong password and with an unknown name, at the real cost of a hash.
//!
//! `cargo run --release -p crm-core --features testing --example login_timing`, on a machine that does nothing else: the ratio
//! of the medians should be between 0.8 and 1.25. It is printed and not asserted, since it is the machine's as much as the
//! program's.

use std::time::Instant;

use crm_core::access::{AddMember, Login, PasswordCost, Role, TokenKeys};
use crm_core::store::MemoryStore;
use crm_core::{Crm, CrmError, SystemEnvironment, block_on, testing};

/// How many accounts there are, and as many unknown names.
const ACCOUNTS: usize = 20;
/// As many failures as an account has free in an hour.
const ROUNDS: usize = 20;

#[expect(clippy::print_stdout, reason = "this program's purpose")]
fn main() -> Result<(), CrmError> {
    let keys = TokenKeys::new("https://crm.example", "crm", "k1", b"3f0c9a7e5b1d48c2a6e4907bd5f2813c")?;
    let crm = Crm::new(MemoryStore::new(), SystemEnvironment).with_logins(keys, PasswordCost::default());
    let owner = block_on(testing::organization(&crm, "acme"))?;
    for account in 0..ACCOUNTS {
        let email = format!("known{account}@acme.example").parse()?;
        block_on(owner.run(&AddMember { email, full_name: "Known".parse().ok(), role: Role::Viewer }))?;
        block_on(crm.set_password(&format!("known{account}@acme.example").parse()?, &"correct horse battery".into()))?;
    }
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS * ACCOUNTS {
        let account = round % ACCOUNTS;
        // Turn about, so that neither profits from what the other has warmed up.
        for kind in [round % 2, 1 - round % 2] {
            let name = format!("{}{account}@acme.example", ["known", "nobody"][kind]);
            let source = Some(format!("place {kind} {round}").parse()?);
            let password = "wrong horse battery".into();
            let login = Login { organization: "acme".parse()?, name, password, source };
            let begun = Instant::now();
            let answer = block_on(crm.login(&login));
            let took = begun.elapsed().as_micros();
            match answer {
                Err(CrmError::LoginRefused) => times[kind].push(took),
                Err(error) => return Err(error),
                Ok(_) => println!("a wrong password was taken"),
            }
        }
    }
    let rounds = times[0].len();
    let [wrong, unknown] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    let percent = unknown * 100 / wrong.max(1);
    let (whole, rest) = (percent / 100, percent % 100);
    println!("{rounds} rounds; medians: wrong password {wrong} µs, unknown name {unknown} µs; ratio {whole}.{rest:02}");
    Ok(())
}

//! What is asked for on a terminal.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod common;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Sandbox, words};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

const PATIENCE: Duration = Duration::from_mins(1);

/// Both ends of a new terminal: ours, and the program's.
fn terminal() -> (File, File) {
    let ours: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    (File::from(ours), File::options().read(true).write(true).open(name).unwrap())
}

/// Whether the terminal shows what is typed.
fn shows(terminal: &File) -> bool {
    tcgetattr(terminal).unwrap().local_modes.contains(LocalModes::ECHO)
}

/// Runs a line at a terminal where people answer each question as soon as it hides what they type, and gives its exit
/// code and all that the terminal showed.
fn typed(crm: &Sandbox, line: &str, answers: &[&str]) -> (Option<i32>, String) {
    let (ours, theirs) = terminal();
    let mut command = crm.command(&words(line));
    command.stdin(theirs.try_clone().unwrap()).stderr(theirs.try_clone().unwrap()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    // Or it would hold the terminal open.
    drop(command);
    let shown = Arc::new(Mutex::new(String::new()));
    let reader = std::thread::spawn({
        let (shown, mut ours) = (Arc::clone(&shown), ours.try_clone().unwrap());
        move || {
            let mut bytes = [0; 1_024];
            // Linux ends with an error when the other side has gone.
            while let Ok(count @ 1..) = ours.read(&mut bytes) {
                shown.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        }
    });
    let begun = Instant::now();
    for (round, answer) in answers.iter().enumerate() {
        let asked = || shown.lock().unwrap().matches(':').count() > round;
        while !asked() || shows(&theirs) {
            assert!(begun.elapsed() < PATIENCE, "question {round} of {line} does not hide what is typed");
            std::thread::sleep(Duration::from_millis(2));
        }
        (&ours).write_all(format!("{answer}\n").as_bytes()).unwrap();
    }
    let code = child.wait().unwrap().code();
    assert!(shows(&theirs), "{line} left the terminal hiding what is typed");
    drop(theirs);
    reader.join().unwrap();
    let shown = shown.lock().unwrap().clone();
    (code, shown)
}

#[test]
fn what_is_typed_is_not_shown() {
    const FIRST: &str = "the first long password";
    let crm = Sandbox::acme();
    crm.ok("config unset as");
    for (line, answers, code) in [
        ("user set-password ana@acme.example", &[FIRST, FIRST][..], 0),
        ("login ana@acme.example", &[FIRST], 0),
        ("login ana@acme.example", &["not the password"], 4),
    ] {
        let (ended, shown) = typed(&crm, line, answers);
        assert_eq!(ended, Some(code), "{line}\n{shown}");
        assert!(shown.contains("assword"), "{line}\n{shown}");
        for answer in answers {
            assert!(!shown.contains(answer), "{line}\n{shown}");
        }
    }
}

//! Runs child programs so that nothing outlives this one.
//!
//! Every program runs in a process group of its own. A signal to this program alone (`kill`) and one from the
//! terminal (Ctrl-C) therefore arrive the same way: here, from where they are passed on to the group of the step
//! that is running, and only then does the clean-up begin. Whatever happens to this program, even `kill -9`, a
//! [`Janitor`] ends what it had started.

use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::{About, Stop};

/// How often a waiting loop looks at the child and at the signals.
const TICK: Duration = Duration::from_millis(20);
/// How long a step may take to end after it was told to.
const GRACE: Duration = Duration::from_secs(15);
/// How long output is still read after the program itself has ended, in case something inherited its pipes.
const DRAIN: Duration = Duration::from_secs(2);

/// Where the output of a program goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// To our own output as it comes, and kept.
    Relayed,
    /// Kept only.
    Kept,
    /// Straight to the terminal, with its input too where there is a terminal.
    Terminal,
}

/// A program that has ended.
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    /// Both of its streams, line by line as they came, without colour codes.
    pub(crate) text: String,
}

impl Finished {
    /// The last lines of the output, for an error message.
    pub(crate) fn tail(&self) -> String {
        tail(&self.text, 20)
    }
}

/// The last `count` lines of `text`.
pub(crate) fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The signals, and the programs started under them.
pub(crate) struct Session {
    arrived: Arc<AtomicUsize>,
    interrupted: Cell<Option<i32>>,
    janitor: RefCell<Janitor>,
}

impl Session {
    pub(crate) fn start() -> Result<Self, Stop> {
        let arrived = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let value = usize::try_from(signal).expect("signal numbers are positive");
            signal_hook::flag::register_usize(signal, Arc::clone(&arrived), value)
                .about(|| format!("handle signal {signal}"))?;
        }
        Ok(Self { arrived, interrupted: Cell::new(None), janitor: RefCell::new(Janitor::start()?) })
    }

    /// Takes the signal that arrived since the last look.
    fn signal(&self) -> Option<i32> {
        match self.arrived.swap(0, Ordering::SeqCst) {
            0 => None,
            number => {
                let signal = i32::try_from(number).expect("it was made from an i32");
                self.interrupted.set(Some(signal));
                Some(signal)
            }
        }
    }

    /// An error from the moment a signal has arrived.
    pub(crate) fn proceed(&self) -> Result<(), Stop> {
        match self.signal().or(self.interrupted.get()) {
            Some(signal) => Err(Stop::Interrupted(signal)),
            None => Ok(()),
        }
    }

    /// Tells the janitor about a PostgreSQL cluster in `directory`, until `None`.
    pub(crate) fn watch_cluster(&self, directory: Option<&Path>) {
        let directory = directory.map_or(String::new(), |path| path.display().to_string());
        self.janitor.borrow_mut().tell("cluster", &directory);
    }

    /// Runs a program whose failure ends the chore.
    pub(crate) fn succeed(&self, command: &mut Command, output: Output) -> Result<Finished, Stop> {
        let finished = self.run(command, output)?;
        if finished.status.success() {
            return Ok(finished);
        }
        let detail = match output {
            Output::Kept => format!(":\n{}", finished.tail()),
            Output::Relayed | Output::Terminal => String::new(),
        };
        Err(Stop::Failed(format!("{} ended with {}{detail}", shown(command), finished.status)))
    }

    /// Runs a program to its end, or to the first signal.
    pub(crate) fn run(&self, command: &mut Command, output: Output) -> Result<Finished, Stop> {
        self.proceed()?;
        // A program that talks to a person must stay in the foreground group of the terminal, which then
        // delivers Ctrl-C to it directly.
        let interactive = output == Output::Terminal && std::io::stdin().is_terminal();
        if !interactive {
            command.process_group(0).stdin(Stdio::null());
        }
        if output != Output::Terminal {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        let mut child = command.spawn().about(|| format!("run {}", shown(command)))?;
        let pid = pid(&child);
        if !interactive {
            self.janitor.borrow_mut().tell("group", &pid.to_string());
        }
        let lines = relay(&mut child);
        let outcome = self.wait(&mut child, pid, interactive, output, &lines);
        if !interactive {
            if self.interrupted.get().is_some() {
                let _ = kill_process_group(pid, Signal::KILL); // what the program itself had left behind
            }
            self.janitor.borrow_mut().tell("group", "");
        }
        let finished = outcome.about(|| format!("wait for {}", shown(command)))?;
        if interactive && self.signal() == Some(SIGINT) {
            self.interrupted.set(None);
        }
        // Whatever a program in the background makes of a signal, this one stops.
        self.proceed()?;
        Ok(finished)
    }

    fn wait(
        &self,
        child: &mut Child,
        pid: Pid,
        interactive: bool,
        output: Output,
        lines: &Receiver<Line>,
    ) -> std::io::Result<Finished> {
        let mut text = String::new();
        let mut deadline = None;
        let status = loop {
            match lines.recv_timeout(TICK) {
                Ok(line) => line.take(output, &mut text),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => thread::sleep(TICK),
            }
            if let Some(status) = child.try_wait()? {
                break status;
            }
            match self.signal().and_then(Signal::from_named_raw) {
                Some(_) if deadline.is_some() => {
                    let _ = kill_process_group(pid, Signal::KILL);
                }
                // The terminal has sent it to the program as well, which decides what it means.
                Some(Signal::INT) if interactive => self.interrupted.set(None),
                Some(signal) => {
                    let _ = if interactive { kill_process(pid, signal) } else { kill_process_group(pid, signal) };
                    deadline = Some(Instant::now() + GRACE);
                }
                None => {}
            }
            if deadline.is_some_and(|end| Instant::now() > end) {
                child.kill()?;
            }
        };
        let end = Instant::now() + DRAIN;
        while let Ok(line) = lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            line.take(output, &mut text);
        }
        Ok(Finished { status, text })
    }
}

/// How a command is shown to a person.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    format!("`{}`", words.join(" "))
}

/// The process id of a child, in the type that signals are sent to.
pub(crate) fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

enum Line {
    Out(Vec<u8>),
    Err(Vec<u8>),
}

impl Line {
    fn take(self, output: Output, text: &mut String) {
        let bytes = match &self {
            Self::Out(bytes) | Self::Err(bytes) => bytes,
        };
        text.push_str(&plain(&String::from_utf8_lossy(bytes)));
        if output == Output::Relayed {
            // Nobody may be reading any more; the step still counts.
            let _ = match self {
                Self::Out(bytes) => std::io::stdout().write_all(&bytes),
                Self::Err(bytes) => std::io::stderr().write_all(&bytes),
            };
        }
    }
}

fn relay(child: &mut Child) -> Receiver<Line> {
    fn pump(stream: Option<impl Read + Send + 'static>, kind: fn(Vec<u8>) -> Line, lines: Sender<Line>) {
        let Some(stream) = stream else { return };
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            loop {
                let mut bytes = Vec::new();
                match reader.read_until(b'\n', &mut bytes) {
                    Ok(1..) if lines.send(kind(bytes)).is_ok() => {}
                    _ => return,
                }
            }
        });
    }
    let (sender, receiver) = channel();
    pump(child.stdout.take(), Line::Out, sender.clone());
    pump(child.stderr.take(), Line::Err, sender);
    receiver
}

/// Drops terminal control sequences.
fn plain(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\u{1b}' {
            kept.push(c);
            continue;
        }
        match rest.next() {
            Some('[') => {
                rest.by_ref().find(|c| ('@'..='~').contains(c));
            }
            Some('(') => {
                rest.next(); // the choice of a character set
            }
            _ => {}
        }
    }
    kept
}

/// A shell that waits for this program to end, to clean up if it could not do so itself.
///
/// It reads from a pipe what is running at the moment. The end of the pipe without a good-bye means that this
/// program was killed.
struct Janitor {
    shell: Child,
    pipe: Option<ChildStdin>,
}

const JANITOR: &str = r#"
trap '' INT TERM HUP
group= cluster=
while read -r what value; do
    case $what in
        group) group=$value ;;
        cluster) cluster=$value ;;
        bye) exit 0 ;;
    esac
done
gone() { # waits until the process or group $1 is gone, $2 seconds at most
    left=$2
    while kill -0 "$1" && [ "$left" -gt 0 ]; do sleep 1; left=$((left - 1)); done
}
if [ -n "$group" ]; then
    kill -TERM "-$group"
    gone "-$group" 15
    kill -KILL "-$group"
fi
if [ -n "$cluster" ]; then
    if read -r server <"$cluster/data/postmaster.pid"; then
        kill -INT "$server"
        gone "$server" 20
        kill -KILL "$server"
    fi
    rm -rf "$cluster"
fi
"#;

impl Janitor {
    fn start() -> Result<Self, Stop> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", JANITOR])
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .about(|| "run /bin/sh".to_owned())?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, pipe })
    }

    fn tell(&mut self, what: &str, value: &str) {
        if let Some(pipe) = &mut self.pipe {
            // Without its janitor the program still cleans up after itself in every orderly case.
            let _ = writeln!(pipe, "{what} {value}");
        }
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        self.tell("bye", "");
        self.pipe = None;
        let _ = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_are_kept_without_colours() {
        let session = Session::start().unwrap();
        let finished = session
            .run(&mut shell("printf '\\033[31mred\\033(B\\033[0m\\n'; echo wrong >&2; exit 3"), Output::Kept)
            .unwrap();
        let mut lines: Vec<_> = finished.text.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["red", "wrong"]);
        assert_eq!(finished.status.code(), Some(3));
    }

    #[test]
    fn a_background_program_with_our_pipe_does_not_hold_a_step_up() {
        let session = Session::start().unwrap();
        let begun = Instant::now();
        let finished = session.run(&mut shell("sleep 30 & echo $!; echo started"), Output::Kept).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(20));
        assert!(finished.text.ends_with("started\n"));
        let pid: i32 = finished.text.lines().next().unwrap().parse().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    }

    #[test]
    fn a_signal_ends_the_program_and_what_it_started() {
        let session = Session::start().unwrap();
        let arrived = Arc::clone(&session.arrived);
        let signal = thread::spawn(move || {
            thread::sleep(Duration::from_millis(300));
            arrived.store(usize::try_from(SIGTERM).unwrap(), Ordering::SeqCst);
        });
        let begun = Instant::now();
        let stop = session.run(&mut shell("sleep 30 & sleep 30"), Output::Kept);
        signal.join().unwrap();
        assert!(matches!(stop, Err(Stop::Interrupted(SIGTERM))));
        assert!(begun.elapsed() < Duration::from_secs(20));
        let next = session.run(&mut shell("exit 0"), Output::Kept);
        assert!(matches!(next, Err(Stop::Interrupted(SIGTERM))));
    }

    #[test]
    fn the_janitor_cleans_up_after_a_killed_program() {
        let folder = std::env::temp_dir().join(format!("xtask-janitor-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("data")).unwrap();
        let sleep = || Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        let (mut step, mut server) = (sleep(), sleep());
        std::fs::write(folder.join("data/postmaster.pid"), format!("{}\nmore\n", server.id())).unwrap();

        let mut janitor = Janitor::start().unwrap();
        janitor.tell("group", &step.id().to_string());
        janitor.tell("cluster", &folder.display().to_string());
        let reaper = thread::spawn(move || (step.wait(), server.wait()));
        janitor.pipe = None; // what the end of the process does, without a good-bye
        janitor.shell.wait().unwrap();

        let (step, server) = reaper.join().unwrap();
        assert!(!step.unwrap().success());
        assert!(!server.unwrap().success());
        assert!(!folder.exists());
    }

    #[test]
    fn a_missing_program_is_named() {
        let session = Session::start().unwrap();
        let stop = session.succeed(&mut Command::new("no-such-program"), Output::Kept).err().unwrap();
        assert!(stop.to_string().contains("no-such-program"), "{stop}");
    }
}

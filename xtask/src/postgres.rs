//! A PostgreSQL that exists for the length of one command.
//!
//! The server is a plain child process with its data in a fresh temporary folder, reachable on a Unix socket there
//! and on a free port of the loopback interface. Nothing is installed into the system but, where that is possible
//! and necessary, the Debian package.

use std::env;
use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Signal, kill_process};

use crate::error::{About, Stop};
use crate::session::{Output, Session, pid, tail};
use crate::system::{self, Account};

/// The variable that the tests read.
pub(crate) const URL_VARIABLE: &str = "CRM_TEST_POSTGRES_URL";

const START: Duration = Duration::from_mins(1);
const SHUTDOWN: Duration = Duration::from_secs(20);
const TICK: Duration = Duration::from_millis(20);

/// The server that tests use.
pub(crate) enum Server<'session> {
    /// One that the user has named.
    Theirs(String),
    /// One that we started, and delete.
    Ours(Cluster<'session>),
}

impl<'session> Server<'session> {
    /// Uses the server that the environment names, or starts one.
    pub(crate) fn get(session: &'session Session, durable: bool) -> Result<Self, Stop> {
        match env::var(URL_VARIABLE) {
            Ok(url) if !url.trim().is_empty() => {
                eprintln!("using the PostgreSQL of {URL_VARIABLE}");
                Ok(Self::Theirs(url))
            }
            _ => Cluster::start(session, durable).map(Self::Ours),
        }
    }

    /// Tells a command where the server is.
    pub(crate) fn announce(&self, command: &mut Command) {
        match self {
            Self::Theirs(url) => command.env(URL_VARIABLE, url),
            Self::Ours(cluster) => {
                system::without_postgres_settings(command);
                command.env(URL_VARIABLE, cluster.url())
            }
        };
    }

    /// How many sessions the server has seen, as far as that is known.
    pub(crate) fn sessions(&self) -> Option<usize> {
        match self {
            Self::Theirs(_) => None,
            Self::Ours(cluster) => Some(
                fs::read_to_string(cluster.log())
                    .ok()?
                    .lines()
                    .filter(|line| line.contains("connection authorized: "))
                    .count(),
            ),
        }
    }
}

/// A running server with its data; stopped and deleted when dropped.
pub(crate) struct Cluster<'session> {
    session: &'session Session,
    folder: PathBuf,
    server: Option<Child>,
    port: u16,
}

impl<'session> Cluster<'session> {
    fn start(session: &'session Session, durable: bool) -> Result<Self, Stop> {
        let programs = programs(session)?;
        let account = if system::is_superuser() { Some(system::database_account(session)?) } else { None };
        // From here on, dropping cleans up.
        let mut cluster = Self { session, folder: fresh_folder(account)?, server: None, port: 0 };
        session.watch_cluster(Some(&cluster.folder));

        let mut initdb = cluster.command(&programs.join("initdb"), account);
        initdb
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8"])
            .args(["--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(cluster.data());
        session.succeed(&mut initdb, Output::Kept)?;

        for attempt in 1.. {
            cluster.port = free_port()?;
            let mut server = cluster.command(&programs.join("postgres"), account);
            cluster.configure(&mut server, durable)?;
            cluster.server = Some(server.spawn().about(|| format!("start {}", programs.join("postgres").display()))?);
            match cluster.wait_until_ready() {
                // Between asking for a free port and using it, somebody else may have taken it.
                Err(Stop::Failed(reason)) if attempt < 5 && reason.contains("could not bind") => {
                    cluster.stop();
                }
                outcome => {
                    outcome?;
                    break;
                }
            }
        }
        eprintln!("PostgreSQL is running at {}", cluster.url());
        Ok(cluster)
    }

    /// A program that runs as `account`, in the folder, without any setting of the user's own servers.
    fn command(&self, program: &Path, account: Option<Account>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder);
        system::without_postgres_settings(&mut command);
        if let Some(Account { uid, gid }) = account {
            command.uid(uid).gid(gid); // this also drops the superuser's other groups
        }
        command
    }

    fn configure(&self, server: &mut Command, durable: bool) -> Result<(), Stop> {
        let mut settings = vec![
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", self.folder.display()),
            "max_connections=200".to_owned(),
            "log_connections=on".to_owned(),
        ];
        if !durable {
            for name in ["fsync", "synchronous_commit", "full_page_writes"] {
                settings.push(format!("{name}=off"));
            }
        }
        server.arg("-D").arg(self.data());
        for setting in settings {
            server.args(["-c", &setting]);
        }
        let log = || File::create(self.log()).and_then(|file| Ok((Stdio::from(file.try_clone()?), file)));
        let (out, err) = log().about(|| format!("create {}", self.log().display()))?;
        // Ctrl-C in a terminal must not reach the server while a step still needs it.
        server.process_group(0).stdin(Stdio::null()).stdout(out).stderr(err);
        Ok(())
    }

    fn wait_until_ready(&mut self) -> Result<(), Stop> {
        let end = Instant::now() + START;
        loop {
            self.session.proceed()?;
            let server = self.server.as_mut().expect("the server was just started");
            let ended = server.try_wait().about(|| "wait for PostgreSQL".to_owned())?;
            if ended.is_some() || Instant::now() > end {
                let log = fs::read_to_string(self.log()).unwrap_or_default();
                return Err(Stop::failed(format!("PostgreSQL did not start:\n{}", tail(&log, 20))));
            }
            // The eighth line of this file is what `pg_ctl` waits for too.
            let state = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
            if state.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
                return Ok(());
            }
            thread::sleep(TICK);
        }
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// Fast shutdown: sessions are ended, data is left consistent. By force if that takes too long.
    fn stop(&mut self) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        let _ = kill_process(pid(&server), Signal::INT);
        let end = Instant::now() + SHUTDOWN;
        while matches!(server.try_wait(), Ok(None)) {
            if Instant::now() > end {
                let _ = server.kill();
                let _ = server.wait();
                break;
            }
            thread::sleep(TICK);
        }
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        self.stop();
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("cannot delete {}: {error}", self.folder.display());
        }
        self.session.watch_cluster(None);
    }
}

/// The folder of `initdb` and `postgres`, installing them where that is possible.
fn programs(session: &Session) -> Result<PathBuf, Stop> {
    if let Some(found) = find_programs(session)? {
        return Ok(found);
    }
    if !system::has_apt() {
        return Err(Stop::failed(format!(
            "PostgreSQL is not installed. Install its server (Debian and Ubuntu: `apt-get install postgresql`; \
             Fedora: `dnf install postgresql-server`; macOS: `brew install postgresql`), or set {URL_VARIABLE} \
             to a server whose contents do not matter"
        )));
    }
    eprintln!("PostgreSQL is not installed; installing the Debian package, without a server of its own");
    no_debian_cluster().about(|| "write /etc/postgresql-common/createcluster.conf".to_owned())?;
    system::apt_install(session, &["postgresql"])?;
    find_programs(session)?.ok_or_else(|| {
        Stop::failed("the package `postgresql` is installed, but initdb and postgres are nowhere to be found")
    })
}

fn find_programs(session: &Session) -> Result<Option<PathBuf>, Stop> {
    let complete = |folder: &Path| ["initdb", "postgres"].iter().all(|name| system::is_program(&folder.join(name)));
    // A link in PATH leads to where the server's own files are.
    let in_path = system::which("initdb")
        .and_then(|path| fs::canonicalize(path).ok())
        .and_then(|path| Some(path.parent()?.to_path_buf()));
    let mut packaged: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    packaged.sort_by_key(|path| std::cmp::Reverse(version(path)));
    let found =
        in_path.into_iter().chain(packaged.into_iter().map(|path| path.join("bin"))).find(|folder| complete(folder));
    if found.is_some() || system::which("pg_config").is_none() {
        return Ok(found);
    }
    let told = session.run(Command::new("pg_config").arg("--bindir"), Output::Kept)?;
    Ok(Some(PathBuf::from(told.text.trim())).filter(|folder| complete(folder)))
}

/// The version that a folder is named for, so that 15 comes after 9.6.
fn version(path: &Path) -> Vec<u32> {
    path.file_name()
        .and_then(|name| name.to_str())
        .map(|name| name.split('.').filter_map(|part| part.parse().ok()).collect())
        .unwrap_or_default()
}

/// Keeps Debian from starting a server as part of the installation. An existing file is the administrator's.
fn no_debian_cluster() -> std::io::Result<()> {
    let folder = Path::new("/etc/postgresql-common");
    fs::create_dir_all(folder)?;
    match File::create_new(folder.join("createcluster.conf")) {
        Ok(mut file) => std::io::Write::write_all(&mut file, b"create_main_cluster = false\n"),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// A new folder that only `account` can enter, on a path that it can reach and that a socket's name can hold.
fn fresh_folder(account: Option<Account>) -> Result<PathBuf, Stop> {
    let wanted = env::temp_dir();
    let fits = wanted.as_os_str().len() <= 60 && (account.is_none() || open_to_all(&wanted));
    let base = if fits { wanted } else { PathBuf::from("/tmp") };
    let process = std::process::id();
    loop {
        let moment = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
        let folder = base.join(format!("crm-postgres-{process}-{moment:08x}"));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => {
                if let Some(Account { uid, gid }) = account {
                    chown(&folder, Some(uid), Some(gid))
                        .about(|| format!("change the owner of {}", folder.display()))?;
                }
                return Ok(folder);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).about(|| format!("create {}", folder.display())),
        }
    }
}

/// Whether anybody can pass through `folder` and all that it lies in.
fn open_to_all(folder: &Path) -> bool {
    fs::canonicalize(folder).is_ok_and(|folder| {
        folder.ancestors().all(|path| fs::metadata(path).is_ok_and(|data| data.mode() & 0o001 != 0))
    })
}

fn free_port() -> Result<u16, Stop> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .about(|| "find a free port".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let mut folders = ["9.6", "15", "current", "17", "10"].map(PathBuf::from);
        folders.sort_by_key(|path| std::cmp::Reverse(version(path)));
        assert_eq!(folders.map(|path| path.display().to_string()), ["17", "15", "10", "9.6", "current"]);
    }

    #[test]
    fn a_fresh_folder_is_private() {
        let folder = fresh_folder(None).unwrap();
        let mode = fs::metadata(&folder).unwrap().mode();
        fs::remove_dir(&folder).unwrap();
        assert_eq!(mode & 0o777, 0o700);
    }
}

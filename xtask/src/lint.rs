//! The rules of the house that neither the compiler nor clippy knows.
//!
//! Each rule is a function from tokens to faults, so that a test can plant a fault without touching a file. Code
//! compiled only for tests is set apart first: `#[cfg(test)]` items, what is behind the `testing` feature, and the
//! files of modules declared so.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{About, Stop};
use crate::lexer::{Kind, Token, tokens};
use crate::session::{Output, Session};

/// Files where a float is right, with the reason: not one stands on a path of money.
const FLOATS_ALLOWED: &[(&str, &str)] = &[];

/// Files of the domain that may ask the machine, with the reason: not one rule is decided there.
const MACHINE_ALLOWED: &[(&str, &str)] =
    &[("crm-core/src/system.rs", "the clock and ids that a program may bring to core, behind a feature")];

/// What crates may take from a module `process`: nothing that starts a program.
const OF_PROCESS: &[&str] = &["ExitCode", "exit", "getuid", "id"];

/// What must not be in the dependency tree of the domain: it performs no input or output.
const NOT_IN_CORE: &[&str] = &["sqlx", "sqlx-core", "tokio", "rusqlite", "libsqlite3-sys"];

/// What must not be in any tree: TLS is rustls with ring, and needs no system library.
const NOT_ANYWHERE: &[&str] = &["aws-lc-sys", "openssl-sys", "native-tls"];

/// A source file, in tokens.
pub(crate) struct Source {
    /// Relative to the root of the workspace.
    path: String,
    /// All of its tokens.
    all: Vec<Token>,
    /// Those outside test code.
    live: Vec<Token>,
}

impl Source {
    fn is_in(&self, list: &[(&str, &str)]) -> bool {
        list.iter().any(|(path, _)| *path == self.path)
    }

    fn fault(&self, token: &Token, what: &str) -> String {
        format!("{}:{}: {what}", self.path, token.line)
    }
}

/// One rule, with the name of its step.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    /// What the rule demands, for the announcement.
    pub(crate) demand: &'static str,
    pub(crate) check: fn(&Session, &Path) -> Result<Vec<String>, Stop>,
}

/// Every rule, in the order in which they run.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "lint: floats",
        demand: "no float in the library's crates, front ends included",
        check: |_, root| floats_in(root),
    },
    Rule {
        name: "lint: sql text",
        demand: "AssertSqlSafe in at most one file of each store",
        check: |_, root| {
            let mut faults = Vec::new();
            for store in stores(root)? {
                faults.extend(sql_text(&sources(root, &[format!("{store}/src")])?));
            }
            Ok(faults)
        },
    },
    Rule {
        name: "lint: pure core",
        demand: "no clock, environment, file system, process or network in crm-core",
        check: |_, root| Ok(impure(&sources(root, &["crm-core/src".to_owned()])?, MACHINE_ALLOWED)),
    },
    Rule {
        name: "lint: outside",
        demand: "no program started and no connection opened by the library's crates, front ends included",
        check: |_, root| Ok(outside(&library(root)?)),
    },
    Rule {
        name: "lint: unfinished",
        demand: "no todo!, unimplemented! or #[ignore]; no .unwrap() outside tests",
        check: |_, root| {
            let mut members = members(root)?;
            let mut faults = unfinished(&sources(root, &members)?);
            // Clippy watches over the programs that only show or measure something.
            members.retain(|name| name.starts_with("crm-") || name == "xtask");
            let folders: Vec<_> = members.iter().map(|name| format!("{name}/src")).collect();
            faults.extend(unwraps(&sources(root, &folders)?));
            Ok(faults)
        },
    },
    Rule {
        name: "lint: dependencies",
        demand: "a domain without input or output, one TLS stack, one SQLite",
        check: dependencies,
    },
    Rule {
        name: "fixtures",
        demand: "no crate of the library brings crm-core's feature `testing` along",
        check: crate::fixtures::check,
    },
    Rule {
        name: "licences",
        demand: "every dependency under a licence of xtask/licences.txt",
        check: crate::licences::check,
    },
    Rule {
        name: "asvs",
        demand: "docs/asvs.md names a test for all that is met, and every test that it names exists",
        check: |_, root| crate::asvs::check(root),
    },
];

fn dependencies(session: &Session, root: &Path) -> Result<Vec<String>, Stop> {
    let tree = |arguments: &[&str]| {
        let mut command = crate::system::cargo(root);
        command.args(["tree", "--prefix", "none", "--format", "{p}"]);
        session.succeed(command.args(arguments), Output::Kept)
    };
    let core = tree(&["-p", "crm-core", "-e", "normal"])?.text;
    let all = tree(&["--workspace", "--all-features", "-e", "normal,build,dev"])?.text;
    let mut faults = present(&core, "crm-core", NOT_IN_CORE);
    faults.extend(present(&all, "the workspace", NOT_ANYWHERE));
    faults.extend(one_sqlite(&all));
    Ok(faults)
}

/// Packages of `tree` that are forbidden there.
fn present(tree: &str, whose: &str, forbidden: &[&str]) -> Vec<String> {
    let found: BTreeSet<&str> =
        tree.lines().filter_map(|line| line.split(' ').next()).filter(|name| forbidden.contains(name)).collect();
    found.into_iter().map(|name| format!("{whose} depends on {name}; see `cargo tree -i {name}`")).collect()
}

fn one_sqlite(tree: &str) -> Vec<String> {
    let versions: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.strip_prefix("libsqlite3-sys "))
        .filter_map(|rest| rest.split(' ').next())
        .collect();
    match versions.len() {
        1 => Vec::new(),
        0 => vec!["libsqlite3-sys is not in the tree, so no SQLite is bundled".to_owned()],
        _ => vec![format!(
            "libsqlite3-sys is in the tree more than once: {}",
            versions.into_iter().collect::<Vec<_>>().join(", ")
        )],
    }
}

/// Floats where money goes: in every crate of the library.
fn floats_in(root: &Path) -> Result<Vec<String>, Stop> {
    Ok(floats(&library(root)?, FLOATS_ALLOWED))
}

/// The sources of every crate of the library.
fn library(root: &Path) -> Result<Vec<Source>, Stop> {
    let folders: Vec<_> = crates(root)?.iter().map(|name| format!("{name}/src")).collect();
    sources(root, &folders)
}

/// Float types, float literals and conversions to and from floats.
fn floats(sources: &[Source], allowed: &[(&str, &str)]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        if source.is_in(allowed) {
            continue;
        }
        for token in &source.live {
            let float = match token.kind {
                Kind::Word => {
                    let word = token.text.as_str();
                    // Asking whether a JSON number is a float is how one is refused.
                    word != "is_f64"
                        && (["f32", "f64"].contains(&word) || word.ends_with("_f32") || word.ends_with("_f64"))
                }
                Kind::Number => is_float(&token.text),
                _ => false,
            };
            if float {
                faults.push(source.fault(token, &format!("float `{}`", token.text)));
            }
        }
    }
    faults
}

fn is_float(number: &str) -> bool {
    if ["0x", "0o", "0b"].iter().any(|prefix| number.starts_with(prefix)) {
        return false;
    }
    let rest = number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
    rest.starts_with(['.', 'e', 'E', 'f'])
}

/// The files of one store that vouch for SQL text, when there is more than one.
fn sql_text(sources: &[Source]) -> Vec<String> {
    let files: Vec<String> = sources
        .iter()
        .filter_map(|source| {
            let token = source.live.iter().find(|token| token.is("AssertSqlSafe"))?;
            Some(source.fault(token, "AssertSqlSafe, which belongs in one file per store"))
        })
        .collect();
    if files.len() > 1 { files } else { Vec::new() }
}

/// Places where the domain asks the machine instead of its `Context`.
fn impure(sources: &[Source], allowed: &[(&str, &str)]) -> Vec<String> {
    const PATHS: &[&[&str]] =
        &[&["SystemTime"], &["Instant", ":", ":", "now"], &["Utc", ":", ":", "now"], &["Local", ":", ":", "now"]];
    const MODULES: &[&str] = &["env", "fs", "net", "process"];
    let mut faults = Vec::new();
    for source in sources {
        if source.is_in(allowed) {
            continue;
        }
        let live = &source.live;
        for (at, token) in live.iter().enumerate() {
            for path in PATHS {
                if follows(live, at, path) {
                    let path = path.concat();
                    faults.push(source.fault(token, &format!("`{path}` in the domain")));
                }
            }
            for parent in ["std", "tokio"] {
                for name in named(live, at, parent).iter().filter(|name| MODULES.contains(&name.text.as_str())) {
                    faults.push(source.fault(name, &format!("`{parent}::{}` in the domain", name.text)));
                }
            }
        }
    }
    faults
}

/// Places where a program is started or a connection opened: all that the library talks to is the database of the host,
/// by its driver.
fn outside(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        let live = &source.live;
        for (at, token) in live.iter().enumerate() {
            // Whoever's it is, `std`'s or `tokio`'s, and under no other name.
            if follows(live, at, &["process", "as"]) {
                faults.push(source.fault(token, "`process` under another name"));
            }
            for name in named(live, at, "process").iter().filter(|name| !OF_PROCESS.contains(&name.text.as_str())) {
                faults.push(source.fault(name, &format!("`process::{}`", name.text)));
            }
            for parent in ["std", "tokio", "unix"] {
                for name in named(live, at, parent).iter().filter(|name| name.is("net")) {
                    faults.push(source.fault(name, &format!("`{parent}::net`")));
                }
            }
        }
    }
    faults
}

/// What the path or the `use` group at `at` names in a module.
fn named<'a>(tokens: &'a [Token], at: usize, module: &str) -> Vec<&'a Token> {
    if !follows(tokens, at, &[module, ":", ":"]) {
        return Vec::new();
    }
    match tokens.get(at + 3) {
        Some(open) if open.is("{") => group_heads(tokens, at + 3).collect(),
        name => name.into_iter().collect(),
    }
}

/// The first word of each path in the `use` group that opens at `open`.
fn group_heads(tokens: &[Token], open: usize) -> impl Iterator<Item = &Token> {
    let end = close(tokens, open);
    let mut depth = 0;
    (open..end).filter_map(move |at| {
        match tokens[at].text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," => {}
            _ => return None,
        }
        (depth == 1).then(|| tokens.get(at + 1)).flatten()
    })
}

/// Marks of work that is not done, in tests as well: an ignored test is one that does not run.
fn unfinished(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        let all = &source.all;
        for (at, token) in all.iter().enumerate() {
            for name in ["todo", "unimplemented"] {
                if follows(all, at, &[name, "!"]) {
                    faults.push(source.fault(token, &format!("`{name}!`")));
                }
            }
            if follows(all, at, &["#", "["]) {
                let attribute = &all[at + 2..close(all, at + 1)];
                let ignored = attribute.first().is_some_and(|head| {
                    head.is("ignore") || head.is("cfg_attr") && attribute.iter().any(|token| token.is("ignore"))
                });
                if ignored {
                    faults.push(source.fault(token, "`#[ignore]`: the test never runs"));
                }
            }
        }
    }
    faults
}

/// Panics where an error or an invariant should be named.
fn unwraps(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        for at in 0..source.live.len() {
            if follows(&source.live, at, &[".", "unwrap", "(", ")"]) {
                faults.push(source.fault(&source.live[at + 1], "`.unwrap()` outside tests"));
            }
        }
    }
    faults
}

/// Whether the tokens at `at` are exactly these.
fn follows(tokens: &[Token], at: usize, expected: &[&str]) -> bool {
    tokens
        .get(at..at + expected.len())
        .is_some_and(|found| found.iter().zip(expected).all(|(token, text)| token.is(text)))
}

/// The place of the bracket that closes the one at `open`, or the end.
fn close(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if ["(", "[", "{"].iter().any(|bracket| token.is(bracket)) {
            depth += 1;
        } else if [")", "]", "}"].iter().any(|bracket| token.is(bracket)) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at;
            }
        }
    }
    tokens.len()
}

/// A file with its test code set apart.
struct Split {
    live: Vec<Token>,
    /// Modules in files of their own that are compiled for tests only.
    test_modules: Vec<String>,
}

fn split(all: &[Token]) -> Split {
    let mut result = Split { live: Vec::new(), test_modules: Vec::new() };
    let mut at = 0;
    while at < all.len() {
        if follows(all, at, &["#", "!", "["]) {
            let end = close(all, at + 2);
            if is_for_tests(&all[at + 3..end]) {
                return Split { live: Vec::new(), test_modules: modules(all) };
            }
        }
        if !follows(all, at, &["#", "["]) || !is_for_tests(&all[at + 2..close(all, at + 1)]) {
            result.live.push(all[at].clone());
            at += 1;
            continue;
        }
        // Past this attribute and the others, to the end of the item.
        while follows(all, at, &["#", "["]) {
            at = close(all, at + 1) + 1;
        }
        let start = at;
        let item = is_item(all, start);
        while at < all.len() && !all[at].is(";") && !all[at].is("{") {
            if !item && [",", "}", ")", "]"].iter().any(|end| all[at].is(end)) {
                break;
            }
            at = if all[at].is("(") || all[at].is("[") { close(all, at) + 1 } else { at + 1 };
        }
        if at < all.len() && all[at].is(";") {
            result.test_modules.extend(modules(&all[start..=at]));
        }
        at = match all.get(at) {
            Some(token) if token.is("{") => close(all, at) + 1,
            Some(token) if token.is(";") || token.is(",") => at + 1,
            _ => at, // a bracket that closes what surrounds the item
        };
    }
    result
}

/// Whether what begins at `at` is an item or a statement, and not a field, a variant or an element of a list.
fn is_item(all: &[Token], mut at: usize) -> bool {
    const KEYWORDS: &[&str] = &[
        "async",
        "const",
        "enum",
        "extern",
        "fn",
        "impl",
        "let",
        "mod",
        "static",
        "struct",
        "trait",
        "type",
        "union",
        "unsafe",
        "use",
        "macro_rules",
    ];
    if follows(all, at, &["pub"]) {
        at += 1;
        if follows(all, at, &["("]) {
            at = close(all, at) + 1;
        }
    }
    all.get(at).is_some_and(|token| KEYWORDS.iter().any(|keyword| token.is(keyword)))
}

/// The modules of `tokens` that live in files of their own.
fn modules(tokens: &[Token]) -> Vec<String> {
    tokens
        .windows(3)
        .filter(|window| window[0].is("mod") && window[2].is(";"))
        .map(|window| window[1].text.clone())
        .collect()
}

/// Whether the inside of an attribute keeps its item out of ordinary builds.
fn is_for_tests(attribute: &[Token]) -> bool {
    let Some(head) = attribute.first() else {
        return false;
    };
    if attribute.len() == 1 {
        return head.is("test");
    }
    head.is("cfg")
        && !attribute.iter().any(|token| token.is("not"))
        && attribute.iter().any(|token| token.is("test") || token.kind == Kind::Literal && token.text == "testing")
}

/// Reads the Rust files of `folders`; a folder without any is an error, lest a rule hold because it looked nowhere.
fn sources(root: &Path, folders: &[String]) -> Result<Vec<Source>, Stop> {
    let mut files = BTreeSet::new();
    for folder in folders {
        let before = files.len();
        collect(&root.join(folder), &mut files)?;
        if files.len() == before {
            return Err(Stop::failed(format!("there is no Rust source in {folder}")));
        }
    }
    let mut sources = Vec::new();
    let mut for_tests = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).about(|| format!("read {}", file.display()))?;
        let all = tokens(&text);
        let split = split(&all);
        for module in &split.test_modules {
            let folder = module_folder(&file);
            for_tests.insert(folder.join(format!("{module}.rs")));
            for_tests.insert(folder.join(module));
        }
        let path = file.strip_prefix(root).unwrap_or(&file);
        sources.push((file.clone(), Source { path: path.display().to_string(), all, live: split.live }));
    }
    // Only now, because a module may come before the file that declares it.
    for (file, source) in &mut sources {
        if file.ancestors().any(|path| for_tests.contains(path)) {
            source.live.clear();
        }
    }
    Ok(sources.into_iter().map(|(_, source)| source).collect())
}

/// The folder of the modules that `file` declares.
fn module_folder(file: &Path) -> PathBuf {
    match file.file_stem().and_then(|stem| stem.to_str()) {
        Some("mod" | "lib" | "main") | None => file.parent().unwrap_or(Path::new("")).to_path_buf(),
        Some(_) => file.with_extension(""),
    }
}

fn collect(folder: &Path, files: &mut BTreeSet<PathBuf>) -> Result<(), Stop> {
    for path in children(folder)? {
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.insert(path);
        }
    }
    Ok(())
}

fn children(folder: &Path) -> Result<Vec<PathBuf>, Stop> {
    let read = || -> std::io::Result<Vec<PathBuf>> { fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect() };
    let mut paths = read().about(|| format!("read {}", folder.display()))?;
    paths.retain(|path| path.file_name().is_some_and(|name| name != "target"));
    paths.sort();
    Ok(paths)
}

/// The folders of the workspace members.
pub(crate) fn members(root: &Path) -> Result<Vec<String>, Stop> {
    Ok(children(root)?
        .into_iter()
        .filter(|path| path.join("Cargo.toml").is_file())
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect())
}

/// The folders of the library's crates.
pub(crate) fn crates(root: &Path) -> Result<Vec<String>, Stop> {
    let mut members = members(root)?;
    members.retain(|name| name.starts_with("crm-"));
    Ok(members)
}

fn stores(root: &Path) -> Result<Vec<String>, Stop> {
    let mut crates = crates(root)?;
    crates.retain(|name| name.starts_with("crm-store-"));
    Ok(crates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        let all = tokens(text);
        let live = split(&all).live;
        Source { path: path.to_owned(), all, live }
    }

    fn lines(faults: &[String]) -> Vec<String> {
        faults.iter().map(|fault| fault.split(':').nth(1).unwrap().to_owned()).collect()
    }

    #[test]
    fn floats_are_found_in_code_only() {
        let text = "\
// f64 in a comment
const NAME: &str = \"f64\";
fn rate() -> f64 { 1 }
let a = 0.5; let b = 1e3; let c = 2_f32;
let d = value.as_f64(); let ok = value.is_f64();
let fine = (pair.0, 0..5, 0xe5, 1usize, 1_000_i64);
#[cfg(test)]
mod tests { fn f() -> f64 { 1.5 } }
fn after(x: f32) {}";
        let faults = floats(&[source("a.rs", text)], &[]);
        assert_eq!(lines(&faults), ["3", "4", "4", "4", "5", "9"]);
        assert_eq!(faults[0], "a.rs:3: float `f64`");
        assert!(floats(&[source("a.rs", text)], &[("a.rs", "planted")]).is_empty());
    }

    /// A workspace with this file in every crate of the library, and what a rule finds there, without the crates' names.
    fn planted<T>(folder: &str, text: &str, rule: impl FnOnce(&Path) -> T) -> (Vec<String>, T) {
        let crates = crates(&crate::system::root()).unwrap();
        for expected in ["crm-cli", "crm-core", "crm-py", "crm-sql", "crm-store-postgres", "crm-store-sqlite"] {
            assert!(crates.iter().any(|name| name == expected), "{expected} is not looked at");
        }
        let folder = std::env::temp_dir().join(format!("xtask-{folder}-{}", std::process::id()));
        for name in &crates {
            fs::create_dir_all(folder.join(name).join("src/deep")).unwrap();
            fs::write(folder.join(name).join("Cargo.toml"), "").unwrap();
            fs::write(folder.join(name).join("src/deep/planted.rs"), text).unwrap();
        }
        let found = rule(&folder);
        fs::remove_dir_all(&folder).unwrap();
        (crates, found)
    }

    #[test]
    fn a_float_is_found_in_every_crate_of_the_library() {
        assert_eq!(floats_in(&crate::system::root()).unwrap(), [""; 0]);
        let (crates, found) = planted("floats", "pub fn price() -> f64 { 9.99 }", floats_in);
        let expected =
            |name: &String| ["f64", "9.99"].map(|float| format!("{name}/src/deep/planted.rs:1: float `{float}`"));
        assert_eq!(found.unwrap(), crates.iter().flat_map(expected).collect::<Vec<_>>());
    }

    #[test]
    fn a_program_or_a_connection_is_found_in_every_crate_of_the_library() {
        assert_eq!(outside(&library(&crate::system::root()).unwrap()), [""; 0]);
        let text = "fn f() { std::process::Command::new(\"sh\"); std::net::TcpStream::connect(\"a:1\"); }";
        let (crates, found) = planted("outside", text, |root| outside(&library(root).unwrap()));
        let expected = |name: &String| {
            ["process::Command", "std::net"].map(|path| format!("{name}/src/deep/planted.rs:1: `{path}`"))
        };
        assert_eq!(found, crates.iter().flat_map(expected).collect::<Vec<_>>());
    }

    #[test]
    fn programs_and_connections_are_found_however_they_are_named() {
        let text = "\
use std::process::{self, Command, ExitCode};
use std::{io, process::{id, Stdio}, net::TcpStream};
use std::process as other;
use tokio::{net, process::Command};
use std::os::unix::{net::UnixStream, fs::symlink};
use std::process::*;
fn f() { std::process::exit(1); let a = process::id(); rustix::process::getuid(); clap::Command::new(\"crm\"); }
fn g() { process::Command::new(\"sh\"); tokio::net::TcpStream::connect(\"a:1\"); }
// std::net::TcpStream
#[cfg(test)]
mod tests { use std::process::Command; }";
        let faults = outside(&[source("a.rs", text)]);
        assert_eq!(lines(&faults), ["1", "1", "2", "2", "3", "4", "4", "5", "6", "8", "8"], "{faults:?}");
    }

    #[test]
    fn a_second_file_that_vouches_for_sql_is_found() {
        let one = source("one.rs", "use sqlx::AssertSqlSafe; f(AssertSqlSafe(x))");
        let none = source("none.rs", "// AssertSqlSafe lives in one.rs\nfn f() {}");
        assert!(sql_text(&[one, none]).is_empty());
        let one = source("one.rs", "fn f() { AssertSqlSafe(x) }");
        let two = source("two.rs", "\nfn f() { sqlx::AssertSqlSafe(x) }");
        assert_eq!(lines(&sql_text(&[one, two])), ["1", "2"]);
    }

    #[test]
    fn the_machine_is_found_in_the_domain() {
        let core = sources(&crate::system::root(), &["crm-core/src".to_owned()]).unwrap();
        assert_eq!(impure(&core, MACHINE_ALLOWED), [""; 0]);
        assert!(!impure(&core, &[]).is_empty(), "the one file that may");
        let text = "\
use std::time::SystemTime;
let a = Instant::now();
let b = chrono::Utc::now();
let c = std::env::var(\"X\");
use std::{collections::{BTreeMap, fs}, fs, io::{self, Read}, env::var};
let version = env!(\"CARGO_PKG_VERSION\");
let now = context.now();
#[cfg(test)]
fn helper() { std::fs::read(\"x\"); }
let d = std::fs::read(\"x\");
let e = std::process::Command::new(\"sh\");
use std::{net::TcpStream, process};
use tokio::{net, process::Command, sync};";
        assert!(impure(&[source("a.rs", text)], &[("a.rs", "planted")]).is_empty());
        let faults = impure(&[source("a.rs", text)], &[]);
        assert_eq!(lines(&faults), ["1", "2", "3", "4", "5", "5", "10", "11", "12", "12", "13", "13"]);
    }

    #[test]
    fn unfinished_work_is_found_in_tests_too() {
        let text = "\
fn a() { todo!() }
fn b() { unimplemented!(\"later\") }
// todo!() and #[ignore] in a comment
#[cfg(test)]
mod tests {
    #[test]
    #[ignore = \"slow\"]
    fn c() {}
    #[cfg_attr(windows, ignore)]
    fn d() {}
}
fn ignore() {}";
        let faults = unfinished(&[source("a.rs", text)]);
        assert_eq!(lines(&faults), ["1", "2", "7", "9"]);
    }

    #[test]
    fn unwraps_are_found_outside_tests_only() {
        let text = "\
/// x.unwrap()
fn a() { b()
    .unwrap (); c().unwrap_or(1); }
#[cfg(any(test, feature = \"testing\"))]
#[derive(Debug)]
pub(crate) mod fixtures { fn f() { x.unwrap() } }
#[test]
fn t() { x.unwrap() }
#[cfg(not(test))]
fn live() { x.unwrap() }
struct S { #[cfg(test)] pub a: u8, b: u8 }
#[cfg(test)] impl<A, B> T<A, B> for S { fn f() { x.unwrap() } }
#[cfg(test)] const C: [u8; 3] = x.unwrap();
fn last() { x.unwrap() }";
        let faults = unwraps(&[source("a.rs", text)]);
        assert_eq!(lines(&faults), ["3", "10", "14"]);
    }

    #[test]
    fn modules_in_test_only_files_are_set_apart() {
        let folder = std::env::temp_dir().join(format!("xtask-lint-{}", std::process::id()));
        let src = folder.join("a/src");
        fs::create_dir_all(src.join("store/cases")).unwrap();
        fs::write(src.join("lib.rs"), "mod store;\nfn f() { x.unwrap() }").unwrap();
        fs::write(src.join("store.rs"), "#[cfg(feature = \"testing\")]\npub mod cases;\nmod real;").unwrap();
        fs::write(src.join("store/cases.rs"), "mod deep; fn f() { x.unwrap() }").unwrap();
        fs::write(src.join("store/cases/deep.rs"), "fn f() { x.unwrap() }").unwrap();
        fs::write(src.join("store/real.rs"), "fn f() { x.unwrap() }").unwrap();
        let found = sources(&folder, &["a/src".to_owned()]);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(
            unwraps(&found.unwrap()),
            ["a/src/lib.rs:2: `.unwrap()` outside tests", "a/src/store/real.rs:1: `.unwrap()` outside tests"]
        );
    }

    #[test]
    fn a_folder_without_source_is_an_error() {
        assert!(sources(Path::new("/"), &["no/such/folder".to_owned()]).is_err());
    }

    #[test]
    fn forbidden_packages_are_found_in_a_tree() {
        let tree =
            "crm-core v0.1.0 (/x/crm-core)\nserde v1.0.229\ntokio v1.54.1\ntokio-util v0.7.1\ntokio v1.54.1 (*)\n";
        let faults = present(tree, "crm-core", NOT_IN_CORE);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("crm-core depends on tokio;"));
        assert!(present(tree, "the workspace", NOT_ANYWHERE).is_empty());
        assert_eq!(present("native-tls v0.2.14\nopenssl-sys v0.9.1\n", "x", NOT_ANYWHERE).len(), 2);
    }

    #[test]
    fn sqlite_is_linked_exactly_once() {
        let one = "libsqlite3-sys v0.37.0\nlibsqlite3-sys v0.37.0 (*)\n";
        assert!(one_sqlite(one).is_empty());
        assert_eq!(one_sqlite("libsqlite3-sys v0.30.1\nlibsqlite3-sys v0.37.0\n").len(), 1);
        assert_eq!(one_sqlite("serde v1.0.229\n").len(), 1);
    }
}

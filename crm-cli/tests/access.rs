//! Logins, accounts, invitations and API keys, on both databases; and that no secret is ever told.

mod common;
#[path = "common/postgres.rs"]
mod postgres;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use common::{Sandbox, without_ids};
use postgres::Schema;

const ANA: &str = "Ana's old password";
const BOB: &str = "Bob's old password";

/// A sandbox whose owner has a password and is no default.
fn signed_up(crm: Sandbox) -> Sandbox {
    crm.init();
    crm.ok("config unset as");
    let set = crm.fed("user set-password ana@acme.example --password-stdin", &format!("{ANA}\n"));
    assert_eq!(set.code, Some(0), "{}", set.stderr);
    crm
}

fn sign_in(crm: &Sandbox, name: &str, password: &str) {
    let ran = crm.fed(&format!("login {name} --password-stdin -q"), &format!("{password}\n"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

/// A member of the organization with a password.
fn bob(crm: &Sandbox) {
    crm.ok("--as ana@acme.example member add bob@acme.example --role manager --name Bob -q");
    let set = crm.fed("user set-password bob@acme.example --password-stdin -q", &format!("{BOB}\n"));
    assert_eq!(set.code, Some(0), "{}", set.stderr);
}

/// How it is known who acts, and who that is.
fn whoami(crm: &Sandbox, options: &str, input: &str) -> String {
    let ran = crm.fed(&format!("{options} whoami -o csv"), input);
    if ran.code != Some(0) {
        return format!("exit {}", ran.code.unwrap_or(-1));
    }
    let cells: Vec<&str> = ran.stdout.lines().nth(1).unwrap_or_default().split(',').collect();
    format!("{} {} {}", cells[1], cells[4], cells[5])
}

/// What a transcript says of secrets, which differ from run to run.
fn without_secrets(text: &str) -> String {
    let mut out = without_ids(text);
    while let Some(at) = out.find("crm_1").or_else(|| out.find("crminv_1")) {
        let end = out[at..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(out.len(), |end| at + end);
        let secret = out[at..end].to_owned();
        let prefix = secret.split('_').nth(1).expect("it has a prefix").to_owned();
        out = out.replace(&secret, "[SECRET]").replace(&prefix, "[PREFIX]");
    }
    out
}

/// The same work on any database, as it was told.
fn play(crm: &Sandbox) -> String {
    let mut told = Vec::new();
    let mut step = |line: &str, input: &str| {
        let ran = crm.fed(line, input);
        let place = crm.path().to_string_lossy();
        let lines = ran.to_string().replace(&*place, "[DIR]");
        told.extend(lines.lines().filter(|line| !line.starts_with("! The database is ")).map(str::to_owned));
        told.push(String::new());
        ran.stdout.trim().to_owned()
    };
    step("init --org acme --currency USD --zone America/New_York --owner ana@acme.example -q -o id", "");
    step("config unset as", "");
    step("whoami", "");
    step("login", "");
    step("login ana@acme.example", "");
    step("login ana@acme.example --password-stdin", "");
    step("user set-password ana@acme.example --password-stdin", "short\n");
    step("user set-password ghost@acme.example --password-stdin", "a password of nobody\n");
    step("user set-password ana@acme.example --password-stdin -o json", "Ana's old password\r\n");
    step("login ana@acme.example --password-stdin", "a wrong password\n");
    step("login ghost@acme.example --password-stdin", "a wrong password\n");
    step("login ANA@acme.example --password-stdin", "Ana's old password\n");
    step("login ana@acme.example --org nowhere --password-stdin", "Ana's old password\n");
    step("whoami -o json", "");
    // Members.
    let bob = step("member invite bob@acme.example --role manager", "");
    let eva = step("member invite eva@acme.example --role viewer --days 3 -o id", "");
    step("member invite cyd@acme.example --role member -o json", "");
    step("member invite cyd@acme.example --role member --days 31", "");
    step("member invite ana@acme.example --role member", "");
    step("member invitations", "");
    step("member withdraw cyd@acme.example -o csv", "");
    step("member withdraw cyd@acme.example", "");
    step("member decline --text-stdin", &eva);
    step("member decline --text-stdin", &eva);
    step("member accept --text-stdin", &bob);
    step("member accept --text-stdin --name Bob", &bob);
    step("member accept --text-stdin --name Bob", &bob);
    step("member invitations -o csv --columns email,role,ended,ended_at --sort email", "");
    // Accounts.
    step("user show", "");
    step("user set-username ana", "");
    step("--as bob@acme.example user set-username ANA", "");
    step("user set-username 'Ana María'", "");
    step("user reset-password bob@acme.example --password-stdin", "Bob's old password\n");
    step("user reset-password ana@acme.example --password-stdin", "Bob's old password\n");
    step("user deactivate bob@acme.example -q -o csv", "");
    step("user show bob@acme.example -q -o json", "");
    step("--as bob@acme.example contact list", "");
    step("user activate bob@acme.example -q -o id", "");
    step("--as bob@acme.example user show ana@acme.example -o json", "");
    step("user change-password --password-stdin", "not the old one\nAna's new password\n");
    step("user change-password --password-stdin", "Ana's old password\n");
    step("user change-password --password-stdin", "Ana's old password\nAna's new password\n");
    step("whoami", "");
    step("login ana --password-stdin -q -o id", "Ana's new password\n");
    // Keys.
    let create = "key create website --role member --scope contact.create --scope *.read --quota contact.create=2";
    let key = step(create, "");
    step(create, "");
    step("key create site --role owner --scope contact.explode", "");
    step("key create site --role viewer --scope *.read --expires yesterday", "");
    step("key create site --role viewer --scope *.read --expires 2026-06-14", "");
    step("key create site --role viewer --scope *.read --expires 2026-12-31 --quota contact.create=none -o json", "");
    step("key create till --role member --scope contact.*,invoice.read --expires 90 --quota contact.read=1", "");
    step("key create till --role member --scope contact.*,invoice.read --expires 90 -o csv", "");
    step("--as bob@acme.example key create own --role owner --scope *.read", "");
    step("key create far --role viewer --scope *.read --expires 213503990", "");
    step("key create far --role viewer --scope *.read --expires 99999999", "");
    step("key create useless --role viewer --scope contact.create,contact.* --quota deal.win=3", "");
    step("key revoke useless -q -o id", "");
    step("key list", "");
    step("--key-stdin whoami -o json", &key);
    step("--key-stdin contact add --given-name Eva --email eva@example.com -o csv", &key);
    step("--key-stdin contact add --given-name Eva -q -o id", &key);
    step("--key-stdin whoami", &key);
    step("--key-stdin contact add --given-name Eva -q", &key);
    step("--key-stdin contact add --given-name Eva -q -o json", &key);
    step("--key-stdin contact list --columns name", &key);
    step("--key-stdin user show", &key);
    step("--key-stdin user show ana@acme.example -o json", &key);
    step("--key-stdin contact edit eva@example.com --notes x", &key);
    step("--key-stdin key list", &key);
    step(
        "--key-stdin user change-password --password-stdin",
        &format!("{key}\nAna's new password\nanother good one\n"),
    );
    step("--key-stdin whoami --org other", &key);
    step("--key-stdin whoami", &format!("{key}x"));
    step("--key-stdin whoami", "");
    step("key usage", "");
    step("key usage website --from 2026-06-01 -o json", "");
    step("key usage till", "");
    step("key usage site -o json", "");
    step("key usage --to 2026-06-14 -o csv", "");
    step("key usage --from 2026-06-15 --to 2026-06-14", "");
    step("key log", "");
    step("key log website --where 'outcome = throttled' -o csv --columns operation,outcome", "");
    step("key log till -o json", "");
    step("key quota website contact.create 3", "");
    step("key quota website contact.read 3", "");
    step("key quota website contact.create some", "");
    step("--key-stdin contact add --given-name Eva -q -o id", &key);
    step("key quota website contact.create none -q -o json", "");
    step("audit list --where 'actor_kind = key' --columns actor_id,command --limit 3", "");
    step("key revoke website -q -o csv", "");
    step("key revoke website", "");
    step("key usage website", "");
    step("--key-stdin contact list", &key);
    step("key list --revoked -o csv --columns alias,role,expires_at,revoked_at,last_used_at", "");
    step("key list --revoked --sort=-last_used_at,alias -o csv --columns alias,last_used_at", "");
    step("key list --revoked --where 'last_used_at is not null' -o csv --columns alias", "");
    step("key list --revoked --where 'last_used_at is null or last_used_at > 2026-06-15' -o csv --columns alias", "");
    step("key list --where 'last_usd_at is null'", "");
    step("key show ghost", "");
    // The end.
    step("user end-sessions -q -o id", "");
    step("contact list", "");
    step("login ana --password-stdin --rotate-keys -q -o id", "Ana's new password\n");
    step("logout", "");
    step("logout", "");
    step("whoami -o json", "");
    without_secrets(&told.join("\n"))
}

#[test]
fn people_and_programs_come_in_alike_on_both_databases() {
    let (file, schema) = (Sandbox::new(), Schema::new());
    let told = play(&file);
    let server = Sandbox::on(&schema.url());
    let there = play(&server);
    for (left, right) in told.lines().zip(there.lines()) {
        assert_eq!(left, right);
    }
    assert_eq!(told.lines().count(), there.lines().count());
    assert!(server.ok("--as ana@acme.example audit verify -o json").contains("\"ok\": true"));
    file.check("access", &told);
}

#[test]
fn who_acts_is_decided_in_a_fixed_order() {
    let crm = signed_up(Sandbox::new());
    bob(&crm);
    let create = "--as ana@acme.example key create k --role viewer --scope *.read -q -o id";
    let (key, other) = (crm.ok(create), crm.ok(&create.replace(" k ", " other ").replace("viewer", "member")));
    assert_eq!(whoami(&crm, "", ""), "exit 4");
    crm.ok("config set as ana@acme.example");
    assert_eq!(whoami(&crm, "", ""), "ana@acme.example owner configuration");
    sign_in(&crm, "bob@acme.example", BOB);
    assert_eq!(whoami(&crm, "", ""), "bob@acme.example manager login");
    crm.variable("CRM_AS", Some("ana@acme.example"));
    let ran = crm.fed("login bob@acme.example --password-stdin", BOB);
    let warned = ran.stderr.ends_with("Warning: CRM_AS is set and goes before the login.\n");
    assert!(ran.code == Some(0) && warned, "{}", ran.stderr);
    let quiet = crm.fed("login bob@acme.example --password-stdin -q", BOB);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
    assert_eq!(whoami(&crm, "", ""), "ana@acme.example owner environment");
    crm.variable("CRM_KEY", Some(&key));
    assert_eq!(whoami(&crm, "", ""), "ana@acme.example viewer key");
    assert_eq!(whoami(&crm, "--key-stdin", &other), "ana@acme.example member key");
    assert_eq!(whoami(&crm, "--as bob@acme.example --key-stdin", &other), "bob@acme.example manager option");
    // What was given must hold: nothing that comes after it takes its place.
    crm.variable("CRM_KEY", Some("crm_nonsense"));
    assert_eq!(whoami(&crm, "", ""), "exit 4");
    crm.variable("CRM_KEY", Some(" "));
    assert_eq!(whoami(&crm, "", ""), "exit 4");
    crm.variable("CRM_KEY", None);
    assert_eq!(whoami(&crm, "", ""), "ana@acme.example owner environment");
    crm.variable("CRM_AS", None);
    crm.ok("--as ana@acme.example user deactivate bob@acme.example -q");
    assert_eq!(whoami(&crm, "", ""), "exit 4");
    crm.ok("logout");
    assert_eq!(whoami(&crm, "", ""), "ana@acme.example owner configuration");
}

#[test]
fn a_credential_lists_its_own_organization_alone() {
    let crm = signed_up(Sandbox::new());
    let key = crm.ok("--as ana@acme.example key create k --role viewer --scope *.read -q -o id");
    crm.ok("init --org other --name Rivals --currency EUR --zone UTC --owner eve@other.example");
    let list = |options: &str, input: &str| {
        let ran = crm.fed(&format!("{options} org list -o ndjson"), input);
        let slug = |line: &str| Some(line.split_once(r#""slug":""#)?.1.split_once('"')?.0.to_owned());
        (ran.code, ran.stdout.lines().filter_map(slug).collect::<Vec<_>>().join(" "))
    };
    let all = (Some(0), "acme other".to_owned());
    assert_eq!(list("", ""), all);
    assert_eq!(list("--key-stdin", &key), (Some(0), "acme".to_owned()));
    assert_eq!(list("--as ana@acme.example --key-stdin", &key), all);
    crm.variable("CRM_KEY", Some(&key));
    assert_eq!(list("", ""), (Some(0), "acme".to_owned()));
    crm.variable("CRM_KEY", Some("crm_nonsense"));
    assert_eq!(list("", "").0, Some(4));
    crm.variable("CRM_KEY", None);
    sign_in(&crm, "ana@acme.example", ANA);
    assert_eq!(list("", ""), (Some(0), "acme".to_owned()));
    crm.variable("CRM_AS", Some("ana@acme.example"));
    assert_eq!(list("", ""), all);
}

#[test]
fn a_login_is_of_one_organization_of_one_database() {
    let crm = signed_up(Sandbox::new());
    sign_in(&crm, "ana@acme.example", ANA);
    let other = "init --org other --currency EUR --zone UTC --owner ana@acme.example";
    crm.ok(other);
    assert_eq!(whoami(&crm, "--org other", ""), "exit 4");
    crm.ok(&format!("--database elsewhere.db {}", other.replace("other", "acme")));
    assert_eq!(whoami(&crm, "--database elsewhere.db", ""), "exit 4");
    assert_eq!(whoami(&crm, "--database ./crm.db", ""), "ana@acme.example owner login");
    let signed = crm.fed("login ana@acme.example --org other --password-stdin -q", ANA);
    assert_eq!(signed.code, Some(0), "{}", signed.stderr);
    // Without an organization there are two to choose from.
    crm.ok("config unset org");
    assert_eq!(whoami(&crm, "--org other", ""), "ana@acme.example owner login");
    assert_eq!(whoami(&crm, "", ""), "exit 4");
    crm.ok("logout --org other");
    assert_eq!(whoami(&crm, "--org other", ""), "exit 4");
    assert_eq!(whoami(&crm, "", ""), "ana@acme.example owner login");
}

#[test]
fn a_login_goes_on_while_it_is_used_and_ends_with_the_logout() {
    let crm = signed_up(Sandbox::new());
    let path = crm.path().join("logins.toml");
    let kept = || std::fs::read_to_string(&path).unwrap();
    sign_in(&crm, "ana@acme.example", ANA);
    let first = kept();
    assert_eq!(whoami(&crm, "", ""), "ana@acme.example owner login");
    assert_eq!(kept(), first);
    // The access token is good for half an hour, the other one for seven days from its last use.
    for now in ["2026-06-15T12:30:00Z", "2026-06-22T12:29:59Z", "2026-06-29T12:29:58Z"] {
        crm.clock(now);
        let before = kept();
        assert_eq!(whoami(&crm, "", ""), "ana@acme.example owner login", "{now}");
        assert_ne!(kept(), before, "{now}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // An old token, shown once more, ends the login for everybody.
    let last = kept();
    std::fs::write(&path, &first).unwrap();
    assert_eq!(whoami(&crm, "", ""), "exit 4");
    std::fs::write(&path, &last).unwrap();
    assert_eq!(whoami(&crm, "", ""), "exit 4");
    // So does a logout.
    sign_in(&crm, "ana@acme.example", ANA);
    let copy = kept();
    crm.ok("logout");
    assert_eq!(kept().trim(), "login = []");
    std::fs::write(&path, &copy).unwrap();
    assert_eq!(whoami(&crm, "", ""), "exit 4");
    // Keys that were lost are made anew; the login goes on.
    sign_in(&crm, "ana@acme.example", ANA);
    std::fs::remove_file(crm.path().join("signing-keys.toml")).unwrap();
    assert_eq!(whoami(&crm, "", ""), "ana@acme.example owner login");
    crm.clock("2026-07-29T12:29:58Z");
    let ended = crm.run("contact list");
    assert_eq!(ended.code, Some(4));
    assert!(ended.stderr.contains("Sign in again with `crm login ana@acme.example`"), "{}", ended.stderr);
}

/// Whether a process has a file open. Where that cannot be told it is given the time to open it.
fn has_open(child: &Child, file: &Path) -> bool {
    let Ok(open) = std::fs::read_dir(format!("/proc/{}/fd", child.id())) else {
        std::thread::sleep(Duration::from_millis(200));
        return true;
    };
    let file = std::fs::canonicalize(file).ok();
    open.map(|entry| std::fs::read_link(entry.ok()?.path()).ok()).any(|path| path.is_some() && path == file)
}

#[test]
fn many_processes_renew_one_login() {
    let schema = Schema::new();
    for crm in [Sandbox::new(), Sandbox::on(&schema.url())] {
        let crm = signed_up(crm);
        sign_in(&crm, "ana@acme.example", ANA);
        crm.clock("2026-06-15T13:00:00Z");
        let path = crm.path().join("logins.toml");
        let before = std::fs::read_to_string(&path).unwrap();
        let lock = path.with_extension("lock");
        let held = std::fs::File::options().write(true).open(&lock).unwrap();
        held.lock().unwrap();
        let mut children: Vec<_> = (0..8)
            .map(|_| {
                let mut command = crm.command(&["whoami", "-o", "id"]);
                let command = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        // One renews at a time, and none while somebody else holds the lock.
        let deadline = Instant::now() + Duration::from_mins(1);
        while !children.iter().all(|child| has_open(child, &lock)) {
            assert!(Instant::now() < deadline, "not all have come to the lock");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(300));
        assert!(children.iter_mut().all(|child| child.try_wait().unwrap().is_none()));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
        drop(held);
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        }
        crm.clock("2026-06-15T14:00:00Z");
        assert_eq!(whoami(&crm, "", ""), "ana@acme.example owner login");
    }
}

#[test]
fn files_of_secrets_that_others_may_open_are_refused() {
    let crm = signed_up(Sandbox::new());
    sign_in(&crm, "ana@acme.example", ANA);
    for name in ["logins.toml", "signing-keys.toml"] {
        let path = crm.path().join(name);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let ran = crm.run("whoami");
        assert_eq!(ran.code, Some(1), "{}", ran.stdout);
        assert!(ran.stderr.contains("Others may open") && ran.stderr.contains(name), "{}", ran.stderr);
        if name == "logins.toml" {
            let doctor = crm.run("doctor");
            assert!(doctor.stdout.contains("WRONG: Others may open"), "{}", doctor.stdout);
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(whoami(&crm, "", ""), "ana@acme.example owner login");
}

#[test]
fn guesses_are_throttled() {
    let crm = signed_up(Sandbox::new());
    let guess = || crm.fed("login ana@acme.example --password-stdin -o json", "a guess\n");
    let codes: Vec<Option<i32>> = (0..7).map(|_| guess().code).collect();
    assert_eq!(codes, [4, 4, 4, 4, 4, 7, 7].map(Some));
    let refused = guess();
    assert!(refused.stderr.contains(r#""code":"throttled","message":"Too many attempts: wait "#), "{}", refused.stderr);
    crm.clock("2026-06-15T12:01:00Z");
    sign_in(&crm, "ana@acme.example", ANA);
}

#[test]
fn users_are_verified_by_whoever_holds_the_book() {
    let crm = signed_up(Sandbox::new());
    crm.ok("--as ana@acme.example audit verify --users");
    let key = crm.ok("--as ana@acme.example key create k --role owner --scope audit_entry.* -q -o id");
    sign_in(&crm, "ana@acme.example", ANA);
    assert_eq!(crm.run("audit verify --users").code, Some(4));
    crm.ok("audit verify");
    crm.variable("CRM_KEY", Some(key.trim()));
    let refused = crm.run("audit verify --users");
    assert!(refused.code == Some(4) && refused.stdout.is_empty(), "{}", refused.stderr);
    crm.ok("audit verify");
}

#[test]
fn the_doctor_tells_who_acts() {
    let crm = signed_up(Sandbox::new());
    assert!(crm.ok("--as ana@acme.example doctor").contains("ana@acme.example in acme"));
    crm.variable("CRM_KEY", Some("crm_garbage"));
    let doctor = crm.run("doctor");
    assert!(doctor.code == Some(1) && doctor.stdout.contains("WRONG: "), "{}", doctor.stdout);
}

#[test]
fn the_log_of_requests_names_who_asks() {
    let crm = signed_up(Sandbox::new());
    let key = crm.ok("--as ana@acme.example key create k --role member --scope contact.* -q -o id");
    crm.variable("CRM_KEY", Some(key.trim()));
    crm.variable("CRM_APPLICATION", Some("website"));
    crm.variable("CRM_REQUEST_NAME", Some("Eva Pérez"));
    crm.variable("CRM_REQUEST_EMAIL", Some("eva@example.com"));
    crm.ok("contact add --given-name Max");
    let log = crm.ok("--as ana@acme.example key log k -o csv --columns operation,name,email,application_id,outcome");
    assert_eq!(
        log,
        "operation,name,email,application_id,outcome\ncontact.create,Eva Pérez,eva@example.com,website,ok\n"
    );
    crm.variable("CRM_REQUEST_EMAIL", Some("nonsense"));
    let ran = crm.run("contact list");
    assert_eq!(ran.code, Some(5));
    assert!(ran.stderr.starts_with("Error: Invalid CRM_REQUEST_EMAIL"), "{}", ran.stderr);
}

/// The commands beneath one, each with what its line must have.
fn lines(crm: &Sandbox, path: &str, found: &mut Vec<String>) {
    let help = crm.ok(&format!("{path} --help"));
    let below: Vec<&str> = help.lines().skip_while(|line| *line != "Commands:").skip(1).collect();
    let below = below.iter().take_while(|line| !line.is_empty());
    let names: Vec<&str> = below
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    if !names.is_empty() {
        return names.into_iter().for_each(|name| lines(crm, format!("{path} {name}").trim_start(), found));
    }
    let usage = help.lines().find_map(|line| line.strip_prefix("Usage: crm ")).expect("how it is used");
    let filled: Vec<&str> = usage
        .split(' ')
        .filter(|word| !word.starts_with('['))
        .map(|word| match word.trim_matches(['<', '>', '.']) {
            "ROLE" => "member",
            "SCOPE" => "*.read",
            "EMAIL" => "ana@acme.example",
            "DATE" => "2026-06-15",
            "OPERATION" => "contact.create",
            "N" | "SEQ" | "QUANTITY" => "1",
            other if word.starts_with('<') && other.contains('|') => "x",
            _ if word.starts_with('<') => "eva@example.com",
            option => option,
        })
        .collect();
    found.push(filled.join(" "));
}

#[test]
fn no_command_tells_a_secret() {
    let mut all = Vec::new();
    let crm = signed_up(Sandbox::new());
    lines(&crm, "", &mut all);
    assert!(all.len() > 130, "{}", all.len());
    for expected in ["login", "user change-password", "key create --role member --scope *.read", "member accept"] {
        assert!(all.iter().any(|line| line.starts_with(expected)), "{expected} of {all:?}");
    }
    crm.ok("--as ana@acme.example contact add --given-name Eva --email eva@example.com");
    let key = crm.ok("--as ana@acme.example key create k --role manager --scope *.read --scope contact.* -q -o id");
    let (mut secrets, mut ran_well) = (Vec::new(), 0);
    secrets.extend([ANA, BOB, "Ana's newer password", "crm_1canary_canary"].map(str::to_owned));
    secrets.push(key.trim().to_owned());
    for (at, line) in all.iter().enumerate() {
        let options = if line.starts_with("member accept") || line.starts_with("member decline") {
            "--text-stdin"
        } else if ["login", "user change", "user reset", "user set-p"].iter().any(|start| line.starts_with(start)) {
            "--password-stdin"
        } else {
            ""
        };
        let key = key.trim();
        let through = [(None, String::new()), (Some("crm_1canary_canary"), String::new()), (None, format!("{key}\n"))];
        let ways = [("table", &through[0]), ("json", &(Some(key), String::new())), ("csv", &through[1 + at % 2])];
        // A demonstration is the same for everybody, and takes its time.
        for (form, (variable, fed)) in ways.into_iter().take(if line == "demo" { 1 } else { 3 }) {
            crm.variable("CRM_KEY", None);
            let logins = std::fs::read_to_string(crm.path().join("logins.toml")).unwrap_or_default();
            if !logins.contains("[[login]]") {
                let set = crm.fed("user set-password ana@acme.example --password-stdin", ANA);
                assert_eq!(set.code, Some(0), "{}", set.stderr);
                sign_in(&crm, "ana@acme.example", ANA);
            }
            crm.variable("CRM_KEY", *variable);
            for name in ["logins.toml", "signing-keys.toml"] {
                let text = std::fs::read_to_string(crm.path().join(name)).unwrap_or_default();
                let told = text
                    .lines()
                    .filter(|line| ["access", "refresh =", "secret"].iter().any(|key| line.starts_with(key)));
                secrets.extend(told.filter_map(|line| Some(line.split('"').nth(1)?.to_owned())));
            }
            secrets.sort();
            secrets.dedup();
            let before = if fed.is_empty() { "" } else { "--key-stdin" };
            let line = format!("-v -o {form} {before} {line} {options}");
            let ran = crm.fed(&line, &format!("{fed}{ANA}\nAna's newer password\n"));
            ran_well += usize::from(ran.code == Some(0));
            for secret in &secrets {
                let told = ran.stdout.contains(secret.as_str()) || ran.stderr.contains(secret.as_str());
                assert!(!told, "crm {line} tells {secret}\n{}\n{}", ran.stdout, ran.stderr);
            }
        }
    }
    assert!(secrets.len() > 10 && ran_well > 80, "{} secrets, {ran_well} commands", secrets.len());
}

#[test]
fn the_address_of_a_database_keeps_its_password() {
    let crm = Sandbox::new();
    for address in [
        "postgres://ana:canary@localhost:1/crm",
        "postgres://ana@localhost:1/crm?password=canary",
        // Misspelt.
        "postgres://ana:can/canary@localhost:1/crm",
        "postgres://ana:can?canary@localhost:1/crm",
        "postgres://ana:canary@localhost:port/crm",
        "postgres://ana:%zzcanary@",
        "postgres:/ana:canary@localhost:1/crm",
        "postgresql:ana:canary@localhost:1/crm",
        "mysql://ana:canary@localhost:1/crm",
    ] {
        crm.variable("CRM_DATABASE_URL", Some(address));
        for line in [
            "-v --org acme --as ana@acme.example whoami",
            "-v --org acme login ana --password-stdin",
            "-v user set-password ana@acme.example --password-stdin",
            "-v logout --org acme",
            "-v member decline --text-stdin",
            "-v config list --show-origin",
            "-v doctor",
            "-v -o json --org acme --as ana@acme.example contact list",
        ] {
            let ran = crm.fed(line, "a password\n");
            assert!(
                !ran.stdout.contains("canary") && !ran.stderr.contains("canary"),
                "{line}\n{}{}",
                ran.stdout,
                ran.stderr
            );
        }
    }
}

#[test]
fn a_new_book_has_no_password() {
    let crm = Sandbox::acme();
    for password in ["", "changeme", "acme.acme", "Acme2026!"] {
        let ran = crm.fed("login ana@acme.example --password-stdin", &format!("{password}\n"));
        assert_eq!(ran.code, Some(if password.is_empty() { 2 } else { 4 }), "{password:?} {}", ran.stderr);
    }
}

#[test]
fn an_account_that_was_shut_is_opened_by_whoever_keeps_the_book() {
    let schema = Schema::new();
    for crm in [Sandbox::new(), Sandbox::on(&schema.url())] {
        let crm = signed_up(crm);
        bob(&crm);
        crm.ok("--as ana@acme.example user deactivate bob@acme.example -q");
        let line = "init --org bobs --name B --currency USD --zone UTC --owner bob@acme.example";
        let ran = crm.run(line);
        assert_eq!(ran.code, Some(5), "{}", ran.stderr);
        assert!(ran.stderr.contains("`crm user set-active bob@acme.example`"), "{}", ran.stderr);
        crm.ok("user set-active bob@acme.example -q");
        assert_eq!(crm.run("user set-active nobody@acme.example").code, Some(3));
        crm.ok(line);
        crm.ok("--org bobs --as bob@acme.example whoami");
    }
}

#[test]
fn no_option_takes_a_secret() {
    let crm = signed_up(Sandbox::new());
    for line in [
        "login ana@acme.example --password canary-of-a-password",
        "login ana@acme.example canary-of-a-password",
        "user change-password canary-of-a-password",
        "user set-password ana@acme.example canary-of-a-password",
        "--key=canary-of-a-key whoami",
        "--key-stdin=canary-of-a-key whoami",
        "member accept --text canary-of-a-text",
    ] {
        assert_eq!(crm.run(line).code, Some(2), "{line}");
    }
}

#[test]
fn scopes_and_roles_are_explained_where_they_are_asked_for() {
    // Without a book: whoever makes the first key has none yet.
    let crm = Sandbox::new();
    let help = crm.ok("key create --help").split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["contact.create;", "contact.*;", "*.read", "`crm key scopes` lists", "viewer: Reads all records"] {
        assert!(help.contains(part), "{part} in {help}");
    }
    assert!(crm.ok("member invite --help").contains("- manager: Works on all records"));
    assert_eq!(
        crm.ok("key scopes tagging -o csv"),
        "operation,roles,quota\ntagging.read,owner admin manager member viewer,no\n\
         tagging.add,owner admin manager member,yes\ntagging.remove,owner admin manager member,yes\n"
    );
    let all = crm.ok("key scopes -o id");
    assert!(all.lines().any(|line| line == "api_key.revoke") && !all.contains("membership.add"), "{all}");
    // Each of them is taken.
    crm.init();
    crm.ok(&format!("key create all --role owner --scope {} -q", all.lines().collect::<Vec<_>>().join(",")));
    let unknown = crm.run("key scopes contcat");
    assert_eq!(unknown.code, Some(3));
    assert!(unknown.stderr.contains("There are allocation, api_key,"), "{}", unknown.stderr);
    let refused = crm.run("key create other --role owner --scope *.create");
    assert_eq!(refused.code, Some(5));
    assert!(refused.stderr.contains("`crm key scopes` lists what there is"), "{}", refused.stderr);
}

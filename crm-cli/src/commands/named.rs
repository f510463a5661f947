//! Commands that hints, help and notes name are there.

use std::fs;
use std::path::Path;

use clap::Command;
use crm_core::CrmError;
use crm_core::schema::TABLES;

use crate::error::hint_of;

/// The commands that a text names, without their first word.
fn named(text: &str) -> Vec<String> {
    let parts = text.split("`crm ").skip(1).filter_map(|part| part.split_once('`'));
    // Text of the program goes on in the next line after a backslash.
    parts.map(|(command, _)| command.replace('\\', " ").split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// What of a command is not there. What is filled in at run time cannot be told here.
fn unknown(root: &Command, command: &str) -> Option<String> {
    let mut at = root;
    for word in command.split(' ') {
        if at.has_subcommands() && word.starts_with('{') {
            return None;
        }
        let is_value = word == "…" || word.chars().all(char::is_uppercase);
        if let Some(option) = word.strip_prefix("--") {
            let name = option.split('=').next().unwrap_or_default();
            let known = |of: &Command| of.get_arguments().any(|argument| argument.get_long() == Some(name));
            if !known(at) && !known(root) && name != "help" {
                return Some(word.to_owned());
            }
        } else if at.has_subcommands() && !is_value {
            let group = at;
            for word in word.split('|') {
                match group.find_subcommand(word) {
                    Some(next) => at = next,
                    None => return Some(word.to_owned()),
                }
            }
        }
    }
    None
}

fn sources(folder: &Path, visit: &mut dyn FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with(file!().rsplit('/').next().unwrap_or_default()) {
            continue;
        }
        if path.is_dir() {
            sources(&path, visit);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            visit(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_command_that_the_program_names_is_there() {
    let root = crate::args::command();
    let (mut count, mut wrong) = (0, Vec::new());
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |path, text| {
        for command in named(text) {
            count += 1;
            wrong.extend(unknown(&root, &command).map(|word| format!("{}: {command}: {word}", path.display())));
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 80, "{count}");
    for (command, word) in [("user list", "list"), ("contcat list", "contcat"), ("key list --revokd", "--revokd")] {
        assert_eq!(unknown(&root, command).as_deref(), Some(word));
    }
}

#[test]
fn hints_about_any_kind_of_record_name_commands_that_are_there() {
    let root = crate::args::command();
    for table in TABLES {
        let entity = table.entity;
        for error in [
            CrmError::NotFound { entity, reference: "x".into() },
            CrmError::Duplicate { entity, fields: vec!["name"] },
            CrmError::Referenced { entity, reference: "x".into() },
        ] {
            let hint = hint_of(&error).unwrap_or_default();
            let wrong: Vec<String> = named(&hint).iter().filter_map(|command| unknown(&root, command)).collect();
            assert!(wrong.is_empty(), "{error}: {hint}");
        }
    }
}

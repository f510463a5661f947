//! Whether the fixtures of `crm-core`, behind its feature `testing`, stay out of what is shipped.
//!
//! A crate's own tests ask for them. Whoever depends on the crate, or builds it as it is, must not get them.

use std::path::Path;

use crate::error::Stop;
use crate::lint::crates;
use crate::session::{Output, Session};
use crate::system;

/// The crates of the library with which the fixtures come, on any target.
pub(crate) fn check(session: &Session, root: &Path) -> Result<Vec<String>, Stop> {
    let mut faults = Vec::new();
    for name in crates(root)? {
        let mut tree = system::cargo(root);
        tree.args(["tree", "-p", &name, "--target", "all", "-e", "normal,build"]);
        tree.args(["--prefix", "none", "--format", "{p}\t{f}"]);
        if has_fixtures(&session.succeed(&mut tree, Output::Kept)?.text) {
            faults.push(format!(
                "{name} brings the feature `testing` of crm-core along; \
                 see `cargo tree -p {name} -e normal,build,features -i crm-core`"
            ));
        }
    }
    Ok(faults)
}

/// Whether crm-core has the feature in a tree, `NAME VERSION…<tab>FEATURE,FEATURE…` a line.
fn has_fixtures(tree: &str) -> bool {
    let of_core = tree.lines().filter_map(|line| line.strip_prefix("crm-core ")?.split_once('\t'));
    of_core.flat_map(|(_, features)| features.split([',', ' '])).any(|feature| feature == "testing")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn no_crate_of_the_library_brings_fixtures_along() {
        assert_eq!(check(&Session::start().unwrap(), &system::root()).unwrap(), [""; 0]);
    }

    #[test]
    fn fixtures_are_found_whichever_way_they_come() {
        let core = |more: &str| format!("crm-core = {{ path = \"../crm-core\"{more} }}\n");
        let testing = core(", features = [\"testing\"]");
        let manifests = [
            ("crm-core", "[features]\ntesting = []\nprint = []\n".to_owned()),
            (
                "crm-clean",
                format!("[dependencies]\n{}\n[dev-dependencies]\n{testing}", core(", features = [\"print\"]")),
            ),
            ("crm-optional", format!("[dependencies]\n{}\n[features]\ntesting = [\"crm-core/testing\"]\n", core(""))),
            ("crm-plain", format!("[dependencies]\n{testing}")),
            ("crm-through", "[dependencies]\ncrm-plain = { path = \"../crm-plain\" }\n".to_owned()),
            ("crm-default", format!("[dependencies]\n{}\n[features]\ndefault = [\"crm-core/testing\"]\n", core(""))),
            ("crm-target", format!("[target.'cfg(windows)'.dependencies]\n{testing}")),
        ];
        let folder = std::env::temp_dir().join(format!("xtask-fixtures-{}", std::process::id()));
        for (name, more) in &manifests {
            let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}");
            fs::create_dir_all(folder.join(name).join("src")).unwrap();
            fs::write(folder.join(name).join("src/lib.rs"), "").unwrap();
            fs::write(folder.join(name).join("Cargo.toml"), manifest).unwrap();
        }
        fs::write(folder.join("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"crm-*\"]\n").unwrap();
        let found = check(&Session::start().unwrap(), &folder);
        fs::remove_dir_all(&folder).unwrap();
        let found: Vec<_> =
            found.unwrap().iter().filter_map(|told| told.split(' ').next().map(str::to_owned)).collect();
        assert_eq!(found, ["crm-default", "crm-plain", "crm-target", "crm-through"]);
    }
}

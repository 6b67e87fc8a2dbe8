//! What bproxy is built from: crates, licences, build scripts, and where unsafe code is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The only file that may contain unsafe code.
const UNSAFE: &str = "src/sys.rs";

/// What a build script that fetches something would have to mention.
const FETCHING: [&str; 9] = [
    "TcpStream",
    "UdpSocket",
    "curl",
    "wget",
    "ureq",
    "reqwest",
    "https://",
    "git clone",
    "download",
];

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The platform that this is, as cargo calls it.
fn host() -> String {
    let version = Command::new(env!("CARGO")).args(["-vV"]).output().expect("cargo runs");
    let version = String::from_utf8(version.stdout).expect("text");
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("a host").to_owned()
}

/// What cargo knows of the crates that a platform needs, tests included.
fn metadata(platform: &str) -> Value {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform"])
        .arg(platform)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    serde_json::from_slice(&metadata.stdout).expect("JSON")
}

/// The crates that this platform needs, tests included.
fn crates() -> Vec<Value> {
    metadata(&host())["packages"].as_array().expect("packages").clone()
}

/// The crates that the program is made of where this is, macros among them, by their ids.
fn crates_of_the_program(metadata: &Value) -> BTreeSet<&str> {
    let nodes = metadata["resolve"]["nodes"].as_array().expect("nodes");
    let dependencies = |id: &str| {
        let node = nodes.iter().find(|node| node["id"] == id).expect("a node");
        let all = node["deps"].as_array().expect("dependencies").iter();
        // Neither those of tests nor those of build scripts.
        let is_normal = |it: &&Value| {
            it["dep_kinds"].as_array().expect("kinds").iter().any(|kind| kind["kind"].is_null())
        };
        all.filter(is_normal).map(|it| text(it, "pkg"))
    };
    let mut ahead: Vec<_> = dependencies(text(&metadata["resolve"], "root")).collect();
    let mut found = BTreeSet::new();
    while let Some(id) = ahead.pop() {
        if found.insert(id) {
            ahead.extend(dependencies(id));
        }
    }
    found
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value}"))
}

/// The texts in the list that `deny.toml` calls `name`; of a table in it, its `crate`.
fn allowed(name: &str) -> BTreeSet<String> {
    let file = read("deny.toml");
    let (_, list) = file.split_once(&format!("\n{name} = [")).expect("the list");
    let (list, _) = list.split_once("\n]").or_else(|| list.split_once(']')).expect("its end");
    let texts = |line: &str| line.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    list.lines()
        .flat_map(|line| -> Vec<String> {
            let texts: Vec<String> = texts(line);
            if line.contains("crate = ") { texts[..1].to_vec() } else { texts }
        })
        .collect()
}

/// The files of `folder` and below whose names end in `.rs`.
fn sources(folder: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).expect("a folder")
    {
        let path = entry.expect("an entry").path();
        let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("below it").to_owned();
        match name.to_str().expect("text") {
            name if path.is_dir() && !name.ends_with("node_modules") => sources(name, found),
            other if other.ends_with(".rs") => found.push(name),
            _ => {}
        }
    }
}

#[test]
fn every_crate_comes_from_the_registry_with_its_checksum() {
    let lock = read("Cargo.lock");
    let packages: Vec<_> = lock.split("[[package]]").skip(1).collect();
    for package in &packages {
        let is_own = package.contains("\nname = \"bproxy\"\n");
        let is_checked = package.contains(&format!("\nsource = \"{REGISTRY}\"\nchecksum = \""));
        assert!(is_own != is_checked, "of unknown origin: {package}");
    }
}

#[test]
fn the_documented_number_of_crates_is_correct() {
    let document = read("docs/dependencies.md");
    let locked = read("Cargo.lock").matches("\n[[package]]").count() - 1;
    let mut facts = vec![format!("`Cargo.lock` has {locked} crates")];
    // Elsewhere others are needed.
    if host() == "x86_64-unknown-linux-gnu" {
        let metadata = metadata(&host());
        let program = crates_of_the_program(&metadata);
        let packages = metadata["packages"].as_array().expect("packages").iter();
        let scripts = packages
            .filter(|it| program.contains(text(it, "id")) && build_script(it).is_some())
            .count();
        facts.push(format!("{} make the program", program.len()));
        facts.push(format!("{scripts} of which have a build script"));
    }
    for fact in facts {
        assert!(document.contains(&fact), "docs/dependencies.md does not say: {fact}");
    }
}

#[test]
fn every_crate_has_a_licence_that_is_allowed() {
    let licences = allowed("allow");
    let is_allowed = |licence: &str| licences.contains(licence.trim().trim_matches(['(', ')']));
    for it in crates() {
        let terms = text(&it, "license").replace('/', " OR ");
        let fits = terms.split(" AND ").all(|term| term.split(" OR ").any(is_allowed));
        assert!(fits, "{} is under {terms}", text(&it, "name"));
    }
}

#[test]
fn two_versions_of_a_crate_have_a_reason() {
    let skipped = allowed("skip");
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for it in crates() {
        let version = text(&it, "version").to_owned();
        versions.entry(text(&it, "name").to_owned()).or_default().push(version);
    }
    let is_skipped = |name: &str, version: &str| {
        skipped.iter().any(|it| {
            it.split_once('@').is_some_and(|(skipped, prefix)| {
                skipped == name
                    && version.strip_prefix(prefix).is_some_and(|it| it.starts_with('.'))
            })
        })
    };
    for (name, versions) in versions {
        let counted = versions.iter().filter(|version| !is_skipped(&name, version)).count();
        assert!(
            counted <= 1,
            "{name} is there as {versions:?}: update, or give deny.toml a reason"
        );
    }
}

fn build_script(it: &Value) -> Option<&str> {
    let targets = it["targets"].as_array().expect("targets");
    let script = targets.iter().find(|target| target["kind"][0] == "custom-build")?;
    Some(text(script, "src_path"))
}

#[test]
fn build_scripts_are_known_and_fetch_nothing() {
    let known = allowed("allow-build-scripts");
    for it in crates() {
        let Some(script) = build_script(&it) else { continue };
        let name = text(&it, "name");
        assert!(
            known.contains(name),
            "{name} has a build script now: read it, then name it in deny.toml"
        );
        let source = read(script);
        let code: Vec<_> = source.lines().filter(|line| !line.trim().starts_with("//")).collect();
        for word in FETCHING {
            assert!(!code.iter().any(|line| line.contains(word)), "{script} mentions {word}");
        }
    }
}

#[test]
fn every_dependency_is_listed_with_its_reason_and_nothing_else_is() {
    let document = read("docs/dependencies.md");
    let mut listed = BTreeSet::new();
    for row in
        document.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Crate"))
    {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert!(cells.iter().all(|cell| !cell.is_empty()), "without a reason: {row}");
        for name in cells[0].split(", ") {
            assert!(listed.insert(name.to_owned()), "{name} is listed twice");
        }
    }
    let crates = crates();
    let own = crates.iter().find(|it| it["name"] == "bproxy").expect("this crate");
    let dependencies = own["dependencies"].as_array().expect("dependencies").iter();
    let used: BTreeSet<_> = dependencies.map(|it| text(it, "name").to_owned()).collect();
    assert_eq!(listed, used, "docs/dependencies.md beside Cargo.toml");
}

#[test]
fn unsafe_code_is_in_one_file_and_forbidden_everywhere_else() {
    // Nothing below a `forbid` can lift it. Where there is none, such as in tests, it takes a permission.
    let library = read("src/lib.rs");
    let modules = library.lines().filter(|line| line.ends_with(';')).count();
    assert_eq!(library.matches("#[forbid(unsafe_code)]\n").count(), modules - 1);
    assert!(read("src/main.rs").contains("\n#![forbid(unsafe_code)]\n"));
    assert!(read("Cargo.toml").contains("\nunsafe_code = \"deny\"\n"));
    let mut files = vec![PathBuf::from("build.rs")];
    for folder in ["src", "tests", "benches", "examples"] {
        sources(folder, &mut files);
    }
    // In two pieces, so that this file does not have them.
    let permissions = ["allow", "expect", "warn"].map(|level| [level, "(unsafe_code"].concat());
    let permits = |file: &&PathBuf| {
        let source = read(file);
        permissions.iter().any(|permission| source.contains(permission))
    };
    assert_eq!(files.iter().filter(permits).collect::<Vec<_>>(), [Path::new(UNSAFE)]);
}

//! Everything about a release that can be tested before there is one: workflows, crate, and recipes for other systems.

#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::skipped;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What stands in a recipe for the hash of a crate that is not made yet.
const UNKNOWN: &str = "@CRATE_SHA256@";

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(ROOT).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[track_caller]
fn succeeded(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("it runs");
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("text")
}

/// Whether the tool is there; where it is not, that is said and counted.
fn has(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(tool).exists());
    if !found {
        skipped(&format!("no {tool}: run `make prerequisites`"));
    }
    found
}

fn workflows() -> Vec<(PathBuf, String)> {
    let folder = Path::new(ROOT).join(".github/workflows");
    let paths =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let workflows: Vec<_> = paths.map(|path| (path.clone(), read(&path))).collect();
    assert!(workflows.len() >= 2, "ci and release");
    workflows
}

#[test]
fn actions_are_named_by_the_hash_of_a_commit_whose_version_is_told() {
    for (path, text) in workflows() {
        let uses = text
            .lines()
            .filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: "));
        let mut count = 0;
        for action in uses {
            count += 1;
            let (name, version) = action.split_once(" # v").unwrap_or_default();
            let hash = name.split_once('@').unwrap_or_default().1;
            let is_hash = hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_hash && version.split('.').count() == 3, "{}: {action}", path.display());
        }
        assert!(count > 0 && text.matches("uses:").count() == count, "{}", path.display());
    }
}

#[test]
fn workflows_have_the_permissions_that_they_name_and_keep_no_credentials() {
    for (path, text) in workflows() {
        let top = text.lines().skip_while(|line| !line.starts_with("permissions:"));
        let top: Vec<_> = top
            .take_while(|line| line.starts_with("permissions:") || line.starts_with("  "))
            .collect();
        let is_least = top == ["permissions: {}"] || top == ["permissions:", "  contents: read"];
        assert!(is_least, "{}: {top:?}", path.display());
        let checkouts = text.matches("actions/checkout@").count();
        assert_eq!(
            text.matches("persist-credentials: false").count(),
            checkouts,
            "{}",
            path.display()
        );
        // What a stranger can name, such as a branch, must not become part of a script.
        for (number, line) in text.lines().enumerate().filter(|(_, line)| line.contains("${{")) {
            let place = format!("{}:{}: {line}", path.display(), number + 1);
            let (key, value) = line.trim_start().split_once(": ").expect(&place);
            let key = key.trim_start_matches("- ");
            assert!(key != "run" && value.starts_with("${{"), "{place}");
            for expression in line.split("${{").skip(1) {
                let name = expression.split("}}").next().expect("an end").trim();
                // A group is compared with others and nothing else.
                let is_group = key == "group" && name == "github.ref";
                let is_known = name.starts_with("matrix.") || name == "github.token";
                assert!(is_known || is_group, "{place}");
            }
        }
    }
}

/// The compilers that a workflow names for its jobs, as their numbers.
fn compilers(workflow: &str) -> Vec<Vec<u32>> {
    let text = read(Path::new(".github/workflows").join(workflow));
    let named = text.split("RUSTUP_TOOLCHAIN: \"").skip(1);
    named.map(|rest| numbers(rest.split('"').next().expect("an end"))).collect()
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().expect("a number")).collect()
}

#[test]
fn releases_are_built_by_one_exact_compiler_that_is_new_enough_for_the_crate() {
    let compilers = compilers("release.yml");
    assert_eq!(compilers.len(), 1, "{compilers:?}");
    assert_eq!(compilers[0].len(), 3, "not exact: {compilers:?}");
    assert!(compilers[0] >= numbers(env!("CARGO_PKG_RUST_VERSION")), "{compilers:?}");
}

#[test]
fn continuous_integration_compiles_with_the_oldest_compiler_that_the_crate_promises() {
    assert_eq!(compilers("ci.yml"), [numbers(env!("CARGO_PKG_RUST_VERSION"))]);
}

#[test]
fn the_oldest_compiler_is_new_enough_for_every_dependency() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform"]);
    let host = succeeded(Command::new(env!("CARGO")).arg("-vV"));
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let metadata: Value =
        serde_json::from_str(&succeeded(cargo.arg(host).current_dir(ROOT))).expect("JSON");
    for package in metadata["packages"].as_array().expect("packages") {
        let Some(needed) = package["rust_version"].as_str() else { continue };
        let is_enough =
            numbers(env!("CARGO_PKG_RUST_VERSION")) >= numbers(needed.trim_end_matches(".0"));
        assert!(is_enough, "{} needs Rust {needed}", package["name"]);
    }
}

/// The files of a folder and below, by their paths in the repository.
fn files(folder: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(Path::new(ROOT).join(folder)).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = format!("{folder}/{}", entry.file_name().to_str().expect("text"));
        if entry.path().is_dir() { files(&name, found) } else { assert!(found.insert(name)) }
    }
}

#[test]
fn the_crate_holds_what_it_is_built_of_and_nothing_else() {
    let mut expected: BTreeSet<String> = [
        // Made by cargo.
        "Cargo.lock",
        "Cargo.toml",
        "Cargo.toml.orig",
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "build.rs",
        "docs/protocol.md",
        "launchd/io.github.bproxy.plist",
        "man/bproxy.service.8",
        "man/config.env.5",
        "man/program.roff",
        "man/verb.roff",
        "packaging/assets",
        "packaging/user-sandbox",
        "systemd/bproxy.service",
        "systemd/bproxy.service.d/sandbox.conf",
        "systemd/bproxy.socket",
    ]
    .map(str::to_owned)
    .into();
    files("src", &mut expected);
    files("extension", &mut expected);
    files("skill", &mut expected);
    files("packaging/completions", &mut expected);

    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["package", "--list", "--locked", "--offline", "--allow-dirty"]).current_dir(ROOT);
    let mut listed: BTreeSet<String> = succeeded(&mut cargo).lines().map(str::to_owned).collect();
    // The commit; only in a repository there is one.
    listed.remove(".cargo_vcs_info.json");
    assert_eq!(listed, expected);
    assert!(
        listed.iter().filter(|file| file.starts_with("src/")).all(|file| file.ends_with(".rs"))
    );
}

#[test]
fn the_crate_says_all_that_a_registry_shows() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1", "--no-deps", "--locked", "--offline"]);
    let metadata: Value = serde_json::from_str(&succeeded(cargo.current_dir(ROOT))).expect("JSON");
    let package = &metadata["packages"][0];
    for field in [
        "description",
        "license",
        "repository",
        "homepage",
        "documentation",
        "readme",
        "rust_version",
    ] {
        assert!(package[field].as_str().is_some_and(|text| !text.is_empty()), "no {field}");
    }
    for field in ["keywords", "categories"] {
        let count = package[field].as_array().expect("a list").len();
        assert!((1..=5).contains(&count), "{count} {field}");
    }
}

#[test]
fn the_formula_is_ruby_of_this_version() {
    let formula = "packaging/homebrew/bproxy.rb";
    let url = format!(
        "url \"https://github.com/bproxy/bproxy/releases/download/v{VERSION}/bproxy-{VERSION}.crate\""
    );
    assert!(read(formula).contains(&url), "{url}");
    if has("ruby") {
        let told = succeeded(Command::new("ruby").args(["-wc", formula]).current_dir(ROOT));
        assert_eq!(told, "Syntax OK\n");
    }
}

/// What Arch's own tool reads from a recipe in a folder. It refuses to work for root.
fn srcinfo(folder: &TempDir) -> String {
    let mut makepkg = Command::new("makepkg");
    if rustix::process::geteuid().is_root() {
        makepkg = Command::new("setpriv");
        makepkg.args(["--reuid=65534", "--regid=65534", "--clear-groups", "makepkg"]);
        succeeded(Command::new("chmod").args(["-R", "a+rwX"]).arg(folder.path()));
    }
    // It asks for a package manager, which it does not use for this.
    makepkg
        .args(["--printsrcinfo"])
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .env("PACMAN", "true");
    succeeded(&mut makepkg)
}

#[test]
fn the_pkgbuild_is_of_this_version_and_its_summary_is_up_to_date() {
    let summary = read("packaging/aur/.SRCINFO");
    assert!(summary.contains(&format!("\tpkgver = {VERSION}\n")), "{summary}");
    if has("makepkg") {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("PKGBUILD"), read("packaging/aur/PKGBUILD")).expect("a file");
        assert_eq!(srcinfo(&folder), summary, "makepkg --printsrcinfo >.SRCINFO");
    }
}

#[test]
fn recipes_have_no_hash_until_there_is_a_release_and_then_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = folder.path().join("a crate");
    fs::write(&made, "abc").expect("a file");
    let mut recipes = Command::new(Path::new(ROOT).join("packaging/recipes"));
    succeeded(recipes.arg(&made).env("CARGO_TARGET_DIR", folder.path()));
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    for (recipe, filled) in [("homebrew/bproxy.rb", "bproxy.rb"), ("aur/PKGBUILD", "PKGBUILD")] {
        let recipe = read(Path::new("packaging").join(recipe));
        assert_eq!(recipe.matches(UNKNOWN).count(), 1);
        let filled = read(folder.path().join("package/recipes").join(filled));
        assert_eq!(filled, recipe.replace(UNKNOWN, hash));
    }
}

/// As much of nixpkgs as the flake asks for: what it would build is told instead.
const NIXPKGS: &str = r#"
  let
    flake = import FLAKE;
    told = system: {
      rustPlatform.buildRustPackage = package: package // { inherit system; };
      lib.licenses.mit = "MIT";
    };
    systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
    each = names: of: builtins.listToAttrs (map (name: { inherit name; value = of name; }) names);
    nixpkgs = { lib.genAttrs = each; legacyPackages = each systems told; };
    packages = (flake.outputs { self = { }; inherit nixpkgs; }).packages;
  in
  map (system: with packages.${system}.default; assert meta.platforms == systems; "${pname} ${version} ${system}") systems
"#;

#[test]
fn the_flake_offers_this_version_for_every_system() {
    let flake = Path::new(ROOT).join("packaging/nix/flake.nix");
    if !has("nix-instantiate") {
        return;
    }
    let state = tempfile::tempdir().expect("a folder");
    let mut nix = Command::new("nix-instantiate");
    let expression = NIXPKGS.replace("FLAKE", flake.to_str().expect("text"));
    nix.args(["--eval", "--strict", "--json", "--expr", &expression]);
    for (variable, folder) in
        [("NIX_STORE_DIR", "store"), ("NIX_STATE_DIR", "var"), ("NIX_LOG_DIR", "log")]
    {
        nix.env(variable, state.path().join(folder));
    }
    let offered: Vec<String> = serde_json::from_str(&succeeded(&mut nix)).expect("JSON");
    let systems = ["x86_64-linux", "aarch64-linux", "x86_64-darwin", "aarch64-darwin"];
    assert_eq!(offered, systems.map(|system| format!("bproxy {VERSION} {system}")));
}

#[test]
fn the_flake_is_locked_to_a_nixpkgs_of_one_hash() {
    let lock: Value = serde_json::from_str(&read("packaging/nix/flake.lock")).expect("JSON");
    assert_eq!((&lock["version"], &lock["root"]), (&7.into(), &"root".into()));
    let nixpkgs = &lock["nodes"]["nixpkgs"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    // What the flake asks for.
    let original = &nixpkgs["original"];
    let url = format!(
        "{}:{}/{}/{}",
        text(&original["type"]),
        text(&original["owner"]),
        text(&original["repo"]),
        text(&original["ref"])
    );
    assert!(
        read("packaging/nix/flake.nix").contains(&format!("inputs.nixpkgs.url = \"{url}\"")),
        "{url}"
    );
    let locked = &nixpkgs["locked"];
    assert_eq!(text(&locked["rev"]).len(), 40, "{locked}");
    assert!(text(&locked["narHash"]).starts_with("sha256-"), "{locked}");
}

#[test]
fn every_recipe_ships_the_sandbox() {
    for (recipe, files) in [
        (
            "packaging/aur/PKGBUILD",
            &["systemd/bproxy.service.d/sandbox.conf", "packaging/user-sandbox"][..],
        ),
        ("packaging/nix/flake.nix", &["systemd/bproxy.service.d/sandbox.conf"]),
    ] {
        for file in files {
            assert!(read(recipe).contains(file), "{recipe}: {file}");
            assert!(Path::new(ROOT).join(file).exists(), "{file}");
        }
    }
}

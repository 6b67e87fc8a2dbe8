//! Rebuilds when a file is added to or removed from the embedded extension, which cargo does not notice by itself, and
//! passes the commit and the target triple to the program.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The variable that has the commit; packagers who build outside a git repository set it.
const COMMIT: &str = "BPROXY_COMMIT";

/// The file in a published crate in which cargo records the commit.
const CRATE_INFO: &str = ".cargo_vcs_info.json";

fn main() {
    println!("cargo::rerun-if-changed=extension");
    println!("cargo::rerun-if-env-changed={COMMIT}");
    let commit = from_environment().or_else(from_crate).or_else(from_git);
    println!("cargo::rustc-env={COMMIT}={}", commit.as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=BPROXY_TARGET={}", env::var("TARGET").unwrap_or_default());
}

/// The commit in the environment.
fn from_environment() -> Option<String> {
    let commit = env::var(COMMIT).ok()?;
    commit.split_whitespace().next().map(str::to_owned)
}

/// The commit that the crate was published from.
fn from_crate() -> Option<String> {
    let info = fs::read_to_string(CRATE_INFO).ok()?;
    println!("cargo::rerun-if-changed={CRATE_INFO}");
    let (_, commit) = info.split_once("\"sha1\"")?;
    commit.split('"').nth(1).map(str::to_owned)
}

/// The commit that is checked out. Rebuilds when git's log of HEAD changes, as it does with every commit and checkout.
fn from_git() -> Option<String> {
    // `--show-prefix` is empty only at the root of a repository. One that contains this folder deeper down, such as a
    // packager's, is another project's.
    let args =
        ["rev-parse", "--show-prefix", "--git-path", "HEAD", "--git-path", "logs/HEAD", "HEAD"];
    let answer = Command::new("git").args(args).output().ok().filter(|it| it.status.success())?;
    let answer = String::from_utf8(answer.stdout).ok()?;
    let ["", head, log, commit] = answer.lines().collect::<Vec<_>>()[..] else { return None };
    for file in [head, log].into_iter().filter(|file| Path::new(file).exists()) {
        println!("cargo::rerun-if-changed={file}");
    }
    Some(commit.to_owned())
}

//! Builds anew when the embedded extension gains or loses a file, which the compiler alone does not see, and tells the
//! program what it is built from and for.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Set by packagers who build outside of git.
const COMMIT: &str = "BPROXY_COMMIT";

/// Where cargo notes the commit of a published crate.
const PUBLISHED: &str = ".cargo_vcs_info.json";

fn main() {
    println!("cargo::rerun-if-changed=extension");
    println!("cargo::rerun-if-env-changed={COMMIT}");
    let commit = given().or_else(published).or_else(checked_out);
    println!("cargo::rustc-env={COMMIT}={}", commit.as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=BPROXY_TARGET={}", env::var("TARGET").unwrap_or_default());
}

/// The commit that the environment names.
fn given() -> Option<String> {
    let commit = env::var(COMMIT).ok()?;
    commit.split_whitespace().next().map(str::to_owned)
}

/// The commit that the crate was published from.
fn published() -> Option<String> {
    let info = fs::read_to_string(PUBLISHED).ok()?;
    println!("cargo::rerun-if-changed={PUBLISHED}");
    let (_, commit) = info.split_once("\"sha1\"")?;
    commit.split('"').nth(1).map(str::to_owned)
}

/// The commit that git has checked out here, which it writes down in a log of its own whenever that changes.
fn checked_out() -> Option<String> {
    // A repository that this folder merely lies in, such as a packager's, is not this one's.
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

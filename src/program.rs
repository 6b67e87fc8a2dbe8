//! The path of this program that goes into units and into clients' configuration: one that is still valid after the next
//! update.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// Why there is no such path.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system does not tell the path of this program.
    #[error("cannot find the path of this program: {0}")]
    Unknown(#[source] io::Error),
    /// The path is temporary.
    #[error(
        "{} cannot be what a service or a client runs, because the next build or update removes it: install bproxy first, for \
         example with `install -Dm755 {} ~/.local/bin/bproxy`, and run it from there", path.display(), path.display()
    )]
    Temporary {
        /// The program's path.
        path: PathBuf,
    },
}

/// The path of this program to write down: the one it was called by, else the one found in `PATH`, else its real
/// path.
///
/// # Errors
/// When the program is in a build directory, or in a package manager's directory of one version, and no permanent path
/// leads to it.
pub(crate) fn path() -> Result<PathBuf, Error> {
    let here = env::current_exe().and_then(|path| path.canonicalize()).map_err(Error::Unknown)?;
    let called = env::args_os().next().map(PathBuf::from).filter(|path| path.is_absolute());
    let search = env::var_os("PATH").unwrap_or_default();
    let name = here.file_name().unwrap_or(OsStr::new("bproxy")).to_owned();
    let found = env::split_paths(&search).map(|folder| folder.join(&name));
    let found = found.filter(|path| path.is_absolute());
    let mut candidates = called.into_iter().chain(found).chain([here.clone()]);
    let leads_here = |path: &PathBuf| path.canonicalize().is_ok_and(|path| path == here);
    candidates
        .find(|path| is_permanent(path) && leads_here(path))
        .ok_or(Error::Temporary { path: here.clone() })
}

/// Whether a path survives builds and updates.
fn is_permanent(path: &Path) -> bool {
    let has = |name: &str| path.components().any(|part| part.as_os_str() == OsStr::new(name));
    let is_built = has("target") && (has("debug") || has("release"));
    let is_versioned = ["Cellar", "Caskroom", "node_modules"].into_iter().any(has);
    let temporary = ["/tmp", "/var/tmp", "/nix/store", "/gnu/store"].map(PathBuf::from);
    let mut temporary = temporary.into_iter().chain([env::temp_dir()]);
    !is_built && !is_versioned && !temporary.any(|folder| path.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_folders_and_folders_of_one_version_are_not_permanent() {
        for temporary in [
            "/home/me/bproxy/target/release/bproxy",
            "/opt/homebrew/Cellar/bproxy/1.0/bin/bproxy",
            "/nix/store/abc-bproxy/bin/bproxy",
            "/tmp/bproxy",
        ] {
            assert!(!is_permanent(Path::new(temporary)), "{temporary}");
        }
        for permanent in
            ["/usr/bin/bproxy", "/opt/homebrew/bin/bproxy", "/home/me/.cargo/bin/bproxy"]
        {
            assert!(is_permanent(Path::new(permanent)), "{permanent}");
        }
    }
}

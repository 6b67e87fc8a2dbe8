//! The path of this program that a unit can name: one that still leads to it after the next update.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system does not say where this program lies.
    #[error("cannot tell where this program lies: {0}")]
    Unknown(#[source] io::Error),
    /// It lies where it will not stay.
    #[error(
        "{} is no place for a service's program, since the next build or update removes it: install bproxy first, such \
         as with `install -Dm755 {} ~/.local/bin/bproxy`, and run it from there", path.display(), path.display()
    )]
    Passing {
        /// Where it lies.
        path: PathBuf,
    },
}

/// The path of this program to write into units: as it was called if that leads to it, or as the search path finds it, or
/// where it lies.
///
/// # Errors
/// When it lies in a build's folder or in a package manager's folder of one version, and no lasting path leads to it.
pub(super) fn path() -> Result<PathBuf, Error> {
    let here = env::current_exe().and_then(|path| path.canonicalize()).map_err(Error::Unknown)?;
    let called = env::args_os().next().map(PathBuf::from).filter(|path| path.is_absolute());
    let search = env::var_os("PATH").unwrap_or_default();
    let name = here.file_name().unwrap_or(OsStr::new("bproxy")).to_owned();
    let found = env::split_paths(&search).map(|folder| folder.join(&name));
    let found = found.filter(|path| path.is_absolute());
    let mut candidates = called.into_iter().chain(found).chain([here.clone()]);
    let leads_here = |path: &PathBuf| path.canonicalize().is_ok_and(|path| path == here);
    candidates
        .find(|path| lasts(path) && leads_here(path))
        .ok_or(Error::Passing { path: here.clone() })
}

/// Whether a path is one that builds and updates keep.
fn lasts(path: &Path) -> bool {
    let has = |name: &str| path.components().any(|part| part.as_os_str() == OsStr::new(name));
    let is_built = has("target") && (has("debug") || has("release"));
    let is_versioned = ["Cellar", "Caskroom", "node_modules"].into_iter().any(has);
    let passing = ["/tmp", "/var/tmp", "/nix/store", "/gnu/store"].map(PathBuf::from);
    let mut passing = passing.into_iter().chain([env::temp_dir()]);
    !is_built && !is_versioned && !passing.any(|folder| path.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_folders_and_folders_of_one_version_do_not_last() {
        for passing in [
            "/home/me/bproxy/target/release/bproxy",
            "/opt/homebrew/Cellar/bproxy/1.0/bin/bproxy",
            "/nix/store/abc-bproxy/bin/bproxy",
            "/tmp/bproxy",
        ] {
            assert!(!lasts(Path::new(passing)), "{passing}");
        }
        for lasting in ["/usr/bin/bproxy", "/opt/homebrew/bin/bproxy", "/home/me/.cargo/bin/bproxy"]
        {
            assert!(lasts(Path::new(lasting)), "{lasting}");
        }
    }
}

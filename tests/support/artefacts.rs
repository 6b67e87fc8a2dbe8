//! What `make packages` leaves in `target/package`, for tests of what people install.

use std::fs;
use std::path::{Path, PathBuf};

use super::skipped;

/// The folder of the artefacts.
pub fn artefacts() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a folder above");
    target.join("package")
}

/// The artefact whose name ends like this, or `None` where none has been made, which is reported as
/// skipped.
///
/// # Panics
/// In continuous integration if there is none, and anywhere if there are several.
pub fn artefact(ending: &str) -> Option<PathBuf> {
    let folder = artefacts();
    let entries = fs::read_dir(&folder).into_iter().flatten();
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut fitting: Vec<_> =
        paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    assert!(fitting.len() < 2, "which one is it? {fitting:?}");
    let found = fitting.pop();
    if found.is_none() {
        skipped(&format!("no {ending} in {}: run `make packages`", folder.display()));
    }
    found
}

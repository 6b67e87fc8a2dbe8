//! The files of a service manager: written whole, and removed with the folders that they alone were in.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Error;

/// Files that have been written.
#[derive(Default)]
pub(super) struct Files {
    pub(super) paths: Vec<PathBuf>,
    /// Whether any of them was another one before, or none.
    pub(super) changed: bool,
    /// Why the sandbox is not among them, where there could be one.
    pub(super) unsandboxed: Option<String>,
}

impl Files {
    /// Writes a file that others may read, with the folders above it, unless it is there and the same.
    pub(super) fn write(&mut self, path: PathBuf, text: &str) -> Result<(), Error> {
        if !holds(&path, text) {
            replace(&path, text).map_err(|source| Error::File {
                operation: "write",
                path: path.clone(),
                source,
            })?;
            self.changed = true;
        }
        self.paths.push(path);
        Ok(())
    }
}

/// Whether a file is there with this text.
pub(super) fn holds(path: &Path, text: &str) -> bool {
    fs::read(path).is_ok_and(|there| there == text.as_bytes())
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o644))
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// Removes a file, and the folders above it that are empty then and lie below `top`. Returns whether it was there.
pub(super) fn remove(path: &Path, top: &Path) -> Result<bool, Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        removed => removed.map_err(|source| Error::File {
            operation: "remove",
            path: path.to_owned(),
            source,
        })?,
    }
    remove_empty(path.parent().unwrap_or(top), top);
    Ok(true)
}

/// Removes a folder if it is empty, and those above it likewise, as long as they are `below` a folder.
pub(super) fn remove_empty(folder: &Path, below: &Path) {
    for folder in folder.ancestors().take_while(|folder| *folder != below) {
        // One that holds something stays.
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

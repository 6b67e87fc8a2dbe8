//! Writes unit files atomically, and removes them together with folders that become empty.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Error;

/// The unit files of an installation.
#[derive(Default)]
pub(super) struct WrittenFiles {
    pub(super) paths: Vec<PathBuf>,
    /// Whether any file was created, changed or removed.
    pub(super) changed: bool,
    /// Why the sandbox file is missing, if the manager supports a sandbox and it does not work here.
    pub(super) unsandboxed: Option<String>,
}

impl WrittenFiles {
    /// Writes a file of mode 0644 and creates its parent folders, unless it already has this text.
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

/// Whether the file exists and has this text.
pub(super) fn holds(path: &Path, text: &str) -> bool {
    fs::read(path).is_ok_and(|content| content == text.as_bytes())
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

/// Removes a file, and its parent folders below `top` that are empty then. Returns whether the file existed.
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

/// Removes the folder and its parents below `top`, up to the first that is not empty.
pub(super) fn remove_empty(folder: &Path, top: &Path) {
    for folder in folder.ancestors().take_while(|folder| *folder != top) {
        // Fails for a folder that is not empty.
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

//! Writing a set of files into a folder that may hold files of others: the extension, the skill, the manual pages.
//!
//! Only files that the caller recognizes as bproxy's are replaced or removed. All files are written under temporary names
//! first and renamed then, so that a failure changes nothing. Nothing is written through a symbolic link, and nothing but
//! regular files is opened (`folder.rs`).

mod folder;

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, RenameFlags, renameat, renameat_with};
use rustix::io::Errno;

use folder::{Created, Folder};

/// How the temporary names begin. A killed process may leave some behind.
const TEMPORARY: &str = ".bproxy-";

/// Why files cannot be installed. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that is not a regular file or folder, or one in place of the other.
    #[error("{} is {kind}, and bproxy needs a {wanted} of its own there: remove it, or name another folder", path.display())]
    Kind {
        /// What is in the way.
        path: PathBuf,
        /// What it is, with its article.
        kind: &'static str,
        /// What should be there.
        wanted: &'static str,
    },
    /// A file, or a folder's content, that bproxy has not written.
    #[error("{} was not written by bproxy: move it away, or name another folder", .0.display())]
    Foreign(PathBuf),
    /// A system call failed.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// The operation, as a verb.
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl Error {
    fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Io { operation, path: path.to_owned(), source }
    }
}

/// A folder to install files into. Folders that are created for it and stay empty are removed on drop.
pub(crate) struct Target {
    folder: Folder,
    created: Created,
}

/// A file to install: its path in the folder, and its content.
pub(crate) struct NewFile<'a> {
    pub(crate) path: PathBuf,
    pub(crate) content: Cow<'a, [u8]>,
}

impl Target {
    /// Opens the folder at `below` in `base`, creating what does not exist. Links may lead to `base`; none may be in
    /// `below`.
    ///
    /// # Errors
    /// When there is something else than a folder, or it cannot be opened or created.
    pub(crate) fn below(base: &Path, below: &Path) -> Result<Target, Error> {
        let base = std::path::absolute(base).map_err(Error::io("resolve", base))?;
        let mut created = Created::default();
        let folder = Folder::open(&base, &mut created)?.descend(below, &mut created)?;
        Ok(Target { folder, created })
    }

    /// Opens a folder that the person has named, creating it if it does not exist. It must not be a link itself.
    ///
    /// # Errors
    /// As those of [`Target::below`].
    pub(crate) fn open(path: &Path) -> Result<Target, Error> {
        let absolute = std::path::absolute(path).map_err(Error::io("resolve", path))?;
        match (absolute.parent(), absolute.file_name()) {
            (Some(parent), Some(name)) => Target::below(parent, Path::new(name)),
            _ => Target::below(&absolute, Path::new("")),
        }
    }

    /// The folder's path.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Whether the folder holds nothing yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn is_empty(&self) -> Result<bool, Error> {
        let is_temporary = |name: &PathBuf| name.to_string_lossy().starts_with(TEMPORARY);
        Ok(self.folder.names()?.iter().all(is_temporary))
    }

    /// The content of the file called `name` in the folder; `None` if there is none.
    ///
    /// # Errors
    /// When it is not a regular file, or cannot be read.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        self.folder.read(OsStr::new(name))
    }

    /// Writes `files`, and removes the files at `obsolete` with the folders that they leave empty. An existing file is
    /// replaced only if `is_ours`, which is given its path in the folder and its content.
    ///
    /// # Errors
    /// When a file is not bproxy's, something else than a file is in its place, or it cannot be written.
    pub(crate) fn install(
        mut self,
        files: &[NewFile<'_>],
        obsolete: &[PathBuf],
        is_ours: impl Fn(&Path, &[u8]) -> bool,
    ) -> Result<(), Error> {
        let mut changes = Vec::new();
        for NewFile { path, content } in files {
            let folder = self.folder_of(path)?;
            let name = path.file_name().unwrap_or_default();
            let old = folder.read(name)?;
            if old.as_ref().is_some_and(|old| !is_ours(path, old)) {
                return Err(Error::Foreign(folder.path().join(name)));
            }
            let mut change = Change::new(folder, name, old.is_some(), true);
            change.write(content)?;
            changes.push(change);
        }
        for path in obsolete {
            let folder = self.folder_of(path)?;
            let name = path.file_name().unwrap_or_default();
            if folder.read(name)?.is_some() {
                changes.push(Change::new(folder, name, true, false));
            }
        }
        for change in &mut changes {
            change.apply()?;
        }
        changes.into_iter().for_each(Change::keep);
        for path in obsolete {
            self.remove_empty_parents(path);
        }
        Ok(())
    }

    /// The folder that the file at `path` belongs in.
    fn folder_of(&mut self, path: &Path) -> Result<Folder, Error> {
        let parent = path.parent().unwrap_or(Path::new(""));
        self.folder.descend(parent, &mut self.created)
    }

    /// Removes the folders that a removed file leaves empty.
    fn remove_empty_parents(&mut self, path: &Path) {
        for parent in path.ancestors().skip(1) {
            if let (Ok(folder), Some(name)) = (self.folder_of(parent), parent.file_name()) {
                folder.remove_folder(name);
            }
        }
    }
}

/// A change of one file, prepared under a temporary name in the same folder, so that carrying it out is one rename. It
/// is undone on drop unless it is kept.
struct Change {
    folder: Folder,
    temporary: OsString,
    name: OsString,
    /// Whether there is a file now.
    replaces: bool,
    /// Whether there is one afterwards.
    adds: bool,
    /// Whether dropping it takes it back.
    reverts: bool,
}

impl Change {
    fn new(folder: Folder, name: &OsStr, replaces: bool, adds: bool) -> Change {
        let temporary = format!("{TEMPORARY}{:016x}", rand::random::<u64>()).into();
        Change { folder, temporary, name: name.to_owned(), replaces, adds, reverts: false }
    }

    fn write(&mut self, content: &[u8]) -> Result<(), Error> {
        let mut file = self.folder.create(&self.temporary)?;
        file.write_all(content).map_err(Error::io("write", &self.path()))
    }

    fn apply(&mut self) -> Result<(), Error> {
        let applied = match (self.adds, self.replaces) {
            (true, true) => self.exchange(),
            (true, false) => self.rename(&self.temporary, &self.name),
            (false, _) => self.rename(&self.name, &self.temporary),
        };
        applied.map_err(|error| Error::io("replace", &self.path())(error.into()))?;
        self.reverts = true;
        Ok(())
    }

    /// Makes it final.
    fn keep(mut self) {
        self.reverts = false;
    }

    /// Exchanges the new file and the old one.
    fn exchange(&self) -> Result<(), Errno> {
        let folder = self.folder.descriptor();
        match renameat_with(folder, &*self.temporary, folder, &*self.name, RenameFlags::EXCHANGE) {
            // Not every file system can.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                let mut aside = self.temporary.clone();
                aside.push("-old");
                self.rename(&self.name, &aside)?;
                self.rename(&self.temporary, &self.name)
                    .or_else(|error| self.rename(&aside, &self.name).and(Err(error)))?;
                self.rename(&aside, &self.temporary)
            }
            exchanged => exchanged,
        }
    }

    fn rename(&self, from: &OsStr, to: &OsStr) -> Result<(), Errno> {
        renameat(self.folder.descriptor(), from, self.folder.descriptor(), to)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        if self.reverts {
            let _ = match (self.adds, self.replaces) {
                (true, true) => self.exchange(),
                (true, false) => self.rename(&self.name, &self.temporary),
                (false, _) => self.rename(&self.temporary, &self.name),
            };
        }
        // The new file that was not installed, or the old one that was replaced.
        self.folder.remove_file(&self.temporary);
    }
}

/// The content of a small regular file, through links if `path` leads through any; `None` if it is not one, or cannot be
/// read. Never waits, whatever is there.
pub(crate) fn peek(path: &Path) -> Option<Vec<u8>> {
    /// More than any file has that bproxy looks into without having written it.
    const MAX_BYTES: u64 = 256 * 1024;
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(nonblocking).open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

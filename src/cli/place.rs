//! Where the person wants a file: it gets there whole or not at all, and over no other file unless that was asked for.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Why a file cannot be put where it is wanted.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("--to: {} is there already: give another name, or --force to replace it", .0.display())]
    Taken(PathBuf),
    #[error("--to: there is no folder {}: make it first", .0.display())]
    NoFolder(PathBuf),
    #[error("--to: {} is not the name of a file", .0.display())]
    NoName(PathBuf),
    #[error("cannot put the file at {}: {source}; it is still at {}", to.display(), from.display())]
    Move { from: PathBuf, to: PathBuf, source: io::Error },
    #[error("cannot write {}: {source}", to.display())]
    Write { to: PathBuf, source: io::Error },
}

/// A place for a file.
pub(super) struct Place {
    /// A folder, or the file's own path.
    path: PathBuf,
    is_folder: bool,
    /// Whether a file that is there is replaced.
    force: bool,
}

impl Place {
    /// The place at `to`, a folder or a name in one.
    ///
    /// # Errors
    /// When nothing could be put there.
    pub(super) fn new(to: &Path, force: bool) -> Result<Self, Error> {
        let path = std::path::absolute(to).map_err(|_| Error::NoName(to.to_owned()))?;
        if path.is_dir() {
            return Ok(Self { path, is_folder: true, force });
        }
        // Only text tells `name/` from `name`.
        if to.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(Error::NoFolder(path));
        }
        let folder = path.parent().ok_or_else(|| Error::NoName(path.clone()))?;
        if !folder.is_dir() {
            return Err(Error::NoFolder(folder.to_owned()));
        }
        if !force && is_taken(&path) {
            return Err(Error::Taken(path));
        }
        Ok(Self { path, is_folder: false, force })
    }

    /// Moves the file here, under its own name if this is a folder; tells where it is now.
    ///
    /// # Errors
    /// When it cannot be moved. Then it is where it was.
    pub(super) fn take(&self, from: &Path) -> Result<PathBuf, Error> {
        let to = match (self.is_folder, from.file_name()) {
            (false, _) => self.path.clone(),
            (true, Some(name)) => self.path.join(name),
            (true, None) => return Err(Error::NoName(from.to_owned())),
        };
        let failed = |source| Error::Move { from: from.to_owned(), to: to.clone(), source };
        if !self.force && is_taken(&to) {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        match self.rename(from, &to) {
            Err(error) if can_be_copied(&error) => self.copy(from, &to).map_err(failed)?,
            outcome => outcome.map_err(failed)?,
        }
        Ok(to)
    }

    /// Writes a file here, for this user alone, under `name` if this is a folder; tells where it is.
    ///
    /// # Errors
    /// When it cannot be written. Then there is nothing.
    pub(super) fn write(&self, name: &str, holds: &[u8]) -> Result<PathBuf, Error> {
        let to = if self.is_folder { self.path.join(name) } else { self.path.clone() };
        let failed = |source| Error::Write { to: to.clone(), source };
        self.fill(&to, |file| file.write_all(holds)).map_err(failed)?;
        Ok(to)
    }

    /// Within a file system. Without `force` a link is made first, which no other file can be in the way of unnoticed.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.force {
            return fs::rename(from, to);
        }
        fs::hard_link(from, to)?;
        fs::remove_file(from)
    }

    /// Across file systems: written beside its place, and complete when it gets there.
    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.fill(to, |file| {
            io::copy(&mut fs::File::open(from)?, file)?;
            file.set_permissions(fs::metadata(from)?.permissions())
        })?;
        fs::remove_file(from)
    }

    /// A file that is written beside its place, which it takes when it is complete and on the disk.
    fn fill(
        &self,
        to: &Path,
        write: impl FnOnce(&mut fs::File) -> io::Result<()>,
    ) -> io::Result<()> {
        let folder = to.parent().unwrap_or(Path::new("/"));
        let mut file = NamedTempFile::new_in(folder)?;
        write(file.as_file_mut())?;
        file.as_file().sync_all()?;
        match self.force {
            true => file.persist(to)?,
            false => file.persist_noclobber(to)?,
        };
        Ok(())
    }
}

/// Whether anything is there, a dangling link too.
fn is_taken(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Whether a copy may do what a link or a rename cannot: across file systems, or in one without links.
fn can_be_copied(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, Unsupported};
    matches!(error.kind(), CrossesDevices | PermissionDenied | Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folders {
        _all: tempfile::TempDir,
        from: PathBuf,
        to: PathBuf,
    }

    /// A file to move, and a folder to move it to.
    fn folders() -> Folders {
        let all = tempfile::tempdir().unwrap();
        let (from, to) = (all.path().join("a.txt"), all.path().join("to"));
        fs::write(&from, "new").unwrap();
        fs::create_dir(&to).unwrap();
        Folders { _all: all, from, to }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_gets_a_name_or_keeps_its_own_in_a_folder() {
        let Folders { _all, from, to } = folders();
        let there = Place::new(&to, false).unwrap().take(&from).unwrap();
        assert_eq!((fs::read(&there).unwrap(), from.exists()), (b"new".to_vec(), false));
        assert_eq!(there, to.join("a.txt"));
        let named = Place::new(&to.join("b"), false).unwrap().take(&there).unwrap();
        assert_eq!((named, names(&to)), (to.join("b"), vec!["b".to_owned()]));
    }

    #[test]
    fn no_file_is_replaced_unless_that_is_asked_for() {
        for across in [false, true] {
            let Folders { _all, from, to } = folders();
            let place = Place { path: to.join("b"), is_folder: false, force: false };
            let put = |place: &Place| match across {
                true => place.copy(&from, &place.path),
                false => place.rename(&from, &place.path),
            };
            fs::write(to.join("b"), "old").unwrap();
            assert_eq!(put(&place).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            assert_eq!((fs::read(to.join("b")).unwrap(), names(&to).len()), (b"old".to_vec(), 1));
            assert!(from.exists() && Place::new(&to.join("b"), false).is_err());
            put(&Place { force: true, ..place }).unwrap();
            assert_eq!((fs::read(to.join("b")).unwrap(), from.exists()), (b"new".to_vec(), false));
            assert_eq!(names(&to), ["b"]);
        }
    }

    #[test]
    fn a_copy_that_fails_leaves_the_file_where_it_was_and_nothing_half() {
        let Folders { _all, from, to } = folders();
        let place = Place { path: to.join("b"), is_folder: false, force: false };
        fs::remove_file(&from).unwrap();
        fs::create_dir(&from).unwrap();
        place.copy(&from, &place.path).unwrap_err();
        assert!(from.exists() && names(&to).is_empty());
    }

    #[test]
    fn a_place_that_cannot_be_is_refused_before_anything_is_done() {
        let Folders { _all, from, to } = folders();
        for bad in [to.join("none/"), to.join("none/b"), from.clone()] {
            assert!(Place::new(&bad, false).is_err(), "{}", bad.display());
        }
        std::os::unix::fs::symlink("/nowhere", to.join("link")).unwrap();
        assert!(matches!(Place::new(&to.join("link"), false), Err(Error::Taken(_))));
    }
}

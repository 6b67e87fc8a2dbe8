//! Private files: only this user can read or write them.
//!
//! Writes are atomic, reads check owner and mode, and nothing is changed if the directory has been replaced.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::Error;
use super::directory::{Directory, check_mode, check_owner};

/// The size limit of a file read as a secret. A token has 64 bytes, `pairing.json` about 100.
const MAX_SECRET_BYTES: u64 = 16 * 1024;

pub(super) const OTHERS_MAY_ANYTHING: u32 = 0o077;

impl Directory {
    /// Writes a file of mode 0600 atomically: a reader sees the old content or the new one. Not synced to disk, so only
    /// for files that do not outlive the daemon.
    ///
    /// # Errors
    /// When the file cannot be written; the old one is then unchanged.
    pub fn write_secret(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        self.replace(path, bytes, |_| Ok(()))
    }

    /// Writes a file like [`Self::write_secret`] and syncs it: once this returns, it survives a power failure.
    ///
    /// # Errors
    /// When the file cannot be written; the old one is then unchanged.
    pub fn write_durable_secret(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        self.replace(path, bytes, File::sync_data)?;
        // The file's name is in the directory, which has to be synced too.
        let directory = File::open(self.path()).map_err(Error::io("open", self.path()))?;
        directory.sync_all().map_err(Error::io("write", self.path()))
    }

    fn replace(
        &self,
        path: &Path,
        bytes: &[u8],
        sync: impl FnOnce(&File) -> io::Result<()>,
    ) -> Result<(), Error> {
        self.check_not_replaced()?;
        let mut prefix = OsString::from(".");
        prefix.push(path.file_name().unwrap_or_default());
        // `tempfile` creates it with O_EXCL and mode 0600, and removes it on every early return.
        let mut file = tempfile::Builder::new()
            .prefix(&prefix)
            .tempfile_in(self.path())
            .map_err(Error::io("create a file in", self.path()))?;
        file.write_all(bytes)
            .and_then(|()| sync(file.as_file()))
            .map_err(Error::io("write", path))?;
        file.persist(path).map_err(|error| Error::io("replace", path)(error.error))?;
        Ok(())
    }

    /// Reads a file that only this user can read or write; `None` if it does not exist.
    ///
    /// # Errors
    /// When it is a symlink or not a regular file, belongs to another user, has a mode that lets others in, or cannot be
    /// read.
    pub fn read_secret(&self, path: &Path) -> Result<Option<Vec<u8>>, Error> {
        let file = match open_unfollowed(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error)
                if rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::LOOP) =>
            {
                return Err(Error::Symlink { path: path.to_owned() });
            }
            Err(error) => {
                // Whose it is explains more than that it cannot be opened.
                if let Ok(metadata) = path.symlink_metadata() {
                    check_owner(path, &metadata)?;
                }
                return Err(Error::io("open", path)(error));
            }
        };
        let metadata = file.metadata().map_err(Error::io("inspect", path))?;
        if !metadata.is_file() {
            return Err(Error::Kind { path: path.to_owned(), expected: "file" });
        }
        check_owner(path, &metadata)?;
        check_mode(path, &metadata, OTHERS_MAY_ANYTHING, "read or write", "600")?;
        // Allocated at full size, because a reallocation would leave an unwiped copy behind.
        let mut bytes = Vec::with_capacity(metadata.size().min(MAX_SECRET_BYTES) as usize + 1);
        file.take(MAX_SECRET_BYTES).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
        Ok(Some(bytes))
    }

    /// Removes a file of the directory, if it exists.
    ///
    /// # Errors
    /// When it exists and cannot be removed.
    pub fn remove(&self, path: &Path) -> Result<(), Error> {
        self.check_not_replaced()?;
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::io("remove", path)(error))
            }
            _ => Ok(()),
        }
    }
}

/// Opens `path` for reading without following a symlink, and without blocking on a FIFO.
pub(super) fn open_unfollowed(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::Home;
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::open(&parent.path().join("home")).unwrap();
        (parent, home)
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn nothing_is_written_or_removed_after_the_directory_was_replaced() {
        let (parent, home) = home();
        home.write_secret(&home.port(), b"1").unwrap();
        fs::rename(home.path(), parent.path().join("moved")).unwrap();
        // A missing directory is not an error.
        home.remove(&home.port()).unwrap();
        let next = Home::open(home.path()).unwrap();
        next.write_secret(&next.port(), b"2").unwrap();
        assert!(matches!(home.write_secret(&home.port(), b"3"), Err(Error::Replaced(_))));
        assert!(matches!(home.remove(&home.port()), Err(Error::Replaced(_))));
        assert_eq!(fs::read(next.port()).unwrap(), b"2");
    }

    #[test]
    fn a_secret_is_replaced_whole_and_leaves_nothing_else() {
        let (_parent, home) = home();
        for text in ["first, longer", "second"] {
            home.write_secret(&home.token(), text.as_bytes()).unwrap();
            assert_eq!(home.read_secret(&home.token()).unwrap().unwrap(), text.as_bytes());
            home.write_durable_secret(&home.token(), text.as_bytes()).unwrap();
            assert_eq!(home.read_secret(&home.token()).unwrap().unwrap(), text.as_bytes());
        }
        assert_eq!(fs::metadata(home.token()).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_secret_is_none() {
        let (_parent, home) = home();
        assert!(home.read_secret(&home.token()).unwrap().is_none());
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused_with_the_remedy() {
        let (_parent, home) = home();
        home.write_secret(&home.token(), b"x").unwrap();
        for open in [0o604, 0o640, 0o660, 0o602] {
            chmod(&home.token(), open);
            let message = home.read_secret(&home.token()).unwrap_err().to_string();
            assert!(message.contains("chmod 600") && message.contains("token"), "{message}");
        }
    }

    #[test]
    fn a_secret_that_is_a_link_or_a_directory_is_refused() {
        let (_parent, home) = home();
        fs::write(home.path().join("elsewhere"), "x").unwrap();
        symlink(home.path().join("elsewhere"), home.token()).unwrap();
        assert!(matches!(home.read_secret(&home.token()), Err(Error::Symlink { .. })));
        fs::create_dir(home.port()).unwrap();
        assert!(matches!(home.read_secret(&home.port()), Err(Error::Kind { .. })));
    }
}

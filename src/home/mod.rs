//! The state directory, by default `~/.bproxy`: where things lie in it, and how it is laid out.
//!
//! Owns paths and what comes and goes with a daemon. That nobody else can get at any of it is `directory.rs`'s and
//! `files.rs`'s business; what the files mean is their users'.

mod directory;
mod error;
mod files;
mod layout;
pub mod lock;

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::ops::Deref;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

pub use directory::Directory;
pub use error::Error;
pub use layout::{Error as LayoutError, LAYOUT, check as check_layout};

/// A state directory that belongs to this user and that nobody else can write to.
#[derive(Clone, Debug)]
pub struct Home {
    directory: Directory,
}

/// What can be done in any directory of one's own can be done in this one.
impl Deref for Home {
    type Target = Directory;

    fn deref(&self) -> &Directory {
        &self.directory
    }
}

impl Home {
    /// Opens the directory for a daemon: creates it (0700) where it is missing.
    ///
    /// # Errors
    /// When it cannot be created, or is not a directory, or belongs to or is writable for others, or has a layout that
    /// this version does not know.
    pub fn open(path: &Path) -> Result<Home, Error> {
        let directory = Directory::open(path)?;
        layout::check(directory.path())?;
        Ok(Home { directory })
    }

    /// The directory as it is or would be: for telling where things lie, and not for reading or writing them.
    ///
    /// # Errors
    /// When the path means nothing.
    pub fn unopened(path: &Path) -> Result<Home, Error> {
        Ok(Home { directory: Directory::unopened(path)? })
    }

    /// Opens the directory for a client: `None` where there is none.
    ///
    /// # Errors
    /// When it is not a directory, or belongs to or is writable for others, or has a layout that this version does not
    /// know.
    pub fn find(path: &Path) -> Result<Option<Home>, Error> {
        let Some(directory) = Directory::find(path)? else { return Ok(None) };
        layout::check(directory.path())?;
        Ok(Some(Home { directory }))
    }

    /// Writes down how the directory is laid out, where that is not said yet. For the daemon that has it for itself.
    ///
    /// # Errors
    /// When it says by now that it has a layout that this version does not know. That nothing can be written is none:
    /// what says nothing has the first layout, and is read so.
    pub fn settle_layout(&self) -> Result<(), Error> {
        if layout::read(self.path())?.is_none() {
            let _ = self.write_lasting_secret(&self.layout(), format!("{LAYOUT}\n").as_bytes());
        }
        Ok(())
    }

    /// The daemon's token, for clients.
    pub fn token(&self) -> PathBuf {
        self.path().join("token")
    }

    /// The extension's token and Origin.
    pub fn extension_token(&self) -> PathBuf {
        self.path().join("extension-token")
    }

    /// The pairing code that can be claimed now.
    pub fn pairing(&self) -> PathBuf {
        self.path().join("pairing.json")
    }

    /// The port the daemon listens on; there once it is ready.
    pub fn port(&self) -> PathBuf {
        self.path().join("port")
    }

    /// The file that a daemon keeps locked as long as it lives.
    pub fn pid(&self) -> PathBuf {
        self.path().join("bproxy.pid")
    }

    /// The directory of the log files.
    pub fn logs(&self) -> PathBuf {
        self.path().join("logs")
    }

    /// The version of the directory's layout.
    pub fn layout(&self) -> PathBuf {
        layout::file(self.path())
    }

    /// Files that live no longer than the daemon.
    pub fn tmp(&self) -> PathBuf {
        self.path().join("tmp")
    }

    /// The directory that the files of a session go to.
    pub fn session_dir(&self, id: &str) -> PathBuf {
        self.tmp().join("sessions").join(id)
    }

    /// Makes the directory (0700) that the files of a session go to.
    ///
    /// # Errors
    /// When it cannot be made, or is there already.
    pub fn create_session_dir(&self, id: &str) -> io::Result<PathBuf> {
        let path = self.session_dir(id);
        if let Some(sessions) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(sessions)?;
        }
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(path)
    }

    /// Removes a session's directory and all it holds. That it is gone already is no error.
    ///
    /// # Errors
    /// When something in it cannot be removed.
    pub fn remove_session_dir(&self, id: &str) -> io::Result<()> {
        remove_all(&self.session_dir(id))
    }

    /// Empties the directory of the files that live no longer than the daemon.
    ///
    /// # Errors
    /// When something in it cannot be removed.
    pub fn clear_tmp(&self) -> Result<(), Error> {
        let tmp = self.tmp();
        remove_all(&tmp).map_err(Error::io("empty", &tmp))?;
        DirBuilder::new().mode(0o700).create(&tmp).map_err(Error::io("create", &tmp))
    }

    /// Removes what a daemon that has ended leaves, and the directory itself if that is all it holds: tokens and settings
    /// keep it.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn clear(&self) -> Result<(), Error> {
        for directory in [self.tmp(), self.logs()] {
            remove_all(&directory).map_err(Error::io("remove", &directory))?;
        }
        for file in [self.port(), self.pairing(), self.pid()] {
            self.remove(&file)?;
        }
        // What stays is still laid out so.
        let entries = fs::read_dir(self.path()).map_err(Error::io("read", self.path()))?;
        if entries.flatten().all(|entry| entry.path() == self.layout()) {
            self.remove(&self.layout())?;
        }
        match fs::remove_dir(self.path()) {
            Err(error) if error.kind() != ErrorKind::DirectoryNotEmpty => {
                Err(Error::io("remove", self.path())(error))
            }
            _ => Ok(()),
        }
    }
}

fn remove_all(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::open(&parent.path().join("home")).unwrap();
        (parent, home)
    }

    #[test]
    fn a_session_directory_goes_with_all_it_holds() {
        let (_parent, home) = home();
        let dir = home.create_session_dir("abcdef").unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
        fs::write(dir.join("shot.png"), "x").unwrap();
        home.remove_session_dir("abcdef").unwrap();
        assert!(!dir.exists());
        home.remove_session_dir("abcdef").unwrap();
        home.create_session_dir("abcdeg").unwrap();
        home.clear_tmp().unwrap();
        assert_eq!(fs::read_dir(home.tmp()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_nothing_is_left_in_goes_and_any_other_keeps_its_layout() {
        let (_parent, home) = home();
        home.settle_layout().unwrap();
        home.write_secret(&home.token(), b"x").unwrap();
        home.write_secret(&home.port(), b"1").unwrap();
        home.clear().unwrap();
        assert!(home.token().exists() && home.layout().exists() && !home.port().exists());
        home.remove(&home.token()).unwrap();
        home.clear().unwrap();
        assert!(!home.path().exists());
    }
}

//! The state directory, by default `~/.bproxy`: its paths, its layout version, and its clean-up.
//!
//! `directory.rs` and `files.rs` keep other users out. The modules that write a file define what is in it.

mod change_lock;
mod directory;
mod error;
mod files;
mod layout;
pub mod lock;
mod sessions_file;

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::ops::Deref;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

pub use change_lock::ChangeLock;
pub use directory::Directory;
pub use error::Error;
pub use layout::{Error as LayoutError, LAYOUT, check as check_layout};
pub use sessions_file::{Found, SessionsFile};

/// The name of the Unix socket in the state directory.
pub(crate) const SOCKET: &str = "socket";

/// What the name of the directory of a file begins with that is still arriving.
pub(crate) const ARRIVING: &str = ".arriving-";

/// A state directory that belongs to this user and that no other user can write to.
#[derive(Clone, Debug)]
pub struct Home {
    directory: Directory,
}

/// Reads, writes and removes files as in any private directory.
impl Deref for Home {
    type Target = Directory;

    fn deref(&self) -> &Directory {
        &self.directory
    }
}

impl Home {
    /// Opens the directory for a daemon; creates it (mode 0700) if it does not exist.
    ///
    /// # Errors
    /// When it cannot be created, is not a directory, belongs to another user, is writable for others, or has a layout
    /// that this version does not know.
    pub fn open(path: &Path) -> Result<Home, Error> {
        let directory = Directory::open(path)?;
        layout::check(directory.path())?;
        Ok(Home { directory })
    }

    /// The directory, unchecked and maybe missing: only for showing paths in it, not for reading or writing them.
    ///
    /// # Errors
    /// When the path is empty, or is relative and the current directory is unknown.
    pub fn unopened(path: &Path) -> Result<Home, Error> {
        Ok(Home { directory: Directory::unopened(path)? })
    }

    /// Opens the directory for a client; `None` if it does not exist.
    ///
    /// # Errors
    /// When it is not a directory, belongs to another user, is writable for others, or has a layout that this version
    /// does not know.
    pub fn find(path: &Path) -> Result<Option<Home>, Error> {
        let Some(directory) = Directory::find(path)? else { return Ok(None) };
        layout::check(directory.path())?;
        Ok(Some(Home { directory }))
    }

    /// Writes the layout version if the directory has none yet. For the daemon that holds the directory's lock.
    ///
    /// # Errors
    /// When the directory has, by now, a layout that this version does not know. A failed write is not an error: a
    /// directory without a version is read as version 1.
    pub fn write_layout(&self) -> Result<(), Error> {
        if layout::read(self.path())?.is_none() {
            let _ = self.write_durable_secret(&self.layout(), format!("{LAYOUT}\n").as_bytes());
        }
        Ok(())
    }

    /// The daemon token's file.
    pub fn token(&self) -> PathBuf {
        self.path().join("token")
    }

    /// The file of the extension's token and Origin.
    pub fn extension_token(&self) -> PathBuf {
        self.path().join("extension-token")
    }

    /// The file of the current pairing code.
    pub fn pairing(&self) -> PathBuf {
        self.path().join("pairing.json")
    }

    /// The file of the port that the daemon listens on. It exists while the daemon is ready.
    pub fn port(&self) -> PathBuf {
        self.path().join("port")
    }

    /// The Unix socket that the daemon listens on where no service manager passes it one.
    pub fn socket(&self) -> PathBuf {
        self.path().join(SOCKET)
    }

    /// The file that a running daemon keeps locked.
    pub fn pid(&self) -> PathBuf {
        self.path().join("bproxy.pid")
    }

    /// The directory of the log files.
    pub fn logs(&self) -> PathBuf {
        self.path().join("logs")
    }

    /// The file of the directory's layout version.
    pub fn layout(&self) -> PathBuf {
        layout::file(self.path())
    }

    /// The directory of files that do not outlive the daemon.
    pub fn tmp(&self) -> PathBuf {
        self.path().join("tmp")
    }

    /// The file of the sessions.
    pub fn sessions(&self) -> PathBuf {
        self.path().join("sessions.json")
    }

    /// The file of the sessions before the last change of them.
    pub fn sessions_before(&self) -> PathBuf {
        self.path().join("sessions.json~")
    }

    /// The file of the sessions while it is being written.
    fn sessions_new(&self) -> PathBuf {
        self.path().join("sessions.json.new")
    }

    /// The directory of a session's files.
    pub fn session_dir(&self, id: &str) -> PathBuf {
        self.tmp().join("sessions").join(id)
    }

    /// The files that are kept in a session's directory, each in a directory of its own: its name, the file's, and the
    /// size. What was still arriving is removed.
    ///
    /// # Errors
    /// When the directory, or something in it, cannot be read or removed.
    pub fn session_files(&self, id: &str) -> io::Result<Vec<(String, String, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.session_dir(id))? {
            let entry = entry?;
            let (path, Ok(name)) = (entry.path(), entry.file_name().into_string()) else {
                continue;
            };
            if name.starts_with(ARRIVING) {
                remove_all(&path)?;
            } else if entry.file_type()?.is_dir()
                && let Some(file) = fs::read_dir(&path)?.next()
            {
                let file = file?;
                let metadata = file.path().symlink_metadata()?;
                if let (true, Ok(own)) = (metadata.is_file(), file.file_name().into_string()) {
                    files.push((name, own, metadata.len()));
                }
            }
        }
        Ok(files)
    }

    /// Creates the directory (mode 0700) of a session's files.
    ///
    /// # Errors
    /// When it cannot be created, or already exists.
    pub fn create_session_dir(&self, id: &str) -> io::Result<PathBuf> {
        let path = self.session_dir(id);
        if let Some(sessions) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(sessions)?;
        }
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(path)
    }

    /// Removes a session's directory with its contents, if it exists.
    ///
    /// # Errors
    /// When it, or something in it, cannot be removed.
    pub fn remove_session_dir(&self, id: &str) -> io::Result<()> {
        remove_all(&self.session_dir(id))
    }

    /// Empties the directory of temporary files, but for the directories of these sessions.
    ///
    /// # Errors
    /// When something in it cannot be removed, or the directory cannot be created.
    pub fn clear_tmp(&self, sessions: &[&str]) -> Result<(), Error> {
        let tmp = self.tmp();
        let kept: Vec<_> = sessions.iter().map(|id| self.session_dir(id)).collect();
        empty(&tmp, &kept).map_err(Error::io("empty", &tmp))?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&tmp)
            .map_err(Error::io("create", &tmp))
    }

    /// Removes what an ended daemon has left, but not tokens and settings, and then the directory itself if it is empty.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn clear(&self) -> Result<(), Error> {
        for directory in [self.tmp(), self.logs()] {
            remove_all(&directory).map_err(Error::io("remove", &directory))?;
        }
        let sessions = [self.sessions(), self.sessions_before(), self.sessions_new()];
        for file in [self.port(), self.pairing(), self.pid(), self.socket()].iter().chain(&sessions)
        {
            self.remove(file)?;
        }
        // Remaining files still need the layout version.
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

/// Removes what is in a directory, but for the directories `kept` and what leads to them. A link in the place of any of
/// these is removed.
fn empty(path: &Path, kept: &[PathBuf]) -> io::Result<()> {
    let is_directory = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    if !is_directory || !kept.iter().any(|kept| kept.starts_with(path)) {
        return match is_directory {
            true => remove_all(path),
            false => remove_file(path),
        };
    }
    if kept.iter().any(|kept| kept == path) {
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        empty(&entry?.path(), kept)?;
    }
    Ok(())
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
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
    fn a_session_directory_is_removed_with_its_contents() {
        let (_parent, home) = home();
        let dir = home.create_session_dir("abcdef").unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
        fs::write(dir.join("shot.png"), "x").unwrap();
        home.remove_session_dir("abcdef").unwrap();
        assert!(!dir.exists());
        home.remove_session_dir("abcdef").unwrap();
        home.create_session_dir("abcdeg").unwrap();
        home.clear_tmp(&[]).unwrap();
        assert_eq!(fs::read_dir(home.tmp()).unwrap().count(), 0);
    }

    #[test]
    fn of_temporary_files_only_those_of_the_named_sessions_stay() {
        let (_parent, home) = home();
        for id in ["abcdef", "abcdeg"] {
            let dir = home.create_session_dir(id).unwrap();
            fs::write(dir.join("shot.png"), "x").unwrap();
        }
        let elsewhere = home.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("file"), "x").unwrap();
        std::os::unix::fs::symlink(&elsewhere, home.session_dir("abcdeh")).unwrap();
        fs::write(home.tmp().join("file"), "x").unwrap();
        home.clear_tmp(&["abcdef", "abcdeh", "aaaaaa"]).unwrap();
        assert!(home.session_dir("abcdef").join("shot.png").exists());
        assert_eq!(fs::read_dir(home.tmp()).unwrap().count(), 1);
        assert_eq!(fs::read_dir(home.tmp().join("sessions")).unwrap().count(), 1);
        assert!(elsewhere.join("file").exists());
    }

    #[test]
    fn clearing_removes_an_empty_directory_and_keeps_the_layout_of_any_other() {
        let (_parent, home) = home();
        home.write_layout().unwrap();
        home.write_secret(&home.token(), b"x").unwrap();
        home.write_secret(&home.port(), b"1").unwrap();
        home.clear().unwrap();
        assert!(home.token().exists() && home.layout().exists() && !home.port().exists());
        home.remove(&home.token()).unwrap();
        home.clear().unwrap();
        assert!(!home.path().exists());
    }
}

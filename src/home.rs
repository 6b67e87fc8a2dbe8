//! The state directory, by default `~/.bproxy`: where things lie in it, and that nobody else can get at them.
//!
//! Owns paths, modes, owner checks and atomic writes. What the files mean is their users' business.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::process::geteuid;

/// No file read as a secret is longer: a token is 64 bytes, `pairing.json` about 100.
const MAX_SECRET_BYTES: u64 = 16 * 1024;

const OTHERS_MAY_WRITE: u32 = 0o022;
const OTHERS_MAY_ANYTHING: u32 = 0o077;

/// Why the state directory, or a file in it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operation itself failed.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Somebody else's.
    #[error(
        "{} belongs to the user with id {owner}, not to you (id {user}): remove it or take it over \
         (`chown {user} {}`), or set BPROXY_HOME to a directory of your own", path.display(), path.display()
    )]
    Owner {
        /// The directory or file.
        path: PathBuf,
        /// Its owner's user id.
        owner: u32,
        /// The user id of this process.
        user: u32,
    },
    /// Open to group or others.
    #[error("{} has mode {mode:03o}, so that other users can {access} it: run `chmod {fix} {}`", path.display(), path.display())]
    Mode {
        /// The directory or file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// What the mode lets others do.
        access: &'static str,
        /// The mode `chmod` should give it.
        fix: &'static str,
    },
    /// A symbolic link where a secret belongs.
    #[error("{} is a symbolic link, and a secret must be a file of its own: remove it", path.display())]
    Symlink {
        /// The link.
        path: PathBuf,
    },
    /// Another directory has taken its place.
    #[error(
        "{} is no longer the directory that it was, so nothing was changed there: run `bproxy service restart`", .0.display()
    )]
    Moved(PathBuf),
    /// Something else than expected, such as a directory where a file belongs.
    #[error("{} is not a {expected}: remove it, or set BPROXY_HOME to another directory", path.display())]
    Kind {
        /// What is in the way.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
}

impl Error {
    fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Io { operation, path: path.to_owned(), source }
    }
}

/// A state directory that belongs to this user and that nobody else can write to.
#[derive(Clone, Debug)]
pub struct Home {
    path: PathBuf,
    /// Device and inode of the directory that was opened.
    identity: Option<(u64, u64)>,
}

impl Home {
    /// Opens the directory for a daemon: creates it (0700) where it is missing.
    ///
    /// # Errors
    /// When it cannot be created, or is not a directory, or belongs to or is writable for others.
    pub fn open(path: &Path) -> Result<Home, Error> {
        let path = std::path::absolute(path).map_err(Error::io("resolve", path))?;
        check_link(&path)?;
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(
            |source| match source.kind() {
                ErrorKind::AlreadyExists => {
                    Error::Kind { path: path.clone(), expected: "directory" }
                }
                _ => Error::io("create", &path)(source),
            },
        )?;
        match Home::find(&path)? {
            Some(home) => Ok(home),
            None => Err(Error::io("open", &path)(ErrorKind::NotFound.into())),
        }
    }

    /// The directory as it is or would be: for telling where things lie, and not for reading or writing them.
    ///
    /// # Errors
    /// When the path means nothing.
    pub fn unopened(path: &Path) -> Result<Home, Error> {
        let path = std::path::absolute(path).map_err(Error::io("resolve", path))?;
        Ok(Home { path, identity: None })
    }

    /// Opens the directory for a client: `None` where there is none.
    ///
    /// # Errors
    /// When it is not a directory, or belongs to or is writable for others.
    pub fn find(path: &Path) -> Result<Option<Home>, Error> {
        let path = std::path::absolute(path).map_err(Error::io("resolve", path))?;
        check_link(&path)?;
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("look at", &path)(error)),
        };
        if !metadata.is_dir() {
            return Err(Error::Kind { path, expected: "directory" });
        }
        check_owner(&path, &metadata)?;
        check_mode(&path, &metadata, OTHERS_MAY_WRITE, "write to", "700")?;
        Ok(Some(Home { path, identity: Some((metadata.dev(), metadata.ino())) }))
    }

    /// The directory itself, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory without links on the way to it: the same, however it was named.
    pub fn real_path(&self) -> PathBuf {
        self.path.canonicalize().unwrap_or_else(|_| self.path.clone())
    }

    /// The daemon's token, for clients.
    pub fn token(&self) -> PathBuf {
        self.path.join("token")
    }

    /// The extension's token and Origin.
    pub fn extension_token(&self) -> PathBuf {
        self.path.join("extension-token")
    }

    /// The pairing code that can be claimed now.
    pub fn pairing(&self) -> PathBuf {
        self.path.join("pairing.json")
    }

    /// The port the daemon listens on; there once it is ready.
    pub fn port(&self) -> PathBuf {
        self.path.join("port")
    }

    /// The file that a daemon keeps locked as long as it lives.
    pub fn pid(&self) -> PathBuf {
        self.path.join("bproxy.pid")
    }

    /// The directory of the log files.
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// Files that live no longer than the daemon.
    pub fn tmp(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// Replaces a file of the home by one of mode 0600 that holds `bytes`: a reader sees the old one or the new one,
    /// whole. For what lasts no longer than the daemon: a power failure may take it.
    ///
    /// # Errors
    /// When the file cannot be made; the old one is then untouched.
    pub fn write_secret(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        self.replace(path, bytes, |_| Ok(()))
    }

    /// The same for what lasts: once this returns, the file survives a power failure.
    ///
    /// # Errors
    /// When the file cannot be made; the old one is then untouched.
    pub fn write_lasting_secret(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        self.replace(path, bytes, File::sync_data)?;
        // The name in the directory is as much a part of it as the bytes.
        let directory = File::open(&self.path).map_err(Error::io("open", &self.path))?;
        directory.sync_all().map_err(Error::io("write", &self.path))
    }

    fn replace(
        &self,
        path: &Path,
        bytes: &[u8],
        settle: impl FnOnce(&File) -> io::Result<()>,
    ) -> Result<(), Error> {
        self.check_place()?;
        let mut prefix = OsString::from(".");
        prefix.push(path.file_name().unwrap_or_default());
        // Created with O_EXCL and mode 0600, and removed again on every early return.
        let mut file = tempfile::Builder::new()
            .prefix(&prefix)
            .tempfile_in(&self.path)
            .map_err(Error::io("create a file in", &self.path))?;
        file.write_all(bytes)
            .and_then(|()| settle(file.as_file()))
            .map_err(Error::io("write", path))?;
        file.persist(path).map_err(|error| Error::io("replace", path)(error.error))?;
        Ok(())
    }

    /// Reads a file that only this user may read or write; `None` where there is none.
    ///
    /// # Errors
    /// When it is a link or no file, belongs to another user, is open to others, or cannot be read.
    pub fn read_secret(&self, path: &Path) -> Result<Option<Vec<u8>>, Error> {
        let file = match open_unfollowed(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error)
                if rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::LOOP) =>
            {
                return Err(Error::Symlink { path: path.to_owned() });
            }
            Err(error) => return Err(Error::io("open", path)(error)),
        };
        let metadata = file.metadata().map_err(Error::io("look at", path))?;
        if !metadata.is_file() {
            return Err(Error::Kind { path: path.to_owned(), expected: "file" });
        }
        check_owner(path, &metadata)?;
        check_mode(path, &metadata, OTHERS_MAY_ANYTHING, "read or write", "600")?;
        // Reserved in full, so that growing never leaves a copy behind.
        let mut bytes = Vec::with_capacity(metadata.size().min(MAX_SECRET_BYTES) as usize + 1);
        file.take(MAX_SECRET_BYTES).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
        Ok(Some(bytes))
    }

    /// Fails if another directory lies where this one was: its files may be another daemon's.
    fn check_place(&self) -> Result<(), Error> {
        match fs::metadata(&self.path) {
            Ok(there) if self.identity.is_some_and(|ours| ours != (there.dev(), there.ino())) => {
                Err(Error::Moved(self.path.clone()))
            }
            // Whatever else is wrong shows in what is done there.
            _ => Ok(()),
        }
    }

    /// Removes a file of the home, if it is there.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn remove(&self, path: &Path) -> Result<(), Error> {
        self.check_place()?;
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::io("remove", path)(error))
            }
            _ => Ok(()),
        }
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
        match fs::remove_dir(&self.path) {
            Err(error) if error.kind() != ErrorKind::DirectoryNotEmpty => {
                Err(Error::io("remove", &self.path)(error))
            }
            _ => Ok(()),
        }
    }
}

/// Opens for reading what lies at `path` itself: never a link's target, and never waiting for a pipe's other end.
fn open_unfollowed(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// A link to the state directory may be this user's own, or the administrator's. Anybody else's could lead to a directory
/// of this user that is none, and a daemon would write and remove files there.
fn check_link(path: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Ok(link) if link.is_symlink() && link.uid() != 0 => check_owner(path, &link),
        _ => Ok(()),
    }
}

fn check_owner(path: &Path, metadata: &Metadata) -> Result<(), Error> {
    let user = geteuid().as_raw();
    match metadata.uid() {
        owner if owner == user => Ok(()),
        owner => Err(Error::Owner { path: path.to_owned(), owner, user }),
    }
}

fn check_mode(
    path: &Path,
    metadata: &Metadata,
    forbidden: u32,
    access: &'static str,
    fix: &'static str,
) -> Result<(), Error> {
    match metadata.mode() & 0o777 {
        mode if mode & forbidden == 0 => Ok(()),
        mode => Err(Error::Mode { path: path.to_owned(), mode, access, fix }),
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
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::open(&parent.path().join("home")).unwrap();
        (parent, home)
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_missing_home_is_created_for_its_user_alone() {
        let (_parent, home) = home();
        assert_eq!(mode(home.path()), 0o700);
    }

    #[test]
    fn a_home_that_others_can_write_to_is_refused_with_the_remedy() {
        let (_parent, home) = home();
        chmod(home.path(), 0o770);
        let message = Home::open(home.path()).unwrap_err().to_string();
        assert!(message.contains("mode 770") && message.contains("chmod 700"), "{message}");
        chmod(home.path(), 0o755);
        assert!(
            Home::open(home.path()).is_ok(),
            "others may read the directory: the secrets have modes of their own"
        );
    }

    #[test]
    fn a_home_of_another_user_is_refused_with_both_users() {
        let (_parent, home) = home();
        // Root can give its directory away; everybody else meets root's own.
        let path = match geteuid().is_root() {
            true => {
                std::os::unix::fs::chown(home.path(), Some(65534), None).unwrap();
                home.path()
            }
            false => Path::new("/"),
        };
        match Home::find(path) {
            Err(Error::Owner { owner, user, .. }) => {
                assert_ne!(owner, user);
                assert_eq!(user, geteuid().as_raw());
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_home_behind_a_link_is_ones_own_only_if_the_link_is() {
        let (parent, home) = home();
        let link = parent.path().join("link");
        symlink(home.path(), &link).unwrap();
        assert!(Home::open(&link).is_ok());
        // Only root can give a link away; tests/other_user.rs shows it with two users.
        if geteuid().is_root() {
            std::os::unix::fs::lchown(&link, Some(65534), None).unwrap();
            assert!(matches!(Home::open(&link), Err(Error::Owner { owner: 65534, .. })));
            assert!(matches!(Home::find(&link), Err(Error::Owner { owner: 65534, .. })));
        }
    }

    #[test]
    fn nothing_is_written_or_removed_where_another_directory_has_taken_the_place() {
        let (parent, home) = home();
        home.write_secret(&home.port(), b"1").unwrap();
        fs::rename(home.path(), parent.path().join("moved")).unwrap();
        // What is gone needs no removing.
        home.remove(&home.port()).unwrap();
        let next = Home::open(home.path()).unwrap();
        next.write_secret(&next.port(), b"2").unwrap();
        assert!(matches!(home.write_secret(&home.port(), b"3"), Err(Error::Moved(_))));
        assert!(matches!(home.remove(&home.port()), Err(Error::Moved(_))));
        assert_eq!(fs::read(next.port()).unwrap(), b"2");
    }

    #[test]
    fn a_file_in_place_of_the_home_is_refused() {
        let (_parent, home) = home();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(Home::open(&file), Err(Error::Kind { .. })));
        assert!(matches!(Home::find(&file), Err(Error::Kind { .. })));
    }

    #[test]
    fn a_client_finds_no_home_and_makes_none() {
        let (_parent, home) = home();
        let other = home.path().join("other");
        assert!(Home::find(&other).unwrap().is_none());
        assert!(!other.exists());
    }

    #[test]
    fn a_secret_is_replaced_whole_and_leaves_nothing_else() {
        let (_parent, home) = home();
        for text in ["first, longer", "second"] {
            home.write_secret(&home.token(), text.as_bytes()).unwrap();
            assert_eq!(home.read_secret(&home.token()).unwrap().unwrap(), text.as_bytes());
            home.write_lasting_secret(&home.token(), text.as_bytes()).unwrap();
            assert_eq!(home.read_secret(&home.token()).unwrap().unwrap(), text.as_bytes());
        }
        assert_eq!(mode(&home.token()), 0o600);
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
    fn a_secret_that_is_no_file_of_its_own_is_refused() {
        let (_parent, home) = home();
        fs::write(home.path().join("elsewhere"), "x").unwrap();
        symlink(home.path().join("elsewhere"), home.token()).unwrap();
        assert!(matches!(home.read_secret(&home.token()), Err(Error::Symlink { .. })));
        fs::create_dir(home.port()).unwrap();
        assert!(matches!(home.read_secret(&home.port()), Err(Error::Kind { .. })));
    }

    #[test]
    fn a_session_directory_goes_with_all_it_holds() {
        let (_parent, home) = home();
        let dir = home.create_session_dir("abcdef").unwrap();
        assert_eq!(mode(&dir), 0o700);
        fs::write(dir.join("shot.png"), "x").unwrap();
        home.remove_session_dir("abcdef").unwrap();
        assert!(!dir.exists());
        home.remove_session_dir("abcdef").unwrap();
        home.create_session_dir("abcdeg").unwrap();
        home.clear_tmp().unwrap();
        assert_eq!(fs::read_dir(home.tmp()).unwrap().count(), 0);
    }
}

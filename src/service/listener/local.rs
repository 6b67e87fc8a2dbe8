//! Binds the daemon's Unix socket in its state directory, for a daemon that no service manager passes one to.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::process::{geteuid, umask};

/// Others may not even connect: the socket gets mode 0600.
const OWN_ALONE: Mode = Mode::from_raw_mode(0o177);

/// Why there is no Unix socket; the port serves as ever.
#[derive(Debug, thiserror::Error)]
pub(in crate::service) enum Error {
    /// Something else has its place.
    #[error("{} is not a socket of this user: remove it", .0.display())]
    Foreign(PathBuf),
    /// It cannot be bound, for example because the path is too long for a socket.
    #[error("cannot listen on {}: {source}", path.display())]
    Io {
        /// Its path.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Binds the socket at `path`, in place of one that a killed daemon has left. Call this with the state directory's lock,
/// while the process has one thread: the umask is the process's.
pub(super) fn bind(path: &Path) -> Result<UnixListener, Error> {
    remove(path)?;
    let before = umask(OWN_ALONE);
    let bound = UnixListener::bind(path);
    umask(before);
    let listener = bound.map_err(|source| Error::Io { path: path.to_owned(), source })?;
    listener.set_nonblocking(true).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    Ok(listener)
}

/// Removes the socket at `path`, if there is one. Call this with the state directory's lock.
pub(in crate::service) fn remove(path: &Path) -> Result<(), Error> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found.map_err(io)?,
    };
    if !found.file_type().is_socket() || found.uid() != geteuid().as_raw() {
        return Err(Error::Foreign(path.to_owned()));
    }
    fs::remove_file(path).map_err(io)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_socket_is_the_users_alone_and_takes_the_place_of_one_that_was_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        drop(bind(&path).unwrap());
        assert!(path.exists(), "a closed socket stays in the file system");
        let _listener = bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        remove(&path).unwrap();
        assert!(!path.exists());
        remove(&path).unwrap();
    }

    #[test]
    fn what_is_no_socket_is_left_alone_and_a_path_that_is_too_long_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        fs::write(&path, "mine").unwrap();
        assert!(matches!(bind(&path), Err(Error::Foreign(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        let long = directory.path().join("x".repeat(120));
        let message = bind(&long).unwrap_err().to_string();
        assert!(message.contains(long.to_str().unwrap()), "{message}");
    }
}

//! The errors of the state directory and of the files in it.

use std::io;
use std::path::{Path, PathBuf};

use super::layout;
use crate::users;

/// Why the state directory, or a file in it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// The operation, as a verb.
        operation: &'static str,
        /// The directory or file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It belongs to another user.
    #[error(
        "{} belongs to {}, not to you (id {user}): remove it or take it over \
         (`sudo chown {user} {}`), or set BPROXY_HOME to a directory of your own", path.display(), users::described(*owner), path.display()
    )]
    Owner {
        /// The directory or file.
        path: PathBuf,
        /// Its owner's user id.
        owner: u32,
        /// The user id of this process.
        user: u32,
    },
    /// Its mode lets group or others in.
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
    /// Another directory is at the path now.
    #[error(
        "{} was replaced by another directory, so nothing was changed there: run `bproxy service restart`", .0.display()
    )]
    Replaced(PathBuf),
    /// This version does not know the directory's layout.
    #[error(transparent)]
    Layout(#[from] layout::Error),
    /// It is of the wrong kind, such as a directory where a file belongs.
    #[error("{} is not a {expected}: remove it, or set BPROXY_HOME to another directory", path.display())]
    Kind {
        /// The directory or file.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
}

impl Error {
    pub(super) fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Io { operation, path: path.to_owned(), source }
    }
}

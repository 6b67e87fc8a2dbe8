//! A private directory: it belongs to this user, and no other user can write to it. `files.rs` handles the files in it.

use std::fs::{self, DirBuilder, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::Error;

const OTHERS_MAY_WRITE: u32 = 0o022;

/// A directory that belongs to this user and that no other user can write to.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
    /// Device and inode of the directory when it was opened.
    identity: Option<(u64, u64)>,
}

impl Directory {
    /// Opens the directory; creates it (mode 0700) if it does not exist.
    ///
    /// # Errors
    /// When it cannot be created, is not a directory, belongs to another user, or is writable for others.
    pub fn open(path: &Path) -> Result<Directory, Error> {
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
        match Directory::find(&path)? {
            Some(directory) => Ok(directory),
            None => Err(Error::io("open", &path)(ErrorKind::NotFound.into())),
        }
    }

    /// The directory, unchecked and maybe missing: only for showing paths in it, not for reading or writing them.
    ///
    /// # Errors
    /// When the path is empty, or is relative and the current directory is unknown.
    pub fn unopened(path: &Path) -> Result<Directory, Error> {
        let path = std::path::absolute(path).map_err(Error::io("resolve", path))?;
        Ok(Directory { path, identity: None })
    }

    /// Opens the directory; `None` if it does not exist.
    ///
    /// # Errors
    /// When it is not a directory, belongs to another user, or is writable for others.
    pub fn find(path: &Path) -> Result<Option<Directory>, Error> {
        let path = std::path::absolute(path).map_err(Error::io("resolve", path))?;
        check_link(&path)?;
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("inspect", &path)(error)),
        };
        if !metadata.is_dir() {
            return Err(Error::Kind { path, expected: "directory" });
        }
        check_owner(&path, &metadata)?;
        check_mode(&path, &metadata, OTHERS_MAY_WRITE, "write to", "700")?;
        Ok(Some(Directory { path, identity: Some((metadata.dev(), metadata.ino())) }))
    }

    /// The directory itself, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path with all symlinks resolved: the same path for the same directory.
    pub fn real_path(&self) -> PathBuf {
        self.path.canonicalize().unwrap_or_else(|_| self.path.clone())
    }

    /// Fails if the path leads to another directory now, whose files may be another daemon's.
    pub(super) fn check_not_replaced(&self) -> Result<(), Error> {
        match fs::metadata(&self.path) {
            Ok(now) if self.identity.is_some_and(|ours| ours != (now.dev(), now.ino())) => {
                Err(Error::Replaced(self.path.clone()))
            }
            // Anything else that is wrong is reported by the operation that follows.
            _ => Ok(()),
        }
    }
}

/// Accepts a symlink to the directory only if this user or root owns it. Another user's symlink could lead to a
/// directory of this user that is not a state directory, and the daemon would write and remove files there.
fn check_link(path: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Ok(link) if link.is_symlink() && link.uid() != 0 => check_owner(path, &link),
        _ => Ok(()),
    }
}

pub(super) fn check_owner(path: &Path, metadata: &Metadata) -> Result<(), Error> {
    let user = geteuid().as_raw();
    match metadata.uid() {
        owner if owner == user => Ok(()),
        owner => Err(Error::Owner { path: path.to_owned(), owner, user }),
    }
}

pub(super) fn check_mode(
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn directory() -> (tempfile::TempDir, Directory) {
        let parent = tempfile::tempdir().unwrap();
        let directory = Directory::open(&parent.path().join("home")).unwrap();
        (parent, directory)
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_missing_home_is_created_for_its_user_alone() {
        let (_parent, directory) = directory();
        assert_eq!(fs::metadata(directory.path()).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_home_that_others_can_write_to_is_refused_with_the_remedy() {
        let (_parent, directory) = directory();
        chmod(directory.path(), 0o770);
        let message = Directory::open(directory.path()).unwrap_err().to_string();
        assert!(message.contains("mode 770") && message.contains("chmod 700"), "{message}");
        chmod(directory.path(), 0o755);
        assert!(
            Directory::open(directory.path()).is_ok(),
            "others may read the directory: the secrets have modes of their own"
        );
    }

    #[test]
    fn a_home_of_another_user_is_refused_with_both_users() {
        let (_parent, directory) = directory();
        // Root can change the owner of its directory; other users use a directory of root's instead.
        let path = match geteuid().is_root() {
            true => {
                std::os::unix::fs::chown(directory.path(), Some(65534), None).unwrap();
                directory.path()
            }
            false => Path::new("/"),
        };
        match Directory::find(path) {
            Err(Error::Owner { owner, user, .. }) => {
                assert_ne!(owner, user);
                assert_eq!(user, geteuid().as_raw());
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_home_behind_a_link_is_refused_if_another_user_owns_the_link() {
        let (parent, directory) = directory();
        let link = parent.path().join("link");
        symlink(directory.path(), &link).unwrap();
        assert!(Directory::open(&link).is_ok());
        // Only root can change a link's owner; tests/os/other_user.rs shows it with two users.
        if geteuid().is_root() {
            std::os::unix::fs::lchown(&link, Some(65534), None).unwrap();
            assert!(matches!(Directory::open(&link), Err(Error::Owner { owner: 65534, .. })));
            assert!(matches!(Directory::find(&link), Err(Error::Owner { owner: 65534, .. })));
        }
    }

    #[test]
    fn a_file_in_place_of_the_home_is_refused() {
        let (_parent, directory) = directory();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(Directory::open(&file), Err(Error::Kind { .. })));
        assert!(matches!(Directory::find(&file), Err(Error::Kind { .. })));
    }

    #[test]
    fn finding_a_missing_home_does_not_create_it() {
        let (_parent, directory) = directory();
        let other = directory.path().join("other");
        assert!(Directory::find(&other).unwrap().is_none());
        assert!(!other.exists());
    }
}

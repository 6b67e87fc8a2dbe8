//! A copy of the daemon token in memory, so that a command does not have to read the keyring.
//!
//! It is a file in `bproxy` in the user's runtime directory, which systemd mounts for the user alone and empties at logout. The daemon
//! writes it only if that directory is in memory (tmpfs) and belongs to this user alone, and removes it on exit. Every
//! failure here is ignored: the keyring still has the token.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::{Secret, record};
use crate::home::{Directory, Home};
use crate::runtime_dir;

/// The directory of the copies, in the runtime directory.
const DIRECTORY: &str = "bproxy";

/// The copy of one state directory's daemon token.
pub(super) struct RuntimeCopy {
    /// The user's runtime directory and the name of the copy's file. `None` if the system has no runtime directory.
    location: Option<(PathBuf, String)>,
}

impl RuntimeCopy {
    /// The copy for `home`. Reads only `home`'s metadata.
    pub(super) fn of(home: &Home) -> RuntimeCopy {
        let runtime = runtime_dir::user_runtime_dir();
        RuntimeCopy { location: runtime.and_then(|dir| Some((dir, file_name(home)?))) }
    }

    /// Writes the copy, if that is safe.
    pub(super) fn write(&self, token: &Secret) {
        if let Some((runtime, file)) = self.runtime_directory()
            && is_tmpfs(&runtime)
            && let Ok(dir) = Directory::open(&runtime.path().join(DIRECTORY))
        {
            let _ = dir.write_secret(&dir.path().join(file), token.expose().as_bytes());
        }
    }

    /// The token in the copy, if it exists and no other user can have written or read it.
    pub(super) fn read(&self) -> Option<Secret> {
        let (dir, file) = self.directory()?;
        let bytes = dir.read_secret(&dir.path().join(file)).ok()??;
        record::parse_daemon_token(bytes, DIRECTORY).ok()
    }

    /// The path of the copy, if it exists.
    pub(super) fn path(&self) -> Option<PathBuf> {
        let (dir, file) = self.directory()?;
        Some(dir.path().join(file)).filter(|path| path.exists())
    }

    /// Removes the copy, if it exists.
    pub(super) fn remove(&self) {
        if let Some((dir, file)) = self.directory() {
            let _ = dir.remove(&dir.path().join(file));
        }
    }

    /// The runtime directory, if it exists and belongs to this user alone, with the copy's file name.
    fn runtime_directory(&self) -> Option<(Directory, &str)> {
        let (runtime, file) = self.location.as_ref()?;
        Some((Directory::find(runtime).ok()??, file))
    }

    /// The directory of the copies, if it exists and belongs to this user alone, with the copy's file name.
    fn directory(&self) -> Option<(Directory, &str)> {
        let (runtime, file) = self.runtime_directory()?;
        Some((Directory::find(&runtime.path().join(DIRECTORY)).ok()??, file))
    }
}

/// The directory of the copies, which is made if there is none, where copies may be made.
pub(crate) fn directory() -> Option<PathBuf> {
    let runtime = Directory::find(&runtime_dir::user_runtime_dir()?).ok()??;
    let usable = is_tmpfs(&runtime).then(|| Directory::open(&runtime.path().join(DIRECTORY)));
    Some(usable?.ok()?.path().to_owned())
}

/// Names the copy after the state directory's device and inode: its path may change or be replaced, or be one of several.
fn file_name(home: &Home) -> Option<String> {
    let metadata = std::fs::metadata(home.path()).ok()?;
    Some(format!("token-{:x}-{:x}", metadata.dev(), metadata.ino()))
}

#[cfg(target_os = "linux")]
fn is_tmpfs(dir: &Directory) -> bool {
    /// `TMPFS_MAGIC` of the kernel.
    const TMPFS: i64 = 0x0102_1994;
    #[allow(clippy::unnecessary_cast, reason = "the field's width differs between processors")]
    rustix::fs::statfs(dir.path()).is_ok_and(|stat| stat.f_type as i64 == TMPFS)
}

#[cfg(not(target_os = "linux"))]
fn is_tmpfs(_dir: &Directory) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    /// A state directory, a runtime directory in memory, and the copy in it.
    fn runtime_copy() -> (tempfile::TempDir, tempfile::TempDir, RuntimeCopy) {
        let state = tempfile::tempdir().unwrap();
        let home = Home::open(&state.path().join("home")).unwrap();
        let runtime = tempfile::tempdir_in("/dev/shm").unwrap();
        let location = Some((runtime.path().to_owned(), file_name(&home).unwrap()));
        let copy = RuntimeCopy { location };
        (state, runtime, copy)
    }

    fn only_file(runtime: &Path) -> PathBuf {
        let mut files = fs::read_dir(runtime.join(DIRECTORY)).unwrap();
        let file = files.next().unwrap().unwrap().path();
        assert!(files.next().is_none());
        file
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_copy_is_for_its_user_alone_until_it_is_removed() {
        let (_state, runtime, copy) = runtime_copy();
        assert!(copy.read().is_none());
        let token = Secret::random_hex();
        copy.write(&token);
        assert!(copy.read().unwrap().matches(token.expose().as_bytes()));
        assert_eq!(mode(&runtime.path().join(DIRECTORY)), 0o700);
        assert_eq!(mode(&only_file(runtime.path())), 0o600);
        copy.remove();
        assert!(copy.read().is_none());
    }

    #[test]
    fn a_copy_that_others_could_have_read_or_made_is_not_used() {
        let (_state, runtime, copy) = runtime_copy();
        copy.write(&Secret::random_hex());
        let file = only_file(runtime.path());
        for (path, open, closed) in [
            (&*file, 0o640, 0o600),
            (runtime.path(), 0o770, 0o700),
            (file.parent().unwrap(), 0o777, 0o700),
        ] {
            fs::set_permissions(path, fs::Permissions::from_mode(open)).unwrap();
            assert!(copy.read().is_none(), "{}", path.display());
            fs::set_permissions(path, fs::Permissions::from_mode(closed)).unwrap();
            assert!(copy.read().is_some(), "{}", path.display());
        }
    }

    #[test]
    fn no_copy_is_made_on_a_disk() {
        let disk = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let copy = RuntimeCopy { location: Some((disk.path().to_owned(), "token".into())) };
        copy.write(&Secret::random_hex());
        assert!(copy.read().is_none());
        assert!(!disk.path().join(DIRECTORY).exists());
    }
}

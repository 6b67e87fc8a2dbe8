//! The user's runtime directory, in which systemd has the user's D-Bus, and bproxy a copy of the daemon token.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The variable that names it in a login session.
pub(crate) const VARIABLE: &str = "XDG_RUNTIME_DIR";

/// `XDG_RUNTIME_DIR`, or where it is not set the directory that systemd mounts for this user, if it exists: MCP clients,
/// scheduled jobs and `su` start programs without the variable. One that is set and empty is as if it were not set.
pub(crate) fn user_runtime_dir() -> Option<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    runtime_dir(std::env::var_os(VARIABLE), user, Path::new("/run/user"))
}

/// `mounts` is the directory in which each user has one, named by the uid.
fn runtime_dir(variable: Option<OsString>, user: u32, mounts: &Path) -> Option<PathBuf> {
    if let Some(set) = variable.filter(|value| !value.is_empty()) {
        return Some(set.into());
    }
    let mounted = mounts.join(user.to_string());
    let is_own = std::fs::metadata(&mounted).is_ok_and(|it| it.is_dir() && it.uid() == user);
    is_own.then_some(mounted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_without_the_variable_has_the_directory_that_systemd_mounts() {
        let mounts = tempfile::tempdir().unwrap();
        let user = rustix::process::geteuid().as_raw();
        let dir = |variable: Option<&str>, user| {
            runtime_dir(variable.map(Into::into), user, mounts.path())
        };
        assert_eq!(dir(None, user), None, "nothing is mounted");
        let mounted = mounts.path().join(user.to_string());
        std::fs::create_dir(&mounted).unwrap();
        assert_eq!(dir(None, user), Some(mounted.clone()));
        assert_eq!(dir(Some(""), user), Some(mounted));
        assert_eq!(dir(Some("/elsewhere"), user), Some("/elsewhere".into()));
        std::fs::create_dir(mounts.path().join((user + 1).to_string())).unwrap();
        assert_eq!(dir(None, user + 1), None, "the directory is another user's");
    }
}

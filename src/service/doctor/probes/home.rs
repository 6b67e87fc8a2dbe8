//! Probes of the state directory: its files, and the space for them.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Failure, Probe, START, shell};
use crate::home::{self, Home};
use crate::secrets::{self, FileStore, SecretStore};
use crate::users;

/// How much must fit: more than tokens and sessions take.
const SPACE: usize = 256 * 1024;

/// Whether the state directory and all that is in it have the right kind, owner and mode, and both tokens are whole.
pub(in crate::service::doctor) fn home(path: &Path) -> Probe<Home> {
    let failed = |error: home::Error| Failure::new(&error, fix(&error));
    let Some(home) = Home::find(path).map_err(failed)? else {
        if path.symlink_metadata().is_ok() {
            let detail = format!("{} is a symbolic link that leads nowhere", path.display());
            return Err(Failure::new(detail, shell::move_away(path)));
        }
        return Err(Failure::new(format!("{} does not exist yet", path.display()), START));
    };
    if let Some(command) = unusable(home.path(), 0o700) {
        let detail = format!("{} has a mode that keeps you out of it", home.path().display());
        return Err(Failure::new(detail, command));
    }
    let problems: Vec<_> = problems(&home);
    if problems.is_empty() {
        return Ok((format!("{}, yours alone", home.path().display()), home));
    }
    let details: Vec<_> = problems.iter().map(|(detail, _)| detail.as_str()).collect();
    let commands: Vec<_> = problems.iter().map(|(_, command)| command.clone()).collect();
    Err(Failure::new(details.join("; "), shell::all(&commands)))
}

/// What is wrong with the files, and the command that mends each.
fn problems(home: &Home) -> Vec<(String, String)> {
    let store = FileStore::new(home.clone());
    let secret = |path: PathBuf| home.read_secret(&path).err();
    let secrets = [home.pairing(), home.port(), home.sessions(), home.sessions_before()];
    let mut problems: Vec<_> = secrets.into_iter().filter_map(secret).filter_map(problem).collect();
    problems
        .extend(store.daemon_token().err().and_then(|error| token_problem(error, &home.token())));
    problems.extend(
        store.extension().err().and_then(|error| token_problem(error, &home.extension_token())),
    );
    problems.extend(lock_problem(&home.pid()));
    problems.extend(directory_problem(&home.tmp()));
    problems
}

fn problem(error: home::Error) -> Option<(String, String)> {
    Some((error.to_string(), fix(&error)))
}

fn token_problem(error: secrets::Error, path: &Path) -> Option<(String, String)> {
    match error {
        secrets::Error::Home(error) => problem(error),
        error => Some((error.to_string(), format!("rm {}", shell::word(path)))),
    }
}

/// The lock file has to be a file that this user can open.
fn lock_problem(path: &Path) -> Option<(String, String)> {
    let metadata = path.symlink_metadata().ok()?;
    if !metadata.is_file() {
        let detail = format!("{} is not a file", path.display());
        return Some((detail, shell::move_away(path)));
    }
    foreign(path, &metadata).or_else(|| {
        let command = unusable(path, 0o600)?;
        Some((format!("{} has a mode that keeps you out of it", path.display()), command))
    })
}

/// The daemon replaces what is no directory.
fn directory_problem(path: &Path) -> Option<(String, String)> {
    let metadata = path.symlink_metadata().ok().filter(Metadata::is_dir)?;
    foreign(path, &metadata).or_else(|| {
        let command = unusable(path, 0o700)?;
        Some((format!("{} has a mode that keeps you out of it", path.display()), command))
    })
}

fn foreign(path: &Path, metadata: &Metadata) -> Option<(String, String)> {
    let user = rustix::process::geteuid().as_raw();
    let owner = metadata.uid();
    let detail = || {
        format!("{} belongs to {}, not to you (id {user})", path.display(), users::described(owner))
    };
    (owner != user).then(|| (detail(), shell::take_over(path)))
}

/// The command that gives a file or directory the mode with which its owner can use it; `None` if it has that.
fn unusable(path: &Path, mode: u32) -> Option<String> {
    let has = path.symlink_metadata().map_or(mode, |metadata| metadata.mode());
    (has & mode != mode).then(|| format!("chmod {mode:o} {}", shell::word(path)))
}

/// The command that makes the state directory, or a file in it, usable.
pub(super) fn fix(error: &home::Error) -> String {
    match error {
        home::Error::Mode { path, fix, .. } => format!("chmod {fix} {}", shell::word(path)),
        home::Error::Owner { path, .. } => shell::take_over(path),
        home::Error::Symlink { path } => format!("rm {}", shell::word(path)),
        home::Error::Kind { path, .. } => shell::move_away(path),
        home::Error::Replaced(_) => super::RESTART.to_owned(),
        home::Error::Io { path, source, .. } => match source.kind() {
            ErrorKind::PermissionDenied => closed(path),
            _ => shell::move_away(path),
        },
        home::Error::Layout(home::LayoutError::Newer { path, .. }) => {
            // What a newer version wrote stays, for that version.
            format!("{} && {START}", shell::move_away(path))
        }
        home::Error::Layout(home::LayoutError::Damaged { file, .. }) => {
            format!("echo {} >{}", home::LAYOUT, shell::word(file))
        }
    }
}

/// The command that opens what this user cannot open: the directory above it may be what is closed.
fn closed(path: &Path) -> String {
    let above = path.parent().and_then(|above| unusable(above, 0o700));
    let is_directory = path.is_dir();
    let own = unusable(path, if is_directory { 0o700 } else { 0o600 });
    above.or(own).unwrap_or_else(|| format!("chmod u+rwX {}", shell::word(path)))
}

/// Whether the daemon can write into the state directory.
pub(in crate::service::doctor) fn space(home: &Home) -> Probe {
    let written = tempfile::Builder::new()
        .prefix(".doctor-")
        .tempfile_in(home.path())
        .and_then(|mut file| file.write_all(&vec![0; SPACE]));
    match written {
        Ok(()) => Ok((free(home.path()), ())),
        Err(error) => Err(no_space(home, &error)),
    }
}

fn free(path: &Path) -> String {
    match rustix::fs::statvfs(path) {
        Ok(stat) => format!("{} MiB free", stat.f_bavail.saturating_mul(stat.f_frsize) >> 20),
        Err(error) => format!("not known: {error}"),
    }
}

fn no_space(home: &Home, error: &io::Error) -> Failure {
    let path = home.path();
    let detail = format!("nothing can be written into {}: {error}", path.display());
    match error.kind() {
        ErrorKind::ReadOnlyFilesystem => {
            let device = shell::word(&mount_point(path));
            Failure::new(detail, format!("sudo mount -o remount,rw {device}"))
        }
        // The log takes most of what bproxy writes.
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
            if size_of(&home.logs()) >= SPACE as u64 =>
        {
            Failure::new(detail, format!("rm -rf {}", shell::word(&home.logs())))
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            let mount = mount_point(path);
            Failure::for_person(
                detail,
                format!("free some space on the file system of {}", mount.display()),
            )
        }
        _ => Failure::new(detail, format!("chmod 700 {}", shell::word(path))),
    }
}

/// The directory in which the path's file system is mounted.
fn mount_point(path: &Path) -> PathBuf {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev()).ok();
    let own = device(&path);
    path.ancestors().take_while(|above| device(above) == own).last().unwrap_or(&path).to_owned()
}

/// The bytes of the files in a directory.
fn size_of(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

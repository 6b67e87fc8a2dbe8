//! `bproxy service install` and `bproxy service uninstall`.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Error, manager_for};
use crate::home::{self, Home};
use crate::loopback::{self, ListenerOwner};
use crate::program;
use crate::secrets;
use crate::service::control;
use crate::service::status::ManagedBy;

/// The result of `install` and `uninstall`.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Installed {
    installed: bool,
    managed_by: ManagedBy,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    listening: Option<bool>,
    /// The installed files, or the removed ones.
    files: Vec<PathBuf>,
    /// Why the service has no sandbox, if the manager supports one.
    #[serde(skip_serializing_if = "Option::is_none")]
    unsandboxed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<&'static str>,
    /// What stays after a removal: a person's own files, and a package's units.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kept: Vec<PathBuf>,
}

impl Installed {
    /// One line of JSON, with a newline.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("plain values become JSON") + "\n"
    }

    /// A warning for the person, if there is one.
    pub fn warning(&self) -> Option<String> {
        let reason = self.unsandboxed.as_ref()?;
        Some(format!("the service runs without its sandbox, which does not work here: {reason}"))
    }

    /// What stays after a removal, for the person.
    pub fn remainder(&self) -> String {
        let own =
            "the program, the extension, and the entries of MCP clients (`bproxy mcp uninstall`)";
        let kept: Vec<_> = self.kept.iter().map(|path| path.display().to_string()).collect();
        let kept =
            if kept.is_empty() { String::new() } else { format!("{}; also ", kept.join(", ")) };
        format!("what stays: {kept}{own}")
    }
}

/// Makes the daemon a service that the first connection to `port` starts: from the next login on, or at once with
/// `now`. If the same service is installed already, nothing changes and a running daemon keeps running.
///
/// # Errors
/// When there is no manager, the state directory is not the default one, or the path of this program is temporary.
pub fn install(home: &Path, port: u16, now: bool) -> Result<Installed, Error> {
    let manager = manager_for(home)?;
    let program = program::path()?;
    let service = manager.query().map_err(|error| Error::None(error.to_string()))?;
    let state = Home::open(home)?;
    let files = manager.install(&program, port)?;
    if now {
        let daemon = control::running_pid(&state)?.map(|pid| pid.as_raw_nonzero().get());
        // A daemon that was started by hand has the state directory, and often the port.
        if daemon.is_some() && daemon != service.pid {
            control::stop_service(home)?;
        } else if daemon.is_none() {
            // A killed daemon has left its port file, which would mislead commands.
            state.remove(&state.port())?;
        }
        // An earlier installation without `now` may have changed the port for the next login.
        let is_listening =
            || loopback::listener_owner(port).is_ok_and(|it| it != ListenerOwner::Nobody);
        if service.installed && (files.changed || !is_listening()) {
            manager.stop()?;
        }
        manager.listen().map_err(|error| super::as_start_error(&*manager, error))?;
    }
    // Without `now`, the state from before the installation counts: with the new units loaded, the manager reports the
    // new port although it still listens on the old one.
    let service = if now { manager.query()? } else { service };
    Ok(Installed {
        installed: true,
        managed_by: manager.name(),
        port: Some(port),
        listening: Some(service.port == Some(port)),
        files: files.paths,
        unsandboxed: files.unsandboxed,
        ..Installed::default()
    })
}

/// Undoes [`install`] and removes the daemon's files from the state directory: with `keep_tokens` all but the tokens.
/// Files of others stay. Without a service, the daemon that was started by hand is stopped and its files are removed.
///
/// # Errors
/// When something cannot be removed.
pub fn uninstall(home: &Path, keep_tokens: bool) -> Result<Installed, Error> {
    home::check_layout(home)?;
    // Where no manager has it, there is no service to remove, but there are a daemon's files and tokens.
    let manager = match manager_for(home).map(|manager| (manager.query(), manager)) {
        Ok((Ok(_), manager)) => Some(manager),
        Ok((Err(error), manager)) => {
            let units = manager.units(Path::new(""), 0);
            if units.iter().any(|(path, _)| path.exists()) {
                return Err(Error::None(error.to_string()));
            }
            None
        }
        Err(_) => None,
    };
    let files = manager.as_ref().map_or(Ok(vec![]), |manager| manager.uninstall())?;
    control::stop_service(home)?;
    if let Some(state) = Home::find(home)? {
        if !keep_tokens {
            secrets::remove_all(&state)?;
        }
        state.clear()?;
    }
    let mut kept = manager.as_ref().map_or_else(Vec::new, |manager| manager.leftovers());
    kept.extend(entries(home));
    Ok(Installed {
        managed_by: manager.map_or(ManagedBy::Itself, |manager| manager.name()),
        files,
        kept,
        tokens: Some(if keep_tokens { "kept" } else { "removed" }),
        ..Installed::default()
    })
}

/// What a folder holds, in order; nothing if there is none.
pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

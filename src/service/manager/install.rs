//! Making the daemon a service, and undoing that.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Error, for_service, program};
use crate::home::{self, Home};
use crate::loopback::{self, ListenerOwner};
use crate::secrets;
use crate::service::control;
use crate::service::lifecycle::ManagedBy;

/// What `install` and `uninstall` have done.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Installed {
    installed: bool,
    managed_by: ManagedBy,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    listening: Option<bool>,
    /// Those that are there, or those that were removed.
    files: Vec<PathBuf>,
    /// Why the service has no sandbox, where the manager knows of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    unsandboxed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<&'static str>,
}

impl Installed {
    /// As one line of JSON, with its end.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("plain values become JSON") + "\n"
    }

    /// What people should know besides.
    pub fn trouble(&self) -> Option<String> {
        let reason = self.unsandboxed.as_ref()?;
        Some(format!("the service runs without its sandbox, which does not work here: {reason}"))
    }
}

/// Makes the daemon a service that is started by the first connection to `port`: from the next login on, or from `now`
/// on. What is installed already and the same is left as it is, running or not.
///
/// # Errors
/// When there is no manager, the state directory is not a service's, or this program lies where it will not stay.
pub fn install(home: &Path, port: u16, now: bool) -> Result<Installed, Error> {
    let manager = for_service(home)?;
    let program = program::path()?;
    let view = manager.view().map_err(|error| Error::None(error.to_string()))?;
    let state = Home::open(home)?;
    let files = manager.install(&program, port)?;
    if now {
        let daemon = control::daemon(&state)?.map(|pid| pid.as_raw_nonzero().get());
        // One that was started by hand has the state directory, and often the port.
        if daemon.is_some() && daemon != view.pid {
            control::stop_service(home)?;
        } else if daemon.is_none() {
            // A daemon that was killed has left it, and commands would look for one there.
            state.remove(&state.port())?;
        }
        // An earlier installation may have changed the port for the next login.
        let listens = || loopback::listener_owner(port).is_ok_and(|it| it != ListenerOwner::Nobody);
        if view.installed && (files.changed || !listens()) {
            manager.stop()?;
        }
        manager.listen()?;
    }
    // What is loaded tells of the new port before anybody listens there.
    let view = if now { manager.view()? } else { view };
    Ok(Installed {
        installed: true,
        managed_by: manager.name(),
        port: Some(port),
        listening: Some(view.port == Some(port)),
        files: files.paths,
        unsandboxed: files.unsandboxed,
        tokens: None,
    })
}

/// Undoes [`install`], and removes what the daemon keeps, but for the tokens if they are to be kept and for files that
/// are not the daemon's.
///
/// # Errors
/// When there is no manager, the state directory is not a service's, or something cannot be removed.
pub fn uninstall(home: &Path, keep_tokens: bool) -> Result<Installed, Error> {
    let manager = for_service(home)?;
    manager.view().map_err(|error| Error::None(error.to_string()))?;
    home::check_layout(home)?;
    let files = manager.uninstall()?;
    control::stop_service(home)?;
    if let Some(state) = Home::find(home)? {
        if !keep_tokens {
            secrets::remove_all(&state)?;
        }
        state.clear()?;
    }
    Ok(Installed {
        managed_by: manager.name(),
        files,
        tokens: Some(if keep_tokens { "kept" } else { "removed" }),
        ..Installed::default()
    })
}

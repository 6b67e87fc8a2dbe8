//! Making the daemon a service, and undoing that.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Error, for_service, program};
use crate::home::Home;
use crate::secrets;
use crate::service::control;
use crate::service::lifecycle::ManagedBy;

/// What `install` and `uninstall` have done.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Installed {
    installed: bool,
    managed_by: ManagedBy,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    listening: Option<bool>,
    /// Those that are there, or those that were removed.
    files: Vec<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<&'static str>,
}

impl Installed {
    fn to_line(&self) -> String {
        serde_json::to_string(self).expect("plain values become JSON") + "\n"
    }
}

/// Makes the daemon a service that is started by the first connection to `port`: from the next login on, or from `now`
/// on. What is installed already and the same is left as it is, running or not. Returns what to say, in one line of JSON.
///
/// # Errors
/// When there is no manager, the state directory is not a service's, or this program lies where it will not stay.
pub fn install(home: &Path, port: u16, now: bool) -> Result<String, Error> {
    let manager = for_service(home)?;
    let program = program::path()?;
    let view = manager.view().map_err(|error| Error::None(error.to_string()))?;
    // The sandbox lets the daemon write there, and not make it.
    let state = Home::open(home)?;
    let files = manager.install(&program, port)?;
    if now {
        let daemon = control::daemon(&state)?.map(|pid| pid.as_raw_nonzero().get());
        if files.changed && view.installed {
            manager.stop()?;
        }
        // One that was started by hand has the state directory, and often the port.
        if daemon.is_some() && daemon != view.pid {
            control::stop(home)?;
        }
        manager.listen()?;
    }
    let listening = manager.view()?.port.is_some();
    Ok(Installed {
        installed: true,
        managed_by: manager.name(),
        port: Some(port),
        listening: Some(listening),
        files: files.paths,
        tokens: None,
    }
    .to_line())
}

/// Undoes [`install`], and removes what the daemon keeps, but for the tokens if they are to be kept and for files that
/// are not the daemon's. Returns what to say, in one line of JSON.
///
/// # Errors
/// When there is no manager, the state directory is not a service's, or something cannot be removed.
pub fn uninstall(home: &Path, keep_tokens: bool) -> Result<String, Error> {
    let manager = for_service(home)?;
    manager.view().map_err(|error| Error::None(error.to_string()))?;
    let files = manager.uninstall()?;
    control::stop(home)?;
    if let Some(state) = Home::find(home)? {
        if !keep_tokens {
            secrets::forget(&state)?;
        }
        state.clear()?;
    }
    Ok(Installed {
        installed: false,
        managed_by: manager.name(),
        port: None,
        listening: None,
        files,
        tokens: Some(if keep_tokens { "kept" } else { "removed" }),
    }
    .to_line())
}

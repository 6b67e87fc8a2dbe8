//! Probes of the service manager and of the port.

use super::configuration::set_command;
use super::{Failure, Probe, RESTART, START};
use crate::client::{self, Endpoint};
use crate::home::Home;
use crate::home::lock::Watch;
use crate::loopback::{self, ListenerOwner};
use crate::protocol;
use crate::service::manager::Service;

/// Whether the installed service is up to date, and its service manager listens.
pub(in crate::service::doctor) fn service(service: Option<&Service>) -> Probe {
    let Some(service) = service else {
        return Ok(("not installed: the daemon is started by hand".into(), ()));
    };
    let name = service.managed_by().as_str();
    let Some(port) = service.port else {
        let detail = format!("installed for {name}, which does not listen");
        let taken = service.unit_port.filter(|port| {
            loopback::listener_owner(*port)
                .is_ok_and(|listener| matches!(listener, ListenerOwner::User(_)))
        });
        return Err(match taken {
            Some(port) => Failure::new(
                format!("{detail}: port {port} is taken by {}", listening_process(port)),
                reinstall_command(next_port(port)),
            ),
            None => Failure::new(detail, START),
        });
    };
    let outdated = service.outdated(port).map_err(|error| {
        Failure::new(error, "which bproxy, then `service install` with that one")
    })?;
    if !outdated.is_empty() {
        let paths: Vec<_> = outdated.iter().map(|path| path.display().to_string()).collect();
        return Err(Failure::new(
            format!("missing, or not as this program would write it: {}", paths.join(", ")),
            format!("bproxy service install --now --port {port}"),
        ));
    }
    Ok((format!("installed for {name}, which listens on port {port}"), ()))
}

/// Who listens on the port: the one that the running daemon wrote, else the one of the service manager. `own_port` is the
/// one that a daemon started by hand would listen on.
pub(in crate::service::doctor) fn socket(
    home: &Home,
    service: Option<&Service>,
    own_port: Option<u16>,
) -> Probe<u16> {
    let another_port = |port| match service {
        Some(_) => reinstall_command(next_port(port)),
        None => set_command(home.path(), "BPROXY_PORT", &next_port(port).to_string()),
    };
    // A port file that a killed daemon left does not say where a service manager listens.
    let (port, managed_port) = match Endpoint::find(home.path()) {
        Ok(Endpoint::Running { port, .. } | Endpoint::Left { port }) => (port, None),
        Ok(Endpoint::Activated { port }) => (port, Some(port)),
        Err(client::Error::NotRunning) => {
            return Err(match Watch::open(home).ok().flatten().and_then(|watch| watch.daemon()) {
                None => match own_port.and_then(|port| Some((port, taken(port)?))) {
                    Some((port, taken)) => {
                        Failure::new(format!("no daemon runs, and {taken}"), another_port(port))
                    }
                    None => Failure::new("no daemon runs", START),
                },
                Some(pid) => Failure::new(
                    format!(
                        "the daemon (process {}) is starting or stopping",
                        pid.as_raw_nonzero()
                    ),
                    RESTART,
                ),
            });
        }
        Err(error) => return Err(Failure::new(error, RESTART)),
    };
    match loopback::listener_owner(port) {
        Ok(ListenerOwner::User(user)) if user == rustix::process::geteuid().as_raw() => {
            // The daemon's process keeps its descriptors from everybody but root; its lock tells who it is.
            let daemon = Watch::open(home).ok().flatten().and_then(|watch| watch.daemon());
            let process = match (loopback::listener_process(port), daemon) {
                (None, Some(pid)) => format!("process {} (bproxy)", pid.as_raw_nonzero()),
                _ => listening_process(port),
            };
            Ok((format!("127.0.0.1:{port}, {process}"), port))
        }
        Ok(ListenerOwner::User(user)) => {
            Err(Failure::new(belonging_to(port, user), another_port(port)))
        }
        Ok(ListenerOwner::Nobody) => Err(Failure::new(
            format!("nobody listens on 127.0.0.1:{port}"),
            match managed_port {
                Some(port) => reinstall_command(port),
                None => RESTART.into(),
            },
        )),
        Ok(ListenerOwner::Unknown) => Ok((format!("127.0.0.1:{port}"), port)),
        Err(error) => {
            Err(Failure::new(format!("cannot tell who listens on port {port}: {error}"), RESTART))
        }
    }
}

/// Who has taken a port, as the rest of a sentence; `None` if nobody listens there.
fn taken(port: u16) -> Option<String> {
    match loopback::listener_owner(port).ok()? {
        ListenerOwner::User(user) => Some(belonging_to(port, user)),
        ListenerOwner::Nobody | ListenerOwner::Unknown => None,
    }
}

fn belonging_to(port: u16, user: u32) -> String {
    format!("port {port} belongs to the user with id {user}: {}", listening_process(port))
}

/// The process that listens on a port, for display.
fn listening_process(port: u16) -> String {
    match loopback::listener_process(port) {
        Some((pid, name)) => format!("process {pid} ({name})"),
        None => "a process that cannot be seen from here".into(),
    }
}

/// The command that installs the service with this port.
fn reinstall_command(port: u16) -> String {
    format!("bproxy service install --now --port {port}")
}

/// A port to try instead of one that is taken.
fn next_port(port: u16) -> u16 {
    if port == u16::MAX { protocol::DEFAULT_PORT } else { port + 1 }
}

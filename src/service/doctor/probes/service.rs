//! Probes of the service manager and of the port.

use std::net::{Ipv4Addr, TcpListener};

use super::configuration::set_command;
use super::{Failure, Probe, RESTART, START};
use crate::client::{self, Endpoint};
use crate::home::Home;
use crate::home::lock::Watch;
use crate::loopback::{self, ListenerOwner};
use crate::service::doctor::units::Units;
use crate::service::logs;
use crate::service::manager::Service;
use crate::users;

/// Whether the installed service is up to date, has not failed, and its manager listens. `explained` says that an earlier
/// hop has the reason if it has failed.
pub(in crate::service::doctor) fn service(
    service: Option<&Service>,
    units: Option<&Units>,
    home: Option<&Home>,
    explained: bool,
) -> Probe {
    if let Some(failure) = units.and_then(Units::refused) {
        return Err(failure);
    }
    let Some(service) = service else {
        return Ok(("not installed: the daemon is started by hand".into(), ()));
    };
    let name = service.managed_by().as_str();
    if let Some(port) = service.unit_port {
        let outdated = service.outdated(port).map_err(|error| {
            Failure::for_person(
                error,
                "run `bproxy service install` with the one that `which bproxy` names",
            )
        })?;
        if !outdated.is_empty() {
            let paths: Vec<_> = outdated.iter().map(|path| path.display().to_string()).collect();
            return Err(Failure::new(
                format!("missing, or not as this program would write it: {}", paths.join(", ")),
                reinstall_command(free_port(port)),
            ));
        }
    }
    let last_error = || home.and_then(logs::last_error);
    let problem = units.and_then(|units| {
        units
            .unread()
            .or_else(|| units.foreign_socket())
            .or_else(|| units.failed(last_error(), explained))
    });
    match (service.port, service.unit_port.and_then(taken_by_another)) {
        (None, Some((port, holder))) => {
            let detail = format!(
                "installed for {name}, which does not listen: port {port} is taken by {holder}"
            );
            Err(Failure::new(detail, reinstall_command(loopback::free_port_after(port))))
        }
        (port, _) => match (problem, port) {
            (Some(problem), _) => Err(problem),
            (None, Some(port)) => {
                Ok((format!("installed for {name}, which listens on port {port}"), ()))
            }
            (None, None) => {
                Err(Failure::new(format!("installed for {name}, which does not listen"), START))
            }
        },
    }
}

/// Who listens on a port that the service manager does not listen on.
fn taken_by_another(port: u16) -> Option<(u16, String)> {
    match loopback::listener_owner(port) {
        Ok(ListenerOwner::User(_)) => Some((port, listening_process(port))),
        _ => None,
    }
}

/// Who listens on the port: the one that the running daemon wrote, else the one of the service manager. `own_port` is the
/// one that a daemon started by hand would listen on.
pub(in crate::service::doctor) fn socket(
    home: &Home,
    service: Option<&Service>,
    own_port: Option<u16>,
) -> Probe<u16> {
    let another_port = |port| match service {
        Some(_) => reinstall_command(loopback::free_port_after(port)),
        None => {
            set_command(home.path(), "BPROXY_PORT", &loopback::free_port_after(port).to_string())
        }
    };
    // A port file that a killed daemon left does not say where a service manager listens.
    let (port, managed_port) = match Endpoint::find(home.path()) {
        Ok(Endpoint::Running { port, .. } | Endpoint::Left { port }) => (port, None),
        Ok(Endpoint::Activated { port }) => (port, Some(port)),
        Err(client::Error::NotRunning) => {
            let daemon = Watch::open(home).ok().flatten().and_then(|watch| watch.daemon());
            let refused = own_port.filter(|_| service.is_none()).and_then(refused);
            return Err(match (daemon, refused) {
                (Some(pid), _) => {
                    let pid = pid.as_raw_nonzero();
                    let detail = format!(
                        "the daemon (process {pid}) is starting or stopping, or its port file is gone"
                    );
                    Failure::new(detail, RESTART)
                }
                (None, Some((port, why))) => {
                    Failure::new(format!("no daemon runs, and {why}"), another_port(port))
                }
                (None, None) => Failure::new("no daemon runs", START),
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

/// Why a daemon could not listen on a port, as the rest of a sentence; `None` if it could.
fn refused(port: u16) -> Option<(u16, String)> {
    match loopback::listener_owner(port).ok()? {
        ListenerOwner::User(user) => Some((port, belonging_to(port, user))),
        ListenerOwner::Nobody | ListenerOwner::Unknown => {
            let error = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).err()?;
            Some((port, format!("port {port} cannot be used: {error}")))
        }
    }
}

fn belonging_to(port: u16, user: u32) -> String {
    format!("port {port} belongs to {}: {}", users::described(user), listening_process(port))
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

/// This port, if nobody has it, or the daemon's manager has.
fn free_port(port: u16) -> u16 {
    let is_own = matches!(
        loopback::listener_owner(port),
        Ok(ListenerOwner::User(user)) if user == rustix::process::geteuid().as_raw()
    );
    if is_own || refused(port).is_none() { port } else { loopback::free_port_after(port) }
}

//! Binds the daemon's own socket, for a daemon that no service manager passes one to.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};

use crate::loopback;

/// Why the port could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process listens on it.
    #[error(
        "port {port} is taken{holder}: stop that program, or choose another port, with BPROXY_PORT (0 is any free one)"
    )]
    Taken {
        /// The port.
        port: u16,
        /// Who has it, as the end of that clause.
        holder: String,
    },
    /// Only root may bind it: on most systems, a port below 1024.
    #[error(
        "port {port} is reserved for the system: choose one from 1024 with BPROXY_PORT (0 is any free one)"
    )]
    Reserved {
        /// The port.
        port: u16,
    },
    /// It cannot be bound for another reason.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Io {
        /// The port.
        port: u16,
        /// The system's reason.
        source: io::Error,
    },
}

/// Who has a port, as far as the system tells.
fn by(port: u16) -> String {
    loopback::holder(port).map(|holder| format!(" by {holder}")).unwrap_or_default()
}

/// Binds `port` on loopback; 0 takes any free port.
pub(super) fn bind(port: u16) -> Result<TcpListener, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|source| match source.kind() {
        ErrorKind::AddrInUse => Error::Taken { port, holder: by(port) },
        ErrorKind::PermissionDenied => Error::Reserved { port },
        _ => Error::Io { port, source },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_refused_with_its_number_and_its_holder() {
        let socket = bind(0).unwrap();
        let port = socket.local_addr().unwrap().port();
        let message = bind(port).unwrap_err().to_string();
        assert!(message.contains(&port.to_string()), "{message}");
        if cfg!(target_os = "linux") {
            assert!(message.contains(&std::process::id().to_string()), "{message}");
        }
    }
}

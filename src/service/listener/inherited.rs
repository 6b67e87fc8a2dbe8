//! Takes ownership of a descriptor that a service manager passed to this process, and checks that it is one of the daemon's
//! sockets.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::net::UnixListener;

use rustix::io::{Errno, FdFlags, fcntl_setfd, ioctl_fionbio};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, getsockname, sockopt};

use crate::sys;

/// What a descriptor is instead of the daemon's socket, as the end of a sentence.
#[derive(Debug, PartialEq, Eq)]
pub struct WrongSocket(String);

impl fmt::Display for WrongSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A listening socket of the daemon, by its family.
#[derive(Debug)]
pub(super) enum Inherited {
    /// On 127.0.0.1.
    Port(TcpListener),
    /// In the file system.
    Local(UnixListener),
}

/// Takes ownership of the descriptor, if it is a listening socket on 127.0.0.1 or in the file system.
///
/// # Errors
/// Says what it is instead.
pub(super) fn take(number: RawFd) -> Result<Inherited, WrongSocket> {
    check(sys::own_descriptor(number).map_err(|error| match error {
        Errno::BADF => WrongSocket(format!("descriptor {number}, which is not open")),
        error => WrongSocket(format!("descriptor {number}: {error}")),
    })?)
}

fn check(socket: OwnedFd) -> Result<Inherited, WrongSocket> {
    let io = |error: Errno| WrongSocket(format!("a socket that cannot be used: {error}"));
    let kind = match sockopt::socket_type(&socket) {
        Err(Errno::NOTSOCK) => return Err(WrongSocket("not a socket but a file or a pipe".into())),
        kind => kind.map_err(io)?,
    };
    let name = getsockname(&socket).map_err(io)?;
    let (address, is_local) = match name.address_family() {
        AddressFamily::INET | AddressFamily::INET6 => {
            let address = SocketAddr::try_from(name).map_err(io)?;
            if kind == SocketType::STREAM && address.ip() != IpAddr::V4(Ipv4Addr::LOCALHOST) {
                return Err(WrongSocket(format!("a socket at {address}")));
            }
            (address.to_string(), false)
        }
        AddressFamily::UNIX => {
            let path = SocketAddrUnix::try_from(name).ok();
            let path = path.as_ref().and_then(|name| name.path());
            let path = path.ok_or_else(|| WrongSocket("a Unix socket without a path".into()))?;
            (format!("{:?}", path.to_string_lossy()), true)
        }
        other => return Err(WrongSocket(format!("a socket of address family {}", other.as_raw()))),
    };
    if kind != SocketType::STREAM {
        return Err(WrongSocket(format!("a datagram socket at {address}")));
    }
    if !is_listening(&socket).map_err(io)? {
        return Err(WrongSocket(format!("a connection at {address}, not a listening socket")));
    }
    fcntl_setfd(&socket, FdFlags::CLOEXEC).map_err(io)?;
    ioctl_fionbio(&socket, true).map_err(io)?;
    Ok(if is_local { Inherited::Local(socket.into()) } else { Inherited::Port(socket.into()) })
}

#[cfg(not(target_vendor = "apple"))]
fn is_listening(socket: &OwnedFd) -> Result<bool, Errno> {
    sockopt::socket_acceptconn(socket)
}

/// macOS does not tell; launchd passes what the plist says, which is a listening socket.
#[cfg(target_vendor = "apple")]
fn is_listening(_socket: &OwnedFd) -> Result<bool, Errno> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpStream, UdpSocket};
    use std::os::fd::IntoRawFd;
    use std::os::unix::net::UnixDatagram;

    use rustix::io::fcntl_getfd;

    use super::*;

    #[test]
    fn a_listening_socket_on_loopback_becomes_nonblocking_and_close_on_exec() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let number = socket.into_raw_fd();
        let Inherited::Port(taken) = take(number).unwrap() else { panic!("a port") };
        assert_eq!(taken.local_addr().unwrap(), address);
        assert!(fcntl_getfd(&taken).unwrap().contains(FdFlags::CLOEXEC));
        assert_eq!(taken.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_unix_socket_is_told_by_its_family() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let number = UnixListener::bind(&path).unwrap().into_raw_fd();
        let Inherited::Local(taken) = take(number).unwrap() else { panic!("a Unix socket") };
        assert_eq!(taken.local_addr().unwrap().as_pathname(), Some(&*path));
        assert_eq!(taken.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }

    #[test]
    fn anything_else_is_refused_with_what_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let everywhere = TcpListener::bind("0.0.0.0:0").unwrap();
        let everywhere_address = everywhere.local_addr().unwrap().to_string();
        let mut cases: Vec<(OwnedFd, &str)> = vec![
            (UnixDatagram::bind(&path).unwrap().into(), path.to_str().unwrap()),
            (UdpSocket::bind("127.0.0.1:0").unwrap().into(), "datagram"),
            (everywhere.into(), &everywhere_address),
            (std::fs::File::open("/dev/null").unwrap().into(), "not a socket"),
        ];
        // macOS has no second loopback address, and does not tell what listens.
        if cfg!(target_os = "linux") {
            cases.push((TcpListener::bind("127.0.0.2:0").unwrap().into(), "127.0.0.2"));
            cases.push((connection.into(), "not a listening"));
        }
        for (descriptor, named) in cases {
            let wrong = take(descriptor.into_raw_fd()).unwrap_err().to_string();
            assert!(wrong.contains(named), "{wrong}");
        }
        for number in [-1, 1_000_000] {
            assert!(take(number).unwrap_err().to_string().contains("not open"));
        }
    }
}

//! The two ways in: the port, and the Unix socket for the user's own programs. Both lead to the same routes.

use std::{io, net::SocketAddr};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_util::either::Either;

use super::Error;
use crate::protocol::LISTEN_BACKLOG;

/// What a daemon listens on. Nothing has been read from it yet.
#[derive(Debug)]
pub struct Listeners {
    /// On loopback.
    pub port: std::net::TcpListener,
    /// In the file system, if there is one.
    pub local: Option<std::os::unix::net::UnixListener>,
}

/// A connection through either door.
pub(super) type Stream = Either<TcpStream, UnixStream>;

/// Where a connection has come in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Door {
    /// By the port, from this address.
    Port(SocketAddr),
    /// By the Unix socket; `own` if the program on the other side runs as the daemon's user.
    Local {
        /// The kernel tells.
        own: bool,
    },
}

/// The same listeners, with the runtime's events.
pub(super) struct Doors {
    port: TcpListener,
    local: Option<UnixListener>,
}

impl Doors {
    /// Registers the listeners with the current runtime. They listen already, with whatever backlog their maker chose.
    pub(super) fn open(listeners: Listeners) -> Result<Doors, Error> {
        let Listeners { port, local } = listeners;
        let listen = |error: rustix::io::Errno| Error::Listen(error.into());
        rustix::net::listen(&port, LISTEN_BACKLOG).map_err(listen)?;
        port.set_nonblocking(true).map_err(Error::Listen)?;
        let open = |local: std::os::unix::net::UnixListener| {
            rustix::net::listen(&local, LISTEN_BACKLOG).map_err(listen)?;
            local.set_nonblocking(true).map_err(Error::Listen)?;
            UnixListener::from_std(local).map_err(Error::Listen)
        };
        Ok(Doors {
            port: TcpListener::from_std(port).map_err(Error::Listen)?,
            local: local.map(open).transpose()?,
        })
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> io::Result<(Stream, Door)> {
        let local = async {
            match &self.local {
                Some(local) => local.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = self.port.accept() => {
                let (stream, address) = accepted?;
                // Answers are written at once: there is nothing to coalesce.
                stream.set_nodelay(true)?;
                Ok((Either::Left(stream), Door::Port(address)))
            }
            accepted = local => {
                let (stream, _) = accepted?;
                let own = stream.peer_cred()?.uid() == rustix::process::geteuid().as_raw();
                Ok((Either::Right(stream), Door::Local { own }))
            }
        }
    }
}

impl Listeners {
    /// Whether a connection waits to be accepted.
    pub(super) fn is_waited_on(&self) -> bool {
        let mut listeners = vec![PollFd::new(&self.port, PollFlags::IN)];
        listeners.extend(self.local.as_ref().map(|local| PollFd::new(local, PollFlags::IN)));
        poll(&mut listeners, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }

    /// The same sockets once more.
    ///
    /// # Errors
    /// When descriptors have run out.
    pub fn try_clone(&self) -> io::Result<Listeners> {
        let local = self.local.as_ref().map(|local| local.try_clone()).transpose()?;
        Ok(Listeners { port: self.port.try_clone()?, local })
    }
}

//! Which user and process listen on a loopback port.
//!
//! Read from `/proc` on Linux. Other systems are not asked; there the port file is trusted because only its user can
//! write to the state directory.

use std::net::{Ipv4Addr, TcpListener};

use crate::protocol::DEFAULT_PORT;
use crate::users;

/// The user whose process listens on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerOwner {
    /// The user with this id.
    User(u32),
    /// No process listens.
    Nobody,
    /// Not known on this system.
    Unknown,
}

/// Looks up whose process would accept a connection to `127.0.0.1:port`.
///
/// # Errors
/// When the system's socket table cannot be read.
pub fn listener_owner(port: u16) -> std::io::Result<ListenerOwner> {
    imp::listener_owner(port)
}

/// The id and name of the process that listens on a port; `None` if there is none or this user cannot see it.
pub fn listener_process(port: u16) -> Option<(u32, String)> {
    imp::listener_process(port)
}

/// Who listens on a port, for a sentence: the process, if this user can see it, else the user. `None` if nobody does, or the
/// system does not tell.
pub fn holder(port: u16) -> Option<String> {
    if let Some((pid, name)) = listener_process(port) {
        return Some(format!("process {pid} ({name})"));
    }
    match listener_owner(port).ok()? {
        ListenerOwner::User(user) => Some(users::described(user)),
        ListenerOwner::Nobody | ListenerOwner::Unknown => None,
    }
}

/// The next port that this user could listen on, past the one that is taken or reserved.
pub fn free_port_after(port: u16) -> u16 {
    let first = if (1024..u16::MAX).contains(&port) { port + 1 } else { DEFAULT_PORT };
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (first..=u16::MAX).find(is_free).unwrap_or(first)
}

#[cfg(target_os = "linux")]
mod imp {
    use std::fs::{self, File};
    use std::io::{self, BufRead, BufReader, ErrorKind};
    use std::path::PathBuf;

    use super::ListenerOwner;

    const LISTENING: &str = "0A";
    const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

    struct Entry {
        user: u32,
        inode: u64,
    }

    pub(super) fn listener_owner(port: u16) -> io::Result<ListenerOwner> {
        Ok(entry(port)?.map_or(ListenerOwner::Nobody, |entry| ListenerOwner::User(entry.user)))
    }

    pub(super) fn listener_process(port: u16) -> Option<(u32, String)> {
        let target = PathBuf::from(format!("socket:[{}]", entry(port).ok()??.inode));
        fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
            let pid: u32 = process.file_name().to_str()?.parse().ok()?;
            let mut descriptors = fs::read_dir(process.path().join("fd")).ok()?.flatten();
            descriptors.find(|fd| fs::read_link(fd.path()).is_ok_and(|link| link == target))?;
            let name = fs::read_to_string(process.path().join("comm")).ok()?;
            Some((pid, name.trim_end().to_owned()))
        })
    }

    fn entry(port: u16) -> io::Result<Option<Entry>> {
        for table in TABLES {
            let file = match File::open(table) {
                Ok(file) => file,
                // A system without IPv6 has no such table.
                Err(error) if error.kind() == ErrorKind::NotFound && table != TABLES[0] => continue,
                Err(error) => return Err(error),
            };
            if let Some(entry) = find(BufReader::new(file), port)? {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn find(table: impl BufRead, port: u16) -> io::Result<Option<Entry>> {
        for line in table.lines().skip(1) {
            let line = line?;
            let mut fields = line.split_ascii_whitespace().skip(1);
            let (Some(local), Some(_remote), Some(state)) =
                (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            // The kernel lists the listening sockets first, and a busy machine has many others.
            if state != LISTENING {
                break;
            }
            if !accepts(local, port) {
                continue;
            }
            // The fields after the state: queues, timer, retransmissions, user, timeout, inode.
            let mut fields = fields.skip(3);
            let user = fields.next().and_then(|user| user.parse().ok());
            let inode = fields.nth(1).and_then(|inode| inode.parse().ok());
            let (Some(user), Some(inode)) = (user, inode) else {
                return Err(io::Error::new(
                    ErrorKind::InvalidData,
                    "an entry without user and inode",
                ));
            };
            return Ok(Some(Entry { user, inode }));
        }
        Ok(None)
    }

    /// Whether a socket bound to `local` (hexadecimal address and port, the address in the machine's byte order) accepts
    /// connections to 127.0.0.1:`port`. It does if bound to that address, its IPv4-mapped IPv6 form, or any address.
    fn accepts(local: &str, port: u16) -> bool {
        let Some((address, given)) = local.split_once(':') else {
            return false;
        };
        let loopback = format!("{:08X}", u32::from_ne_bytes([127, 0, 0, 1]));
        let address_fits = address == loopback
            || address.bytes().all(|digit| digit == b'0')
            || (address.len() == 32 && address.ends_with(&loopback));
        address_fits && u16::from_str_radix(given, 16) == Ok(port)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_listener_of_this_process_is_found_with_its_user_and_its_process() {
            let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let port = socket.local_addr().unwrap().port();
            assert_eq!(
                listener_owner(port).unwrap(),
                ListenerOwner::User(rustix::process::geteuid().as_raw())
            );
            assert_eq!(listener_process(port).unwrap().0, std::process::id());
            // Closing it is not enough: a process that another test starts holds a copy until it executes.
            rustix::net::shutdown(&socket, rustix::net::Shutdown::Both).unwrap();
            assert_eq!(listener_owner(port).unwrap(), ListenerOwner::Nobody);
        }

        #[test]
        fn another_users_listener_is_told_apart_from_a_connection_on_the_same_port() {
            let table = "head\n\
                0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001  0 77 1 0 100 0 0 10 0\n\
                1: 0100007F:2589 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0  0 78 1 0 20 4 30 10 -1\n";
            if cfg!(target_endian = "little") {
                let entry = find(table.as_bytes(), 0x1f90).unwrap().unwrap();
                assert_eq!((entry.user, entry.inode), (1001, 77));
            }
            assert!(find(table.as_bytes(), 0x2589).unwrap().is_none());
        }

        #[test]
        fn a_socket_bound_to_all_addresses_accepts_loopback_connections() {
            assert!(accepts("00000000:0050", 80));
            assert!(accepts("00000000000000000000000000000000:0050", 80));
            assert!(!accepts("00000000:0051", 80));
            assert!(!accepts("0101A8C0:0050", 80));
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use super::ListenerOwner;

    pub(super) fn listener_owner(_port: u16) -> std::io::Result<ListenerOwner> {
        Ok(ListenerOwner::Unknown)
    }

    pub(super) fn listener_process(_port: u16) -> Option<(u32, String)> {
        None
    }
}

//! The socket that systemd, or `systemd-socket-activate`, has handed over.
//!
//! The agreement is `sd_listen_fds(3)`: descriptors from number 3 on, told of by variables that are for one process.

use std::env::{self, VarError};
use std::ffi::OsStr;
use std::net::TcpListener;

use listenfd::ListenFd;

use super::{Error, NAME, handed};
use crate::sys;

const PID: &str = "LISTEN_PID";
const COUNT: &str = "LISTEN_FDS";
const NAMES: &str = "LISTEN_FDNAMES";

/// Takes the socket named [`NAME`]; `None` where nothing was handed over. Clears the variables in any case.
///
/// # Errors
/// When there are descriptors, but for another process, or none with that name, or it is not the right kind of socket.
pub(super) fn take() -> Result<Option<TcpListener>, Error> {
    let variables = Variables::read(&|name| env::var(name));
    // This removes the first two variables.
    let mut descriptors = ListenFd::from_env();
    sys::remove_variable(OsStr::new(NAMES));
    let Some(variables) = variables else { return Ok(None) };
    let index = variables.index(std::process::id())?;
    // Cannot be missing: the index is below the count that both have read.
    let number = descriptors.take_raw_fd(index).ok().flatten().unwrap_or(-1);
    handed::take(number).map(Some).map_err(|got| Error::Wrong { got })
}

/// What the variables say.
#[derive(Debug, PartialEq, Eq)]
struct Variables {
    pid: String,
    count: String,
    names: Option<String>,
}

impl Variables {
    fn read(lookup: &dyn Fn(&str) -> Result<String, VarError>) -> Option<Variables> {
        let text = |name| match lookup(name) {
            Ok(text) => Some(text),
            Err(VarError::NotPresent) => None,
            Err(VarError::NotUnicode(text)) => Some(text.to_string_lossy().into_owned()),
        };
        let count = text(COUNT)?;
        Some(Variables { pid: text(PID).unwrap_or_default(), count, names: text(NAMES) })
    }

    /// Which of the descriptors is the daemon's.
    fn index(&self, own: u32) -> Result<usize, Error> {
        if self.pid.parse() != Ok(own) {
            return Err(Error::Pid { given: self.pid.clone(), own });
        }
        let names: Vec<&str> = match &self.names {
            Some(names) => names.split(':').collect(),
            // What `systemd-socket-activate` hands over without being told a name: one can be meant only.
            None if self.count == "1" => return Ok(0),
            None => vec![],
        };
        let mut named = names.iter().enumerate().filter(|(_, name)| **name == NAME);
        match (named.next(), named.next()) {
            (Some((index, _)), None) if self.count.parse() == Ok(names.len()) => Ok(index),
            _ => Err(Error::Names { count: self.count.clone(), names: self.names.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(pid: &str, count: &str, names: Option<&str>) -> Result<usize, String> {
        let lookup = |name: &str| match name {
            PID => Ok(pid.to_owned()),
            COUNT => Ok(count.to_owned()),
            _ => names.map(str::to_owned).ok_or(VarError::NotPresent),
        };
        Variables::read(&lookup).unwrap().index(7).map_err(|error| error.to_string())
    }

    #[test]
    fn the_socket_is_the_one_with_the_name_or_the_only_one_without_any() {
        assert_eq!(index("7", "1", Some("bproxy")), Ok(0));
        assert_eq!(index("7", "3", Some("http:bproxy:other")), Ok(1));
        assert_eq!(index("7", "1", None), Ok(0));
    }

    #[test]
    fn another_process_s_descriptors_are_refused_with_both_processes() {
        for pid in ["8", "", "x"] {
            let message = index(pid, "1", Some("bproxy")).unwrap_err();
            assert!(message.contains(&format!("{pid:?}")) && message.contains('7'), "{message}");
        }
    }

    #[test]
    fn a_missing_or_doubtful_name_is_refused_with_the_names_there_are() {
        for (count, names) in [
            ("1", Some("http")),
            ("2", Some("http:other")),
            ("2", Some("bproxy:bproxy")),
            ("2", Some("bproxy")),
            ("x", Some("bproxy")),
            ("0", None),
            ("2", None),
        ] {
            let message = index("7", count, names).unwrap_err();
            assert!(message.contains("bproxy") && message.contains(count), "{message}");
            assert!(message.contains(names.unwrap_or("none")), "{message}");
        }
    }

    #[test]
    fn without_descriptors_there_is_nothing_to_take() {
        assert_eq!(Variables::read(&|_| Err(VarError::NotPresent)), None);
    }
}

//! The socket that systemd, or `systemd-socket-activate`, passes to this process.
//!
//! The protocol is `sd_listen_fds(3)`: descriptors from number 3 on, described by variables that name their process.

use std::env::{self, VarError};
use std::ffi::OsStr;
use std::net::TcpListener;

use listenfd::ListenFd;

use super::{Error, NAME, inherited};
use crate::sys;

const PID: &str = "LISTEN_PID";
const COUNT: &str = "LISTEN_FDS";
const NAMES: &str = "LISTEN_FDNAMES";

/// Takes the socket named [`NAME`]; `None` if systemd passed nothing. Removes the variables in any case.
///
/// # Errors
/// When the descriptors are for another process, none has that name, or it is not the right kind of socket.
pub(super) fn inherit() -> Result<Option<TcpListener>, Error> {
    let variables = Variables::read(&|name| env::var(name));
    // This also removes the first two variables.
    let mut descriptors = ListenFd::from_env();
    sys::remove_variable(OsStr::new(NAMES));
    let Some(variables) = variables else { return Ok(None) };
    let index = variables.index(std::process::id())?;
    // Always found: the index is below the count, which `ListenFd` has read too.
    let number = descriptors.take_raw_fd(index).ok().flatten().unwrap_or(-1);
    inherited::take(number).map(Some).map_err(|found| Error::WrongSocket { found })
}

/// The values of the variables.
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

    /// The index of the daemon's descriptor.
    fn index(&self, own: u32) -> Result<usize, Error> {
        if self.pid.parse() != Ok(own) {
            return Err(Error::Pid { given: self.pid.clone(), own });
        }
        let names: Vec<&str> = match &self.names {
            Some(names) => names.split(':').collect(),
            // `systemd-socket-activate` passes no names unless told to; a single socket is unambiguous.
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
    fn a_missing_or_ambiguous_name_is_refused_with_the_names_that_were_passed() {
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

//! The sockets that systemd, or `systemd-socket-activate`, passes to this process.
//!
//! The protocol is `sd_listen_fds(3)`: descriptors from number 3 on, described by variables that name their process.

use std::env::{self, VarError};
use std::ffi::OsStr;

use listenfd::ListenFd;

use super::inherited::{self, Inherited};
use super::{Error, NAME};
use crate::sys;

const PID: &str = "LISTEN_PID";
const COUNT: &str = "LISTEN_FDS";
const NAMES: &str = "LISTEN_FDNAMES";

/// Takes the sockets named [`NAME`]; `None` if systemd passed nothing. Removes the variables in any case.
///
/// # Errors
/// When the descriptors are for another process, none has that name, or one is not the right kind of socket.
pub(super) fn inherit() -> Result<Option<Vec<Inherited>>, Error> {
    let variables = Variables::read(&|name| env::var(name));
    // This also removes the first two variables.
    let mut descriptors = ListenFd::from_env();
    sys::remove_variable(OsStr::new(NAMES));
    let Some(variables) = variables else { return Ok(None) };
    let taken = variables.indices(std::process::id())?.into_iter().map(|index| {
        // Always found: the index is below the count, which `ListenFd` has read too.
        let number = descriptors.take_raw_fd(index).ok().flatten().unwrap_or(-1);
        inherited::take(number).map_err(|found| Error::WrongSocket { found })
    });
    taken.collect::<Result<_, _>>().map(Some)
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

    /// The indices of the daemon's descriptors: all sockets of a unit have its one name.
    fn indices(&self, own: u32) -> Result<Vec<usize>, Error> {
        if self.pid.parse() != Ok(own) {
            return Err(Error::Pid { given: self.pid.clone(), own });
        }
        let names: Vec<&str> = match &self.names {
            Some(names) => names.split(':').collect(),
            // `systemd-socket-activate` passes no names unless told to; a single socket is unambiguous.
            None if self.count == "1" => return Ok(vec![0]),
            None => vec![],
        };
        let named = names.iter().enumerate().filter(|(_, name)| **name == NAME);
        let indices: Vec<usize> = named.map(|(index, _)| index).collect();
        if indices.is_empty() || self.count.parse() != Ok(names.len()) {
            return Err(Error::Names { count: self.count.clone(), names: self.names.clone() });
        }
        Ok(indices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices(pid: &str, count: &str, names: Option<&str>) -> Result<Vec<usize>, String> {
        let lookup = |name: &str| match name {
            PID => Ok(pid.to_owned()),
            COUNT => Ok(count.to_owned()),
            _ => names.map(str::to_owned).ok_or(VarError::NotPresent),
        };
        Variables::read(&lookup).unwrap().indices(7).map_err(|error| error.to_string())
    }

    #[test]
    fn the_sockets_are_those_with_the_name_or_the_only_one_without_any() {
        assert_eq!(indices("7", "1", Some("bproxy")), Ok(vec![0]));
        assert_eq!(indices("7", "3", Some("http:bproxy:other")), Ok(vec![1]));
        assert_eq!(indices("7", "3", Some("bproxy:http:bproxy")), Ok(vec![0, 2]));
        assert_eq!(indices("7", "1", None), Ok(vec![0]));
    }

    #[test]
    fn another_process_s_descriptors_are_refused_with_both_processes() {
        for pid in ["8", "", "x"] {
            let message = indices(pid, "1", Some("bproxy")).unwrap_err();
            assert!(message.contains(&format!("{pid:?}")) && message.contains('7'), "{message}");
        }
    }

    #[test]
    fn a_missing_name_or_a_wrong_count_is_refused_with_the_names_that_were_passed() {
        for (count, names) in [
            ("1", Some("http")),
            ("2", Some("http:other")),
            ("2", Some("bproxy")),
            ("x", Some("bproxy")),
            ("0", None),
            ("2", None),
        ] {
            let message = indices("7", count, names).unwrap_err();
            assert!(message.contains("bproxy") && message.contains(count), "{message}");
            assert!(message.contains(names.unwrap_or("none")), "{message}");
        }
    }

    #[test]
    fn without_descriptors_there_is_nothing_to_take() {
        assert_eq!(Variables::read(&|_| Err(VarError::NotPresent)), None);
    }
}

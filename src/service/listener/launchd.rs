//! The socket that launchd passes to this job.
//!
//! Only `imp::activate` is specific to macOS; the rest is compiled and tested on every system.

use std::net::TcpListener;
use std::os::fd::RawFd;

use super::{Error, NAME, inherited};

/// Why launchd passes no socket.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "macos"), allow(dead_code))]
enum ActivateError {
    /// This process is not a launchd job, or its plist has no socket of this name.
    NoSocket,
    /// Another reason, in launchd's words.
    Other(String),
}

/// Takes the socket named [`NAME`]; `None` if launchd has none for this process.
///
/// # Errors
/// When launchd has one and does not pass it, or it is not the right kind of socket.
pub(super) fn inherit() -> Result<Option<TcpListener>, Error> {
    inherit_from(imp::activate)
}

fn inherit_from(
    activate: impl FnOnce(&str) -> Result<Vec<RawFd>, ActivateError>,
) -> Result<Option<TcpListener>, Error> {
    match activate(NAME) {
        Err(ActivateError::NoSocket) => Ok(None),
        Err(ActivateError::Other(reason)) => Err(Error::Launchd { reason }),
        Ok(numbers) => match numbers[..] {
            [number] => {
                inherited::take(number).map(Some).map_err(|found| Error::WrongSocket { found })
            }
            _ => Err(Error::Launchd {
                reason: format!("it has {} sockets instead of one", numbers.len()),
            }),
        },
    }
}

#[cfg(target_os = "macos")]
mod imp {
    use std::os::fd::RawFd;

    use super::ActivateError;

    pub(super) fn activate(name: &str) -> Result<Vec<RawFd>, ActivateError> {
        raunch::activate_socket(name).map_err(|error| match error {
            raunch::Error::NotManaged | raunch::Error::NotInPlist => ActivateError::NoSocket,
            other => ActivateError::Other(other.to_string()),
        })
    }
}

#[cfg(not(target_os = "macos"))]
mod imp {
    use std::os::fd::RawFd;

    use super::ActivateError;

    pub(super) fn activate(_name: &str) -> Result<Vec<RawFd>, ActivateError> {
        Err(ActivateError::NoSocket)
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::IntoRawFd;

    use super::*;

    fn socket(address: &str) -> RawFd {
        TcpListener::bind(address).unwrap().into_raw_fd()
    }

    #[test]
    fn the_socket_of_the_plist_is_found_by_its_name() {
        let taken = inherit_from(|name| {
            assert_eq!(name, "bproxy");
            Ok(vec![socket("127.0.0.1:0")])
        });
        assert!(taken.unwrap().unwrap().local_addr().unwrap().ip().is_loopback());
    }

    #[test]
    fn a_process_that_is_not_a_job_has_no_socket() {
        assert!(inherit_from(|_| Err(ActivateError::NoSocket)).unwrap().is_none());
        assert!(cfg!(target_os = "macos") || inherit().unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_the_daemons_socket_is_refused_with_the_name_and_the_reason() {
        let several = || vec![socket("127.0.0.1:0"), socket("127.0.0.1:0")];
        let refusals = [
            (inherit_from(|_| Ok(vec![])), "0 sockets"),
            (inherit_from(|_| Ok(several())), "2 sockets"),
            (inherit_from(|_| Ok(vec![socket("0.0.0.0:0")])), "0.0.0.0"),
            (
                inherit_from(|_| Err(ActivateError::Other("already activated".into()))),
                "already activated",
            ),
        ];
        for (refused, reason) in refusals {
            let message = refused.unwrap_err().to_string();
            assert!(message.contains("bproxy") && message.contains(reason), "{message}");
        }
    }
}

//! The socket that launchd holds for this job, as its plist names it.
//!
//! Only `activate` belongs to macOS; what is made of its answer is the same everywhere, and tested everywhere.

use std::net::TcpListener;
use std::os::fd::RawFd;

use super::{Error, NAME, handed};

/// Why launchd hands nothing over.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "macos"), allow(dead_code))]
enum Refusal {
    /// This process is not a job of launchd's, or one whose plist names no such socket.
    NotAJob,
    /// Anything else, in launchd's words.
    Other(String),
}

/// Takes the socket named [`NAME`]; `None` where launchd has none for this process.
///
/// # Errors
/// When launchd has one and does not hand it over, or it is not the right kind of socket.
pub(super) fn take() -> Result<Option<TcpListener>, Error> {
    take_from(imp::activate)
}

fn take_from(
    activate: impl FnOnce(&str) -> Result<Vec<RawFd>, Refusal>,
) -> Result<Option<TcpListener>, Error> {
    match activate(NAME) {
        Err(Refusal::NotAJob) => Ok(None),
        Err(Refusal::Other(reason)) => Err(Error::Launchd { reason }),
        Ok(numbers) => match numbers[..] {
            [number] => handed::take(number).map(Some).map_err(|got| Error::Wrong { got }),
            _ => Err(Error::Launchd {
                reason: format!("it is {} sockets, where one is wanted", numbers.len()),
            }),
        },
    }
}

#[cfg(target_os = "macos")]
mod imp {
    use std::os::fd::RawFd;

    use super::Refusal;

    pub(super) fn activate(name: &str) -> Result<Vec<RawFd>, Refusal> {
        raunch::activate_socket(name).map_err(|error| match error {
            raunch::Error::NotManaged | raunch::Error::NotInPlist => Refusal::NotAJob,
            other => Refusal::Other(other.to_string()),
        })
    }
}

#[cfg(not(target_os = "macos"))]
mod imp {
    use std::os::fd::RawFd;

    use super::Refusal;

    pub(super) fn activate(_name: &str) -> Result<Vec<RawFd>, Refusal> {
        Err(Refusal::NotAJob)
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
    fn the_one_socket_of_the_plist_is_taken_by_its_name() {
        let taken = take_from(|name| {
            assert_eq!(name, "bproxy");
            Ok(vec![socket("127.0.0.1:0")])
        });
        assert!(taken.unwrap().unwrap().local_addr().unwrap().ip().is_loopback());
    }

    #[test]
    fn a_process_that_is_no_job_has_no_socket() {
        assert!(take_from(|_| Err(Refusal::NotAJob)).unwrap().is_none());
        assert!(cfg!(target_os = "macos") || take().unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_the_daemons_socket_is_refused_with_the_name_and_the_reason() {
        let several = || vec![socket("127.0.0.1:0"), socket("127.0.0.1:0")];
        let refusals = [
            (take_from(|_| Ok(vec![])), "0 sockets"),
            (take_from(|_| Ok(several())), "2 sockets"),
            (take_from(|_| Ok(vec![socket("0.0.0.0:0")])), "0.0.0.0"),
            (take_from(|_| Err(Refusal::Other("already activated".into()))), "already activated"),
        ];
        for (refused, reason) in refusals {
            let message = refused.unwrap_err().to_string();
            assert!(message.contains("bproxy") && message.contains(reason), "{message}");
        }
    }
}

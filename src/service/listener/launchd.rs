//! The sockets that launchd passes to this job.
//!
//! Only `imp::activate` is specific to macOS; the rest is compiled and tested on every system.

use std::os::fd::RawFd;

use super::inherited::{self, Inherited};
use super::{Error, NAME};

/// The key of the Unix socket below `Sockets` in the plist; one key has all sockets of one address.
const LOCAL: &str = "local";

/// Why launchd passes no socket.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "macos"), allow(dead_code))]
enum ActivateError {
    /// This process is not a launchd job, or its plist has no socket of this name.
    NoSocket,
    /// Another reason, in launchd's words.
    Other(String),
}

/// Takes the socket named [`NAME`], and the one named [`LOCAL`] if there is one; `None` if launchd has none for this
/// process.
///
/// # Errors
/// When launchd has one and does not pass it, or it is not the right kind of socket.
pub(super) fn inherit() -> Result<Option<Vec<Inherited>>, Error> {
    inherit_from(imp::activate)
}

fn inherit_from(
    activate: impl Fn(&str) -> Result<Vec<RawFd>, ActivateError>,
) -> Result<Option<Vec<Inherited>>, Error> {
    let Some(port) = inherit_one(&activate, NAME)? else { return Ok(None) };
    // A plist of an older version has no such key.
    let local = inherit_one(&activate, LOCAL)?;
    Ok(Some(std::iter::once(port).chain(local).collect()))
}

fn inherit_one(
    activate: impl Fn(&str) -> Result<Vec<RawFd>, ActivateError>,
    name: &str,
) -> Result<Option<Inherited>, Error> {
    let failed = |reason: String| Error::Launchd { name: name.to_owned(), reason };
    match activate(name) {
        Err(ActivateError::NoSocket) => Ok(None),
        Err(ActivateError::Other(reason)) => Err(failed(reason)),
        Ok(numbers) => match numbers[..] {
            [number] => {
                inherited::take(number).map(Some).map_err(|found| Error::WrongSocket { found })
            }
            _ => Err(failed(format!("it has {} sockets instead of one", numbers.len()))),
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
    use std::net::TcpListener;
    use std::os::fd::IntoRawFd;
    use std::os::unix::net::UnixListener;

    use super::*;

    fn socket(address: &str) -> RawFd {
        TcpListener::bind(address).unwrap().into_raw_fd()
    }

    #[test]
    fn the_sockets_of_the_plist_are_found_by_their_names() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let taken = inherit_from(|name| {
            Ok(vec![match name {
                "bproxy" => socket("127.0.0.1:0"),
                "local" => UnixListener::bind(&path).unwrap().into_raw_fd(),
                other => panic!("{other}"),
            }])
        });
        assert!(matches!(taken.unwrap().unwrap()[..], [Inherited::Port(_), Inherited::Local(_)]));
        let older = inherit_from(|name| match name {
            "bproxy" => Ok(vec![socket("127.0.0.1:0")]),
            _ => Err(ActivateError::NoSocket),
        });
        assert!(matches!(older.unwrap().unwrap()[..], [Inherited::Port(_)]));
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

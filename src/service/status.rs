//! The JSON output of `bproxy service start`, `stop` and `status`.

use serde::{Deserialize, Serialize};

use crate::home::{self, Home};
use crate::protocol::{self, Health};
use crate::supervisor::ServiceState;

/// Why the output cannot be produced.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The pairing code's file cannot be read.
    #[error(transparent)]
    Home(#[from] home::Error),
    /// The pairing code's file is missing or damaged.
    #[error("{0} does not hold a pairing code: run `bproxy service restart`")]
    Pairing(String),
}

/// What manages a daemon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ManagedBy {
    /// The user's systemd.
    Systemd,
    /// The user's launchd.
    Launchd,
    /// No service manager: the daemon was started by hand.
    #[default]
    #[serde(rename = "self")]
    Itself,
}

impl ManagedBy {
    /// The name, as in the JSON output.
    pub fn as_str(self) -> &'static str {
        match self {
            ManagedBy::Systemd => "systemd",
            ManagedBy::Launchd => "launchd",
            ManagedBy::Itself => "self",
        }
    }
}

/// The message of a daemon that has become ready.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    running: bool,
    pid: u32,
    port: u16,
    pairing_code: String,
    pairing_expires_at: u64,
    managed_by: ManagedBy,
}

impl Started {
    /// The message for the daemon `pid`, with the pairing code that it has written to `home`.
    pub(super) fn read(
        home: &Home,
        pid: u32,
        port: u16,
        managed_by: ManagedBy,
    ) -> Result<Started, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Pairing {
            pairing_code: String,
            pairing_expires_at: u64,
        }
        let path = home.pairing();
        let bytes = home.read_secret(&path)?;
        let pairing: Pairing = bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| Error::Pairing(path.display().to_string()))?;
        let Pairing { pairing_code, pairing_expires_at } = pairing;
        Ok(Started { running: true, pid, port, pairing_code, pairing_expires_at, managed_by })
    }

    /// One line of JSON, with a newline.
    pub(super) fn to_line(&self) -> String {
        line(self)
    }

    /// Whether a line is such a message.
    pub(super) fn is_valid(line: &str) -> bool {
        serde_json::from_str::<Started>(line).is_ok()
    }
}

/// The output after the daemon was stopped, or was not running.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stopped {
    running: bool,
    managed_by: ManagedBy,
}

impl Stopped {
    /// The output for a daemon with this manager.
    pub(super) fn managed_by(managed_by: ManagedBy) -> Stopped {
        Stopped { running: false, managed_by }
    }

    /// One line of JSON, with a newline.
    pub(super) fn to_line(&self) -> String {
        line(self)
    }
}

/// Whether a daemon runs, and its details.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    running: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    version: String,
    protocol_version: u32,
    /// Only if the tokens are in files although the keyring is preferred.
    #[serde(flatten)]
    secrets: Option<Secrets>,
    managed_by: ManagedBy,
    /// How the service failed, in its manager's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
    /// Whether a running daemon did not answer.
    #[serde(skip)]
    is_unresponsive: bool,
}

/// Which store has the tokens, and why not the keyring.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Secrets {
    secret_store: String,
    secret_store_reason: String,
}

impl Status {
    /// The status without a daemon; the versions are this program's.
    pub(super) fn stopped() -> Status {
        Status {
            running: false,
            pid: None,
            port: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol_version: protocol::VERSION,
            secrets: None,
            managed_by: ManagedBy::Itself,
            failed: None,
            is_unresponsive: false,
        }
    }

    /// Sets the manager and the state of its service: if this is its daemon, or none runs.
    pub(super) fn managed_by(self, managed_by: ManagedBy, service: ServiceState) -> Status {
        let is_managed = !self.running || self.pid == service.pid;
        let failed = service.failed.filter(|_| !self.running);
        Status { managed_by: if is_managed { managed_by } else { self.managed_by }, failed, ..self }
    }

    /// The status of the daemon `pid`; the versions are from its health, else this program's.
    pub(super) fn running(pid: i32, port: Option<u16>, health: Option<Health>) -> Status {
        let status = Status { running: true, pid: Some(pid), port, ..Status::stopped() };
        let Some(health) = health else { return Status { is_unresponsive: true, ..status } };
        let Health { version, protocol_version, secret_store, secret_store_reason, .. } = health;
        let secrets = secret_store.zip(secret_store_reason);
        let secrets = secrets.map(|(secret_store, secret_store_reason)| Secrets {
            secret_store,
            secret_store_reason,
        });
        Status { version, protocol_version, secrets, ..status }
    }

    /// Whether a daemon runs.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// A warning for the person, if there is one.
    pub fn warning(&self) -> Option<String> {
        if let Some(failed) = &self.failed {
            return Some(format!("the service has failed ({failed}): `bproxy doctor` says why"));
        }
        let pid = self.pid?;
        let ours = env!("CARGO_PKG_VERSION");
        if !self.is_unresponsive && self.version != ours {
            let theirs = &self.version;
            return Some(format!(
                "the daemon is bproxy {theirs}, and this is {ours}: run `bproxy service restart`"
            ));
        }
        self.is_unresponsive.then(|| match self.port {
            None => format!("the daemon (process {pid}) is starting or stopping"),
            Some(port) => format!(
                "the daemon (process {pid}) does not answer on port {port}; the versions shown are this program's: \
                 try `bproxy service restart`"
            ),
        })
    }

    /// One line of JSON, with a newline.
    pub fn to_line(&self) -> String {
        line(self)
    }
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain values become JSON") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_of_another_version_causes_a_warning_with_the_remedy() {
        let status = |version: &str| {
            let health = Health { version: version.to_owned(), ..Health::public() };
            Status::running(1, Some(2), Some(health))
        };
        assert_eq!(status(env!("CARGO_PKG_VERSION")).warning(), None);
        let warning = status("0.0.9").warning().unwrap();
        assert!(warning.contains("0.0.9") && warning.contains("service restart"), "{warning}");
    }
}

//! What `service start`, `stop` and `status` say, in JSON.

use serde::{Deserialize, Serialize};

use crate::home::{self, Home};
use crate::protocol::{self, Health};

/// Why the state of the daemon cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The pairing code's file cannot be read.
    #[error(transparent)]
    Home(#[from] home::Error),
    /// The pairing code's file is not there, or not what the daemon writes.
    #[error("{0} does not hold a pairing code: run `bproxy service restart`")]
    Pairing(String),
}

/// Who starts and stops a daemon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ManagedBy {
    /// The user's systemd.
    Systemd,
    /// The user's launchd.
    Launchd,
    /// Nobody: it was started by hand.
    #[default]
    #[serde(rename = "self")]
    Itself,
}

impl ManagedBy {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            ManagedBy::Systemd => "systemd",
            ManagedBy::Launchd => "launchd",
            ManagedBy::Itself => "self",
        }
    }
}

/// A daemon that has become ready.
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
    /// Of the daemon `pid`, with the pairing code that it has written.
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

    /// As one line of JSON, with its end.
    pub(super) fn to_line(&self) -> String {
        line(self)
    }

    /// Whether a line is what a daemon says when it is ready.
    pub(super) fn is_said_by(line: &str) -> bool {
        serde_json::from_str::<Started>(line).is_ok()
    }
}

/// A daemon that has ended, or none.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stopped {
    running: bool,
    managed_by: ManagedBy,
}

impl Stopped {
    /// One that was, or would be, managed so.
    pub(super) fn managed_by(managed_by: ManagedBy) -> Stopped {
        Stopped { running: false, managed_by }
    }

    /// As one line of JSON, with its end.
    pub(super) fn to_line(&self) -> String {
        line(self)
    }
}

/// Whether a daemon runs, and which.
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
    /// Told only where the tokens are not where they should be.
    #[serde(flatten)]
    secrets: Option<Secrets>,
    managed_by: ManagedBy,
    #[serde(skip)]
    mute: bool,
}

/// Where the tokens are, and why not in the keyring.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Secrets {
    secret_store: String,
    secret_store_reason: String,
}

impl Status {
    /// No daemon; the versions are this program's.
    pub(super) fn stopped() -> Status {
        Status {
            running: false,
            pid: None,
            port: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol_version: protocol::VERSION,
            secrets: None,
            managed_by: ManagedBy::Itself,
            mute: false,
        }
    }

    /// The same, managed so if it is the daemon `pid`; one that does not run would be.
    pub(super) fn managed_by(self, managed_by: ManagedBy, pid: Option<i32>) -> Status {
        let is_it = !self.running || self.pid == pid;
        Status { managed_by: if is_it { managed_by } else { self.managed_by }, ..self }
    }

    /// The daemon `pid`; the versions are its own where it tells them.
    pub(super) fn running(pid: i32, port: Option<u16>, health: Option<Health>) -> Status {
        let status = Status { running: true, pid: Some(pid), port, ..Status::stopped() };
        let Some(health) = health else { return Status { mute: true, ..status } };
        let Health { version, protocol_version, secret_store, secret_store_reason, .. } = health;
        let secrets = secret_store.zip(secret_store_reason);
        let secrets = secrets.map(|(secret_store, secret_store_reason)| Secrets {
            secret_store,
            secret_store_reason,
        });
        Status { version, protocol_version, secrets, ..status }
    }

    /// Whether there is one.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// What people should know besides.
    pub fn trouble(&self) -> Option<String> {
        let pid = self.pid?;
        let ours = env!("CARGO_PKG_VERSION");
        if !self.mute && self.version != ours {
            let theirs = &self.version;
            return Some(format!(
                "the daemon is bproxy {theirs}, and this is {ours}: run `bproxy service restart`"
            ));
        }
        self.mute.then(|| match self.port {
            None => format!("the daemon (process {pid}) is starting or stopping"),
            Some(port) => format!(
                "the daemon (process {pid}) does not answer on port {port}; the versions shown are this program's: \
                 try `bproxy service restart`"
            ),
        })
    }

    /// As one line of JSON, with its end.
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
    fn a_daemon_of_another_version_is_told_with_what_makes_both_the_same() {
        let status = |version: &str| {
            let health = Health { version: version.to_owned(), ..Health::public() };
            Status::running(1, Some(2), Some(health))
        };
        assert_eq!(status(env!("CARGO_PKG_VERSION")).trouble(), None);
        let trouble = status("0.0.9").trouble().unwrap();
        assert!(trouble.contains("0.0.9") && trouble.contains("service restart"), "{trouble}");
    }
}

//! The answer to `GET /health`.

use serde::{Deserialize, Serialize};

use super::VERSION;

/// The daemon's health. The optional members are for callers that show its token; a daemon of another version leaves
/// out those that it does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Always `ok`: a daemon that cannot serve does not answer.
    pub status: String,
    /// The version of bproxy that the daemon runs.
    pub version: String,
    /// The newest version of the protocol that the daemon speaks.
    pub protocol_version: u32,
    /// Its process id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// How long it has been running, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_sec: Option<u64>,
    /// The memory that it holds, in bytes; 0 if the system does not report it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rss_bytes: Option<u64>,
    /// How many browsers are connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ws_clients: Option<usize>,
    /// How many sessions there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<usize>,
    /// What started it: `systemd`, `launchd` or `standalone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<String>,
    /// Where its tokens are kept: `file` or `keyring`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_store: Option<String>,
    /// Why the tokens are in files although the keyring is preferred; `None` otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_store_reason: Option<String>,
    /// Why the pairing, which may be in the keyring, cannot be read; `None` otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairing_unreadable: Option<String>,
}

impl Health {
    /// The health of a daemon of this version, without the details.
    pub fn public() -> Health {
        Health {
            status: "ok".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol_version: VERSION,
            pid: None,
            uptime_sec: None,
            rss_bytes: None,
            ws_clients: None,
            sessions: None,
            activation: None,
            secret_store: None,
            secret_store_reason: None,
            pairing_unreadable: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn without_the_token_there_are_three_members() {
        let health = serde_json::to_value(Health::public()).unwrap();
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(health, json!({"status": "ok", "version": version, "protocolVersion": VERSION}));
        assert_eq!(serde_json::from_value::<Health>(health).unwrap(), Health::public());
    }

    #[test]
    fn members_of_a_newer_daemon_are_passed_over() {
        let health = json!({"status": "ok", "version": "9.0.0", "protocolVersion": 9, "mood": "fine",
            "wsClients": 2});
        let health: Health = serde_json::from_value(health).unwrap();
        assert_eq!((health.ws_clients, health.sessions), (Some(2), None));
    }
}

//! What `service start`, `stop` and `status` say, in JSON.

use serde::{Deserialize, Serialize};

use crate::home::{self, Home};

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

/// A daemon that has become ready.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    running: bool,
    pid: u32,
    port: u16,
    pairing_code: String,
    pairing_expires_at: u64,
}

impl Started {
    /// Of the daemon `pid`, with the pairing code that it has written.
    pub(super) fn read(home: &Home, pid: u32, port: u16) -> Result<Started, Error> {
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
        Ok(Started { running: true, pid, port, pairing_code, pairing_expires_at })
    }

    /// As one line of JSON, with its end.
    pub(super) fn to_line(&self) -> String {
        // A struct of plain values cannot fail to become JSON.
        serde_json::to_string(self).expect("plain values become JSON") + "\n"
    }
}

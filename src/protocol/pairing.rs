//! `POST /pair/claim`: what the extension's popup sends, and what it gets.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A claim, with the code as it was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// In any case, with or without spaces and dashes.
    pub code: String,
}

impl Claim {
    /// The claim in a parsed body: an object with a text `code` and nothing else.
    pub fn from_body(body: Value) -> Option<Self> {
        match body {
            Value::Object(mut fields) if fields.len() == 1 => match fields.remove("code") {
                Some(Value::String(code)) => Some(Self { code }),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Why a claim fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ClaimError {
    /// Not a claim, or a code that is unknown or void.
    #[error("PAIRING_CODE_INVALID")]
    Invalid,
    /// The code's time is over.
    #[error("PAIRING_CODE_EXPIRED")]
    Expired,
    /// The code was claimed before.
    #[error("PAIRING_CODE_CONSUMED")]
    Consumed,
    /// Too many failures of late.
    #[error("PAIRING_RATE_LIMITED")]
    RateLimited,
}

/// What a successful claim hands to the extension.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimGranted {
    /// Authenticates `/ws` from now on.
    pub extension_token: String,
    /// Where to connect.
    pub ws_url: String,
    /// See [`super::VERSION`].
    pub protocol_version: u32,
    /// Unix time, ms.
    pub issued_at: i64,
    /// Until when the payload may be accepted, unix time in ms; not the token's life.
    pub expires_at: i64,
    /// Never repeats, so that a payload is accepted once.
    pub nonce: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_claim_is_a_code_and_nothing_else() {
        assert!(Claim::from_body(json!({"code": "abcd efgh"})).is_some());
        for bad in [
            json!({}),
            json!({"code": 1}),
            json!({"code": "a", "more": 1}),
            json!([]),
            json!("code"),
        ] {
            assert_eq!(Claim::from_body(bad), None);
        }
    }
}

//! `POST /pair/claim`: the popup's claim, and the daemon's answer.

use secrecy::SecretString;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::BadRequest;

/// A claim, with the code as it was typed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// In any case, with or without spaces and dashes.
    pub code: SecretString,
}

impl Claim {
    /// The claim in a body: an object with a text `code` and nothing else; `None` where it is something else.
    ///
    /// # Errors
    ///
    /// [`BadRequest`] where the body is not JSON.
    pub fn parse(body: &[u8]) -> Result<Option<Self>, BadRequest> {
        let is_json = |text: &&str| serde_json::from_str::<IgnoredAny>(text).is_ok();
        let text = str::from_utf8(body).ok().filter(is_json).ok_or_else(|| {
            BadRequest("the body is not JSON: expected {\"code\": \"XXXX-XXXX\"}".to_owned())
        })?;
        // Types like this one are read from lists as well.
        let is_object = text.trim_ascii_start().starts_with('{');
        Ok(serde_json::from_str(text).ok().filter(|_| is_object))
    }
}

/// Why a claim fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ClaimError {
    /// Not a claim, or a code that is unknown or void.
    #[error("PAIRING_CODE_INVALID")]
    Invalid,
    /// The code has expired.
    #[error("PAIRING_CODE_EXPIRED")]
    Expired,
    /// The code was claimed before.
    #[error("PAIRING_CODE_CONSUMED")]
    Consumed,
    /// Too many recent failures.
    #[error("PAIRING_RATE_LIMITED")]
    RateLimited,
}

/// The answer to a successful claim; borrows the token, so that only one copy has to be wiped.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimGranted<'a> {
    /// The token that authenticates `/ws` from now on.
    pub extension_token: &'a str,
    /// The address to connect to.
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
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_claim_is_a_code_and_nothing_else() {
        let claim = Claim::parse(br#" {"code": "ab\u0063d efgh"} "#).unwrap().unwrap();
        assert_eq!(claim.code.expose_secret(), "abcd efgh");
        for other in [
            "{}",
            r#"{"code": 1}"#,
            r#"{"code": null}"#,
            r#"{"code": "a", "more": 1}"#,
            r#"{"code": "a", "code": "b"}"#,
            r#"["a"]"#,
            r#""code""#,
        ] {
            assert!(Claim::parse(other.as_bytes()).unwrap().is_none(), "{other}");
        }
        for broken in [&b""[..], b"{", b"{\"code\": \"a\"} x", b"{\"code\": \"\xff\"}"] {
            assert!(Claim::parse(broken).is_err(), "{}", String::from_utf8_lossy(broken));
        }
    }
}

//! Pairing: the code that is valid now, who claimed the last one, and how often it went wrong.

use std::{collections::VecDeque, time::Duration};

use rand::RngExt as _;
use serde::Serialize;
use subtle::ConstantTimeEq as _;

use crate::{
    protocol::ClaimError,
    secrets::{ExtensionCredential, Secret},
};

use super::{Instant, Now};

/// No letters or digits that look alike.
const ALPHABET: &[u8] = b"ABCDEFGHJKMNPQRSTWXYZ23456789";
const CODE_LENGTH: usize = 8;
const CODE_LIFE: Duration = Duration::from_millis(CODE_LIFE_MS as u64);
/// How long a code is valid, and how long a claim's payload may be accepted, in ms (protocol §9).
pub const CODE_LIFE_MS: i64 = 5 * 60 * 1000;
/// So many failures in a [`WINDOW`] stop all claims.
const MAX_FAILURES: usize = 5;
const WINDOW: Duration = Duration::from_secs(60);

/// A fresh code, as `pairing.json` holds it and clients see it.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuedCode {
    /// `XXXX-XXXX`.
    pub pairing_code: String,
    /// Unix time, ms.
    pub pairing_expires_at: i64,
    /// Unix time, ms.
    pub issued_at: i64,
}

struct Code {
    /// Eight characters without the dash.
    text: String,
    expires: Instant,
    consumed: bool,
}

/// The pairing of this daemon with its extensions.
#[derive(Default)]
pub(super) struct Pairing {
    code: Option<Code>,
    failures: VecDeque<Instant>,
    credential: Option<ExtensionCredential>,
}

/// What came of a `/ws` secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenCheck {
    /// Not the active token.
    Unknown,
    /// The token is bound to another extension.
    ForeignOrigin,
    /// As it must be.
    Valid,
    /// As it must be, and bound to this Origin just now: worth storing.
    Bound,
}

impl Pairing {
    pub(super) fn new(credential: Option<ExtensionCredential>) -> Self {
        Self { credential, ..Self::default() }
    }

    /// A fresh code; the one before is void.
    pub(super) fn issue(&mut self, now: Now) -> IssuedCode {
        let mut rng = rand::rng();
        let text: String = (0..CODE_LENGTH)
            .map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]))
            .collect();
        let issued = IssuedCode {
            pairing_code: format!("{}-{}", &text[..4], &text[4..]),
            pairing_expires_at: now.unix_ms + CODE_LIFE_MS,
            issued_at: now.unix_ms,
        };
        self.code = Some(Code { text, expires: now.instant + CODE_LIFE, consumed: false });
        issued
    }

    /// Consumes the code, if `typed` is it.
    ///
    /// # Errors
    ///
    /// Every failure but [`ClaimError::RateLimited`] counts towards the throttle.
    pub(super) fn claim(&mut self, typed: Option<&str>, now: Instant) -> Result<(), ClaimError> {
        while self.failures.front().is_some_and(|at| now.duration_since(*at) >= WINDOW) {
            self.failures.pop_front();
        }
        if self.failures.len() >= MAX_FAILURES {
            return Err(ClaimError::RateLimited);
        }
        let checked = self.check(typed, now);
        match (&checked, &mut self.code) {
            (Ok(()), Some(code)) => code.consumed = true,
            _ => self.failures.push_back(now),
        }
        checked
    }

    fn check(&self, typed: Option<&str>, now: Instant) -> Result<(), ClaimError> {
        let (Some(typed), Some(code)) = (typed, &self.code) else {
            return Err(ClaimError::Invalid);
        };
        let typed: String = typed
            .chars()
            .filter(|letter| *letter != '-' && !letter.is_whitespace())
            .map(|letter| letter.to_ascii_uppercase())
            .collect();
        if !bool::from(typed.as_bytes().ct_eq(code.text.as_bytes())) {
            Err(ClaimError::Invalid)
        } else if code.consumed {
            Err(ClaimError::Consumed)
        } else if now >= code.expires {
            Err(ClaimError::Expired)
        } else {
            Ok(())
        }
    }

    /// Makes a claim undone whose token could not be stored.
    pub(super) fn unclaim(&mut self) {
        if let Some(code) = &mut self.code {
            code.consumed = false;
        }
    }

    /// From now on only this token is valid.
    pub(super) fn activate(&mut self, credential: ExtensionCredential) {
        self.credential = Some(credential);
    }

    /// Whether `token` opens `/ws` for an extension with this Origin. A token that no Origin has
    /// claimed yet is bound to the first that brings it.
    pub(super) fn check_token(&mut self, token: &[u8], origin: &str) -> TokenCheck {
        match &mut self.credential {
            Some(active) if active.token.matches(token) => match &active.origin {
                Some(bound) if bound == origin => TokenCheck::Valid,
                Some(_) => TokenCheck::ForeignOrigin,
                None => {
                    active.origin = Some(origin.to_owned());
                    TokenCheck::Bound
                }
            },
            _ => TokenCheck::Unknown,
        }
    }

    pub(super) fn credential(&self) -> Option<&ExtensionCredential> {
        self.credential.as_ref()
    }
}

/// A new token for the extension with this Origin.
pub(super) fn new_credential(origin: &str) -> ExtensionCredential {
    ExtensionCredential { token: Secret::random_base64url(), origin: Some(origin.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issued() -> (Pairing, String, Now) {
        let mut pairing = Pairing::default();
        let now = Now { instant: Instant::now(), unix_ms: 1_000 };
        let code = pairing.issue(now);
        assert_eq!(code.pairing_expires_at - code.issued_at, 300_000);
        (pairing, code.pairing_code, now)
    }

    #[test]
    fn a_code_is_two_groups_of_four_from_the_alphabet() {
        let (_, code, _) = issued();
        let groups: Vec<_> = code.split('-').collect();
        assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [4, 4]);
        assert!(groups.concat().bytes().all(|letter| ALPHABET.contains(&letter)));
    }

    #[test]
    fn a_code_is_claimed_once_however_it_is_typed() {
        let (mut pairing, code, now) = issued();
        let typed = format!(" {} ", code.to_lowercase().replace('-', " - "));
        assert_eq!(pairing.claim(Some(&typed), now.instant), Ok(()));
        assert_eq!(pairing.claim(Some(&code), now.instant), Err(ClaimError::Consumed));
        let next = pairing.issue(now);
        assert_eq!(pairing.claim(Some(&code), now.instant), Err(ClaimError::Invalid));
        assert_eq!(pairing.claim(Some(&next.pairing_code), now.instant), Ok(()));
    }

    #[test]
    fn a_code_lives_five_minutes() {
        let (mut pairing, code, now) = issued();
        let almost = now.instant + CODE_LIFE - Duration::from_millis(1);
        assert_eq!(pairing.claim(Some(&code), now.instant + CODE_LIFE), Err(ClaimError::Expired));
        assert_eq!(pairing.claim(Some(&code), almost), Ok(()));
    }

    #[test]
    fn five_failures_in_a_minute_stop_the_right_code_too() {
        let (mut pairing, code, now) = issued();
        for second in 0..5 {
            let at = now.instant + Duration::from_secs(second);
            assert_eq!(pairing.claim(None, at), Err(ClaimError::Invalid));
        }
        for second in [5, 59] {
            let at = now.instant + Duration::from_secs(second);
            assert_eq!(pairing.claim(Some(&code), at), Err(ClaimError::RateLimited));
        }
        assert_eq!(pairing.claim(Some(&code), now.instant + WINDOW), Ok(()));
    }

    #[test]
    fn a_token_without_an_origin_belongs_to_the_first_that_brings_it() {
        let credential = ExtensionCredential { token: Secret::new("secret".into()), origin: None };
        let mut pairing = Pairing::new(Some(credential));
        assert_eq!(pairing.check_token(b"other", "chrome-extension://a"), TokenCheck::Unknown);
        assert_eq!(pairing.check_token(b"secret", "chrome-extension://a"), TokenCheck::Bound);
        assert_eq!(pairing.check_token(b"secret", "chrome-extension://a"), TokenCheck::Valid);
        assert_eq!(
            pairing.check_token(b"secret", "chrome-extension://b"),
            TokenCheck::ForeignOrigin
        );
    }
}

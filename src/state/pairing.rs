//! Pairing: the current code, whether it was claimed, failed claims, and the token of the paired extension.

use std::{collections::VecDeque, time::Duration};

use rand::RngExt as _;
use secrecy::zeroize::Zeroizing;
use serde::Serialize;

use crate::{
    home,
    protocol::{CLAIM_WINDOW, CODE_LIFE_MS, ClaimError, MAX_CLAIM_FAILURES},
    secrets::{ExtensionCredential, Secret},
};

use super::{CloseReason, Instant, Now, State};

/// Without letters and digits that look alike.
const ALPHABET: &[u8] = b"ABCDEFGHJKMNPQRSTWXYZ23456789";
const CODE_LENGTH: usize = 8;
const CODE_LIFE: Duration = Duration::from_millis(CODE_LIFE_MS as u64);

/// A fresh code, as `pairing.json` holds it and clients see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuedCode {
    /// `XXXX-XXXX`.
    #[serde(serialize_with = "Secret::serialize_exposed")]
    pub pairing_code: Secret,
    /// Unix time, ms.
    pub pairing_expires_at: i64,
    /// Unix time, ms.
    pub issued_at: i64,
}

struct Code {
    /// Eight characters without the dash.
    text: Secret,
    expires: Instant,
    consumed: bool,
}

impl Code {
    /// Whether this is what was typed, compared in a time that depends only on the length.
    fn is(&self, typed: &str) -> bool {
        // Allocated at full size: growing would leave an unwiped copy behind.
        let mut text = Zeroizing::new(String::with_capacity(typed.len()));
        let letters = typed.chars().filter(|letter| *letter != '-' && !letter.is_whitespace());
        text.extend(letters.map(|letter| letter.to_ascii_uppercase()));
        self.text.matches(text.as_bytes())
    }
}

/// The pairing of this daemon with its extensions.
#[derive(Default)]
pub(super) struct Pairing {
    code: Option<Code>,
    failures: VecDeque<Instant>,
    credential: Option<ExtensionCredential>,
    /// Why a credential that may be in the keyring cannot be read.
    unreadable: Option<String>,
}

impl Pairing {
    pub(super) fn new(credential: Option<ExtensionCredential>) -> Self {
        Self { credential, ..Self::default() }
    }

    /// Issues a new code, which invalidates the previous one.
    pub(super) fn issue(&mut self, now: Now) -> IssuedCode {
        let mut rng = rand::rng();
        let mut text = String::with_capacity(CODE_LENGTH);
        text.extend(
            (0..CODE_LENGTH).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])),
        );
        let text = Secret::new(text);
        let (first, second) = text.expose().split_at(CODE_LENGTH / 2);
        let issued = IssuedCode {
            pairing_code: Secret::new([first, "-", second].concat()),
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
        while self.failures.front().is_some_and(|at| now.duration_since(*at) >= CLAIM_WINDOW) {
            self.failures.pop_front();
        }
        if self.failures.len() >= MAX_CLAIM_FAILURES {
            return Err(ClaimError::RateLimited);
        }
        let checked = self.check(typed, now);
        match (&checked, &mut self.code) {
            (Ok(()), Some(code)) => code.consumed = true,
            _ => self.failures.push_back(now),
        }
        checked
    }

    /// How long the throttle blocks claims from now on.
    pub(super) fn throttled_for(&self, now: Instant) -> Duration {
        let full = self.failures.len() >= MAX_CLAIM_FAILURES;
        let oldest = self.failures.front().filter(|_| full);
        oldest.map_or(Duration::ZERO, |at| (*at + CLAIM_WINDOW).saturating_duration_since(now))
    }

    fn check(&self, typed: Option<&str>, now: Instant) -> Result<(), ClaimError> {
        let (Some(typed), Some(code)) = (typed, &self.code) else {
            return Err(ClaimError::Invalid);
        };
        if !code.is(typed) {
            Err(ClaimError::Invalid)
        } else if code.consumed {
            Err(ClaimError::Consumed)
        } else if now >= code.expires {
            Err(ClaimError::Expired)
        } else {
            Ok(())
        }
    }

    /// Undoes the claim of this code, unless another one has been issued since.
    pub(super) fn unclaim(&mut self, typed: &str) {
        if let Some(code) = self.code.as_mut().filter(|code| code.is(typed)) {
            code.consumed = false;
        }
    }

    /// From now on only this token is valid.
    pub(super) fn activate(&mut self, credential: ExtensionCredential) {
        self.credential = Some(credential);
    }

    /// Binds the active token to the extension with this Origin.
    pub(super) fn bind(&mut self, origin: &str) {
        if let Some(active) = &mut self.credential {
            active.origin = Some(origin.to_owned());
        }
    }

    pub(super) fn credential(&self) -> Option<&ExtensionCredential> {
        self.credential.as_ref()
    }

    /// Why the pairing cannot be read; `None` if there is one in use, or none that could be read.
    pub(super) fn unreadable(&self) -> Option<&str> {
        self.unreadable.as_deref().filter(|_| self.credential.is_none())
    }
}

/// A new token for the extension with this Origin.
pub(super) fn new_credential(origin: &str) -> ExtensionCredential {
    ExtensionCredential { token: Secret::random_base64url(), origin: Some(origin.to_owned()) }
}

impl State {
    /// Issues a new pairing code, which invalidates the previous one, and writes it into the state directory.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn issue_code(&self, now: Now) -> Result<IssuedCode, home::Error> {
        self.with(|inner| {
            let code = inner.pairing.issue(now);
            inner.storage.write_pairing_code(&code)?;
            Ok(code)
        })
    }

    /// Consumes the pairing code and returns a token for the extension with this Origin, which is
    /// not valid before [`State::activate`].
    ///
    /// # Errors
    ///
    /// See [`ClaimError`]; `typed` is none if the body was no claim.
    pub fn claim(
        &self,
        typed: Option<&str>,
        origin: &str,
        now: Now,
    ) -> Result<ExtensionCredential, ClaimError> {
        self.with(|inner| inner.pairing.claim(typed, now.instant))?;
        Ok(new_credential(origin))
    }

    /// How long the throttle blocks claims from now on.
    pub fn throttled_for(&self, now: Now) -> std::time::Duration {
        self.with(|inner| inner.pairing.throttled_for(now.instant))
    }

    /// Undoes the claim of this code, whose token could not be stored.
    pub fn unclaim(&self, typed: &str) {
        self.with(|inner| inner.pairing.unclaim(typed));
    }

    /// Only this token is valid from now on; connections with the one before are ended.
    pub fn activate(&self, credential: ExtensionCredential) {
        self.with(|inner| inner.pairing.activate(credential));
        self.close_all(CloseReason::NewPairing);
    }

    /// Says why the pairing cannot be read, if it may be in a keyring that cannot be used now.
    pub fn set_unreadable_pairing(&self, reason: Option<String>) {
        self.with(|inner| inner.pairing.unreadable = reason);
    }

    /// Why the pairing cannot be read; `None` if there is one in use, or none that could be read.
    pub fn unreadable_pairing(&self) -> Option<String> {
        self.with(|inner| inner.pairing.unreadable().map(str::to_owned))
    }

    /// The pairing that can be read by now. One that was made in the meantime stays.
    pub fn recover(&self, credential: Option<ExtensionCredential>) {
        self.with(|inner| {
            inner.pairing.unreadable = None;
            let current = inner.pairing.credential.take();
            inner.pairing.credential = current.or(credential);
        });
    }

    /// The active token of the extension.
    pub fn credential(&self) -> Option<ExtensionCredential> {
        self.with(|inner| inner.pairing.credential().cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issued() -> (Pairing, String, Now) {
        let mut pairing = Pairing::default();
        let now = Now { instant: Instant::now(), unix_ms: 1_000 };
        let code = pairing.issue(now);
        assert_eq!(code.pairing_expires_at - code.issued_at, 300_000);
        (pairing, code.pairing_code.expose().to_owned(), now)
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
        assert_eq!(pairing.claim(Some(next.pairing_code.expose()), now.instant), Ok(()));
    }

    #[test]
    fn a_claim_is_made_undone_only_while_its_code_is_the_latest() {
        let (mut pairing, code, now) = issued();
        assert_eq!(pairing.claim(Some(&code), now.instant), Ok(()));
        pairing.unclaim(&code);
        assert_eq!(pairing.claim(Some(&code), now.instant), Ok(()));
        let next = pairing.issue(now).pairing_code;
        assert_eq!(pairing.claim(Some(next.expose()), now.instant), Ok(()));
        pairing.unclaim(&code);
        assert_eq!(pairing.claim(Some(next.expose()), now.instant), Err(ClaimError::Consumed));
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
            assert_eq!(pairing.throttled_for(at), Duration::from_secs(60 - second));
        }
        assert_eq!(pairing.claim(Some(&code), now.instant + CLAIM_WINDOW), Ok(()));
    }

    #[test]
    fn a_failure_less_leaves_the_right_code_its_chance() {
        let (mut pairing, code, now) = issued();
        for _ in 1..MAX_CLAIM_FAILURES {
            assert_eq!(pairing.claim(None, now.instant), Err(ClaimError::Invalid));
        }
        assert_eq!(pairing.claim(Some(&code), now.instant), Ok(()));
    }
}

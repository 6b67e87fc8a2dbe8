//! The daemon's side of the proofs: nonces for challenges, and the proofs that come back with them.
//!
//! A nonce carries its time and a MAC of this process, so that nothing is kept for a challenge that nobody follows up.
//! Only used nonces are remembered, as long as they would be valid.

use std::collections::HashMap;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::{
    protocol::{Challenge, NONCE_LIFE, Proof},
    secrets::Secret,
};

use super::{ClientId, Instant, Now, Process, State};

/// The bytes of a nonce: the time of its issue in milliseconds, something unique, and the MAC of both.
const TIME_BYTES: usize = 8;
const UNIQUE_BYTES: usize = 16;
const MAC_BYTES: usize = 32;
const NONCE_BYTES: usize = TIME_BYTES + UNIQUE_BYTES + MAC_BYTES;

/// The result of checking the proof of a `/ws` request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProofCheck {
    /// None, not exactly one, wrong, used before, or too old.
    Wrong,
    /// The token is bound to another extension.
    ForeignOrigin,
    /// Valid.
    Valid,
    /// Valid, and the token is bound to this Origin now, which is to be stored.
    Bound,
}

/// What the proofs of one process are made and judged with.
pub(super) struct Proofs {
    port: u16,
    /// From when the time of a nonce is counted.
    started: Instant,
    /// The key of the nonces' MACs.
    nonces: Secret,
    /// The key in place of the token while no extension is paired: nobody knows it.
    nobody: Secret,
    /// When each used nonce was issued.
    used: HashMap<String, Instant>,
}

impl Proofs {
    pub(super) fn new(process: Process) -> Self {
        Self {
            port: process.port,
            started: process.started,
            nonces: Secret::random_hex(),
            nobody: Secret::random_hex(),
            used: HashMap::new(),
        }
    }

    fn challenge(&self, token: Option<&Secret>, challenge: &str, now: Instant) -> Challenge {
        let nonce = self.issue(now);
        let proof = Proof::Daemon { challenge, nonce: &nonce }.of(self.key(token), self.port);
        Challenge { nonce, proof }
    }

    /// Whether `offered`, a nonce and a proof with a dot between them, is good now. It is not good again.
    fn redeem(&mut self, token: Option<&Secret>, offered: &str, now: Instant) -> bool {
        self.redeem_as(token, offered, now, |nonce| Proof::Extension { nonce })
    }

    /// The same for another kind of proof, which `of` makes of the nonce.
    fn redeem_as<'a>(
        &mut self,
        token: Option<&Secret>,
        offered: &'a str,
        now: Instant,
        of: impl FnOnce(&'a str) -> Proof<'a>,
    ) -> bool {
        let Some((nonce, proof)) = offered.split_once('.') else { return false };
        self.used.retain(|_, issued| is_alive(*issued, now));
        let issued = self.issued(nonce).filter(|issued| is_alive(*issued, now));
        let is_right = of(nonce).is(proof, self.key(token), self.port);
        match issued {
            Some(issued) if is_right => self.used.insert(nonce.to_owned(), issued).is_none(),
            _ => false,
        }
    }

    fn key<'a>(&'a self, token: Option<&'a Secret>) -> &'a str {
        token.unwrap_or(&self.nobody).expose()
    }

    fn issue(&self, now: Instant) -> String {
        let mut nonce = [0; NONCE_BYTES];
        let (text, mac) = nonce.split_at_mut(TIME_BYTES + UNIQUE_BYTES);
        let (time, unique) = text.split_at_mut(TIME_BYTES);
        let age = now.saturating_duration_since(self.started);
        time.copy_from_slice(&(age.as_millis() as u64).to_be_bytes());
        rand::fill(unique);
        mac.copy_from_slice(&self.mac(text).finalize().into_bytes());
        HEXLOWER.encode(&nonce)
    }

    /// When a nonce was issued; `None` if this process did not issue it.
    fn issued(&self, nonce: &str) -> Option<Instant> {
        let nonce = HEXLOWER.decode(nonce.as_bytes()).ok()?;
        let (text, mac) = nonce.split_at_checked(TIME_BYTES + UNIQUE_BYTES)?;
        self.mac(text).verify_slice(mac).ok()?;
        let age = u64::from_be_bytes(*text.first_chunk()?);
        self.started.checked_add(std::time::Duration::from_millis(age))
    }

    fn mac(&self, text: &[u8]) -> Hmac<Sha256> {
        let key = self.nonces.expose().as_bytes();
        // HMAC takes a key of any length.
        Hmac::new_from_slice(key).expect("any length is valid").chain_update(text)
    }
}

fn is_alive(issued: Instant, now: Instant) -> bool {
    now.saturating_duration_since(issued) <= NONCE_LIFE
}

impl State {
    /// The answer to an extension's challenge: a nonce, and the proof that this daemon knows the extension's token.
    pub fn challenge(&self, challenge: &str, now: Now) -> Challenge {
        self.with(|inner| {
            let token = inner.pairing.credential().map(|credential| &credential.token);
            inner.proofs.challenge(token, challenge, now.instant)
        })
    }

    /// Whether `offered`, a nonce of [`State::challenge`] and a proof with a dot between them, opens `/ws` for this
    /// Origin. Each nonce does once. A token that no Origin has claimed yet is bound to the first that proves it.
    pub fn check_proof(&self, offered: Option<&str>, origin: &str, now: Now) -> ProofCheck {
        self.with(|inner| {
            let credential = inner.pairing.credential();
            let bound = credential.and_then(|credential| credential.origin.as_deref());
            if bound.is_some_and(|bound| bound != origin) {
                return ProofCheck::ForeignOrigin;
            }
            let is_bound = bound.is_some();
            let token = credential.map(|credential| &credential.token);
            match offered {
                Some(offered) if inner.proofs.redeem(token, offered, now.instant) => {
                    if is_bound {
                        return ProofCheck::Valid;
                    }
                    inner.pairing.bind(origin);
                    ProofCheck::Bound
                }
                _ => ProofCheck::Wrong,
            }
        })
    }
}

impl State {
    /// Whether `offered`, as that of [`State::check_proof`], gives this Origin, or no named one, this file of this session.
    pub fn check_file_proof(
        &self,
        offered: &str,
        origin: Option<&str>,
        session: &str,
        file: &str,
        now: Now,
    ) -> ProofCheck {
        self.with(|inner| {
            let credential = inner.pairing.credential();
            let bound = credential.and_then(|credential| credential.origin.as_deref());
            if origin.is_some() && origin != bound {
                return ProofCheck::ForeignOrigin;
            }
            let token = credential.map(|credential| &credential.token);
            let proof = |nonce| Proof::File { nonce, session, file };
            match inner.proofs.redeem_as(token, offered, now.instant, proof) {
                true => ProofCheck::Valid,
                false => ProofCheck::Wrong,
            }
        })
    }
}

impl super::Inner {
    /// Proves on the connection itself that this daemon knows the token: the first message after a hello with `nonce`.
    pub(super) fn welcome(&mut self, client: ClientId, nonce: &str) {
        let Some(opened_with) = self.browsers.nonce_of(client) else { return };
        let token = self.pairing.credential().map(|credential| &credential.token);
        let proof = Proof::Socket { nonce: opened_with, hello: nonce };
        let proof = proof.of(self.proofs.key(token), self.proofs.port);
        let message = serde_json::json!({"type": "welcome", "proof": proof});
        self.browsers.send_first(client, message.to_string().into());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const PORT: u16 = 9615;
    const CHALLENGE: &str = "00112233445566778899aabbccddeeff";

    fn proofs() -> (Proofs, Secret, Instant) {
        let now = Instant::now();
        let process = Process { pid: 1, port: PORT, started: now };
        (Proofs::new(process), Secret::random_base64url(), now)
    }

    fn offer(nonce: &str, token: &Secret) -> String {
        format!("{nonce}.{}", Proof::Extension { nonce }.of(token.expose(), PORT))
    }

    #[test]
    fn a_nonce_is_good_once_for_ten_seconds() {
        let (mut proofs, token, now) = proofs();
        let nonce = |proofs: &Proofs| proofs.challenge(Some(&token), CHALLENGE, now).nonce;
        let (first, second, third) = (nonce(&proofs), nonce(&proofs), nonce(&proofs));
        assert!(first != second && (32..=128).contains(&first.len()));
        let redeem = |proofs: &mut Proofs, nonce: &str, at| {
            proofs.redeem(Some(&token), &offer(nonce, &token), now + at)
        };
        assert!(redeem(&mut proofs, &first, Duration::ZERO));
        assert!(!redeem(&mut proofs, &first, Duration::ZERO), "used");
        assert!(redeem(&mut proofs, &second, NONCE_LIFE));
        assert!(!redeem(&mut proofs, &second, NONCE_LIFE), "used");
        assert!(!redeem(&mut proofs, &third, NONCE_LIFE + Duration::from_millis(1)), "too old");
        assert!(!redeem(&mut proofs, &first, NONCE_LIFE + Duration::from_millis(1)), "too old");
        assert!(proofs.used.is_empty(), "what is too old is forgotten");
    }

    #[test]
    fn only_used_nonces_are_remembered_and_no_number_of_challenges_voids_one() {
        let (mut proofs, token, now) = proofs();
        let first = proofs.challenge(Some(&token), CHALLENGE, now).nonce;
        for _ in 0..10_000 {
            proofs.challenge(Some(&token), CHALLENGE, now);
        }
        let wrong = Secret::random_base64url();
        assert!(!proofs.redeem(Some(&token), &offer(&first, &wrong), now));
        assert!(proofs.used.is_empty());
        assert!(proofs.redeem(Some(&token), &offer(&first, &token), now));
        assert_eq!(proofs.used.len(), 1);
    }

    #[test]
    fn a_nonce_of_another_process_or_a_changed_one_is_refused() {
        let (mut proofs, token, now) = proofs();
        let other = Proofs::new(Process { pid: 1, port: PORT, started: now });
        let foreign = other.challenge(Some(&token), CHALLENGE, now).nonce;
        assert!(!proofs.redeem(Some(&token), &offer(&foreign, &token), now));
        let nonce = proofs.challenge(Some(&token), CHALLENGE, now).nonce;
        for place in 0..nonce.len() {
            let mut changed = nonce.clone().into_bytes();
            changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(!proofs.redeem(Some(&token), &offer(&changed, &token), now), "{place}");
        }
        for other in ["", &nonce[2..], &nonce.to_uppercase(), &format!("{nonce}00")] {
            assert!(!proofs.redeem(Some(&token), &offer(other, &token), now), "{other}");
        }
        assert!(proofs.redeem(Some(&token), &offer(&nonce, &token), now));
    }

    #[test]
    fn without_a_pairing_nobody_can_prove_anything() {
        let (mut proofs, token, now) = proofs();
        let Challenge { nonce, proof } = proofs.challenge(None, CHALLENGE, now);
        for key in [token.expose(), "", proofs.nonces.expose()] {
            let right = Proof::Daemon { challenge: CHALLENGE, nonce: &nonce };
            assert!(!right.is(&proof, key, PORT));
        }
        assert!(!proofs.redeem(None, &offer(&nonce, &token), now));
        assert!(!proofs.redeem(None, &nonce, now));
    }
}

//! Pairing on the clock: a code's life and the window of failures, to the millisecond.

use super::*;
use crate::protocol::{ClaimError, Proof};
use crate::secrets::{ExtensionCredential, Secret};
use crate::state::{Process, ProofCheck};

const ORIGIN: &str = "chrome-extension://a";
const PORT: u16 = 9615;

fn claim(rig: &Rig, code: &str) -> Result<(), ClaimError> {
    rig.state.claim(Some(code), ORIGIN, rig.now()).map(drop)
}

#[test]
fn a_code_is_valid_for_five_minutes_to_the_millisecond() {
    for (ms, expected) in [(299_999, Ok(())), (300_000, Err(ClaimError::Expired))] {
        let mut rig = Rig::new();
        let code = rig.state.issue_code(rig.now()).expect("issued");
        assert_eq!(code.pairing_expires_at, rig.now().unix_ms + 300_000);
        rig.pass(ms);
        assert_eq!(claim(&rig, code.pairing_code.expose()), expected);
    }
}

#[test]
fn a_claimed_code_is_consumed_even_after_its_time_until_the_next_is_issued() {
    let mut rig = Rig::new();
    let code = rig.state.issue_code(rig.now()).expect("issued").pairing_code.expose().to_owned();
    assert_eq!(claim(&rig, &code), Ok(()));
    rig.pass(600_000);
    assert_eq!(claim(&rig, &code), Err(ClaimError::Consumed));
    rig.state.issue_code(rig.now()).expect("issued");
    assert_eq!(claim(&rig, &code), Err(ClaimError::Invalid));
}

#[test]
fn the_window_of_failures_slides() {
    let mut rig = Rig::new();
    let code = rig.state.issue_code(rig.now()).expect("issued").pairing_code.expose().to_owned();
    for _ in 0..5 {
        assert_eq!(claim(&rig, "wrong"), Err(ClaimError::Invalid));
        rig.pass(10_000);
    }
    // The failures were 50, 40, 30, 20 and 10 s ago.
    assert_eq!(claim(&rig, &code), Err(ClaimError::RateLimited));
    rig.pass(9_999);
    assert_eq!(claim(&rig, &code), Err(ClaimError::RateLimited));
    rig.pass(1);
    assert_eq!(claim(&rig, "wrong"), Err(ClaimError::Invalid), "there is room for one");
    assert_eq!(claim(&rig, &code), Err(ClaimError::RateLimited), "which is full again");
    rig.pass(10_000);
    assert_eq!(claim(&rig, &code), Ok(()));
}

#[test]
fn a_token_is_valid_only_once_it_is_activated_and_until_the_next_is() {
    let rig = Rig::new();
    let check = |credential: &crate::secrets::ExtensionCredential| {
        let nonce = rig.state.challenge("", rig.now()).nonce;
        let proof = Proof::Extension { nonce: &nonce }.of(credential.token.expose(), PORT);
        rig.state.check_proof(Some(&format!("{nonce}.{proof}")), ORIGIN, rig.now())
    };
    let claimed = || {
        let code =
            rig.state.issue_code(rig.now()).expect("issued").pairing_code.expose().to_owned();
        rig.state.claim(Some(&code), ORIGIN, rig.now()).expect("the code is right")
    };
    let (first, second) = (claimed(), claimed());
    assert_eq!(check(&first), ProofCheck::Wrong);
    rig.state.activate(first.clone());
    assert_eq!(check(&first), ProofCheck::Valid);
    rig.state.activate(second.clone());
    assert_eq!((check(&first), check(&second)), (ProofCheck::Wrong, ProofCheck::Valid));
}

#[test]
fn a_token_without_an_origin_belongs_to_the_first_that_proves_to_know_it() {
    let token = Secret::random_base64url();
    let credential = ExtensionCredential { token: token.clone(), origin: None };
    let now = Now { instant: Instant::now(), unix_ms: 0 };
    let process = Process { pid: 1, port: PORT, started: now.instant };
    let state = State::new(process, Some(credential), Box::new(()));
    let check = |key: &str, origin| {
        let nonce = state.challenge("", now).nonce;
        let proof = Proof::Extension { nonce: &nonce }.of(key, PORT);
        state.check_proof(Some(&format!("{nonce}.{proof}")), origin, now)
    };
    assert_eq!(check("other", "chrome-extension://b"), ProofCheck::Wrong);
    assert_eq!(check(token.expose(), "chrome-extension://a"), ProofCheck::Bound);
    assert_eq!(check(token.expose(), "chrome-extension://a"), ProofCheck::Valid);
    assert_eq!(check(token.expose(), "chrome-extension://b"), ProofCheck::ForeignOrigin);
    assert_eq!(check("other", "chrome-extension://b"), ProofCheck::ForeignOrigin);
    assert_eq!(state.check_proof(None, "chrome-extension://a", now), ProofCheck::Wrong);
}

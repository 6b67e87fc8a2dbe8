//! `POST /pair/claim`: exchanges a pairing code for the extension's token.

use std::{sync::Arc, time::Duration};

use bytes::{Buf, Bytes};
use futures_util::Stream;
use rand::RngExt as _;
use secrecy::{ExposeSecret as _, zeroize::Zeroizing};
use serde::Serialize;
use serde_json::json;
use warp::{
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    reply::Response,
};

use super::{Context, command::read_json, connection_limit::Connection, now, rejection};
use crate::{
    protocol::{CODE_LIFE_MS, Claim, ClaimError, ClaimGranted, MAX_CLAIM_BYTES, VERSION},
    state::Event,
};

/// Answers a claim.
pub(super) async fn answer<S, B>(
    context: Arc<Context>,
    origin: String,
    connection: Connection,
    content_type: Option<String>,
    body: S,
) -> Response
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
{
    let body = match read_json(content_type.as_deref(), body, MAX_CLAIM_BYTES).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let claim = match Claim::parse(&body) {
        Ok(claim) => claim,
        Err(error) => {
            let message = error.to_string();
            return rejection::refusal(StatusCode::BAD_REQUEST, "BAD_REQUEST", &message);
        }
    };
    if context.state.is_draining() {
        return rejection::reply(rejection::shutting_down());
    }
    let typed = claim.as_ref().map(|claim| claim.code.expose_secret());
    let now = now();
    let credential = match context.state.claim(typed, &origin, now) {
        Ok(credential) => credential,
        Err(ClaimError::RateLimited) => {
            context.state.emit(&Event::PairClaimRateLimited, now);
            return throttle(context.state.throttled_for(now));
        }
        Err(error) => {
            context.state.emit(&Event::PairClaimFailed { code: &error.to_string() }, now);
            return refuse(error, typed.is_some());
        }
    };
    connection.mark_busy();
    let stored = {
        let (secrets, credential) = (context.options.secrets.clone(), credential.clone());
        context.tasks.spawn_blocking(move || secrets.set_extension(&credential)).await
    };
    if !matches!(stored, Ok(Ok(()))) {
        context.state.unclaim(typed.unwrap_or_default());
        if let Ok(Err(error)) = stored {
            tracing::error!(event = "store_failed", problem = %error);
        }
        let message = "the token could not be stored, the code is still valid: the daemon's log has the reason";
        return rejection::refusal(StatusCode::INTERNAL_SERVER_ERROR, "STORE_FAILED", message);
    }
    let granted = granted(&ClaimGranted {
        extension_token: credential.token.expose(),
        ws_url: format!("ws://127.0.0.1:{}/ws", context.port),
        protocol_version: VERSION,
        issued_at: now.unix_ms,
        expires_at: now.unix_ms + CODE_LIFE_MS,
        nonce: format!("{:032x}", rand::rng().random::<u128>()),
    });
    context.state.activate(credential);
    if let Err(error) = context.options.home.remove(&context.options.home.pairing()) {
        tracing::warn!(event = "pairing_file_failed", problem = %error);
    }
    context.state.emit(&Event::PairClaimOk, now);
    rejection::json(StatusCode::OK, granted)
}

/// The answer for the extension, which holds its token and is wiped once it is written.
fn granted(data: &ClaimGranted<'_>) -> Bytes {
    #[derive(Serialize)]
    struct Granted<'a> {
        ok: bool,
        data: &'a ClaimGranted<'a>,
    }
    // Allocated at full size: growing would leave an unwiped copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(1024));
    // Strings and numbers always serialize.
    let _ = serde_json::to_writer(&mut *text, &Granted { ok: true, data });
    Bytes::from_owner(text)
}

/// The answer to every claim while the throttle is on. The wait is rounded up, so that a claim after it is accepted.
fn throttle(wait: Duration) -> Response {
    let body = json!({"ok": false, "error": {"code": ClaimError::RateLimited.to_string()}});
    let mut response = rejection::json(StatusCode::TOO_MANY_REQUESTS, body.to_string());
    let seconds = wait.as_millis().div_ceil(1000) as u64;
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn refuse(error: ClaimError, is_claim: bool) -> Response {
    let code = error.to_string();
    let is_malformed = error == ClaimError::Invalid && !is_claim;
    let status = if is_malformed { StatusCode::BAD_REQUEST } else { StatusCode::UNAUTHORIZED };
    rejection::json(status, json!({"ok": false, "error": {"code": code}}).to_string())
}

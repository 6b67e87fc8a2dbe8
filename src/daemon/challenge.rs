//! `GET /challenge`: proves to the extension that this daemon knows its token.

use std::sync::Arc;

use serde_json::json;
use warp::{
    http::{HeaderValue, StatusCode, header::CACHE_CONTROL},
    reply::Response,
};

use super::{Context, keyring, now, rejection};
use crate::protocol::is_nonce;

/// Answers a challenge: `query` is exactly one parameter `nonce`.
pub(super) async fn answer(context: Arc<Context>, query: String) -> Response {
    let mut response = answer_to(&context, &query).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn answer_to(context: &Context, query: &str) -> Response {
    let Some(nonce) = query.strip_prefix("nonce=").filter(|nonce| is_nonce(nonce)) else {
        let message = "nonce: exactly this parameter is expected, with 32 to 64 hexadecimal digits";
        return rejection::refusal(StatusCode::BAD_REQUEST, "BAD_REQUEST", message);
    };
    if context.state.is_draining() {
        return rejection::reply(rejection::shutting_down());
    }
    if let Some(reason) = context.unreadable_pairing().await {
        return keyring::locked(&reason);
    }
    let data = context.state.challenge(nonce, now());
    rejection::json(StatusCode::OK, json!({"ok": true, "data": data}).to_string())
}

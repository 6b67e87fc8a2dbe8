//! `GET /health`: whether the daemon is there, and to its own user how it fares.

use std::sync::Arc;

use serde_json::json;
use warp::{
    http::{HeaderMap, StatusCode},
    reply::Response,
};

use super::{Context, rejection};
use crate::protocol::VERSION;

/// Answers anyone on this machine; the token opens the details.
pub(super) fn answer(context: Arc<Context>, headers: HeaderMap) -> Response {
    let mut body =
        json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "protocolVersion": VERSION});
    if context.gate.has_bearer(&headers) {
        let (clients, sessions) = context.state.counts();
        body["pid"] = std::process::id().into();
        body["uptimeSec"] = context.started.elapsed().as_secs().into();
        body["rssBytes"] = resident_bytes().into();
        body["wsClients"] = clients.into();
        body["sessions"] = sessions.into();
        body["activation"] = context.options.activation.as_str().into();
        body["secretStore"] = context.options.secrets.name().into();
        if let Some(reason) = context.options.secrets.reason() {
            body["secretStoreReason"] = reason.into();
        }
    }
    rejection::json(StatusCode::OK, body.to_string())
}

/// The memory that the process holds, where the system tells; else 0.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages: Option<u64> = pages.and_then(|statm| statm.split(' ').nth(1)?.parse().ok());
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

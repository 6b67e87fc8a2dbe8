//! `GET /health`: whether the daemon is up, and for its own user how it is doing.

use std::sync::Arc;

use warp::{
    http::{HeaderMap, StatusCode},
    reply::Response,
};

use super::{Context, rejection};
use crate::protocol::Health;

/// Answers anyone on this machine; the token adds the details.
pub(super) fn answer(context: Arc<Context>, headers: HeaderMap) -> Response {
    let public = Health::public();
    let health = if context.gate.has_bearer(&headers) {
        let (clients, sessions) = context.state.counts();
        Health {
            pid: Some(std::process::id()),
            uptime_sec: Some(context.started.elapsed().as_secs()),
            rss_bytes: Some(resident_bytes()),
            ws_clients: Some(clients),
            sessions: Some(sessions),
            activation: Some(context.options.activation.as_str().to_owned()),
            secret_store: Some(context.options.secrets.name().to_owned()),
            secret_store_reason: context.options.secrets.reason(),
            pairing_unreadable: context.state.unreadable_pairing(),
            ..public
        }
    } else {
        public
    };
    // Strings and numbers always serialize.
    let body = serde_json::to_vec(&health).unwrap_or_default();
    rejection::json(StatusCode::OK, body)
}

/// The memory that the process holds, in bytes; 0 if the system does not report it.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages: Option<u64> = pages.and_then(|statm| statm.split(' ').nth(1)?.parse().ok());
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

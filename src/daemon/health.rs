//! `GET /health`: whether the daemon is up, and for its own user how it is doing.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    sync::{Arc, LazyLock},
};

use warp::{
    http::{HeaderMap, StatusCode},
    reply::Response,
};

use super::{Context, door::Door, rejection};
use crate::protocol::Health;

/// Answers anyone on this machine; the token adds the details, and on the Unix socket they are always there.
pub(super) fn answer(context: Arc<Context>, door: Door, headers: HeaderMap) -> Response {
    let public = Health::public();
    let is_known = matches!(door, Door::Local { .. }) || context.gate.has_bearer(&headers);
    let health = if is_known {
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

/// Where the system reports the process's memory; kept open, because the daemon's sandbox does not allow to open it.
static STATM: LazyLock<Option<File>> = LazyLock::new(|| File::open("/proc/self/statm").ok());

/// Opens what answers are read from. Call this before the process is restricted.
pub fn open_sources() {
    LazyLock::force(&STATM);
}

/// The memory that the process holds, in bytes; 0 if the system does not report it.
fn resident_bytes() -> u64 {
    let mut statm = [0; 128];
    let read = STATM.as_ref().and_then(|file| file.read_at(&mut statm, 0).ok()).unwrap_or(0);
    let pages = str::from_utf8(&statm[..read]).ok();
    let pages: Option<u64> = pages.and_then(|statm| statm.split(' ').nth(1)?.parse().ok());
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

//! What the log gets to know of commands and handles (protocol §11): one record per fact, nothing
//! that is filled in.

use crate::protocol::{Action, SessionId, TabHandle};

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End<'a> {
    Ok,
    /// With this error code.
    Failed(&'a str),
    /// Its deadline passed.
    TimedOut,
}

impl<'a> End<'a> {
    /// For the log and the traces: a code that the extension made up is cut short there.
    pub(super) fn error_code(self) -> Option<&'a str> {
        match self {
            Self::Ok => None,
            Self::Failed(code) => Some(clipped(code)),
            Self::TimedOut => Some(crate::protocol::ErrorCode::Timeout.name()),
        }
    }
}

/// The record of a command's end.
pub(super) fn ended(id: &str, elapsed_ms: u64, end: End<'_>) {
    match end {
        End::TimedOut => tracing::info!(event = "timeout", id, elapsed_ms),
        End::Ok | End::Failed(_) => {
            let error_code = end.error_code();
            tracing::info!(
                event = "response",
                id,
                ok = error_code.is_none(),
                elapsed_ms,
                error_code
            );
        }
    }
}

/// The record of handles that have ended; none if there were none.
pub(super) fn invalidated(session: Option<SessionId>, tab: Option<u32>, cause: &str, count: usize) {
    if count > 0 {
        let session = session.as_ref().map(SessionId::as_str);
        let tab = tab.map(TabHandle::new);
        let tab = tab.as_ref().map(TabHandle::as_str);
        tracing::info!(event = "handle_invalidate", session, tab, cause, count);
    }
}

/// A text from elsewhere, cut to a length that suits a log.
pub(super) fn clipped(text: &str) -> &str {
    const LONGEST: usize = 64;
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}

/// The parameters without what is filled in.
pub(super) fn redacted(action: &Action) -> String {
    match action {
        Action::Fill(_) | Action::FillForm(_) => {
            let mut params = serde_json::from_str(&action.params()).unwrap_or_default();
            hide_values(&mut params);
            params.to_string()
        }
        _ => action.params(),
    }
}

fn hide_values(params: &mut serde_json::Value) {
    if let Some(value) = params.get_mut("value") {
        *value = "…".into();
    }
    if let Some(fields) = params.get_mut("fields").and_then(serde_json::Value::as_array_mut) {
        fields.iter_mut().for_each(hide_values);
    }
}

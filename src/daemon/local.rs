//! The actions that the daemon carries out itself.

use serde_json::{Value, json};

use super::{Context, now};
use crate::protocol::{Action, ErrorCode, ProtocolError, SessionId, VERSION};

/// How many traces `debug.last` gives when it is not told.
const DEFAULT_TRACES: u32 = 20;

/// Carries out an action; the result is its data as a JSON text.
pub(super) fn run(
    context: &Context,
    action: &Action,
    session: Option<SessionId>,
) -> Result<String, ProtocolError> {
    let state = &context.state;
    let data = match (action, session) {
        (Action::SessionCreate(params), _) => {
            let label = params
                .label
                .as_ref()
                .map(|label| label.to_string())
                .filter(|label| !label.is_empty());
            let (session, tmp_dir) = state.create_session(label.clone())?;
            let mut data = json!({"session": session, "tmpDir": tmp_dir});
            if let Some(label) = label {
                data["label"] = label.into();
            }
            data
        }
        (Action::SessionList(_), _) => json!({"sessions": state.sessions()}),
        (Action::SessionBind(params), Some(session)) => {
            let tab = state.bind(session, params.tab.as_ref(), params.pacing)?;
            json!({"session": session, "tab": tab})
        }
        (Action::SessionUnbind(_), Some(session)) => {
            state.unbind(session);
            json!({})
        }
        (Action::SessionResume(_), Some(session)) => {
            state.resume(session);
            json!({"session": session})
        }
        (Action::TabList(_), Some(session)) => {
            json!({"session": session, "tabs": state.tabs(session)})
        }
        (Action::DebugLast(params), _) => {
            let count = params.count.map_or(DEFAULT_TRACES, |count| count.get());
            json!({"requests": state.traces(count as usize)})
        }
        (Action::DebugStatus(_), _) => status(context),
        (Action::PairingIssue(_), _) => {
            let code = state.issue_code(now());
            if let Err(error) = context.write_code(&code) {
                tracing::warn!(event = "pairing_file_failed", problem = %error);
            }
            let text = code.pairing_code.expose();
            json!({"pairingCode": text, "pairingExpiresAt": code.pairing_expires_at})
        }
        _ => {
            // The state admits nothing else as local, so this is a fault of the daemon.
            let message = format!("the daemon does not carry out {} itself", action.name());
            return Err(ProtocolError::new(ErrorCode::ScriptError, message, ""));
        }
    };
    Ok(data.to_string())
}

fn status(context: &Context) -> Value {
    // Plain records have no way to fail.
    let mut status = serde_json::to_value(context.state.status()).unwrap_or_default();
    status["daemon"] = json!({
        "pid": std::process::id(),
        "port": context.port,
        "uptimeSec": context.started.elapsed().as_secs(),
        "version": env!("CARGO_PKG_VERSION"),
        "protocolVersion": VERSION,
    });
    status
}

//! What helps where a command names no session, or one that is gone: the daemon knows neither the command line nor that the
//! environment named the session.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::caller;
use super::global_args::{Globals, SESSION_VARIABLE};
use crate::client::{Answer, request_id};
use crate::protocol::{Caller, ErrorCode, SessionId, SessionList, SessionListData};

/// A failure, of which the message and the suggestion are changed.
#[derive(Serialize, Deserialize)]
struct Failure<'a> {
    protocol_version: u32,
    #[serde(borrow)]
    id: &'a RawValue,
    ok: bool,
    #[serde(borrow)]
    error: Reason<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reason<'a> {
    code: String,
    #[serde(borrow)]
    category: &'a RawValue,
    #[serde(borrow)]
    retry: &'a RawValue,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    suggested_action: Option<String>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    details: Option<&'a RawValue>,
}

/// The answer, with a command line that leads on if it fails for want of a session.
pub(super) fn helped(globals: &Globals, answer: Answer) -> Answer {
    if answer.ok {
        return answer;
    }
    let Ok(mut failure) = serde_json::from_slice::<Failure<'_>>(&answer.body) else {
        return answer;
    };
    let error = &mut failure.error;
    match ErrorCode::from_name(&error.code) {
        Some(ErrorCode::SessionRequired) => {
            if let (Some(session), Some(line)) = (only_session(globals), caller::command_line()) {
                error.message +=
                    &format!("; {session} is the one that you have begun in this folder");
                error.suggested_action = Some(format!("{line} -s {session}"));
            }
        }
        Some(ErrorCode::SessionNotFound | ErrorCode::InvalidSessionId)
            if globals.is_session_of_environment() =>
        {
            error.message = format!(
                "{SESSION_VARIABLE} is {:?}: {}; unset {SESSION_VARIABLE}, or name another session with -s",
                globals.session(),
                error.message
            );
            // Every other suggestion is about sessions in general; the variable is of no effect where they are listed.
            let begins = |line: &String| line.starts_with("bproxy tab open ");
            if let Some(line) = caller::command_line()
                .filter(begins)
                .or_else(|| error.suggested_action.clone().filter(begins))
            {
                error.suggested_action = Some(format!("env -u {SESSION_VARIABLE} {line}"));
            }
        }
        _ => return answer,
    }
    let body = serde_json::to_vec(&failure).expect("texts become JSON");
    Answer { ok: false, body }
}

/// The one session that the same program has used last in the same folder.
fn only_session(globals: &Globals) -> Option<SessionId> {
    let caller = caller::of_this_process()?;
    let list = SessionList {}.into();
    let answer =
        globals.client().ok()?.command(&request_id(), &list, "", globals.timeout()).ok()?;
    only(answer.data().ok()?, &caller)
}

fn only(SessionListData { sessions }: SessionListData, caller: &Caller) -> Option<SessionId> {
    let mut own = sessions.into_iter().filter(|session| session.client.as_ref() == Some(caller));
    let first = own.next()?;
    own.next().is_none().then_some(first.id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_session_is_named_only_if_there_is_no_other_of_the_same_program_and_folder() {
        let session = |id: &str, name: &str, folder: &str| json!({"id": id, "tab": null, "pacing": "human", "paused": false, "client": {"name": name, "folder": folder}});
        let named = |sessions: serde_json::Value| {
            let list = serde_json::from_value(json!({ "sessions": sessions })).unwrap();
            only(list, &Caller::new("Codex", Some("/a"))).map(|id| id.to_string())
        };
        let (own, again) = (session("m4q7z2", "Codex", "/a"), session("n4q7z2", "Codex", "/a"));
        let other = [session("p4q7z2", "Codex", "/b"), session("q4q7z2", "Cline", "/a")];
        assert_eq!(named(json!([other[0], own, other[1]])).as_deref(), Some("m4q7z2"));
        assert_eq!(named(json!([own, again])), None);
        assert_eq!(named(json!(other)), None);
    }
}

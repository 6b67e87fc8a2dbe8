//! What a model should do after a failure: the next step for each error code, in terms of this server's tools.

use super::suggested::Call;
use super::tools::Toolset;
use crate::protocol::{Action, ErrorCode};

/// The next step after an action has failed with `code`: what is suggested for this very case, else what the code calls for.
/// Where it begins with a call, that call can be made as it stands.
pub(super) fn step(
    code: ErrorCode,
    suggested: Option<&str>,
    failed: &Action,
    set: Toolset,
) -> String {
    let exact = suggested.filter(|command| !code.suggests(command));
    if let Some(call) = exact.and_then(|command| Call::of(command, failed)) {
        return call.said(failed, set);
    }
    let [read, tabs, wait, front, last, reload] = match set {
        Toolset::Core => [
            "`snapshot`",
            "`tabs`",
            "`require_human` with {\"reason\":\"what is needed\"}",
            "`screenshot` with {\"activate\":true}",
            "`snapshot`",
            "`batch` with {\"steps\":[{\"action\":\"reload\"}]}",
        ],
        Toolset::All => [
            "`elements`",
            "`tab_list`",
            "`session_wait`",
            "`tab_activate`",
            "`debug_last`",
            "`reload`",
        ],
    };
    let said =
        general(code).replace("{read}", read).replace("{tabs}", tabs).replace("{wait}", wait);
    said.replace("{front}", front).replace("{last}", last).replace("{reload}", reload)
}

/// The next step that a code calls for. What is in braces depends on the tools that there are.
fn general(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::NoExtension => {
            "ask the person to open Chrome with the bproxy extension. If the message says that the keyring is locked, ask \
             them to unlock it; otherwise, if the extension was never paired, to run `bproxy pair` in a terminal and to \
             enter the code in its popup. Then call again."
        }
        ErrorCode::Timeout => {
            "call {last} to see what was done, and read the page before you repeat an act. A longer timeout helps \
             if the command waited in a queue or for a slow page."
        }
        ErrorCode::Overloaded => "wait for other calls to end, then call again; nothing was done.",
        ErrorCode::SessionRequired => "call again without session, to use this connection's own.",
        ErrorCode::HumanRequired | ErrorCode::PersonRequired => {
            "tell the person what is needed, then call {wait}, which waits until they have resumed the session."
        }
        ErrorCode::DebuggerDisabled => {
            "call `screenshot` with {\"activate\":true}, without debugger."
        }
        ErrorCode::InvalidSessionId | ErrorCode::SessionNotFound => {
            "ask the person whether to go on: they have closed the session, or nobody used it for a week. If so, call \
             `tab_open` with {\"url\":\"about:blank\"}, or with the page that you want: that begins another one, unless \
             this server was started for the one that is gone."
        }
        ErrorCode::TabNotFound => {
            "call `tab_open` with {\"url\":\"about:blank\"}, or with the page that you want; {tabs} lists those that there are."
        }
        ErrorCode::TabHandleNotFound | ErrorCode::TabNotInSession => {
            "call {tabs} and use a tab that it names."
        }
        ErrorCode::ElementNotFound => "call {read} and act by a handle that it gives.",
        ErrorCode::SelectorAmbiguous => {
            "act by the handle of the one that you mean: it is among the candidates in the details, or call {read}."
        }
        ErrorCode::ElementNotActionable => {
            "call {read} to see what is in the way, remove it (close a dialog, scroll, fill the required fields first), and \
             try again."
        }
        ErrorCode::ElementHandleNotFound | ErrorCode::ElementHandleStale => {
            "call {read} again: the element or its page has changed, or the handle was not used for two minutes. \
             Use the new handle."
        }
        ErrorCode::FileNotFound => {
            "call `upload` again with the paths: files end with the session that they were given to."
        }
        ErrorCode::StorageFull => {
            "tell the person what is full, as the message says: the files of a session end with it."
        }
        ErrorCode::FrameNotFound => {
            "call `snapshot`: the frame is gone or shows another page, which has a new name."
        }
        ErrorCode::ElementHandleScopeMismatch => {
            "call {tabs} to go to the tab that the handle is from, or {read} to read this one."
        }
        ErrorCode::ScriptError => "call {read}, then try another way.",
        ErrorCode::NavigationFailed => {
            "call {tabs} to see what is there, then `navigate` or `tab_open` with an address that loads."
        }
        ErrorCode::PageChanged => {
            "call {read}, then decide what to do: the tab shows another document than the one that you read. If \
             details.done is there, the first steps were done before."
        }
        ErrorCode::OutcomeUnknown => {
            "call {read} before you repeat it: nobody knows what came of it. If details.started is false, nothing was done."
        }
        ErrorCode::TooLarge => {
            "call `snapshot` with {\"limitChars\":20000}, or read a part of the page by a selector."
        }
        ErrorCode::PageBlocked => {
            "have the person answer the dialog that the page shows, or load the page anew: call {reload}."
        }
        ErrorCode::TabNotVisible => "call {front}, which brings the tab to the front.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::tools;

    fn failed() -> Action {
        let params = r##"{"target":{"selector":"#a"}}"##;
        Action::parse("click", params).expect("an action").expect("parameters")
    }

    #[test]
    fn every_tool_that_is_named_is_there() {
        for set in [Toolset::Core, Toolset::All] {
            let tools = tools::of(set);
            let mut said: Vec<_> =
                ErrorCode::ALL.iter().map(|code| step(*code, None, &failed(), set)).collect();
            said.extend(
                ["bproxy select", "bproxy reload", "bproxy screenshot --activate -s m4q7z2"]
                    .map(|command| step(ErrorCode::ScriptError, Some(command), &failed(), set)),
            );
            for text in said {
                assert!(!text.contains("{read}") && !text.contains("{wait}"), "{text}");
                let named = text.split('`').skip(1).step_by(2);
                let is_tool = |name: &&str| !name.starts_with("bproxy ") && *name != "paths";
                for name in named.filter(is_tool) {
                    assert!(
                        tools.iter().any(|(tool, _)| tool.name == name),
                        "{set:?}: {name}: {text}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_every_failure_with_the_code_suggests_is_no_exact_fix() {
        let said = |command| step(ErrorCode::Timeout, command, &failed(), Toolset::All);
        assert_eq!(said(Some("bproxy debug last --count 5")), said(None));
    }
}

//! What a model should do after a failure: the next step for each error code, in terms of this server's tools.

use crate::protocol::ErrorCode;

/// The name of an action's tool.
pub(super) fn tool_name(action: &str) -> String {
    // Not every client accepts a name with a dot or a dash.
    action.replace(['.', '-'], "_")
}

/// The next step after a failure with `code`.
pub(super) fn step(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::NoExtension => {
            "ask the person to open Chrome with the bproxy extension. If the message says that the keyring is locked, ask \
             them to unlock it; otherwise, if the extension was never paired, to run `bproxy pair` in a terminal and to \
             enter the code in its popup. Then call again."
        }
        ErrorCode::Timeout => {
            "call debug_last to see what was done, and read the page before you repeat an act. A longer timeout helps \
             if the command waited in a queue or for a slow page."
        }
        ErrorCode::Overloaded => "wait for other calls to end, then call again; nothing was done.",
        ErrorCode::SessionRequired => "call again without session, to use this connection's own.",
        ErrorCode::HumanRequired | ErrorCode::PersonRequired => {
            "tell the person what is needed, then call session_wait, which ends when they have resumed the session."
        }
        ErrorCode::DebuggerDisabled => "call screenshot without debugger.",
        ErrorCode::InvalidSessionId | ErrorCode::SessionNotFound => {
            "call again without session, to use this connection's own. If it was that one, its person has closed it or \
             nobody used it for a week: ask whether to go on, and start again with tab_open."
        }
        ErrorCode::TabNotFound => {
            "call tab_open to open a page, or tab_list to see the session's tabs."
        }
        ErrorCode::TabHandleNotFound | ErrorCode::TabNotInSession => {
            "call tab_list and use a tab that it names."
        }
        ErrorCode::ElementNotFound => {
            "call elements (or links, or snapshot) and act by a handle that it gives."
        }
        ErrorCode::SelectorAmbiguous => {
            "act by the handle of the one that you mean: of the candidates in the details, or from elements."
        }
        ErrorCode::ElementNotActionable => {
            "remove the obstacle (close a dialog, scroll, fill the required fields first), then call elements and try again."
        }
        ErrorCode::ElementHandleNotFound | ErrorCode::ElementHandleStale => {
            "call elements or links again: the element or its page has changed, or the handle was not used for two minutes. \
             Use the new handle."
        }
        ErrorCode::FileNotFound => {
            "call upload again with the paths: files end with the session that they were given to."
        }
        ErrorCode::StorageFull => {
            "close the session (session_close) and go on in another one; if the disk is full, tell the person."
        }
        ErrorCode::FrameNotFound => {
            "call frames (or any read) again: the frame is gone or shows another page, which has a new name."
        }
        ErrorCode::ElementHandleScopeMismatch => {
            "bind the session to the tab that the handle is from (session_bind), or read this tab with elements."
        }
        ErrorCode::ScriptError => {
            "call debug_log to see the extension's trace, or read the page again."
        }
        ErrorCode::NavigationFailed => {
            "check the address, then call navigate or tab_open with one that loads."
        }
        ErrorCode::PageChanged => {
            "the tab shows another document than the one that you read: read it again, then decide what to do. If \
             details.done is there, the first steps were done before."
        }
        ErrorCode::OutcomeUnknown => {
            "nobody knows what came of it: if details.started is false, nothing was done. Otherwise read the page before you \
             repeat it."
        }
        ErrorCode::TooLarge => {
            "read less of the page: give a selector or a limit, or scroll to a part of it and read that."
        }
        ErrorCode::StorageFull => {
            "tell the person what is full, as the message says; once there is room, call again."
        }
        ErrorCode::PageBlocked => {
            "the person has to answer the dialog that the page shows; or call reload, then call again."
        }
        ErrorCode::TabNotVisible => "call tab_activate, then call again.",
    }
}

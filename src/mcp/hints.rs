//! What a model should do after a failure: the next step for each error code, in terms of this server's tools.

use serde_json::{Map, Value};

use super::core;
use super::tools::Toolset;
use crate::agent;
use crate::protocol::ErrorCode;

/// The next step after a failure with `code`: what the browser's side suggests for this very case, else what the code
/// calls for.
pub(super) fn step(code: ErrorCode, suggested: Option<&str>, set: Toolset) -> String {
    let exact = suggested.filter(|command| !code.suggests(command));
    if let Some(fix) = exact.and_then(|command| fix(command, set)) {
        return fix;
    }
    let [read, tabs, wait, front, last] = match set {
        Toolset::Core => [
            "`snapshot`",
            "`tabs`",
            "`require_human`",
            "`screenshot` with {\"activate\":true}",
            "`snapshot`",
        ],
        Toolset::All => {
            ["`elements`", "`tab_list`", "`session_wait`", "`tab_activate`", "`debug_last`"]
        }
    };
    let said =
        general(code).replace("{read}", read).replace("{tabs}", tabs).replace("{wait}", wait);
    said.replace("{front}", front).replace("{last}", last)
}

/// A command line that the extension suggests, as a call of a tool; none where it is no more than a read or a wait, or
/// needs what only the caller knows.
fn fix(command: &str, set: Toolset) -> Option<String> {
    let words: Vec<_> = command.strip_prefix("bproxy ")?.split(' ').collect();
    let is_flag = |word: &&str| word.starts_with('-');
    let named = words.iter().take_while(|word| !is_flag(word)).copied().collect::<Vec<_>>();
    let facts = agent::action(&named.join("_").replace('-', "_")).filter(|facts| facts.is_tool)?;
    let schema = (facts.params)().to_value();
    let (mut params, mut rest) = (Map::new(), words[named.len()..].iter().peekable());
    while let Some(flag) = rest.next() {
        let value = rest.next_if(|word| !is_flag(word)).copied();
        if matches!(*flag, "-s" | "--session") {
            continue;
        }
        let name = camel_case(flag.strip_prefix("--")?);
        schema["properties"].get(&name)?;
        // What a page may have named is told in the fence, with the message.
        let is_word =
            |word: &&str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let value = match value {
            None => Value::Bool(true),
            Some(word) if is_word(&word) => match schema["properties"][&name]["type"].as_str() {
                Some("integer") => word.parse::<u32>().ok()?.into(),
                _ => word.into(),
            },
            Some(_) => return None,
        };
        params.insert(name, value);
    }
    // A verb alone is the fix only where it is another way to act.
    if params.is_empty() && !matches!(facts.name, "select" | "reload") {
        return None;
    }
    let tool = agent::tool_name(facts.name);
    let with = Value::Object(params).to_string();
    Some(match set {
        Toolset::Core if !core::has(facts.name) => {
            format!(
                "call `batch` with a step {{\"action\":\"{tool}\",\"params\":{with}}}, and what it needs besides."
            )
        }
        _ if with == "{}" => format!("call `{tool}`."),
        _ => format!("call `{tool}` with {with} and otherwise the same arguments."),
    })
}

fn camel_case(flag: &str) -> String {
    let mut parts = flag.split('-');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts.filter(|part| !part.is_empty()) {
        name += &part[..1].to_uppercase();
        name += &part[1..];
    }
    name
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
        ErrorCode::DebuggerDisabled => "call `screenshot` without debugger.",
        ErrorCode::InvalidSessionId | ErrorCode::SessionNotFound => {
            "call again without session, to use this connection's own. If it was that one, its person has closed it or \
             nobody used it for a week: ask whether to go on, and start again with `tab_open`."
        }
        ErrorCode::TabNotFound => {
            "call `tab_open` to open a page, or {tabs} to see which there are."
        }
        ErrorCode::TabHandleNotFound | ErrorCode::TabNotInSession => {
            "call {tabs} and use a tab that it names."
        }
        ErrorCode::ElementNotFound => "call {read} and act by a handle that it gives.",
        ErrorCode::SelectorAmbiguous => {
            "act by the handle of the one that you mean: of the candidates in the details, or from {read}."
        }
        ErrorCode::ElementNotActionable => {
            "remove the obstacle (close a dialog, scroll, fill the required fields first), then call {read} and try again."
        }
        ErrorCode::ElementHandleNotFound | ErrorCode::ElementHandleStale => {
            "call {read} again: the element or its page has changed, or the handle was not used for two minutes. \
             Use the new handle."
        }
        ErrorCode::FileNotFound => {
            "call upload again with the paths: files end with the session that they were given to."
        }
        ErrorCode::StorageFull => {
            "tell the person what is full, as the message says: the files of a session end with it."
        }
        ErrorCode::FrameNotFound => {
            "read the page again: the frame is gone or shows another page, which has a new name."
        }
        ErrorCode::ElementHandleScopeMismatch => {
            "go to the tab that the handle is from, or call {read} to read this one."
        }
        ErrorCode::ScriptError => "read the page again, then try another way.",
        ErrorCode::NavigationFailed => {
            "check the address, then call `navigate` or `tab_open` with one that loads."
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
        ErrorCode::PageBlocked => {
            "the person has to answer the dialog that the page shows; or load the page anew: `navigate` with its address."
        }
        ErrorCode::TabNotVisible => "call {front}, which brings the tab to the front.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::tools;

    #[test]
    fn every_tool_that_is_named_is_there() {
        for set in [Toolset::Core, Toolset::All] {
            let tools = tools::of(set);
            let mut said: Vec<_> =
                ErrorCode::ALL.iter().map(|code| step(*code, None, set)).collect();
            said.extend(
                ["bproxy select", "bproxy reload", "bproxy screenshot --activate -s m4q7z2"]
                    .map(|command| step(ErrorCode::ScriptError, Some(command), set)),
            );
            for text in said {
                assert!(!text.contains("{read}") && !text.contains("{wait}"), "{text}");
                let named = text.split('`').skip(1).step_by(2);
                for name in named.filter(|name| !name.starts_with("bproxy ")) {
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
        let said = step(ErrorCode::Timeout, Some("bproxy debug last --count 5"), Toolset::All);
        assert_eq!(said, step(ErrorCode::Timeout, None, Toolset::All));
    }

    #[test]
    fn what_is_suggested_for_the_very_case_is_kept_as_a_call() {
        let said = |command: &str, set| step(ErrorCode::ElementNotActionable, Some(command), set);
        let paste = "bproxy fill --method paste --world isolated -s m4q7z2";
        assert_eq!(
            said(paste, Toolset::All),
            "call `fill` with {\"method\":\"paste\",\"world\":\"isolated\"} and otherwise the same arguments."
        );
        assert!(
            said(paste, Toolset::Core)
                .contains("step {\"action\":\"fill\",\"params\":{\"method\":\"paste\"")
        );
        assert!(
            said("bproxy snapshot --frame f2", Toolset::Core)
                .starts_with("call `snapshot` with {\"frame\":\"f2\"}")
        );
        assert!(said("bproxy select", Toolset::Core).starts_with("call `select`"));
        // A general one, one of a person's, one with words of a page.
        for other in [
            "bproxy elements",
            "bproxy session wait",
            "bproxy pair",
            "bproxy text --selector <b>Obey</b>",
        ] {
            assert_eq!(
                said(other, Toolset::All),
                step(ErrorCode::ElementNotActionable, None, Toolset::All)
            );
        }
    }
}

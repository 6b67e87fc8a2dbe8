//! What a model reads: a command's answer as text or image, or why the command failed.

use std::fmt::Write;

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value};

use super::hints;
use super::untrusted::with_provenance;
use crate::agent;
use crate::client::{self, Answer, AnswerError, Failure};
use crate::protocol::{Action, LONG_TEXTS, Provenance};

/// The answer to a successful command.
pub(super) type Success = client::Success;

/// An answer's success, or why the command failed. The error is for the model to read.
pub(super) fn outcome(answer: &Answer) -> Result<Result<Success, Failure>, String> {
    match answer.success() {
        Ok(success) => Ok(Ok(success)),
        Err(AnswerError::Failed(failure)) => Ok(Err(failure)),
        Err(error @ AnswerError::Unusable(_)) => Err(error.to_string()),
    }
}

/// Removes the image of a screenshot from the answer: its bytes in base64, and their type.
pub(super) fn picture(success: &mut Success) -> Option<ContentBlock> {
    let Some(Value::String(base64)) = success.data.remove("base64") else { return None };
    let format = success.data.get("format").and_then(Value::as_str).unwrap_or("png");
    Some(ContentBlock::image(base64, format!("image/{format}")))
}

/// The answer as text: the page's address, then scalar members, then lists with an entry on each line, then long texts
/// unquoted.
pub(super) fn text(success: &Success) -> String {
    // Writing to a string cannot fail.
    let url = success.page.get("url").and_then(Value::as_str).unwrap_or_default();
    let mut text = String::new();
    if !url.is_empty() {
        let _ = writeln!(text, "page: {}", Value::Object(page(&success.page)));
    }
    text += &body(&success.data, url);
    text.truncate(text.trim_end().len());
    text
}

/// The page without the mark of its document, which the daemon knows by itself, and without what is as usual.
fn page(page: &Map<String, Value>) -> Map<String, Value> {
    let usual = |name: &str, value: &Value| match name {
        "document" => true,
        "state" => value == "ready",
        "busy" => value == false,
        _ => false,
    };
    page.iter()
        .filter(|(name, value)| !usual(name, value))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}

/// Data of a page at `url` as text; those of a read that was brought along too.
fn body(data: &Map<String, Value>, url: &str) -> String {
    let (mut facts, mut lists, mut read) = (Map::new(), String::new(), String::new());
    for (name, value) in data {
        match value {
            Value::Object(then) if name == "then" => {
                let _ = write!(read, "then:\n{}", body(then, url));
            }
            Value::String(text) if LONG_TEXTS.contains(&name.as_str()) => {
                let _ = write!(read, "{name}:\n{text}\n");
            }
            Value::Array(entries) if !entries.is_empty() => {
                let _ = writeln!(lists, "{name}:");
                match agent::lines(name, entries, url) {
                    Some(lines) => lists += &lines,
                    None => entries.iter().for_each(|entry| _ = writeln!(lists, "{entry}")),
                }
            }
            value => _ = facts.insert(name.clone(), value.clone()),
        }
    }
    let mut text = String::new();
    if !facts.is_empty() || (lists.is_empty() && read.is_empty()) {
        let _ = writeln!(text, "{}", Value::Object(facts));
    }
    text + &lists + &read
}

/// A failed command as text, with what to do next.
pub(super) fn failure(action: &Action, failure: &Failure) -> CallToolResult {
    let Failure { code, message, suggested_action, details } = failure;
    let tool = hints::tool_name(action.name());
    let mut reason = message.clone();
    if let Some(details) = details {
        let _ = write!(reason, "\ndetails: {details}");
    }
    let Some(known) = failure.known_code() else {
        // Only the extension knows this code: where its words come from is unknown.
        let mut reason = format!("{code}: {reason}");
        if let Some(next) = suggested_action {
            let _ = write!(reason, "\nNext: {next}");
        }
        return error(format!("{tool} failed: {}", with_provenance(reason, Provenance::Page)));
    };
    // Details are data of the action that failed, such as what the fields hold that it has filled.
    let provenance = match details {
        Some(_) => Provenance::Page,
        None => known.provenance(),
    };
    let reason = with_provenance(reason, provenance);
    error(format!("{tool} failed: {code}: {reason}\nNext: {}", hints::step(known)))
}

/// What follows the data of a success that show that it had no effect.
pub(super) fn without_effect(action: &Action) -> ContentBlock {
    let tool = hints::tool_name(action.name());
    ContentBlock::text(format!(
        "{tool} had no effect, or not all of it: the data above say what the page holds now.\n\
         Next: read the page, then correct the value or try another method."
    ))
}

/// An error for the model to read.
pub(super) fn error(text: impl Into<String>) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(text.into())])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::Outline;

    /// What a model reads of a failure, before and in the fence.
    fn read(failure: Value) -> (String, Option<String>) {
        let failure = serde_json::from_value(failure).unwrap();
        let result = super::failure(&Outline { frame: None }.into(), &failure);
        let text = result.content[0].as_text().unwrap().text.clone();
        match text.split_once("<page-content") {
            None => (text, None),
            Some((before, fenced)) => (before.to_owned(), Some(fenced.to_owned())),
        }
    }

    #[test]
    fn what_a_page_may_have_said_of_a_failure_is_fenced() {
        let own = json!({"code": "TAB_NOT_FOUND", "message": "the tab is gone"});
        assert!(read(own.clone()).1.is_none());
        let mut with_details = own;
        with_details["details"] = json!({"results": [{"verifiedValue": "Obey"}]});
        let (before, fenced) = read(with_details);
        assert!(!before.contains("Obey") && fenced.unwrap().contains("Obey"));
        let unknown = json!({"code": "Obey", "message": "Obey", "suggestedAction": "Obey"});
        let (before, fenced) = read(unknown);
        assert!(!before.contains("Obey"));
        assert_eq!(
            fenced.unwrap().split("\n</page-content").next().unwrap().matches("Obey").count(),
            3
        );
    }
}

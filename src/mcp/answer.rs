//! What a model reads: a command's answer as text or image, or why the command failed.

use std::fmt::Write;

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value};

use super::hints;
use super::tools::Toolset;
use super::untrusted::with_provenance;
use crate::agent;
use crate::client::{self, Answer, AnswerError, Failure};
use crate::protocol::{Action, FillForm, LONG_TEXTS, Provenance};

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

/// The answer as text: the page in a line, then scalar members, then lists with an entry on each line, then long texts
/// unquoted. What is as it mostly is, or was said by the caller, is left out.
pub(super) fn text(action: &Action, success: &Success) -> String {
    // Writing to a string cannot fail.
    let url = success.page.get("url").and_then(Value::as_str).unwrap_or_default();
    let mut text = String::new();
    if !url.is_empty() {
        let _ = writeln!(text, "{}", page(&success.page, url));
    }
    let mut data = success.data.clone();
    if let Some(form) = action.get::<FillForm>() {
        let _ = writeln!(text, "{}", filled(form, &mut data));
    }
    text += &body(&data, url);
    text.truncate(text.trim_end().len());
    text
}

/// The page in a line: its address, its title, and what is not as usual.
fn page(page: &Map<String, Value>, url: &str) -> String {
    let mut line = format!("page {url}");
    if let Some(title) = page.get("title").filter(|title| *title != "") {
        let _ = write!(line, " {title}");
    }
    let usual = |name: &str, value: &Value| match name {
        // The daemon knows the mark of the document by itself.
        "url" | "title" | "document" => true,
        "state" => value == "ready",
        "busy" => value == false,
        _ => false,
    };
    for (name, value) in page.iter().filter(|(name, value)| !usual(name, value)) {
        match value {
            Value::Bool(true) => _ = write!(line, " ({name})"),
            Value::String(text) => _ = write!(line, " ({name} {text})"),
            value => _ = write!(line, " ({name} {value})"),
        }
    }
    line
}

/// How many fields of a form are filled. Those that are not, or hold it in other words, stay in the data.
fn filled(form: &FillForm, data: &mut Map<String, Value>) -> String {
    let Some(Value::Array(results)) = data.remove("results") else { return String::new() };
    let count = results.len();
    let done = results.iter().filter(|result| result["filled"] == true).count();
    let mut others = Vec::new();
    for ((index, field), mut result) in form.fields.iter().enumerate().zip(results) {
        let held = result.get("verifiedValue").and_then(Value::as_str);
        if result["filled"] == true && held.is_none_or(|held| held == field.value) {
            continue;
        }
        if let Value::Object(result) = &mut result {
            result.remove("target");
            result.insert("field".to_owned(), (index + 1).into());
        }
        others.push(result);
    }
    // That the fields hold it is what came of it.
    if data.get("effects") == Some(&Value::Object(Map::new())) {
        data.remove("effects");
    }
    if !others.is_empty() {
        data.insert("others".to_owned(), others.into());
    }
    format!("{done} of {count} fields filled")
}

/// Data of a page at `url` as text; those of a read that was brought along too.
fn body(data: &Map<String, Value>, url: &str) -> String {
    let (mut facts, mut lists, mut read) = (Map::new(), String::new(), String::new());
    let is_settled = data.get("stable") != Some(&Value::Bool(false));
    let has_list = |count: &Value| {
        let mut lists = data.values().filter_map(Value::as_array);
        lists.any(|list| count.as_u64() == u64::try_from(list.len()).ok())
    };
    let usual = |name: &str, value: &Value| match name {
        // The daemon's folder for the command line's files.
        "tmpDir" | "nodeCount" | "loadTime" | "elapsed" => true,
        "bound" | "clicked" | "stable" | "full" => value == true,
        "disappeared" => value == false,
        // That nobody sees the tab matters where the page waits for it.
        "hidden" => is_settled,
        "url" => value == url,
        "title" => data.contains_key("loadTime"),
        "total" => has_list(value),
        _ => false,
    };
    for (name, value) in data.iter().filter(|(name, value)| !usual(name, value)) {
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
                    _ if name == "tabs" => entries.iter().for_each(|tab| lists += &tab_line(tab)),
                    Some(lines) => lists += &lines,
                    None => entries.iter().for_each(|entry| _ = writeln!(lists, "{entry}")),
                }
            }
            value => _ = facts.insert(name.clone(), value.clone()),
        }
    }
    // Where it went, the page says.
    if let Some(Value::Object(effects)) = facts.get_mut("effects")
        && effects.get("navigated").is_some_and(|to| to == url)
    {
        effects.insert("navigated".to_owned(), true.into());
    }
    let mut text = String::new();
    if !facts.is_empty() {
        let _ = writeln!(text, "{}", Value::Object(facts));
    }
    text + &lists + &read
}

/// A tab in a line.
fn tab_line(tab: &Value) -> String {
    let name = tab["tab"].as_str().unwrap_or_default();
    let mut line = format!("{name} {}", tab["url"].as_str().unwrap_or_default());
    if tab["title"] != "" {
        let _ = write!(line, " {}", tab["title"]);
    }
    if tab["bound"] == true {
        line += " (current)";
    }
    line + "\n"
}

/// A failed command as text, with what to do next.
pub(super) fn failure(action: &Action, failure: &Failure, set: Toolset) -> CallToolResult {
    let Failure { code, message, suggested_action, details } = failure;
    let tool = agent::tool_name(action.name());
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
    error(format!(
        "{tool} failed: {code}: {reason}\nNext: {}",
        hints::step(known, suggested_action.as_deref(), action, set)
    ))
}

/// What follows the data of a success that show that it had no effect.
pub(super) fn without_effect(tool: &str) -> ContentBlock {
    ContentBlock::text(format!(
        "{tool} had no effect, or not all of it: the data above say what the page holds now.\n\
         Next: call `snapshot`, then correct the value or try another way."
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
        let result = super::failure(&Outline { frame: None }.into(), &failure, Toolset::All);
        let text = result.content[0].as_text().unwrap().text.clone();
        match text.split_once("<page-content") {
            None => (text, None),
            Some((before, fenced)) => (before.to_owned(), Some(fenced.to_owned())),
        }
    }

    fn told(name: &str, params: Value, data: Value) -> String {
        let action = Action::parse(name, &params.to_string()).unwrap().unwrap();
        let page = json!({"url": "https://a.org/x", "title": "A \"b\"", "document": "d1", "state": "ready",
            "busy": false, "hidden": true});
        let answer = json!({"id": "a", "ok": true, "data": data, "page": page});
        let answer = Answer { ok: true, body: answer.to_string().into_bytes() };
        text(&action, &answer.success().unwrap())
    }

    #[test]
    fn what_is_as_usual_is_left_out() {
        let click = json!({"clicked": true, "disappeared": false, "stable": true, "hidden": true,
            "effects": {"navigated": "https://a.org/x"}, "then": {"matches": [{"handle": "el1", "role": "link", "name": "B"}], "total": 1}});
        assert_eq!(
            told("click", json!({"target": {"handle": "el1"}}), click),
            "page https://a.org/x \"A \\\"b\\\"\" (hidden)\n{\"effects\":{\"navigated\":true}}\nthen:\nmatches:\nel1 link \"B\""
        );
        let opened = json!({"session": "m4q7z2", "tab": "t1", "bound": true, "url": "https://a.org/x", "tmpDir": "/tmp/x"});
        let opened = told("tab.open", json!({"url": "https://a.org/x"}), opened);
        assert_eq!(opened.lines().nth(1), Some("{\"session\":\"m4q7z2\",\"tab\":\"t1\"}"));
    }

    #[test]
    fn of_a_form_those_fields_are_told_that_are_not_filled_as_asked() {
        let field = |value: &str| json!({"target": {"handle": "el1"}, "value": value});
        let result = |filled: bool, value: &str| json!({"target": {"handle": "el1"}, "filled": filled, "verifiedValue": value});
        let fields = json!({"fields": [field("a"), field("b"), field("c")]});
        let all = json!({"effects": {}, "results": [result(true, "a"), result(true, "b"), {"target": {"handle": "el1"}, "filled": true}]});
        let all = told("fill-form", fields.clone(), all);
        assert!(all.contains("3 of 3 fields filled") && !all.contains("el1"), "{all}");
        let some = json!({"effects": {}, "results": [result(true, "a"), result(true, "B!"), result(false, "x")]});
        let some = told("fill-form", fields, some);
        assert!(some.contains("2 of 3 fields filled"), "{some}");
        assert!(some.contains(r#"{"field":2,"filled":true,"verifiedValue":"B!"}"#), "{some}");
        assert!(some.contains(r#"{"field":3,"filled":false,"verifiedValue":"x"}"#), "{some}");
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

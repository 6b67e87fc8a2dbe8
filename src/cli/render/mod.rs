//! Results for people instead of JSON: plain text, aligned tables, a failure with what to do about it.
//!
//! Knows the form of answers, and no action in particular: a list of objects is a table, whatever it lists.

mod table;

use std::io::{self, IsTerminal, Write};

use serde_json::{Map, Value};

use super::{Error, output};
use crate::agent;
use crate::protocol::LONG_TEXTS;
use table::{aligned, bold, cell, harmless, in_order, table};

/// Shows a JSON result to people: a success on standard output, a failure on standard error.
pub(super) fn show(json: &[u8]) -> Result<(), Error> {
    let value: Value =
        serde_json::from_slice(json).map_err(|error| Error::Answer(error.to_string()))?;
    if let Some(error) = value.get("error") {
        output::say(&failure(error));
        return Ok(());
    }
    let text = match value.get("data").unwrap_or(&value) {
        Value::Object(data) => {
            success(data, value["page"]["url"].as_str().unwrap_or_default(), colourful())
        }
        other => cell(other) + "\n",
    };
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Error::Output)
}

/// Whether to use colour: on terminals that support it, unless the person has disabled it (<https://no-color.org>).
fn colourful() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal()
        && !set("NO_COLOR")
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn failure(error: &Value) -> String {
    let part = |name: &str| error[name].as_str().map(harmless);
    let mut text = part("message").unwrap_or_default();
    if let Some(code) = part("code") {
        text.push_str(&format!(" ({code})"));
    }
    if let Some(action) = part("suggestedAction") {
        text.push_str(&format!("\n  try: {action}"));
    }
    text
}

/// The data of a page at `url`.
fn success(data: &Map<String, Value>, url: &str, colour: bool) -> String {
    if let Some(text) = LONG_TEXTS.iter().find_map(|name| data.get(*name)?.as_str()) {
        let mut text = harmless(text);
        if !(text.ends_with('\n') || text.is_empty() && data.contains_key("mark")) {
            text.push('\n');
        }
        if let Some(mark) = data.get("mark").and_then(Value::as_str) {
            text += &format!("mark {}\n", harmless(mark));
        }
        return text;
    }
    let mut fields = Vec::new();
    let mut sections = Vec::new();
    let total = data.get("total").and_then(Value::as_u64);
    let is_listed = data.iter().any(|(name, list)| {
        list.as_array().is_some_and(|list| agent::lines(name, list, url).is_some())
    });
    for name in in_order(data.keys()) {
        match &data[name] {
            Value::Array(list) if list.iter().all(Value::is_object) => {
                let lines = agent::lines(name, list, url).filter(|_| !list.is_empty());
                let mut text = lines.map_or_else(|| table(list, name, colour), |it| harmless(&it));
                if is_listed && let Some(total) = total.filter(|total| *total > list.len() as u64) {
                    text += &format!("… {} of {total}{}\n", list.len(), further(name));
                }
                sections.push((name, text));
            }
            Value::Object(inner) => sections.push((name, success(inner, url, colour))),
            Value::Number(_) if name == "total" && is_listed => {}
            value => fields.push(vec![name.to_owned(), cell(value)]),
        }
    }
    let mut parts = Vec::new();
    if !fields.is_empty() {
        parts.push(aligned(&fields));
    }
    let alone = sections.len() == 1;
    parts.extend(sections.into_iter().map(|(name, text)| match alone {
        true => text,
        false => format!("{}\n{text}", bold(name, colour)),
    }));
    if parts.is_empty() { "done\n".into() } else { parts.join("\n") }
}

/// How to read on in a list.
fn further(name: &str) -> &'static str {
    if name == "matches" { "" } else { ": go on with --offset" }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub(super) fn shown(data: Value) -> String {
        success(data.as_object().unwrap(), "http://x/y", false)
    }

    #[test]
    fn a_text_is_shown_unchanged_but_for_control_characters() {
        assert_eq!(shown(json!({"text": "one\n  two\t3"})), "one\n  two\t3\n");
        assert_eq!(shown(json!({"text": "\u{1b}]0;x\u{7}\r\n\u{9b}2J"})), "�]0;x�\n�2J\n");
        assert_eq!(shown(json!({"tree": "a\n", "nodeCount": 1})), "a\n");
    }

    #[test]
    fn fields_come_first_and_several_lists_have_headings() {
        let status = json!({
            "daemon": {"pid": 7, "port": 9615},
            "sessionTabs": [{"session": "m4q7z2", "tabs": [{"tab": "t1"}, {"tab": "t2"}]}],
            "total": 3,
        });
        assert_eq!(
            shown(status),
            "total  3\n\ndaemon\npid   7\nport  9615\n\n\
             sessionTabs\nSESSION  TAB\nm4q7z2   t1\nm4q7z2   t2\n"
        );
        assert_eq!(shown(json!({})), "done\n");
    }

    #[test]
    fn a_failure_says_what_to_try() {
        let error = json!({"code": "TAB_NOT_VISIBLE", "message": "hidden", "suggestedAction": "bproxy tab activate"});
        assert_eq!(failure(&error), "hidden (TAB_NOT_VISIBLE)\n  try: bproxy tab activate");
    }
}

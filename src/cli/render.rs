//! What people read instead of JSON: plain text, aligned tables, a failure with what to do about it.
//!
//! Knows the shape of answers, and not what any action is about: a list of objects is a table, whatever it lists.

use std::io::{self, IsTerminal, Write};

use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr;

use super::{Error, output};

/// Members whose text is what was asked for: it is shown alone and as it is.
const BODIES: [&str; 3] = ["text", "html", "tree"];

/// The order of columns and fields; others follow by name.
const ORDER: [&str; 24] = [
    "handle",
    "id",
    "session",
    "tab",
    "level",
    "tag",
    "role",
    "type",
    "label",
    "text",
    "title",
    "alt",
    "value",
    "url",
    "href",
    "src",
    "action",
    "ok",
    "errorCode",
    "running",
    "pid",
    "port",
    "paused",
    "pauseReason",
];

/// Members that say again, for programs, what a handle says.
const BEHIND_HANDLES: [&str; 3] = ["target", "selector", "route"];

/// Between columns.
const GAP: usize = 2;

type Object = Map<String, Value>;

/// Shows a line of JSON to people: a success on standard output, a failure on standard error.
pub(super) fn show(json: &[u8]) -> Result<(), Error> {
    let value: Value =
        serde_json::from_slice(json).map_err(|error| Error::Answer(error.to_string()))?;
    if let Some(error) = value.get("error") {
        output::say(&failure(error));
        return Ok(());
    }
    let text = match value.get("data").unwrap_or(&value) {
        Value::Object(data) => success(data, colourful()),
        other => cell(other) + "\n",
    };
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Error::Output)
}

/// Colour is for terminals that have it, and for people who have not said no (<https://no-color.org>).
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

fn success(data: &Object, colour: bool) -> String {
    if let Some(text) = BODIES.iter().find_map(|name| data.get(*name)?.as_str()) {
        let mut text = harmless(text);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        return text;
    }
    let mut fields = Vec::new();
    let mut sections = Vec::new();
    for name in in_order(data.keys()) {
        match &data[name] {
            Value::Array(list) if list.iter().all(Value::is_object) => {
                let rows: Vec<_> =
                    list.iter().filter_map(Value::as_object).flat_map(flat).collect();
                sections.push((name, table(&rows, name, colour)));
            }
            Value::Object(inner) => sections.push((name, success(inner, colour))),
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

/// A list as a table, with a column for every member of any row.
fn table(rows: &[Object], name: &str, colour: bool) -> String {
    if rows.is_empty() {
        return format!("no {name}\n");
    }
    let handles = rows.iter().any(|row| row.contains_key("handle"));
    let mut names: Vec<_> = rows.iter().flat_map(Object::keys).collect();
    names.sort();
    names.dedup();
    names.retain(|name| !(handles && BEHIND_HANDLES.contains(&name.as_str())));
    let names = in_order(names);
    let mut lines = vec![names.iter().map(|name| name.to_uppercase()).collect::<Vec<_>>()];
    for row in rows {
        let value = |name: &&str| row.get(*name).map_or_else(String::new, cell);
        lines.push(names.iter().map(value).collect());
    }
    let text = aligned(&lines);
    match text.split_once('\n') {
        Some((heading, rest)) => format!("{}\n{rest}", bold(heading, colour)),
        None => text,
    }
}

/// A row for each object in a list within the row, such as the tabs of a session; else the row itself.
fn flat(row: &Object) -> Vec<Object> {
    let list = row.iter().find_map(|(name, value)| {
        let list = value.as_array().filter(|list| !list.is_empty())?;
        list.iter().map(Value::as_object).collect::<Option<Vec<_>>>().map(|list| (name, list))
    });
    let Some((name, list)) = list else { return vec![row.clone()] };
    let outer = row.iter().filter(|(other, _)| *other != name);
    list.into_iter()
        .map(|inner| outer.clone().chain(inner).map(|(k, v)| (k.clone(), v.clone())).collect())
        .collect()
}

fn in_order<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
    let mut names: Vec<_> = names.into_iter().map(String::as_str).collect();
    let place = |name: &&str| ORDER.iter().position(|known| known == name).unwrap_or(ORDER.len());
    names.sort_by_key(place);
    names
}

/// Lines whose cells begin at the same columns of a terminal.
fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.width()).max()
    };
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let mut text = String::new();
    for line in lines {
        let start = text.len();
        for (cell, width) in line.iter().zip(&widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width - cell.width() + GAP));
        }
        text.truncate(start + text[start..].trim_end().len());
        text.push('\n');
    }
    text
}

/// A value on one line.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => harmless(text).split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Array(list) if !list.iter().any(|value| value.is_object() || value.is_array()) => {
            list.iter().map(cell).collect::<Vec<_>>().join(", ")
        }
        Value::Array(_) | Value::Object(_) => harmless(&value.to_string()),
    }
}

/// A text without what a terminal would obey: most texts come from pages.
fn harmless(text: &str) -> String {
    let obeyed = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
    text.replace("\r\n", "\n").replace(obeyed, "\u{fffd}")
}

fn bold(text: &str, colour: bool) -> String {
    if colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(data: Value) -> String {
        success(data.as_object().unwrap(), false)
    }

    #[test]
    fn a_list_is_an_aligned_table_whose_columns_have_an_order() {
        let sessions = json!({"sessions": [
            {"paused": false, "id": "m4q7z2", "label": "mail", "tab": "t1", "pacing": "human"},
            {"paused": true, "id": "aaaaaa", "tab": null, "pacing": "fast", "pauseReason": "sign  in"},
        ]});
        assert_eq!(
            shown(sessions),
            "ID      TAB  LABEL  PAUSED  PAUSEREASON  PACING\n\
             m4q7z2  t1   mail   no                   human\n\
             aaaaaa              yes     sign in      fast\n"
        );
        assert_eq!(shown(json!({"sessions": []})), "no sessions\n");
    }

    #[test]
    fn columns_are_aligned_by_what_a_terminal_shows() {
        let links =
            json!({"links": [{"text": "日本", "href": "/a"}, {"text": "é–x", "href": "/b"}]});
        assert_eq!(shown(links), "TEXT  HREF\n日本  /a\né–x   /b\n");
    }

    #[test]
    fn a_handle_stands_for_its_target() {
        let link = json!({"handle": "ln1", "text": "x", "target": {"selector": "#a"}});
        assert_eq!(shown(json!({"links": [link]})), "HANDLE  TEXT\nln1     x\n");
    }

    #[test]
    fn a_text_is_shown_as_it_is_but_for_what_a_terminal_would_obey() {
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

//! Aligned tables, and values on one line.

use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr;

/// The order of columns and fields. Others follow, sorted by name.
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

/// Members that say the same as a handle, for programs.
const BEHIND_HANDLES: [&str; 3] = ["target", "selector", "route"];

/// Between columns.
const GAP: usize = 2;

type Object = Map<String, Value>;

/// A list of objects as a table, with a column for every member of any of them.
pub(super) fn table(list: &[Value], name: &str, colour: bool) -> String {
    let rows: Vec<_> = list.iter().filter_map(Value::as_object).flat_map(flat).collect();
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
    for row in &rows {
        let value = |name: &&str| row.get(*name).map_or_else(String::new, cell);
        lines.push(names.iter().map(value).collect());
    }
    let text = aligned(&lines);
    match text.split_once('\n') {
        Some((heading, rest)) => format!("{}\n{rest}", bold(heading, colour)),
        None => text,
    }
}

/// A row for each object in a list within the row, such as the tabs of a session; otherwise the row itself.
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

pub(super) fn in_order<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
    let mut names: Vec<_> = names.into_iter().map(String::as_str).collect();
    let place = |name: &&str| ORDER.iter().position(|known| known == name).unwrap_or(ORDER.len());
    names.sort_by_key(place);
    names
}

/// Lines whose cells start at the same columns of a terminal.
pub(super) fn aligned(lines: &[Vec<String>]) -> String {
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
pub(super) fn cell(value: &Value) -> String {
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

/// A text without control characters, which a terminal would obey: most texts come from web pages.
pub(super) fn harmless(text: &str) -> String {
    let is_control = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
    text.replace("\r\n", "\n").replace(is_control, "\u{fffd}")
}

pub(super) fn bold(text: &str, colour: bool) -> String {
    if colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::shown;

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
        let entries =
            json!({"entries": [{"text": "日本", "href": "/a"}, {"text": "é–x", "href": "/b"}]});
        assert_eq!(shown(entries), "TEXT  HREF\n日本  /a\né–x   /b\n");
    }

    #[test]
    fn a_table_of_a_page_is_its_rows_with_tabs() {
        let sheet = json!({"handle": "el4", "caption": "Orders", "columns": ["No", "Name"], "total": 9,
            "rows": [["1", "Ann\tB."], ["2", ""]]});
        assert_eq!(
            shown(json!({"tables": [sheet]})),
            "el4 table \"Orders\" (2 of 9 rows)\nNo\tName\n1\tAnn B.\n2\t\n"
        );
        assert_eq!(shown(json!({"tables": []})), "no tables\n");
    }

    #[test]
    fn a_handle_stands_for_its_target() {
        let entry = json!({"handle": "ln1", "text": "x", "target": {"selector": "#a"}});
        assert_eq!(shown(json!({"entries": [entry]})), "HANDLE  TEXT\nln1     x\n");
    }
}

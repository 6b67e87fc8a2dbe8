//! Lists of a page's elements as agents read them: a line for each, `el12 button "Save" (disabled)` or
//! `ln3 "Docs" /docs/`, which costs a fraction of the same in JSON.

use std::fmt::Write;

use serde_json::{Map, Value};

/// The lists that are written so.
const LISTS: [&str; 4] = ["elements", "links", "matches", "tables"];

/// A list of the data of a read as lines, each of which ends with a line feed; `None` if it is another list. `url` is the
/// address of the page, to which those of links are relative.
pub fn lines(name: &str, entries: &[Value], url: &str) -> Option<String> {
    if !LISTS.contains(&name) {
        return None;
    }
    let entries: Option<Vec<_>> = entries.iter().map(Value::as_object).collect();
    // What is inspected is told in full.
    let entries = entries.filter(|all| !all.iter().any(|it| it.contains_key("attributes")));
    let line = |entry: &Map<String, Value>| match name {
        "links" => link(entry, url) + "\n",
        "tables" => sheet(entry),
        _ => element(entry) + "\n",
    };
    Some(entries?.into_iter().map(line).collect())
}

/// A table: its name and how much of it is listed, then a line for each row, with tabs between the cells.
fn sheet(entry: &Map<String, Value>) -> String {
    let list = |of: Option<&Value>| of.and_then(Value::as_array).cloned().unwrap_or_default();
    let line = |cells: &Value| {
        let cells = list(Some(cells));
        // No text of the page begins another cell or row.
        let cells = cells.iter().filter_map(Value::as_str);
        let cells: Vec<_> =
            cells.map(|cell| cell.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        cells.join("\t") + "\n"
    };
    let rows = list(entry.get("rows"));
    let total = entry.get("total").map(Value::to_string).unwrap_or_default();
    let mut head = String::from("table");
    if entry.contains_key("handle") {
        head = format!("{} table", text(entry, "handle"));
    }
    if !text(entry, "caption").is_empty() {
        let _ = write!(head, " {}", quoted(text(entry, "caption")));
    }
    let _ = write!(head, " ({} of {total} rows)", rows.len());
    if let Some(frame) = entry.get("frame").and_then(Value::as_str) {
        let _ = write!(head, " in {frame}");
    }
    let columns = entry.get("columns").map(line).filter(|it| !it.trim().is_empty());
    head + "\n" + &columns.unwrap_or_default() + &rows.iter().map(line).collect::<String>()
}

fn text<'a>(entry: &'a Map<String, Value>, name: &str) -> &'a str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn is(entry: &Map<String, Value>, name: &str, wanted: bool) -> bool {
    entry.get(name).and_then(Value::as_bool) == Some(wanted)
}

/// A text in quotes, so that nothing in it looks like a part of the line.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn element(entry: &Map<String, Value>) -> String {
    let [handle, role, tag, kind] = ["handle", "role", "tag", "type"].map(|it| text(entry, it));
    let name = [text(entry, "label"), text(entry, "name")].concat();
    let mut line = String::new();
    if !handle.is_empty() {
        line = format!("{handle} ");
    }
    line += if role.is_empty() { tag } else { role };
    if !name.is_empty() {
        let _ = write!(line, " {}", quoted(&name));
    }
    let mut states: Vec<&str> = Vec::new();
    if role == "textbox" && !matches!(kind, "" | "text") {
        states.push(kind);
    }
    states.extend(["required", "disabled"].into_iter().filter(|it| is(entry, it, true)));
    states.extend(
        entry
            .get("states")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str),
    );
    states.extend(Some("hidden").filter(|_| is(entry, "visible", false)));
    states.extend(Some(text(entry, "runtimeHandle")).filter(|it| !it.is_empty()));
    let toggles = matches!(role, "checkbox" | "radio" | "switch");
    if toggles && text(entry, "value") == "true" && !states.contains(&"checked") {
        states.push("checked");
    }
    if !states.is_empty() {
        let _ = write!(line, " ({})", states.join(", "));
    }
    let value = text(entry, "value");
    if !(value.is_empty() || toggles) {
        let _ = write!(line, " = {}", quoted(value));
    }
    for (what, value) in
        [("placeholder", text(entry, "placeholder")), ("text", text(entry, "text"))]
    {
        if !value.is_empty() && value != name {
            let _ = write!(line, " {what} {}", quoted(value));
        }
    }
    if let Some(options) = entry.get("options").and_then(Value::as_array) {
        let options: Vec<_> = options.iter().map(Value::to_string).collect();
        let _ = write!(line, " options {}", options.join(", "));
    }
    line + &place(entry)
}

fn link(entry: &Map<String, Value>, url: &str) -> String {
    let [handle, name, href, title] = ["handle", "text", "href", "title"].map(|it| text(entry, it));
    let mut line = String::new();
    for part in [handle, &quoted(name)] {
        if !matches!(part, "" | "\"\"") {
            line = line + part + " ";
        }
    }
    // An address of a frame is relative to another page.
    line += if entry.contains_key("frame") { href } else { relative(href, url) };
    if !title.is_empty() && title != name {
        let _ = write!(line, " title {}", quoted(title));
    }
    if is(entry, "visible", false) {
        line += " (hidden)";
    }
    line + &place(entry)
}

/// The frame that an entry is in, and where it is if it has no handle.
fn place(entry: &Map<String, Value>) -> String {
    let mut place = String::new();
    if let Some(frame) = entry.get("frame").and_then(Value::as_str) {
        let _ = write!(place, " in {frame}");
    }
    if !entry.contains_key("handle") {
        let target = entry.get("target").and_then(Value::as_object).unwrap_or(entry);
        match (target.get("selector").and_then(Value::as_str), target.get("route")) {
            (Some(selector), _) => _ = write!(place, " → {selector}"),
            (None, Some(route)) => _ = write!(place, " → {route}"),
            (None, None) => {}
        }
    }
    place
}

/// An address as one that is relative to the page at `url`, if that is shorter and leads to the same.
fn relative<'a>(href: &'a str, url: &str) -> &'a str {
    let page = url.split('#').next().unwrap_or_default();
    if let Some(fragment) = href.strip_prefix(page)
        && fragment.starts_with('#')
    {
        return fragment;
    }
    let Some(origin) = origin_of(url) else { return href };
    let Some(path) = href.strip_prefix(origin).filter(|path| path.starts_with('/')) else {
        return href;
    };
    // Two slashes begin a host.
    if path.starts_with("//") {
        return href;
    }
    let folder = page.split('?').next().and_then(|page| page[origin.len()..].rsplit_once('/'));
    let below = folder.and_then(|(folder, _)| path.strip_prefix(folder)?.strip_prefix('/'));
    let names_file = |rest: &&str| {
        let first = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !first.is_empty() && !first.contains(':')
    };
    // To leave out a slash alone says less than it saves.
    let is_deep = folder.is_some_and(|(folder, _)| !folder.is_empty());
    below.filter(names_file).filter(|_| is_deep).unwrap_or(path)
}

/// The scheme and host of an address of the web.
fn origin_of(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    matches!(scheme, "http" | "https").then(|| &url[..scheme.len() + 3 + host.len()])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(name: &str, entry: Value) -> String {
        lines(name, &[entry], "https://a.org/docs/guide.html?x=1#top")
            .expect("a list")
            .trim_end()
            .to_owned()
    }

    #[test]
    fn a_control_is_a_line_of_what_a_reader_has_to_know() {
        let save = json!({"handle": "el12", "tag": "button", "role": "button", "label": "Save", "disabled": true, "type": "submit"});
        assert_eq!(line("elements", save), r#"el12 button "Save" (disabled)"#);
        let field = json!({"handle": "el3", "tag": "input", "role": "textbox", "type": "email", "label": "E-mail",
            "value": "a\"b", "placeholder": "you@example.org", "required": true, "selector": "#email"});
        assert_eq!(
            line("elements", field),
            r#"el3 textbox "E-mail" (email, required) = "a\"b" placeholder "you@example.org""#
        );
        let list = json!({"tag": "select", "role": "combobox", "value": "Red", "options": ["Red", "Blue"], "selector": "#c", "frame": "f2"});
        assert_eq!(
            line("elements", list),
            r##"combobox = "Red" options "Red", "Blue" in f2 → #c"##
        );
        let box_ = json!({"handle": "el4", "tag": "input", "role": "checkbox", "label": "Loud", "value": "true", "visible": false});
        assert_eq!(line("elements", box_), r#"el4 checkbox "Loud" (hidden, checked)"#);
        let found = json!({"handle": "el5", "role": "button", "name": "Pay", "text": "Pay now", "states": ["focused"]});
        assert_eq!(line("matches", found), r#"el5 button "Pay" (focused) text "Pay now""#);
        assert!(lines("images", &[], "").is_none());
    }

    #[test]
    fn the_address_of_a_link_is_relative_where_that_is_shorter_and_leads_to_the_same() {
        for (href, shown) in [
            ("https://a.org/docs/", "/docs/"),
            ("https://a.org/docs/part/b.html#c", "part/b.html#c"),
            ("https://a.org/docs/x:y", "/docs/x:y"),
            ("https://a.org/docs/?q", "/docs/?q"),
            ("https://a.org/other", "/other"),
            ("https://a.org//evil.org", "https://a.org//evil.org"),
            ("https://a.org/docs/guide.html?x=1#part", "#part"),
            ("https://a.org.evil/", "https://a.org.evil/"),
            ("http://a.org/docs/", "http://a.org/docs/"),
            ("mailto:a@b", "mailto:a@b"),
        ] {
            let entry = json!({"handle": "ln3", "text": "Docs", "href": href, "visible": true});
            assert_eq!(line("links", entry), format!("ln3 \"Docs\" {shown}"));
        }
        let far = json!({"handle": "ln1", "text": "", "href": "https://a.org/x", "frame": "f1", "visible": false, "title": "T"});
        assert_eq!(line("links", far), r#"ln1 https://a.org/x title "T" (hidden) in f1"#);
    }
}

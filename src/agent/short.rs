//! What an agent says in one text: a target (`el12`, `#save`, `role=button name=Save`), a read to bring along
//! (`find role=link name=Docs`), the answer to a dialog (`accept`); written out as the protocol has it.

use serde_json::{Map, Value, json};

use crate::protocol::{Action, Facts};

/// What a target can say of an element, and where.
const KNOWN: [&str; 9] =
    ["role", "name", "text", "label", "placeholder", "testId", "exact", "nth", "frame"];

/// Those whose value is one word, after which a selector may follow.
const WORDS: [&str; 3] = ["exact", "nth", "frame"];

/// The other names that an action is called by: clients of MCP take no name with a dot or a dash.
pub fn tool_name(action: &str) -> String {
    action.replace(['.', '-'], "_")
}

/// The action with this name, or with this tool's name.
pub fn action(name: &str) -> Option<&'static Facts> {
    Action::all().find(|facts| facts.name == name || tool_name(facts.name) == name)
}

/// Writes out what the arguments of an action say in short.
///
/// # Errors
/// Which of them says nothing that it can, and what it could say.
pub fn write_out(facts: &Facts, arguments: &mut Map<String, Value>) -> Result<(), String> {
    members(&(facts.params)().to_value(), arguments, "params")
}

fn members(schema: &Value, values: &mut Map<String, Value>, path: &str) -> Result<(), String> {
    for (name, value) in values {
        value_of(&schema["properties"][name], value, &format!("{path}.{name}"))?;
    }
    Ok(())
}

fn value_of(schema: &Value, value: &mut Value, path: &str) -> Result<(), String> {
    let at = |problem: String| format!("`{path}`: {problem}");
    let has = |member: &str| schema["properties"].get(member).is_some();
    match value {
        // A target is the only one that has several forms.
        Value::String(text) if schema.get("oneOf").is_some() => {
            *value = target(text).map_err(at)?
        }
        Value::String(text) if has("action") => *value = then(text).map_err(at)?,
        Value::String(text) if has("answer") => *value = dialog(text),
        Value::Array(entries) => {
            for (index, entry) in entries.iter_mut().enumerate() {
                value_of(&schema["items"], entry, &format!("{path}[{index}]"))?;
            }
        }
        Value::Object(inner) if has("target") => members(schema, inner, path)?,
        _ => {}
    }
    Ok(())
}

/// An element: a handle, else what a reader knows of it, else a selector.
fn target(text: &str) -> Result<Value, String> {
    let text = text.trim();
    let number = text.strip_prefix("el").or_else(|| text.strip_prefix("ln")).unwrap_or_default();
    if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(json!({ "handle": text }));
    }
    if text.is_empty() {
        return Err(
            "expected a handle such as `el1`, a CSS selector, or what is known of the element: \
                    `role=button name=Save`"
                .to_owned(),
        );
    }
    let (before, pairs) = pairs(text, &KNOWN);
    if !before.is_empty() || pairs.is_empty() {
        return Ok(json!({ "selector": text }));
    }
    let (mut find, mut whole) = (Map::new(), Map::new());
    for (name, value) in pairs {
        let (value, selector) = match WORDS.contains(&name) {
            true => value.split_once(char::is_whitespace).unwrap_or((&value, "")),
            false => (&*value, ""),
        };
        match name {
            "frame" => _ = whole.insert("frame".to_owned(), value.into()),
            _ => _ = find.insert(name.to_owned(), typed(value, WORDS.contains(&name))),
        }
        if !selector.trim().is_empty() {
            whole.insert("selector".to_owned(), selector.trim().into());
        }
    }
    if !find.is_empty() {
        whole.insert("find".to_owned(), find.into());
    }
    Ok(whole.into())
}

/// A read to bring along: its name, and what it takes, as `name=value` or, for what it is mostly given, by itself.
fn then(text: &str) -> Result<Value, String> {
    let (name, rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
    let read = action(name).ok_or_else(|| {
        format!(
            "there is no read {name:?}: expected snapshot, text, find, elements, links or table"
        )
    })?;
    let schema = (read.params)().to_value();
    let takes = |name: &str| schema["properties"].get(name).is_some();
    let known: Vec<_> = schema["properties"].as_object().into_iter().flatten().collect();
    let names: Vec<_> = known.iter().map(|(name, _)| name.as_str()).collect();
    let (before, pairs) = pairs(rest, &names);
    let mut params = Map::new();
    if !before.is_empty() {
        let main = ["target", "selector", "text", "contains"].into_iter().find(|name| takes(name));
        let main = main.expect("each read has one of them");
        params.insert(main.to_owned(), before.into());
    }
    for (name, value) in pairs {
        let is_text = schema["properties"][name]["type"] == "string";
        params.insert(name.to_owned(), typed(&value, !is_text));
    }
    members(&schema, &mut params, "params")?;
    let mut read = json!({ "action": read.name });
    if !params.is_empty() {
        read["params"] = params.into();
    }
    Ok(read)
}

/// The answer to a dialog: `accept`, `dismiss`, or `accept TEXT` for one that asks for a text.
fn dialog(text: &str) -> Value {
    match text.trim().split_once(char::is_whitespace) {
        Some((answer, text)) => json!({"answer": answer, "text": text.trim()}),
        None => json!({"answer": text.trim()}),
    }
}

/// A value that is a number or a truth value, if it may be one.
fn typed(value: &str, may_be_other: bool) -> Value {
    let other = may_be_other.then(|| serde_json::from_str(value).ok()).flatten();
    other.filter(|it: &Value| it.is_number() || it.is_boolean()).unwrap_or_else(|| value.into())
}

/// What stands before the first `name=`, and each of the `names` with its value, which goes up to the next and may be in
/// quotes.
fn pairs<'a>(text: &str, names: &[&'a str]) -> (String, Vec<(&'a str, String)>) {
    let mut begins = Vec::new();
    let mut quote = None;
    let mut previous = ' ';
    for (at, char) in text.char_indices() {
        if quote.is_none() && previous.is_whitespace() {
            let begin = |name: &&&str| {
                text[at..].strip_prefix(**name).is_some_and(|it| it.starts_with('='))
            };
            begins.extend(names.iter().find(begin).map(|name| (at, *name)));
        }
        match quote {
            Some(open) if open == char => quote = None,
            // An apostrophe within a word quotes nothing.
            None if matches!(char, '"' | '\'') && matches!(previous, '=' | ' ' | '(' | '[') => {
                quote = Some(char);
            }
            _ => {}
        }
        previous = char;
    }
    let ends = begins.iter().skip(1).map(|(at, _)| *at).chain([text.len()]);
    let values = begins.iter().zip(ends).map(|((at, name), end)| {
        let value = text[at + name.len() + 1..end].trim();
        (*name, unquoted(value).to_owned())
    });
    let first = begins.first().map_or(text.len(), |(at, _)| *at);
    (text[..first].trim().to_owned(), values.collect())
}

fn unquoted(value: &str) -> &str {
    let inside = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, arguments: Value) -> Result<Value, String> {
        let Value::Object(mut arguments) = arguments else { panic!("no object") };
        let facts = action(name).expect("an action");
        write_out(facts, &mut arguments)?;
        let written = Value::Object(arguments);
        Action::parse(facts.name, &written.to_string()).expect("an action")?;
        Ok(written)
    }

    #[test]
    fn a_target_is_one_text() {
        for (text, target) in [
            ("el12", json!({"handle": "el12"})),
            (" ln3 ", json!({"handle": "ln3"})),
            ("element", json!({"selector": "element"})),
            ("#save", json!({"selector": "#save"})),
            ("form [name=q] > a", json!({"selector": "form [name=q] > a"})),
            ("input[title=\"a name=b\"]", json!({"selector": "input[title=\"a name=b\"]"})),
            ("role=button name=Save", json!({"find": {"role": "button", "name": "Save"}})),
            ("name=Save all files nth=2", json!({"find": {"name": "Save all files", "nth": 2}})),
            ("name=\"a role=b\" exact=true", json!({"find": {"name": "a role=b", "exact": true}})),
            ("text='Don't'", json!({"find": {"text": "Don't"}})),
            ("name=Bob's role=link", json!({"find": {"name": "Bob's", "role": "link"}})),
            ("testId=x", json!({"find": {"testId": "x"}})),
            ("name=12", json!({"find": {"name": "12"}})),
            ("label=Card frame=f2", json!({"find": {"label": "Card"}, "frame": "f2"})),
            ("frame=f2 #card > input", json!({"selector": "#card > input", "frame": "f2"})),
        ] {
            assert_eq!(written("click", json!({"target": text})), Ok(json!({"target": target})));
        }
        for bad in ["", "  ", "frame=f2", "exact=true", "frame=f2 #a name=b", "name=a nth=x"] {
            let problem = written("click", json!({"target": bad})).expect_err(bad);
            assert!(problem.contains("`params.target"), "{bad}: {problem}");
        }
        // The protocol's own form stays as it is, and so does what is no target.
        let own = json!({"target": {"handle": "el1"}});
        assert_eq!(written("click", own.clone()), Ok(own));
        let text = json!({"strategy": "text", "target": "el12"});
        assert_eq!(written("wait", text.clone()), Ok(text));
        let form =
            json!({"fields": [{"target": "el1", "value": "a"}, {"target": "", "value": "b"}]});
        assert!(
            written("fill_form", form).expect_err("a fault").contains("`params.fields[1].target`")
        );
    }

    #[test]
    fn a_read_to_bring_along_is_one_text() {
        for (text, read) in [
            ("snapshot", json!({"action": "snapshot"})),
            ("text main", json!({"action": "text", "params": {"selector": "main"}})),
            // What the read takes under no such name belongs to what it is mostly given.
            ("text nth=1", json!({"action": "text", "params": {"selector": "nth=1"}})),
            (
                "find role=link name=Docs limit=3",
                json!({"action": "find", "params": {"role": "link", "name": "Docs", "limit": 3}}),
            ),
            ("find Saved at", json!({"action": "find", "params": {"text": "Saved at"}})),
            (
                "table role=table name=Prices limit=5",
                json!({"action": "table", "params": {"target": {"find": {"role": "table", "name": "Prices"}}, "limit": 5}}),
            ),
            ("elements form=true", json!({"action": "elements", "params": {"form": true}})),
            ("snapshot contains=12", json!({"action": "snapshot", "params": {"contains": "12"}})),
        ] {
            let arguments = json!({"target": "el1", "then": text});
            assert_eq!(written("click", arguments).expect(text)["then"], read);
        }
        for bad in ["", "fly", "click el1", "elements form=yes"] {
            assert!(written("click", json!({"target": "el1", "then": bad})).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_answer_to_a_dialog_is_one_text() {
        for (text, dialog) in [
            ("accept", json!({"answer": "accept"})),
            ("accept Ada Lovelace", json!({"answer": "accept", "text": "Ada Lovelace"})),
        ] {
            let arguments = json!({"target": "el1", "dialog": text});
            assert_eq!(written("click", arguments).unwrap()["dialog"], dialog);
        }
        assert!(written("click", json!({"target": "el1", "dialog": "perhaps"})).is_err());
    }
}

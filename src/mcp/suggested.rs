//! The command line that a failure suggests, as a call of a tool.

use serde_json::{Map, Value, json};

use super::core;
use super::tools::Toolset;
use crate::agent;
use crate::protocol::{Action, Facts};

/// A call to make next.
pub(super) struct Call {
    facts: &'static Facts,
    with: Map<String, Value>,
    /// What only the caller knows.
    besides: &'static str,
}

impl Call {
    /// A command line that is suggested after an action has failed; none where it is no more than a read or a wait, or has
    /// words that are neither plain nor the caller's own: a page may have chosen them, and those are told in the fence.
    pub(super) fn of(command: &str, failed: &Action) -> Option<Self> {
        let words = shlex::split(command.strip_prefix("bproxy ")?)?;
        let (count, facts) = [2, 1].into_iter().find_map(|count| {
            let name = words.get(..count)?.join("_").replace('-', "_");
            Some((count, agent::action(&name).filter(|facts| facts.is_tool)?))
        })?;
        let own: Value = serde_json::from_str(&failed.params()).unwrap_or_default();
        let mut rest = words[count..].iter().map(String::as_str).peekable();
        let (mut with, mut target) = (Map::new(), Vec::new());
        if let Some(address) = rest.next_if(|word| !word.starts_with('-')) {
            is_of(address, &own).then_some(())?;
            with.insert("url".to_owned(), address.into());
        }
        let schema = (facts.params)().to_value();
        let takes = |name: &str| schema["properties"].get(name).is_some();
        while let Some(flag) = rest.next() {
            let (flag, value) = match flag.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None => (flag, rest.next_if(|word| !word.starts_with('-'))),
            };
            match flag {
                "-s" | "--session" => continue,
                "--help" => return Self::instead(facts, failed, &own),
                _ => {}
            }
            let is_word =
                |word: &str| word.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
            value.is_none_or(|value| is_word(value) || is_of(value, &own)).then_some(())?;
            let known = TARGET_FLAGS.iter().find(|(of_target, _)| *of_target == flag);
            if let Some((_, name)) = known.filter(|(_, name)| !takes(name)) {
                target.push((*name, value.unwrap_or("true")));
                continue;
            }
            let name = camel_case(flag.strip_prefix("--")?);
            takes(&name).then_some(())?;
            let value = match (value, schema["properties"][&name]["type"].as_str()) {
                (None, _) => Value::Bool(true),
                (Some(word), Some("integer")) => word.parse::<u32>().ok()?.into(),
                (Some(word), _) => word.into(),
            };
            with.insert(name, value);
        }
        if !target.is_empty() {
            let name = ["target", "trigger"].into_iter().find(|name| takes(name))?;
            with.insert(name.to_owned(), in_short(&target)?.into());
        }
        // A verb alone is the fix only where it is another way to act.
        if with.is_empty() && !matches!(facts.name, "select" | "reload") {
            return None;
        }
        Some(Self { facts, with, besides: "" })
    }

    /// Another action that does what the failed one could not, for what that was for.
    fn instead(facts: &'static Facts, failed: &Action, own: &Value) -> Option<Self> {
        if facts.name == failed.name() {
            return None;
        }
        let (with, besides) = match facts.name {
            "download" => (json!({ "url": own.get("url")? }), ""),
            "upload" => match own.get("target") {
                Some(target) => {
                    let target = target.get("handle").unwrap_or(target);
                    (json!({ "target": target }), " and the `paths` of the files")
                }
                None => (json!({}), " with the field as `target`, and the `paths` of the files"),
            },
            _ => return None,
        };
        let Value::Object(with) = with else { return None };
        Some(Self { facts, with, besides })
    }

    /// The call in words.
    pub(super) fn said(self, failed: &Action, set: Toolset) -> String {
        let Self { facts, with, besides } = self;
        let tool = agent::tool_name(facts.name);
        let is_again = facts.name == failed.name();
        if set == Toolset::Core && !core::has(facts.name) {
            // Going to a tab is a tool of its own there.
            if facts.name == "session.bind" && with.contains_key("tab") {
                return format!("call `tabs` with {}.", Value::Object(with));
            }
            let mut params = match serde_json::from_str(&failed.params()) {
                Ok(Value::Object(own)) if is_again => own,
                _ => Map::new(),
            };
            params.extend(with);
            let step = match params.is_empty() {
                true => json!({ "action": tool }),
                false => json!({ "action": tool, "params": params }),
            };
            return format!("call `batch` with {}{besides}.", json!({ "steps": [step] }));
        }
        let with = match with.is_empty() {
            true => String::new(),
            false => format!(" with {}", Value::Object(with)),
        };
        let rest = if is_again { " and otherwise the same arguments" } else { besides };
        format!("call `{tool}`{with}{rest}.")
    }
}

/// The flags that name an element, and what a target calls them.
const TARGET_FLAGS: [(&str, &str); 11] = [
    ("--element", "handle"),
    ("--selector", "selector"),
    ("--role", "role"),
    ("--name", "name"),
    ("--has-text", "text"),
    ("--label", "label"),
    ("--placeholder", "placeholder"),
    ("--test-id", "testId"),
    ("--exact", "exact"),
    ("--index", "nth"),
    ("--frame", "frame"),
];

/// A target in one text; none where that cannot say it.
fn in_short(target: &[(&str, &str)]) -> Option<String> {
    let mut text = String::new();
    // A selector goes up to the end.
    let last = |(name, _): &&(&str, &str)| matches!(*name, "handle" | "selector");
    for (name, value) in target.iter().filter(|it| !last(it)) {
        (!value.contains('"')).then_some(())?;
        text += &match value.contains([' ', '\'', '=']) {
            true => format!("{name}=\"{value}\" "),
            false => format!("{name}={value} "),
        };
    }
    for (_, value) in target.iter().filter(last) {
        text += value;
    }
    Some(text.trim_end().to_owned())
}

/// Whether a word is one of the texts in these parameters; of an address, the scheme and the last slash may be added.
fn is_of(word: &str, own: &Value) -> bool {
    match own {
        Value::String(text) => {
            let end = |text: &str| text.trim_end_matches('/').to_owned();
            let before = end(word);
            let before = before.strip_suffix(&end(text));
            !text.is_empty() && before.is_some_and(|it| matches!(it, "" | "http://" | "https://"))
        }
        Value::Array(entries) => entries.iter().any(|it| is_of(word, it)),
        Value::Object(members) => members.values().any(|it| is_of(word, it)),
        _ => false,
    }
}

fn camel_case(flag: &str) -> String {
    let mut parts = flag.split('-');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name += letters.as_str();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(command: &str, name: &str, params: Value, set: Toolset) -> Option<String> {
        let failed = Action::parse(name, &params.to_string()).expect("an action");
        let failed = failed.expect("parameters");
        Call::of(command, &failed).map(|call| call.said(&failed, set))
    }

    #[test]
    fn a_call_can_be_made_as_it_stands() {
        let filled = json!({"target": {"find": {"label": "Full name"}}, "value": "it's $(id)"});
        let paste =
            r#"bproxy fill --label 'Full name' --value 'it'\''s $(id)' --method paste -s m4q7z2"#;
        let params = json!({"target": {"handle": "el3"}});
        for (command, name, params, [core, all]) in [
            (
                "bproxy screenshot --activate -s m4q7z2",
                "screenshot",
                json!({"fullPage": true}),
                ["call `screenshot` with {\"activate\":true} and otherwise the same arguments."; 2],
            ),
            (
                paste,
                "fill",
                filled,
                [
                    r#"call `batch` with {"steps":[{"action":"fill","params":{"method":"paste","target":"label=\"Full name\"","value":"it's $(id)"}}]}."#,
                    r#"call `fill` with {"method":"paste","target":"label=\"Full name\"","value":"it's $(id)"} and otherwise the same arguments."#,
                ],
            ),
            (
                "bproxy snapshot --frame f2",
                "click",
                params.clone(),
                ["call `snapshot` with {\"frame\":\"f2\"}."; 2],
            ),
            (
                "bproxy session bind --tab t1 -s m4q7z2",
                "click",
                params.clone(),
                [
                    "call `tabs` with {\"tab\":\"t1\"}.",
                    "call `session_bind` with {\"tab\":\"t1\"}.",
                ],
            ),
            (
                "bproxy tab open http://127.0.0.1:80/ -s m4q7z2",
                "tab.open",
                json!({"url": "127.0.0.1:80"}),
                ["call `tab_open` with {\"url\":\"http://127.0.0.1:80/\"} and otherwise the same arguments.";
                    2],
            ),
            (
                "bproxy reload",
                "navigate",
                json!({"url": "http://a/"}),
                ["call `batch` with {\"steps\":[{\"action\":\"reload\"}]}.", "call `reload`."],
            ),
            (
                "bproxy download --help",
                "navigate",
                json!({"url": "http://a/"}),
                ["call `download` with {\"url\":\"http://a/\"}."; 2],
            ),
            (
                "bproxy upload --help",
                "click",
                params,
                ["call `upload` with {\"target\":\"el3\"} and the `paths` of the files."; 2],
            ),
        ] {
            for (set, expected) in [(Toolset::Core, core), (Toolset::All, all)] {
                let said = said(command, name, params.clone(), set);
                assert_eq!(said.as_deref(), Some(expected), "{command}");
            }
        }
    }

    #[test]
    fn reads_and_words_that_a_page_may_have_chosen_are_no_calls() {
        for command in [
            "bproxy elements",
            "bproxy session wait",
            "bproxy pair",
            "bproxy click --help",
            "bproxy text --selector <b>Obey</b>",
            "bproxy navigate http://obey.example/",
        ] {
            let params = json!({"target": {"selector": "#a"}});
            assert_eq!(said(command, "click", params, Toolset::All), None, "{command}");
        }
    }
}

//! Edits of JSON texts that leave everything else as it was written.
//!
//! Answers may be megabytes long and hold numbers that no type here could keep; so the text is cut
//! and joined, and never parsed into values and written anew.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use crate::protocol::{HandleKind, ShadowRoute, Target};

/// An object's members as they were written, in their order.
struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                #[derive(Deserialize)]
                struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<Name<'de>, &RawValue>()? {
                    members.push((name.0, value.get()));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Read)
    }
}

impl<'a> Members<'a> {
    /// Of repeated members the last one counts.
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// The object with this member `handle` in front, or without any.
    fn with_handle(&self, handle: Option<&str>) -> String {
        let length: usize = self.0.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let mut writer = Writer::new(length + 20);
        if let Some(handle) = handle {
            writer.name("handle").push_str(&Value::from(handle).to_string());
        }
        for (name, value) in self.0.iter().filter(|(name, _)| name != "handle") {
            writer.name(name).push_str(value);
        }
        writer.finish()
    }
}

/// Writes an object, member by member.
struct Writer {
    text: String,
}

impl Writer {
    fn new(capacity: usize) -> Self {
        let mut text = String::with_capacity(capacity);
        text.push('{');
        Self { text }
    }

    /// Makes room for the next member's value.
    fn name(&mut self, name: &str) -> &mut String {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        self.text.push_str(&Value::from(name).to_string());
        self.text.push(':');
        &mut self.text
    }

    fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// The data of a read's answer, taken apart. An answer may be large, so each part is scanned as rarely as possible.
pub(super) struct Read<'a> {
    kind: HandleKind,
    members: Members<'a>,
    entries: Vec<&'a RawValue>,
    /// Which entries carry a target, with their members; not more of them than were asked for.
    carriers: Vec<(usize, Members<'a>)>,
    targets: Vec<Target>,
}

impl<'a> Read<'a> {
    /// Looks for at most `limit` targets; `None` where the data are no object.
    pub(super) fn parse(data: &'a str, kind: HandleKind, limit: usize) -> Option<Self> {
        let members: Members<'a> = serde_json::from_str(data).ok()?;
        let list = members.get(kind.source_action());
        let entries: Option<Vec<&RawValue>> = list.and_then(|it| serde_json::from_str(it).ok());
        let entries = entries.unwrap_or_default();
        let (mut carriers, mut targets) = (Vec::new(), Vec::new());
        for (at, entry) in entries.iter().enumerate() {
            if targets.len() == limit {
                break;
            }
            if let Ok(members) = serde_json::from_str(entry.get())
                && let Some(target) = target_of(&members, kind)
            {
                carriers.push((at, members));
                targets.push(target);
            }
        }
        Some(Self { kind, members, entries, carriers, targets })
    }

    /// The targets that were found, in their order. To be taken once.
    pub(super) fn take_targets(&mut self) -> Vec<Target> {
        std::mem::take(&mut self.targets)
    }

    /// The data with the handles `first`, `first + 1`, … on the entries that carry a target. Handles that were there
    /// before are left out.
    pub(super) fn with_handles(&self, data: &str, first: u32) -> String {
        let mut writer = Writer::new(data.len() + self.carriers.len() * 16);
        for (name, value) in &self.members.0 {
            let text = writer.name(name);
            if name != self.kind.source_action() || !value.starts_with('[') {
                text.push_str(value);
                continue;
            }
            text.push('[');
            let mut carriers = (first..).zip(&self.carriers).peekable();
            for (at, entry) in self.entries.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                match carriers.next_if(|(_, (carrier, _))| *carrier == at) {
                    Some((number, (_, members))) => {
                        let handle = format!("{}{number}", self.kind.prefix());
                        text.push_str(&members.with_handle(Some(&handle)));
                    }
                    None => text.push_str(&without_handle(entry.get())),
                }
            }
            text.push(']');
        }
        writer.finish()
    }
}

/// What the entry carries: under `target` in links, among the other members in elements.
fn target_of(entry: &Members<'_>, kind: HandleKind) -> Option<Target> {
    let member = |name| entry.get(name).filter(|value| *value != "null");
    match kind {
        HandleKind::Link => {
            let target = serde_json::from_str(member("target")?).ok()?;
            (!matches!(target, Target::Handle(_))).then_some(target)
        }
        HandleKind::Element => match (member("selector"), member("route")) {
            (Some(selector), None) => serde_json::from_str(selector).ok().map(Target::Selector),
            (None, Some(route)) => {
                let route: ShadowRoute = serde_json::from_str(route).ok()?;
                (!route.hosts.is_empty()).then_some(Target::Route(route))
            }
            _ => None,
        },
    }
}

fn without_handle(entry: &str) -> Cow<'_, str> {
    // A name may be written in escapes.
    if !entry.contains("\"handle\"") && !entry.contains('\\') {
        return Cow::Borrowed(entry);
    }
    match serde_json::from_str::<Members<'_>>(entry) {
        Ok(members) if members.get("handle").is_some() => Cow::Owned(members.with_handle(None)),
        _ => Cow::Borrowed(entry),
    }
}

/// Whether a text may hold a member that [`without_tab_ids`] would leave out.
pub(super) fn mentions_tab_id(json: &[u8]) -> bool {
    memchr::memmem::find(json, b"\"tabId\"").is_some()
}

/// The object without members named `tabId`, at any depth.
pub(super) fn without_tab_ids(json: &str) -> Cow<'_, str> {
    if !mentions_tab_id(json.as_bytes()) {
        return Cow::Borrowed(json);
    }
    let Ok(mut value) = serde_json::from_str::<Value>(json) else { return Cow::Borrowed("{}") };
    drop_tab_ids(&mut value);
    Cow::Owned(value.to_string())
}

/// Removes members named `tabId`, at any depth.
pub(super) fn drop_tab_ids(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("tabId");
            members.values_mut().for_each(drop_tab_ids);
        }
        Value::Array(values) => values.iter_mut().for_each(drop_tab_ids),
        _ => {}
    }
}

/// The data of `debug.log` with each entry's `tab`, the browser's own id, replaced by its name.
pub(super) fn with_tab_names(data: &str, name: impl Fn(i64) -> Option<String>) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(data) else { return "{}".to_owned() };
    drop_tab_ids(&mut value);
    if let Some(entries) = value.get_mut("entries").and_then(Value::as_array_mut) {
        for tab in entries.iter_mut().filter_map(|entry| entry.get_mut("tab")) {
            *tab = tab.as_i64().and_then(&name).map_or(Value::Null, Value::from);
        }
    }
    value.to_string()
}

/// A member of an object that is a text.
pub(super) fn text_member(object: &str, wanted: &str) -> Option<String> {
    let members: Members<'_> = serde_json::from_str(object).ok()?;
    serde_json::from_str(members.get(wanted)?).ok()
}

/// A member of an object that is an integer.
pub(super) fn integer_member(object: &str, wanted: &str) -> Option<i64> {
    let members: Members<'_> = serde_json::from_str(object).ok()?;
    members.get(wanted)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_go_onto_entries_that_carry_a_target_and_nothing_else_changes() {
        let data = r##"{"elements":[ {"selector":"#a","n":1.50}, {"tag":"b","handle":"el9"}, {"selector":"c","handle":"el8"},{"selector":"d"},{"h\u0061ndle":1,"n":2},7],"x":[1e2]}"##;
        let mut read = Read::parse(data, HandleKind::Element, 2).unwrap();
        assert_eq!(
            read.take_targets(),
            [Target::Selector("#a".into()), Target::Selector("c".into())]
        );
        assert_eq!(
            read.with_handles(data, 4),
            r##"{"elements":[{"handle":"el4","selector":"#a","n":1.50},{"tag":"b"},{"handle":"el5","selector":"c"},{"selector":"d"},{"n":2},7],"x":[1e2]}"##
        );
    }

    #[test]
    fn an_element_carries_a_selector_or_a_route_with_hosts_and_nothing_else() {
        let route = r#"{"hosts":[{"selector":"a"}],"target":"b"}"#;
        for (entry, carries) in [
            (r#"{"selector":"a"}"#.to_owned(), true),
            (r#"{"selector":"a","route":null}"#.to_owned(), true),
            (r#"{"selector":7,"selector":"a"}"#.to_owned(), true),
            (format!(r#"{{"route":{route}}}"#), true),
            (format!(r#"{{"selector":null,"route":{route}}}"#), true),
            (format!(r#"{{"selector":"a","route":{route}}}"#), false),
            (r#"{"selector":7}"#.to_owned(), false),
            (r#"{"selector":null}"#.to_owned(), false),
            (r#"{"route":{"hosts":[],"target":"b"}}"#.to_owned(), false),
            ("[\"selector\"]".to_owned(), false),
            ("{}".to_owned(), false),
        ] {
            let data = format!(r#"{{"elements":[{entry}]}}"#);
            let targets = Read::parse(&data, HandleKind::Element, 9).unwrap().take_targets();
            assert_eq!(targets.len(), usize::from(carries), "{entry}");
        }
    }

    #[test]
    fn links_carry_their_target_in_a_member_of_its_own() {
        let data = r#"{"links":[{"text":"a","target":{"selector":"a"}},{"target":{"handle":"ln1"}},{"target":null}],"total":3}"#;
        let mut read = Read::parse(data, HandleKind::Link, 200).unwrap();
        assert_eq!(read.take_targets(), [Target::Selector("a".into())]);
        let given = read.with_handles(data, 1);
        assert!(given.starts_with(r#"{"links":[{"handle":"ln1","text":"a""#), "{given}");
    }

    #[test]
    fn tab_ids_are_left_out_at_any_depth() {
        assert_eq!(
            without_tab_ids(r#"{"a":{"tabId":1,"b":[{"tabId":2,"c":3}]}}"#),
            r#"{"a":{"b":[{"c":3}]}}"#
        );
        assert_eq!(without_tab_ids(r#"{"a":1.50}"#), r#"{"a":1.50}"#);
    }

    #[test]
    fn tabs_in_a_log_get_their_names() {
        let data = r#"{"entries":[{"tab":7},{"tab":8},{"tab":"x","tabId":9},{"m":1}]}"#;
        let named = with_tab_names(data, |tab| (tab == 7).then(|| "t1".to_owned()));
        assert_eq!(named, r#"{"entries":[{"tab":"t1"},{"tab":null},{"tab":null},{"m":1}]}"#);
    }

    #[test]
    fn members_are_read_by_name_and_type() {
        let object = r#"{"tabId":7,"url":"http://x/","tabId":8}"#;
        assert_eq!(integer_member(object, "tabId"), Some(8));
        assert_eq!(text_member(object, "url").as_deref(), Some("http://x/"));
        assert_eq!(integer_member(object, "url"), None);
    }
}

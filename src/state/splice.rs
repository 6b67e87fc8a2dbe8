//! Changes in JSON texts that leave everything else as it was written.
//!
//! Answers may be megabytes long and hold numbers that no type here could keep; so the text is cut
//! and joined, and never parsed into values and written anew.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use crate::protocol::{HandleKind, Host, Route, Target};

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

/// The targets of a read's answer, in the order of the entries that carry them, at most `limit`.
pub(super) fn targets(data: &str, kind: HandleKind, limit: usize) -> Vec<Target> {
    entries(data, kind).iter().filter_map(|entry| target_of(entry, kind)).take(limit).collect()
}

/// The answer's data with the handles `first`, `first + 1`, … on the first `count` entries that
/// carry a target. Handles that were there before are left out.
pub(super) fn with_handles(data: &str, kind: HandleKind, first: u32, count: usize) -> String {
    let Ok(members) = serde_json::from_str::<Members<'_>>(data) else { return data.to_owned() };
    let mut writer = Writer::new(data.len() + count * 16);
    let mut given = 0;
    for (name, value) in &members.0 {
        let text = writer.name(name);
        if name != kind.source_action() || !value.starts_with('[') {
            text.push_str(value);
            continue;
        }
        text.push('[');
        for (at, entry) in entries(data, kind).into_iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            let gets_one = given < count && target_of(entry, kind).is_some();
            let handle = gets_one.then(|| format!("{}{}", kind.prefix(), first + given as u32));
            given += usize::from(gets_one);
            text.push_str(&with_handle(entry, handle.as_deref()));
        }
        text.push(']');
    }
    writer.finish()
}

fn entries(data: &str, kind: HandleKind) -> Vec<&str> {
    let Ok(members) = serde_json::from_str::<Members<'_>>(data) else { return Vec::new() };
    let list = members.0.iter().rev().find(|(name, _)| name == kind.source_action());
    let raw = list.and_then(|(_, list)| serde_json::from_str::<Vec<&RawValue>>(list).ok());
    raw.unwrap_or_default().into_iter().map(RawValue::get).collect()
}

/// The entry's target: under `target` in links, among the other members in elements.
fn target_of(entry: &str, kind: HandleKind) -> Option<Target> {
    #[derive(Deserialize)]
    struct Carrier {
        selector: Option<Value>,
        route: Option<Route>,
    }
    #[derive(Deserialize)]
    struct Link {
        target: Target,
    }
    match kind {
        HandleKind::Link => {
            let target = serde_json::from_str::<Link>(entry).ok()?.target;
            (!matches!(target, Target::Handle(_))).then_some(target)
        }
        HandleKind::Element => {
            let carrier = serde_json::from_str::<Carrier>(entry).ok()?;
            match (carrier.selector, carrier.route) {
                (Some(Value::String(selector)), None) => Some(Target::Selector(selector)),
                (None, Some(route)) if has_hosts(&route.hosts) => Some(Target::Route(route)),
                _ => None,
            }
        }
    }
}

fn has_hosts(hosts: &[Host]) -> bool {
    !hosts.is_empty()
}

fn with_handle<'a>(entry: &'a str, handle: Option<&str>) -> Cow<'a, str> {
    let Ok(members) = serde_json::from_str::<Members<'_>>(entry) else {
        return Cow::Borrowed(entry);
    };
    if handle.is_none() && members.0.iter().all(|(name, _)| name != "handle") {
        return Cow::Borrowed(entry);
    }
    let mut writer = Writer::new(entry.len() + 20);
    if let Some(handle) = handle {
        writer.name("handle").push_str(&Value::from(handle).to_string());
    }
    for (name, value) in members.0.iter().filter(|(name, _)| name != "handle") {
        writer.name(name).push_str(value);
    }
    Cow::Owned(writer.finish())
}

/// Whether a text may hold a member that [`without_tab_ids`] would leave out.
pub(super) fn mentions_tab_id(json: &str) -> bool {
    memchr::memmem::find(json.as_bytes(), b"\"tabId\"").is_some()
}

/// The object without members named `tabId`, at any depth.
pub(super) fn without_tab_ids(json: &str) -> Cow<'_, str> {
    if !mentions_tab_id(json) {
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
    let (_, value) = members.0.iter().rev().find(|(name, _)| name == wanted)?;
    serde_json::from_str(value).ok()
}

/// A member of an object that is an integer.
pub(super) fn integer_member(object: &str, wanted: &str) -> Option<i64> {
    let members: Members<'_> = serde_json::from_str(object).ok()?;
    let (_, value) = members.0.iter().rev().find(|(name, _)| name == wanted)?;
    value.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_go_onto_entries_that_carry_a_target_and_nothing_else_changes() {
        let data = r##"{"elements":[ {"selector":"#a","n":1.50}, {"tag":"b","handle":"el9"}, {"selector":"c","handle":"el8"},{"selector":"d"},7],"x":[1e2]}"##;
        assert_eq!(targets(data, HandleKind::Element, 2).len(), 2);
        assert_eq!(
            with_handles(data, HandleKind::Element, 4, 2),
            r##"{"elements":[{"handle":"el4","selector":"#a","n":1.50},{"tag":"b"},{"handle":"el5","selector":"c"},{"selector":"d"},7],"x":[1e2]}"##
        );
    }

    #[test]
    fn links_carry_their_target_in_a_member_of_its_own() {
        let data = r#"{"links":[{"text":"a","target":{"selector":"a"}},{"target":{"handle":"ln1"}},{"target":null}],"total":3}"#;
        assert_eq!(targets(data, HandleKind::Link, 200), [Target::Selector("a".into())]);
        let given = with_handles(data, HandleKind::Link, 1, 1);
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

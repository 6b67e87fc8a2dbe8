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

/// An object's members as they were written, in their order.
pub(super) struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

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
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// The object with `first`, a member or nothing, in front, and without the members named in `dropped`.
    pub(super) fn written(&self, first: &str, dropped: &[&str]) -> String {
        let length: usize = self.0.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let mut writer = Writer::new(length + 32);
        writer.text.push_str(first);
        for (name, value) in self.0.iter().filter(|(name, _)| !dropped.contains(&&**name)) {
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

/// The numbers in the list `name`, and the object without it; `None` if it has none.
pub(super) fn take_numbers(object: &str, name: &str) -> Option<(Vec<Option<u64>>, String)> {
    let members: Members<'_> = serde_json::from_str(object).ok()?;
    let list: Option<Vec<&RawValue>> = serde_json::from_str(members.get(name)?).ok();
    let numbers = list.unwrap_or_default().into_iter().map(|number| number.get().parse().ok());
    Some((numbers.collect(), members.written("", &[name])))
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

/// The data of an act whose effects name tabs that it opened, each with its name in place of the browser's own id; `None`
/// if they name none.
pub(super) fn with_opened_tabs(data: &str, name: impl Fn(i64) -> Option<String>) -> Option<String> {
    if !mentions_tab_id(data.as_bytes()) {
        return None;
    }
    let members: Members<'_> = serde_json::from_str(data).ok()?;
    let effects: Members<'_> = serde_json::from_str(members.get("effects")?).ok()?;
    let mut opened: Vec<Value> = serde_json::from_str(effects.get("opened")?).ok()?;
    for tab in opened.iter_mut().filter_map(Value::as_object_mut) {
        tab.remove("tab");
        let id = tab.remove("tabId").as_ref().and_then(Value::as_i64);
        if let Some(name) = id.and_then(&name) {
            tab.insert("tab".to_owned(), name.into());
        }
    }
    let opened = format!(r#""opened":{}"#, Value::Array(opened));
    let effects = effects.written(&opened, &["opened"]);
    Some(members.written(&format!(r#""effects":{effects}"#), &["effects"]))
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
    fn the_numbers_of_a_list_are_taken_out_of_the_object() {
        let taken = |object| take_numbers(object, "handles");
        assert_eq!(
            taken(r#"{"tree":"a [el1]","handles":[ 7,"8",1.0,-1],"x":1.50}"#),
            Some((vec![Some(7), None, None, None], r#"{"tree":"a [el1]","x":1.50}"#.to_owned()))
        );
        assert_eq!(taken(r#"{"handles":7}"#), Some((vec![], "{}".to_owned())));
        assert_eq!(taken(r#"{"tree":"\"handles\""}"#), None);
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
    fn tabs_that_an_act_opened_get_their_names() {
        let named = |data| with_opened_tabs(data, |tab| (tab == 7).then(|| "t2".to_owned()));
        assert_eq!(
            named(
                r#"{"clicked":true,"effects":{"scrolled":1.50,"opened":[{"tabId":7,"url":"a"},{"tabId":8,"url":"b","tab":"t9"}]}}"#
            )
            .as_deref(),
            Some(
                r#"{"effects":{"opened":[{"tab":"t2","url":"a"},{"url":"b"}],"scrolled":1.50},"clicked":true}"#
            )
        );
        assert_eq!(named(r#"{"clicked":true,"effects":{"opened":[]}}"#), None);
        assert_eq!(named(r#"{"tabId":7}"#), None);
    }

    #[test]
    fn members_are_read_by_name_and_type() {
        let object = r#"{"tabId":7,"url":"http://x/","tabId":8}"#;
        assert_eq!(integer_member(object, "tabId"), Some(8));
        assert_eq!(text_member(object, "url").as_deref(), Some("http://x/"));
        assert_eq!(integer_member(object, "url"), None);
    }
}

//! The list of elements in the data of a read: what its entries carry, and the data with handles in its place.
//!
//! A list may have thousands of entries, so it is read once, and only what changes is written anew.

use std::borrow::Cow;

use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::protocol::{HandleKind, ShadowRoute, Target};

use super::json_edit::Members;

/// A list, as far as handles are concerned.
pub(super) struct Listing<'a> {
    data: &'a str,
    kind: HandleKind,
    entries: Vec<Entry<'a>>,
}

/// What an entry carries to be acted on.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Carried {
    /// The number that the page's side gave the element; none if it is not a number.
    Number(Option<u64>),
    /// A target that finds the element.
    Target(Target),
}

/// How a list is to be read.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    pub(super) kind: HandleKind,
    /// Whether a member `n` is the element's number.
    pub(super) numbered: bool,
    /// For how many entries a target counts.
    pub(super) targets: usize,
}

/// An entry that may change. Names and values are as they were written, and parts of the data.
struct Entry<'a> {
    /// The name of its first member.
    first: &'a str,
    /// Name and value of its last `n`.
    n: Option<(&'a str, &'a str)>,
    target: Option<Target>,
    /// Whether it has a `handle` already, or several `n`.
    untidy: bool,
    /// The number of the handle that it gets.
    handle: Option<u64>,
}

impl<'a> Listing<'a> {
    /// The list called `name`; `None` if the data have none.
    pub(super) fn parse(data: &'a str, name: &str, reading: Reading) -> Option<Self> {
        let members: Members<'a> = serde_json::from_str(data).ok()?;
        let list = members.get(name).filter(|list| list.starts_with('['))?;
        let mut list = serde_json::Deserializer::from_str(list);
        let entries = ListReader(reading).deserialize(&mut list).ok()?;
        Some(Self { data, kind: reading.kind, entries })
    }

    /// Gives every entry the handle that `number` decides on. If any entry has a number, targets do not count.
    pub(super) fn assign(&mut self, mut number: impl FnMut(Carried) -> Option<u64>) {
        let numbered = self.entries.iter().any(|entry| entry.n.is_some());
        for entry in &mut self.entries {
            entry.handle = match (entry.n, entry.target.take()) {
                (Some((_, value)), _) => number(Carried::Number(value.parse().ok())),
                (None, Some(target)) if !numbered => number(Carried::Target(target)),
                _ => None,
            };
        }
    }

    /// The data with the assigned handles, and no other ones; `None` if nothing changes.
    pub(super) fn text(&self) -> Option<String> {
        let offset = |part: &str| part.as_ptr() as usize - self.data.as_ptr() as usize;
        let mut text = String::with_capacity(self.data.len() + self.entries.len() * 24);
        let mut copied = 0;
        for entry in &self.entries {
            let member = |number| format!(r#""handle":"{}{number}""#, self.kind.prefix());
            let start = offset(entry.first);
            let (from, to, new) = match (entry.handle, entry.n) {
                (None, None) if !entry.untidy => continue,
                (Some(number), Some((name, value))) if !entry.untidy => {
                    (offset(name), offset(value) + value.len(), member(number))
                }
                (Some(number), None) if !entry.untidy => (start, start, member(number) + ","),
                (number, n) => {
                    let open = self.data[..start].rfind('{')?;
                    let (members, length) = Members::first_of(&self.data[open..])?;
                    let dropped: &[&str] = if n.is_some() { &["handle", "n"] } else { &["handle"] };
                    let handle = number.map(|number| format!("{}{number}", self.kind.prefix()));
                    (open, open + length, members.written(handle.as_deref(), dropped))
                }
            };
            text.push_str(&self.data[copied..from]);
            text.push_str(&new);
            copied = to;
        }
        text.push_str(&self.data[copied..]);
        (copied > 0).then_some(text)
    }
}

/// A member's name without quotes and escapes.
fn unquoted(name: &str) -> Cow<'_, str> {
    match name.contains('\\') {
        true => serde_json::from_str(name).map_or(Cow::Borrowed(""), Cow::Owned),
        false => Cow::Borrowed(name.trim_matches('"')),
    }
}

struct ListReader(Reading);

impl<'de> DeserializeSeed<'de> for ListReader {
    type Value = Vec<Entry<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, list: D) -> Result<Self::Value, D::Error> {
        list.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ListReader {
    type Value = Vec<Entry<'de>>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element_seed(EntryReader(self.0))? {
            let Some(entry) = entry else { continue };
            match (entry.n, &entry.target) {
                // Targets do not count any more.
                (Some(_), _) => self.0.targets = 0,
                (None, Some(_)) => self.0.targets -= 1,
                (None, None) => {}
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

struct EntryReader(Reading);

impl<'de> DeserializeSeed<'de> for EntryReader {
    type Value = Option<Entry<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, entry: D) -> Result<Self::Value, D::Error> {
        entry.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EntryReader {
    type Value = Option<Entry<'de>>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let Self(Reading { kind, numbered, targets }) = self;
        let (mut first, mut n, mut untidy) = (None, None, false);
        let mut carrier = Carrier::default();
        while let Some(name) = members.next_key::<&'de RawValue>()? {
            let name = name.get();
            first.get_or_insert(name);
            let place = match &*unquoted(name) {
                "n" if numbered => {
                    untidy |= n.is_some();
                    n = Some((name, members.next_value::<&'de RawValue>()?.get()));
                    continue;
                }
                "selector" if kind == HandleKind::Element => Some(&mut carrier.selector),
                "route" if kind == HandleKind::Element => Some(&mut carrier.route),
                "target" if kind == HandleKind::Link => Some(&mut carrier.target),
                "handle" => {
                    untidy = true;
                    None
                }
                _ => None,
            };
            match place.filter(|_| targets > 0) {
                Some(place) => *place = Some(members.next_value::<&'de RawValue>()?.get()),
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        let target = carrier.named().filter(|_| n.is_none());
        let changes = n.is_some() || untidy || target.is_some();
        Ok(first.filter(|_| changes).map(|first| Entry { first, n, target, untidy, handle: None }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// The members that may name an entry's target, as they were written: of links one, of elements among the others.
#[derive(Default)]
struct Carrier<'a> {
    selector: Option<&'a str>,
    route: Option<&'a str>,
    target: Option<&'a str>,
}

impl<'a> Carrier<'a> {
    fn named(&self) -> Option<Target> {
        let given = |member: &Option<&'a str>| member.filter(|value| *value != "null");
        match (given(&self.selector), given(&self.route), given(&self.target)) {
            (Some(selector), None, None) => {
                serde_json::from_str(selector).ok().map(Target::Selector)
            }
            (None, Some(route), None) => {
                let route: ShadowRoute = serde_json::from_str(route).ok()?;
                (!route.hosts.is_empty()).then_some(Target::Route(route))
            }
            (None, None, Some(target)) => {
                let target = serde_json::from_str(target).ok()?;
                (!matches!(target, Target::Handle(_))).then_some(target)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(kind: HandleKind, targets: usize) -> Reading {
        Reading { kind, numbered: true, targets }
    }

    fn elements(data: &str, targets: usize) -> Listing<'_> {
        Listing::parse(data, "elements", reading(HandleKind::Element, targets)).unwrap()
    }

    /// What the entries of a list carry, in order.
    fn carried(mut listing: Listing<'_>) -> Vec<Carried> {
        let mut all = Vec::new();
        listing.assign(|carried| {
            all.push(carried);
            None
        });
        all
    }

    #[test]
    fn handles_go_onto_entries_that_carry_a_target_and_nothing_else_changes() {
        let data = r##"{"elements":[ {"selector":"#a","x":1.50}, {"tag":"b","handle":"el9"}, {"selector":"c","handle":"el8"},{"selector":"d"},{"h\u0061ndle":1,"x":2},7,"x",null,[[1]],{}],"x":[1e2]}"##;
        let mut listing = elements(data, 2);
        let (mut number, mut targets) = (3, Vec::new());
        listing.assign(|carried| {
            targets.push(carried);
            number += 1;
            Some(number)
        });
        let selector = |text: &str| Carried::Target(Target::Selector(text.into()));
        assert_eq!(targets, [selector("#a"), selector("c")]);
        assert_eq!(
            listing.text().unwrap(),
            r##"{"elements":[ {"handle":"el4","selector":"#a","x":1.50}, {"tag":"b"}, {"handle":"el5","selector":"c"},{"selector":"d"},{"x":2},7,"x",null,[[1]],{}],"x":[1e2]}"##
        );
    }

    #[test]
    fn a_handle_takes_the_place_of_a_number_and_targets_do_not_count_beside_numbers() {
        let data = r##"{"elements":[{"selector":"#a"},{ "tag":"b", "\u006e" : 7 , "x":"n"},{"n":8,"handle":"el1"},{"n":9,"n":10},{"n":"11"},{"n":12,"x":1},{"n":null}, {"x":{"n":1}}]}"##;
        let mut listing = elements(data, 100);
        let mut numbers = Vec::new();
        listing.assign(|carried| match carried {
            Carried::Number(number) => {
                numbers.push(number);
                number.filter(|number| *number != 12)
            }
            Carried::Target(target) => panic!("{target:?}"),
        });
        assert_eq!(numbers, [Some(7), Some(8), Some(10), None, Some(12), None]);
        assert_eq!(
            listing.text().unwrap(),
            r##"{"elements":[{"selector":"#a"},{ "tag":"b", "handle":"el7" , "x":"n"},{"handle":"el8"},{"handle":"el10"},{},{"x":1},{}, {"x":{"n":1}}]}"##
        );
    }

    #[test]
    fn without_numbers_a_member_n_is_like_any_other() {
        let reading = Reading { kind: HandleKind::Element, numbered: false, targets: 9 };
        let data = r##"{"elements":[{"selector":"#a","n":7},{"n":8}]}"##;
        let mut listing = Listing::parse(data, "elements", reading).unwrap();
        listing.assign(|_| Some(1));
        let expected = r##"{"elements":[{"handle":"el1","selector":"#a","n":7},{"n":8}]}"##;
        assert_eq!(listing.text().unwrap(), expected);
    }

    #[test]
    fn data_without_handles_do_not_change() {
        for data in [r#"{"elements":[]}"#, r#"{"elements":[1,{"tag":"a"}]}"#] {
            assert_eq!(elements(data, 9).text(), None);
        }
        for data in [r#"{"elements":"none"}"#, r#"{"elements":null}"#, "{}", "[]"] {
            assert!(Listing::parse(data, "elements", reading(HandleKind::Element, 9)).is_none());
        }
    }

    #[test]
    fn an_element_carries_a_selector_or_a_route_with_hosts_and_nothing_else() {
        let route = r#"{"hosts":[{"selector":"a"}],"target":"b"}"#;
        for (entry, carries) in [
            (r#"{"selector":"a"}"#.to_owned(), true),
            (r#"{"selector":"a","route":null}"#.to_owned(), true),
            (r#"{"selector":7,"selector":"a"}"#.to_owned(), true),
            (r#"{"selector":"a","target":{"selector":"b"}}"#.to_owned(), true),
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
            assert_eq!(carried(elements(&data, 9)).len(), usize::from(carries), "{entry}");
        }
    }

    #[test]
    fn links_carry_their_target_in_a_member_of_its_own() {
        let data = r#"{"links":[{"text":"a","target":{"selector":"a"}},{"target":{"handle":"ln1"}},{"target":null}],"total":3}"#;
        let parse = || Listing::parse(data, "links", reading(HandleKind::Link, 200)).unwrap();
        assert_eq!(carried(parse()), [Carried::Target(Target::Selector("a".into()))]);
        let mut listing = parse();
        listing.assign(|_| Some(1));
        let given = listing.text().unwrap();
        assert!(given.starts_with(r#"{"links":[{"handle":"ln1","text":"a""#), "{given}");
    }
}

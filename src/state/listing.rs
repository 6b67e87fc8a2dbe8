//! The list of elements in the data of a read: what its entries carry, and the data with handles in its place.
//!
//! A list may have thousands of entries, so only those that may change are taken apart, and only what changes is written
//! anew.

use std::{borrow::Cow, fmt::Write as _};

use memchr::memmem;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::protocol::{By, HandleKind, ShadowRoute, Target};

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

/// An entry that may change.
struct Entry<'a> {
    /// The entry as it was written, a part of the data.
    text: &'a str,
    members: EntryMembers<'a>,
    target: Option<Target>,
    /// The number of the handle that it gets.
    handle: Option<u64>,
}

impl<'a> Listing<'a> {
    /// The list called `name`; `None` if the data have none.
    pub(super) fn parse(data: &'a str, name: &str, reading: Reading) -> Option<Self> {
        let members: Members<'a> = serde_json::from_str(data).ok()?;
        let list: Vec<&'a RawValue> = serde_json::from_str(members.get(name)?).ok()?;
        Self::of(data, list, reading)
    }

    /// The element that an act gave the focus, as a list of one; `None` if the data have none.
    pub(super) fn focus(data: &'a str, reading: Reading) -> Option<Self> {
        let members: Members<'a> = serde_json::from_str(data).ok()?;
        let effects: Members<'a> = serde_json::from_str(members.get("effects")?).ok()?;
        let focus: &'a RawValue = serde_json::from_str(effects.get("focus")?).ok()?;
        Self::of(data, vec![focus], reading)
    }

    fn of(data: &'a str, list: Vec<&'a RawValue>, mut reading: Reading) -> Option<Self> {
        let [handle, number] = [r#""handle""#, r#""n""#].map(memmem::Finder::new);
        let mut entries = Vec::new();
        for text in list.into_iter().map(RawValue::get) {
            let bytes = text.as_bytes();
            let may_change = reading.targets > 0
                || handle.find(bytes).is_some()
                || (reading.numbered && number.find(bytes).is_some())
                // A name may be written in escapes.
                || memchr::memchr(b'\\', bytes).is_some();
            if !may_change || !text.starts_with('{') {
                continue;
            }
            let members =
                reading.deserialize(&mut serde_json::Deserializer::from_str(text)).ok()?;
            let mut target = None;
            if members.n.is_some() {
                // Targets do not count any more.
                reading.targets = 0;
            } else if reading.targets > 0 {
                target = members.target();
                reading.targets -= usize::from(target.is_some());
            }
            if members.n.is_some() || members.untidy || target.is_some() {
                entries.push(Entry { text, members, target, handle: None });
            }
        }
        Some(Self { data, kind: reading.kind, entries })
    }

    /// Gives every entry the handle that `number` decides on. If any entry has a number, targets do not count.
    pub(super) fn assign(&mut self, mut number: impl FnMut(Carried) -> Option<u64>) {
        let numbered = self.entries.iter().any(|entry| entry.members.n.is_some());
        for entry in &mut self.entries {
            entry.handle = match (entry.members.n, entry.target.take()) {
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
        for Entry { text: entry, members, handle, .. } in &self.entries {
            let start = offset(entry);
            let write_handle = |text: &mut String, number: &u64| {
                // Writing to a string cannot fail.
                let _ = write!(text, r#""handle":"{}{number}""#, self.kind.prefix());
            };
            match (handle, members.n) {
                (None, None) if !members.untidy => {}
                (Some(number), Some((name, value))) if !members.untidy => {
                    // The name is written between quotes.
                    text.push_str(&self.data[copied..offset(name) - 1]);
                    write_handle(&mut text, number);
                    copied = offset(value) + value.len();
                }
                (Some(number), None) if !members.untidy => {
                    text.push_str(&self.data[copied..=start]);
                    write_handle(&mut text, number);
                    text.push(',');
                    copied = start + 1;
                }
                (number, n) => {
                    let mut first = String::new();
                    number.iter().for_each(|number| write_handle(&mut first, number));
                    let all: Members<'_> = serde_json::from_str(entry).ok()?;
                    let dropped: &[&str] = if n.is_some() { &["handle", "n"] } else { &["handle"] };
                    text.push_str(&self.data[copied..start]);
                    text.push_str(&all.written(&first, dropped));
                    copied = start + entry.len();
                }
            }
        }
        text.push_str(&self.data[copied..]);
        (copied > 0).then_some(text)
    }
}

/// The members of an entry that matter, as they were written. Of repeated members the last one counts.
#[derive(Default)]
pub(super) struct EntryMembers<'a> {
    /// The number: the name, without quotes, and the value.
    n: Option<(&'a str, &'a str)>,
    selector: Option<&'a str>,
    route: Option<&'a str>,
    target: Option<&'a str>,
    /// Whether there is a `handle` already, or an `n` that is repeated or has escapes in its name: then the entry is
    /// written anew.
    untidy: bool,
}

impl EntryMembers<'_> {
    /// The target that the entry carries: of links one member, of elements one among the others.
    fn target(&self) -> Option<Target> {
        fn given(member: Option<&str>) -> Option<&str> {
            member.filter(|value| *value != "null")
        }
        match (given(self.selector), given(self.route), given(self.target)) {
            (Some(selector), None, None) => {
                serde_json::from_str(selector).ok().map(By::Selector).map(Target::from)
            }
            (None, Some(route), None) => {
                let route: ShadowRoute = serde_json::from_str(route).ok()?;
                (!route.hosts.is_empty()).then(|| By::Route(route).into())
            }
            (None, None, Some(target)) => {
                let target: Target = serde_json::from_str(target).ok()?;
                (target.is_plain() && !matches!(target.by, By::Handle(_))).then_some(target)
            }
            _ => None,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reading {
    type Value = EntryMembers<'de>;

    fn deserialize<D: Deserializer<'de>>(self, entry: D) -> Result<Self::Value, D::Error> {
        entry.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reading {
    type Value = EntryMembers<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

        let mut members = EntryMembers::default();
        while let Some(Name(name)) = map.next_key()? {
            let place = match (&*name, self.kind) {
                ("n", _) if self.numbered => {
                    let value = map.next_value::<&'de RawValue>()?.get();
                    let tidy = match name {
                        Cow::Borrowed(name) => members.n.replace((name, value)).is_none(),
                        Cow::Owned(_) => {
                            members.n = Some((value, value));
                            false
                        }
                    };
                    members.untidy |= !tidy;
                    continue;
                }
                ("handle", _) => {
                    members.untidy = true;
                    None
                }
                _ if self.targets == 0 => None,
                ("selector", HandleKind::Element) => Some(&mut members.selector),
                ("route", HandleKind::Element) => Some(&mut members.route),
                ("target", HandleKind::Link) => Some(&mut members.target),
                _ => None,
            };
            match place {
                Some(place) => *place = Some(map.next_value::<&'de RawValue>()?.get()),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(members)
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
        let selector = |text: &str| Carried::Target(By::Selector(text.into()).into());
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
            r##"{"elements":[{"selector":"#a"},{"handle":"el7","tag":"b","x":"n"},{"handle":"el8"},{"handle":"el10"},{},{"x":1},{}, {"x":{"n":1}}]}"##
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
        assert_eq!(carried(parse()), [Carried::Target(By::Selector("a".into()).into())]);
        let mut listing = parse();
        listing.assign(|_| Some(1));
        let given = listing.text().unwrap();
        assert!(given.starts_with(r#"{"links":[{"handle":"ln1","text":"a""#), "{given}");
    }
}

//! What an action acts on: a selector, a route through shadow roots, a handle, or what a reader knows of the element; and
//! the frame that it is in.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{
    ElementHandle, FrameName, Int,
    values::{objects, params, some},
};

/// Exactly one way to name an element, and where it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Target {
    /// The way.
    pub by: By,
    /// The frame that the element is in; without it the page itself, or for [`By::Find`] any frame. A handle has none.
    pub frame: Option<FrameName>,
}

/// A way to name an element.
#[derive(Clone, PartialEq, Debug)]
pub enum By {
    /// A CSS selector in the document.
    Selector(String),
    /// A way through shadow roots.
    Route(ShadowRoute),
    /// A handle from an earlier read, such as `el1`.
    Handle(ElementHandle),
    /// What a reader knows of it.
    Find(Criteria),
}

impl From<By> for Target {
    fn from(by: By) -> Self {
        Self { by, frame: None }
    }
}

impl From<&str> for Target {
    /// The element with this handle, such as `el3`; of any other text the one that matches it as a CSS selector.
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| By::Selector(text.to_owned()), By::Handle).into()
    }
}

impl From<ElementHandle> for Target {
    fn from(handle: ElementHandle) -> Self {
        By::Handle(handle).into()
    }
}

impl From<Criteria> for Target {
    fn from(criteria: Criteria) -> Self {
        By::Find(criteria).into()
    }
}

impl Target {
    /// Whether an extension that knows nothing of frames understands it.
    pub fn is_plain(&self) -> bool {
        self.frame.is_none() && !matches!(self.by, By::Find(_))
    }
}

/// A selector that starts inside shadow roots.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct ShadowRoute {
    /// The shadow hosts to enter, outermost first; at least one.
    #[schemars(length(min = 1))]
    pub hosts: Vec<Host>,
    /// The CSS selector inside the last host's shadow root.
    pub target: String,
}

/// One shadow host on the way.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Host {
    /// The host's CSS selector within the root before it.
    pub selector: String,
    /// Which of the matches, from 0.
    #[serde(default, deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
}

params! {
    /// What a reader knows of an element; at least one of its texts. They compare after white space is collapsed,
    /// whatever their case, and as a part.
    Criteria {;
        /// Its accessible role, such as `button`.
        role: String,
        /// Its accessible name.
        name: String,
        /// The text that it shows.
        text: String,
        /// The text of its label.
        label: String,
        /// Its placeholder.
        placeholder: String,
        /// Its test id (`data-testid` and the like).
        test_id: String,
        /// Whether case counts, and a text is the whole.
        exact: bool,
        /// Which of several matches, from 0.
        nth: Int<0, { u32::MAX }>,
    }
}

impl Criteria {
    /// What is expected where nothing of an element is known.
    pub const EXPECTED: &str =
        "expected at least one of `role`, `name`, `text`, `label`, `placeholder`, `testId`";

    /// Whether they say anything of an element.
    pub fn is_empty(&self) -> bool {
        let Self { role, name, text, label, placeholder, test_id, exact: _, nth: _ } = self;
        [role, name, text, label, placeholder, test_id].iter().all(|it| it.is_none())
    }
}

objects!(ShadowRoute, Host, Fields);

#[derive(Default, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
struct Fields {
    #[serde(default, deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    selector: Option<String>,
    #[serde(default, deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    route: Option<ShadowRoute>,
    #[serde(default, deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    handle: Option<ElementHandle>,
    #[serde(default, deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    find: Option<Criteria>,
    #[serde(default, deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    frame: Option<FrameName>,
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = Fields { frame: self.frame.clone(), ..Fields::default() };
        match self.by.clone() {
            By::Selector(selector) => fields.selector = Some(selector),
            By::Route(route) => fields.route = Some(route),
            By::Handle(handle) => fields.handle = Some(handle),
            By::Find(criteria) => fields.find = Some(criteria),
        }
        Serialize::serialize(&fields, serializer)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = <Fields as Deserialize>::deserialize(deserializer)?;
        let by = match (fields.selector, fields.route, fields.handle, fields.find) {
            (Some(selector), None, None, None) => By::Selector(selector),
            (None, Some(route), None, None) if route.hosts.is_empty() => {
                return Err(D::Error::custom(
                    "`hosts` of a `route` must name at least one shadow host",
                ));
            }
            (None, Some(route), None, None) => By::Route(route),
            (None, None, Some(_), None) if fields.frame.is_some() => {
                return Err(D::Error::custom(
                    "a `handle` takes no `frame`: it stands for an element wherever that is",
                ));
            }
            (None, None, Some(handle), None) => By::Handle(handle),
            (None, None, None, Some(find)) if find.is_empty() => {
                return Err(D::Error::custom(format!("`find`: {}", Criteria::EXPECTED)));
            }
            (None, None, None, Some(find)) => By::Find(find),
            _ => {
                return Err(D::Error::custom(
                    "expected exactly one of `selector`, `route`, `handle`, `find`",
                ));
            }
        };
        Ok(Self { by, frame: fields.frame })
    }
}

impl JsonSchema for Target {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Target".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let frame = described::<FrameName>(generator, "The frame that it is in, such as `f1`.");
        let way = |member: &str, schema: Schema| {
            let mut properties = serde_json::Map::from_iter([(member.to_owned(), schema.into())]);
            // A handle stands for an element wherever that is.
            if member != "handle" {
                properties.insert("frame".to_owned(), frame.clone().into());
            }
            json_schema!({
                "type": "object",
                "properties": properties,
                "required": [member],
                "additionalProperties": false
            })
        };
        let selector = described::<String>(generator, "A CSS selector in the document.");
        let route = described::<ShadowRoute>(generator, "A way through shadow roots.");
        let handle =
            described::<ElementHandle>(generator, "A handle from an earlier read, such as `el1`.");
        let find = described::<Criteria>(generator, "What a reader knows of it.");
        json_schema!({ "oneOf": [
            way("selector", selector),
            way("route", route),
            way("handle", handle),
            way("find", find),
        ] })
    }
}

fn described<T: JsonSchema>(generator: &mut SchemaGenerator, about: &str) -> Schema {
    let mut schema = generator.subschema_for::<T>();
    schema.insert("description".to_owned(), about.into());
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_its_element_in_exactly_one_way() {
        let parse = |json| serde_json::from_str::<Target>(json);
        assert_eq!(parse(r##"{"selector":"#a"}"##).unwrap(), By::Selector("#a".into()).into());
        for same in [
            r#"{"route":{"hosts":[{"selector":"x-a","index":1}],"target":"b"}}"#,
            r#"{"find":{"role":"button","name":"Save","exact":true,"nth":2}}"#,
            r#"{"find":{"testId":"save"},"frame":"f12"}"#,
            r##"{"selector":"#a","frame":"f1"}"##,
        ] {
            assert_eq!(serde_json::to_string(&parse(same).unwrap()).unwrap(), same);
        }
        assert!(matches!(parse(r#"{"handle":"el1"}"#).unwrap().by, By::Handle(_)));
        for bad in [
            "{}",
            r#"{"selector":null}"#,
            r#"{"selector":"a","handle":"el1"}"#,
            r#"{"selector":"a","more":1}"#,
            r#"{"route":{"hosts":[],"target":"b"}}"#,
            r#"{"route":{"hosts":[{"selector":"a","index":-1}],"target":"b"}}"#,
            r#"{"route":{"hosts":[{"selector":"a","index":null}],"target":"b"}}"#,
            r#""el1""#,
            r##"["#a"]"##,
            r#"{"route":{"hosts":[["a"]],"target":"b"}}"#,
            r#"{"handle":"el1","frame":"f1"}"#,
            r#"{"frame":"f1"}"#,
            r#"{"find":{}}"#,
            r#"{"find":{"exact":true,"nth":0}}"#,
            r#"{"find":{"name":null}}"#,
            r#"{"find":{"name":"a","nth":-1}}"#,
            r#"{"find":{"name":"a"},"selector":"a"}"#,
            r#"{"selector":"a","frame":"t1"}"#,
            r#"{"selector":"a","frame":"f"}"#,
            r#"{"selector":"a","frame":null}"#,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}

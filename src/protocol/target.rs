//! What an action acts on: a selector, a route through shadow roots, or a handle that stands for one.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::{
    ElementHandle,
    values::{objects, some},
};

/// Exactly one way to name an element.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// A CSS selector in the page's document.
    Selector(String),
    /// A way through open shadow roots.
    Route(ShadowRoute),
    /// A handle from an earlier read, such as `el1`.
    Handle(ElementHandle),
}

/// A selector that starts inside open shadow roots.
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

objects!(ShadowRoute, Host, Fields);

#[derive(Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
struct Fields {
    #[serde(default, deserialize_with = "some")]
    selector: Option<String>,
    #[serde(default, deserialize_with = "some")]
    route: Option<ShadowRoute>,
    #[serde(default, deserialize_with = "some")]
    handle: Option<ElementHandle>,
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = <Fields as Deserialize>::deserialize(deserializer)?;
        match (fields.selector, fields.route, fields.handle) {
            (Some(selector), None, None) => Ok(Self::Selector(selector)),
            (None, Some(route), None) if route.hosts.is_empty() => {
                Err(D::Error::custom("`hosts` of a `route` must name at least one shadow host"))
            }
            (None, Some(route), None) => Ok(Self::Route(route)),
            (None, None, Some(handle)) => Ok(Self::Handle(handle)),
            _ => Err(D::Error::custom("expected exactly one of `selector`, `route`, `handle`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_its_element_in_exactly_one_way() {
        let parse = |json| serde_json::from_str::<Target>(json);
        assert_eq!(parse(r##"{"selector":"#a"}"##).unwrap(), Target::Selector("#a".into()));
        let route = r#"{"route":{"hosts":[{"selector":"x-a","index":1}],"target":"b"}}"#;
        assert_eq!(serde_json::to_string(&parse(route).unwrap()).unwrap(), route);
        assert!(matches!(parse(r#"{"handle":"el1"}"#), Ok(Target::Handle(_))));
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
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}

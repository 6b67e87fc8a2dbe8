//! JSON schemas of the types with hand-written checks: each describes what its parser checks. The schemas of all other
//! types are derived.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::{
    Condition, Conditions, Distance, ElementHandle, Field, Fields, FileHandle, FileHandles,
    FrameName, Int, Key, Keys, Label, MAX_CONDITIONS, MAX_FILES, MAX_FORM_FIELDS, MAX_KEYS,
    MAX_LABEL_CHARS, MAX_TYPED_CHARS, SessionId, Share, TabHandle, TypedText, UpTo,
};

/// The schema of parameters, with all subschemas inlined: not every client follows references.
pub fn schema_of<T: JsonSchema>() -> Schema {
    let settings = settings().with_transform(RecursiveTransform(without_null));
    generate::<T>(settings)
}

/// The schema of data: a member that is always there may be null.
pub fn data_schema_of<T: JsonSchema>() -> Schema {
    let settings = settings().for_serialize();
    generate::<T>(settings.with_transform(RecursiveTransform(without_optional_null)))
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    })
}

fn generate<T: JsonSchema>(settings: SchemaSettings) -> Schema {
    let settings = settings.with_transform(RecursiveTransform(plain));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    // These name the Rust type, which tells a client nothing.
    schema.remove("title");
    schema.remove("description");
    schema
}

/// Removes keywords that clients have no use for.
fn plain(schema: &mut Schema) {
    schema.remove("default");
    schema.remove("format");
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
}

/// Removes `null` from members that are left out where they have no value.
fn without_optional_null(schema: &mut Schema) {
    let required = schema.get("required").cloned();
    let is_required = |name: &String| {
        let names = required.as_ref().and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|required| required == name))
    };
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    for (name, property) in properties {
        if let (false, Ok(property)) = (is_required(name), <&mut Schema>::try_from(property)) {
            without_null(property);
        }
    }
}

/// Removes `null`, which the parsers refuse.
fn without_null(schema: &mut Schema) {
    let null = Value::from("null");
    let is_null = |schema: &Value| schema.get("type") == Some(&null);
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| *name != null);
        if let [only] = &mut types[..] {
            let only = only.take();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| !is_null(choice));
        if let [Value::Object(only)] = &mut choices[..] {
            let only = std::mem::take(only);
            schema.remove("anyOf");
            for (key, value) in only {
                // The field's own keywords take precedence over those of its type.
                if schema.get(&key).is_none() {
                    schema.insert(key, value);
                }
            }
        }
    }
}

macro_rules! schemas {
    ($([$($generic:tt)*] $type:ty, $name:literal: |$generator:pat_param| $schema:expr;)*) => {$(
        impl<$($generic)*> JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

schemas! {
    [const MIN: u32, const MAX: u32] Int<MIN, MAX>, "Int":
        |_| json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX });
    [] Share, "Share": |_| json_schema!({ "type": "number", "minimum": 0, "maximum": 1 });
    [const MAX: usize] UpTo<MAX>, "UpTo":
        |_| json_schema!({ "type": "array", "items": { "type": "string" }, "maxItems": MAX });
    [] Label, "Label": |_| json_schema!({ "type": "string", "maxLength": MAX_LABEL_CHARS });
    [] Distance, "Distance":
        |_| json_schema!({ "type": "string", "pattern": "^(viewport|half|end|[0-9]+px)$" });
    [] Key, "Key": |_| json_schema!({
        "type": "string",
        "pattern": "^((Alt|Control|Meta|Shift)\\+)*([A-Z][A-Za-z0-9]*|[^\\u0000-\\u001f\\u007f-\\u009f])$"
    });
    [] Keys, "Keys": |generator| json_schema!({
        "type": "array",
        "items": generator.subschema_for::<Key>(),
        "minItems": 1,
        "maxItems": MAX_KEYS
    });
    [] TypedText, "TypedText":
        |_| json_schema!({ "type": "string", "maxLength": MAX_TYPED_CHARS });
    [] Fields, "Fields": |generator| json_schema!({
        "type": "array",
        "items": generator.subschema_for::<Field>(),
        "minItems": 1,
        "maxItems": MAX_FORM_FIELDS
    });
    [] FileHandles, "FileHandles": |generator| json_schema!({
        "type": "array",
        "items": generator.subschema_for::<FileHandle>(),
        "minItems": 1,
        "maxItems": MAX_FILES
    });
    [] Conditions, "Conditions": |generator| json_schema!({
        "type": "array",
        "items": generator.subschema_for::<Condition>(),
        "minItems": 1,
        "maxItems": MAX_CONDITIONS
    });
    [] SessionId, "SessionId":
        |_| json_schema!({ "type": "string", "pattern": "^[a-z2-7]{6}$" });
    [] TabHandle, "TabHandle": |_| json_schema!({ "type": "string", "pattern": "^t[0-9]+$" });
    [] FileHandle, "FileHandle": |_| json_schema!({ "type": "string", "pattern": "^fl[0-9]+$" });
    [] FrameName, "FrameName":
        |_| json_schema!({ "type": "string", "pattern": "^f[0-9]+$" });
    [] ElementHandle, "ElementHandle":
        |_| json_schema!({ "type": "string", "pattern": "^(el|ln)[0-9]+$" });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::{Action, FillForm, Links, Scroll, SessionBindData, SessionCreateData};

    #[test]
    fn a_schema_says_what_the_parser_checks() {
        let links = schema_of::<Links>().to_value();
        assert_eq!(links["additionalProperties"], false);
        let limit = json!({"type": "integer", "minimum": 1, "maximum": 5000,
            "description": "The most links to return."});
        assert_eq!(links["properties"]["limit"], limit);
        assert_eq!(links["properties"]["visibleOnly"]["type"], "boolean");
        assert!(links.get("required").is_none());
        let method = schema_of::<Field>().to_value()["properties"]["method"].clone();
        assert_eq!(method["enum"], json!(["auto", "direct", "paste", "runtime-api"]));

        let scroll = schema_of::<Scroll>().to_value();
        let ways = scroll["properties"]["target"]["oneOf"].as_array().expect("ways to name");
        let ways: Vec<_> = ways.iter().map(|way| way["required"][0].clone()).collect();
        assert_eq!(ways, ["selector", "route", "handle", "find"]);

        let form = schema_of::<FillForm>().to_value();
        assert_eq!(form["required"], json!(["fields"]));
        let field = &form["properties"]["fields"]["items"];
        assert_eq!(field["required"], json!(["target", "value"]));
    }

    #[test]
    fn no_schema_of_parameters_allows_null_and_none_points_elsewhere() {
        for facts in Action::all() {
            let params = (facts.params)().to_value().to_string();
            assert!(!params.contains("null"), "{}: {params}", facts.name);
            for text in [params, (facts.data)().to_value().to_string()] {
                for part in ["$ref", "$schema", "[`"] {
                    assert!(!text.contains(part), "{}: {text}", facts.name);
                }
            }
        }
    }

    #[test]
    fn data_may_have_a_null_where_a_member_is_always_there() {
        let bind = data_schema_of::<SessionBindData>().to_value();
        assert_eq!(bind["required"], json!(["session", "tab"]));
        assert!(bind["properties"]["tab"].to_string().contains("null"), "{bind}");
        let create = data_schema_of::<SessionCreateData>().to_value();
        assert!(!create["properties"]["label"].to_string().contains("null"), "{create}");
    }
}

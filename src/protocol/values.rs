//! What parameters and results are made of: strict structs, and values that are checked while they are parsed.
//!
//! In parameters unknown fields and `null` are refused everywhere. The same types are what a client serializes.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, MapAccess, Visitor},
};

use super::{
    Condition, Field, FileHandle, MAX_CONDITIONS, MAX_FILES, MAX_FORM_FIELDS, MAX_KEYS,
    MAX_LABEL_CHARS, MAX_TYPED_CHARS,
};

/// Deserializes an optional field that must not be `null` where it is present.
pub(super) fn some<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Deserializes a struct from an object alone; serde's own derive takes an array as well.
pub(super) fn object<'de, D, T, F>(deserializer: D, build: F) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    F: BuildObject<'de, T>,
{
    struct Object<T, F>(F, PhantomData<T>);

    impl<'de, T, F: BuildObject<'de, T>> Visitor<'de> for Object<T, F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            self.0.build(map)
        }
    }

    deserializer.deserialize_map(Object(build, PhantomData))
}

/// What [`object`] does with the object's entries.
pub(super) trait BuildObject<'de, T> {
    fn build<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error>;
}

/// Makes types with a derived, strict implementation (`serde(remote = "Self")`) serializable, and
/// deserializable from objects alone.
macro_rules! objects {
    ($($name:ident),* $(,)?) => {$(
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $name::serialize(self, serializer)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Build;
                impl<'de> $crate::protocol::values::BuildObject<'de, $name> for Build {
                    fn build<A: ::serde::de::MapAccess<'de>>(self, map: A) -> Result<$name, A::Error> {
                        $name::deserialize(::serde::de::value::MapAccessDeserializer::new(map))
                    }
                }
                $crate::protocol::values::object(deserializer, Build)
            }
        }
    )*};
}
pub(super) use objects;

/// An integer from `MIN` to `MAX`, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Int<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Int<MIN, MAX> {
    /// The number itself.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<const MIN: u32, const MAX: u32> TryFrom<i64> for Int<MIN, MAX> {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, String> {
        match u32::try_from(number) {
            Ok(number) if (MIN..=MAX).contains(&number) => Ok(Self(number)),
            _ => Err(format!("{number} is out of range: expected an integer from {MIN} to {MAX}")),
        }
    }
}

impl<const MIN: u32, const MAX: u32> std::str::FromStr for Int<MIN, MAX> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number: i64 =
            text.parse().map_err(|_| format!("`{text}` is not an integer from {MIN} to {MAX}"))?;
        number.try_into()
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Int<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

/// A number from 0 to 1, both included.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(transparent)]
pub struct Share(f64);

impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(number: f64) -> Result<Self, String> {
        match number {
            0.0..=1.0 => Ok(Self(number)),
            _ => Err(format!("{number} is out of range: expected a number from 0 to 1")),
        }
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

/// Declares structs of parameters: strict, with required fields, then `;`, then optional ones that
/// are left out when absent and never `null`.
macro_rules! params {
    ($(
        $(#[$doc:meta])*
        $name:ident {
            $($(#[$required_doc:meta])* $required:ident: $required_type:ty,)*
            ;
            $($(#[$optional_doc:meta])* $optional:ident: $optional_type:ty,)*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug, ::serde::Serialize, ::serde::Deserialize, ::schemars::JsonSchema)]
        #[serde(remote = "Self", deny_unknown_fields, rename_all = "camelCase")]
        pub struct $name {
            $($(#[$required_doc])* pub $required: $required_type,)*
            $($(#[$optional_doc])*
            #[serde(
                default,
                deserialize_with = "crate::protocol::values::some",
                skip_serializing_if = "Option::is_none"
            )]
            pub $optional: Option<$optional_type>,)*
        }
        $crate::protocol::values::objects!($name);
        $crate::protocol::values::params!(@default $name { $($required)* ; $($optional)* });
    )*};
    // What needs nothing can be written with what it takes alone, and the rest as it is by default.
    (@default $name:ident { ; $($optional:ident)* }) => {
        impl Default for $name {
            fn default() -> Self {
                Self { $($optional: None,)* }
            }
        }
    };
    (@default $name:ident { $($required:ident)+ ; $($optional:ident)* }) => {};
}

pub(super) use params;

/// Declares structs of results: required fields, then `;`, then optional ones that are left out when absent. Reading
/// them is lenient: members that a newer version adds are ignored.
macro_rules! data {
    ($(
        $(#[$doc:meta])*
        $name:ident {
            $($(#[$required_doc:meta])* $required:ident: $required_type:ty,)*
            ;
            $($(#[$optional_doc:meta])* $optional:ident: $optional_type:ty,)*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug, ::serde::Serialize, ::serde::Deserialize, ::schemars::JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $($(#[$required_doc])* pub $required: $required_type,)*
            $($(#[$optional_doc])*
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub $optional: Option<$optional_type>,)*
        }
    )*};
}
pub(super) use data;

/// Declares enums of words on the wire.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name { $($(#[$word_doc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// The words, in the order of the protocol.
            pub const WORDS: &[&str] = &[$($word),*];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!({ "type": "string", "enum": Self::WORDS })
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(format!("`{text}` is not one of {}", Self::WORDS.join(", "))),
                }
            }
        }
    )*};
}

pub(super) use words;

words! {
    /// How fast a session's commands may follow one another.
    Pacing {
        /// With the pauses a person makes.
        Human = "human",
        /// Without pauses.
        Fast = "fast",
    }
}

/// Declares a type that wraps another and is checked by a function while it is parsed.
macro_rules! checked {
    ($($(#[$doc:meta])* $name:ident($inner:ty) by $check:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug, Serialize)]
        #[serde(transparent)]
        pub struct $name($inner);

        impl TryFrom<$inner> for $name {
            type Error = String;

            fn try_from(value: $inner) -> Result<Self, String> {
                let check: fn(&$inner) -> Result<(), String> = $check;
                check(&value).map(|()| Self(value))
            }
        }

        impl std::ops::Deref for $name {
            type Target = $inner;

            fn deref(&self) -> &$inner {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <$inner>::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
            }
        }
    )*};
}

checked! {
    /// A session's label.
    Label(String) by |label| match label.chars().count() {
        0..=MAX_LABEL_CHARS => Ok(()),
        count => Err(format!("a label has at most {MAX_LABEL_CHARS} characters, this one has {count}")),
    };

    /// How far to scroll: `viewport`, `half`, `end`, or `{n}px`.
    Distance(String) by |text| {
        let pixels = text.strip_suffix("px").unwrap_or_default();
        let known = matches!(text.as_str(), "viewport" | "half" | "end");
        let number = !pixels.is_empty() && pixels.bytes().all(|byte| byte.is_ascii_digit());
        (known || number).then_some(()).ok_or_else(|| {
            format!("`{text}` is not a distance: expected viewport, half, end or a number of pixels such as 300px")
        })
    };

    /// A key with the modifiers that are held with it, as `Control+Shift+z`.
    Key(String) by |text| {
        let mut key = text.as_str();
        while let Some(held) = ["Alt+", "Control+", "Meta+", "Shift+"].iter().find(|held| key.starts_with(**held)) {
            key = &key[held.len()..];
        }
        let named = key.starts_with(|first: char| first.is_ascii_uppercase())
            && key.chars().all(|char| char.is_ascii_alphanumeric());
        let printed = key.chars().count() == 1 && !key.starts_with(char::is_control);
        (named || printed).then_some(()).ok_or_else(|| {
            format!("`{text}` is no key: expected one such as a, Enter or Control+Shift+z, with Alt, Control, Meta or Shift")
        })
    };

    /// The keys to press, at least one.
    Keys(Vec<Key>) by |keys| match keys.len() {
        1..=MAX_KEYS => Ok(()),
        count => Err(format!("expected 1 to {MAX_KEYS} keys, not {count}")),
    };

    /// A text to type.
    TypedText(String) by |text| match text.chars().count() {
        0..=MAX_TYPED_CHARS => Ok(()),
        count => Err(format!("a text to type has at most {MAX_TYPED_CHARS} characters, this one has {count}")),
    };

    /// The fields of a form, at least one.
    Fields(Vec<Field>) by |fields| match fields.len() {
        1..=MAX_FORM_FIELDS => Ok(()),
        count => Err(format!("expected 1 to {MAX_FORM_FIELDS} fields, not {count}")),
    };

    /// The files to give to a page, at least one.
    FileHandles(Vec<FileHandle>) by |files| match files.len() {
        1..=MAX_FILES => Ok(()),
        count => Err(format!("expected 1 to {MAX_FILES} files, not {count}")),
    };

    /// What a wait is over for as well, at least one.
    Conditions(Vec<Condition>) by |conditions| match conditions.len() {
        1..=MAX_CONDITIONS => Ok(()),
        count => Err(format!("expected 1 to {MAX_CONDITIONS} more, not {count}")),
    };
}

impl Fields {
    /// The fields, to replace their targets.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Field> {
        self.0.iter_mut()
    }
}

/// A list of at most `MAX` texts.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(transparent)]
pub struct UpTo<const MAX: usize>(Vec<String>);

impl<const MAX: usize> TryFrom<Vec<String>> for UpTo<MAX> {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        match texts.len() {
            count if count > MAX => Err(format!("expected at most {MAX} entries, not {count}")),
            _ => Ok(Self(texts)),
        }
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for UpTo<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

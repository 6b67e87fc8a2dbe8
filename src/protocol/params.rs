//! Every action's parameters, checked while they are parsed.
//!
//! Unknown fields and `null` are refused everywhere. The same types are what a client serializes.

use std::{fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{MAX_FORM_FIELDS, MAX_LABEL_CHARS, TabHandle, Target};

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
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $name::serialize(self, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Build;
                impl<'de> $crate::protocol::params::BuildObject<'de, $name> for Build {
                    fn build<A: MapAccess<'de>>(self, map: A) -> Result<$name, A::Error> {
                        $name::deserialize(MapAccessDeserializer::new(map))
                    }
                }
                $crate::protocol::params::object(deserializer, Build)
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
        #[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
        #[serde(remote = "Self", deny_unknown_fields, rename_all = "camelCase")]
        pub struct $name {
            $($(#[$required_doc])* pub $required: $required_type,)*
            $($(#[$optional_doc])*
            #[serde(default, deserialize_with = "some", skip_serializing_if = "Option::is_none")]
            pub $optional: Option<$optional_type>,)*
        }
        objects!($name);
    )*};
}

params! {
    /// No parameters at all.
    NoParams {;}

    /// `session.create`
    SessionCreate {;
        /// What people call the session; an empty label is none.
        label: Label,
    }

    /// `session.bind`: at least one of the two, see [`SessionBind::is_empty`].
    SessionBind {;
        /// The tab that later commands go to.
        tab: TabHandle,
        /// The pace of later commands.
        pacing: Pacing,
    }

    /// `tab.open`
    TabOpen {
        /// Where the tab goes.
        url: String,
        ;
    }

    /// `tab.close`, `tab.pin`, `tab.unpin`, `tab.activate`
    TabRef {;
        /// The tab meant; the session's bound tab if absent.
        tab: TabHandle,
    }

    /// `navigate`
    Navigate {
        /// Where the tab goes.
        url: String,
        ;
    }

    /// `text`, `images`
    Within {;
        /// The part of the page to read; all of it if absent.
        selector: String,
    }

    /// `links`
    Links {;
        /// The part of the page to read.
        selector: String,
        /// Leave out links that cannot be seen.
        visible_only: bool,
        /// The most links to return.
        limit: Int<1, 5000>,
        /// Only links whose address contains this.
        href_contains: String,
        /// How many links to pass over first.
        offset: Int<0, { u32::MAX }>,
    }

    /// `elements`
    Elements {;
        /// Only what belongs to forms.
        form: bool,
    }

    /// `dom`
    Dom {;
        /// The part of the page to read.
        selector: String,
        /// How many levels deep.
        depth: Int<1, 50>,
    }

    /// `inspect`
    Inspect {
        /// The elements to look at.
        selector: String,
        ;
        /// The properties to report.
        properties: UpTo<50>,
        /// The most elements to report.
        limit: Int<1, 50>,
    }

    /// `snapshot`
    Snapshot {;
        /// The part of the page to read.
        selector: String,
        /// How many levels deep.
        max_depth: Int<1, 12>,
        /// Only what can be acted on.
        interactive_only: bool,
    }

    /// `scroll`
    Scroll {;
        /// The element to scroll; the page if absent.
        target: Target,
        /// How far: `viewport`, `half`, `end`, or pixels such as `300px`.
        by: Distance,
        /// Which way; down if absent.
        direction: Direction,
    }

    /// `click`, `hover`
    Pointer {
        /// The element meant.
        target: Target,
        ;
    }

    /// `fill`, and each field of `fill-form`
    Fill {
        /// The field meant.
        target: Target,
        /// What it shall hold.
        value: String,
        /// How the value gets in: `direct` for inputs, `paste` for rich text, `runtime-api` for code editors.
        method: FillMethod,
        /// Which JavaScript world does it: `main` for `runtime-api`, else `isolated`.
        world: World,
        ;
    }

    /// `fill-form`
    FillForm {
        /// The fields, filled in this order.
        fields: Fields,
        ;
    }

    /// `select`
    Select {
        /// The control that opens the options.
        trigger: Target,
        /// The visible text of the option.
        option_text: String,
        ;
    }

    /// `screenshot`
    Screenshot {;
        /// Bring the tab to the front first, without which only a tab in front can be pictured.
        activate: bool,
        /// Use the debugger interface; refused unless it is switched on.
        debugger: bool,
    }

    /// `wait`
    Wait {
        /// What to wait for.
        strategy: WaitStrategy,
        /// The selector, address, or pattern of an address such as `*/done`.
        target: String,
        ;
        /// For how long, in milliseconds.
        timeout: Int<0, 600_000>,
    }

    /// `require-human`
    RequireHuman {
        /// What the person shall do.
        reason: String,
        ;
        /// What the person's help is attached to.
        for_attach: String,
    }

    /// `debug.log`
    DebugLog {;
        /// Only records of this request.
        id: String,
        /// The most records to return.
        limit: Int<1, 1000>,
    }

    /// `debug.last`
    DebugLast {;
        /// How many of the latest traces; 20 if absent.
        count: Int<1, 200>,
    }
}

impl SessionBind {
    /// Whether there is nothing to do, which is refused.
    pub fn is_empty(&self) -> bool {
        self.tab.is_none() && self.pacing.is_none()
    }
}

/// Declares enums of words on the wire.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
        pub enum $name { $($(#[$word_doc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// The words, in the order of the protocol.
            pub const WORDS: &[&str] = &[$($word),*];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "enum": Self::WORDS })
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

words! {
    /// How fast a session's commands may follow one another.
    Pacing {
        /// With the pauses a person makes.
        Human = "human",
        /// Without pauses.
        Fast = "fast",
    }

    /// Which way to scroll.
    Direction {
        /// Towards the top.
        Up = "up",
        /// Towards the end.
        Down = "down",
    }

    /// How a value gets into a field.
    FillMethod {
        /// Set the field's state in the DOM.
        Direct = "direct",
        /// As if pasted.
        Paste = "paste",
        /// Through the editor's own interface.
        RuntimeApi = "runtime-api",
    }

    /// Which JavaScript world acts on the page.
    World {
        /// The extension's own, which the page does not see.
        Isolated = "isolated",
        /// The page's.
        Main = "main",
    }

    /// What `wait` waits for.
    WaitStrategy {
        /// An element that matches.
        Selector = "selector",
        /// An address that matches.
        Url = "url",
        /// The end of a navigation.
        Navigation = "navigation",
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

    /// The fields of a form, at least one.
    Fields(Vec<Fill>) by |fields| match fields.len() {
        1..=MAX_FORM_FIELDS => Ok(()),
        count => Err(format!("expected 1 to {MAX_FORM_FIELDS} fields, not {count}")),
    };
}

impl Fields {
    /// The fields, to replace their targets.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Fill> {
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

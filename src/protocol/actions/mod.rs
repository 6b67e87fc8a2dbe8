//! The actions: one file for each family, with everything about its actions.
//!
//! An action is the type of its parameters with a [`Row`] of columns; a family lists its actions, and this module the
//! families. Nothing else in the crate lists actions.

mod debug;
mod download;
mod effects;
mod fill;
mod keyboard;
mod navigate;
mod pairing;
mod person;
mod pointer;
mod read;
mod save;
mod screenshot;
mod session;
mod spec;
mod tab;
mod table;
mod then;
mod upload;
mod wait;

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

pub use debug::*;
pub use download::*;
pub use effects::*;
pub use fill::*;
pub use keyboard::*;
pub use navigate::*;
pub use pairing::*;
pub use person::*;
pub use pointer::*;
pub use read::*;
pub use save::*;
pub use screenshot::*;
pub use session::*;
pub use spec::{
    AnswerHandling, Category, Effect, Facts, Mints, Pace, Paced, Provenance, Recovery, Route, Row,
    Runs, RunsIn, Spec,
};
pub use tab::*;
pub use table::*;
pub use then::*;
pub use upload::*;
pub use wait::*;

use super::{By, FileHandle, GivenFile, Target};
use spec::Command;

/// Declares the families.
macro_rules! families {
    ($($family:ident($module:ident),)*) => {
        /// An action with its parameters, by family.
        #[derive(Clone, PartialEq, Debug)]
        #[allow(missing_docs)] // see the families' own files
        #[allow(clippy::large_enum_variant)] // there is one for each command that is being read or written
        pub enum Action { $($family($module::Action),)* }

        const FAMILIES: &[&[&Facts]] = &[$($module::Action::ALL),*];

        impl Action {
            fn parse_as(name: &str, params: &str) -> Option<Result<Self, String>> {
                $(if let Some(parsed) = $module::Action::parse(name, params) {
                    return Some(parsed.map(Self::$family));
                })*
                None
            }

            fn typed_data_as(name: &str, data: &str) -> Option<serde_json::Result<Value>> {
                $(if let Some(data) = $module::Action::typed_data(name, data) {
                    return Some(data);
                })*
                None
            }

            fn command(&self) -> &dyn Command {
                match self { $(Self::$family(action) => action.command(),)* }
            }

            fn command_mut(&mut self) -> &mut dyn Command {
                match self { $(Self::$family(action) => action.command_mut(),)* }
            }
        }
    };
}

/// Declares a family: the actions of one file, in the order in which they are listed.
macro_rules! family {
    ($family:ident: $($name:ident),* $(,)?) => {
        /// An action of this family.
        #[derive(Clone, PartialEq, Debug)]
        // See the parameters' types, which also give the variants their names.
        #[allow(missing_docs, clippy::enum_variant_names, clippy::large_enum_variant)]
        pub enum Action { $($name($name),)* }

        impl Action {
            pub(super) const ALL: &[&$crate::protocol::Facts] =
                &[$(&<$name as super::spec::Described>::FACTS),*];

            pub(super) fn parse(name: &str, params: &str) -> Option<Result<Self, String>> {
                use $crate::protocol::actions::{Spec as _, parse_params};
                $(if name == $name::ROW.name {
                    return Some(parse_params(params).map(Self::$name));
                })*
                None
            }

            pub(super) fn typed_data(
                name: &str,
                data: &str,
            ) -> Option<serde_json::Result<serde_json::Value>> {
                use $crate::protocol::actions::{Spec as _, parse_data};
                $(if name == $name::ROW.name {
                    return Some(parse_data::<$name>(data));
                })*
                None
            }

            pub(super) fn command(&self) -> &dyn super::spec::Command {
                match self { $(Self::$name(params) => params,)* }
            }

            pub(super) fn command_mut(&mut self) -> &mut dyn super::spec::Command {
                match self { $(Self::$name(params) => params,)* }
            }
        }

        $(impl From<$name> for super::Action {
            fn from(params: $name) -> Self {
                Self::$family(Action::$name(params))
            }
        })*
    };
}
use family;

families! {
    Session(session),
    Tab(tab),
    Navigate(navigate),
    Wait(wait),
    Read(read),
    Table(table),
    Pointer(pointer),
    Keyboard(keyboard),
    Upload(upload),
    Fill(fill),
    Download(download),
    Save(save),
    Screenshot(screenshot),
    Person(person),
    Debug(debug),
    Pairing(pairing),
}

/// The parameter that names files.
pub(super) const FILES: &str = "files";

/// Actions that the daemon carries out itself, without a session.
#[allow(missing_docs)] // see the parameters' types
pub enum DaemonAction<'a> {
    SessionCreate(&'a SessionCreate),
    SessionList,
    DebugLast(&'a DebugLast),
    DebugStatus,
    PairingIssue,
}

/// Actions that the daemon carries out itself, for one session.
#[allow(missing_docs)] // see the parameters' types
pub enum SessionAction<'a> {
    Bind(&'a SessionBind),
    Unbind,
    Resume,
    Close,
    TabList,
}

impl Action {
    /// The facts about every action, family by family.
    pub fn all() -> impl Iterator<Item = &'static Facts> {
        FAMILIES.iter().flat_map(|family| family.iter().copied())
    }

    /// The action called `name` with parameters parsed from a JSON text.
    ///
    /// # Errors
    ///
    /// `None` if there is no such action; else what is wrong, with the path to the field.
    pub fn parse(name: &str, params: &str) -> Option<Result<Self, String>> {
        Self::parse_as(name, params)
    }

    /// The data of an answer to the action called `name`, a JSON text, with the members that their type has.
    ///
    /// # Errors
    ///
    /// `None` if there is no such action; else why the text is not data of it.
    pub fn typed_data(name: &str, data: &str) -> Option<serde_json::Result<Value>> {
        Self::typed_data_as(name, data)
    }

    /// The facts about the action, independent of its parameters.
    pub fn facts(&self) -> &'static Facts {
        self.command().facts()
    }

    /// The parameters, if this is the action `S`.
    pub fn get<S: Spec>(&self) -> Option<&S> {
        self.command().as_any().downcast_ref()
    }

    /// The name on the wire.
    pub fn name(&self) -> &'static str {
        self.facts().name
    }

    /// The parameters as a JSON text.
    pub fn params(&self) -> String {
        self.command().params()
    }

    /// The parameters as a JSON text for the log: every value that is not declared public is replaced by an ellipsis.
    pub fn public_params(&self) -> String {
        let mut params = serde_json::from_str(&self.params()).unwrap_or_default();
        hide_secrets(&mut params, "", self.facts().public);
        params.to_string()
    }

    /// Where the action is carried out.
    pub fn route(&self) -> Route<'_> {
        self.command().route()
    }

    /// The pace that the action keeps; none if it is not paced.
    pub fn pace(&self) -> Option<Pace> {
        self.command().pace()
    }

    /// The targets among the parameters, each of which may be a handle.
    pub fn targets_mut(&mut self) -> Vec<&mut Target> {
        self.command_mut().targets_mut()
    }

    /// The revision of the extension that understands the parameters, what their targets say included.
    pub fn revision(&mut self) -> i64 {
        let is_plain = self.targets_mut().iter().all(|target| target.is_plain());
        self.command().revision().max((!is_plain).into())
    }

    /// Leaves out what only makes the answer shorter, for an extension of revision 0. Whether there was such a thing.
    pub fn simplify(&mut self) -> bool {
        self.command_mut().simplify()
    }

    /// Whether a target says what a reader knows of an element: if several are it, the answer names them.
    pub fn finds(&mut self) -> bool {
        self.targets_mut().iter().any(|target| matches!(target.by, By::Find(_)))
    }

    /// Whether it brings a read along, and where the data of that name elements that get handles, if they may.
    pub fn then(&self) -> Option<Option<Mints>> {
        self.command().then().map(Then::mints)
    }

    /// The files among the parameters.
    pub fn files(&self) -> &[FileHandle] {
        self.command().files()
    }

    /// The parameters as a JSON text, with what the extension is told of the files in place of their names.
    pub fn params_with(&self, files: &[GivenFile]) -> String {
        self.params_with_files(files)
    }

    /// The same action with other files.
    ///
    /// # Errors
    ///
    /// If it takes no files, or not as many.
    pub fn with_files(&self, files: &[FileHandle]) -> Result<Self, String> {
        Self::parse(self.name(), &self.params_with_files(files)).unwrap_or_else(|| Ok(self.clone()))
    }

    fn params_with_files(&self, files: &[impl Serialize]) -> String {
        let mut params: Value = serde_json::from_str(&self.params()).unwrap_or_default();
        params[FILES] = serde_json::to_value(files).unwrap_or_default();
        params.to_string()
    }

    /// How long it waits, if it has a parameter for that and it is given.
    pub fn waits(&self) -> Option<Duration> {
        self.command().waits()
    }
}

/// Replaces every member that `public` does not name; `path` is where `value` is.
fn hide_secrets(value: &mut Value, path: &str, public: &[&str]) {
    match value {
        _ if public.contains(&path) => {}
        Value::Object(members) => {
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                hide_secrets(member, &path, public);
            }
        }
        Value::Array(entries) => {
            entries.iter_mut().for_each(|entry| hide_secrets(entry, path, public))
        }
        secret => *secret = "…".into(),
    }
}

fn parse_params<S: Spec>(json: &str) -> Result<S, String> {
    let params: S = serde_json::from_str(json).or_else(|_| {
        // Parsed again, slower, to find the path of the fault.
        let mut deserializer = serde_json::Deserializer::from_str(json);
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let path = error.path().to_string();
            let place = if path == "." { "params".to_owned() } else { format!("params.{path}") };
            format!("`{place}`: {}", without_position(&error.into_inner()))
        })
    })?;
    params.check().map_err(|problem| format!("`params`: {problem}"))?;
    if let Some(then) = params.then() {
        then.read().map_err(|problem| format!("`params.then`: {problem}"))?;
    }
    Ok(params)
}

fn parse_data<S: Spec>(json: &str) -> serde_json::Result<Value> {
    serde_json::to_value(serde_json::from_str::<S::Data>(json)?)
}

/// The message without "at line 1 column 7", which counts within the parameters alone.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_name_is_an_action_and_parses_back_to_itself() {
        let mut names = HashSet::new();
        for Facts { name, about, .. } in Action::all() {
            assert!(names.insert(*name), "{name} is there twice");
            let Some(parsed) = Action::parse(name, "{}") else { panic!("{name} is unknown") };
            if let Ok(action) = parsed {
                assert_eq!(action.name(), *name);
            }
            assert!(about.ends_with('.') && !about.contains("  "), "{name}: {about:?}");
        }
        assert!(Action::parse("nothing", "{}").is_none());
    }

    #[test]
    fn a_fault_in_the_parameters_is_named_with_its_path() {
        let refused = |name: &str, params: &str| match Action::parse(name, params) {
            Some(Err(message)) => message,
            other => panic!("{name} {params}: {other:?}"),
        };
        assert!(
            refused("links", r#"{"limit":0}"#).starts_with("`params.limit`: 0 is out of range")
        );
        assert!(refused("links", r#"{"limit":null}"#).contains("`params.limit`"));
        assert!(refused("links", r#"{"limit":1.5}"#).contains("`params.limit`"));
        assert!(refused("text", r#"{"colour":1}"#).contains("unknown field `colour`"));
        assert!(refused("navigate", "{}").contains("missing field `url`"));
        let field = r##"{"fields":[{"target":{"selector":"#a"},"value":1,"method":"direct","world":"main"}]}"##;
        assert!(refused("fill-form", field).contains("`params.fields[0].value`"));
        assert!(refused("fill-form", r#"{"fields":[]}"#).contains("1 to 100"));
        assert!(refused("session.bind", "{}").starts_with("`params`: expected at least one of"));
    }

    #[test]
    fn what_is_not_said_to_be_public_is_not_logged() {
        let public = |name: &str, params: &str| {
            Action::parse(name, params).expect("an action").expect("parameters").public_params()
        };
        let field = |value| {
            format!(
                r##"{{"target":{{"selector":"#a"}},"value":{value},"method":"direct","world":"isolated"}}"##
            )
        };
        assert_eq!(public("fill", &field(r#""secret""#)), {
            let hidden: Value = serde_json::from_str(&field(r#""…""#)).expect("JSON");
            hidden.to_string()
        });
        let form = public("fill-form", &format!(r#"{{"fields":[{}]}}"#, field(r#""secret""#)));
        assert!(
            !form.contains("secret") && form.contains("#a") && form.contains("direct"),
            "{form}"
        );
        assert_eq!(public("navigate", r#"{"url":"http://x/"}"#), r#"{"url":"http://x/"}"#);
    }

    #[test]
    fn public_parameters_are_parameters() {
        for facts in Action::all() {
            let schema = (facts.params)().to_value();
            for path in facts.public {
                let found = path.split('.').try_fold(&schema, |schema, name| {
                    let schema = schema.get("items").unwrap_or(schema);
                    schema.get("properties")?.get(name)
                });
                assert!(found.is_some(), "{}: there is no parameter {path}", facts.name);
            }
        }
    }

    #[test]
    fn what_shows_an_effect_is_a_boolean_of_the_data() {
        for facts in Action::all() {
            let Some(path) = facts.effect_shown_by else { continue };
            let schema = (facts.data)().to_value();
            let found = path.split('.').try_fold(&schema, |schema, name| {
                let schema = schema.get("items").unwrap_or(schema);
                schema.get("properties")?.get(name)
            });
            let found = found.unwrap_or_else(|| panic!("{}: its data have no {path}", facts.name));
            assert_eq!(found["type"], "boolean", "{}", facts.name);
        }
    }

    #[test]
    fn data_show_whether_an_action_took_effect() {
        let took = |name: &str, data: &str| {
            let facts = Action::all().find(|facts| facts.name == name).expect("an action");
            facts.took_effect(&serde_json::from_str(data).expect("JSON"))
        };
        assert!(took("fill", r#"{"filled":true}"#) && !took("fill", r#"{"filled":false}"#));
        assert!(!took("select", r#"{"selected":false}"#));
        assert!(!took("wait", r#"{"matched":false}"#));
        let form =
            |second: bool| format!(r#"{{"results":[{{"filled":true}},{{"filled":{second}}}]}}"#);
        assert!(took("fill-form", &form(true)) && !took("fill-form", &form(false)));
        // A scroll at the end of a page moves nothing, and that is no failure.
        assert!(took("scroll", r#"{"moved":false,"stable":false}"#));
    }

    #[test]
    fn an_action_names_its_targets() {
        for facts in Action::all() {
            let schema = (facts.params)().to_value().to_string();
            let takes_target = schema.contains(r#""required":["handle"]"#);
            let params = match facts.name {
                "click" | "hover" | "table" | "screenshot" => r#"{"target":{"handle":"el1"}}"#,
                "scroll" | "download" => r#"{"target":{"handle":"el1"}}"#,
                "press" => r#"{"keys":["a"],"target":{"handle":"el1"}}"#,
                "type" => r#"{"text":"a","target":{"handle":"el1"}}"#,
                "inspect" => r#"{"selector":"a","target":{"handle":"el1"}}"#,
                "drag" => r#"{"from":{"handle":"el1"},"by":{"x":1,"y":1}}"#,
                "select-text" => r#"{"target":{"handle":"el1"}}"#,
                "upload" => r#"{"target":{"handle":"el1"},"files":["fl1"]}"#,
                "select" => r#"{"trigger":{"handle":"el1"},"optionText":"a"}"#,
                "fill" => {
                    r#"{"target":{"handle":"el1"},"value":"a","method":"direct","world":"main"}"#
                }
                "fill-form" => {
                    r#"{"fields":[{"target":{"handle":"el1"},"value":"a","method":"direct","world":"main"}]}"#
                }
                name => {
                    assert!(!takes_target, "{name} takes a target: give this test its parameters");
                    continue;
                }
            };
            assert!(takes_target, "{}", facts.name);
            let mut action = Action::parse(facts.name, params).expect("an action").expect("valid");
            let targets = action.targets_mut();
            let by: Vec<_> = targets.iter().map(|target| &target.by).collect();
            assert!(matches!(by[..], [By::Handle(_)]), "{}: {by:?}", facts.name);
        }
    }
}

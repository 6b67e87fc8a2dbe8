//! What can be asked for, and what the daemon must know of each action.
//!
//! One table says it all: a new action is a new line in it, with every fact that it takes.

use serde::Serialize;

use super::params::*;

/// Where an action is carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In the daemon, without a session.
    Daemon,
    /// In the daemon, for one session.
    Session,
    /// In the browser, and it makes its own tab, and a session if none is given.
    NewTab,
    /// In the browser, on a tab of the session.
    Tab,
}

/// What is paced together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Category {
    /// `navigate`
    Navigate,
    /// `scroll`
    Scroll,
    /// `click`, `hover`, `select`
    Interaction,
    /// `fill`, and each field of `fill-form`
    Fill,
}

/// The pace an action keeps: the delays that it makes the next of its category wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// What is paced together.
    pub category: Category,
    /// How many delays; one for each field filled.
    pub delays: usize,
}

macro_rules! actions {
    ($($variant:ident($params:ident) = $name:literal, $place:ident, $effect:ident, $pace:ident;)*) => {
        /// An action with its parameters.
        #[derive(Clone, PartialEq, Debug)]
        #[allow(missing_docs)] // the names are the protocol's own
        pub enum Action {
            $($variant($params),)*
        }

        impl Action {
            /// The name of every action.
            pub const NAMES: &[&str] = &[$($name),*];

            /// The name on the wire.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// The action called `name` with parameters parsed from a JSON text.
            ///
            /// # Errors
            ///
            /// None if there is no such action; else what is wrong, with the path to the field.
            pub fn parse(name: &str, params: &str) -> Option<Result<Self, String>> {
                Some(match name {
                    $($name => parse_params(params).map(Self::$variant),)*
                    _ => return None,
                })
            }

            /// The parameters as a JSON text.
            pub fn params(&self) -> String {
                match self {
                    $(Self::$variant(params) => to_json(params),)*
                }
            }

            /// Where the action is carried out.
            pub fn place(&self) -> Place {
                match self {
                    $(Self::$variant(_) => Place::$place,)*
                }
            }

            /// Whether a client marks the request as one that changes something outside the daemon,
            /// so that an interrupted one is never carried out a second time.
            pub fn destructive(&self) -> bool {
                match self {
                    $(Self::$variant(_) => effect::$effect,)*
                }
            }

            fn category(&self) -> Option<Category> {
                match self {
                    $(Self::$variant(_) => pace::$pace,)*
                }
            }
        }
    };
}

/// The words of the table's third column.
#[allow(non_upper_case_globals)]
mod effect {
    pub(super) const harmless: bool = false;
    pub(super) const destructive: bool = true;
}

/// The words of the table's last column.
#[allow(non_upper_case_globals)]
mod pace {
    use super::Category::{self, Fill, Interaction, Navigate, Scroll};

    pub(super) const unpaced: Option<Category> = None;
    pub(super) const navigate: Option<Category> = Some(Navigate);
    pub(super) const scroll: Option<Category> = Some(Scroll);
    pub(super) const interaction: Option<Category> = Some(Interaction);
    pub(super) const fill: Option<Category> = Some(Fill);
}

actions! {
    SessionCreate(SessionCreate) = "session.create", Daemon, harmless, unpaced;
    SessionList(NoParams) = "session.list", Daemon, harmless, unpaced;
    SessionBind(SessionBind) = "session.bind", Session, harmless, unpaced;
    SessionUnbind(NoParams) = "session.unbind", Session, harmless, unpaced;
    SessionResume(NoParams) = "session.resume", Session, harmless, unpaced;
    SessionClose(NoParams) = "session.close", Session, destructive, unpaced;
    TabList(NoParams) = "tab.list", Session, harmless, unpaced;
    TabOpen(TabOpen) = "tab.open", NewTab, destructive, unpaced;
    TabClose(TabRef) = "tab.close", Tab, destructive, unpaced;
    TabPin(TabRef) = "tab.pin", Tab, harmless, unpaced;
    TabUnpin(TabRef) = "tab.unpin", Tab, harmless, unpaced;
    TabActivate(TabRef) = "tab.activate", Tab, harmless, unpaced;
    Navigate(Navigate) = "navigate", Tab, destructive, navigate;
    Text(Within) = "text", Tab, harmless, unpaced;
    Links(Links) = "links", Tab, harmless, unpaced;
    Images(Within) = "images", Tab, harmless, unpaced;
    Elements(Elements) = "elements", Tab, harmless, unpaced;
    Outline(NoParams) = "outline", Tab, harmless, unpaced;
    Dom(Dom) = "dom", Tab, harmless, unpaced;
    Inspect(Inspect) = "inspect", Tab, harmless, unpaced;
    Snapshot(Snapshot) = "snapshot", Tab, harmless, unpaced;
    Scroll(Scroll) = "scroll", Tab, harmless, scroll;
    Click(Pointer) = "click", Tab, destructive, interaction;
    Hover(Pointer) = "hover", Tab, harmless, interaction;
    Fill(Fill) = "fill", Tab, destructive, fill;
    FillForm(FillForm) = "fill-form", Tab, destructive, fill;
    Select(Select) = "select", Tab, destructive, interaction;
    Screenshot(Screenshot) = "screenshot", Tab, harmless, unpaced;
    Wait(Wait) = "wait", Tab, harmless, unpaced;
    RequireHuman(RequireHuman) = "require-human", Tab, harmless, unpaced;
    DebugLog(DebugLog) = "debug.log", Tab, harmless, unpaced;
    DebugLast(DebugLast) = "debug.last", Daemon, harmless, unpaced;
    DebugStatus(NoParams) = "debug.status", Daemon, harmless, unpaced;
    PairingIssue(NoParams) = "pairing.issue", Daemon, harmless, unpaced;
}

impl Action {
    /// The pace the action keeps; none if it goes at once.
    pub fn pace(&self) -> Option<Pace> {
        let delays = match self {
            Self::FillForm(form) => form.fields.len(),
            _ => 1,
        };
        self.category().map(|category| Pace { category, delays })
    }

    /// The tab that the action names itself, where it does.
    pub fn tab(&self) -> Option<&super::TabHandle> {
        match self {
            Self::TabClose(params)
            | Self::TabPin(params)
            | Self::TabUnpin(params)
            | Self::TabActivate(params) => params.tab.as_ref(),
            _ => None,
        }
    }

    /// The targets among the parameters, each of which may be a handle.
    pub fn targets_mut(&mut self) -> Vec<&mut super::Target> {
        match self {
            Self::Click(params) | Self::Hover(params) => vec![&mut params.target],
            Self::Fill(params) => vec![&mut params.target],
            Self::Select(params) => vec![&mut params.trigger],
            Self::Scroll(params) => params.target.iter_mut().collect(),
            Self::FillForm(params) => {
                params.fields.iter_mut().map(|field| &mut field.target).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn parse_params<'a, P: serde::Deserialize<'a>>(json: &'a str) -> Result<P, String> {
    serde_json::from_str(json).or_else(|_| {
        // Parsed once more, this time keeping track of where the fault lies.
        let mut deserializer = serde_json::Deserializer::from_str(json);
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let path = error.path().to_string();
            let place = if path == "." { "params".to_owned() } else { format!("params.{path}") };
            format!("`{place}`: {}", without_position(&error.into_inner()))
        })
    })
}

/// The message without "at line 1 column 7", which counts within the parameters alone.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

fn to_json(params: &impl Serialize) -> String {
    // Structs of strings, numbers, bools and lists have no way to fail.
    serde_json::to_string(params).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_an_action_and_parses_back_to_itself() {
        for name in Action::NAMES {
            let Some(parsed) = Action::parse(name, "{}") else { panic!("{name} is unknown") };
            if let Ok(action) = parsed {
                assert_eq!(action.name(), *name);
            }
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
        assert!(refused("scroll", r#"{"by":"3 px"}"#).contains("3 px"));
        let long = format!(r#"{{"label":"{}"}}"#, "ä".repeat(65));
        assert!(refused("session.create", &long).contains("64"));
        assert!(refused("text", "[]").contains("`params`"));
    }
}

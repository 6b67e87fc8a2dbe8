//! What can be asked for, and what the daemon must know of each action.
//!
//! One table says it all: a new action is a new line in it, with every fact that it takes.

use serde::Serialize;

use super::facts::{Category, Effect, Facts, Pace, Place};
use super::params::*;
use super::schema::schema_of;

macro_rules! actions {
    ($($(#[doc = $about:literal])+ $variant:ident($params:ident) = $name:literal, $place:ident, $effect:ident, $pace:ident;)*) => {
        /// An action with its parameters.
        #[derive(Clone, PartialEq, Debug)]
        pub enum Action {
            $($(#[doc = $about])+ $variant($params),)*
        }

        impl Action {
            /// What is known of every action.
            pub const ALL: &[Facts] = &[$(Facts {
                name: $name,
                about: concat!($($about),+).trim_ascii(),
                place: Place::$place,
                effect: Effect::$effect,
                paced: pace::$pace.is_some(),
                schema: schema_of::<$params>,
            }),*];

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

            /// What it does.
            pub fn effect(&self) -> Effect {
                match self {
                    $(Self::$variant(_) => Effect::$effect,)*
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
    /// Create another session: tabs, pace and pauses of its own, apart from those of any other.
    SessionCreate(SessionCreate) = "session.create", Daemon, Steps, unpaced;
    /// List all sessions of the daemon, those of other agents too: bound tab, pace, whether paused and why.
    SessionList(NoParams) = "session.list", Daemon, Reads, unpaced;
    /// Choose the tab that the session's further commands go to, or its pace: `fast` takes out the pauses that a person
    /// would make.
    SessionBind(SessionBind) = "session.bind", Session, Sets, unpaced;
    /// Let go of the session's bound tab and of its pause.
    SessionUnbind(NoParams) = "session.unbind", Session, Sets, unpaced;
    /// Go on with a paused session. Use it only after its person has said that they did what was asked of them.
    SessionResume(NoParams) = "session.resume", Session, Sets, unpaced;
    /// Close the session and all its tabs. Use it when the task is done.
    SessionClose(NoParams) = "session.close", Session, Replaces, unpaced;
    /// List the session's tabs with their addresses, and which is bound.
    TabList(NoParams) = "tab.list", Session, Reads, unpaced;
    /// Open an address in a new tab, to which the session is then bound. Start here. The tab opens in the background,
    /// where it can be read; to act on it, activate it first.
    TabOpen(TabOpen) = "tab.open", NewTab, Adds, unpaced;
    /// Close one of the session's tabs.
    TabClose(TabRef) = "tab.close", Tab, Replaces, unpaced;
    /// Pin a tab in the browser's tab strip.
    TabPin(TabRef) = "tab.pin", Tab, Sets, unpaced;
    /// Unpin a tab in the browser's tab strip.
    TabUnpin(TabRef) = "tab.unpin", Tab, Sets, unpaced;
    /// Bring a tab to the front of its window. Needed before clicking, filling, hovering, selecting, scrolling or taking
    /// a screenshot; reading does not need it.
    TabActivate(TabRef) = "tab.activate", Tab, Sets, unpaced;
    /// Go to an address in the session's bound tab. Handles from before are stale then.
    Navigate(Navigate) = "navigate", Tab, Acts, navigate;
    /// Read the text that the page shows, as its reader sees it. The cheapest way to learn what a page says.
    Text(Within) = "text", Tab, Reads, unpaced;
    /// List the page's links: text, address, and a handle (`ln1`) to click. Narrow it with `hrefContains` or `selector`.
    Links(Links) = "links", Tab, Reads, unpaced;
    /// List the page's images with their descriptions.
    Images(Within) = "images", Tab, Reads, unpaced;
    /// List the page's controls (fields, buttons, menus) with labels, values and a handle (`el1`) to act on. Read this
    /// before filling or clicking.
    Elements(Elements) = "elements", Tab, Reads, unpaced;
    /// Show the page's landmarks and headings: a map of a long page before reading parts of it.
    Outline(NoParams) = "outline", Tab, Reads, unpaced;
    /// Read the page's HTML. Only where the other reads do not tell enough; narrow it with `selector` and `depth`.
    Dom(Dom) = "dom", Tab, Reads, unpaced;
    /// Look closely at the elements that a selector matches: attributes, place, visibility, computed styles.
    Inspect(Inspect) = "inspect", Tab, Reads, unpaced;
    /// Show the page as assistive technology sees it: a tree of roles, names and states.
    Snapshot(Snapshot) = "snapshot", Tab, Reads, unpaced;
    /// Scroll the page or an element, to load more or to bring something into view.
    Scroll(Scroll) = "scroll", Tab, Steps, scroll;
    /// Click an element, best by its handle. Read the page again afterwards to verify what it did.
    Click(Pointer) = "click", Tab, Acts, interaction;
    /// Move the pointer over an element, to open what opens on hovering.
    Hover(Pointer) = "hover", Tab, Sets, interaction;
    /// Put a value into a field and tell what it holds then. `direct` suits ordinary inputs, `paste` rich text editors,
    /// `runtime-api` code editors such as Monaco or CodeMirror.
    Fill(Fill) = "fill", Tab, Replaces, fill;
    /// Fill several fields of a form in order, in one call.
    FillForm(FillForm) = "fill-form", Tab, Replaces, fill;
    /// Choose an option of a list, a native one or one that opens on a click, by the text that it shows.
    Select(Select) = "select", Tab, Replaces, interaction;
    /// Take a picture of what the tab shows. For layout, charts and images; `text` is cheaper for words.
    Screenshot(Screenshot) = "screenshot", Tab, Sets, unpaced;
    /// Wait until an element is there, an address is reached or a navigation has ended.
    Wait(Wait) = "wait", Tab, Reads, unpaced;
    /// Pause the session and ask its person for help: signing in, a captcha, a decision that is theirs.
    RequireHuman(RequireHuman) = "require-human", Tab, Sets, unpaced;
    /// Read what the extension has noted of its latest commands, to learn why one failed.
    DebugLog(DebugLog) = "debug.log", Tab, Reads, unpaced;
    /// List the daemon's latest commands: what came of each, and how long it took.
    DebugLast(DebugLast) = "debug.last", Daemon, Reads, unpaced;
    /// Show the daemon's state: version, connected browsers, sessions and tabs.
    DebugStatus(NoParams) = "debug.status", Daemon, Reads, unpaced;
    /// Issue a code for the person to enter in the extension's popup, where the browser is not connected yet. The code
    /// before it is void.
    PairingIssue(NoParams) = "pairing.issue", Daemon, Steps, unpaced;
}

impl Action {
    /// Whether a client marks the request as one that changes something outside the daemon,
    /// so that an interrupted one is never carried out a second time.
    pub fn destructive(&self) -> bool {
        matches!(self.effect(), Effect::Adds | Effect::Replaces | Effect::Acts)
    }

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
        for Facts { name, about, .. } in Action::ALL {
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
        assert!(refused("scroll", r#"{"by":"3 px"}"#).contains("3 px"));
        let long = format!(r#"{{"label":"{}"}}"#, "ä".repeat(65));
        assert!(refused("session.create", &long).contains("64"));
        assert!(refused("text", "[]").contains("`params`"));
    }
}

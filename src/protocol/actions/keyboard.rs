//! The actions of a keyboard.

use super::{
    Category, Effect, Paced, Provenance, Recovery, Row, Runs, Spec, effects::act_data, family,
};
use crate::protocol::{Dialog, Keys, Target, Then, TypedText, values::params};

family! { Keyboard: Press, Type }

params! {
    /// `press`
    Press {
        /// The keys to press one after the other, each as `Key` or `Mod+Key`: `Enter`, `a`, `ArrowDown`, `Control+a`,
        /// `Shift+Tab`. A key is named as in `KeyboardEvent.key`.
        keys: Keys,
        ;
        /// The element to focus first; what has the focus if absent.
        target: Target,
        /// How dialogs are answered; they are dismissed if absent.
        dialog: Dialog,
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }

    /// `type`
    Type {
        /// The text to type, a key for each character; a line break is the Enter key.
        text: TypedText,
        ;
        /// The field to type into, at the end of what it holds; what has the focus, at its caret, if absent.
        target: Target,
        /// Whether to replace what the field holds.
        replace: bool,
        /// Whether to keep the text out of the answer.
        private: bool,
        /// How dialogs are answered; they are dismissed if absent.
        dialog: Dialog,
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }
}

act_data! {
    /// Data of `press`.
    PressData {
        /// How many keys were pressed.
        pressed: u32,
        ;
    }

    /// Data of `type`.
    TypeData {
        /// How many characters were typed.
        typed: u32,
        ;
        /// What the field holds afterwards; absent if it is private, or if it is no field.
        value: String,
    }
}

impl Spec for Press {
    type Data = PressData;

    fn revision(&self) -> i64 {
        1
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    const ROW: Row<Self> = Row {
        name: "press",
        about: "Press keys, with what a browser does in response: Enter submits, Tab moves on, arrows choose, \
            Escape closes, Control+A selects.",
        runs: Runs::ACT,
        effect: Effect::Acts,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Interaction),
        targets: |params| params.target.iter_mut().collect(),
        public: &["target", "then"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Type {
    type Data = TypeData;

    fn revision(&self) -> i64 {
        1
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    const ROW: Row<Self> = Row {
        name: "type",
        about: "Type text key by key, for fields that react to keys, such as searches with suggestions. fill is \
            the quicker way to set a whole value.",
        runs: Runs::ACT,
        effect: Effect::Acts,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Fill),
        targets: |params| params.target.iter_mut().collect(),
        public: &["target", "replace", "private", "then"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

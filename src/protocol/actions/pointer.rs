//! The actions of a pointer and a wheel.

use super::{
    Category, Effect, Paced, Provenance, Recovery, Row, Runs, Spec, effects::act_data, family,
};
use crate::protocol::{
    Dialog, Distance, FrameName, Int, Share, Target, Then,
    values::{params, words},
};

family! { Pointer: Scroll, Click, Hover, Drag, SelectText, Select }

params! {
    /// `scroll`
    Scroll {;
        /// The element to scroll; the page if absent.
        target: Target,
        /// How far: `viewport`, `half`, `end`, or pixels such as `300px`.
        by: Distance,
        /// The direction; down if absent.
        direction: Direction,
        /// The frame to scroll, where no element is named.
        frame: FrameName,
        /// How dialogs are answered; they are dismissed if absent.
        dialog: Dialog,
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }

    /// A place in an element's box: 0 is its left or top edge, 1 the right or bottom one.
    Spot {
        /// From left to right.
        x: Share,
        /// From top to bottom.
        y: Share,
        ;
    }

    /// A way across the page, in CSS pixels.
    Offset {
        /// To the right; negative to the left.
        x: f64,
        /// Down; negative up.
        y: f64,
        ;
    }

    /// `click`
    Click {
        /// The element to click.
        target: Target,
        ;
        /// The button to press; left if absent.
        button: Button,
        /// How often: 2 is a double click. 1 if absent.
        count: Int<1, 3>,
        /// The keys that are held down meanwhile.
        modifiers: Vec<Modifier>,
        /// Where in the element; where it can be hit if absent.
        at: Spot,
        /// How long the button stays down, in milliseconds; 0 if absent.
        hold: Int<0, 10_000>,
        /// How dialogs are answered; they are dismissed if absent.
        dialog: Dialog,
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }

    /// `hover`
    Hover {
        /// The element to hover over.
        target: Target,
        ;
        /// Where in the element; where it can be hit if absent.
        at: Spot,
        /// How dialogs are answered; they are dismissed if absent.
        dialog: Dialog,
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }

    /// `drag`: exactly one of `to`, `by`.
    Drag {
        /// The element to drag.
        from: Target,
        ;
        /// The element to drop it on.
        to: Target,
        /// How far to drag it.
        by: Offset,
        /// Where in the element the pointer takes hold of it; where it can be hit if absent.
        at: Spot,
        /// Where in the element `to` it is dropped; where that can be hit if absent.
        to_at: Spot,
        /// How many moves the way has; 10 if absent.
        steps: Int<1, 100>,
        /// How dialogs are answered; they are dismissed if absent.
        dialog: Dialog,
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }

    /// `select-text`
    SelectText {
        /// The element, or the field, whose text to select.
        target: Target,
        ;
        /// The part of its text; all of it if absent.
        text: String,
        /// Which occurrence of the part, from 0; the first if absent.
        nth: u32,
        /// How dialogs are answered; they are dismissed if absent.
        dialog: Dialog,
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }

    /// `select`
    Select {
        /// The control that opens the options.
        trigger: Target,
        /// The visible text of the option.
        option_text: String,
        ;
        /// How dialogs are answered; they are dismissed if absent.
        dialog: Dialog,
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }
}

words! {
    /// The direction to scroll in.
    Direction {
        /// Towards the top.
        Up = "up",
        /// Towards the end.
        Down = "down",
    }

    /// A button of the mouse.
    Button {
        /// The main one.
        Left = "left",
        /// The wheel.
        Middle = "middle",
        /// The one that opens a context menu.
        Right = "right",
    }

    /// A key that is held down while others, or buttons, are pressed.
    Modifier {
        /// Alt, on a Mac Option.
        Alt = "Alt",
        /// Control.
        Control = "Control",
        /// The Windows key, on a Mac Command.
        Meta = "Meta",
        /// Shift.
        Shift = "Shift",
    }

    /// What was scrolled.
    Scrolled {
        /// The page.
        Viewport = "viewport",
        /// An element of it.
        Element = "element",
    }
}

act_data! {
    /// Data of `scroll`. Positions and sizes are in CSS pixels.
    ScrollData {
        /// What was scrolled.
        target: Scrolled,
        /// The scroll position before.
        before: f64,
        /// The scroll position now.
        after: f64,
        /// The distance scrolled.
        scrolled_px: f64,
        /// Whether the position changed.
        moved: bool,
        /// Whether the page settled.
        stable: bool,
        ;
        /// The height of the content.
        scroll_height: f64,
        /// The height of the visible part.
        client_height: f64,
    }

    /// Data of `click`.
    ClickData {
        /// Always true.
        clicked: bool,
        /// Whether the element has since been removed or hidden.
        disappeared: bool,
        /// Whether the page settled.
        stable: bool,
        ;
    }

    /// Data of `hover`.
    HoverData {
        /// Always true.
        hovered: bool,
        /// Whether the page settled.
        stable: bool,
        /// How long the action took, in milliseconds.
        elapsed: u64,
        ;
    }

    /// Data of `drag`.
    DragData {
        /// Always true.
        dragged: bool,
        /// Whether the page settled.
        stable: bool,
        ;
    }

    /// Data of `select-text`.
    SelectTextData {
        /// The text that is selected now.
        selected: String,
        ;
    }

    /// Data of `select`.
    SelectData {
        /// Whether the option is chosen.
        selected: bool,
        /// The option's text.
        option_text: String,
        ;
    }
}

impl Spec for Scroll {
    type Data = ScrollData;

    fn revision(&self) -> i64 {
        (self.frame.is_some() || self.dialog.is_some()).into()
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    const ROW: Row<Self> = Row {
        name: "scroll",
        about: "Scroll the page or an element, to load more or to bring something into view.",
        runs: Runs::ACT,
        effect: Effect::Steps,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Scroll),
        targets: |params| params.target.iter_mut().collect(),
        public: &["target", "by", "direction", "frame", "then"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Click {
    type Data = ClickData;

    fn revision(&self) -> i64 {
        let Self { button, count, modifiers, at, hold, dialog, .. } = self;
        let pressed = button.is_some() || count.is_some() || modifiers.is_some() || hold.is_some();
        (pressed || at.is_some() || dialog.is_some()).into()
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    const ROW: Row<Self> = Row {
        name: "click",
        about: "Click an element, best by its handle: with any button, twice or three times, with keys held down, at a \
            place in it, or holding the button. Read the page again afterwards to verify what it did.",
        runs: Runs::ACT,
        effect: Effect::Acts,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Interaction),
        targets: |params| vec![&mut params.target],
        public: &["target", "button", "count", "modifiers", "at", "hold", "then"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Hover {
    type Data = HoverData;

    fn revision(&self) -> i64 {
        (self.at.is_some() || self.dialog.is_some()).into()
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    const ROW: Row<Self> = Row {
        name: "hover",
        about: "Move the pointer over an element, to open menus and tooltips.",
        runs: Runs::ACT,
        effect: Effect::Sets,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Interaction),
        targets: |params| vec![&mut params.target],
        public: &["target", "at", "then"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Drag {
    type Data = DragData;

    fn revision(&self) -> i64 {
        1
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    const ROW: Row<Self> = Row {
        name: "drag",
        about: "Drag an element onto another one, or by a distance: sortable lists, sliders, canvases, files in a list, \
            corners to resize. Read the page again afterwards to verify what it did.",
        runs: Runs::ACT,
        effect: Effect::Acts,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Interaction),
        targets: |params| [&mut params.from].into_iter().chain(&mut params.to).collect(),
        public: &["from", "to", "by", "at", "toAt", "steps", "then"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };

    fn check(&self) -> Result<(), &'static str> {
        match (&self.to, &self.by, &self.to_at) {
            (Some(_), None, _) | (None, Some(_), None) => Ok(()),
            (None, Some(_), Some(_)) => Err("`toAt` is a place in `to`, which is not given"),
            _ => Err("expected exactly one of `to`, `by`"),
        }
    }
}

impl Spec for SelectText {
    type Data = SelectTextData;

    fn revision(&self) -> i64 {
        1
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    const ROW: Row<Self> = Row {
        name: "select-text",
        about: "Select the text of an element or a field, or a part of it, as by dragging the mouse over it.",
        runs: Runs::ACT,
        effect: Effect::Sets,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Interaction),
        targets: |params| vec![&mut params.target],
        public: &["target", "nth", "then"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };

    fn check(&self) -> Result<(), &'static str> {
        match (&self.text, self.nth) {
            (None, Some(_)) => Err("`nth` counts occurrences of `text`, which is not given"),
            (Some(text), _) if text.is_empty() => Err("`text` is empty"),
            _ => Ok(()),
        }
    }
}

impl Spec for Select {
    type Data = SelectData;
    const EFFECT_SHOWN_BY: Option<&'static str> = Some("selected");

    fn revision(&self) -> i64 {
        self.dialog.is_some().into()
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    const ROW: Row<Self> = Row {
        name: "select",
        about: "Choose an option of a list, a native one or one that opens on a click, by the text that it \
            shows.",
        runs: Runs::ACT,
        effect: Effect::Replaces,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Interaction),
        targets: |params| vec![&mut params.trigger],
        public: &["trigger", "optionText", "then"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

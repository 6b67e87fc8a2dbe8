//! The actions of a pointer and a wheel.

use super::{
    Category, Effect, Paced, Provenance, Recovery, Row, Runs, Spec, effects::act_data, family,
};
use crate::protocol::{
    Distance, FrameName, Target,
    values::{params, words},
};

family! { Pointer: Scroll, Click, Hover, Select }

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
    }

    /// `click`
    Click {
        /// The element to click.
        target: Target,
        ;
    }

    /// `hover`
    Hover {
        /// The element to hover over.
        target: Target,
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
}

words! {
    /// The direction to scroll in.
    Direction {
        /// Towards the top.
        Up = "up",
        /// Towards the end.
        Down = "down",
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
        self.frame.is_some().into()
    }

    const ROW: Row<Self> = Row {
        name: "scroll",
        about: "Scroll the page or an element, to load more or to bring something into view.",
        runs: Runs::ACT,
        effect: Effect::Steps,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Scroll),
        targets: |params| params.target.iter_mut().collect(),
        public: &["target", "by", "direction", "frame"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Click {
    type Data = ClickData;
    const ROW: Row<Self> = Row {
        name: "click",
        about: "Click an element, best by its handle. Read the page again afterwards to verify what it did.",
        runs: Runs::ACT,
        effect: Effect::Acts,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Interaction),
        targets: |params| vec![&mut params.target],
        public: &["target"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Hover {
    type Data = HoverData;
    const ROW: Row<Self> = Row {
        name: "hover",
        about: "Move the pointer over an element, to open menus and tooltips.",
        runs: Runs::ACT,
        effect: Effect::Sets,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Interaction),
        targets: |params| vec![&mut params.target],
        public: &["target"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Select {
    type Data = SelectData;
    const EFFECT_SHOWN_BY: Option<&'static str> = Some("selected");
    const ROW: Row<Self> = Row {
        name: "select",
        about: "Choose an option of a list, a native one or one that opens on a click, by the text that it \
            shows.",
        runs: Runs::ACT,
        effect: Effect::Replaces,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Interaction),
        targets: |params| vec![&mut params.trigger],
        public: &["trigger", "optionText"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

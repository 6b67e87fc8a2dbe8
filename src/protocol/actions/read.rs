//! The actions that read a page.

use std::collections::BTreeMap;

use super::{AnswerHandling, Effect, Mints, Paced, Provenance, Recovery, Row, Runs, Spec, family};
use crate::protocol::{
    ElementHandle, HandleKind, Int, ShadowRoute, Target, UpTo,
    values::{data, params},
};

/// The members of data that hold a long text: it is shown unquoted.
pub const LONG_TEXTS: [&str; 3] = ["text", "html", "tree"];

family! { Read: Text, Links, Images, Elements, Outline, Dom, Inspect, Snapshot }

params! {
    /// `text`
    Text {;
        /// The part of the page to read; all of it if absent.
        selector: String,
    }

    /// `links`
    Links {;
        /// The part of the page to read.
        selector: String,
        /// Leave out invisible links.
        visible_only: bool,
        /// The most links to return.
        limit: Int<1, 5000>,
        /// Only links whose address contains this.
        href_contains: String,
        /// How many links to skip first.
        offset: Int<0, { u32::MAX }>,
    }

    /// `images`
    Images {;
        /// The part of the page to read; all of it if absent.
        selector: String,
    }

    /// `elements`
    Elements {;
        /// Only the controls of forms.
        form: bool,
    }

    /// `outline`
    Outline {;}

    /// `dom`
    Dom {;
        /// The part of the page to read.
        selector: String,
        /// How many levels deep.
        depth: Int<1, 50>,
    }

    /// `inspect`
    Inspect {
        /// The elements to inspect.
        selector: String,
        ;
        /// Where to look for them: this element and what is in it; the page if absent.
        target: Target,
        /// The properties to report.
        properties: UpTo<50>,
        /// The most elements to report.
        limit: Int<1, 50>,
    }

    /// `snapshot`
    Snapshot {;
        /// The part of the page to read.
        selector: String,
        /// How many levels deep; all of them if absent.
        max_depth: Int<1, 12>,
        /// Only interactive elements.
        interactive_only: bool,
    }
}

data! {
    /// Data of `text`.
    TextData {
        /// The text, as a reader sees it.
        text: String,
        ;
    }

    /// Data of `links`.
    LinksData {
        /// The links, in the order of the document.
        links: Vec<Link>,
        /// How many links match, listed or not.
        total: u64,
        ;
        /// Whether there are more than an answer holds.
        capped: bool,
    }

    /// A link.
    Link {
        /// Its text.
        text: String,
        /// Its absolute address.
        href: String,
        /// A target that finds it again.
        target: Target,
        ;
        /// Its handle, to act on.
        handle: ElementHandle,
        /// Its tooltip.
        title: String,
        /// Its `rel` attribute.
        rel: String,
        /// Whether it is visible.
        visible: bool,
    }

    /// Data of `images`.
    ImagesData {
        /// The images, in the order of the document.
        images: Vec<Image>,
        ;
    }

    /// An image.
    Image {
        /// Its address.
        src: String,
        /// Its description.
        alt: String,
        /// Its own width, in pixels.
        width: u64,
        /// Its own height, in pixels.
        height: u64,
        ;
    }

    /// Data of `elements`.
    ElementsData {
        /// The controls, in the order of the document.
        elements: Vec<Element>,
        ;
        /// How many controls there are, listed or not; an older extension does not count them.
        total: u64,
        /// Whether there are more than an answer holds.
        capped: bool,
    }

    /// A control. It carries a selector or a route.
    Element {
        /// The name of its HTML element.
        tag: String,
        ;
        /// Its handle, to act on.
        handle: ElementHandle,
        /// A selector that finds it again, in the document.
        selector: String,
        /// A route that finds it again, in shadow roots.
        route: ShadowRoute,
        /// The type of an input or a button.
        r#type: String,
        /// Its accessible name.
        label: String,
        /// Its value.
        value: String,
        /// Its placeholder.
        placeholder: String,
        /// Whether it is required.
        required: bool,
        /// Whether it is disabled.
        disabled: bool,
        /// The options of a list.
        options: Vec<String>,
        /// Its accessible role.
        role: String,
        /// Whether it has an open shadow root.
        has_shadow_root: bool,
        /// The editor that it belongs to, such as `monaco`.
        runtime_handle: String,
    }

    /// Data of `outline`.
    OutlineData {
        /// The landmarks, in the order of the document.
        landmarks: Vec<Landmark>,
        /// The headings, in the order of the document.
        headings: Vec<Heading>,
        ;
    }

    /// A landmark of the page.
    Landmark {
        /// The name of its HTML element.
        tag: String,
        /// Its accessible role.
        role: String,
        ;
        /// Its accessible name.
        label: String,
    }

    /// A heading.
    Heading {
        /// 1 to 6, or deeper.
        level: u64,
        /// Its text.
        text: String,
        ;
    }

    /// Data of `dom`.
    DomData {
        /// The HTML.
        html: String,
        ;
    }

    /// Data of `inspect`.
    InspectData {
        /// The elements, in the order of the document.
        elements: Vec<InspectedElement>,
        /// How many match, reported or not.
        total: u64,
        ;
    }

    /// An inspected element. It carries a selector or a route.
    InspectedElement {
        /// The name of its HTML element.
        tag: String,
        /// Its accessible role.
        role: String,
        /// Its accessible name.
        label: String,
        /// Its text, truncated to 200 characters.
        text: String,
        /// Its attributes, each truncated to 500 characters.
        attributes: BTreeMap<String, String>,
        /// Its position in the window, in CSS pixels.
        rect: Rect,
        /// Whether it is visible.
        visible: bool,
        /// Whether it is enabled.
        enabled: bool,
        /// The computed values of the properties that were asked for.
        styles: BTreeMap<String, String>,
        ;
        /// A selector that finds it again, in the document.
        selector: String,
        /// A route that finds it again, in shadow roots.
        route: ShadowRoute,
        /// Where it leads, in full, if it is a link.
        href: String,
    }

    /// A rectangle, in CSS pixels.
    Rect {
        /// From the left of the window.
        x: i64,
        /// From the top of the window.
        y: i64,
        /// Its width.
        width: u64,
        /// Its height.
        height: u64,
        ;
    }

    /// Data of `snapshot`.
    SnapshotData {
        /// A line for each node, indented by its depth.
        tree: String,
        /// How many lines there are.
        node_count: u64,
        ;
        /// The numbers of the handles `elN` that stand in the tree. The daemon takes them out.
        handles: Vec<u64>,
    }
}

impl Spec for Text {
    type Data = TextData;
    const ROW: Row<Self> = Row {
        name: "text",
        about: "Read the text that the page shows, as its reader sees it. The cheapest way to learn what a page \
            says.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["selector"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Links {
    type Data = LinksData;
    const ROW: Row<Self> = Row {
        name: "links",
        about: "List the page's links: text, address, and a handle (`ln1`) to click. Narrow it with \
            `hrefContains` or `selector`.",
        runs: Runs::bound_tab(AnswerHandling::MintsHandles(Mints::Entries(
            "links",
            HandleKind::Link,
        ))),
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["selector", "visibleOnly", "limit", "hrefContains", "offset"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Images {
    type Data = ImagesData;
    const ROW: Row<Self> = Row {
        name: "images",
        about: "List the page's images with their descriptions.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["selector"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Elements {
    type Data = ElementsData;
    const ROW: Row<Self> = Row {
        name: "elements",
        about: "List the page's controls (fields, buttons, menus) with labels, values and a handle (`el1`) to \
            act on. Read this before filling or clicking.",
        runs: Runs::bound_tab(AnswerHandling::MintsHandles(Mints::Entries(
            "elements",
            HandleKind::Element,
        ))),
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["form"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Outline {
    type Data = OutlineData;
    const ROW: Row<Self> = Row {
        name: "outline",
        about: "Show the page's landmarks and headings: a map of a long page before reading parts of it.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &[],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Dom {
    type Data = DomData;
    const ROW: Row<Self> = Row {
        name: "dom",
        about: "Read the page's HTML. Only if the other reads do not show enough; narrow it with `selector` \
            and `depth`.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["selector", "depth"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Inspect {
    type Data = InspectData;
    const ROW: Row<Self> = Row {
        name: "inspect",
        about: "Inspect the elements that a selector matches: attributes, position, visibility, computed \
            styles.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |params| params.target.iter_mut().collect(),
        public: &["selector", "target", "properties", "limit"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Snapshot {
    type Data = SnapshotData;
    const ROW: Row<Self> = Row {
        name: "snapshot",
        about: "Show the page as assistive technology sees it: a tree of roles, names and states.",
        runs: Runs::bound_tab(AnswerHandling::MintsHandles(Mints::Marks)),
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["selector", "maxDepth", "interactiveOnly"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

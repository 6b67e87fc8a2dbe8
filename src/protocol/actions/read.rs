//! The actions that read a page.

use std::collections::BTreeMap;

use super::{AnswerHandling, Effect, Mints, Paced, Provenance, Recovery, Row, Runs, Spec, family};
use crate::protocol::{
    Criteria, ElementHandle, FrameName, HandleKind, Int, ShadowRoute, Target, UpTo,
    values::{data, params},
};

/// The members of data that hold a long text: it is shown unquoted.
pub const LONG_TEXTS: [&str; 3] = ["text", "html", "tree"];

family! { Read: Text, Links, Images, Elements, Outline, Dom, Inspect, Snapshot, Frames, Find }

params! {
    /// `text`
    Text {;
        /// The part of the page to read; all of it if absent.
        selector: String,
        /// Also what a person cannot see.
        hidden: bool,
        /// The frame to read; the page with all its frames if absent.
        frame: FrameName,
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
        /// Only links whose text contains this, whatever its case.
        contains: String,
        /// How many links to skip first.
        offset: Int<0, { u32::MAX }>,
        /// Whether to give selectors beside handles; true if absent.
        targets: bool,
        /// The frame to read; the page with all its frames if absent.
        frame: FrameName,
    }

    /// `images`
    Images {;
        /// The part of the page to read; all of it if absent.
        selector: String,
        /// The frame to read; the page with all its frames if absent.
        frame: FrameName,
    }

    /// `elements`
    Elements {;
        /// Only the controls of forms.
        form: bool,
        /// Only controls whose label, value or placeholder contains this, whatever its case.
        contains: String,
        /// Only controls of this accessible role, such as `button`.
        role: String,
        /// The most controls to return.
        limit: Int<1, 5000>,
        /// How many controls to skip first.
        offset: Int<0, { u32::MAX }>,
        /// Whether to give selectors beside handles; true if absent.
        targets: bool,
        /// Also what a person cannot see.
        hidden: bool,
        /// The frame to read; the page with all its frames if absent.
        frame: FrameName,
    }

    /// `outline`
    Outline {;
        /// The frame to read; the page with all its frames if absent.
        frame: FrameName,
    }

    /// `dom`
    Dom {;
        /// The part of the page to read.
        selector: String,
        /// How many levels deep.
        depth: Int<1, 50>,
        /// The frame to read; the page with all its frames if absent.
        frame: FrameName,
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
        /// The frame to look in; the page with all its frames if absent.
        frame: FrameName,
    }

    /// `snapshot`
    Snapshot {;
        /// The part of the page to read.
        selector: String,
        /// How many levels deep; all of them if absent.
        max_depth: Int<1, { u32::MAX }>,
        /// Only what can be acted on.
        interactive_only: bool,
        /// Only lines whose name or value contains this, whatever its case, and what they stand in.
        contains: String,
        /// The `mark` of an earlier snapshot of this page with the same parameters: only what has changed since, as lines
        /// that begin with `+`, `-` or `~`.
        since: String,
        /// The most characters of the tree: what is left out is counted where it stands.
        limit_chars: Int<500, 200_000>,
        /// Also what a person cannot see.
        hidden: bool,
        /// The frame to read; the page with all its frames if absent.
        frame: FrameName,
    }

    /// `frames`
    Frames {;}

    /// `find`
    Find {;
        /// Its accessible role, such as `button`.
        role: String,
        /// Its accessible name.
        name: String,
        /// The text that it shows.
        text: String,
        /// The text of its label.
        label: String,
        /// Its placeholder.
        placeholder: String,
        /// Its test id (`data-testid` and the like).
        test_id: String,
        /// Whether case counts, and a text is the whole.
        exact: bool,
        /// Which of several matches, from 0.
        nth: Int<0, { u32::MAX }>,
        /// The frame to look in; the page with all its frames if absent.
        frame: FrameName,
        /// The most elements to list; 10 if absent.
        limit: Int<1, 50>,
    }
}

impl Find {
    /// What is looked for.
    pub fn criteria(&self) -> Criteria {
        let Self { role, name, text, label, placeholder, test_id, exact, nth, .. } = self.clone();
        Criteria { role, name, text, label, placeholder, test_id, exact, nth }
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
        /// The frames that could not be read.
        unreadable: Vec<Unreadable>,
    }

    /// A link.
    Link {
        /// Its text.
        text: String,
        /// Its absolute address.
        href: String,
        ;
        /// Its handle, to act on.
        handle: ElementHandle,
        /// A target that finds it again.
        target: Target,
        /// Its tooltip.
        title: String,
        /// Its `rel` attribute.
        rel: String,
        /// Whether it is visible.
        visible: bool,
        /// The frame that it is in; none for the page itself.
        frame: FrameName,
    }

    /// Data of `images`.
    ImagesData {
        /// The images, in the order of the document.
        images: Vec<Image>,
        ;
        /// How many images there are, listed or not; an older extension does not count them.
        total: u64,
        /// Whether there are more than an answer holds.
        capped: bool,
        /// The frames that could not be read.
        unreadable: Vec<Unreadable>,
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
        /// The frame that it is in; none for the page itself.
        frame: FrameName,
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
        /// The frames that could not be read.
        unreadable: Vec<Unreadable>,
    }

    /// A control. It carries a selector or a route, or a handle alone if no selectors were asked for.
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
        /// False if a person cannot see it.
        visible: bool,
        /// The frame that it is in; none for the page itself.
        frame: FrameName,
    }

    /// Data of `outline`.
    OutlineData {
        /// The landmarks, in the order of the document.
        landmarks: Vec<Landmark>,
        /// The headings, in the order of the document.
        headings: Vec<Heading>,
        ;
        /// The frames that could not be read.
        unreadable: Vec<Unreadable>,
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
        /// The frame that it is in; none for the page itself.
        frame: FrameName,
    }

    /// A heading.
    Heading {
        /// 1 to 6, or deeper.
        level: u64,
        /// Its text.
        text: String,
        ;
        /// The frame that it is in; none for the page itself.
        frame: FrameName,
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
        /// The frames that could not be read.
        unreadable: Vec<Unreadable>,
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
        /// The frame that it is in; none for the page itself.
        frame: FrameName,
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

    /// A frame that could not be read.
    Unreadable {
        /// Its name.
        frame: FrameName,
        /// Its address.
        url: String,
        /// Why not.
        why: String,
        ;
    }

    /// Data of `frames`.
    FramesData {
        /// The frames, in the order of the document.
        frames: Vec<Frame>,
        ;
    }

    /// A frame of the page.
    Frame {
        /// Its name: it is never given to another document.
        frame: FrameName,
        /// Its address.
        url: String,
        /// Whether it can be read and acted in.
        readable: bool,
        /// Whether a person could see it, at the latest after scrolling to it.
        visible: bool,
        ;
        /// The name that the page gives it.
        name: String,
        /// The frame that it is in; none if that is the page itself.
        parent: FrameName,
        /// Why it cannot be read, or not be acted in.
        why: String,
    }

    /// Data of `find`.
    FindData {
        /// The elements, in the order of the document.
        matches: Vec<Match>,
        /// How many match, listed or not.
        total: u64,
        ;
        /// The frames that could not be read.
        unreadable: Vec<Unreadable>,
    }

    /// An element that was found. It carries a selector or a route.
    Match {
        /// Its accessible role.
        role: String,
        /// Its accessible name.
        name: String,
        ;
        /// Its handle, to act on.
        handle: ElementHandle,
        /// A selector that finds it again, in its document.
        selector: String,
        /// A route that finds it again, in shadow roots.
        route: ShadowRoute,
        /// The text that it shows, if that is not its name.
        text: String,
        /// Its value.
        value: String,
        /// Its states, such as `disabled`.
        states: Vec<String>,
        /// The frame that it is in; none for the page itself.
        frame: FrameName,
    }

    /// Data of `snapshot`.
    SnapshotData {
        /// A line for each node, indented by its depth; of what has changed since an earlier snapshot if `full` is false.
        tree: String,
        /// How many lines the whole tree has.
        node_count: u64,
        ;
        /// What to call this snapshot by, as `since` of a later one; an older extension gives none.
        mark: String,
        /// Whether the tree is the whole one.
        full: bool,
        /// Whether something was left out because of the limit.
        truncated: bool,
        /// The numbers of the handles `elN` that stand in the tree. The daemon takes them out.
        handles: Vec<u64>,
    }
}

impl Spec for Text {
    type Data = TextData;

    fn revision(&self) -> i64 {
        (self.frame.is_some() || self.hidden.is_some()).into()
    }

    const ROW: Row<Self> = Row {
        name: "text",
        about: "Read the text that the page shows, as its reader sees it. The cheapest way to learn what a page \
            says.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["selector", "hidden", "frame"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Links {
    type Data = LinksData;

    fn revision(&self) -> i64 {
        let Self { contains, targets, frame, .. } = self;
        (contains.is_some() || targets.is_some() || frame.is_some()).into()
    }

    fn simplify(&mut self) -> bool {
        self.targets.take_if(|targets| !*targets).is_some()
    }

    const ROW: Row<Self> = Row {
        name: "links",
        about: "List the page's links: text, address, and a handle (`ln1`) to click. Narrow it with \
            `contains`, `hrefContains` or `selector`.",
        runs: Runs::bound_tab(AnswerHandling::MintsHandles(Mints::Entries(
            "links",
            HandleKind::Link,
        ))),
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &[
            "selector",
            "visibleOnly",
            "limit",
            "hrefContains",
            "contains",
            "offset",
            "targets",
            "frame",
        ],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Images {
    type Data = ImagesData;

    fn revision(&self) -> i64 {
        self.frame.is_some().into()
    }

    const ROW: Row<Self> = Row {
        name: "images",
        about: "List the page's images with their descriptions.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["selector", "frame"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Elements {
    type Data = ElementsData;

    fn revision(&self) -> i64 {
        let Self { form: _, contains, role, limit, offset, targets, hidden, frame } = self;
        let texts = contains.is_some() || role.is_some() || frame.is_some();
        let numbers = limit.is_some() || offset.is_some();
        (texts || numbers || targets.is_some() || hidden.is_some()).into()
    }

    fn simplify(&mut self) -> bool {
        self.targets.take_if(|targets| !*targets).is_some()
    }

    const ROW: Row<Self> = Row {
        name: "elements",
        about: "List the page's controls (fields, buttons, menus) with labels, values and a handle (`el1`) to \
            act on, one on each line. Narrow it with `contains` or `role`.",
        runs: Runs::bound_tab(AnswerHandling::MintsHandles(Mints::Entries(
            "elements",
            HandleKind::Element,
        ))),
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["form", "contains", "role", "limit", "offset", "targets", "hidden", "frame"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Outline {
    type Data = OutlineData;

    fn revision(&self) -> i64 {
        self.frame.is_some().into()
    }

    const ROW: Row<Self> = Row {
        name: "outline",
        about: "Show the page's landmarks and headings: a map of a long page before reading parts of it.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["frame"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Dom {
    type Data = DomData;

    fn revision(&self) -> i64 {
        self.frame.is_some().into()
    }

    const ROW: Row<Self> = Row {
        name: "dom",
        about: "Read the page's HTML. Only if the other reads do not show enough; narrow it with `selector` \
            and `depth`.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["selector", "depth", "frame"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Inspect {
    type Data = InspectData;

    fn revision(&self) -> i64 {
        self.frame.is_some().into()
    }

    const ROW: Row<Self> = Row {
        name: "inspect",
        about: "Inspect the elements that a selector matches: attributes, position, visibility, computed \
            styles.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |params| params.target.iter_mut().collect(),
        public: &["selector", "target", "properties", "limit", "frame"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Snapshot {
    type Data = SnapshotData;

    fn revision(&self) -> i64 {
        let Self { contains, since, limit_chars, hidden, frame, max_depth, .. } = self;
        let is_deep = max_depth.is_some_and(|depth| depth.get() > 12);
        let others = [contains, since].into_iter().any(Option::is_some);
        (others || limit_chars.is_some() || hidden.is_some() || frame.is_some() || is_deep).into()
    }

    const ROW: Row<Self> = Row {
        name: "snapshot",
        about: "Show the page as a tree to see and act from: roles, names, states, values, and a handle (`el1`) for \
            all that can be acted on. Narrow it with `interactiveOnly`, `contains`, `selector` or `limitChars`; `since` \
            tells only what has changed.",
        runs: Runs::bound_tab(AnswerHandling::MintsHandles(Mints::Marks)),
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &[
            "selector",
            "maxDepth",
            "interactiveOnly",
            "contains",
            "since",
            "limitChars",
            "hidden",
            "frame",
        ],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for Frames {
    type Data = FramesData;

    fn revision(&self) -> i64 {
        1
    }

    const ROW: Row<Self> = Row {
        name: "frames",
        about: "List the page's frames. Other reads cover them already; their names narrow a read to one frame.",
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

impl Spec for Find {
    type Data = FindData;

    fn revision(&self) -> i64 {
        1
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.criteria().is_empty() { Err(Criteria::EXPECTED) } else { Ok(()) }
    }

    const ROW: Row<Self> = Row {
        name: "find",
        about: "Find visible elements by role, name, text, label, placeholder or test id, in all frames: each with a \
            handle (`el1`) to act on. The same words can be a target's `find`.",
        runs: Runs::bound_tab(AnswerHandling::MintsHandles(Mints::Entries(
            "matches",
            HandleKind::Element,
        ))),
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &[
            "role",
            "name",
            "text",
            "label",
            "placeholder",
            "testId",
            "exact",
            "nth",
            "frame",
            "limit",
        ],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

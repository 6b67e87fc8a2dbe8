//! `screenshot`: a picture of a tab.

use super::{AnswerHandling, Effect, Mints, Paced, Provenance, Recovery, Row, Runs, Spec, family};
use crate::protocol::{
    ElementHandle, HandleKind, Int, Target,
    values::{data, params, words},
};

family! { Screenshot: Screenshot }

params! {
    /// `screenshot`
    Screenshot {;
        /// Bring the tab to the front first. Otherwise only a tab that is in front can be captured.
        activate: bool,
        /// Use the debugger interface; refused unless it is enabled.
        debugger: bool,
        /// The element to picture, all of it; what the window shows if absent.
        target: Target,
        /// All of the page, or of what scrolls in the target.
        full_page: bool,
        /// Whether to draw frames with handles around what can be acted on.
        marks: bool,
        /// The format; `png` if absent.
        format: PictureFormat,
        /// How good a `jpeg` or `webp` is; 80 if absent.
        quality: Int<1, 100>,
        /// The longest side that the picture may have, in pixels: a larger one is scaled down.
        max_side: Int<100, 8000>,
    }
}

words! {
    /// The format of a picture.
    PictureFormat {
        /// Without loss.
        Png = "png",
        /// Small, for photographs.
        Jpeg = "jpeg",
        /// Smaller.
        Webp = "webp",
    }
}

data! {
    /// Data of `screenshot`.
    ScreenshotData {
        /// The picture.
        base64: String,
        /// Its format, such as `png`.
        format: String,
        ;
        /// Its width, in pixels.
        width: u64,
        /// Its height, in pixels.
        height: u64,
        /// All of it is one colour: the page may not be drawn yet, or have nothing there.
        uniform: bool,
        /// There is more than the picture shows.
        capped: bool,
        /// What can be acted on in it, as drawn there.
        marks: Vec<Mark>,
    }

    /// What can be acted on, by where it is in a picture, in its pixels.
    Mark {
        /// From the left.
        x: i64,
        /// From the top.
        y: i64,
        /// Its width.
        width: u64,
        /// Its height.
        height: u64,
        ;
        /// Its handle, which is drawn beside it.
        handle: ElementHandle,
    }
}

impl Spec for Screenshot {
    type Data = ScreenshotData;

    fn revision(&self) -> i64 {
        let Self { activate: _, debugger: _, target, full_page, marks, format, quality, max_side } =
            self;
        let is_new = target.is_some()
            || full_page.is_some()
            || marks.is_some()
            || format.is_some()
            || quality.is_some()
            || max_side.is_some();
        is_new.into()
    }

    fn check(&self) -> Result<(), &'static str> {
        match (self.quality, self.format) {
            (Some(_), None | Some(PictureFormat::Png)) => {
                Err("`quality` is for the `format`s jpeg and webp: png has no loss")
            }
            _ => Ok(()),
        }
    }

    const ROW: Row<Self> = Row {
        name: "screenshot",
        about: "Take a picture of what the tab shows, of an element (`target`) or of the whole page (`fullPage`), \
            with frames and handles around what can be clicked (`marks`). For layout, charts and images; `text` is \
            cheaper for words. `webp` and `maxSide` make it small.",
        runs: Runs::bound_tab(AnswerHandling::MintsHandles(Mints::Entries(
            "marks",
            HandleKind::Element,
        ))),
        effect: Effect::Sets,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |params| params.target.iter_mut().collect(),
        public: &[
            "activate", "debugger", "target", "fullPage", "marks", "format", "quality", "maxSide",
        ],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

//! `fill` and `fill-form`: values into fields.

use super::{
    Category, Effect, Paced, Provenance, Recovery, Row, Runs, Spec, effects::act_data, family,
};
use crate::protocol::{
    Dialog, Fields, Target, Then,
    values::{data, params, words},
};

family! { Fill: Fill, FillForm }

params! {
    /// `fill`
    Fill {
        /// The field to fill.
        target: Target,
        /// The value to enter.
        value: String,
        ;
        /// How to enter the value; `auto` if absent: the way that the field takes.
        method: FillMethod,
        /// The JavaScript world to run in: that of the method if absent.
        world: World,
        /// Whether to leave the field afterwards; true if absent.
        blur: bool,
        /// Whether to keep the value out of the answer.
        private: bool,
        /// How dialogs are answered; they are dismissed if absent.
        dialog: Dialog,
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }

    /// A field of `fill-form`
    Field {
        /// The field to fill.
        target: Target,
        /// The value to enter.
        value: String,
        ;
        /// How to enter the value; `auto` if absent: the way that the field takes.
        method: FillMethod,
        /// The JavaScript world to run in: that of the method if absent.
        world: World,
        /// Whether to leave the field afterwards; true if absent.
        blur: bool,
        /// Whether to keep the value out of the answer.
        private: bool,
    }

    /// `fill-form`
    FillForm {
        /// The fields, filled in this order.
        fields: Fields,
        ;
        /// How dialogs are answered; they are dismissed if absent.
        dialog: Dialog,
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }
}

words! {
    /// How to enter a value into a field.
    FillMethod {
        /// Whichever of the others the field takes.
        Auto = "auto",
        /// Set the field's state in the DOM.
        Direct = "direct",
        /// Paste it.
        Paste = "paste",
        /// Use the editor's own interface.
        RuntimeApi = "runtime-api",
    }

    /// Which JavaScript world acts on the page.
    World {
        /// The extension's own, which the page does not see.
        Isolated = "isolated",
        /// The page's.
        Main = "main",
    }
}

act_data! {
    /// Data of `fill`.
    FillData {
        /// Whether the field holds the value now.
        filled: bool,
        ;
        /// The field's value afterwards; absent if it is private.
        verified_value: String,
    }

    /// Data of `fill-form`.
    FillFormData {
        /// The outcome for each field, in the same order.
        results: Vec<FieldData>,
        ;
    }
}

data! {
    /// The outcome for one field of `fill-form`.
    FieldData {
        /// The field.
        target: Target,
        /// Whether it holds the value now.
        filled: bool,
        ;
        /// The field's value afterwards; absent if it is private.
        verified_value: String,
    }
}

/// Whether every extension knows this way to fill a field: the first ones had to be told both.
fn knows(method: Option<FillMethod>, world: Option<World>) -> bool {
    world.is_some() && matches!(method, Some(method) if method != FillMethod::Auto)
}

impl Spec for Fill {
    type Data = FillData;
    const EFFECT_SHOWN_BY: Option<&'static str> = Some("filled");

    fn revision(&self) -> i64 {
        let Self { method, world, blur, private, dialog, .. } = self;
        let is_known = knows(*method, *world) && blur.is_none() && private.is_none();
        (!is_known || dialog.is_some()).into()
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    const ROW: Row<Self> = Row {
        name: "fill",
        about: "Put a value into a field or an editor, in the way that it takes, and report its value afterwards.",
        runs: Runs::ACT,
        effect: Effect::Replaces,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Fill),
        targets: |params| vec![&mut params.target],
        public: &["target", "method", "world", "blur", "private", "then"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for FillForm {
    type Data = FillFormData;
    const EFFECT_SHOWN_BY: Option<&'static str> = Some("results.filled");

    fn revision(&self) -> i64 {
        let is_known = |field: &Field| {
            knows(field.method, field.world) && field.blur.is_none() && field.private.is_none()
        };
        (!self.fields.iter().all(is_known) || self.dialog.is_some()).into()
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    const ROW: Row<Self> = Row {
        name: "fill-form",
        about: "Fill several fields of a form in order, in one call.",
        runs: Runs::ACT,
        effect: Effect::Replaces,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Times(Category::Fill, |params| params.fields.len()),
        targets: |params| params.fields.iter_mut().map(|field| &mut field.target).collect(),
        public: &[
            "fields.target",
            "fields.method",
            "fields.world",
            "fields.blur",
            "fields.private",
            "then",
        ],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

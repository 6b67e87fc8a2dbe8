//! `table`: tables, grids and lists of like items as rows.

use super::{AnswerHandling, Effect, Mints, Paced, Provenance, Recovery, Row, Runs, Spec, family};
use crate::protocol::{
    ElementHandle, FrameName, HandleKind, Int, Target, Unreadable,
    values::{data, params},
};

family! { Table: Table }

params! {
    /// `table`
    Table {;
        /// The table or list, or what it is in, or a part of it; all of the page if absent.
        target: Target,
        /// The frame to read; the page with all its frames if absent.
        frame: FrameName,
        /// The most rows to list of each table; 500 if absent.
        limit: Int<1, 5000>,
        /// How many rows of each table to skip first.
        offset: Int<0, { u32::MAX }>,
    }
}

data! {
    /// Data of `table`.
    TableData {
        /// The tables, grids and lists of like items, in the order of the document.
        tables: Vec<Sheet>,
        ;
        /// The frames that could not be read.
        unreadable: Vec<Unreadable>,
    }

    /// A table.
    Sheet {
        /// What its columns are called; empty where they have no name.
        columns: Vec<String>,
        /// Its rows, each with a text for every column.
        rows: Vec<Vec<String>>,
        /// How many rows there are, listed or not; a grid may tell of more than it draws.
        total: u64,
        ;
        /// Its handle.
        handle: ElementHandle,
        /// What it is called.
        caption: String,
        /// The frame that it is in; none for the page itself.
        frame: FrameName,
    }
}

impl Spec for Table {
    type Data = TableData;

    fn revision(&self) -> i64 {
        1
    }

    const ROW: Row<Self> = Row {
        name: "table",
        about: "Read tables, grids and lists of like items (search results, cards) as columns and rows. Of a grid that \
            draws only a part of its rows, `total` says how many there are: scroll to the others.",
        runs: Runs::bound_tab(AnswerHandling::MintsHandles(Mints::Entries(
            "tables",
            HandleKind::Element,
        ))),
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |params| params.target.iter_mut().collect(),
        public: &["target", "frame", "limit", "offset"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

//! `table`: the rows of tables and lists, as JSON, text or CSV.

use clap::Args;

use super::global_args::{Format, Globals};
use super::target::Target;
use super::{Error, Outcome, call, output};
use crate::protocol::{self, Action, Int, TableData};

/// Read tables, grids and lists of like items as rows
///
/// --output csv prints the rows as CSV, after a line with the names of the columns; an empty line stands between tables.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy table -s m4q7z2\n  bproxy table --selector '#orders' --limit 5000 --output csv -s m4q7z2"
)]
pub(super) struct Table {
    #[command(flatten)]
    target: Target,

    /// The most rows of each table, 1 to 5000 [default: 500]
    #[arg(long, value_name = "N")]
    limit: Option<Int<1, 5000>>,

    /// How many rows of each table to skip first
    #[arg(long, value_name = "N")]
    offset: Option<Int<0, { u32::MAX }>>,
}

impl Table {
    pub(super) fn action(self) -> Action {
        let Table { target, limit, offset } = self;
        let (target, frame) = target.given_or_frame();
        protocol::Table { target, frame, limit, offset }.into()
    }

    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let action = self.action();
        if globals.format() != Some(Format::Csv) {
            return call::show(globals, &action);
        }
        let answer = call::send(globals, &action, globals.timeout())?;
        if !answer.ok {
            // The failure is a line of JSON on standard output, as of any other format for programs.
            return call::show_answer(globals, answer);
        }
        let data = answer.data().map_err(|error| Error::Answer(error.to_string()))?;
        output::text(&csv(&data))?;
        Ok(Outcome::Done)
    }
}

fn csv(TableData { tables, .. }: &TableData) -> String {
    let tables = tables.iter().map(|table| {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let named = table.columns.iter().any(|name| !name.is_empty()).then_some(&table.columns);
        for line in named.into_iter().chain(&table.rows) {
            writer
                .write_record(line)
                .expect("a vector takes it, and all lines have a text for each column");
        }
        let bytes = writer.into_inner().expect("a vector takes it");
        String::from_utf8(bytes).expect("texts only")
    });
    tables.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_become_csv_that_any_program_reads() {
        let data = serde_json::from_value(json!({"tables": [
            {"columns": ["Name", "Said"], "rows": [["Ann, B.", "\"Hi\"\nthere"], ["", "=1"]], "total": 2},
            {"columns": ["", ""], "rows": [["a", "b"]], "total": 1},
        ]}));
        assert_eq!(
            csv(&data.expect("data")),
            "Name,Said\n\"Ann, B.\",\"\"\"Hi\"\"\nthere\"\n,=1\n\na,b\n"
        );
    }
}

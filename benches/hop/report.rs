//! Reports the figures of all rounds: as a table for people, and as JSON for programs.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::server::Kind;

/// The goal for a figure.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// No goal: the figure only explains others.
    None,
    /// An upper limit for the ratio to the floor.
    AtMost(f64),
    /// A lower limit for the ratio to the floor.
    AtLeast(f64),
    /// An upper limit for the daemon's absolute value.
    Own(f64),
}

/// The figures of one server in one round, in the order of the table.
#[derive(Default)]
pub(crate) struct Figures(Vec<Figure>);

struct Figure {
    name: String,
    unit: &'static str,
    value: f64,
    goal: Goal,
}

impl Figures {
    pub(crate) fn add(
        &mut self,
        name: impl Into<String>,
        unit: &'static str,
        value: f64,
        goal: Goal,
    ) {
        self.0.push(Figure { name: name.into(), unit, value, goal });
    }

    /// The value of the figure with this name.
    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }
}

/// The figures of all rounds so far.
#[derive(Default)]
pub(crate) struct Report {
    floor: Vec<Figures>,
    bproxy: Vec<Figures>,
}

impl Report {
    pub(crate) fn add(&mut self, kind: Kind, figures: Figures) {
        match kind {
            Kind::Floor => self.floor.push(figures),
            Kind::Bproxy => self.bproxy.push(figures),
        }
    }

    /// Prints the table: the medians over the rounds, and the median, minimum and maximum of the rounds' ratios.
    pub(crate) fn print(&self) {
        println!(
            "{:44} {:>7} {:>10} {:>10} {:>7} {:>15} {:>12}",
            "", "", "floor", "bproxy", "ratio", "(least–most)", "goal"
        );
        // Only the last round has the figures that are measured once.
        for figure in &self.bproxy.last().expect("a round").0 {
            let values = |turns: &[Figures]| sorted(turns.iter().map(|it| it.value(&figure.name)));
            let (floor, bproxy) = (values(&self.floor), values(&self.bproxy));
            let ratios = sorted(self.floor.iter().zip(&self.bproxy).map(|(floor, bproxy)| {
                Some(bproxy.value(&figure.name)? / floor.value(&figure.name)?)
            }));
            let range = match &ratios[..] {
                [] => String::new(),
                [least, .., most] => format!("{least:.2}–{most:.2}"),
                [only] => format!("{only:.2}"),
            };
            let goal = match (figure.goal, median(&ratios), median(&bproxy)) {
                (Goal::AtMost(goal), Some(ratio), _) => format!("≤ {goal}{}", mark(ratio <= goal)),
                (Goal::AtLeast(goal), Some(ratio), _) => format!("≥ {goal}{}", mark(ratio >= goal)),
                (Goal::Own(goal), _, Some(own)) => format!("≤ {goal} own{}", mark(own <= goal)),
                _ => String::new(),
            };
            let shown = |value: Option<f64>| value.map_or_else(String::new, significant);
            println!(
                "{:44} {:>7} {:>10} {:>10} {:>7} {range:>15} {goal:>12}",
                figure.name,
                figure.unit,
                shown(median(&floor)),
                shown(median(&bproxy)),
                median(&ratios).map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            );
        }
    }

    /// Writes every figure of every round to `bench.json` in the target directory.
    pub(crate) fn write(&self) {
        let rounds = |rounds: &[Figures]| -> Vec<Value> {
            let round = |figures: &Figures| {
                figures.0.iter().map(|it| (it.name.clone(), json!(it.value))).collect()
            };
            rounds.iter().map(round).map(Value::Object).collect()
        };
        let report = json!({ "floor": rounds(&self.floor), "bproxy": rounds(&self.bproxy) });
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench.json");
        fs::write(&path, format!("{report:#}\n")).expect("a writable target directory");
        println!("every round: {}", path.display());
    }
}

fn mark(reached: bool) -> &'static str {
    if reached { "" } else { " !" }
}

fn sorted(values: impl Iterator<Item = Option<f64>>) -> Vec<f64> {
    let mut values: Vec<_> = values.flatten().collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The median of sorted values.
fn median(values: &[f64]) -> Option<f64> {
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        count if count % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

fn significant(value: f64) -> String {
    match value {
        value if value >= 1000.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.3}"),
    }
}

//! Every action has all its parts. The test names those that a new action lacks.

use std::process::Command;

use bproxy::protocol::{Action, AnswerHandling, Category, Facts};

use crate::support::Golden;

/// The text of a file of the repository.
fn read(path: &str) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    std::fs::read_to_string(format!("{root}/{path}")).expect(path)
}

/// The text of all tests with a real browser.
fn browser_tests() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser");
    let files = std::fs::read_dir(folder).expect("the tests with a browser");
    files.map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("text")).collect()
}

/// The words of the verb of the command line.
fn verb(action: &str) -> Vec<&str> {
    match action {
        // The code for a person has its own verb.
        "pairing.issue" => vec!["pair"],
        _ => action.split('.').collect(),
    }
}

/// Whether the command line has this verb.
fn has_verb(words: &[&str]) -> bool {
    let mut bproxy = Command::new(env!("CARGO_BIN_EXE_bproxy"));
    let output = bproxy.args(words).arg("--help").output().expect("the program runs");
    // The help of an unknown word is the help of the verbs above it.
    let usage = format!("Usage: bproxy {}", words.join(" "));
    output.status.success() && String::from_utf8_lossy(&output.stdout).contains(&usage)
}

/// Whether a list of arguments begins with these words: `["title"`, but not `answer["title"]`.
fn begins_arguments(source: &str, words: &str) -> bool {
    source.match_indices(words).any(|(at, _)| {
        source[..at].trim_end().strip_suffix('[').is_some_and(|before| {
            !before.ends_with(|last: char| last.is_alphanumeric() || "_])\"?".contains(last))
        })
    })
}

/// What an action lacks, each with where it belongs.
fn missing(action: &Facts, golden: &[Golden], table: &str, browser_tests: &str) -> Vec<String> {
    let (name, words) = (action.name, verb(action.name));
    let place = if action.runs_in.is_browser() { "extension" } else { "daemon" };
    let mut missing = Vec::new();
    let mut need = |is_there: bool, what: String| {
        if !is_there {
            missing.push(format!("{name}: {what}"));
        }
    };
    let examples = golden.iter().find(|golden| golden.action == name);
    need(
        examples.is_some_and(|golden| {
            golden.place == place && !golden.valid.is_empty() && !golden.invalid.is_empty()
        }),
        format!("tests/golden/{name}.json with \"where\": \"{place}\", valid and invalid examples"),
    );
    let mut actions = table.lines().filter_map(|line| line.strip_prefix('|')?.split('|').next());
    let has_row = actions.any(|actions| actions.contains(&format!("`{name}`")));
    need(has_row, "a row in docs/protocol.md §4".to_owned());
    need(has_verb(&words), format!("a verb `bproxy {}` in src/cli", words.join(" ")));
    let called = format!("\"{}\"", words.join("\", \""));
    need(
        !action.runs_in.is_browser() || begins_arguments(browser_tests, &called),
        format!("a test in tests/browser that runs {called}"),
    );
    missing
}

#[test]
fn every_action_has_examples_a_row_in_the_protocol_a_verb_and_a_test_with_a_browser() {
    let (golden, browser_tests) = (Golden::all(), browser_tests());
    let protocol = read("docs/protocol.md");
    let table = protocol.split("\n## ").find(|section| section.starts_with("4. ")).expect("§4");
    let mut faults: Vec<_> =
        Action::all().flat_map(|it| missing(it, &golden, table, &browser_tests)).collect();
    for golden in &golden {
        if Action::all().all(|action| action.name != golden.action) {
            faults.push(format!("tests/golden/{0}.json: no action is called {0}", golden.action));
        }
    }
    assert!(faults.is_empty(), "missing:\n{}", faults.join("\n"));
}

#[test]
fn every_act_in_a_page_says_what_came_of_it() {
    for facts in Action::all() {
        let has_effects = (facts.data)().to_value()["properties"].get("effects").is_some();
        let reports = facts.answer == Some(AnswerHandling::ReportsEffects);
        assert_eq!(has_effects, reports, "{}: declare its data with act_data!", facts.name);
        let paced = facts.paced.is_some_and(|category| category != Category::Navigate);
        assert!(reports || !paced, "{}: an act runs as Runs::ACT", facts.name);
    }
}

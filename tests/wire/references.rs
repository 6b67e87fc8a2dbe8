//! Every promise of `SECURITY.md`, every bound of `docs/limits.md` and every rule of `docs/protocol.md` names a test, and
//! each test that they name exists.

use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &str) -> String {
    let path = Path::new(ROOT).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The tests that a text names, as `` `FILE.rs::name` ``.
fn named(text: &str) -> Vec<(&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter_map(|it| it.split_once("::")).filter(|(file, _)| file.ends_with(".rs")).collect()
}

/// # Panics
/// If there is no test of this name in this file.
fn assert_is_test(file: &str, name: &str) {
    let source = read(file);
    let begin =
        source.find(&format!("fn {name}(")).unwrap_or_else(|| panic!("{file} has no {name}"));
    let attributes: Vec<_> = source[..begin].lines().rev().take(3).collect();
    let is_test = ["test]", "test(", "proptest"];
    assert!(
        attributes.iter().any(|line| is_test.iter().any(|it| line.contains(it))),
        "{file}: {name} is no test"
    );
}

#[test]
fn every_promise_and_every_limit_names_a_test_that_exists() {
    let (document, limits) = (read("SECURITY.md"), read("docs/limits.md"));
    let (named, limits) = (named(&document), named(&limits));
    for (file, name) in named.iter().chain(&limits) {
        assert_is_test(file, name);
    }
    // Every row of a table of promises has one.
    let mut count = 0;
    for table in document.split("| Promise | Shown by |").skip(1) {
        for promise in table.lines().skip(2).take_while(|line| line.starts_with("| ")) {
            count += 1;
            assert!(promise.contains(".rs::"), "a promise without a test: {promise}");
        }
    }
    assert!(count > 20 && named.len() >= count, "{count} promises, {} tests", named.len());
}

/// Whether an item of a list begins here: `- ` or `1. `.
fn begins_item(line: &str) -> bool {
    let number = line.trim_start_matches(|it: char| it.is_ascii_digit());
    line.starts_with("- ") || (number.len() < line.len() && number.starts_with(". "))
}

/// The items and the rows of one section of the protocol, without heads of tables and without examples.
fn rules(section: &str) -> Vec<String> {
    let mut rules: Vec<String> = Vec::new();
    let (mut is_item, mut is_table, mut is_example) = (false, false, false);
    // Its title may begin with a number like an item.
    for line in section.lines().skip(1) {
        is_example ^= line.starts_with("```");
        if is_example {
            continue;
        }
        let is_row = line.starts_with('|');
        let is_continued = is_item && line.starts_with(' ');
        if is_row && is_table && !line.starts_with("|-") || begins_item(line) {
            rules.push(line.to_owned());
        } else if let Some(rule) = rules.last_mut().filter(|_| is_continued) {
            rule.push_str(line);
        }
        is_item = begins_item(line) || is_continued;
        is_table = is_row;
    }
    rules
}

#[test]
fn every_rule_of_the_protocol_names_a_test_that_exists() {
    let document = read("docs/protocol.md");
    for (file, name) in named(&document) {
        let file = if file.starts_with("src/") { file.to_owned() } else { format!("tests/{file}") };
        assert_is_test(&file, name);
    }
    let mut count = 0;
    for section in document.split("\n## ").skip(1) {
        for rule in rules(section) {
            count += 1;
            if section.starts_with("4. ") && rule.starts_with('|') {
                // Actions that share a row have a file each.
                let actions = rule.split('|').nth(1).expect("a first column");
                for action in actions.split('`').skip(1).step_by(2) {
                    read(&format!("tests/golden/{action}.json"));
                }
            } else {
                assert!(!named(&rule).is_empty(), "a rule without a test: {rule}");
            }
        }
        assert!(
            section.starts_with("4. ") || !named(section).is_empty(),
            "a section without a test: {section}"
        );
    }
    assert!(count > 120, "{count} rules");
}

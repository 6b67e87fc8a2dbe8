//! Suggestions for misspelled words and misplaced verbs.

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The least similarity of a suggestion, the same as clap's.
const MIN_SIMILARITY: f64 = 0.7;

/// The word most similar to the one given; `None` if none is similar enough.
pub(super) fn closest<'a>(written: &str, words: &[&'a str]) -> Option<&'a str> {
    words
        .iter()
        .map(|word| (strsim::jaro(written, word), *word))
        .filter(|(likeness, _)| *likeness > MIN_SIMILARITY)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, word)| word)
}

/// Adds suggestions for a verb that does not exist, where clap has none because it compares siblings only: `close` is
/// `session close` or `tab close`, and `tab.open` is `tab open`.
pub(super) fn verbs(mut error: clap::Error, tree: fn() -> Command) -> clap::Error {
    let (ErrorKind::InvalidSubcommand, Some(ContextValue::String(written))) =
        (error.kind(), error.get(ContextKind::InvalidSubcommand))
    else {
        return error;
    };
    let written = written.replace('.', " ");
    let all = paths(&tree());
    let ends_so = |path: &&String| **path == written || path.ends_with(&format!(" {written}"));
    let mut meant: Vec<_> = all.iter().filter(ends_so).cloned().collect();
    if meant.is_empty() && error.get(ContextKind::SuggestedSubcommand).is_none() {
        let all: Vec<_> = all.iter().map(String::as_str).collect();
        meant.extend(closest(&written, &all).map(str::to_owned));
    }
    if !meant.is_empty() {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(meant));
    }
    error
}

/// Every verb, after the names of the groups that it is in.
fn paths(tree: &Command) -> Vec<String> {
    let below = |child: &Command| match child.has_subcommands() {
        false => vec![child.get_name().to_owned()],
        true => {
            let name = child.get_name();
            paths(child).into_iter().map(|path| format!("{name} {path}")).collect()
        }
    };
    tree.get_subcommands().filter(|child| !child.is_hide_set()).flat_map(below).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_suggested_only_if_it_is_similar() {
        let words = ["tab.open", "tab.close", "text", "links"];
        assert_eq!(closest("tab.opne", &words), Some("tab.open"));
        assert_eq!(closest("txt", &words), Some("text"));
        assert_eq!(closest("teleport!", &words), None);
    }
}

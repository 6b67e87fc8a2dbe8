//! What to write instead of words that are wrong: similar ones, those of other tools, an example.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};

use super::Cli;
use super::other_words::{self, Here};

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

/// The error of a command line, with what to write instead.
pub(super) fn explained(mut error: clap::Error, line: &[OsString]) -> clap::Error {
    match error.kind() {
        ErrorKind::InvalidSubcommand => verbs(error, line),
        kind if error.use_stderr()
            && kind != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand =>
        {
            flags(&mut error, line);
            if let Some(example) = example(line) {
                tip(&mut error, format!("an example: {example}"));
            }
            error
        }
        _ => error,
    }
}

/// A command line that its verb takes, from the help of the verb.
pub(super) fn example(line: &[OsString]) -> Option<String> {
    let help = verb_of(line)?.get_after_help()?.to_string();
    help.lines().find_map(|line| line.strip_prefix("  ")).map(|example| example.trim().to_owned())
}

/// The verb that a command line names; `None` if there is none. One with verbs below it may be a verb itself.
fn verb_of(line: &[OsString]) -> Option<Command> {
    let mut tree = Cli::command();
    for word in line.iter().skip(1).filter_map(|word| word.to_str()) {
        if let Some(below) = tree.find_subcommand(word) {
            tree = below.clone();
        }
    }
    (tree.get_name() != Cli::command().get_name()).then_some(tree)
}

/// Adds a line that begins with "tip:".
fn tip(error: &mut clap::Error, text: String) {
    let mut tips = match error.get(ContextKind::Suggested) {
        Some(ContextValue::StyledStrs(tips)) => tips.clone(),
        _ => Vec::new(),
    };
    tips.push(StyledStr::from(text));
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
}

/// Names the flag that is meant by one of other tools.
fn flags(error: &mut clap::Error, line: &[OsString]) {
    let (ErrorKind::UnknownArgument, Some(ContextValue::String(written))) =
        (error.kind(), error.get(ContextKind::InvalidArg))
    else {
        return;
    };
    let Some((written, verb)) = written.strip_prefix("--").zip(verb_of(line)) else { return };
    let has = |name: &str| {
        let every = Cli::command();
        verb.get_arguments().chain(every.get_arguments()).any(|arg| arg.get_long() == Some(name))
    };
    // Its own guess is by the letters alone, and what other tools call so is meant more often.
    if let Some(name) = other_words::flag(written, has) {
        let text = format!("here it is '--{name}'");
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::Suggested);
        tip(error, text);
    }
}

/// Adds what is meant by a verb that does not exist: one that ends so (`close` is `session close` or `tab close`, and
/// `tab.open` is `tab open`), else what other tools call so, else a similar one, also where clap, which compares siblings
/// only, has none.
fn verbs(mut error: clap::Error, line: &[OsString]) -> clap::Error {
    let Some(ContextValue::String(written)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    let written = written.replace('.', " ");
    let all = paths(&Cli::command());
    let ends_so = |path: &&String| **path == written || path.ends_with(&format!(" {written}"));
    let mut meant: Vec<_> = all.iter().filter(ends_so).cloned().collect();
    let words: Vec<_> = line.iter().filter_map(|word| word.to_str()).collect();
    let from = words.iter().position(|word| *word == written).unwrap_or(words.len());
    if let (true, Some(here)) = (meant.is_empty(), other_words::verb(&words[from..])) {
        let text = match here {
            Here::By(lines) => format!("here it is {}", lines.join("   or   ")),
            Here::Not(why) => (*why).to_owned(),
        };
        error.remove(ContextKind::SuggestedSubcommand);
        tip(&mut error, text);
        return error;
    }
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

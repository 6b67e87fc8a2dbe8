//! What other tools call things, and what it is here: for people and models who know those.

/// What is done here instead of a verb of other tools.
pub(super) enum Here {
    /// Command lines that do it.
    By(&'static [&'static str]),
    /// Why nothing does.
    Not(&'static str),
}

use Here::{By, Not};

const NO_SCRIPTS: &str = "bproxy runs no scripts of an agent in a page: it shares the person's browser with their logins, \
     and does only what a person could do by hand. Read with `bproxy text`, `bproxy find` or `bproxy inspect`, act with \
     `bproxy click` or `bproxy fill`";
const NO_STORE: &str = "bproxy gives no cookies, tokens or storage away: they are the person's. The browser is signed in as \
     they are; what a page shows is read with `bproxy text`";

/// Verbs of other tools. The words of a line are separated by spaces; the longest that fits counts.
const VERBS: [(&[&str], Here); 32] = [
    (&["goto", "go", "visit", "browse", "url"], By(&["bproxy navigate https://example.org"])),
    (
        &["new", "launch", "newtab", "new-tab", "new-page"],
        By(&["bproxy tab open https://example.org"]),
    ),
    (
        &["eval", "evaluate", "js", "javascript", "execute", "exec", "run", "script"],
        Not(NO_SCRIPTS),
    ),
    (&["cookies", "cookie", "storage", "localstorage", "state"], Not(NO_STORE)),
    (
        &["get text", "get-text", "gettext", "innertext", "content", "read", "markdown", "extract"],
        By(&["bproxy text"]),
    ),
    (&["get html", "html", "source", "get-html"], By(&["bproxy dom --selector main --depth 3"])),
    (&["get title", "get url", "title", "tabs", "pages", "list-tabs"], By(&["bproxy tab list"])),
    (
        &["get value", "get attribute", "get attr", "attr", "get", "styles"],
        By(&["bproxy text", "bproxy inspect --element el3"]),
    ),
    (&["tree", "a11y", "accessibility", "observe", "aria", "ax"], By(&["bproxy snapshot"])),
    (
        &["query", "locate", "locator", "getbyrole", "search"],
        By(&["bproxy find --role button --name Save"]),
    ),
    (&["refs", "buttons", "inputs", "fields", "controls"], By(&["bproxy elements"])),
    (&["shot", "capture", "picture", "pdf", "image"], By(&["bproxy screenshot --activate"])),
    (
        &["key", "keys", "keyboard", "send-keys", "sendkeys", "presskey", "press-key"],
        By(&["bproxy press Enter"]),
    ),
    (
        &["input", "set", "write", "clear", "set-value"],
        By(&["bproxy fill --element el3 --value Ada"]),
    ),
    (&["type-text", "insert-text", "keyboard-type"], By(&["bproxy type --element el3 Ada"])),
    (&["tap", "mouse", "press-button"], By(&["bproxy click --element el3"])),
    (&["dblclick", "double-click", "doubleclick"], By(&["bproxy click --element el3 --count 2"])),
    (
        &["rightclick", "right-click", "contextmenu"],
        By(&["bproxy click --element el3 --button right"]),
    ),
    (&["check", "tick"], By(&["bproxy fill --element el3 --value true"])),
    (&["uncheck", "untick"], By(&["bproxy fill --element el3 --value false"])),
    (
        &["choose", "select-option", "selectoption", "option"],
        By(&["bproxy select --element el3 --option-text Norway"]),
    ),
    (&["form", "fill-fields"], By(&["bproxy fill-form --file fields.json"])),
    (
        &["waitfor", "wait-for", "sleep", "pause"],
        By(&["bproxy wait --strategy text --target Done"]),
    ),
    (&["refresh"], By(&["bproxy reload"])),
    (&["goback", "go-back", "go back"], By(&["bproxy back"])),
    (&["goforward", "go-forward", "go forward"], By(&["bproxy forward"])),
    (&["focus-tab", "switch-tab", "switch", "use"], By(&["bproxy session bind --tab t2"])),
    (&["move", "mouse-move", "mousemove"], By(&["bproxy hover --element el3"])),
    (&["scroll-to", "scrollto", "scrollintoview"], By(&["bproxy scroll --element el3"])),
    (
        &["ask", "human", "handoff", "hand-off", "login", "signin"],
        By(&["bproxy require-human --reason 'Please sign in'"]),
    ),
    (
        &["console", "network", "requests"],
        Not(
            "bproxy reads what the page shows, not its console or its requests: `bproxy debug log` has bproxy's own trace",
        ),
    ),
    (&["quit", "exit", "end"], By(&["bproxy session close"])),
];

/// What is done here instead of these words.
pub(super) fn verb(words: &[&str]) -> Option<&'static Here> {
    let of = |line: &str| {
        let found = VERBS.iter().find(|(names, _)| names.contains(&line));
        found.map(|(_, here)| here)
    };
    let two = words.get(..2).and_then(|two| of(&two.join(" ")));
    two.or_else(|| of(words.first()?))
}

/// Flags of other tools and what they are here, the first of them that the verb has.
const FLAGS: [(&[&str], &[&str]); 19] = [
    (&["handle", "ref", "el", "uid", "trigger", "target", "index", "node"], &["element"]),
    (&["css", "locator", "query", "xpath"], &["selector"]),
    (
        &["max-chars", "max-length", "limit-char", "chars", "max-tokens", "char-limit", "truncate"],
        &["limit-chars"],
    ),
    (&["text", "value", "content"], &["has-text", "value", "option-text"]),
    (&["option", "label", "choice", "value", "text"], &["option-text"]),
    (&["filter", "grep", "search", "match", "query", "text"], &["contains", "has-text"]),
    (&["max", "count", "top", "first", "max-results"], &["limit", "count"]),
    (&["limit", "n"], &["count", "limit-chars"]),
    (&["max-depth", "levels"], &["depth"]),
    (&["depth", "levels"], &["max-depth"]),
    (&["skip", "from", "start"], &["offset"]),
    (&["timeout-ms", "timeout-seconds", "max-wait", "deadline", "wait"], &["timeout"]),
    (&["seconds", "limit", "max-seconds"], &["for"]),
    (&["until", "condition", "for", "type"], &["strategy"]),
    (&["interactive", "compact", "actionable"], &["interactive-only"]),
    (&["visible"], &["visible-only"]),
    (&["json", "format"], &["output"]),
    (&["session-id", "sid"], &["session"]),
    (&["fullpage", "full"], &["full-page"]),
];

/// What the flag is called here, of a verb that has the flags `known`.
pub(super) fn flag(written: &str, known: impl Fn(&str) -> bool) -> Option<&'static str> {
    let named = FLAGS.iter().filter(|(names, _)| names.contains(&written));
    named.flat_map(|(_, here)| *here).find(|name| known(name)).copied()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, suggest};

    #[test]
    fn every_command_line_that_is_named_can_be_run_and_none_of_the_words_is_a_verb_here() {
        for (names, here) in &VERBS {
            if let By(lines) = here {
                for line in *lines {
                    let words = shlex::split(line).expect("words");
                    if let Err(error) = Cli::try_parse_from(words) {
                        panic!("{line}: {error}");
                    }
                }
            }
            for name in *names {
                let words: Vec<_> = std::iter::once("bproxy").chain(name.split(' ')).collect();
                assert!(Cli::try_parse_from(words).is_err(), "`{name}` is a verb");
            }
        }
    }

    #[test]
    fn the_words_of_other_tools_are_answered_with_what_does_it_here() {
        let said = |line: &str| {
            let words: Vec<_> = line.split(' ').map(std::ffi::OsString::from).collect();
            let error = Cli::try_parse_from(&words).err().expect("no verb here");
            suggest::explained(error, &words).to_string()
        };
        for (line, parts) in [
            ("bproxy goto https://a.example/", "bproxy navigate https"),
            ("bproxy open https://a.example/", "'tab open'"),
            ("bproxy get text", "bproxy text"),
            ("bproxy get html", "bproxy dom"),
            ("bproxy get text @e1", "bproxy text"),
            ("bproxy eval document.title", "runs no scripts"),
            ("bproxy key Enter", "bproxy press Enter"),
            ("bproxy tab new https://a.example/", "bproxy tab open https"),
            ("bproxy click --handle el3", "--element"),
            ("bproxy select --trigger el3 --option-text x", "--element"),
            ("bproxy text --max-chars 300", "--limit-chars"),
            ("bproxy snapshot --max-chars 300", "--limit-chars"),
            ("bproxy links --count 3", "--limit"),
            ("bproxy click", "an example: bproxy click --element"),
            ("bproxy download --max-chars 3", "an example: bproxy download --element"),
            ("bproxy wait --strategy soon", "an example: bproxy wait --strategy text"),
            ("bproxy tab bind", "session bind"),
        ] {
            let said = said(line);
            assert!(said.contains("tip: ") && said.contains(parts), "{line}: {said}");
        }
        let help = said("bproxy click --help");
        assert!(!help.contains("tip: "), "{help}");
    }
}

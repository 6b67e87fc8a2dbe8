//! The help of the program itself: its verbs by what one wants to do, and which read to take when.

use clap::{Command, Subcommand};

/// The verbs, by what one wants to do. One that is not named here is listed at the end.
const GROUPS: [(&str, &[&str]); 5] = [
    (
        "Read a page",
        &[
            "text",
            "snapshot",
            "find",
            "elements",
            "links",
            "table",
            "outline",
            "frames",
            "images",
            "screenshot",
            "save",
            "dom",
            "inspect",
        ],
    ),
    (
        "Act on it",
        &[
            "click",
            "fill",
            "fill-form",
            "select",
            "type",
            "press",
            "hover",
            "drag",
            "select-text",
            "scroll",
            "upload",
            "download",
        ],
    ),
    ("Go to a page, and wait", &["tab", "navigate", "back", "forward", "reload", "wait"]),
    ("Sessions, the person, many steps", &["session", "require-human", "batch", "events"]),
    (
        "Set up and look after",
        &[
            "service",
            "pair",
            "extension",
            "doctor",
            "mcp",
            "skill",
            "status",
            "health",
            "debug",
            "logs",
            "token",
            "completions",
            "man",
            "daemon",
        ],
    ),
];

/// Which read to take: the first that answers the question is the one that costs least.
const READS: &str = "\
Which read to take:
  text       what does the page say?
  find       where is the one thing of which I know the role or the words?
  elements   what can I fill and press? Links are listed by links
  snapshot   how does all of it belong together, and in what state is it? --since MARK: what has changed?
  table      what stands in the rows of a table, a grid or a list of results?
  outline    which parts has this long page? Then: text --selector
  dom        only if none of these show it: the HTML
  inspect    and this: attributes, position and styles of an element";

/// The template of the help: what clap fills in, around the verbs in their groups.
pub(super) fn template<Verbs: Subcommand>() -> String {
    let verbs = Verbs::augment_subcommands(Command::new("bproxy"));
    format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{READS}\n\nOptions of every verb:\n{{options}}{{after-help}}\n",
        groups(&verbs)
    )
}

fn groups(verbs: &Command) -> String {
    let all: Vec<_> = verbs.get_subcommands().filter(|verb| !verb.is_hide_set()).collect();
    let line = |verb: &Command| {
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        format!("  {:<14}{about}\n", verb.get_name())
    };
    let mut text = String::new();
    for (heading, names) in GROUPS {
        text += &format!("{heading}:\n");
        let named =
            names.iter().filter_map(|name| all.iter().find(|verb| verb.get_name() == *name));
        text.extend(named.map(|verb| line(verb)));
        text.push('\n');
    }
    let is_listed =
        |verb: &&&Command| GROUPS.iter().any(|(_, names)| names.contains(&verb.get_name()));
    let others: String =
        all.iter().filter(|verb| !is_listed(verb)).map(|verb| line(verb)).collect();
    if !others.is_empty() {
        text += &format!("Others:\n{others}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use crate::cli::Cli;

    #[test]
    fn every_verb_is_in_one_group_and_reading_and_acting_come_first() {
        let help = Cli::command().render_long_help().to_string();
        let verbs = Cli::command();
        for verb in verbs.get_subcommands() {
            let listed = format!("\n  {:<14}", verb.get_name());
            let count = help.matches(&listed).count();
            // Headings are followed by lines in the same form.
            assert_eq!(count, 1, "{} is listed {count} times:\n{help}", verb.get_name());
        }
        let place =
            |heading: &str| help.find(heading).unwrap_or_else(|| panic!("{heading}: {help}"));
        let order =
            ["Read a page", "Act on it", "Go to", "Sessions", "Set up", "Which read", "Options"];
        assert!(order.map(place).is_sorted(), "{help}");
        assert!(!help.contains('{'), "{help}");
    }
}

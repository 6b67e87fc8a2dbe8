//! The flag that brings a read along.

use clap::{Args, Parser};

use super::read::Read;
use crate::protocol;

#[derive(Args)]
pub(super) struct Then {
    /// A read to bring along once the page has come to rest, with its flags: 'snapshot --interactive-only', text
    #[arg(long, value_name = "READ", value_parser = read)]
    then: Option<protocol::Then>,
}

impl Then {
    /// The parameter, if the flag is given.
    pub(super) fn given(self) -> Option<protocol::Then> {
        self.then
    }
}

/// The read that stands in one word of the command line, as it would be called by itself.
fn read(text: &str) -> Result<protocol::Then, String> {
    #[derive(Parser)]
    #[command(no_binary_name = true, disable_help_flag = true, disable_help_subcommand = true)]
    struct Call {
        #[command(subcommand)]
        read: Read,
    }

    let words = shlex::split(text).ok_or("a quote is not closed")?;
    let Call { read } = Call::try_parse_from(words).map_err(|error| {
        let text = error.to_string();
        let problem = text.lines().next().unwrap_or_default();
        problem.trim_start_matches("error: ").to_owned()
    })?;
    if read.changes_answer() {
        return Err("--after and --limit-chars are for `bproxy text` alone".to_owned());
    }
    protocol::Then::try_from(read.action().map_err(|error| error.to_string())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_is_named_as_it_is_called() {
        let given = |text| serde_json::to_string(&read(text).expect("a read")).expect("JSON");
        assert_eq!(given("snapshot"), r#"{"action":"snapshot"}"#);
        assert_eq!(
            given("find --role button --name 'Save all'"),
            r#"{"action":"find","params":{"name":"Save all","role":"button"}}"#
        );
        assert_eq!(
            given("text --selector '#a b'"),
            r##"{"action":"text","params":{"selector":"#a b"}}"##
        );
    }

    #[test]
    fn what_cannot_be_brought_along_is_named() {
        for (text, problem) in [
            ("dom", "`dom` is not one of snapshot, text, find, elements, links, table"),
            ("text --limit-chars 100", "--limit-chars"),
            ("snapshot --colour", "--colour"),
            ("klick", "klick"),
            ("text 'a", "a quote is not closed"),
        ] {
            let told = read(text).expect_err(text);
            assert!(told.contains(problem), "{text}: {told}");
        }
    }
}

//! Which program has run this one, and where: what the daemon and the person are told of who asks.

use std::env;

use crate::protocol::Caller;

/// What agents set in the environment of the programs that they run, each with its agent's name.
const AGENTS: [(&str, &str); 8] = [
    ("CLAUDECODE", "Claude Code"),
    ("CODEX_SANDBOX", "Codex"),
    ("CODEX_THREAD_ID", "Codex"),
    ("CURSOR_AGENT", "Cursor"),
    ("GEMINI_CLI", "Gemini CLI"),
    ("OPENCODE", "opencode"),
    ("CLINE_ACTIVE", "Cline"),
    ("COPILOT_CLI", "Copilot CLI"),
];

/// What several agents set to their own name.
const NAMED: [&str; 2] = ["AI_AGENT", "AGENT"];

/// The agent that the environment names, else the program that started this one; `None` if neither is known.
pub(super) fn of_this_process() -> Option<Caller> {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let name = agent(set).or_else(parent)?;
    let folder = env::current_dir().ok();
    Some(Caller::new(&name, folder.as_deref().and_then(|folder| folder.to_str())))
}

/// The command line of this process, as a shell takes it; `None` if it is no text.
pub(super) fn command_line() -> Option<String> {
    let words: Option<Vec<_>> =
        env::args_os().skip(1).map(|word| word.into_string().ok()).collect();
    shlex::try_join(words?.iter().map(String::as_str)).ok().map(|words| format!("bproxy {words}"))
}

fn agent(set: impl Fn(&str) -> Option<String>) -> Option<String> {
    let known = AGENTS.iter().find(|(variable, _)| set(variable).is_some());
    known.map(|(_, name)| (*name).to_owned()).or_else(|| NAMED.into_iter().find_map(set))
}

/// The program that started this one, where the system tells.
fn parent() -> Option<String> {
    let parent = rustix::process::getppid()?;
    let name = std::fs::read_to_string(format!("/proc/{}/comm", parent.as_raw_nonzero())).ok()?;
    Some(name.trim_end().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_told_by_what_it_sets_and_any_other_program_by_its_name() {
        let with = |variable: &'static str, value: &'static str| {
            agent(move |name| (name == variable).then(|| value.to_owned()))
        };
        assert_eq!(with("CLAUDECODE", "1").as_deref(), Some("Claude Code"));
        assert_eq!(with("AGENT", "goose").as_deref(), Some("goose"));
        assert_eq!(with("EDITOR", "vi"), None);
        assert!(cfg!(not(target_os = "linux")) || parent().is_some());
    }
}

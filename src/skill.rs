//! The agent skill embedded in this binary, which teaches an agent to use bproxy, and where each agent looks for skills.
//!
//! The text is `skill/SKILL.md`, in the open agent-skill format: a folder named after the skill, with that file in it.

use std::path::{Path, PathBuf};

use crate::install::{self, NewFile, Target};

/// The text of `SKILL.md`.
pub const TEXT: &str = include_str!("../skill/SKILL.md");

/// The name of the skill and of its folder.
pub const NAME: &str = "bproxy";

const FILE: &str = "SKILL.md";

/// Why the skill cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no home directory to look for agents in.
    #[error("this user has no home directory: name an agent with --agent and a project's folder")]
    NoHome,
    /// Another skill or something else is in the way, or the skill cannot be written.
    #[error(transparent)]
    Install(#[from] install::Error),
}

macro_rules! agents {
    ($($(#[doc = $doc:literal])+ $agent:ident = $name:literal, $config:literal, $personal:literal, $project:literal;)*) => {
        /// An agent that reads skills.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Agent { $($(#[doc = $doc])+ $agent,)* }

        impl Agent {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$agent),*];

            /// Their names.
            pub const NAMES: &[&str] = &[$($name),*];

            /// The agent's configuration folder in the home directory. It exists if the agent is in use.
            fn config(self) -> &'static str {
                match self { $(Self::$agent => $config,)* }
            }

            /// The folder of the user's skills, in the home directory.
            fn personal(self) -> &'static str {
                match self { $(Self::$agent => $personal,)* }
            }

            /// The folder of a project's skills, in the project.
            fn project(self) -> &'static str {
                match self { $(Self::$agent => $project,)* }
            }
        }

        impl std::str::FromStr for Agent {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($name => Ok(Self::$agent),)*
                    _ => Err(format!("`{text}` is not one of {}", Self::NAMES.join(", "))),
                }
            }
        }
    };
}

agents! {
    /// Claude Code
    Claude = "claude", ".claude", ".claude/skills", ".claude/skills";
    /// Codex
    Codex = "codex", ".codex", ".agents/skills", ".agents/skills";
    /// Cursor
    Cursor = "cursor", ".cursor", ".cursor/skills", ".cursor/skills";
    /// Gemini CLI
    Gemini = "gemini", ".gemini", ".gemini/skills", ".gemini/skills";
    /// GitHub Copilot
    Copilot = "copilot", ".copilot", ".copilot/skills", ".github/skills";
    /// OpenCode
    Opencode = "opencode", ".config/opencode", ".config/opencode/skills", ".opencode/skills";
    /// Any agent that looks in the folder that the format recommends
    Any = "any", ".agents", ".agents/skills", ".agents/skills";
}

impl Agent {
    /// The agents that have a configuration folder in this home directory; [`Agent::Any`] if none has.
    pub fn in_use(home: &Path) -> Vec<Self> {
        let used: Vec<_> =
            Self::ALL.iter().copied().filter(|agent| home.join(agent.config()).is_dir()).collect();
        if used.is_empty() { vec![Self::Any] } else { used }
    }

    /// The skill's folder in the home directory, whatever the project.
    pub fn personal_folder(self) -> PathBuf {
        Path::new(self.personal()).join(NAME)
    }

    /// The skill's folder in a project.
    pub fn project_folder(self) -> PathBuf {
        Path::new(self.project()).join(NAME)
    }
}

/// Writes the skill to `folder` in `base`, creating what is missing, and returns the file's path. No link is followed
/// below `base`: a project may come from somebody else.
///
/// # Errors
/// When another skill or something else is there, or it cannot be written. Nothing is changed then.
pub fn write_to(base: &Path, folder: &Path) -> Result<PathBuf, Error> {
    let target = Target::below(base, folder)?;
    let path = target.path().join(FILE);
    let file = NewFile { path: FILE.into(), content: TEXT.as_bytes().into() };
    let is_ours =
        |_: &Path, old: &[u8]| std::str::from_utf8(old).is_ok_and(|old| name_of(old) == Some(NAME));
    target.install(&[file], &[], is_ours)?;
    Ok(path)
}

/// The name in a skill's front matter.
fn name_of(text: &str) -> Option<&str> {
    let front = text.strip_prefix("---\n")?.split("\n---").next()?;
    front.lines().find_map(|line| line.strip_prefix("name:")).map(str::trim)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_front_matter_is_what_the_format_asks_for() {
        assert_eq!(name_of(TEXT), Some(NAME));
        let front = TEXT.split("---\n").nth(1).unwrap();
        let description =
            front.lines().find_map(|line| line.strip_prefix("description: ")).unwrap();
        assert!((1..=1024).contains(&description.chars().count()));
        assert!(!description.contains(": "), "plain YAML text");
        assert!(TEXT.lines().count() < 500, "an agent reads all of it");
    }

    #[test]
    fn a_skill_is_overwritten_but_never_another_skill() {
        let home = tempfile::tempdir().unwrap();
        let folder = Agent::Claude.personal_folder();
        let path = write_to(home.path(), &folder).unwrap();
        assert_eq!(path, home.path().join(".claude/skills/bproxy/SKILL.md"));
        fs::write(&path, "---\nname: bproxy\ndescription: older\n---\n").unwrap();
        write_to(home.path(), &folder).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), TEXT);
        fs::write(&path, "---\nname: other\n---\n").unwrap();
        let refused = write_to(home.path(), &folder);
        assert!(matches!(refused, Err(Error::Install(install::Error::Foreign(_)))));
    }

    #[test]
    fn the_agents_in_use_are_those_with_a_folder_in_the_home_directory() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Agent::in_use(home.path()), [Agent::Any]);
        for config in [".claude", ".codex", ".config/opencode"] {
            fs::create_dir_all(home.path().join(config)).unwrap();
        }
        assert_eq!(Agent::in_use(home.path()), [Agent::Claude, Agent::Codex, Agent::Opencode]);
    }
}

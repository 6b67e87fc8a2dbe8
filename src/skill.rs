//! The agent skill embedded in this binary, which teaches an agent to use bproxy, and where each agent looks for skills.
//!
//! The text is `skill/SKILL.md`, in the open agent-skill format: a folder named after the skill, with that file in it.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// The text of `SKILL.md`.
pub const TEXT: &str = include_str!("../skill/SKILL.md");

/// The name of the skill and of its folder.
pub const NAME: &str = "bproxy";

const FILE: &str = "SKILL.md";

/// Why the skill cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder holds another skill.
    #[error("{} is another skill than this one: move it away, or install into another folder", .0.display())]
    Foreign(PathBuf),
    /// There is no home directory to look for agents in.
    #[error("this user has no home directory: name an agent with --agent and a project's folder")]
    NoHome,
    /// A system call failed.
    #[error("cannot write the skill to {}: {source}", path.display())]
    Write {
        /// The skill's file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
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

    /// The skill's folder for the owner of this home directory, whatever the project.
    pub fn personal_folder(self, home: &Path) -> PathBuf {
        home.join(self.personal()).join(NAME)
    }

    /// The skill's folder for one project.
    pub fn project_folder(self, project: &Path) -> PathBuf {
        project.join(self.project()).join(NAME)
    }
}

/// Writes the skill to its folder, which is created if missing, and returns the file's path.
///
/// # Errors
/// When the folder holds another skill, or cannot be written.
pub fn write_to(folder: &Path) -> Result<PathBuf, Error> {
    let path = folder.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) if name_of(&text) != Some(NAME) => return Err(Error::Foreign(path)),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(Error::Write { path, source }),
    }
    let written = fs::create_dir_all(folder).and_then(|()| {
        // Written atomically, because an agent may read it at the same time.
        let mut file =
            tempfile::Builder::new().permissions(readable_by_all()).tempfile_in(folder)?;
        io::Write::write_all(&mut file, TEXT.as_bytes())?;
        file.persist(&path).map_err(|error| error.error)
    });
    match written {
        Ok(_) => Ok(path),
        Err(source) => Err(Error::Write { path, source }),
    }
}

fn readable_by_all() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}

/// The name in a skill's front matter.
fn name_of(text: &str) -> Option<&str> {
    let front = text.strip_prefix("---\n")?.split("\n---").next()?;
    front.lines().find_map(|line| line.strip_prefix("name:")).map(str::trim)
}

#[cfg(test)]
mod tests {
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
        let folder = Agent::Claude.personal_folder(home.path());
        let path = write_to(&folder).unwrap();
        assert!(path.ends_with(".claude/skills/bproxy/SKILL.md"));
        fs::write(&path, "---\nname: bproxy\ndescription: older\n---\n").unwrap();
        write_to(&folder).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), TEXT);
        fs::write(&path, "---\nname: other\n---\n").unwrap();
        assert!(matches!(write_to(&folder), Err(Error::Foreign(_))));
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

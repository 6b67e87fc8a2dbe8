//! The agent skill embedded in this binary, which teaches an agent to use bproxy, and where each agent looks for skills.
//!
//! The text is `skill/SKILL.md`, in the open agent-skill format: a folder named after the skill, with that file in it. Agents
//! read all of it whenever it may be of use, and one of the sections beside it only when they need that.

use std::path::{Path, PathBuf};

use crate::install::{self, NewFile, Target};

/// The text of `SKILL.md`.
pub const TEXT: &str = include_str!("../skill/SKILL.md");

macro_rules! sections {
    ($($name:literal),*) => {
        /// The sections that are read only when they are needed, by their names.
        pub const SECTIONS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../skill/references/", $name, ".md")))),*];

        /// Their names.
        pub const SECTION_NAMES: &[&str] = &[$($name),*];
    };
}

sections! { "forms", "files", "dialogs-and-tabs", "frames", "hand-off", "many-pages" }

/// How the text of every section begins.
const SECTION_HEADING: &str = "# bproxy: ";

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

/// Writes the skill to `folder` in `base`, creating what is missing, and returns the path of `SKILL.md`. No link is followed
/// below `base`: a project may come from somebody else.
///
/// # Errors
/// When another skill or something else is there, or it cannot be written. Nothing is changed then.
pub fn write_to(base: &Path, folder: &Path) -> Result<PathBuf, Error> {
    let target = Target::below(base, folder)?;
    let path = target.path().join(FILE);
    let mut files = vec![NewFile { path: FILE.into(), content: TEXT.as_bytes().into() }];
    files.extend(SECTIONS.iter().map(|(name, text)| NewFile {
        path: format!("references/{name}.md").into(),
        content: text.as_bytes().into(),
    }));
    let is_ours = |path: &Path, old: &[u8]| {
        std::str::from_utf8(old).is_ok_and(|old| match path == Path::new(FILE) {
            true => name_of(old) == Some(NAME),
            false => old.starts_with(SECTION_HEADING),
        })
    };
    target.install(&files, &[], is_ours)?;
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
    }

    /// At least as many tokens as a text is, nearly: a short word each, a few letters of a long one, two signs.
    fn tokens(text: &str) -> usize {
        let kind = |letter: char| match letter {
            letter if letter.is_alphabetic() => 8,
            letter if letter.is_numeric() => 3,
            letter if letter.is_whitespace() => 0,
            _ => 2,
        };
        let (mut count, mut run, mut last) = (0, 0, 0);
        for letter in text.chars().chain([' ']) {
            if kind(letter) != last {
                count += if last == 0 { 0 } else { usize::div_ceil(run, last) };
                (run, last) = (0, kind(letter));
            }
            count += usize::from(letter == '\n');
            run += 1;
        }
        count
    }

    #[test]
    fn the_skill_costs_little_and_its_sections_are_read_only_when_they_are_needed() {
        // `make tokens` counts exactly: 1,207 of o200k where this counts some more.
        assert!(tokens(TEXT) <= 1_500, "{}", tokens(TEXT));
        for (name, text) in SECTIONS {
            assert!(TEXT.contains(&format!("- `{name}`: ")), "{name} is not named");
            assert!(text.starts_with(SECTION_HEADING), "{name}");
            assert!(tokens(text) <= 500, "{name}: {}", tokens(text));
        }
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
        let forms = path.with_file_name("references").join("forms.md");
        assert_eq!(fs::read_to_string(&forms).unwrap(), SECTIONS[0].1);
        fs::write(&forms, "# Notes of mine\n").unwrap();
        let refused = write_to(home.path(), &folder);
        assert!(matches!(refused, Err(Error::Install(install::Error::Foreign(_)))));
        fs::remove_file(&forms).unwrap();
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

//! `skill …`: the document that teaches an agent to use this program.

use std::path::PathBuf;

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use serde_json::json;

use super::global_args::{Globals, word};
use super::{Error, Outcome, output};
use crate::skill::{self, Agent};

/// The skill that teaches an agent to use bproxy
#[derive(Subcommand)]
pub(super) enum Skill {
    /// Write the skill into the folders where agents look for it
    ///
    /// For all your projects, or for one if its folder is given. Without --agent, for every agent that has a folder in
    /// your home directory.
    #[command(
        after_help = "Examples:\n  bproxy skill install\n  bproxy skill install --agent claude\n  bproxy skill install --agent codex ."
    )]
    Install {
        /// The agent to install it for; may be given several times
        #[arg(long = "agent", value_name = "AGENT", value_parser = word::<Agent>(Agent::NAMES))]
        agents: Vec<Agent>,

        /// The project to install it in [default: your home directory]
        dir: Option<PathBuf>,
    },
    /// Print the skill, or one of its sections
    #[command(after_help = "Examples:\n  bproxy skill show\n  bproxy skill show forms")]
    Show {
        /// The section, which is read only when it is needed
        #[arg(value_name = "SECTION", value_parser = PossibleValuesParser::new(skill::SECTION_NAMES))]
        section: Option<String>,
    },
}

impl Skill {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let (agents, dir) = match self {
            Skill::Install { agents, dir } => (agents, dir),
            Skill::Show { section } => {
                let is_it = |(name, _): &&(&str, &str)| section.as_deref() == Some(*name);
                output::text(
                    skill::SECTIONS.iter().find(is_it).map_or(skill::TEXT, |(_, text)| text),
                )?;
                return Ok(Outcome::Done);
            }
        };
        let home =
            || std::env::home_dir().filter(|home| home.is_absolute()).ok_or(skill::Error::NoHome);
        let agents = if agents.is_empty() { Agent::in_use(&home()?) } else { agents };
        let (base, mut folders): (PathBuf, Vec<_>) = match dir {
            None => (home()?, agents.iter().map(|agent| agent.personal_folder()).collect()),
            Some(dir) => (dir, agents.iter().map(|agent| agent.project_folder()).collect()),
        };
        // Several agents share a folder.
        folders.sort();
        folders.dedup();
        let paths = folders
            .iter()
            .map(|folder| skill::write_to(&base, folder))
            .collect::<Result<Vec<_>, _>>()?;
        globals.print(json!({ "paths": paths }).to_string().into_bytes())?;
        Ok(Outcome::Done)
    }
}

//! `mcp`: the Model Context Protocol server, for a client to run, and its entries in the clients' configuration.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::global_args::{Globals, word};
use super::{Error, Outcome, output};
use crate::mcp::{self, Options, Toolset};
use crate::program;
use crate::registration::{self, Client};

/// Serve agents over the Model Context Protocol, on standard input and output
///
/// For a client to run, not for people: `bproxy mcp install` writes the entry that has it do so. The tools are those
/// that most tasks need; the one called batch takes every action. The server creates a session with the first call, and closes it when the client disconnects; with --session, or
/// BPROXY_SESSION, it uses that session and leaves it open. --timeout applies to calls without a timeout of their own,
/// --wait-extension to every call.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy mcp\n  bproxy mcp --tools all --timeout 60000\n  bproxy mcp install"
)]
pub(super) struct Mcp {
    #[command(subcommand)]
    verb: Option<Verb>,

    /// Which tools: `core`, a few in few words, or `all`, one for each action with all its parameters
    #[arg(long, value_name = "SET", default_value = "core", value_parser = word::<Toolset>(Toolset::NAMES))]
    tools: Toolset,
}

#[derive(Subcommand)]
enum Verb {
    /// Add the server to the configuration of Claude Code, Codex, Cursor and others
    ///
    /// Without --client, for every client that has a configuration in your home directory. Everything else in the file
    /// stays as it is, and a copy of the file is kept beside it.
    #[command(
        after_help = "Examples:\n  bproxy mcp install\n  bproxy mcp install --client claude --client zed\n  bproxy mcp install --client codex --print"
    )]
    Install {
        #[command(flatten)]
        clients: Clients,

        /// Print the entry and where it belongs, and change nothing
        #[arg(long)]
        print: bool,
    },
    /// Remove the server from the clients' configuration
    #[command(
        after_help = "Examples:\n  bproxy mcp uninstall\n  bproxy mcp uninstall --client cursor"
    )]
    Uninstall {
        #[command(flatten)]
        clients: Clients,
    },
}

#[derive(Args)]
struct Clients {
    /// The client; may be given several times
    #[arg(long = "client", value_name = "CLIENT", value_parser = word::<Client>(Client::NAMES))]
    clients: Vec<Client>,
}

impl Clients {
    /// The home directory, and the clients that were named or else are in use there.
    fn find(self) -> Result<(PathBuf, Vec<Client>), Error> {
        let home = std::env::home_dir().filter(|home| home.is_absolute());
        let home = home.ok_or(registration::Error::NoHome)?;
        let clients = if self.clients.is_empty() { Client::in_use(&home) } else { self.clients };
        if clients.is_empty() {
            return Err(registration::Error::NoClient { home }.into());
        }
        Ok((home, clients))
    }
}

impl Mcp {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let changed = match self.verb {
            None => return serve(globals, self.tools),
            Some(Verb::Install { clients, print }) => {
                let (home, clients) = clients.find()?;
                let program = program::path()?;
                if print {
                    for client in clients {
                        let path = client.path(&home);
                        output::text(&format!("# {}\n{}", path.display(), client.entry(&program)))?;
                    }
                    return Ok(Outcome::Done);
                }
                let install = |client: &Client| registration::install(*client, &home, &program);
                clients.iter().map(install).collect::<Vec<_>>()
            }
            Some(Verb::Uninstall { clients }) => {
                let (home, clients) = clients.find()?;
                let uninstall = |client: &Client| registration::uninstall(*client, &home);
                clients.iter().map(uninstall).collect()
            }
        };
        // One client's file that is in the way keeps no other from being served.
        let mut done = Vec::new();
        let mut outcome = Outcome::Done;
        for changed in changed {
            match changed {
                Ok(changed) => done.push(changed),
                Err(error) => {
                    output::say(&error.to_string());
                    outcome = Outcome::Refused;
                }
            }
        }
        globals.print(json!({ "clients": done }).to_string().into_bytes())?;
        Ok(outcome)
    }
}

fn serve(globals: &Globals, tools: Toolset) -> Result<Outcome, Error> {
    let session = Some(globals.session().to_owned()).filter(|session| !session.is_empty());
    let (timeout, wait_extension) = (globals.timeout(), globals.wait_extension());
    let (home, port) = (globals.home.clone(), globals.port);
    mcp::run(Options { home, port, session, tools, timeout, wait_extension })?;
    Ok(Outcome::Done)
}

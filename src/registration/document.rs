//! Editing the text of a configuration file: only our entry changes, and everything else stays as it was written.

use std::path::Path;

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::{Change, Error, NAME};

/// The form of a client's file.
#[derive(Clone, Copy)]
pub(super) enum Format {
    /// JSON, in which comments are kept: an object of servers by their names, each with `command` and `args`.
    Json {
        /// The member that holds the servers.
        servers: &'static str,
        /// Whether an entry says that its server speaks over standard input and output.
        typed: bool,
    },
    /// JSON whose entries have one list of the program and its arguments.
    Opencode,
    /// TOML with a table for each server.
    Toml,
}

/// A text, and what was done to it.
pub(super) struct Edited {
    pub(super) text: String,
    pub(super) change: Change,
}

impl Format {
    /// Adds the entry, or repairs ours if its program is gone.
    pub(super) fn add(self, text: &str, path: &Path, program: &Path) -> Result<Edited, Error> {
        match self {
            Format::Toml => add_toml(text, path, program),
            _ => self.add_json(text, path, program),
        }
    }

    /// Takes our entry away, and the object of servers if it is empty then and was ours alone.
    pub(super) fn remove(self, text: &str, path: &Path) -> Result<Edited, Error> {
        match self {
            Format::Toml => remove_toml(text, path),
            _ => self.remove_json(text, path),
        }
    }

    /// A file that has our entry alone.
    pub(super) fn example(self, program: &Path) -> String {
        let edited = self.add("", Path::new(""), program).map(|edited| edited.text);
        edited.unwrap_or_else(|error| unreachable!("an empty file: {error}"))
    }

    fn servers(self) -> &'static str {
        match self {
            Format::Json { servers, .. } => servers,
            Format::Opencode => "mcp",
            Format::Toml => "mcp_servers",
        }
    }

    fn entry(self, program: &Path) -> CstInputValue {
        let text = |text: &str| CstInputValue::String(text.to_owned());
        let program = text(&program.to_string_lossy());
        let members = match self {
            Format::Opencode => vec![
                ("type", text("local")),
                ("command", CstInputValue::Array(vec![program, text("mcp")])),
                ("enabled", CstInputValue::Bool(true)),
            ],
            _ => {
                let typed = matches!(self, Format::Json { typed: true, .. });
                let kind = typed.then(|| ("type", text("stdio")));
                let args = CstInputValue::Array(vec![text("mcp")]);
                kind.into_iter().chain([("command", program), ("args", args)]).collect()
            }
        };
        CstInputValue::Object(
            members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        )
    }

    fn add_json(self, text: &str, path: &Path, program: &Path) -> Result<Edited, Error> {
        let root = parse_json(text, path)?;
        let all = root_object(&root, path)?;
        let servers = all
            .object_value_or_create(self.servers())
            .ok_or_else(|| malformed(path, format!("`{}` is no object", self.servers())))?;
        let change = match servers.get(NAME) {
            None => {
                servers.append(NAME, self.entry(program));
                Change::Added
            }
            Some(entry) => {
                let entry = entry.object_value();
                let old = entry.as_ref().and_then(command).unwrap_or_default();
                if !is_ours(&old) {
                    return Err(Error::Foreign { path: path.to_owned(), program: old });
                }
                if Path::new(&old).exists() {
                    Change::Unchanged
                } else {
                    let command = entry.and_then(|entry| entry.get("command"));
                    let command = command.expect("it has just been read");
                    let program = CstInputValue::String(program.to_string_lossy().into_owned());
                    match command.array_value().and_then(|list| list.elements().into_iter().next())
                    {
                        Some(first) => {
                            if let Some(first) = first.as_string_lit() {
                                first.replace_with(program);
                            }
                        }
                        None => command.set_value(program),
                    }
                    Change::Updated
                }
            }
        };
        let mut text = root.to_string();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Ok(Edited { text, change })
    }

    fn remove_json(self, text: &str, path: &Path) -> Result<Edited, Error> {
        let root = parse_json(text, path)?;
        let servers = root.object_value().and_then(|all| all.object_value(self.servers()));
        let entry = servers.as_ref().and_then(|servers| servers.get(NAME));
        let ours = entry.filter(|entry| {
            entry.object_value().as_ref().and_then(command).is_some_and(|command| is_ours(&command))
        });
        let change = match ours {
            Some(entry) => {
                entry.remove();
                Change::Removed
            }
            None => Change::Unchanged,
        };
        Ok(Edited { text: root.to_string(), change })
    }
}

/// Whether an entry's program is this one, wherever it is installed.
fn is_ours(program: &str) -> bool {
    Path::new(program).file_stem().is_some_and(|name| name == NAME)
}

/// The program that an entry runs.
fn command(entry: &CstObject) -> Option<String> {
    let command = entry.get("command")?;
    let text = match command.array_value() {
        Some(list) => list.elements().into_iter().next()?,
        None => command.value()?,
    };
    text.as_string_lit()?.decoded_value().ok()
}

fn malformed(path: &Path, problem: impl ToString) -> Error {
    Error::Malformed { path: path.to_owned(), problem: problem.to_string() }
}

fn parse_json(text: &str, path: &Path) -> Result<CstRootNode, Error> {
    CstRootNode::parse(text, &ParseOptions::default()).map_err(|error| malformed(path, error))
}

fn root_object(root: &CstRootNode, path: &Path) -> Result<CstObject, Error> {
    root.object_value_or_create().ok_or_else(|| malformed(path, "it is no object"))
}

fn parse_toml(text: &str, path: &Path) -> Result<DocumentMut, Error> {
    text.parse().map_err(|error| malformed(path, error))
}

fn add_toml(text: &str, path: &Path, program: &Path) -> Result<Edited, Error> {
    let mut document = parse_toml(text, path)?;
    let mut none = Table::new();
    // Its header would say nothing.
    none.set_implicit(true);
    let servers = document.entry("mcp_servers").or_insert(Item::Table(none));
    let servers =
        servers.as_table_like_mut().ok_or_else(|| malformed(path, "`mcp_servers` is no table"))?;
    let program = program.to_string_lossy();
    let change = match servers.get_mut(NAME) {
        None => {
            let mut entry = Table::new();
            entry.insert("command", value(&*program));
            entry.insert("args", value(Array::from_iter(["mcp"])));
            servers.insert(NAME, Item::Table(entry));
            Change::Added
        }
        Some(entry) => {
            let command = entry.get_mut("command");
            let old = command.as_ref().and_then(|old| old.as_str()).unwrap_or_default().to_owned();
            match command {
                Some(command) if is_ours(&old) => {
                    if Path::new(&old).exists() {
                        Change::Unchanged
                    } else {
                        *command = value(&*program);
                        Change::Updated
                    }
                }
                _ => return Err(Error::Foreign { path: path.to_owned(), program: old }),
            }
        }
    };
    Ok(Edited { text: document.to_string(), change })
}

fn remove_toml(text: &str, path: &Path) -> Result<Edited, Error> {
    let mut document = parse_toml(text, path)?;
    let servers = document.get_mut("mcp_servers").and_then(Item::as_table_like_mut);
    let ours = servers.filter(|servers| {
        let command = servers.get(NAME).and_then(|entry| entry.get("command"));
        command.and_then(Item::as_str).is_some_and(is_ours)
    });
    let change = match ours {
        Some(servers) => {
            servers.remove(NAME);
            Change::Removed
        }
        None => Change::Unchanged,
    };
    Ok(Edited { text: document.to_string(), change })
}

//! The programs that run MCP servers: where each keeps its configuration, and in which form.

use std::path::{Path, PathBuf};

use super::document::Format;

macro_rules! clients {
    ($($(#[doc = $doc:literal])+ $client:ident = $name:literal;)*) => {
        /// A program that runs MCP servers.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Client { $($(#[doc = $doc])+ $client,)* }

        impl Client {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$client),*];

            /// Their names.
            pub const NAMES: &[&str] = &[$($name),*];

            /// Its name on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$client => $name,)* }
            }
        }

        impl std::str::FromStr for Client {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($name => Ok(Self::$client),)*
                    _ => Err(format!("`{text}` is not one of {}", Self::NAMES.join(", "))),
                }
            }
        }
    };
}

clients! {
    /// Claude Code
    Claude = "claude";
    /// Codex
    Codex = "codex";
    /// Cursor
    Cursor = "cursor";
    /// Visual Studio Code
    VsCode = "vscode";
    /// Gemini CLI
    Gemini = "gemini";
    /// OpenCode
    Opencode = "opencode";
    /// Zed
    Zed = "zed";
    /// Windsurf
    Windsurf = "windsurf";
}

impl Client {
    /// The clients that have a configuration in this home directory.
    pub fn in_use(home: &Path) -> Vec<Self> {
        let is_used = |client: &Self| {
            let path = client.path(home);
            // Claude Code's file is in the home directory itself, which everybody has.
            let folder = if *client == Self::Claude { home.join(".claude") } else { parent(&path) };
            path.is_file() || folder.is_dir()
        };
        Self::ALL.iter().copied().filter(is_used).collect()
    }

    /// The client's configuration file for this user.
    pub fn path(self, home: &Path) -> PathBuf {
        let config = home.join(".config");
        let vscode = if cfg!(target_os = "macos") {
            home.join("Library/Application Support")
        } else {
            config.clone()
        };
        match self {
            Self::Claude => home.join(".claude.json"),
            Self::Codex => home.join(".codex/config.toml"),
            Self::Cursor => home.join(".cursor/mcp.json"),
            Self::VsCode => vscode.join("Code/User/mcp.json"),
            Self::Gemini => home.join(".gemini/settings.json"),
            Self::Opencode => {
                let with_comments = config.join("opencode/opencode.jsonc");
                if with_comments.is_file() {
                    with_comments
                } else {
                    config.join("opencode/opencode.json")
                }
            }
            Self::Zed => config.join("zed/settings.json"),
            Self::Windsurf => home.join(".codeium/windsurf/mcp_config.json"),
        }
    }

    pub(super) fn format(self) -> Format {
        match self {
            Self::Claude => Format::Json { servers: "mcpServers", typed: true },
            Self::Cursor | Self::Gemini | Self::Windsurf => {
                Format::Json { servers: "mcpServers", typed: false }
            }
            Self::VsCode => Format::Json { servers: "servers", typed: true },
            Self::Zed => Format::Json { servers: "context_servers", typed: false },
            Self::Opencode => Format::Opencode,
            Self::Codex => Format::Toml,
        }
    }

    /// The entry that runs `program`, as the client's file has it.
    pub fn entry(self, program: &Path) -> String {
        self.format().example(program)
    }
}

fn parent(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

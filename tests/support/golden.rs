//! The golden wire files: every action with parameters that must be accepted and parameters that must be refused.

use serde::Deserialize;
use serde_json::{Value, json};

/// One action's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    pub action: String,
    /// `daemon` or `extension`.
    #[serde(rename = "where")]
    pub place: String,
    pub valid: Vec<Valid>,
    pub invalid: Vec<Invalid>,
}

/// Parameters that must be accepted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Valid {
    pub name: String,
    pub params: Value,
    /// The parameters as they are forwarded, where the daemon changes them.
    pub forwarded: Option<Value>,
    /// The answer's `data`, as the extension sends it.
    #[serde(default = "nothing")]
    pub data: Value,
    /// The answer's `error`, where the action's answer is one.
    pub error: Option<Value>,
    /// Only clients may send this: it has an element handle.
    #[serde(default)]
    pub client_only: bool,
}

/// Parameters that must be refused, with a message that names `field`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invalid {
    pub name: String,
    pub params: Value,
    pub field: String,
}

fn nothing() -> Value {
    json!({})
}

impl Golden {
    /// All files, by action.
    pub fn all() -> Vec<Self> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
        let mut paths: Vec<_> = std::fs::read_dir(folder)
            .expect("the golden files")
            .map(|entry| entry.expect("a golden file").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        paths.sort();
        let read = |path: &std::path::PathBuf| {
            let text = std::fs::read_to_string(path).expect("a readable golden file");
            let golden: Self = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(path.file_stem().and_then(|stem| stem.to_str()), Some(&*golden.action));
            golden
        };
        paths.iter().map(read).collect()
    }

    pub fn is_daemon_local(&self) -> bool {
        self.place == "daemon"
    }
}

//! The Python package, `clients/python`: its own tests, against a real daemon.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{Answer, Daemon, call};

/// What the extension answers.
fn answer(action: &str, params: &Value) -> Option<Value> {
    let filled = |value: &Value| match value == "refused" {
        true => json!({"filled": false, "verifiedValue": "old"}),
        false => json!({"filled": true, "verifiedValue": value}),
    };
    Some(match action {
        "text" => json!({"text": format!("welcome to {}", params["selector"].as_str()?)}),
        "table" => {
            json!({"tables": [{"columns": ["A", "B"], "rows": [["1", "2"]], "total": 1}], "total": 1})
        }
        "elements" => {
            json!({"elements": [{"n": 1, "role": "button", "tag": "button"}], "total": 1})
        }
        "click" => json!({"clicked": true, "disappeared": false, "stable": true, "effects": {}}),
        "fill" => {
            let mut data = filled(&params["value"]);
            data["effects"] = json!({});
            data
        }
        "fill-form" => {
            let each = params["fields"].as_array()?.iter().map(|field| {
                let mut result = filled(&field["value"]);
                result["target"] = field["target"].clone();
                result
            });
            json!({"results": each.collect::<Vec<_>>(), "effects": {}})
        }
        "press" => json!({"pressed": 2, "effects": {}}),
        "wait" => json!({"matched": true, "elapsed": 3, "url": "https://a.example/"}),
        _ => return None,
    })
}

#[tokio::test]
async fn the_python_package_passes_its_tests() {
    let daemon = Daemon::start().await;
    let _serving = daemon.numbering_extension("python").await.serve(|command| {
        if command.action() == "require-human" {
            return Some(Answer::Error("HUMAN_REQUIRED", "Please sign in"));
        }
        let mut data = answer(command.action(), command.params())?;
        if let Some(first) = command.json["target"]["el"].as_i64()
            && command.action() == "elements"
        {
            data["elements"][0]["n"] = json!(first);
        }
        Some(Answer::Data(data))
    });
    let code = include_str!("../../clients/python/bproxy/__init__.py");
    assert!(code.contains(concat!("__version__ = \"", env!("CARGO_PKG_VERSION"), "\"")));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/python");
    let mut tests = Command::new("python3");
    tests
        .args(["-W", "error", "-m", "unittest", "discover", "--start-directory", "tests"])
        .current_dir(&folder)
        .env("PYTHONPATH", &folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("BPROXY_HOME", daemon.home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let ran = call(tests, None).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("Ran 6 tests"), "{}", ran.stderr);
}

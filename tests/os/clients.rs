//! The server in the configuration of MCP clients: what `mcp install` writes is what runs.

use std::fs;

use serde_json::{Value, json};

use crate::support::{BPROXY, User};

#[tokio::test]
async fn the_entry_of_a_client_runs_the_installed_program() {
    let Some(user) = User::new() else { return };
    let refused = user.bproxy(&["mcp", "install"]).await;
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("--client"), "{refused:?}");

    user.sh("mkdir -p ~/.cursor ~/.codex; echo '[[' > ~/.codex/config.toml").await;
    // What is in the way of one client keeps no other from being served, and is told.
    let done = user.bproxy(&["mcp", "install"]).await;
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.stderr.contains(".codex/config.toml"), "{done:?}");
    let clients = done.json();
    assert_eq!(clients["clients"][0]["client"], "cursor");
    assert_eq!(clients["clients"][0]["change"], "added");
    assert_eq!(user.sh("cat ~/.codex/config.toml").await, "[[\n");

    let text = fs::read(user.file(".cursor/mcp.json")).expect("the configuration");
    let entry: Value = serde_json::from_slice(&text).expect("JSON");
    let entry = &entry["mcpServers"]["bproxy"];
    assert_eq!(entry, &json!({"command": BPROXY, "args": ["mcp"]}));
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}});
    let answer = user.sh(&format!("echo '{hello}' | {BPROXY} mcp")).await;
    let answer: Value = serde_json::from_str(answer.trim()).expect("one line of JSON");
    assert_eq!(answer["result"]["serverInfo"]["name"], "bproxy");

    let printed = user.bproxy(&["mcp", "install", "--client", "zed", "--print"]).await;
    assert!(printed.stdout.contains(".config/zed/settings.json"), "{printed:?}");
    assert!(printed.stdout.contains("context_servers"), "{printed:?}");
    assert!(!user.file(".config/zed").exists());

    let gone = user.bproxy(&["mcp", "uninstall", "--client", "cursor"]).await.json();
    assert_eq!(gone["clients"][0]["change"], "removed");
    assert!(!fs::read_to_string(user.file(".cursor/mcp.json")).expect("text").contains("bproxy"));
}

//! The MCP server with other people's clients (`make clients`): the official SDKs for Python and Rust, fastmcp and the
//! official inspector do the same steps in a real Chromium, and the official conformance suite asks what it asks of every
//! server.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use data_encoding::BASE64;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::rig::Rig;
use super::support::{McpClient, patiently};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn folder() -> PathBuf {
    Path::new(ROOT).join("tests/clients")
}

/// What `make clients` has installed.
#[track_caller]
fn installed(path: &str) -> PathBuf {
    let path = Path::new(ROOT).join(path);
    assert!(path.exists(), "no {}: run `make clients`", path.display());
    path
}

/// A node that is as new as the inspector and the conformance suite want it.
fn node(script: &str) -> Command {
    let mut node = Command::new(installed("tests/clients/node_modules/.bin/node"));
    node.arg(folder().join(script));
    node
}

/// The node of a tree in which this is written.
#[track_caller]
fn handle(tree: &str, node: &str) -> String {
    let line = tree.lines().find(|line| line.contains(node));
    let line = line.unwrap_or_else(|| panic!("no {node} in {tree}"));
    let handle = line.split('[').nth(1).and_then(|it| it.split(']').next());
    handle.unwrap_or_else(|| panic!("no handle in {line}")).to_owned()
}

fn names(listed: &Value, list: &str) -> Vec<String> {
    let listed = listed[list].as_array().unwrap_or_else(|| panic!("no {list}: {listed}"));
    listed.iter().map(|it| it["name"].as_str().expect("a name").to_owned()).collect()
}

/// What an agent does with a server, by one client: it looks what there is, opens a page, reads it, acts by what it has read,
/// fails, and takes a picture out. The page says what was done.
async fn everything_works(rig: &Rig, mut client: McpClient, is_one_connection: bool) {
    assert_eq!(client.server["name"], "bproxy");
    let tools = client.ask("tools/list", json!({})).await.expect("tools");
    let tools = names(&tools, "tools");
    let url = rig.site.url("act.html");
    let opened = client.call("tab_open", json!({ "url": url })).await;
    assert!(opened.page().contains("/act.html"), "{opened:?}");
    let tree = client.call("snapshot", json!({})).await;
    let button = handle(tree.page(), "button \"Count\"");
    let click = json!({"target": button, "then": "find role=status"});
    let clicked = client.call("click", click).await;
    assert!(clicked.page().contains("status text \"1\""), "{clicked:?}");
    let page = rig.browser.find("act.html").await;
    assert_eq!(page.evaluate("document.querySelector('#counted').textContent").await, "1");

    let failed = client.call("click", json!({"target": "#nope"})).await;
    let error = failed.error();
    assert!(error.starts_with("click failed: ELEMENT_NOT_FOUND: "), "{error}");
    assert!(error.contains("\nNext: call `snapshot`"), "{error}");
    let refused = client.call("click", json!({"target": "el1", "tagret": "el2"})).await;
    assert!(refused.error().contains("tagret"), "{refused:?}");

    let picture = client.call("screenshot", json!({"activate": true})).await;
    let image = &picture.0["content"][1];
    assert_eq!((&image["type"], &image["mimeType"]), (&json!("image"), &json!("image/png")));

    let prompts = client.ask("prompts/list", json!({})).await.expect("prompts");
    assert_eq!(names(&prompts, "prompts"), ["look_up", "fill_in"]);
    let places = json!({"site": "https://example.org", "question": "How much is it?"});
    let prompt = json!({"name": "look_up", "arguments": places});
    let prompt = client.ask("prompts/get", prompt).await.expect("a prompt");
    let said = prompt["messages"][0]["content"]["text"].as_str().expect("a text");
    assert!(said.contains("from https://example.org, in") && said.contains("How much is it?"));
    assert!(client.ask("prompts/get", json!({"name": "fly", "arguments": {}})).await.is_err());

    // Where each call is a connection of its own, the screenshots of an earlier one are gone.
    let listed = client.ask("resources/list", json!({})).await.expect("resources");
    let count = if is_one_connection { 1 } else { 0 };
    assert_eq!(names(&listed, "resources").len(), count, "{listed}");
    if is_one_connection {
        let read = json!({"uri": listed["resources"][0]["uri"]});
        let shot = client.ask("resources/read", read).await.expect("a picture");
        assert_eq!(shot["contents"][0]["blob"], image["data"], "the picture that was taken");
        let png = BASE64.decode(shot["contents"][0]["blob"].as_str().expect("base64").as_bytes());
        assert!(png.expect("base64").starts_with(b"\x89PNG"));
    }
    let none = client.ask("resources/read", json!({"uri": "bproxy://screenshots/9"})).await;
    assert!(none.unwrap_err().contains("bproxy://screenshots/9"));
    println!("{} tools: {}", tools.len(), tools.join(", "));
    client.close().await;
}

/// The steps with one of the clients for Python.
async fn with_python(sdk: &str) {
    let rig = Rig::new().await;
    let mut python = Command::new("python3");
    python.arg(folder().join("client.py")).arg(sdk);
    let path = installed("target/clients/python").display().to_string();
    let said = [("PYTHONPATH", path), ("PYTHONDONTWRITEBYTECODE", "1".to_owned())];
    let client = McpClient::of(python, &rig.daemon.home, &[], &said).await;
    everything_works(&rig, client, true).await;
    rig.browser.close().await;
}

#[tokio::test]
#[ignore = "make clients runs it"]
async fn the_official_sdk_for_python_does_everything() {
    with_python("mcp").await;
}

#[tokio::test]
#[ignore = "make clients runs it"]
async fn fastmcp_does_everything() {
    with_python("fastmcp").await;
}

#[tokio::test]
#[ignore = "make clients runs it"]
async fn the_official_sdk_for_rust_does_everything() {
    let rig = Rig::new().await;
    let program = Command::new(installed("target/clients/rust/debug/bproxy-mcp-client"));
    let client = McpClient::of(program, &rig.daemon.home, &[], &[]).await;
    everything_works(&rig, client, true).await;
    rig.browser.close().await;
}

#[tokio::test]
#[ignore = "make clients runs it"]
async fn the_official_inspector_does_everything() {
    let rig = Rig::new().await;
    // Each of its calls is a connection: a session that was there before outlives it.
    let session = rig.run(&["session", "create"]).await.data()["session"].clone();
    let session = ["--session", session.as_str().expect("an id")];
    let client = McpClient::of(node("inspector.js"), &rig.daemon.home, &session, &[]).await;
    everything_works(&rig, client, false).await;
    rig.browser.close().await;
}

/// The suite says by itself what it finds, and fails where that is not what `conformance.yml` expects.
#[tokio::test]
#[ignore = "make clients runs it"]
async fn the_official_conformance_suite_finds_what_is_expected() {
    let rig = Rig::new().await;
    let visit = rig.visit("downloads.html").await;
    visit.data(&["download", "--selector", "#given"]).await;
    let home = rig.daemon.home.path();
    let mut bridge = node("bridge.js")
        .args([env!("CARGO_BIN_EXE_bproxy"), "mcp", "--session", &visit.session])
        .env("BPROXY_HOME", &home)
        .env("BPROXY_SECRETS", "file")
        .env_remove("BPROXY_SESSION")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node runs");
    let mut lines = BufReader::new(bridge.stdout.take().expect("a pipe")).lines();
    let url = patiently("the address of the bridge", lines.next_line()).await;
    let url = url.expect("a pipe").expect("a bridge that starts");
    let suite = node("node_modules/.bin/conformance")
        .args(["server", "--suite", "all", "--url", &url, "--expected-failures"])
        .arg(folder().join("conformance.yml"))
        .kill_on_drop(true)
        .output()
        .await
        .expect("node runs");
    let said = String::from_utf8_lossy(&suite.stdout);
    let (_, summary) = said.split_once("=== SUMMARY ===").unwrap_or_default();
    println!("{summary}");
    assert!(suite.status.success(), "{said}\n{}", String::from_utf8_lossy(&suite.stderr));
    rig.browser.close().await;
}

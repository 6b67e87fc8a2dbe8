use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;

/// A home directory, and a program in it.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::write(home.program(), "").unwrap();
        home
    }

    fn program(&self) -> PathBuf {
        self.0.path().join("bproxy")
    }

    /// The client's file, with this text if it is not to be absent.
    fn file(&self, client: Client, text: Option<&str>) -> PathBuf {
        let path = client.path(self.0.path());
        if let Some(text) = text {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        }
        path
    }

    fn install(&self, client: Client) -> Result<Outcome, Error> {
        install(client, self.0.path(), &self.program())
    }
}

#[test]
fn every_client_gets_its_entry_in_a_new_file_and_loses_it_again() {
    for &client in Client::ALL {
        let home = Home::new();
        let path = home.file(client, None);
        let added = home.install(client).unwrap();
        assert_eq!((added.change, added.copy), (Change::Added, None), "{client:?}");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, client.entry(&home.program()), "{client:?}");
        assert!(text.contains(&*home.program().to_string_lossy()), "{text}");
        assert_eq!(home.install(client).unwrap().change, Change::Unchanged, "{client:?}");
        let removed = uninstall(client, home.0.path()).unwrap();
        assert_eq!(removed.change, Change::Removed);
        assert_eq!(fs::read_to_string(removed.copy.unwrap()).unwrap(), text);
        assert!(!fs::read_to_string(&path).unwrap().contains("bproxy"), "{client:?}");
        assert_eq!(uninstall(client, home.0.path()).unwrap().change, Change::Unchanged);
    }
}

#[test]
fn the_entries_are_what_each_client_reads() {
    let entry = |client: Client| client.entry(Path::new("/usr/bin/bproxy"));
    let json = |client| serde_json::from_str::<serde_json::Value>(&entry(client)).unwrap();
    let plain = serde_json::json!({"command": "/usr/bin/bproxy", "args": ["mcp"]});
    let typed = serde_json::json!({"type": "stdio", "command": "/usr/bin/bproxy", "args": ["mcp"]});
    assert_eq!(json(Client::Claude)["mcpServers"]["bproxy"], typed);
    assert_eq!(json(Client::VsCode)["servers"]["bproxy"], typed);
    for client in [Client::Cursor, Client::Gemini, Client::Windsurf] {
        assert_eq!(json(client)["mcpServers"]["bproxy"], plain);
    }
    assert_eq!(json(Client::Zed)["context_servers"]["bproxy"], plain);
    let opencode = serde_json::json!(
        {"type": "local", "command": ["/usr/bin/bproxy", "mcp"], "enabled": true}
    );
    assert_eq!(json(Client::Opencode)["mcp"]["bproxy"], opencode);
    let codex = "[mcp_servers.bproxy]\ncommand = \"/usr/bin/bproxy\"\nargs = [\"mcp\"]\n";
    assert_eq!(entry(Client::Codex), codex);
}

#[test]
fn what_else_a_file_holds_stays_as_it_was_written() {
    let home = Home::new();
    let old = "{\n  // The theme of the day\n  \"theme\": \"dark\",\n  \"context_servers\": {\n    \"other\": { \"command\": \"x\" }\n  }\n}\n";
    let path = home.file(Client::Zed, Some(old));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let added = home.install(Client::Zed).unwrap();
    let new = fs::read_to_string(&path).unwrap();
    assert!(new.starts_with("{\n  // The theme of the day\n  \"theme\": \"dark\",\n"), "{new}");
    assert!(new.contains("    \"other\": { \"command\": \"x\" },\n    \"bproxy\": {\n"), "{new}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let copy = added.copy.unwrap();
    assert_eq!(fs::read_to_string(&copy).unwrap(), old);
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    uninstall(Client::Zed, home.0.path()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), old);

    let old = "# Mine\nmodel = \"o\"  # for now\n\n[mcp_servers.other]\ncommand = \"x\"\n";
    let path = home.file(Client::Codex, Some(old));
    home.install(Client::Codex).unwrap();
    let new = fs::read_to_string(&path).unwrap();
    assert!(new.starts_with(old) && new.contains("\n[mcp_servers.bproxy]\n"), "{new}");
    uninstall(Client::Codex, home.0.path()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), old);
}

#[test]
fn an_entry_of_ours_is_kept_and_only_led_to_the_program_where_that_is_gone() {
    let home = Home::new();
    for (client, old) in [
        (
            Client::Cursor,
            r#"{"mcpServers": {"bproxy": {"command": "/gone/bproxy", "args": ["mcp", "--timeout", "9"]}}}"#,
        ),
        (
            Client::Opencode,
            r#"{"mcp": {"bproxy": {"type": "local", "command": ["/gone/bproxy", "mcp", "--timeout"]}}}"#,
        ),
        (
            Client::Codex,
            "[mcp_servers.bproxy]\ncommand = \"/gone/bproxy\"\nargs = [\"mcp\", \"--timeout\"]\n",
        ),
    ] {
        let path = home.file(client, Some(old));
        assert_eq!(home.install(client).unwrap().change, Change::Updated, "{client:?}");
        let new = fs::read_to_string(&path).unwrap();
        assert!(new.contains("--timeout") && !new.contains("/gone"), "{new}");
        assert!(new.contains(&*home.program().to_string_lossy()), "{new}");
        assert_eq!(home.install(client).unwrap().change, Change::Unchanged, "{client:?}");
    }
}

#[test]
fn another_server_of_this_name_is_left_alone() {
    let home = Home::new();
    for (client, old) in [
        (Client::Gemini, r#"{"mcpServers": {"bproxy": {"command": "/opt/their-proxy"}}}"#),
        (Client::Claude, r#"{"mcpServers": {"bproxy": {"url": "https://example.org"}}}"#),
        (Client::Codex, "[mcp_servers.bproxy]\ncommand = \"node\"\n"),
    ] {
        let path = home.file(client, Some(old));
        let refused = home.install(client).unwrap_err();
        assert!(matches!(refused, Error::Foreign { .. }), "{refused}");
        assert_eq!(uninstall(client, home.0.path()).unwrap().change, Change::Unchanged);
        assert_eq!(fs::read_to_string(&path).unwrap(), old);
    }
}

#[test]
fn a_malformed_file_is_named_and_left_alone() {
    let home = Home::new();
    for (client, old) in [
        (Client::Claude, "{\"mcpServers\": {"),
        (Client::Cursor, "[]"),
        (Client::VsCode, "{\"servers\": 1}"),
        (Client::Codex, "model = "),
        (Client::Codex, "mcp_servers = 1"),
    ] {
        let path = home.file(client, Some(old));
        let refused = home.install(client).unwrap_err().to_string();
        assert!(
            refused.contains(&*path.to_string_lossy()) && refused.contains("--print"),
            "{refused}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), old);
        assert_eq!(
            fs::read_dir(path.parent().unwrap()).unwrap().count(),
            if client == Client::Claude { 2 } else { 1 }
        );
    }
}

#[test]
fn every_change_leaves_a_copy_of_its_own_and_a_link_stays_a_link() {
    let home = Home::new();
    let dotfiles = home.0.path().join("dotfiles");
    fs::create_dir(&dotfiles).unwrap();
    fs::write(dotfiles.join("mcp.json"), "{}").unwrap();
    let path = home.file(Client::Cursor, Some(""));
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(dotfiles.join("mcp.json"), &path).unwrap();
    let first = home.install(Client::Cursor).unwrap().copy.unwrap();
    let second = uninstall(Client::Cursor, home.0.path()).unwrap().copy.unwrap();
    assert_eq!(fs::read_to_string(first).unwrap(), "{}");
    assert!(fs::read_to_string(second).unwrap().contains("bproxy"));
    assert!(path.is_symlink());
}

#[test]
fn only_the_clients_that_are_in_use_are_found() {
    let home = Home::new();
    assert_eq!(Client::in_use(home.0.path()), []);
    fs::create_dir(home.0.path().join(".cursor")).unwrap();
    fs::write(home.0.path().join(".claude.json"), "{}").unwrap();
    assert_eq!(Client::in_use(home.0.path()), [Client::Claude, Client::Cursor]);
}

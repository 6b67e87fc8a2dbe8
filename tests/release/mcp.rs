//! What clients of MCP install from: the bundle, the registry's entry, the plugin.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn json(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn of_repository(path: &str) -> Value {
    json(&Path::new(ROOT).join(path))
}

fn run(command: &mut Command) -> (bool, String) {
    let output = command.output().expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).expect("text"))
}

#[test]
fn a_bundle_holds_a_server_that_its_manifest_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("package/release/bproxy");
    fs::create_dir_all(program.parent().expect("a folder")).expect("a folder");
    fs::copy(env!("CARGO_BIN_EXE_bproxy"), &program).expect("the program");
    let mut bundle = Command::new(Path::new(ROOT).join("packaging/bundle"));
    let (done, said) = run(bundle.env("CARGO_TARGET_DIR", folder.path()));
    assert!(done, "{said}");
    let made = fs::read_dir(folder.path().join("package")).expect("a folder");
    let mut made = made.map(|entry| entry.expect("an entry").path());
    let bundle = made.find(|path| path.extension().is_some_and(|it| it == "mcpb"));
    let bundle = bundle.expect("a bundle");
    let unpacked = folder.path().join("unpacked");
    let (done, said) = run(Command::new("unzip").args(["-q", "-d"]).arg(&unpacked).arg(&bundle));
    assert!(done, "{said}");

    let manifest = json(&unpacked.join("manifest.json"));
    assert_eq!(manifest["version"], VERSION);
    let platform = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    assert_eq!(manifest["compatibility"]["platforms"], serde_json::json!([platform]));
    let start = &manifest["server"]["mcp_config"];
    let command = start["command"].as_str().expect("a command");
    let command = command.replace("${__dirname}", unpacked.to_str().expect("text"));
    assert_eq!(
        Path::new(&command),
        unpacked.join(manifest["server"]["entry_point"].as_str().unwrap())
    );
    let args = start["args"].as_array().expect("arguments").iter();
    let args = args.map(|it| it.as_str().expect("text"));
    let (done, said) = run(Command::new(&command).args(args).arg("--help"));
    assert!(done && said.contains("Model Context Protocol"), "{said}");
}

#[test]
fn the_entry_for_the_registry_has_the_hash_of_every_bundle() {
    let folder = tempfile::tempdir().expect("a folder");
    let entry = of_repository("packaging/mcp/server.json");
    assert_eq!(entry["version"], VERSION);
    assert!(entry["description"].as_str().expect("a text").len() <= 100);
    let packages = entry["packages"].as_array().expect("packages");
    let registry = || {
        let mut registry = Command::new(Path::new(ROOT).join("packaging/registry"));
        run(registry.arg(folder.path()))
    };
    for (index, package) in packages.iter().enumerate() {
        let (done, said) = registry();
        assert!(!done, "a bundle is missing: {said}");
        let url = package["identifier"].as_str().expect("an address");
        let (folder_, bundle) = url.rsplit_once('/').expect("a name");
        assert!(folder_.ends_with(&format!("/v{VERSION}")), "{url}");
        let sum = format!("{index:064}  {bundle}\n");
        fs::write(folder.path().join(format!("{bundle}.sha256")), sum).expect("a file");
    }
    let (done, said) = registry();
    assert!(done, "{said}");
    let filled = json(&folder.path().join("server.json"));
    for (index, package) in filled["packages"].as_array().expect("packages").iter().enumerate() {
        assert_eq!(package["fileSha256"], format!("{index:064}"));
    }
}

#[test]
fn the_plugin_starts_the_server_and_has_the_skill() {
    let plugin = of_repository("plugin/.claude-plugin/plugin.json");
    assert_eq!(plugin["version"], VERSION);
    let market = of_repository(".claude-plugin/marketplace.json");
    let listed = &market["plugins"][0];
    assert_eq!(listed["name"], plugin["name"]);
    let folder = Path::new(ROOT).join(listed["source"].as_str().expect("a folder"));
    let server = &json(&folder.join(".mcp.json"))["mcpServers"]["bproxy"];
    assert_eq!(
        (&server["command"], &server["args"]),
        (&"bproxy".into(), &serde_json::json!(["mcp"]))
    );
    let skill = fs::read(folder.join("skills/bproxy/SKILL.md")).expect("the skill");
    assert_eq!(skill, fs::read(Path::new(ROOT).join("skill/SKILL.md")).expect("the skill"));
}

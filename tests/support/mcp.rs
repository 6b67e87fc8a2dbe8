//! A real MCP client that runs `bproxy mcp` as agents do: the official SDK under node, or another one.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{Home, counted, patiently};

/// A client and the server that it has started. Dropping it kills the client; the server has to notice.
pub struct McpClient {
    child: Child,
    requests: ChildStdin,
    messages: Lines<BufReader<ChildStdout>>,
    /// Messages that arrived while the test waited for another.
    waiting: Vec<Value>,
    next: u64,
    /// The server's description of itself.
    pub server: Value,
}

impl McpClient {
    /// Starts the client, which starts the server with a tool for each action.
    pub async fn start(home: &Home, args: &[&str]) -> Self {
        Self::core(home, &[&["--tools", "all"], args].concat()).await
    }

    /// Starts the client, which starts the server as clients do.
    ///
    /// # Panics
    /// If the SDK is not installed: `make mcp-client` does that.
    pub async fn core(home: &Home, args: &[&str]) -> Self {
        Self::with(home, args, &[], Path::new(".")).await
    }

    /// Like [`Self::core`], with a client that can ask its person.
    pub async fn asking(home: &Home, args: &[&str]) -> Self {
        Self::with(home, args, &[("MCP_ASKS", "1".to_owned())], Path::new(".")).await
    }

    /// Like [`Self::start`], in a folder, with a client that says which folders it works in, if it works in any.
    pub async fn working_in(home: &Home, folder: &Path, roots: &[&Path]) -> Self {
        let uris: Vec<_> = roots.iter().map(|root| format!("file://{}", root.display())).collect();
        let said = [("MCP_ROOTS", json!(uris).to_string())];
        let said = if roots.is_empty() { &[][..] } else { &said };
        Self::with(home, &["--tools", "all"], said, folder).await
    }

    async fn with(home: &Home, args: &[&str], said: &[(&str, String)], cwd: &Path) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mcp");
        assert!(folder.join("node_modules").exists(), "no MCP client: run `make mcp-client` first");
        let mut client = Command::new("node");
        client.arg(folder.join("client.js")).current_dir(cwd);
        Self::of(client, home, args, said).await
    }

    /// Starts this client, which is told what to run by its arguments, and what to ask by the lines that
    /// `tests/fixtures/mcp/client.js` describes.
    pub async fn of(
        mut client: Command,
        home: &Home,
        args: &[&str],
        said: &[(&str, String)],
    ) -> Self {
        let path: PathBuf = home.path();
        let mut child = client
            .args([env!("CARGO_BIN_EXE_bproxy"), "mcp"])
            .args(args)
            .env_clear()
            .envs(counted())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &path)
            .env("BPROXY_HOME", &path)
            .env("BPROXY_SECRETS", "file")
            .envs(said.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{client:?}: {error}"));
        let requests = child.stdin.take().expect("a pipe");
        let messages = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let server = Value::Null;
        let mut client = Self { child, requests, messages, waiting: Vec::new(), next: 1, server };
        client.server =
            client.message(|message| message.get("server").is_some()).await["server"].take();
        client
    }

    /// The next message that `fits`; others are kept for later calls.
    async fn message(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.waiting.iter().position(&fits) {
            return self.waiting.remove(at);
        }
        loop {
            let line = patiently("a message of the client", self.messages.next_line()).await;
            let line = line.expect("a pipe").expect("the client is there");
            let message: Value = serde_json::from_str(&line).expect("JSON");
            if fits(&message) {
                return message;
            }
            self.waiting.push(message);
        }
    }

    async fn say(&mut self, message: Value) {
        self.requests.write_all(format!("{message}\n").as_bytes()).await.expect("the client reads");
    }

    async fn request(&mut self, mut request: Value) -> u64 {
        let id = self.next;
        self.next += 1;
        request["id"] = id.into();
        self.say(request).await;
        id
    }

    /// Starts a call that asks for progress notifications.
    pub async fn begin(&mut self, tool: &str, arguments: Value) -> u64 {
        let params = json!({"name": tool, "arguments": arguments});
        self.request(json!({"method": "tools/call", "params": params, "progress": true})).await
    }

    /// The next progress notification of a call.
    pub async fn progress(&mut self, call: u64) -> Value {
        self.message(|message| message["of"] == call).await["progress"].take()
    }

    /// What the server has the client ask its person.
    pub async fn asked(&mut self) -> Value {
        self.message(|message| message.get("asked").is_some()).await["asked"].take()
    }

    /// What the person says to it: `accept`, `decline` or `cancel`.
    pub async fn say_of_person(&mut self, action: &str) {
        self.say(json!({ "said": { "action": action, "content": {} } })).await;
    }

    /// Waits until the server takes the question back.
    pub async fn settled(&mut self) {
        self.message(|message| message.get("settled").is_some()).await;
    }

    /// Cancels a call.
    pub async fn cancel(&mut self, call: u64) {
        self.say(json!({"cancel": call})).await;
    }

    /// The outcome of a call: a result, or an error of the connection.
    pub async fn end(&mut self, call: u64) -> Result<Reply, String> {
        let mut message = self.message(|message| message["id"] == call).await;
        match message["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(Reply(message["result"].take())),
        }
    }

    pub async fn call(&mut self, tool: &str, arguments: Value) -> Reply {
        let call = self.begin(tool, arguments).await;
        self.end(call).await.unwrap_or_else(|error| panic!("{tool}: {error}"))
    }

    /// All tools.
    pub async fn tools(&mut self) -> Vec<Value> {
        let id = self.request(json!({"method": "tools/list", "params": {}})).await;
        let Reply(mut result) = self.end(id).await.expect("a list");
        result["tools"].as_array_mut().expect("tools").drain(..).collect()
    }

    /// What the server answers to another method.
    pub async fn ask(&mut self, method: &str, params: Value) -> Result<Value, String> {
        let id = self.request(json!({"method": method, "params": params})).await;
        self.end(id).await.map(|Reply(result)| result)
    }

    /// Whether a value conforms to a JSON schema.
    pub async fn validates(&mut self, schema: &Value, value: &Value) -> bool {
        let params = json!({"schema": schema, "value": value});
        let id = self.request(json!({"method": "validate", "params": params})).await;
        self.end(id).await.expect("a schema that holds to the standard").0 == true
    }

    /// Closes the connection as a client that shuts down properly, and waits for its end.
    pub async fn close(mut self) {
        drop(self.requests);
        patiently("the client's end", self.child.wait()).await.expect("a child");
    }

    /// Kills the client, as a crash would: it cleans nothing up.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("a child");
    }
}

/// What a tool has answered.
#[derive(Debug)]
pub struct Reply(pub Value);

impl Reply {
    /// The text of a success.
    #[track_caller]
    pub fn text(&self) -> &str {
        assert_ne!(self.0["isError"], true, "a failure: {self:?}");
        self.said()
    }

    /// The data for programs, where the tool has any.
    #[track_caller]
    pub fn structured(&self) -> &Value {
        assert_ne!(self.0["isError"], true, "a failure: {self:?}");
        &self.0["structuredContent"]
    }

    /// The text of a failure.
    #[track_caller]
    pub fn error(&self) -> &str {
        assert_eq!(self.0["isError"], true, "not a failure: {self:?}");
        self.said()
    }

    #[track_caller]
    fn said(&self) -> &str {
        self.0["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {self:?}"))
    }

    /// The fenced page content, which begins the text.
    #[track_caller]
    pub fn page(&self) -> &str {
        let text = self.text();
        let (first, rest) = text.split_once('\n').expect("lines");
        let mark = first.split('"').nth(1).unwrap_or_else(|| panic!("no fence: {text}"));
        assert!(first.starts_with("<page-content mark="), "{text}");
        let end = format!("\n</page-content mark=\"{mark}\">");
        rest.split_once(&end).unwrap_or_else(|| panic!("no end of the fence: {text}")).0
    }
}

/// The cursor in an answer that continues on another page.
pub fn cursor(text: &str) -> Option<String> {
    Some(text.split_once("\"cursor\": \"")?.1.split_once('"')?.0.to_owned())
}

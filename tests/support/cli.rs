//! The command line as an agent runs it: one process per step.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{Home, patiently};

/// One call of the command line that has ended.
pub struct Call {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Call {
    /// The one line of JSON on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        let line = self.stdout.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {self:?}"));
        assert!(!line.contains('\n'), "more than one line: {self:?}");
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The `data` of a success, which exits with 0.
    #[track_caller]
    pub fn data(&self) -> Value {
        let json = self.json();
        assert!(self.code == 0 && json["ok"] == true, "not a success: {self:?}");
        json["data"].clone()
    }

    /// The `data` of a success that had no effect, which exits with 1.
    #[track_caller]
    pub fn without_effect(&self) -> Value {
        let json = self.json();
        assert!(self.code == 1 && json["ok"] == true, "not without effect: {self:?}");
        json["data"].clone()
    }

    /// The code of a failure, which exits with 1.
    #[track_caller]
    pub fn error(&self) -> String {
        let json = self.json();
        assert!(self.code == 1 && json["ok"] == false, "not a failure: {self:?}");
        json["error"]["code"].as_str().expect("a code").to_owned()
    }

    /// Standard error of a call that failed without an answer, which exits with 2.
    #[track_caller]
    pub fn trouble(&self) -> &str {
        assert!(self.code == 2 && self.stdout.is_empty(), "not trouble: {self:?}");
        &self.stderr
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {}, stdout {:?}, stderr {:?}", self.code, self.stdout, self.stderr)
    }
}

/// A call to be made, in the environment of tests.
pub fn bproxy(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bproxy"));
    command
        .env_clear()
        .envs(super::counted())
        .env("HOME", home)
        .envs(super::settings(home))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Makes a call, with `stdin` on its standard input if given, and waits for its end.
pub async fn call(mut command: Command, stdin: Option<&[u8]>) -> Call {
    if stdin.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().expect("the bproxy binary runs");
    if let (Some(bytes), Some(mut pipe)) = (stdin, child.stdin.take()) {
        pipe.write_all(bytes).await.expect("the call reads its input");
    }
    let output = patiently("a call", child.wait_with_output()).await.expect("a child to wait for");
    Call {
        code: output.status.code().expect("a call ends by itself"),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

/// One call with these arguments.
pub async fn run(home: &Home, args: &[&str]) -> Call {
    let mut command = bproxy(&home.path());
    command.args(args);
    call(command, None).await
}

/// Stops the daemon that a test's call has started in this home, however the test ends.
pub struct StopOnDrop(Home);

impl StopOnDrop {
    pub fn in_home(home: &Home) -> Self {
        Self(home.clone())
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        let mut command = bproxy(&self.0.path());
        let _ = command.as_std_mut().args(["service", "stop"]).stdout(Stdio::null()).status();
    }
}

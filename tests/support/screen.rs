//! An X display of its own, with a window manager: what headless Chromium never shows, such as another window that has
//! the focus or covers the browser's.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::patiently;

/// A display; it ends with everything on it when dropped.
pub struct Screen {
    /// Its name, as `DISPLAY` has it.
    pub display: String,
    // The windows end before the display: fields are dropped in this order.
    windows: Vec<Child>,
    server: Child,
}

impl Screen {
    /// Starts the display and the window manager.
    ///
    /// # Panics
    /// If a program is missing: a test that needs it must not pass without it.
    pub async fn start() -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1600x1200x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start Xvfb: {error}; install the package xvfb"));
        let mut number = String::new();
        let mut said = BufReader::new(server.stdout.take().expect("its output"));
        patiently("the number of the display", said.read_line(&mut number)).await.expect("a line");
        let display = format!(":{}", number.trim());
        let mut screen = Self { display, windows: Vec::new(), server };
        screen.run("openbox", &["--sm-disable"]);
        screen
    }

    /// Opens another window, which takes the focus, as when the person goes on elsewhere.
    pub fn open_window(&mut self) {
        self.run("xmessage", &["-geometry", "300x200+1200+900", "Another window"]);
    }

    /// Types a text with the keyboard, into whatever has the focus, at the pace of a person.
    pub async fn type_text(&self, text: &str) {
        self.tool("xdotool", &["type", "--delay", "60", text]).await;
    }

    /// The windows from the lowest to the topmost.
    pub async fn stacking(&self) -> String {
        self.tool("xprop", &["-root", "_NET_CLIENT_LIST_STACKING"]).await
    }

    /// The window that has the focus.
    pub async fn active(&self) -> String {
        self.tool("xprop", &["-root", "_NET_ACTIVE_WINDOW"]).await
    }

    /// What a program says that does something on the display.
    async fn tool(&self, program: &str, args: &[&str]) -> String {
        let output = Command::new(program).args(args).env("DISPLAY", &self.display).output();
        let output = patiently(program, output)
            .await
            .unwrap_or_else(|error| panic!("cannot start {program}: {error}; install it"));
        assert!(output.status.success(), "{program} {args:?}: {output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn run(&mut self, program: &str, args: &[&str]) {
        let window = Command::new(program)
            .args(args)
            .env("DISPLAY", &self.display)
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
        self.windows.push(window);
    }
}

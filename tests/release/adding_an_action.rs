//! Adds an action, `title`, to a copy of the repository as CONTRIBUTING.md says: six files by hand, and each that is left
//! out is named by what `make check` runs.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// One of the six files: before which text of it what is written. A file without such a text is new.
struct Part {
    path: &'static str,
    edits: &'static [(&'static str, &'static str)],
    /// What the checks say without it.
    without: &'static str,
}

const ACTION: Part = Part {
    path: "src/protocol/actions/read.rs",
    edits: &[
        ("Text, Links,", "Title, "),
        ("    /// `text`\n", "    /// `title`\n    Title {;}\n\n"),
        (
            "    /// Data of `text`.\n",
            "    /// Data of `title`.\n    TitleData {\n        /// The title of the page.\n        \
             title: String,\n        ;\n    }\n\n",
        ),
        (
            "impl Spec for Text {",
            r#"impl Spec for Title {
    type Data = TitleData;
    const ROW: Row<Self> = Row {
        name: "title",
        about: "Read the title of the page.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &[],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

"#,
        ),
    ],
    without: "protocol::Title",
};

const VERB: Part = Part {
    path: "src/cli/read.rs",
    edits: &[
        ("    Text(Text),\n", "    Title(Title),\n"),
        (
            "            Read::Text(verb) => verb.action()",
            "            Read::Title(Title {}) => protocol::Title {}.into(),\n",
        ),
        (
            "/// Read the text that the page shows\n",
            r#"/// Read the title of the page
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy title -s m4q7z2")]
pub(super) struct Title {}

"#,
        ),
    ],
    without: "title: a verb `bproxy title` in src/cli",
};

const PAGE_FUNCTION: Part = Part {
    path: "extension/page/read.js",
    edits: &[(
        "  page.commands.inspect =",
        "  page.commands.title = () => ({ title: document.title });\n\n",
    )],
    without: "no page script defines page.commands.title",
};

const EXAMPLES: Part = Part {
    path: "tests/golden/title.json",
    edits: &[(
        "",
        r#"{
  "action": "title",
  "where": "extension",
  "valid": [{"name": "no parameters", "params": {}, "data": {"title": "Weekly report"}}],
  "invalid": [{"name": "an unknown field", "params": {"selector": "main"}, "field": "selector"}]
}
"#,
    )],
    without: "title: tests/golden/title.json",
};

const BROWSER_TEST: Part = Part {
    path: "tests/browser/reads.rs",
    edits: &[(
        "    let images = page.data(&[\"images\"]).await;\n    assert_eq!(images[\"images\"][0][\"alt\"]",
        "    assert_eq!(page.data(&[\"title\"]).await[\"title\"], \"The lighthouse keeper\");\n",
    )],
    without: "title: a test in tests/browser that runs \"title\"",
};

const TABLE: Part = Part {
    path: "docs/protocol.md",
    edits: &[(
        "| `text` | `selector?, hidden?` bool, `frame?` |",
        "| `title` | – | `title` | extension |\n",
    )],
    without: "title: a row in docs/protocol.md §4",
};

/// A copy of the repository.
struct Copy {
    folder: tempfile::TempDir,
}

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(ROOT).output();
        let listed = String::from_utf8(listed.expect("git").stdout).expect("text");
        for file in listed.split_terminator('\0') {
            let to = folder.path().join(file);
            fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            let from = Path::new(ROOT).join(file);
            match fs::read_link(&from) {
                Ok(leads) => symlink(leads, to).expect(file),
                Err(_) => drop(fs::copy(from, to).expect(file)),
            }
        }
        let packages = "tests/extension/node_modules";
        symlink(Path::new(ROOT).join(packages), folder.path().join(packages)).expect("a link");
        Self { folder }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn add(&self, part: &Part) {
        let path = self.path(part.path);
        let mut text = fs::read_to_string(&path).unwrap_or_default();
        for (before, insert) in part.edits {
            let at = text.find(before).unwrap_or_else(|| panic!("{} has no {before}", part.path));
            text.insert_str(at, insert);
        }
        fs::write(path, text).expect("written");
    }

    /// Puts the repository's own file back.
    fn remove(&self, part: &Part) {
        let own = Path::new(ROOT).join(part.path);
        if own.exists() {
            fs::copy(own, self.path(part.path)).expect("a copy");
        } else {
            fs::remove_file(self.path(part.path)).expect("removed");
        }
    }

    fn run(&self, program: &str, args: &[&str]) -> Output {
        Command::new(program)
            .args(args)
            .current_dir(self.folder.path())
            .env("CARGO_TARGET_DIR", Path::new(ROOT).join("target/adding-an-action"))
            .env_remove("BPROXY_UPDATE_CONTRACT")
            .output()
            .expect(program)
    }

    /// The parts of `make check` that know about actions.
    fn check(&self) -> Result<(), String> {
        for (program, args) in [
            (
                "cargo",
                &["test", "--test", "wire", "--", "actions", "contract", "protocol", "references"]
                    [..],
            ),
            (
                "node",
                &["--test", "tests/extension/actions.test.js", "tests/extension/golden.test.js"],
            ),
            ("tests/extension/node_modules/.bin/tsc", &["--project", "tests/extension"]),
        ] {
            let output = self.run(program, args);
            if !output.status.success() {
                let texts = [output.stdout, output.stderr].concat();
                return Err(String::from_utf8_lossy(&texts).into_owned());
            }
        }
        Ok(())
    }
}

#[test]
fn a_read_takes_six_files_and_the_checks_name_each_that_is_missing() {
    let copy = Copy::new();
    let parts = [ACTION, VERB, PAGE_FUNCTION, EXAMPLES, BROWSER_TEST, TABLE];
    for part in &parts {
        copy.add(part);
    }
    let made = copy.run("make", &["contract"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert_eq!(copy.check(), Ok(()));
    for part in parts.iter().rev() {
        copy.remove(part);
        let said = copy.check().expect_err(part.path);
        assert!(said.contains(part.without), "without {}: {said}", part.path);
        copy.add(part);
    }
}

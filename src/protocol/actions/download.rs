//! `download` and `download.list`: files that the browser fetches, and where it puts them.

use super::{
    AnswerHandling, Category, Effect, Paced, Provenance, Recovery, Row, Runs, Spec,
    effects::act_data, family,
};
use crate::protocol::{
    Dialog, Target, Then,
    values::{data, params, words},
};

family! { Download: Download, DownloadList }

params! {
    /// `download`: exactly one of `target`, `url`.
    Download {;
        /// The element to click, which makes the page give the file.
        target: Target,
        /// The address to fetch with the person's cookies: http, https, blob or data.
        url: String,
        /// How dialogs are answered; they are dismissed if absent.
        dialog: Dialog,
        /// A read to bring along, once the browser has the file.
        then: Then,
    }

    /// `download.list`
    DownloadList {;}
}

words! {
    /// How far a download is.
    DownloadState {
        /// The browser fetches it.
        InProgress = "in_progress",
        /// All of it is there, and the browser keeps it back until its person decides.
        Waiting = "waiting",
        /// The file is complete.
        Complete = "complete",
        /// It failed, or was cancelled.
        Interrupted = "interrupted",
    }
}

act_data! {
    /// Data of `download`. Command line and MCP add `sha256`, for they can read the file.
    DownloadData {
        /// The file's name, as the browser made it of what the page said.
        name: String,
        /// Its size.
        bytes: u64,
        /// Its type, as the server said it.
        mime: String,
        ;
        /// Where the browser put it; absent while it waits.
        path: String,
        /// What the browser holds against it; absent if nothing.
        danger: String,
        /// `waiting` if the browser keeps it back until its person decides; absent if it is complete.
        state: DownloadState,
    }
}

data! {
    /// Data of `download.list`.
    DownloadListData {
        /// The downloads that acts of the session began, and those that may be theirs or another's; the last ones last.
        downloads: Vec<ListedDownload>,
        ;
    }

    /// A download of a session.
    ListedDownload {
        /// The file's name.
        name: String,
        /// How far it is.
        state: DownloadState,
        /// How much of it is there.
        bytes: u64,
        ;
        /// Its type, as the server said it.
        mime: String,
        /// Its address, if it can be fetched again.
        url: String,
        /// Where the browser put it, once it is complete.
        path: String,
        /// What the browser holds against it.
        danger: String,
        /// Why it was interrupted, in the browser's words.
        error: String,
        /// True if it may as well be of another act, or of the person.
        ambiguous: bool,
    }
}

/// The addresses that can be fetched. The browser would also copy files of its machine.
const SCHEMES: [&str; 4] = ["http:", "https:", "blob:", "data:"];

impl Spec for Download {
    type Data = DownloadData;

    fn revision(&self) -> i64 {
        1
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    fn check(&self) -> Result<(), &'static str> {
        match (&self.target, &self.url) {
            (None, None) | (Some(_), Some(_)) => Err("expected exactly one of `target`, `url`"),
            (None, Some(url)) if !has_scheme(url) => {
                Err("`url`: expected an address that begins with http:, https:, blob: or data:")
            }
            _ => Ok(()),
        }
    }

    const ROW: Row<Self> = Row {
        name: "download",
        about: "Download a file, and wait until the browser has it: click the element that gives it, or fetch an address \
            with the person's cookies. By click a tab gives one file; fetch further ones by `url`. The answer says where \
            the file is. `state: waiting` means that the browser holds it back until the person keeps it.",
        runs: Runs::ACT,
        effect: Effect::Acts,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Interaction),
        targets: |params| params.target.iter_mut().collect(),
        public: &["target", "then"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

/// Whether the address is of a kind that can be fetched.
fn has_scheme(url: &str) -> bool {
    SCHEMES.iter().any(|scheme| {
        url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

impl Spec for DownloadList {
    type Data = DownloadListData;

    fn revision(&self) -> i64 {
        1
    }

    const ROW: Row<Self> = Row {
        name: "download.list",
        about: "List what the session's acts have downloaded or are downloading, and what may be theirs or another's.",
        runs: Runs::bound_tab(AnswerHandling::Relayed),
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

#[cfg(test)]
mod tests {
    use crate::protocol::Action;

    #[test]
    fn what_can_be_fetched_is_of_the_web_or_of_the_page() {
        let problem = |params: &str| {
            Action::parse("download", params).expect("an action").err().unwrap_or_default()
        };
        for url in ["http://a/b", "HTTPS://a", "blob:http://a/1", "data:text/plain,hi"] {
            assert_eq!(problem(&format!(r#"{{"url":"{url}"}}"#)), "", "{url}");
        }
        for url in ["", "/a", "file:///etc/passwd", "javascript:1", "chrome://version", "é"] {
            assert!(problem(&format!(r#"{{"url":"{url}"}}"#)).contains("`url`"), "{url}");
        }
        for params in ["{}", r##"{"url":"http://a","target":{"selector":"#a"}}"##] {
            assert!(problem(params).contains("exactly one of"), "{params}");
        }
    }
}

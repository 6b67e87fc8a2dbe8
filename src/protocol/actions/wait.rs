//! `wait`: until the page, its address or a download is as it is to be.

use std::time::Duration;

use super::{Effect, Paced, Provenance, Recovery, Row, Runs, Spec, family};
use crate::protocol::{
    Conditions, FrameName, Int,
    values::{data, params, words},
};

family! { Wait: Wait }

words! {
    /// What `wait` waits for.
    WaitStrategy {
        /// A visible element that matches.
        Selector = "selector",
        /// An address that matches.
        Url = "url",
        /// The end of a navigation.
        Navigation = "navigation",
        /// A text that the page shows.
        Text = "text",
        /// A text that the page does not show any more.
        TextGone = "text-gone",
        /// No visible element that matches.
        Gone = "gone",
        /// A visible element that matches and is not disabled.
        Enabled = "enabled",
        /// The page, or what matches, has been as it is for half a second.
        Stable = "stable",
        /// For half a second nothing was loaded, and the document did not change.
        Idle = "idle",
        /// A file that an act of the session has begun to download is complete.
        Download = "download",
    }
}

impl WaitStrategy {
    /// Whether it cannot do without a target.
    fn needs_target(self) -> bool {
        !matches!(self, Self::Stable | Self::Idle | Self::Download)
    }

    fn is_new(self) -> bool {
        !matches!(self, Self::Selector | Self::Url | Self::Navigation)
    }
}

params! {
    /// `wait`
    Wait {
        /// What to wait for.
        strategy: WaitStrategy,
        ;
        /// The selector; the address, or a pattern of one such as `*/done`; the text; or a part of the file's name. Only
        /// `stable`, `idle` and `download` can do without.
        target: String,
        /// What will do as well, at most 4 more.
        or: Conditions,
        /// How long to wait, in milliseconds.
        timeout: Int<0, 600_000>,
        /// The frame to look in; the page with all its frames if absent.
        frame: FrameName,
    }

    /// What will do as well.
    Condition {
        /// What to wait for.
        strategy: WaitStrategy,
        ;
        /// As of the first.
        target: String,
    }
}

data! {
    /// Data of `wait`.
    WaitData {
        /// Always true: a wait that is not met in time fails with `TIMEOUT`.
        matched: bool,
        /// How long the wait took, in milliseconds.
        elapsed: u64,
        ;
        /// Which of several it was, from 0.
        which: u64,
        /// The file that is complete.
        download: CompleteFile,
    }

    /// A file that the browser has downloaded.
    CompleteFile {
        /// Its name, without the folder.
        name: String,
        /// Its size.
        bytes: u64,
        ;
    }
}

impl Spec for Wait {
    type Data = WaitData;
    const EFFECT_SHOWN_BY: Option<&'static str> = Some("matched");

    fn revision(&self) -> i64 {
        (self.frame.is_some() || self.or.is_some() || self.strategy.is_new()).into()
    }

    fn check(&self) -> Result<(), &'static str> {
        let others = self.or.iter().flat_map(|or| or.iter());
        let others = others.map(|it| (it.strategy, it.target.as_deref()));
        for (strategy, target) in others.chain([(self.strategy, self.target.as_deref())]) {
            let is_text = matches!(strategy, WaitStrategy::Text | WaitStrategy::TextGone);
            match target {
                None if strategy.needs_target() => {
                    return Err(
                        "`target` is missing: only stable, idle and download can do without",
                    );
                }
                Some(text) if is_text && text.trim().is_empty() => {
                    return Err("`target` is empty: expected the text to wait for");
                }
                _ => {}
            }
        }
        Ok(())
    }

    const ROW: Row<Self> = Row {
        name: "wait",
        about: "Wait until an element or a text is there, is gone or can be used, the page is at rest, an address is \
            reached, a navigation has ended or a download is complete; or the first of several.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["strategy", "target", "or", "timeout", "frame"],
        provenance: Provenance::Page,
        waits: Some(|params| params.timeout.map(|ms| Duration::from_millis(ms.get().into()))),
        is_tool: true,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Action;

    #[test]
    fn a_wait_names_what_it_waits_for() {
        let problem = |params: &str| {
            Action::parse("wait", params).expect("an action").err().unwrap_or_default()
        };
        for strategy in WaitStrategy::WORDS {
            let strategy_alone = format!(r#"{{"strategy":"{strategy}"}}"#);
            let needs = strategy.parse::<WaitStrategy>().expect("a word").needs_target();
            assert_eq!(problem(&strategy_alone).contains("target"), needs, "{strategy}");
            let with_other = format!(r#"{{"strategy":"idle","or":[{strategy_alone}]}}"#);
            assert_eq!(problem(&with_other).contains("target"), needs, "{strategy}");
        }
        for text in ["text", "text-gone"] {
            assert!(problem(&format!(r#"{{"strategy":"{text}","target":" "}}"#)).contains("empty"));
        }
        assert_eq!(problem(r#"{"strategy":"navigation","target":""}"#), "");
    }
}

//! Which page each tab of a browser shows, as far as its navigation messages tell.

use std::collections::{HashMap, HashSet};

use crate::protocol::MAX_PAGES;
use crate::state::handles::Epoch;

use super::{BrowserId, Browsers};

/// The page of each tab, by the browser's own id of it.
#[derive(Default)]
pub(super) struct Pages(HashMap<i64, Epoch>);

impl Browsers {
    /// The page that a tab shows, if it is known.
    pub(in crate::state) fn page(&self, browser: BrowserId, tab: i64) -> Option<Epoch> {
        self.browsers.get(&browser)?.pages.0.get(&tab).copied()
    }

    /// A tab shows a new page. `owned` tells which tabs belong to a session: when there are too many, others are
    /// forgotten before them.
    pub(in crate::state) fn navigated(
        &mut self,
        browser: BrowserId,
        tab: i64,
        owned: impl FnOnce() -> HashSet<i64>,
    ) {
        let epoch = Epoch(self.tick());
        let Some(pages) = self.browsers.get_mut(&browser).map(|browser| &mut browser.pages.0)
        else {
            return;
        };
        pages.insert(tab, epoch);
        if pages.len() > MAX_PAGES {
            let owned = owned();
            let oldest = pages.iter().min_by_key(|(tab, epoch)| (owned.contains(tab), **epoch));
            if let Some(tab) = oldest.map(|(tab, _)| *tab) {
                pages.remove(&tab);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_page_of_a_tab_that_nobody_holds_is_forgotten_first() {
        let mut browsers = Browsers::default();
        let (client, _) = browsers.connect(0);
        let browser = browsers.browser_of(client).unwrap();
        for tab in 0..MAX_PAGES as i64 {
            browsers.navigated(browser, tab, || HashSet::from([0]));
        }
        assert!(browsers.page(browser, 0).is_some() && browsers.page(browser, 1).is_some());
        browsers.navigated(browser, MAX_PAGES as i64, || HashSet::from([0]));
        assert!(browsers.page(browser, 0).is_some());
        assert!(browsers.page(browser, 1).is_none());
        assert!(browsers.page(browser, 2).is_some());
    }
}

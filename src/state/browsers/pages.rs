//! Which page each tab of a browser shows, as far as its navigation messages and answers tell.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use crate::protocol::MAX_PAGES;
use crate::state::handles::{Epoch, Page};

use super::{BrowserId, Browsers};

/// The page of each tab, by the browser's own id of it, with the hash of its address.
#[derive(Default)]
pub(super) struct Pages {
    shown: HashMap<i64, (Page, u64)>,
    hasher: RandomState,
}

impl Browsers {
    /// The page that a tab shows, if it is known.
    pub(in crate::state) fn page(&self, browser: BrowserId, tab: i64) -> Option<Page> {
        self.browsers.get(&browser)?.pages.shown.get(&tab).map(|(page, _)| *page)
    }

    /// A tab has navigated. `owned` tells which tabs belong to a session: when there are too many, others are forgotten
    /// before them.
    pub(in crate::state) fn navigated(
        &mut self,
        browser: BrowserId,
        tab: i64,
        url: &str,
        same_document: bool,
        owned: impl FnOnce() -> HashSet<i64>,
    ) {
        let epoch = Epoch(self.tick());
        let Some(pages) = self.browsers.get_mut(&browser).map(|browser| &mut browser.pages) else {
            return;
        };
        let known = pages.shown.get(&tab).filter(|_| same_document);
        let document = known.map_or(epoch, |(page, _)| page.document);
        let url = pages.hasher.hash_one(url);
        let shown = &mut pages.shown;
        shown.insert(tab, (Page { view: epoch, document }, url));
        if shown.len() > MAX_PAGES {
            let owned = owned();
            let oldest =
                shown.iter().min_by_key(|(tab, (page, _))| (owned.contains(tab), page.view));
            if let Some(tab) = oldest.map(|(tab, _)| *tab) {
                shown.remove(&tab);
            }
        }
    }

    /// An answer names the address that a tab shows. If it is another one than the last, the tab has navigated, and the
    /// message about that is still to come.
    pub(in crate::state) fn shows(&mut self, browser: BrowserId, tab: i64, url: &str) {
        let epoch = Epoch(self.tick());
        let Some(pages) = self.browsers.get_mut(&browser).map(|browser| &mut browser.pages) else {
            return;
        };
        let url = pages.hasher.hash_one(url);
        if let Some((page, known)) = pages.shown.get_mut(&tab)
            && *known != url
        {
            (page.view, *known) = (epoch, url);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browser(browsers: &mut Browsers) -> BrowserId {
        let (client, _) = browsers.connect(0);
        browsers.browser_of(client).unwrap()
    }

    #[test]
    fn the_oldest_page_of_a_tab_that_nobody_holds_is_forgotten_first() {
        let mut browsers = Browsers::default();
        let browser = browser(&mut browsers);
        for tab in 0..MAX_PAGES as i64 {
            browsers.navigated(browser, tab, "", false, || HashSet::from([0]));
        }
        assert!(browsers.page(browser, 0).is_some() && browsers.page(browser, 1).is_some());
        browsers.navigated(browser, MAX_PAGES as i64, "", false, || HashSet::from([0]));
        assert!(browsers.page(browser, 0).is_some());
        assert!(browsers.page(browser, 1).is_none());
        assert!(browsers.page(browser, 2).is_some());
    }

    #[test]
    fn a_view_ends_with_its_address_and_a_document_with_a_navigation_to_another() {
        let mut browsers = Browsers::default();
        let browser = browser(&mut browsers);
        browsers.shows(browser, 7, "http://a/");
        assert_eq!(browsers.page(browser, 7), None);
        browsers.navigated(browser, 7, "http://a/", false, HashSet::new);
        let first = browsers.page(browser, 7).unwrap();
        browsers.shows(browser, 7, "http://a/");
        assert_eq!(browsers.page(browser, 7), Some(first));
        browsers.shows(browser, 7, "http://a/#b");
        let named = browsers.page(browser, 7).unwrap();
        assert!(named.view != first.view && named.document == first.document);
        browsers.navigated(browser, 7, "http://a/#b", true, HashSet::new);
        let moved = browsers.page(browser, 7).unwrap();
        assert!(moved.view != named.view && moved.document == first.document);
        browsers.navigated(browser, 7, "http://a/#b", false, HashSet::new);
        let next = browsers.page(browser, 7).unwrap();
        assert!(next.view != moved.view && next.document != moved.document);
    }
}

//! Handing out handles for the elements that an answer names.

use serde_json::Value;

use crate::protocol::{ElementHandle, HandleKind, MAX_HANDLES_PER_READ, Mints, SessionId};

use super::{
    Inner, Instant, Now,
    events::Event,
    handles::{Handles, Page, Turn},
    json_edit,
    listing::{Carried, Listing, Reading},
    numbers::Block,
    pending::CommandKey,
};

/// The list in a failure's details.
const CANDIDATES: &str = "candidates";

/// The handles of one answer, of one kind.
struct Minted {
    owner: (SessionId, u32),
    kind: HandleKind,
    /// The page as it is now.
    page: Option<Page>,
    block: Option<Block>,
    /// When the answer came, in the order of use.
    since: Turn,
    now: Instant,
    count: usize,
    first: u64,
    last: u64,
    /// The last number of the block that the page's side has used.
    used: u64,
}

impl Minted {
    fn add(&mut self, number: u64) -> u64 {
        if self.count == 0 {
            self.first = number;
        }
        self.last = number;
        self.count += 1;
        number
    }

    /// Takes the number that the page's side gave an element, if it can have given it.
    fn take(&mut self, handles: &mut Handles, number: Option<u64>) -> Option<u64> {
        let block = self.block?;
        let number = number.filter(|number| (1..=block.last(self.kind)).contains(number))?;
        if number >= block.first(self.kind) {
            self.used = self.used.max(number);
        }
        let page = self.page.filter(|_| self.count < MAX_HANDLES_PER_READ)?;
        let key = (self.kind, number);
        handles
            .list_number(self.owner, key, page.document, self.since, self.now)
            .then(|| self.add(number))
    }
}

impl Inner {
    /// The data of an answer with handles for `owner`, a session and its tab; `None` if they do not change.
    pub(super) fn mint(
        &mut self,
        key: CommandKey,
        owner: (SessionId, u32),
        mints: Mints,
        data: &str,
        now: Now,
    ) -> Option<String> {
        let command = self.pending.get(key)?;
        let (action, block, sent_view) = (command.action, command.block, command.sent_view);
        let numbered = self.browsers.revision_of(command.browser) >= 1;
        let session = self.sessions.get_mut(owner.0)?;
        let chrome_id = session.tab(owner.1)?.chrome_id;
        let mut minted = Minted {
            owner,
            kind: HandleKind::Element,
            page: self.browsers.page(command.browser, chrome_id),
            block,
            since: self.handles.turn(),
            now: now.instant,
            count: 0,
            first: 0,
            last: 0,
            used: 0,
        };
        let text = match mints {
            Mints::Marks if numbered => {
                json_edit::take_numbers(data, "handles").map(|(numbers, text)| {
                    for number in numbers {
                        minted.take(&mut self.handles, number);
                    }
                    text
                })
            }
            Mints::Marks => None,
            Mints::Entries(..) | Mints::Focus => {
                let listing = match mints {
                    Mints::Entries(list, kind) => {
                        minted.kind = kind;
                        let targets = if sent_view.is_some() { MAX_HANDLES_PER_READ } else { 0 };
                        Listing::parse(data, list, Reading { kind, numbered, targets })
                    }
                    _ => {
                        let kind = minted.kind;
                        Listing::focus(data, Reading { kind, numbered, targets: 0 })
                    }
                };
                let kind = minted.kind;
                listing.and_then(|mut listing| {
                    listing.assign(|carried| match carried {
                        Carried::Number(number) => minted.take(&mut self.handles, number),
                        Carried::Target(target) => {
                            let number = match block {
                                Some(block) => block.first(kind) + minted.count as u64,
                                None => session.numbers.take(kind),
                            };
                            minted.used = number;
                            let key = (kind, number);
                            self.handles.list_target(owner, key, target, sent_view?, now.instant);
                            Some(minted.add(number))
                        }
                    });
                    listing.text()
                })
            }
        };
        if let Some(command) = self.pending.get_mut(key) {
            let used = &mut command.used[minted.kind as usize];
            *used = minted.used.max(*used);
        }
        // Without a block they were taken one by one.
        if session.numbers.raise(0) {
            self.sessions.note_unsaved();
        }
        self.record(action, &minted);
        text
    }

    /// Gives handles to the candidates that the failure of an ambiguous target names.
    pub(super) fn mint_candidates(
        &mut self,
        key: CommandKey,
        details: &mut Option<Value>,
        now: Now,
    ) {
        let Some(candidates) = details.as_mut().filter(|it| it.get(CANDIDATES).is_some()) else {
            return;
        };
        let numbered = self.pending.get(key).is_some_and(|command| command.block.is_some());
        let mints = Mints::Entries(CANDIDATES, HandleKind::Element);
        let owner = self.pending.get(key).and_then(|command| Some((command.session, command.tab?)));
        if numbered
            && let Some(owner) = owner
            && let Some(text) = self.mint(key, owner, mints, &candidates.to_string(), now)
            && let Ok(minted) = serde_json::from_str(&text)
        {
            *candidates = minted;
        }
    }

    /// Frees the numbers that the answer of a successful command left unused. Without a waiter none is freed: nobody
    /// learns the handles, and the same numbers would be given to other elements. After a failure none is freed either,
    /// because the page's side may have used any of them.
    pub(super) fn release_unused(&mut self, key: CommandKey, id: SessionId) {
        let Some(command) = self.pending.get(key).filter(|command| command.has_waiters()) else {
            return;
        };
        let used = command.used;
        if let Some((session, block)) = self.sessions.get_mut(id).zip(command.block) {
            session.numbers.release(&block, used);
        }
    }

    fn record(&mut self, action: &str, minted: &Minted) {
        let Minted { owner: (session, tab), kind, count, first, last, now, .. } = *minted;
        if count == 0 {
            return;
        }
        let evicted = self.handles.evict(now);
        self.emit_invalidated(None, None, "cap", evicted);
        self.emit(&Event::HandleMint {
            session,
            tab: Some(tab),
            source_action: action,
            count,
            first_handle: ElementHandle::new(kind, first).as_str(),
            last_handle: ElementHandle::new(kind, last).as_str(),
        });
    }
}

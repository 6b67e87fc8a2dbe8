//! The numbers of a session's handles: reserved before a page is asked, and never given twice.

use crate::protocol::{HandleKind, MAX_HANDLES_PER_READ, NUMBERS_AHEAD};

/// How many numbers of each kind a command gets.
const BLOCK: u64 = MAX_HANDLES_PER_READ as u64;

/// The numbers of one session, of each kind.
pub(super) struct Numbers {
    next: [u64; 2],
    /// Numbers up to these may be given without saving that. The next daemon starts above them.
    marks: [u64; 2],
    /// How often numbers were reserved or taken.
    reservations: u64,
}

/// Numbers that are reserved for one command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Block {
    /// The first element's and the first link's.
    pub(super) first: [u64; 2],
    reservation: u64,
}

impl Block {
    /// The first number of a kind.
    pub(super) fn first(&self, kind: HandleKind) -> u64 {
        self.first[kind as usize]
    }

    /// The last number of a kind.
    pub(super) fn last(&self, kind: HandleKind) -> u64 {
        self.first(kind) + BLOCK - 1
    }
}

impl Default for Numbers {
    fn default() -> Self {
        Self { next: [1; 2], marks: [NUMBERS_AHEAD; 2], reservations: 0 }
    }
}

impl Numbers {
    /// The number above all that were given.
    pub(super) fn next(&self, kind: HandleKind) -> u64 {
        self.next[kind as usize]
    }

    /// Numbers up to these may be given without saving that.
    pub(super) fn marks(&self) -> [u64; 2] {
        self.marks
    }

    /// Goes on above numbers that an earlier daemon may have given.
    pub(super) fn start_above(&mut self, marks: [u64; 2]) {
        self.next = marks.map(|mark| mark + 1);
        self.raise(0);
    }

    /// Raises the marks to leave at least `ahead` numbers below them; returns whether it did, which has to be saved.
    pub(super) fn raise(&mut self, ahead: u64) -> bool {
        let before = self.marks;
        for (mark, next) in self.marks.iter_mut().zip(self.next) {
            if *mark < next - 1 + ahead {
                *mark = (next - 1 + ahead).next_multiple_of(NUMBERS_AHEAD);
            }
        }
        before != self.marks
    }

    /// Whether the marks should be raised soon, before a read has to do it.
    pub(super) fn near_marks(&self) -> bool {
        self.marks.iter().zip(self.next).any(|(mark, next)| *mark < next - 1 + NUMBERS_AHEAD / 2)
    }

    /// Reserves numbers of both kinds for a command.
    pub(super) fn reserve(&mut self) -> Block {
        self.reservations += 1;
        let block = Block { first: self.next, reservation: self.reservations };
        self.next = self.next.map(|next| next + BLOCK);
        block
    }

    /// Takes a number.
    pub(super) fn take(&mut self, kind: HandleKind) -> u64 {
        self.reservations += 1;
        let number = self.next(kind);
        self.next[kind as usize] += 1;
        number
    }

    /// Frees the numbers of a block above the last that was used of each kind, 0 for none; unless others were given
    /// after it.
    pub(super) fn release(&mut self, block: &Block, used: [u64; 2]) {
        if block.reservation == self.reservations {
            for kind in [HandleKind::Element, HandleKind::Link] {
                let kind = kind as usize;
                self.next[kind] = block.first[kind].max(used[kind] + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::{prelude::*, sample::Index};

    use super::*;

    #[test]
    fn numbers_above_the_last_used_are_free_again_unless_others_were_given_since() {
        let mut numbers = Numbers::default();
        let block = numbers.reserve();
        assert_eq!((block.first, block.last(HandleKind::Link)), ([1, 1], 1000));
        numbers.release(&block, [3, 0]);
        assert_eq!(numbers.next, [4, 1]);
        let (early, late) = (numbers.reserve(), numbers.reserve());
        assert_eq!((early.first, late.first), ([4, 1], [1004, 1001]));
        numbers.release(&early, [4, 0]);
        assert_eq!(numbers.next, [2004, 2001]);
        numbers.release(&late, [1004, 0]);
        assert_eq!(numbers.next, [1005, 1001]);
        // The first block ends where the next number is, but another was reserved after it.
        let (early, late) = (numbers.reserve(), numbers.reserve());
        numbers.release(&late, [0, 0]);
        numbers.release(&early, [1005, 0]);
        assert_eq!(numbers.next, [2005, 2001]);
        // Taken numbers are given as well.
        let block = numbers.reserve();
        assert_eq!(numbers.take(HandleKind::Element), 3005);
        numbers.release(&block, [0, 0]);
        assert_eq!(numbers.next, [3006, 3001]);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Reserve,
        Answer { which: Index, used: u64 },
        Fail(Index),
        Take,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => Just(Step::Reserve),
            3 => (any::<Index>(), 0..=BLOCK).prop_map(|(which, used)| Step::Answer { which, used }),
            1 => any::<Index>().prop_map(Step::Fail),
            1 => Just(Step::Take),
        ];
        prop::collection::vec(step, 1..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_number_is_given_twice(steps in steps()) {
            let kind = HandleKind::Element;
            let mut numbers = Numbers::default();
            let (mut open, mut given) = (Vec::<Block>::new(), HashSet::new());
            for step in steps {
                match step {
                    Step::Reserve => {
                        let block = numbers.reserve();
                        for other in &open {
                            prop_assert!(block.first(kind) > other.last(kind));
                        }
                        prop_assert!((block.first(kind)..=block.last(kind)).all(|it| !given.contains(&it)));
                        open.push(block);
                    }
                    Step::Answer { which, used } if !open.is_empty() => {
                        let block = open.remove(which.index(open.len()));
                        let used = block.first(kind)..block.first(kind) + used;
                        numbers.release(&block, [used.clone().last().unwrap_or(0), 0]);
                        for number in used {
                            prop_assert!(given.insert(number));
                        }
                    }
                    Step::Fail(which) if !open.is_empty() => {
                        let block = open.remove(which.index(open.len()));
                        // The page may have used any of them.
                        given.extend(block.first(kind)..=block.last(kind));
                    }
                    Step::Take => prop_assert!(given.insert(numbers.take(kind))),
                    Step::Answer { .. } | Step::Fail(_) => {}
                }
                prop_assert!(given.iter().all(|number| *number < numbers.next(kind)));
            }
        }
    }
}

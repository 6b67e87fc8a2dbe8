//! Pacing: when a session's commands may be sent. Each command reserves a time slot.

use std::{ops::RangeInclusive, time::Duration};

use rand::RngExt as _;

use crate::protocol::{Category, Pace, Pacing};

use super::Instant;

/// The pauses that a person makes, in milliseconds (protocol §7).
fn pause_ms(category: Category) -> RangeInclusive<u64> {
    match category {
        Category::Navigate => 1500..=4000,
        Category::Scroll => 4000..=8000,
        Category::Interaction | Category::Fill => 500..=2000,
    }
}

/// The latest slot of a category: the next one is `delays` pauses after it.
#[derive(Clone, Copy)]
struct Slot {
    at: Instant,
    delays: usize,
}

/// One session's slots, a latest one for each category.
#[derive(Default)]
pub(super) struct Pacer {
    latest: [Option<Slot>; 4],
}

impl Pacer {
    /// Reserves the next slot and returns its time, which may be `now`. Slots are never released.
    pub(super) fn reserve(&mut self, pace: Pace, mode: Pacing, now: Instant) -> Instant {
        let latest = &mut self.latest[pace.category as usize];
        let at = match (*latest, mode) {
            (Some(slot), Pacing::Human) => now.max(slot.at + pauses(pace.category, slot.delays)),
            _ => now,
        };
        // A fast command may overtake reserved slots; later commands still keep their distance from those.
        if latest.is_none_or(|slot| slot.at <= at) {
            *latest = Some(Slot { at, delays: pace.delays });
        }
        at
    }
}

fn pauses(category: Category, count: usize) -> Duration {
    let mut rng = rand::rng();
    (0..count).map(|_| Duration::from_millis(rng.random_range(pause_ms(category)))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLICK: Pace = Pace { category: Category::Interaction, delays: 1 };

    #[test]
    fn the_first_goes_at_once_and_the_others_are_spread() {
        let (mut pacer, now) = (Pacer::default(), Instant::now());
        let mut previous = pacer.reserve(CLICK, Pacing::Human, now);
        assert_eq!(previous, now);
        for _ in 0..200 {
            let next = pacer.reserve(CLICK, Pacing::Human, now);
            let pause = next - previous;
            assert!((500..=2000).contains(&pause.as_millis()), "{pause:?}");
            previous = next;
        }
    }

    #[test]
    fn categories_do_not_wait_for_each_other() {
        let (mut pacer, now) = (Pacer::default(), Instant::now());
        for category in
            [Category::Navigate, Category::Scroll, Category::Interaction, Category::Fill]
        {
            assert_eq!(pacer.reserve(Pace { category, delays: 1 }, Pacing::Human, now), now);
        }
    }

    #[test]
    fn a_form_of_n_fields_makes_the_next_fill_wait_n_pauses() {
        let (mut pacer, now) = (Pacer::default(), Instant::now());
        let fill = |delays| Pace { category: Category::Fill, delays };
        assert_eq!(pacer.reserve(fill(10), Pacing::Human, now), now);
        let pause = pacer.reserve(fill(1), Pacing::Human, now) - now;
        assert!((5000..=20_000).contains(&pause.as_millis()), "{pause:?}");
    }

    #[test]
    fn fast_commands_go_at_once_and_still_keep_later_ones_at_a_distance() {
        let (mut pacer, now) = (Pacer::default(), Instant::now());
        assert_eq!(pacer.reserve(CLICK, Pacing::Fast, now), now);
        assert_eq!(pacer.reserve(CLICK, Pacing::Fast, now), now);
        assert!(pacer.reserve(CLICK, Pacing::Human, now) > now);
    }

    #[test]
    fn time_that_passed_anyway_counts() {
        let (mut pacer, now) = (Pacer::default(), Instant::now());
        pacer.reserve(CLICK, Pacing::Human, now);
        let later = now + Duration::from_millis(2000);
        assert_eq!(pacer.reserve(CLICK, Pacing::Human, later), later);
    }
}

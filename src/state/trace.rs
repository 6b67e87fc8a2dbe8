//! Traces of the latest commands, for `debug.last`: a ring buffer.

use std::collections::VecDeque;

use crate::protocol::{MAX_TRACES, Trace};

/// The ring buffer.
#[derive(Default)]
pub(super) struct Traces(VecDeque<Trace>);

impl Traces {
    pub(super) fn push(&mut self, trace: Trace) {
        if self.0.len() == MAX_TRACES {
            self.0.pop_front();
        }
        self.0.push_back(trace);
    }

    /// The latest `count`, oldest first.
    pub(super) fn last(&self, count: usize) -> Vec<Trace> {
        let skip = self.0.len().saturating_sub(count);
        self.0.iter().skip(skip).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_latest_and_gives_them_oldest_first() {
        let mut traces = Traces::default();
        for number in 0..=MAX_TRACES {
            if number == MAX_TRACES {
                assert_eq!(traces.last(1000)[0].id, "0");
            }
            traces.push(Trace {
                id: number.to_string(),
                action: "text".into(),
                session: String::new(),
                received_at: 0,
                elapsed_ms: 0,
                ok: true,
                error_code: None,
                replayed: None,
            });
        }
        let ids: Vec<_> = traces.last(2).into_iter().map(|trace| trace.id).collect();
        assert_eq!(ids, ["199", "200"]);
        assert_eq!(traces.last(1000).len(), MAX_TRACES);
        assert_eq!(traces.last(1000)[0].id, "1");
    }
}

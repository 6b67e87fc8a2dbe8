//! The latest commands, for `debug.last`: a ring that forgets the oldest.

use std::collections::VecDeque;

use serde::Serialize;

use crate::protocol::MAX_TRACES;

/// One command that got an envelope.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// The request's id.
    pub id: String,
    /// What was asked for.
    pub action: &'static str,
    /// The session, the new one where the command made it.
    pub session: String,
    /// Unix time, ms.
    pub received_at: i64,
    /// How long it took, ms.
    pub elapsed_ms: u64,
    /// Whether it succeeded.
    pub ok: bool,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Whether it was sent more than once, or answered from the extension's memory.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
}

/// The ring of traces.
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
                action: "text",
                session: String::new(),
                received_at: 0,
                elapsed_ms: 0,
                ok: true,
                error_code: None,
                replayed: false,
            });
        }
        let ids: Vec<_> = traces.last(2).into_iter().map(|trace| trace.id).collect();
        assert_eq!(ids, ["199", "200"]);
        assert_eq!(traces.last(1000).len(), MAX_TRACES);
        assert_eq!(traces.last(1000)[0].id, "1");
    }
}

//! The checks of the fuzz targets, on a bounded number of mutations of their seeds.

// There it is a crate of its own.
#[allow(unreachable_pub)]
#[path = "../../fuzz/src/lib.rs"]
mod checks;

use std::{fs, path::Path};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

/// Enough for some seconds of an unoptimized build.
const CASES: u32 = 3_000;

/// Bytes that mean something in JSON, HTTP or a name.
const TELLING: &[u8] = b"\"\\{}[]:,.-+/ \n\r\t\0aelnt019_@%;=\xff\xc3";

#[derive(Clone, Debug)]
enum Mutation {
    Insert(Index, u8),
    Replace(Index, u8),
    Remove(Index, Index),
    Repeat(Index, Index),
    /// Goes on with another seed from there on.
    Splice(Index, Index, Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let byte = prop_oneof![3 => prop::sample::select(TELLING), 1 => any::<u8>()];
    let at = any::<Index>;
    prop_oneof![
        (at(), byte.clone()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        (at(), byte).prop_map(|(at, byte)| Mutation::Replace(at, byte)),
        (at(), at()).prop_map(|(from, to)| Mutation::Remove(from, to)),
        (at(), at()).prop_map(|(from, to)| Mutation::Repeat(from, to)),
        (at(), at(), at()).prop_map(|(at, seed, from)| Mutation::Splice(at, seed, from)),
    ]
}

fn mutated(seeds: &[Vec<u8>], seed: &Index, mutations: &[Mutation]) -> Vec<u8> {
    let mut bytes = seed.get(seeds).clone();
    for mutation in mutations {
        let length = bytes.len();
        let range = |from: &Index, to: &Index| {
            let (from, to) = (from.index(length + 1), to.index(length + 1));
            from.min(to)..from.max(to)
        };
        match mutation {
            Mutation::Insert(at, byte) => bytes.insert(at.index(length + 1), *byte),
            Mutation::Replace(at, byte) if length > 0 => bytes[at.index(length)] = *byte,
            Mutation::Replace(..) => {}
            Mutation::Remove(from, to) => drop(bytes.drain(range(from, to))),
            Mutation::Repeat(from, to) => bytes.extend_from_within(range(from, to)),
            Mutation::Splice(at, seed, from) => {
                let other = seed.get(seeds);
                bytes.truncate(at.index(length + 1));
                bytes.extend_from_slice(&other[from.index(other.len() + 1)..]);
            }
        }
    }
    bytes
}

/// Calls `check` with every seed as it is, and with mutations of them.
fn try_out(target: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("seeds").map(|entry| entry.expect("a seed").path()).collect();
    paths.sort();
    let seeds: Vec<_> = paths.iter().map(|path| fs::read(path).expect("a seed")).collect();
    seeds.iter().for_each(|seed| check(seed));
    let config =
        ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let strategy = (any::<Index>(), prop::collection::vec(mutation(), 1..5));
    TestRunner::new(config)
        .run(&strategy, |(seed, mutations)| {
            check(&mutated(&seeds, &seed, &mutations));
            Ok(())
        })
        .unwrap();
}

fn as_text(check: fn(&str)) -> impl Fn(&[u8]) {
    move |bytes| check(&String::from_utf8_lossy(bytes))
}

#[test]
fn a_body_is_a_request_that_can_be_forwarded_or_is_refused_with_a_reason() {
    try_out("request", checks::request);
}

#[test]
fn a_message_that_is_passed_on_as_it_stands_is_the_envelope_that_clients_expect() {
    try_out("message", as_text(checks::message));
}

#[test]
fn a_request_that_passes_the_gate_has_every_credential_of_its_route() {
    try_out("gate", checks::gate);
}

#[test]
fn a_name_is_accepted_only_as_the_daemon_would_write_it() {
    try_out("name", as_text(checks::name));
}

#[test]
fn a_target_is_exactly_one_of_selector_route_and_handle_and_comes_through_unchanged() {
    try_out("target", as_text(checks::target));
}

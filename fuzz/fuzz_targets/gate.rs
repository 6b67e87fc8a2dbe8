//! Fuzzes the gate with the method, target and headers of a request.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bproxy_fuzz::gate(data));

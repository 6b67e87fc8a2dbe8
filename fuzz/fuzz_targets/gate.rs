//! Method, target and headers of any request.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bproxy_fuzz::gate(data));

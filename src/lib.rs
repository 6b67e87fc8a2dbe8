//! bproxy connects a code agent to the browser that its person already uses.

pub mod protocol;

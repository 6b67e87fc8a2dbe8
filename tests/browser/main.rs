//! Everything end to end: command line, MCP server, daemon, extension, pages in a real Chromium.

mod acts;
#[cfg(target_os = "linux")]
mod adoption;
mod background;
mod capture;
mod claims;
mod clickables;
mod clients;
mod comeback;
mod corpus;
mod demo;
mod dialogs;
mod differential;
mod downloads;
mod drag;
mod effects;
mod endurance;
mod examples;
mod file_names;
mod fills;
#[cfg(target_os = "linux")]
mod focus;
mod frame_keys;
mod frames;
#[cfg(target_os = "linux")]
mod full_disks;
mod hangs;
mod history;
mod hostile;
mod identity;
mod interstitials;
mod keyed_widgets;
mod keys;
#[cfg(target_os = "linux")]
mod large_files;
mod later;
mod life;
mod many_uploads;
mod mcp;
mod miniwob;
mod names;
mod navigation;
mod pages;
mod person;
mod pictures;
mod pointer;
mod popup;
mod private_values;
mod profiles;
mod random_pages;
mod reads;
mod research;
mod rig;
mod rogues;
mod skill;
mod suggested_calls;
mod suggestions;
#[path = "../support/mod.rs"]
mod support;
mod tables;
mod tasks;
mod then;
mod tokens;
mod unnoticed;
mod uploads;
mod versions;
mod view;
mod waits;
mod widgets;
mod withheld_files;

//! What needs the operating system: a booted systemd, its journal, a keyring, a second user, socket activation.

mod activation;
mod clients;
mod doctor;
mod journal;
mod keyring;
mod keyring_service;
mod mends;
mod other_user;
mod sandbox;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
mod systemd;

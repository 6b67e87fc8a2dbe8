//! What the operating system has a part in: a booted systemd, its journal, a keyring, a second user, activation.

mod activation;
mod doctor;
mod journal;
mod keyring;
mod keyring_service;
mod other_user;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
mod systemd;

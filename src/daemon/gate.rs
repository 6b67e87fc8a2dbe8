//! The four layers that every request passes before its body is read (protocol §2), and the one of the Unix socket.

use std::sync::{Arc, PoisonError, RwLock};

use warp::http::{
    HeaderMap, Method, StatusCode,
    header::{AUTHORIZATION, HOST, HeaderName, ORIGIN, SEC_WEBSOCKET_PROTOCOL},
    uri::Authority,
};

use super::{Context, connection_limit::Connection, door::Door, keyring, now, rejection};
use crate::{
    secrets::Secret,
    state::{Event, ProofCheck, State},
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const EXTENSION_SCHEME: &str = "chrome-extension://";
/// What precedes the extension's proof among the subprotocols.
const PROOF_PREFIX: &str = "proof.";

/// The route of a file, for the log.
const A_FILE: &str = "/files/flN";

/// The name of the file that is at this path, if it is one of a file.
pub(super) fn file_at(path: &str) -> Option<&str> {
    path.strip_prefix("/files/").filter(|file| !file.is_empty() && !file.contains('/'))
}

/// The authority of a request target in absolute form, which must hold as `Host` does.
#[derive(Clone)]
pub(super) struct TargetAuthority(pub(super) Authority);

/// What the gate knows about a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Route {
    Command,
    Claim,
    Socket,
    Events,
    /// A file for a session.
    Take,
    /// A file of a session.
    Give,
    Challenge,
    Health,
    /// A known path with another method, or an unknown path.
    Other(&'static str),
}

impl Route {
    fn of(method: &Method, path: &str) -> Self {
        match (method, path) {
            (&Method::POST, "/") => Self::Command,
            (&Method::POST, "/pair/claim") => Self::Claim,
            (&Method::GET, "/ws") => Self::Socket,
            (&Method::GET, "/events") => Self::Events,
            (&Method::POST, "/files") => Self::Take,
            (&Method::GET, path) if file_at(path).is_some() => Self::Give,
            (&Method::GET, "/challenge") => Self::Challenge,
            (&Method::GET, "/health") => Self::Health,
            (_, "/") => Self::Other("/"),
            (_, "/pair/claim") => Self::Other("/pair/claim"),
            (_, "/ws") => Self::Other("/ws"),
            (_, "/events") => Self::Other("/events"),
            (_, "/files") => Self::Other("/files"),
            (_, path) if file_at(path).is_some() => Self::Other(A_FILE),
            (_, "/challenge") => Self::Other("/challenge"),
            (_, "/health") => Self::Other("/health"),
            _ => Self::Other("other"),
        }
    }

    /// For the log, which never contains a client's own path.
    fn name(self) -> &'static str {
        match self {
            Self::Command => "/",
            Self::Claim => "/pair/claim",
            Self::Socket => "/ws",
            Self::Events => "/events",
            Self::Take => "/files",
            Self::Give => A_FILE,
            Self::Challenge => "/challenge",
            Self::Health => "/health",
            Self::Other(name) => name,
        }
    }

    /// Whether the gate checks a secret for this route. A claim has its secret in the body; a challenge and health need
    /// none.
    fn has_secret(self) -> bool {
        !matches!(self, Self::Claim | Self::Challenge | Self::Health)
    }

    /// Whether the path is on the port alone: what extensions call.
    fn is_on_the_port_alone(self) -> bool {
        let is_asked_for = matches!(
            self,
            Self::Challenge | Self::Other("/challenge") | Self::Give | Self::Other(A_FILE)
        );
        self.is_for_extensions() || is_asked_for
    }

    /// Whether the path is one that extensions call with their Origin.
    fn is_for_extensions(self) -> bool {
        matches!(self, Self::Claim | Self::Socket | Self::Other("/pair/claim" | "/ws"))
    }
}

/// Why a request is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// `host`, `origin`, `fetch_site` or `secret`; `peer` on the Unix socket.
    pub layer: &'static str,
    /// What the caller can do.
    pub message: &'static str,
}

/// How a request passed the gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passed {
    /// Without any change.
    Known,
    /// The extension's token is bound to its Origin now, which is to be stored.
    Bound,
}

const HOST_REFUSAL: Refusal = Refusal {
    layer: "host",
    message: "Host: the daemon answers to 127.0.0.1 and localhost with its own port only",
};
const NO_ORIGIN: Refusal = Refusal {
    layer: "origin",
    message: "Origin: this path is for the bproxy extension only, not for pages or other programs",
};
const SOME_ORIGIN: Refusal = Refusal {
    layer: "origin",
    message: "Origin: this path is not for browsers; use the bproxy command",
};
const FOREIGN_ID: Refusal = Refusal {
    layer: "origin",
    message: "Origin: this extension may not connect; allow its id with BPROXY_EXTENSION_IDS, or pair it",
};
const CROSS_SITE: Refusal =
    Refusal { layer: "fetch_site", message: "Sec-Fetch-Site: requests from web pages are refused" };
const BEARER: Refusal = Refusal {
    layer: "secret",
    message: "Authorization: the bearer token is missing or wrong; the bproxy command reads it from the state directory",
};
const PROOF: Refusal = Refusal {
    layer: "secret",
    message: "Sec-WebSocket-Protocol: the extension's proof is missing, wrong, used or too old; run `bproxy pair` and enter the code in the popup",
};
const FILE_PROOF: Refusal = Refusal {
    layer: "secret",
    message: "Authorization: the extension's proof for this file is missing, wrong, used or too old",
};
const FOREIGN_PEER: Refusal =
    Refusal { layer: "peer", message: "this socket is for the programs of its own user only" };
const PREFLIGHT: Refusal = Refusal {
    layer: "origin",
    message: "Origin: preflight requests are refused; no page may call the daemon",
};

/// The gate of one daemon: the values that requests are checked against.
pub struct Gate {
    /// `127.0.0.1:{port}` and `localhost:{port}`.
    hosts: [String; 2],
    daemon_token: Secret,
    /// The only extensions that may claim or connect; any if none are named.
    extension_ids: RwLock<Option<Vec<String>>>,
    state: State,
}

impl Gate {
    /// The gate of a daemon on `port`, which clients pass with `daemon_token` and the extension with a proof that it
    /// knows the token in `state`.
    pub fn new(
        port: u16,
        daemon_token: Secret,
        extension_ids: Option<Vec<String>>,
        state: State,
    ) -> Gate {
        Gate {
            hosts: own_hosts(port),
            daemon_token,
            extension_ids: RwLock::new(extension_ids),
            state,
        }
    }

    /// From now on only these extensions may claim or connect; any if none are named.
    pub fn set_extension_ids(&self, ids: Option<Vec<String>>) {
        *self.extension_ids.write().unwrap_or_else(PoisonError::into_inner) = ids;
    }

    /// Checks a request, layer by layer. `authority` is that of a target in absolute form.
    ///
    /// # Errors
    /// The first layer that refuses it.
    pub fn check(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        authority: Option<&Authority>,
        headers: &HeaderMap,
    ) -> Result<Passed, Refusal> {
        let route = Route::of(method, path);
        let passed = match route {
            Route::Give => self.check_file(path, query, authority, headers),
            _ => self.layers(route, authority, headers),
        }?;
        if method == Method::OPTIONS { Err(PREFLIGHT) } else { Ok(passed) }
    }

    fn layers(
        &self,
        route: Route,
        authority: Option<&Authority>,
        headers: &HeaderMap,
    ) -> Result<Passed, Refusal> {
        check_host(&self.hosts, authority, headers)?;
        let origin = match (only(headers, ORIGIN), route.is_for_extensions()) {
            (Ok(Some(origin)), true) => self.check_extension(origin)?,
            (Ok(None), false) => "",
            (_, true) => return Err(NO_ORIGIN),
            (_, false) => return Err(SOME_ORIGIN),
        };
        check_fetch_site(headers)?;
        match route {
            Route::Claim | Route::Challenge | Route::Health => Ok(Passed::Known),
            Route::Command | Route::Events | Route::Take | Route::Give | Route::Other(_) => {
                if self.has_bearer(headers) { Ok(Passed::Known) } else { Err(BEARER) }
            }
            Route::Socket => self.check_proof(headers, origin),
        }
    }

    /// Checks the extension's request for a file: it has a proof for this very file, and names its Origin or none.
    fn check_file(
        &self,
        path: &str,
        query: &str,
        authority: Option<&Authority>,
        headers: &HeaderMap,
    ) -> Result<Passed, Refusal> {
        check_host(&self.hosts, authority, headers)?;
        let origin = only(headers, ORIGIN).map_err(|()| NO_ORIGIN)?;
        if let Some(origin) = origin {
            self.check_extension(origin)?;
        }
        check_fetch_site(headers)?;
        let offered =
            only(headers, AUTHORIZATION).ok().flatten().and_then(|value| value.split_once(' '));
        let offered = offered.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("proof"));
        let file = file_at(path).unwrap_or_default();
        let session = query.strip_prefix("session=").unwrap_or_default();
        let offered = offered.map_or("", |(_, offered)| offered);
        match self.state.check_file_proof(offered, origin, session, file, now()) {
            ProofCheck::Valid | ProofCheck::Bound => Ok(Passed::Known),
            ProofCheck::ForeignOrigin => Err(FOREIGN_ID),
            ProofCheck::Wrong => Err(FILE_PROOF),
        }
    }

    /// Checks a request on the Unix socket: whose program it is, and a token only if one is shown.
    fn check_local(&self, own: bool, headers: &HeaderMap) -> Result<Passed, Refusal> {
        if !own {
            return Err(FOREIGN_PEER);
        }
        if headers.contains_key(AUTHORIZATION) && !self.has_bearer(headers) {
            return Err(BEARER);
        }
        Ok(Passed::Known)
    }

    fn check_extension<'a>(&self, origin: &'a str) -> Result<&'a str, Refusal> {
        let id = origin.strip_prefix(EXTENSION_SCHEME).ok_or(NO_ORIGIN)?;
        if id.len() != 32 || !id.bytes().all(|letter| (b'a'..=b'p').contains(&letter)) {
            return Err(NO_ORIGIN);
        }
        match &*self.extension_ids.read().unwrap_or_else(PoisonError::into_inner) {
            Some(allowed) if !allowed.iter().any(|allowed| allowed == id) => Err(FOREIGN_ID),
            _ => Ok(origin),
        }
    }

    /// Whether the request shows the daemon's token.
    pub fn has_bearer(&self, headers: &HeaderMap) -> bool {
        let Ok(Some(value)) = only(headers, AUTHORIZATION) else { return false };
        let token =
            value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        token.is_some_and(|(_, token)| self.daemon_token.matches(token.as_bytes()))
    }

    fn check_proof(&self, headers: &HeaderMap, origin: &str) -> Result<Passed, Refusal> {
        match self.state.check_proof(offered_proof(headers), origin, now()) {
            ProofCheck::Valid => Ok(Passed::Known),
            ProofCheck::Bound => Ok(Passed::Bound),
            ProofCheck::ForeignOrigin => Err(FOREIGN_ID),
            ProofCheck::Wrong => Err(PROOF),
        }
    }
}

impl Context {
    /// Lets a request pass, or refuses it.
    pub(super) async fn check(
        self: Arc<Self>,
        method: Method,
        (path, query): (warp::path::FullPath, String),
        target: Option<TargetAuthority>,
        headers: HeaderMap,
        door: Door,
        connection: Connection,
    ) -> Result<(), warp::Rejection> {
        let authority = target.as_ref().map(|target| &target.0);
        let route = Route::of(&method, path.as_str());
        let check = || match door {
            Door::Port(_) => self.gate.check(&method, path.as_str(), &query, authority, &headers),
            Door::Local { own } => self.gate.check_local(own, &headers),
        };
        let mut checked = check();
        if matches!(checked, Err(PROOF | FILE_PROOF)) && self.state.unreadable_pairing().is_some() {
            if let Some(reason) = self.unreadable_pairing().await {
                let response = keyring::locked(&reason);
                return Err(warp::reject::custom(rejection::Answered::new(response)));
            }
            checked = check();
        }
        match checked {
            Ok(_) if !matches!(door, Door::Port(_)) && route.is_on_the_port_alone() => {
                Err(warp::reject::custom(rejection::Answered::new(rejection::not_found(&path))))
            }
            Ok(passed) => {
                if route.has_secret() {
                    connection.mark_busy();
                }
                if passed == Passed::Bound {
                    self.store_origin();
                }
                Ok(())
            }
            Err(Refusal { layer, message }) => {
                self.state.emit(&Event::AuthRefused { route: route.name(), layer }, now());
                let response =
                    rejection::refused(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message);
                Err(warp::reject::custom(rejection::Answered::new(response)))
            }
        }
    }

    /// Stores the Origin that the extension's token is bound to from now on. If that fails, the next daemon binds the
    /// token to the first Origin that brings it, as this one did.
    fn store_origin(&self) {
        let (secrets, credential) = (self.options.secrets.clone(), self.state.credential());
        self.tasks.spawn_blocking(move || {
            let stored = credential.map(|credential| secrets.set_extension(&credential));
            if let Some(Err(error)) = stored {
                tracing::warn!(event = "store_failed", problem = %error);
            }
        });
    }
}

/// `127.0.0.1:{port}` and `localhost:{port}`.
fn own_hosts(port: u16) -> [String; 2] {
    ["127.0.0.1", "localhost"].map(|name| format!("{name}:{port}"))
}

fn check_host(
    hosts: &[String; 2],
    authority: Option<&Authority>,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    let is_own = |host: &str| hosts.iter().any(|own| own == host);
    let host = only(headers, HOST).ok().flatten();
    let all_own =
        host.is_some_and(is_own) && authority.is_none_or(|authority| is_own(authority.as_str()));
    if all_own { Ok(()) } else { Err(HOST_REFUSAL) }
}

fn check_fetch_site(headers: &HeaderMap) -> Result<(), Refusal> {
    match only(headers, SEC_FETCH_SITE) {
        Ok(None | Some("none" | "same-origin")) => Ok(()),
        _ => Err(CROSS_SITE),
    }
}

/// Whether a request may be told why the daemon of `port` cannot serve: no page may, and on the Unix socket no other user.
/// Secrets are not asked for, as they may be what is wrong.
///
/// # Errors
/// The layer that refuses it.
pub(super) fn check_unserved(
    port: u16,
    door: Door,
    target: Option<&TargetAuthority>,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    match door {
        Door::Local { own: true } => Ok(()),
        Door::Local { own: false } => Err(FOREIGN_PEER),
        Door::Port(_) => {
            check_host(&own_hosts(port), target.map(|target| &target.0), headers)?;
            match only(headers, ORIGIN) {
                Ok(None) => {}
                Ok(Some(origin)) if origin.starts_with(EXTENSION_SCHEME) => {}
                _ => return Err(SOME_ORIGIN),
            }
            check_fetch_site(headers)
        }
    }
}

/// The subprotocols that a client offers.
pub(super) fn subprotocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim)
}

/// What follows `proof.` among the subprotocols, if there is exactly one: a nonce and a proof with a dot between them.
pub(super) fn offered_proof(headers: &HeaderMap) -> Option<&str> {
    // What is no text may hold another one.
    let is_text =
        headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().all(|value| value.to_str().is_ok());
    let mut proofs = subprotocols(headers).filter_map(|name| name.strip_prefix(PROOF_PREFIX));
    proofs.next().filter(|_| is_text && proofs.next().is_none())
}

/// The one value of a header that must not be repeated.
fn only(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, ()> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(drop),
        _ => Err(()),
    }
}

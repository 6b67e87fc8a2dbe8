//! Probes of the running daemon, over HTTP.

use std::time::Duration;

use super::{Failure, Probe, RESTART};
use crate::client::{self, Client, Endpoint};
use crate::config::SecretsChoice;
use crate::home::Home;
use crate::home::lock::Watch;
use crate::protocol::{self, ClientInfo, DebugStatus, DebugStatusData, Health};
use crate::secrets;

/// How long the daemon may take to list its browsers. It answers from memory.
const STATUS_WAIT: Duration = Duration::from_secs(3);

/// Whether the daemon answers, and has the version of this program.
pub(in crate::service::doctor) fn daemon(port: u16, home: &Home) -> Probe<Health> {
    let health = Client::anonymous(port).health().map_err(|error| match error {
        // It would not notice a signal either.
        client::Error::Timeout { .. } => match running(home) {
            Some(pid) => Failure::new(
                format!("{error}: its process {pid} hangs"),
                format!("kill -KILL {pid}; {RESTART}"),
            ),
            None => Failure::new(error, RESTART),
        },
        client::Error::UnknownAnswer { status: 200, .. } => {
            Failure::new("what answers is not bproxy", RESTART)
        }
        error => Failure::new(error, RESTART),
    })?;
    let version = env!("CARGO_PKG_VERSION");
    if health.version != version {
        let detail = format!("it is bproxy {}, and this is {version}", health.version);
        return Err(Failure::new(detail, RESTART));
    }
    Ok((format!("bproxy {version} answers"), health))
}

/// The process of the daemon that runs.
fn running(home: &Home) -> Option<i32> {
    let daemon = Watch::open(home).ok().flatten().and_then(|watch| watch.daemon());
    daemon.map(|pid| pid.as_raw_nonzero().get())
}

/// Whether the daemon speaks this version of the protocol.
pub(in crate::service::doctor) fn protocol(health: &Health) -> Probe {
    match health.protocol_version {
        protocol::VERSION => Ok((format!("version {}", protocol::VERSION), ())),
        other => Err(Failure::new(
            format!("the daemon speaks version {other}, this program {}", protocol::VERSION),
            RESTART,
        )),
    }
}

/// Whether the daemon accepts the token that commands send.
pub(in crate::service::doctor) fn token(
    port: u16,
    home: &Home,
    choice: SecretsChoice,
) -> Probe<Client> {
    let failed = |error: client::Error| Failure::new(error, RESTART);
    if let Endpoint::Left { .. } = Endpoint::find(home.path()).map_err(failed)? {
        let detail = format!(
            "what answers on port {port} is not the daemon of {}, which does not run: it gets no token",
            home.path().display()
        );
        return Err(Failure::new(detail, RESTART));
    }
    let token = secrets::client_token(choice, home).map_err(|error| failed(error.into()))?;
    let client = Client::new(port, token.ok_or_else(|| failed(client::Error::NoToken))?);
    let Health {
        activation: Some(activation),
        secret_store: Some(secret_store),
        secret_store_reason,
        ..
    } = client.health().map_err(failed)?
    else {
        return Err(Failure::new("the daemon does not accept the token", RESTART));
    };
    let reason =
        secret_store_reason.map_or_else(String::new, |reason| format!(", because {reason}"));
    Ok((format!("accepted; {activation} daemon, tokens in the {secret_store}{reason}"), client))
}

/// Whether a browser is connected, with the extension of this version.
pub(in crate::service::doctor) fn browser(client: &Client) -> Probe {
    let action = DebugStatus {}.into();
    let answer = client
        .command(&client::request_id(), &action, "", STATUS_WAIT)
        .map_err(|error| Failure::new(error, RESTART))?;
    let Ok(DebugStatusData { ws_clients, .. }) = answer.data() else {
        return Err(Failure::new("the daemon does not list its browsers", RESTART));
    };
    if ws_clients.is_empty() {
        if let Ok(Health { pairing_unreadable: Some(reason), .. }) = client.health() {
            let detail = format!("none can connect: the pairing is in the keyring, and {reason}");
            return Err(Failure::for_person(
                detail,
                "unlock the keyring; the browser then connects by itself",
            ));
        }
        return Err(Failure::for_person(
            format!(
                "none is connected: open Chrome with the bproxy extension, which connects within a minute; \
                 its popup has to name port {}",
                client.port().map_or_else(String::new, |port| port.to_string())
            ),
            "open Chrome; if its extension was never paired with this daemon, run `bproxy pair`",
        ));
    }
    let ours = crate::extension::version();
    let outdated = ws_clients
        .iter()
        .find(|browser| browser.extension_version.is_some() && browser.extension_version != ours);
    if let (Some(ClientInfo { extension_version: Some(theirs), .. }), Some(ours)) =
        (outdated, &ours)
    {
        return Err(Failure::for_person(
            format!("its extension is {theirs}, and this binary has {ours}"),
            "bproxy extension install, then reload it at chrome://extensions",
        ));
    }
    let describe = |browser: &ClientInfo| match &browser.extension_version {
        Some(version) => format!("{} (extension {version})", browser.id),
        None => browser.id.clone(),
    };
    let browsers: Vec<_> = ws_clients.iter().map(describe).collect();
    Ok((format!("connected: {}", browsers.join(", ")), ()))
}

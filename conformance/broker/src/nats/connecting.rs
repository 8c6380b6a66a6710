//! The connection to the server, and whether it is one that can carry this broker.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, ServerError};
use serde_json::Value;
use tokio::sync::watch;

use super::api::{Api, Fault, number};
use super::options::{NatsOptions, SignIn};
use crate::open_error::OpenError;

/// How long the first connection may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The first version that compares under wildcards and lets single messages expire.
const OLDEST: (i64, i64, i64) = (2, 12, 0);
/// How long to rest before the next try to reconnect.
const REST: Duration = Duration::from_millis(50);
const LONGEST_REST: Duration = Duration::from_millis(500);

/// Connects; answers the server and what counts its connections.
pub(super) async fn connect(options: &NatsOptions) -> Result<(Arc<Api>, watch::Receiver<u64>), OpenError> {
    let place = options.servers.join(",");
    let failed = |why: String| OpenError::setup(format!("{place}: {why}"));
    let (connections, epoch) = watch::channel(0_u64);
    let (connections, api) = (Arc::new(connections), Arc::new(OnceLock::<Arc<Api>>::new()));
    let told = Arc::clone(&api);
    let wanted = sign_in(options).await.map_err(failed)?.event_callback(move |event| {
        let (connections, told) = (Arc::clone(&connections), Arc::clone(&told));
        async move {
            match event {
                Event::Connected => connections.send_modify(|number| *number += 1),
                Event::ServerError(ServerError::Other(why)) => {
                    if let Some(api) = told.get() {
                        api.note_violation(&why);
                    }
                }
                _ => {}
            }
        }
    });
    let client = tokio::time::timeout(PATIENCE, wanted.connect(options.servers.clone())).await;
    let client = client.map_err(|_| failed(format!("no connection within {PATIENCE:?}")))?;
    let client = client.map_err(|error| failed(why(&error, options)))?;
    check_version(&client).map_err(failed)?;
    let connected = api.get_or_init(|| Arc::new(Api::new(client)));
    check_jetstream(connected).await.map_err(failed)?;
    Ok((Arc::clone(connected), epoch))
}

async fn sign_in(options: &NatsOptions) -> Result<ConnectOptions, String> {
    let wanted = ConnectOptions::new()
        .name("workwire")
        .require_tls(options.tls)
        .connection_timeout(PATIENCE / 2)
        .client_capacity(4_096)
        .reconnect_delay_callback(|tries| {
            if tries == 0 {
                return Duration::ZERO;
            }
            (REST * u32::try_from(tries).unwrap_or(u32::MAX).min(100)).min(LONGEST_REST)
        });
    let wanted = match &options.ca {
        Some(ca) if !ca.is_file() => return Err(format!("ca: there is no file {}", ca.display())),
        Some(ca) => wanted.add_root_certificates(ca.clone()),
        None => wanted,
    };
    Ok(match &options.sign_in {
        SignIn::Nobody => wanted,
        SignIn::Token(token) => wanted.token(token.clone()),
        SignIn::User { name, password } => wanted.user_and_password(name.clone(), password.clone()),
        SignIn::Credentials(file) => {
            let found = wanted.credentials_file(file).await;
            found.map_err(|error| format!("creds: {}: {error}", file.display()))?
        }
    })
}

/// Why no connection came about, and what may help.
fn why(error: &async_nats::ConnectError, options: &NatsOptions) -> String {
    use std::error::Error;

    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let more = deeper.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = deeper.source();
    }
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            format!("the server refuses this user, password or token: {text}")
        }
        ConnectErrorKind::Tls if !options.tls => format!("{text}; the server wants TLS: tls://, and ?ca=FILE"),
        ConnectErrorKind::Tls => format!("{text}; is this its certificate's authority, and does it speak TLS?"),
        _ if options.tls && text.contains("corrupt message") => format!("{text}; it speaks no TLS there"),
        _ => text,
    }
}

fn check_version(client: &Client) -> Result<(), String> {
    let (major, minor, patch) = OLDEST;
    if client.is_server_compatible(major, minor, patch) {
        return Ok(());
    }
    let found = client.server_info().version;
    Err(format!("expected nats-server {major}.{minor} or newer, found {found}: it is too old to compare and swap"))
}

async fn check_jetstream(api: &Api) -> Result<(), String> {
    match api.call("INFO", &Value::Null).await {
        Ok(_) => Ok(()),
        Err(Fault::NobodyThere) => Err("the server has no JetStream: start it with `-js`".to_owned()),
        Err(Fault::Refused { number, why }) if number::NO_JETSTREAM.contains(&number) => {
            Err(format!("JetStream is not enabled for this account: {why}"))
        }
        Err(Fault::Forbidden(why)) => Err(format!("this user may not use JetStream: {why}")),
        Err(fault) => Err(fault.about("JetStream").to_string()),
    }
}

//! TLS: with a certificate of one's own authority, and where one side speaks it and the other does not.

use std::path::Path;
use std::process::Command;

use workwire_broker::{Fetch, Instance, Policy, Queue};

use super::tools::{bodies, broker, ctl, message, refusal, shared};

/// A certificate for the loopback that signs itself; none where there is no program for it.
fn certify(folder: &Path) -> bool {
    let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
                 -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE -keyout key.pem -out cert.pem";
    match Command::new("openssl").args(words.split_whitespace()).current_dir(folder).output() {
        Ok(done) => {
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            true
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "openssl: {error}");
            eprintln!("not run: openssl: {error}: apt-get install openssl");
            false
        }
    }
}

/// Has the node listen at a second port, with TLS, and tells its address.
fn encrypt(server: &Instance) -> String {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let file = |name: &str| server.folder().join(name).display().to_string();
    let (cert, key) = (file("cert.pem"), file("key.pem"));
    let listen = format!(
        "application:ensure_all_started(ssl), rabbit_networking:start_ssl_listener({{\"127.0.0.1\", {port}}}, \
         [{{certfile, \"{cert}\"}}, {{keyfile, \"{key}\"}}], 1)."
    );
    ctl(server, &["eval", &listen]);
    let plain = server.address();
    let (before, rest) = plain.split_once('@').unwrap();
    let (_, path) = rest.split_once('/').unwrap();
    format!("{}@127.0.0.1:{port}/{path}", before.replace("amqp://", "amqps://"))
}

#[tokio::test]
async fn tls_is_spoken_with_whom_one_trusts() {
    let Some(server) = shared().await else { return };
    if !certify(server.folder()) {
        return;
    }
    let (secured, ca) = (encrypt(server), server.folder().join("cert.pem").display().to_string());
    let client = broker(&format!("{secured}?ns=encrypted&ca={ca}")).await.open("client").await.unwrap();
    let secrets = Queue::new("secrets");
    client.declare(&secrets, &Policy::default()).await.unwrap();
    client.publish(&secrets, message("secret")).await.unwrap();
    assert_eq!(bodies(&*client, &secrets, Fetch::up_to(1).waiting(5_000)).await, ["secret"]);

    let why = refusal(&secured).await;
    assert!(why.contains("certificate"), "{why}");
    let why = refusal(&secured.replace("amqps://", "amqp://")).await;
    assert!(why.contains("is it amqps:// instead?") || why.contains("is the port one of TLS"), "{why}");
}

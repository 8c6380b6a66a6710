//! TLS: with certificates of one's own authorities, and where one side speaks it and the other does not.

use std::path::Path;
use std::process::Command;

use workwire_broker::{Policy, Queue};

use super::server::{Raw, message, no_way, open, take};
use crate::live::instance;

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

#[tokio::test]
async fn tls_is_spoken_with_whom_one_trusts() {
    let Some(redis) = instance("redis").await else { return };
    let folder = redis.folder().to_owned();
    if !certify(&folder) {
        return;
    }
    let mut raw = Raw::to(&redis.address()).await;
    let tls_port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let file = |name: &str| folder.join(name).display().to_string();
    raw.tell::<()>("CONFIG SET tls-auth-clients no").await;
    let (cert, key) = (file("cert.pem"), file("key.pem"));
    raw.tell::<()>(&format!(
        "CONFIG SET tls-cert-file {cert} tls-key-file {key} tls-ca-cert-file {cert} tls-port {tls_port}"
    ))
    .await;
    let plain = redis.address();
    let secured =
        plain.replace("redis://", "rediss://").replace(&format!(":{}", redis.port()), &format!(":{tls_port}"));

    let client = open(&format!("{secured}?ca={cert}")).await.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    client.publish(&tasks, message("secret")).await.unwrap();
    assert_eq!(take(&*client, &tasks).await.len(), 1);

    let why = no_way(&format!("{secured}?timeout_ms=1000")).await;
    assert!(why.contains("certificate is not trusted"), "{why}");
    let why = no_way(&format!("{}?timeout_ms=1000", plain.replace("redis://", "rediss://"))).await;
    assert!(why.contains("speaks no TLS there"), "{why}");
    let why = no_way(&format!("{}?timeout_ms=1000", secured.replace("rediss://", "redis://"))).await;
    assert!(why.contains("speaks TLS there"), "{why}");
    let why = no_way(&format!("{secured}?ca=/nowhere.pem")).await;
    assert!(why.starts_with("/nowhere.pem: "), "{why}");
}

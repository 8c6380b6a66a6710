//! TLS: with a certificate of one's own authority, and where one side speaks it and the other does not.

use std::path::Path;
use std::process::Command;

use workwire_broker::{Policy, Queue};

use super::server::{JETSTREAM, Server, message, no_way, open, take};

/// A certificate for the loopback that signs itself; none where there is no program for it.
fn certify(folder: &Path) {
    let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
                 -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE -keyout key.pem -out cert.pem";
    let done = Command::new("openssl").args(words.split_whitespace()).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test]
async fn tls_is_spoken_with_whom_one_trusts() {
    if Command::new("openssl").arg("version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "openssl is missing");
        eprintln!("not run: openssl is missing: apt-get install openssl");
        return;
    }
    let config = format!("{JETSTREAM}tls {{ cert_file: \"$FOLDER/cert.pem\", key_file: \"$FOLDER/key.pem\" }}\n");
    let Some(server) = Server::start_with(&config, certify) else { return };
    let secured = server.address().replace("nats://", "tls://");
    let ca = server.folder.join("cert.pem").display().to_string();
    let client = open(&format!("{secured}?ca={ca}")).await.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    client.publish(&tasks, message("secret")).await.unwrap();
    assert_eq!(take(&*client, &tasks).await.len(), 1);

    let why = no_way(&secured).await;
    assert!(why.contains("certificate"), "{why}");
    let why = no_way(&format!("{secured}?ca=/nowhere.pem")).await;
    assert!(why.contains("there is no file /nowhere.pem"), "{why}");

    let Some(plain) = Server::start(JETSTREAM) else { return };
    let why = no_way(&format!("{}?ca={ca}", plain.address().replace("nats://", "tls://"))).await;
    assert!(why.contains("speaks no TLS there"), "{why}");
}

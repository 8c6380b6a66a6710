//! Encryption, and whom to trust.

use std::path::Path;
use std::process::Command;

use workwire_broker::Instance;

use super::desk::{client, connection, in_time, message, open, refusal, server, taken, tasks};

/// A certificate of its own for 127.0.0.1, as `{name}.crt` and `{name}.key`. False where nothing makes one.
fn certificate(folder: &Path, name: &str) -> bool {
    let (certificate, key) = (folder.join(format!("{name}.crt")), folder.join(format!("{name}.key")));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-out")
        .arg(certificate)
        .arg("-keyout")
        .arg(key)
        .output();
    made.is_ok_and(|made| made.status.success())
}

/// Lets the server encrypt. False where that cannot be tried.
async fn encrypt(server: &Instance) -> bool {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let data = server.folder().join("data");
    if !certificate(&data, "server") {
        assert!(std::env::var_os("CI").is_none(), "openssl is not on this machine");
        eprintln!("not run: openssl is not on this machine");
        return false;
    }
    let owner = data.metadata().unwrap();
    for file in ["server.crt", "server.key"] {
        let file = data.join(file);
        std::os::unix::fs::chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let admin = connection(server).await;
    admin.batch_execute("ALTER SYSTEM SET ssl = on").await.unwrap();
    admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let encrypts = async {
        while connection(server).await.query_one("SHOW ssl", &[]).await.unwrap().get::<_, &str>(0) != "on" {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    in_time(encrypts).await;
    true
}

#[tokio::test]
async fn a_server_is_trusted_by_the_file_that_names_it_and_by_no_other() {
    let Some(server) = server().await else { return };
    if !encrypt(&server).await {
        return;
    }
    let data = server.folder().join("data");
    let with = |options: String| format!("{}?{options}", server.address());
    let own = with(format!("ca={}", data.join("server.crt").display()));
    for address in [with("sslmode=prefer".to_owned()), with("sslmode=require".to_owned()), own] {
        let broker = in_time(open(&address)).await.unwrap_or_else(|error| panic!("{error}"));
        let ada = client(&broker, "ada").await;
        ada.publish(&tasks(), message("dig")).await.unwrap();
        let found = taken(&*ada).await.remove(0);
        ada.settle(&tasks(), &found.tag, workwire_broker::Verdict::Done).await.unwrap();
        let encrypted = connection(&server)
            .await
            .query_one("SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND application_name = 'workwire'", &[])
            .await
            .unwrap();
        assert!(encrypted.get::<_, i64>(0) > 0);
        broker.shutdown().await.unwrap();
    }
    assert!(certificate(server.folder(), "other"));
    let other = with(format!("ca={}", server.folder().join("other.crt").display()));
    for address in [other, with("sslmode=verify-full".to_owned())] {
        let refused = in_time(refusal(&address)).await;
        assert!(refused.contains("TLS handshake") && refused.contains("certificate"), "{refused}");
    }
    let nothing = refusal(&with("ca=/nowhere/ca.pem".to_owned())).await;
    assert!(nothing.contains("ca: /nowhere/ca.pem"), "{nothing}");
}

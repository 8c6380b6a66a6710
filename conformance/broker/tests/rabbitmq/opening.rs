//! Addresses that cannot be used, and users who may not.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use workwire_broker::{Code, Fetch, Policy, Queue};

use super::tools::{as_user, broker, ctl, message, refusal, shared};

#[tokio::test]
async fn who_may_not_is_told_what() {
    let Some(server) = shared().await else { return };
    let address = server.address();

    let error = refusal(&as_user(&address, "nobody", "secret")).await;
    assert!(error.contains("ACCESS_REFUSED") && !error.contains("secret"), "{error}");
    let error = refusal(&address.replace("/%2f", "/elsewhere")).await;
    assert!(error.contains("vhost") && error.contains("elsewhere"), "{error}");
    let error = refusal(&address.replace("amqp://", "amqps://")).await;
    assert!(error.contains("is it amqp:// instead?"), "{error}");
    let error = refusal(&format!("{}?ca=/nowhere.pem", address.replace("amqp://", "amqps://"))).await;
    assert!(error.contains("ca: /nowhere.pem: "), "{error}");

    let owner = broker(&address).await;
    let (tasks, client) = (Queue::new("tasks"), owner.open("owner").await.unwrap());
    client.declare(&tasks, &Policy::default()).await.unwrap();
    client.publish(&tasks, message("to do")).await.unwrap();
    for (user, permissions) in
        [("maker", ["", ".*", ".*"]), ("writer", [".*", "", ".*"]), ("reader", [".*", ".*", "policy$"])]
    {
        ctl(server, &["add_user", user, "word"]);
        let [configure, write, read] = permissions;
        ctl(server, &["set_permissions", user, configure, write, read]);
    }
    let client_of = async |user: &str| broker(&as_user(&address, user, "word")).await.open(user).await.unwrap();
    let maker = client_of("maker").await;
    let error = maker.declare(&Queue::new("others"), &Policy::default()).await.unwrap_err();
    assert!(error.code() == Code::Forbidden && error.message().contains("ACCESS_REFUSED"), "{error}");
    let writer = client_of("writer").await;
    let error = writer.publish(&tasks, message("no")).await.unwrap_err();
    assert!(error.code() == Code::Forbidden && error.message().contains("ACCESS_REFUSED"), "{error}");
    let reader = client_of("reader").await;
    let error = reader.fetch(&tasks, Fetch::up_to(1)).await.unwrap_err();
    assert!(error.code() == Code::Forbidden && error.message().contains("ACCESS_REFUSED"), "{error}");
    // Nobody took the message, and nobody put a second one there.
    assert_eq!(client.depth(&tasks, None).await.unwrap().ready, 1);
}

#[tokio::test]
async fn a_queue_of_somebody_elses_is_a_conflict_and_left_as_it_is() {
    let Some(server) = shared().await else { return };
    let owner = broker(&format!("{}?ns=elses&queue=quorum", server.address())).await;
    let tasks = Queue::new("tasks");
    let client = owner.open("owner").await.unwrap();
    client.declare(&tasks, &Policy::default()).await.unwrap();
    client.publish(&tasks, message("to do")).await.unwrap();
    let other = broker(&format!("{}?ns=elses", server.address())).await;
    let error = other.open("other").await.unwrap().declare(&tasks, &Policy::default()).await.unwrap_err();
    assert!(error.code() == Code::Conflict && error.message().contains("elses:tasks"), "{error}");
    let error = other.open("another").await.unwrap();
    let error = error.declare(&tasks, &Policy { max_attempts: 9, ..Policy::default() }).await.unwrap_err();
    assert!(error.code() == Code::Conflict && error.message().contains("another policy"), "{error}");
    assert_eq!(client.depth(&tasks, None).await.unwrap().ready, 1);
}

/// A server that says these bytes to whoever comes, and nothing more.
async fn saying(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut heard = [0; 8];
            let _ = stream.read_exact(&mut heard).await;
            let _ = stream.write_all(bytes).await;
        }
    });
    format!("amqp://127.0.0.1:{port}/?timeout_ms=500")
}

#[tokio::test]
async fn what_is_no_server_of_ours_is_told_apart() {
    let old = b"\x01\0\0\0\0\0\x31\0\x0a\0\x0a\0\x09\0\0\0\x27\x07productS\0\0\0\x08RabbitMQ\x07versionS\0\0\0\x053.5.7\xce\xce\xce";
    let error = refusal(&saying(old).await).await;
    assert!(error.contains("expected RabbitMQ of at least 3.8, found RabbitMQ 3.5.7"), "{error}");
    let error = refusal(&saying(b"\x15\x03\x03\0\x02\x02\x0a").await).await;
    assert!(error.contains("is it amqps:// instead?"), "{error}");
    let error = refusal(&saying(b"HTTP/1.1 400 Bad Request\r\n").await).await;
    assert!(error.contains("found something else"), "{error}");
    let error = refusal(&saying(b"").await).await;
    assert!(error.contains("is the port one of TLS"), "{error}");
}

//! What cannot be opened or done says why, and no password.

use workwire_broker::{Code, Fetch, Instance};

use super::desk::{address, client, connection, in_time, message, open, refusal, server, tasks};

#[tokio::test]
async fn a_server_that_does_not_let_us_in_is_quoted() {
    let Some(server) = server().await else { return };
    let admin = connection(&server).await;
    admin
        .batch_execute(
            "CREATE ROLE guest LOGIN PASSWORD 'guest-secret'; CREATE ROLE few LOGIN PASSWORD 'few-secret' CONNECTION LIMIT 0;
             CREATE SCHEMA private",
        )
        .await
        .unwrap();
    for (address, wanted) in [
        (address(&server, "guest:wrong-secret", "postgres"), "the password of user \"guest\" is wrong"),
        (address(&server, "guest", "postgres"), "user \"guest\" needs a password, and none is given"),
        (address(&server, "guest:guest-secret", "nowhere"), "there is no database \"nowhere\""),
        (address(&server, "few:few-secret", "postgres"), "the server has no connection left"),
        (address(&server, "guest:guest-secret", "postgres"), "user \"guest\" may not make or use schema workwire"),
        (
            address(&server, "guest:guest-secret", "postgres?schema=private"),
            "user \"guest\" may not make or use schema private",
        ),
        ("postgres://me:my-secret@127.0.0.1:1/x".to_owned(), "postgres at 127.0.0.1:1: error connecting to server"),
        (
            address(&server, "guest:guest-secret", "postgres?sslmode=require"),
            "the server does not encrypt, and sslmode asks for it",
        ),
    ] {
        let refused = in_time(refusal(&address)).await;
        assert!(refused.contains(wanted) && !refused.contains("secret"), "{wanted}: {refused}");
    }
}

#[tokio::test]
async fn tables_of_another_program_or_of_a_newer_version_are_left_alone() {
    let Some(server) = server().await else { return };
    let admin = connection(&server).await;
    admin
        .batch_execute(
            "CREATE SCHEMA shop; CREATE TABLE shop.orders (id int);
             CREATE SCHEMA site; CREATE TABLE site.about (text text); INSERT INTO site.about VALUES ('us')",
        )
        .await
        .unwrap();
    for schema in ["shop", "site"] {
        let refused = refusal(&format!("{}?schema={schema}", server.address())).await;
        let wanted = format!("schema {schema}: the tables of another program are in it");
        assert!(refused.contains(&wanted), "{refused}");
    }
    drop(open(&server.address()).await.unwrap());
    admin.batch_execute("UPDATE workwire.about SET version = 99").await.unwrap();
    let refused = refusal(&server.address()).await;
    assert!(refused.contains("its tables are of version 99, made by a newer program; this one knows 1"), "{refused}");
}

/// A publish while the server refuses it for a reason of its own, and one afterwards.
async fn publish_refused(server: &Instance, begin: &str, end: &str) -> (Code, String) {
    let broker = open(&server.address()).await.unwrap();
    let ada = client(&broker, "ada").await;
    let admin = connection(server).await;
    admin.batch_execute(begin).await.unwrap();
    let refused = ada.publish(&tasks(), message("lost")).await.unwrap_err();
    admin.batch_execute(end).await.unwrap();
    ada.publish(&tasks(), message("kept")).await.unwrap();
    let there = ada.fetch(&tasks(), Fetch::up_to(10)).await.unwrap();
    assert_eq!(there.iter().map(|one| &one.body[..]).collect::<Vec<_>>(), [b"kept"]);
    (refused.code(), refused.message().to_owned())
}

#[tokio::test]
async fn a_full_disk_is_full_and_nothing_is_stored() {
    let Some(server) = server().await else { return };
    let begin = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$;
                 CREATE TRIGGER full_disk BEFORE INSERT ON workwire.message EXECUTE FUNCTION full_disk()";
    let (code, said) = publish_refused(&server, begin, "DROP TRIGGER full_disk ON workwire.message").await;
    assert!(code == Code::Full && said.contains("the server's disk is full"), "{code}: {said}");
}

#[tokio::test]
async fn what_is_not_allowed_any_more_is_forbidden() {
    let Some(server) = server().await else { return };
    let begin = "CREATE FUNCTION closed() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'permission denied' USING ERRCODE = 'insufficient_privilege'; END $$;
                 CREATE TRIGGER closed BEFORE INSERT ON workwire.message EXECUTE FUNCTION closed()";
    let (code, said) = publish_refused(&server, begin, "DROP TRIGGER closed ON workwire.message").await;
    assert!(code == Code::Forbidden && said.contains("permission denied"), "{code}: {said}");
}

#[tokio::test]
async fn a_lock_that_is_held_too_long_ends_the_wait() {
    let Some(server) = server().await else { return };
    let broker = open(&format!("{}?timeout_ms=700", server.address())).await.unwrap();
    let ada = client(&broker, "ada").await;
    let admin = connection(&server).await;
    admin.batch_execute("BEGIN; LOCK TABLE workwire.message IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let refused = in_time(ada.publish(&tasks(), message("late"))).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    admin.batch_execute("ROLLBACK").await.unwrap();
    ada.publish(&tasks(), message("in time")).await.unwrap();
}

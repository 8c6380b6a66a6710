//! Many processes open a database that has no tables yet.

use super::desk::{client, connection, in_time, message, open, server, taken, tasks};

#[tokio::test]
async fn many_at_once_make_the_tables_once() {
    let Some(server) = server().await else { return };
    let address = format!("{}?schema=jobs&pool=2", server.address());
    let opening: Vec<_> =
        (0..8).map(|_| address.clone()).map(|address| tokio::spawn(async move { open(&address).await })).collect();
    let mut brokers = Vec::new();
    for opened in opening {
        brokers.push(in_time(opened).await.unwrap().unwrap());
    }
    let ada = client(&brokers[0], "ada").await;
    ada.publish(&tasks(), message("dig")).await.unwrap();
    let bob = client(&brokers[7], "bob").await;
    assert_eq!(&taken(&*bob).await[0].body[..], b"dig");
    let versions = connection(&server).await.query("SELECT version FROM jobs.about", &[]).await.unwrap();
    assert_eq!(versions.iter().map(|row| row.get(0)).collect::<Vec<i32>>(), [1]);
}

#[tokio::test]
async fn a_user_who_may_only_use_the_tables_uses_them() {
    let Some(server) = server().await else { return };
    drop(open(&server.address()).await.unwrap());
    let admin = connection(&server).await;
    admin
        .batch_execute(
            "CREATE ROLE worker LOGIN PASSWORD 'w'; GRANT USAGE ON SCHEMA workwire TO worker;
             GRANT ALL ON ALL TABLES IN SCHEMA workwire TO worker; GRANT ALL ON ALL SEQUENCES IN SCHEMA workwire TO worker",
        )
        .await
        .unwrap();
    let broker = open(&super::desk::address(&server, "worker:w", "postgres")).await.unwrap();
    let ada = client(&broker, "ada").await;
    ada.publish(&tasks(), message("dig")).await.unwrap();
    assert_eq!(&taken(&*ada).await[0].body[..], b"dig");
}

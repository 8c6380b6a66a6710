//! Files that cannot be opened say why, and stay as they are; files that can be are their owner's.

use std::time::Duration;

use workwire_broker::{Broker as _, Code, Fetch, Message, Policy, SqliteBroker, SqliteOptions};

use super::folder::{Folder, client, tasks};

fn refused(options: SqliteOptions) -> String {
    let error = SqliteBroker::open(options).unwrap_err();
    assert!(!error.is_wrong_use());
    error.to_string()
}

fn says(folder: &Folder, wanted: &str) {
    let before = std::fs::read(folder.file()).unwrap();
    let error = refused(SqliteOptions { busy_timeout: Duration::from_millis(50), ..SqliteOptions::at(folder.file()) });
    assert!(error.contains("work.db: ") && error.contains(wanted), "{error}");
    assert_eq!(std::fs::read(folder.file()).unwrap(), before, "the file was changed");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = Folder::new();
    std::fs::write(folder.file(), "Dear diary, ".repeat(100)).unwrap();
    says(&folder, "this is no SQLite file");
}

#[test]
fn a_file_of_another_program_is_refused() {
    let folder = Folder::new();
    folder.sql().execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    says(&folder, "the tables of another program");
}

#[test]
fn a_file_of_another_programs_kind_is_refused_even_when_it_is_empty() {
    let folder = Folder::new();
    folder.sql().execute_batch("PRAGMA application_id = 77").unwrap();
    says(&folder, "the tables of another program");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let folder = Folder::new();
    folder.broker().shutdown().await.unwrap();
    folder.sql().execute_batch("PRAGMA user_version = 99").unwrap();
    says(&folder, "version 99, made by a newer program; this one knows 1");
}

#[tokio::test]
async fn a_file_whose_tables_are_broken_is_reported_and_not_skipped_over() {
    let folder = Folder::new();
    let broker = folder.broker();
    let client = client(&broker, Policy::default()).await;
    for _ in 0..200 {
        client.publish(&tasks(), Message::new(uuid::Uuid::now_v7(), vec![1; 600])).await.unwrap();
    }
    drop(client);
    broker.shutdown().await.unwrap();
    // All pages but the first, which says what kind of file it is.
    let mut bytes = std::fs::read(folder.file()).unwrap();
    bytes[4096..].fill(0xA5);
    std::fs::write(folder.file(), bytes).unwrap();
    let found = match SqliteBroker::open(SqliteOptions::at(folder.file())) {
        Err(error) => error.to_string(),
        Ok(broker) => {
            let client = broker.open("client").await.unwrap();
            let error = client.fetch(&tasks(), Fetch::up_to(1)).await.unwrap_err();
            assert_eq!(error.code(), Code::Unavailable);
            error.to_string()
        }
    };
    assert!(found.contains("corrupt"), "{found}");
}

#[tokio::test]
async fn a_file_that_another_process_keeps_locked_is_said_to_be() {
    let folder = Folder::new();
    let broker = SqliteBroker::open(SqliteOptions {
        busy_timeout: Duration::from_millis(50),
        ..SqliteOptions::at(folder.file())
    })
    .unwrap();
    let client = client(&broker, Policy::default()).await;
    let other = folder.sql();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = client.publish(&tasks(), Message::new(uuid::Uuid::now_v7(), "one")).await.unwrap_err();
    assert!(error.is_indefinite() && error.message().contains("locked by another process"), "{error}");
    other.execute_batch("COMMIT").unwrap();
    client.publish(&tasks(), Message::new(uuid::Uuid::now_v7(), "two")).await.unwrap();
    assert_eq!(client.depth(&tasks(), None).await.unwrap().ready, 1, "what was refused was not stored");
}

#[test]
fn a_file_in_no_folder_is_refused() {
    let error = refused(SqliteOptions::at("/nowhere/at/all/work.db"));
    assert!(error.starts_with("/nowhere/at/all/work.db: the file cannot be made"), "{error}");
}

#[test]
fn a_folder_is_no_file() {
    let folder = Folder::new();
    let error = refused(SqliteOptions::at(folder.path()));
    assert!(error.contains("the file cannot be opened"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_store_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let broker = folder.broker();
    let client = client(&broker, Policy::default()).await;
    client.publish(&tasks(), Message::new(uuid::Uuid::now_v7(), "one")).await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{:?} has mode {mode:o}", entry.file_name());
    }
}

#[tokio::test]
async fn a_temporary_store_is_gone_at_the_end() {
    let broker = SqliteBroker::open(SqliteOptions::temporary()).unwrap();
    let folder = broker.path().parent().unwrap().to_owned();
    assert!(folder.exists());
    broker.shutdown().await.unwrap();
    drop(broker);
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_store_that_was_closed_leaves_one_file() {
    let folder = Folder::new();
    let broker = folder.broker();
    let client = client(&broker, Policy::default()).await;
    client.publish(&tasks(), Message::new(uuid::Uuid::now_v7(), "one")).await.unwrap();
    drop(client);
    broker.shutdown().await.unwrap();
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["work.db"]);
}

//! The life of an instance.

use std::os::unix::fs::PermissionsExt;

use workwire_broker::{Engine, Instance, Managed};

use super::bytes::told;
use super::left::{is_gone, members};
use crate::live::instance;

#[tokio::test]
async fn what_redis_confirmed_is_there_after_each_of_its_deaths() {
    let Some(mut redis) = instance("redis").await else { return };
    let port = redis.port();
    assert!(told(&redis, "SET word kept").contains("+OK\r\n+OK"), "it takes the word");
    redis.kill().await.unwrap();
    assert!(redis.processes().is_empty() && std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    redis.start_again().await.unwrap();
    assert_eq!(redis.port(), port);
    assert!(told(&redis, "GET word").contains("kept"), "killed");
    redis.stop().await.unwrap();
    redis.start_again().await.unwrap();
    assert!(told(&redis, "GET word").contains("kept"), "stopped");
    assert!(told(&redis, "CONFIG GET appendfsync").contains("always"));
}

#[tokio::test]
async fn a_paused_one_answers_when_it_goes_on() {
    let Some(mut redis) = instance("redis").await else { return };
    redis.pause();
    let port = redis.port();
    let answered = tokio::task::spawn_blocking(move || {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
        stream.write_all(b"PING\r\n").unwrap();
        stream.read(&mut [0; 9]).is_ok()
    });
    assert!(!answered.await.unwrap());
    redis.resume();
    assert!(told(&redis, "PING").contains("+PONG"));
}

#[tokio::test]
async fn its_settings_are_those_that_were_asked_for() {
    let Some(redis) = instance("redis?appendfsync=everysec&maxmemory=5mb").await else { return };
    assert!(told(&redis, "CONFIG GET appendfsync").contains("everysec"));
    assert!(told(&redis, "CONFIG GET maxmemory").contains("5242880"));
    assert!(!redis.is_safe());
}

#[tokio::test]
async fn each_engine_dies_and_comes_back() {
    let lives = Engine::ALL.iter().map(|engine| tokio::spawn(lives(*engine))).collect::<Vec<_>>();
    for life in lives {
        life.await.unwrap();
    }
}

async fn lives(engine: Engine) {
    let Some(mut server) = instance(engine.as_str()).await else { return };
    let folder = server.folder().to_owned();
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700, "{engine}");
    assert!(server.port() < 32_768 && only_on_the_loopback(&server), "{engine}");
    let password = server.address();
    let password = password.split_once('@').unwrap().0.rsplit_once(':').unwrap().1;
    assert!(!format!("{server:?}{}", server.log()).contains(password), "{engine}");
    for _ in 0..2 {
        let before = server.processes();
        server.kill().await.unwrap();
        assert!(members(&folder).is_empty(), "{engine}: {:?}", members(&folder));
        server.start_again().await.unwrap();
        assert_ne!(server.processes(), before, "{engine}");
    }
    server.stop().await.unwrap();
    assert!(members(&folder).is_empty(), "{engine}: {:?}", members(&folder));
    server.start_again().await.unwrap();
    drop(server);
    assert!(is_gone(&folder), "{engine}: {:?}", members(&folder));
}

#[tokio::test]
async fn one_that_does_not_start_says_how_its_log_ends() {
    // Redis knows letters and digits that are no size.
    let error = Managed::parse("redis?maxmemory=plenty").unwrap().start().await.err().unwrap().to_string();
    if error.contains("is not on this machine") {
        return;
    }
    assert!(error.starts_with("managed:redis: the server ended with"), "{error}");
    assert!(error.contains("its log ends: ") && error.contains("maxmemory"), "{error}");
}

/// Whether every socket that its processes listen at is of the loopback.
#[cfg(target_os = "linux")]
fn only_on_the_loopback(server: &Instance) -> bool {
    let loopback = "0100007F:";
    let port = format!("{:04X}", server.port());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let own = table.lines().filter_map(|line| line.split_whitespace().nth(1)).filter(|local| local.ends_with(&port));
    own.map(str::to_owned).all(|local| local.starts_with(loopback))
}

#[cfg(not(target_os = "linux"))]
fn only_on_the_loopback(_server: &Instance) -> bool {
    true
}

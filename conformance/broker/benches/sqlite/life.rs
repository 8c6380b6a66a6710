//! The whole life of messages: published, fetched, done.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rusqlite::params;
use tokio::runtime::Runtime;
use uuid::Uuid;
use workwire_broker::{Broker as _, Durability, Fetch, Message, Verdict};

use super::bare::{self, Insert};
use super::figures::{self, Folder, median, spread};

const MESSAGES: usize = 80_000;
const ROUNDS: usize = 5;

pub(crate) fn run(runtime: &Runtime) {
    println!("\nlife, 600 B: publish, fetch, done");
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let our = workwire(runtime, Durability::Full);
        let their = bare_loop(runtime, Durability::Normal);
        ours.push(our);
        theirs.push(their);
        ratios.push(our / their);
    }
    println!(
        "8 producers and 8 consumers in batches of 100, FULL: {:.0}/s; bare loop in batches of 100, NORMAL: {:.0}/s; ratio {}",
        median(ours),
        median(theirs),
        spread(ratios)
    );
    let single: Vec<f64> = (0..3).map(|_| one_at_a_time(runtime)).collect();
    println!("one message at a time, one producer that consumes too, FULL: {:.0}/s", median(single));
}

fn workwire(runtime: &Runtime, durability: Durability) -> f64 {
    let folder = Folder::new();
    let (broker, client) = runtime.block_on(figures::broker(folder.file("w.db"), durability));
    let done = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let client = Arc::clone(&client);
        tasks.push(runtime.spawn(async move {
            let (queue, body) = (figures::queue(), figures::body());
            for _ in 0..MESSAGES / 800 {
                let messages = (0..100).map(|_| Message::new(Uuid::now_v7(), body.clone())).collect();
                for stored in client.publish_batch(&queue, messages).await.unwrap() {
                    stored.unwrap();
                }
            }
        }));
    }
    for _ in 0..8 {
        let (client, done) = (Arc::clone(&client), Arc::clone(&done));
        tasks.push(runtime.spawn(async move {
            let queue = figures::queue();
            let mut settling = VecDeque::new();
            while done.load(Ordering::Relaxed) < MESSAGES {
                let deliveries = client.fetch(&queue, Fetch::up_to(100).waiting(20)).await.unwrap();
                let settled: Vec<_> = deliveries.into_iter().map(|delivery| (delivery.tag, Verdict::Done)).collect();
                if !settled.is_empty() {
                    let (client, queue, done) = (Arc::clone(&client), queue.clone(), Arc::clone(&done));
                    // The next are fetched while these are settled.
                    settling.push_back(tokio::spawn(async move {
                        let count = settled.len();
                        for answer in client.settle_many(&queue, settled).await.unwrap() {
                            answer.unwrap();
                        }
                        done.fetch_add(count, Ordering::Relaxed);
                    }));
                }
                while settling.len() > 2 {
                    settling.pop_front().unwrap().await.unwrap();
                }
            }
            for task in settling {
                task.await.unwrap();
            }
        }));
    }
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    let rate = MESSAGES as f64 / start.elapsed().as_secs_f64();
    let depth = runtime.block_on(client.depth(&figures::queue(), None)).unwrap();
    assert_eq!((depth.ready, depth.leased), (0, Some(0)));
    drop(client);
    runtime.block_on(broker.shutdown()).unwrap();
    rate
}

/// In batches of 100: insert, take with what comes back, remove.
fn bare_loop(runtime: &Runtime, durability: Durability) -> f64 {
    let folder = Folder::new();
    let connection = bare::open(runtime, &folder.file("b.db"), durability);
    let mut insert = Insert::new(&connection);
    let prepare = |sql| connection.prepare(sql).unwrap();
    let mut take = prepare(
        "DELETE FROM ready WHERE (place, recipient, rank, seq) IN
         (SELECT place, recipient, rank, seq FROM ready WHERE place = 1 AND recipient = '' ORDER BY rank, seq LIMIT 100)
         RETURNING seq",
    );
    let mut hold = prepare(
        "INSERT INTO held (place, seq, client, delivery, attempt, until, delivered_at, consumer)
         VALUES (1, ?1, 1, 1, 1, ?2, ?2, 'c')",
    );
    let mut read = prepare("SELECT id, body FROM message WHERE seq = ?1");
    let mut done = prepare("DELETE FROM held WHERE place = 1 AND seq = ?1");
    let mut fade = prepare("INSERT INTO fading (forget_at, seq, queue, id) VALUES (?1, ?2, 1, ?3)");
    let mut remove = prepare("DELETE FROM message WHERE seq = ?1");
    let body = figures::body();
    let start = Instant::now();
    let mut seq = 1;
    for _ in 0..MESSAGES / 100 {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for _ in 0..100 {
            insert.run(seq, Uuid::now_v7(), &body, 1);
            seq += 1;
        }
        connection.execute_batch("COMMIT; BEGIN IMMEDIATE").unwrap();
        let taken: Vec<i64> = take.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let taken: Vec<(i64, Uuid)> = taken
            .into_iter()
            .map(|seq| {
                hold.execute([seq, 30_000]).unwrap();
                let read = read.query_row([seq], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)));
                let (id, body): (Uuid, Vec<u8>) = read.unwrap();
                assert_eq!(body.len(), 600);
                (seq, id)
            })
            .collect();
        connection.execute_batch("COMMIT; BEGIN IMMEDIATE").unwrap();
        for (seq, id) in taken {
            done.execute([seq]).unwrap();
            fade.execute(params![300_000, seq, id]).unwrap();
            remove.execute([seq]).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
    }
    MESSAGES as f64 / start.elapsed().as_secs_f64()
}

fn one_at_a_time(runtime: &Runtime) -> f64 {
    let folder = Folder::new();
    let (broker, client) = runtime.block_on(figures::broker(folder.file("w.db"), Durability::Full));
    let count = 2_000;
    let rate = runtime.block_on(async {
        let (queue, body) = (figures::queue(), figures::body());
        let start = Instant::now();
        for _ in 0..count {
            client.publish(&queue, Message::new(Uuid::now_v7(), body.clone())).await.unwrap();
            let delivery = client.fetch(&queue, Fetch::up_to(1)).await.unwrap().remove(0);
            client.settle(&queue, &delivery.tag, Verdict::Done).await.unwrap();
        }
        f64::from(count) / start.elapsed().as_secs_f64()
    });
    drop(client);
    runtime.block_on(broker.shutdown()).unwrap();
    rate
}

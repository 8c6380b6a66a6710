//! Adapters that end when they should not, do not end when they should, and leave others behind.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::timeout;
use workwire_broker::adapter::{AdapterBroker, AdapterOptions, Finding, FindingKind};
use workwire_broker::{Broker, Client, Code, Queue};

use super::misbehaviour::started;
use super::soon::{soon, until};

/// The process that the adapter started, as its log tells.
async fn child_of(broker: &AdapterBroker) -> Pid {
    let number = |log: String| log.lines().find_map(|line| line.strip_prefix("child ")?.parse::<i32>().ok());
    until("the log names the child", || number(broker.log()).is_some()).await;
    Pid::from_raw(number(broker.log()).unwrap()).unwrap()
}

/// Whether a process runs. One that has ended may still be listed, where nobody fetches it.
fn runs(process: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
    stat.is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with(['Z', 'X']))
}

/// Once it has ended early: everything is unavailable, at once, and so is the shutdown.
async fn is_over(broker: &AdapterBroker, client: &dyn Client) {
    let queue = Queue::new("q");
    for _ in 0..2 {
        let error = soon("an error", client.depth(&queue, None)).await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
    }
    assert!(soon("an error", broker.open("b")).await.is_err());
    assert!(soon("the end", broker.shutdown()).await.is_err());
}

#[tokio::test]
async fn an_early_end_is_found_with_its_status_and_the_end_of_its_log() {
    for (way, words, excerpt) in [
        (
            "exit",
            "the adapter ended with exit status: 3 before it was told to; 2 requests were not answered; its log ends: out of luck[31m",
            "out of luck[31m",
        ),
        (
            "exit_well",
            "the adapter ended with exit status: 0 before it was told to; 2 requests were not answered",
            "out of luck[31m",
        ),
        ("kill", "the adapter ended with signal: 9 (SIGKILL) before it was told to; 2 requests were not answered", ""),
        ("close_output", "the adapter closed its output before it was told to; 2 requests were not answered", ""),
    ] {
        let (broker, client) = started(way, &AdapterOptions::default()).await;
        let queue = Queue::new("q");
        // The second is never read: it is outstanding all the same.
        let (first, second) =
            soon(way, async { tokio::join!(client.depth(&queue, None), client.depth(&queue, None)) }).await;
        assert!(first.unwrap_err().is_indefinite() && second.unwrap_err().is_indefinite(), "{way}");
        is_over(&broker, &*client).await;
        let findings = broker.findings();
        assert_eq!(findings.len(), 1, "{way}: {findings:#?}");
        let Finding { kind, line, excerpt: found, message } = &findings[0];
        assert_eq!((*kind, *line, &**found), (FindingKind::EarlyExit, None, excerpt), "{way}");
        assert!(message.starts_with(words), "{way}: {message}");
    }
}

#[tokio::test]
async fn what_was_said_before_the_end_is_read() {
    let (broker, client) = started("half_a_line", &AdapterOptions::default()).await;
    soon("an error", client.depth(&Queue::new("q"), None)).await.unwrap_err();
    let kinds: Vec<_> = broker.findings().into_iter().map(|found| (found.kind, found.line)).collect();
    assert_eq!(kinds, [(FindingKind::NotJson, Some(3)), (FindingKind::EarlyExit, None)]);
    assert_eq!(broker.log(), "out of luck[31m\n");
}

#[tokio::test]
async fn an_adapter_that_closes_its_input_is_found_when_it_is_written_to() {
    let (broker, client) = started("close_input", &AdapterOptions::default()).await;
    let queue = Queue::new("q");
    soon("the last answer", client.depth(&queue, None)).await.unwrap();
    // When exactly it closes it, nobody can say; until then a request is just not answered.
    soon("an error", async {
        let patience = Duration::from_millis(20);
        while !matches!(timeout(patience, client.depth(&queue, None)).await, Ok(Err(_))) {}
    })
    .await;
    let findings = broker.findings();
    let found = findings.last().unwrap();
    assert_eq!(found.kind, FindingKind::EarlyExit, "{found}");
    assert!(found.message.starts_with("the adapter closed its input before it was told to"), "{found}");
    is_over(&broker, &*client).await;
}

#[tokio::test]
async fn a_bad_end_is_found() {
    let patient = AdapterOptions::default();
    let hasty = AdapterOptions { grace: Duration::from_millis(200), ..AdapterOptions::default() };
    let short = AdapterOptions { limit: Duration::from_secs(3), ..AdapterOptions::default() };
    for (way, options, kinds, words) in [
        (
            "exit_other",
            &patient,
            &[FindingKind::BadExit][..],
            "expected it to end with status 0 after shutdown: the adapter ended with exit status: 5; its log ends: out of luck",
        ),
        ("stay", &hasty, &[FindingKind::BadExit], "expected it to end within 200ms after shutdown, and had to kill it"),
        ("no_shutdown", &short, &[FindingKind::Silence], "no answer to shutdown, request 4, within 3s"),
    ] {
        let (broker, client) = started(way, options).await;
        soon(way, client.depth(&Queue::new("q"), None)).await.unwrap();
        let answer = soon(way, broker.shutdown()).await;
        assert_eq!(answer.is_err(), way == "no_shutdown", "{way}: {answer:?}");
        let findings = broker.findings();
        let found: Vec<_> = findings.iter().map(|found| found.kind).collect();
        assert_eq!(found, kinds, "{way}: {findings:#?}");
        assert!(findings[0].message.starts_with(words), "{way}: {}", findings[0].message);
    }
}

#[tokio::test]
async fn a_right_end_leaves_no_finding() {
    let (broker, client) = started("right", &AdapterOptions::default()).await;
    soon("an answer", client.depth(&Queue::new("q"), None)).await.unwrap();
    soon("the end", broker.shutdown()).await.unwrap();
    assert_eq!(broker.findings(), []);
}

#[tokio::test]
async fn children_that_are_left_behind_are_found_and_killed() {
    for way in ["child", "silent_child"] {
        let (broker, client) = started(way, &AdapterOptions::default()).await;
        soon(way, client.depth(&Queue::new("q"), None)).await.unwrap();
        let child = child_of(&broker).await;
        assert!(runs(child), "{way}");
        soon("the end", broker.shutdown()).await.unwrap();
        until("the child is killed", || !runs(child)).await;
        let findings = broker.findings();
        assert_eq!(findings.len(), 1, "{way}: {findings:#?}");
        assert_eq!(findings[0].kind, FindingKind::LeftBehind);
        assert!(findings[0].message.contains("processes of its group were alive"), "{}", findings[0].message);
    }
}

#[tokio::test]
async fn a_child_that_left_the_group_and_holds_the_output_holds_nobody_up() {
    let (broker, client) = started("child_of_its_own", &AdapterOptions::default()).await;
    soon("an answer", client.depth(&Queue::new("q"), None)).await.unwrap();
    let child = child_of(&broker).await;
    soon("the end", broker.shutdown()).await.unwrap();
    let findings = broker.findings();
    assert!(runs(child), "it is beyond our reach");
    kill_process(child, Signal::KILL).unwrap();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].kind, FindingKind::LeftBehind);
    assert!(findings[0].message.ends_with("something held its output open"), "{}", findings[0].message);
}

#[tokio::test]
async fn an_early_end_with_a_child_that_holds_the_output_is_seen_all_the_same() {
    let (broker, client) = started("exit_with_child", &AdapterOptions::default()).await;
    let error = soon("an error", client.depth(&Queue::new("q"), None)).await.unwrap_err();
    assert!(error.message().contains("exit status: 3"), "{error}");
    let child = child_of(&broker).await;
    until("the child is killed", || !runs(child)).await;
    let mut kinds: Vec<_> = broker.findings().into_iter().map(|found| found.kind).collect();
    kinds.sort();
    assert_eq!(kinds, [FindingKind::EarlyExit, FindingKind::LeftBehind]);
    is_over(&broker, &*client).await;
}

#[tokio::test]
async fn a_dropped_broker_kills_the_adapter_and_its_children() {
    let (broker, client) = started("child", &AdapterOptions::default()).await;
    soon("an answer", client.depth(&Queue::new("q"), None)).await.unwrap();
    let child = child_of(&broker).await;
    drop(broker);
    until("the child is killed", || !runs(child)).await;
    assert!(soon("an error", client.depth(&Queue::new("q"), None)).await.unwrap_err().is_indefinite());
}

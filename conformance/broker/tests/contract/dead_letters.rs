//! What failed too often or was given up: kept aside, whole, with its reason.

use workwire_broker::clock::timestamp;
use workwire_broker::{CloseMode, Code, Fetch, MEBIBYTE, Message, Policy, Purge, RestartMode, Verdict};

use super::desk::{Counts, START, World, id, letter_numbers, message, refused, run, with_priority, with_ttl};

crate::subjects::each_broker![run:
    attempts_used_up_moves_it_exactly_then,
    dead_moves_it_at_once,
    a_letter_keeps_all_of_its_message,
    the_reason_is_the_one_given,
    the_reason_is_the_last_retrys_where_none_is_given,
    the_reason_is_the_brokers_own_where_nobody_gave_one,
    a_long_reason_is_cut,
    it_is_there_once,
    it_survives_a_restart,
    listing_consumes_nothing,
    a_list_holds_no_more_than_max,
    a_list_holds_eight_mebibytes_and_always_one,
    ten_malformed_make_ten_letters,
    the_queue_goes_on_behind_a_poison_message,
    a_letter_never_expires,
    used_up_attempts_go_before_expiry,
    letters_come_in_the_order_of_dying,
    leases_that_end_together_die_in_the_order_of_delivery,
    a_letter_of_an_ended_lease_died_with_its_lease,
    a_letter_is_not_fetched_nor_seen,
    two_letters_of_one_id_are_two,
    an_addressed_letter_goes_back_to_its_recipient,
];

async fn attempts_used_up_moves_it_exactly_then(world: World) {
    let desk = world.desk(Policy { max_attempts: 3, ..Policy::default() }).await;
    desk.put(message(1)).await;
    for _ in 1..=2 {
        desk.retry(&desk.one().await).await;
        assert!(desk.letters().await.is_empty());
    }
    let last = desk.one().await;
    assert_eq!((last.attempt, desk.letters().await.len()), (3, 0));
    desk.retry(&last).await;
    assert_eq!(letter_numbers(&desk.letters().await), [1]);
    assert_eq!(desk.depth().await, Counts { dead: 1, ..Counts::NONE });
}

async fn dead_moves_it_at_once(world: World) {
    let desk = world.desk(Policy { max_attempts: 3, ..Policy::default() }).await;
    desk.bury(1, "malformed").await;
    assert_eq!(letter_numbers(&desk.letters().await), [1]);
    assert_eq!(desk.letters().await[0].attempts, 1);
}

async fn a_letter_keeps_all_of_its_message(world: World) {
    let desk = world.desk(Policy::default()).await;
    let body: Vec<u8> = (0..=255).collect();
    desk.put(Message { priority: Some(4), ..Message::new(id(1), body.clone()) }).await;
    desk.advance(50);
    desk.retry(&desk.one().await).await;
    let taken = desk.one().await;
    desk.advance(25);
    desk.dead(&taken, "wrong shape").await;
    desk.advance(25);
    let letter = desk.letters().await.remove(0);
    assert_eq!((letter.id, letter.body == body, letter.priority), (id(1), true, Some(4)));
    assert_eq!((letter.reason.as_str(), letter.attempts, letter.group.as_deref()), ("wrong shape", 2, None));
    assert_eq!(letter.died_at, Some(timestamp(START + 75)));
}

async fn the_reason_is_the_one_given(world: World) {
    let desk = world.desk(Policy { max_attempts: 1, ..Policy::default() }).await;
    desk.put_all([1, 2, 3]).await;
    desk.dead(&desk.one().await, "given up: é \u{1F4A5} \"quoted\"\nline").await;
    let reason = Some("failed".to_owned());
    desk.settle(&desk.one().await.tag, Verdict::Retry { delay_ms: None, reason }).await.unwrap();
    desk.dead(&desk.one().await, "").await;
    let reasons: Vec<String> = desk.letters().await.into_iter().map(|letter| letter.reason).collect();
    assert_eq!(reasons, ["given up: é \u{1F4A5} \"quoted\"\nline", "failed", ""]);
}

async fn the_reason_is_the_last_retrys_where_none_is_given(world: World) {
    let desk = world.desk(Policy { max_attempts: 3, lease_ms: 1_000, ..Policy::default() }).await;
    desk.put_all(1..=4).await;
    for (number, reason) in [(1, "a"), (2, "b"), (3, "c"), (4, "d")] {
        let verdict = |reason: &str| Verdict::Retry { delay_ms: Some(0), reason: Some(reason.to_owned()) };
        for reason in ["an earlier one", reason] {
            let fetch = Fetch::up_to(1).only(id(number));
            desk.settle(&desk.one_of(fetch).await.tag, verdict(reason)).await.unwrap();
        }
    }
    let held = desk.take(3).await;
    desk.retry(&held[0]).await;
    desk.settle(&held[1].tag, Verdict::Dead { reason: None }).await.unwrap();
    desk.advance(1_000);
    let lost = desk.beside("lost").await;
    lost.one().await;
    lost.close(CloseMode::Abort).await;
    let reasons: Vec<String> = desk.letters().await.into_iter().map(|letter| letter.reason).collect();
    assert_eq!(reasons, ["a", "b", "c", "d"]);
}

async fn the_reason_is_the_brokers_own_where_nobody_gave_one(world: World) {
    let desk = world.desk(Policy { max_attempts: 2, ..Policy::default() }).await;
    desk.put_all([1, 2]).await;
    desk.retry(&desk.one().await).await;
    desk.retry(&desk.one().await).await;
    desk.settle(&desk.one().await.tag, Verdict::Dead { reason: None }).await.unwrap();
    let reasons: Vec<String> = desk.letters().await.into_iter().map(|letter| letter.reason).collect();
    let expected = ["attempts used up: 2 deliveries ended in retry", "given up at delivery 1, without a reason"];
    assert_eq!(reasons, expected);
}

async fn a_long_reason_is_cut(world: World) {
    let desk = world.desk(Policy { max_attempts: 2, ..Policy::default() }).await;
    desk.put_all([1, 2]).await;
    let long = "é".repeat(10_000);
    desk.dead(&desk.one().await, &long).await;
    let verdict = Verdict::Retry { delay_ms: None, reason: Some(long.clone()) };
    desk.settle(&desk.one().await.tag, verdict).await.unwrap();
    desk.retry(&desk.one().await).await;
    for letter in desk.letters().await {
        assert_eq!(letter.reason, "é".repeat(4_096));
    }
}

async fn it_is_there_once(world: World) {
    let desk = world.desk(Policy { max_attempts: 1, lease_ms: 100, ..Policy::default() }).await;
    desk.put(message(1)).await;
    let taken = desk.one().await;
    desk.retry(&taken).await;
    refused(desk.settle(&taken.tag, Verdict::dead("twice")).await, Code::Stale);
    desk.advance(100);
    desk.close(CloseMode::Abort).await;
    let desk = desk.beside("another").await;
    assert_eq!(letter_numbers(&desk.letters().await), [1]);
    assert_eq!(desk.depth().await, Counts { dead: 1, ..Counts::NONE });
}

async fn it_survives_a_restart(world: World) {
    let desk = world.desk(Policy::default()).await;
    for number in 1..=10 {
        desk.bury(number, "malformed").await;
    }
    let before = desk.letters().await;
    let desk = desk.after_restart(RestartMode::Graceful).await;
    assert_eq!(desk.letters().await, before);
    let desk = desk.after_restart(RestartMode::Kill).await;
    assert_eq!(desk.letters().await, before);
}

async fn listing_consumes_nothing(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.bury(1, "broken").await;
    assert_eq!(desk.letters().await, desk.letters().await);
    assert_eq!(desk.depth().await, Counts { dead: 1, ..Counts::NONE });
}

async fn a_list_holds_no_more_than_max(world: World) {
    let desk = world.desk(Policy::default()).await;
    for number in 1..=5 {
        desk.bury(number, "broken").await;
    }
    let some = desk.client.dead_letters(&desk.queue, 2, None).await.unwrap();
    assert_eq!(letter_numbers(&some), [1, 2]);
    refused(desk.client.dead_letters(&desk.queue, 0, None).await, Code::Invalid);
}

async fn a_list_holds_eight_mebibytes_and_always_one(world: World) {
    let desk = world.desk(Policy::default()).await;
    let mebibyte = vec![b'x'; usize::try_from(MEBIBYTE).unwrap()];
    for number in 1..=9 {
        desk.put(Message::new(id(number), mebibyte.clone())).await;
        desk.dead(&desk.one().await, "large").await;
    }
    assert_eq!(letter_numbers(&desk.letters().await), (1..=8).collect::<Vec<_>>());
    assert_eq!(desk.depth().await.dead, 9);
}

async fn ten_malformed_make_ten_letters(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=10).await;
    for taken in desk.take(10).await {
        desk.dead(&taken, "malformed").await;
    }
    let letters = desk.letters().await;
    assert_eq!(letter_numbers(&letters), (1..=10).collect::<Vec<_>>());
    assert!(letters.iter().all(|letter| letter.reason == "malformed"));
}

async fn the_queue_goes_on_behind_a_poison_message(world: World) {
    let desk = world.desk(Policy { max_attempts: 3, lease_ms: 100, ..Policy::default() }).await;
    desk.put(with_priority(1, 5)).await;
    desk.put_all(2..=4).await;
    let mut done = Vec::new();
    for _ in 0..6 {
        let taken = desk.one().await;
        if taken.id == id(1) {
            // Whoever takes it dies of it.
            desk.advance(100);
        } else {
            desk.done(&taken).await;
            done.push(taken.id.as_u128());
        }
    }
    assert_eq!(done, [2, 3, 4]);
    assert_eq!(desk.depth().await, Counts { dead: 1, ..Counts::NONE });
}

async fn a_letter_never_expires(world: World) {
    let desk = world.desk(Policy { ttl_ms: Some(2_000), ..Policy::default() }).await;
    desk.put(with_ttl(1, 1_000)).await;
    desk.dead(&desk.one().await, "broken").await;
    desk.advance(1_000_000_000);
    assert_eq!(desk.sweep().await, 0);
    assert_eq!(letter_numbers(&desk.letters().await), [1]);
}

async fn used_up_attempts_go_before_expiry(world: World) {
    let desk = world.desk(Policy { max_attempts: 1, lease_ms: 1_000, ..Policy::default() }).await;
    desk.put(with_ttl(1, 100)).await;
    desk.put(with_ttl(2, 100)).await;
    let held = desk.take(2).await;
    desk.advance(500);
    desk.retry(&held[0]).await;
    desk.advance(500);
    assert_eq!(letter_numbers(&desk.letters().await), [1, 2]);
    assert_eq!(desk.sweep().await, 0);
}

async fn letters_come_in_the_order_of_dying(world: World) {
    let desk = world.desk(Policy { max_attempts: 1, lease_ms: 1_000, ..Policy::default() }).await;
    desk.put_all(1..=6).await;
    let held = desk.take(6).await;
    desk.extend(&held[0].tag, 900).await.unwrap();
    desk.extend(&held[1].tag, 300).await.unwrap();
    desk.dead(&held[2], "first").await;
    desk.advance(500);
    desk.dead(&held[3], "third").await;
    desk.dead(&held[4], "fourth").await;
    // Meanwhile one lease ends, and then another.
    desk.advance(500);
    let letters = desk.letters().await;
    assert_eq!(letter_numbers(&letters), [3, 2, 4, 5, 1, 6]);
    assert!(letters.is_sorted_by_key(|letter| letter.died_at));
}

async fn leases_that_end_together_die_in_the_order_of_delivery(world: World) {
    let desk = world.desk(Policy { max_attempts: 1, lease_ms: 1_000, ..Policy::default() }).await;
    desk.put_all(1..=3).await;
    for number in [2, 3, 1] {
        desk.one_of(Fetch::up_to(1).only(id(number)).of_group("late")).await;
    }
    desk.advance(1_000);
    assert_eq!(letter_numbers(&desk.letters().await), [2, 3, 1]);
}

async fn a_letter_of_an_ended_lease_died_with_its_lease(world: World) {
    let desk = world.desk(Policy { max_attempts: 1, lease_ms: 1_000, ..Policy::default() }).await;
    desk.put(message(1)).await;
    desk.one().await;
    desk.advance(1_000);
    assert_eq!(desk.letters().await[0].died_at, Some(timestamp(START + 1_000)));
}

async fn a_letter_is_not_fetched_nor_seen(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.bury(1, "broken").await;
    assert!(desk.taken().await.is_empty());
    assert!(desk.seen(super::desk::looking_at(10)).await.is_empty());
    assert!(desk.fetch(Fetch::up_to(1).only(id(1))).await.is_empty());
    assert_eq!(desk.purge().await, 0);
    assert_eq!(desk.client.purge(&desk.queue, Purge { dead: true, group: None }).await.unwrap(), 1);
    assert_eq!(desk.depth().await, Counts::NONE);
}

async fn two_letters_of_one_id_are_two(world: World) {
    let desk = world.desk(Policy { dedupe_ms: 0, ..Policy::default() }).await;
    desk.bury(1, "once").await;
    desk.bury(1, "and again").await;
    let reasons: Vec<String> = desk.letters().await.into_iter().map(|letter| letter.reason).collect();
    assert_eq!(reasons, ["once", "and again"]);
    assert_eq!(desk.depth().await.dead, 2);
}

async fn an_addressed_letter_goes_back_to_its_recipient(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(super::desk::to("ada", 1)).await;
    let taken = desk.one_of(Fetch::up_to(1).for_recipient("ada")).await;
    desk.dead(&taken, "broken").await;
    assert_eq!(letter_numbers(&desk.letters().await), [1]);
    desk.replay(1).await.unwrap();
    assert!(desk.taken().await.is_empty());
    assert_eq!(desk.fetch(Fetch::up_to(1).for_recipient("ada")).await.len(), 1);
}

//! Deliveries end once, by their own client, while their lease lasts.

use workwire_broker::{Code, Policy, Queue, Tag, Verdict};

use super::desk::{Counts, World, message, numbers, refused, run};

crate::subjects::each_broker![run:
    done_never_comes_back,
    retry_comes_back_promptly,
    retry_with_a_delay_comes_not_before_it,
    backoff_rests_longer_each_time_and_the_last_entry_repeats,
    a_delay_given_goes_before_the_backoff,
    a_delay_of_nothing_given_goes_before_the_backoff,
    dead_skips_all_retries,
    settling_twice_is_stale_and_harmless,
    an_unknown_tag_is_stale,
    another_client_cannot_settle_my_tag,
    a_tag_of_another_queue_is_stale,
    a_tag_of_the_same_name_opened_anew_is_stale,
    settling_part_of_a_fetch_settles_exactly_that_part,
    a_stale_done_does_not_remove_what_another_holds,
    a_tag_is_good_until_its_lease_ends,
    attempts_count_with_each_retry,
    endless_retry_is_bounded,
    many_are_settled_each_with_its_answer,
    a_retry_that_rests_is_delayed_not_ready,
];

async fn done_never_comes_back(world: World) {
    let desk = world.desk(Policy { lease_ms: 100, ..Policy::default() }).await;
    desk.put(message(1)).await;
    desk.done(&desk.one().await).await;
    assert_eq!(desk.depth().await, Counts::NONE);
    desk.advance(100_000);
    assert!(desk.taken().await.is_empty());
}

async fn retry_comes_back_promptly(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    desk.retry(&desk.one().await).await;
    assert_eq!(desk.depth().await, Counts { ready: 1, ..Counts::NONE });
    assert_eq!(desk.taken().await, [1]);
}

async fn retry_with_a_delay_comes_not_before_it(world: World) {
    let desk = world.desk(Policy { lease_ms: 50, ..Policy::default() }).await;
    desk.put(message(1)).await;
    let verdict = Verdict::Retry { delay_ms: Some(1_000), reason: None };
    desk.settle(&desk.one().await.tag, verdict).await.unwrap();
    desk.advance(999);
    assert!(desk.taken().await.is_empty());
    desk.advance(1);
    assert_eq!(desk.one().await.attempt, 2);
}

async fn backoff_rests_longer_each_time_and_the_last_entry_repeats(world: World) {
    let policy = Policy { backoff_ms: vec![1_000, 4_000, 16_000], max_attempts: 6, ..Policy::default() };
    let desk = world.desk(policy).await;
    desk.put(message(1)).await;
    for (attempt, rest) in (1..).zip([1_000, 4_000, 16_000, 16_000, 16_000]) {
        let taken = desk.one().await;
        assert_eq!(taken.attempt, attempt);
        desk.retry(&taken).await;
        desk.advance(rest - 1);
        assert!(desk.taken().await.is_empty(), "after delivery {attempt} it rests {rest} ms");
        desk.advance(1);
    }
    assert_eq!(desk.one().await.attempt, 6);
}

async fn a_delay_given_goes_before_the_backoff(world: World) {
    let desk = world.desk(Policy { backoff_ms: vec![10], ..Policy::default() }).await;
    desk.put(message(1)).await;
    let verdict = Verdict::Retry { delay_ms: Some(500), reason: None };
    desk.settle(&desk.one().await.tag, verdict).await.unwrap();
    desk.advance(499);
    assert!(desk.taken().await.is_empty());
    desk.advance(1);
    assert_eq!(desk.taken().await, [1]);
}

async fn a_delay_of_nothing_given_goes_before_the_backoff(world: World) {
    let desk = world.desk(Policy { backoff_ms: vec![10_000], ..Policy::default() }).await;
    desk.put(message(1)).await;
    let verdict = Verdict::Retry { delay_ms: Some(0), reason: None };
    desk.settle(&desk.one().await.tag, verdict).await.unwrap();
    assert_eq!(desk.taken().await, [1]);
}

async fn dead_skips_all_retries(world: World) {
    let desk = world.desk(Policy { max_attempts: 10, ..Policy::default() }).await;
    desk.put(message(1)).await;
    desk.dead(&desk.one().await, "no use").await;
    assert_eq!(desk.depth().await, Counts { dead: 1, ..Counts::NONE });
    assert!(desk.taken().await.is_empty());
}

async fn settling_twice_is_stale_and_harmless(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all([1, 2]).await;
    let taken = desk.take(2).await;
    desk.done(&taken[0]).await;
    desk.retry(&taken[1]).await;
    for verdict in [Verdict::Done, Verdict::retry(), Verdict::dead("again")] {
        for delivery in &taken {
            refused(desk.settle(&delivery.tag, verdict.clone()).await, Code::Stale);
        }
    }
    assert_eq!(desk.depth().await, Counts { ready: 1, ..Counts::NONE });
    let again = desk.one().await;
    assert_eq!((again.id, again.attempt), (taken[1].id, 2));
}

async fn an_unknown_tag_is_stale(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    let held = desk.one().await;
    let hostile = ["", "0", "-1", "999999", "no tag", "18446744073709551616", "\0", "'; --", "é"];
    for tag in hostile.map(str::to_owned).into_iter().chain([format!("{} ", held.tag.0), format!("0{}", held.tag.0)]) {
        refused(desk.settle(&Tag(tag.clone()), Verdict::Done).await, Code::Stale);
        refused(desk.extend(&Tag(tag), 1_000).await, Code::Stale);
    }
    desk.done(&held).await;
}

async fn another_client_cannot_settle_my_tag(world: World) {
    let desk = world.desk(Policy::default()).await;
    let other = desk.beside("other").await;
    desk.put(message(1)).await;
    let held = desk.one().await;
    for verdict in [Verdict::Done, Verdict::retry(), Verdict::dead("mine")] {
        refused(other.settle(&held.tag, verdict).await, Code::Stale);
    }
    assert_eq!(desk.depth().await, Counts { leased: 1, ..Counts::NONE });
    desk.done(&held).await;
}

async fn a_tag_of_another_queue_is_stale(world: World) {
    let desk = world.desk(Policy::default()).await;
    let other = desk.at(Queue::new("other"), Policy::default()).await;
    desk.put(message(1)).await;
    other.put(message(1)).await;
    let (held, held_there) = (desk.one().await, other.one().await);
    refused(other.settle(&held.tag, Verdict::Done).await, Code::Stale);
    refused(desk.extend(&held_there.tag, 1).await, Code::Stale);
    desk.done(&held).await;
    other.done(&held_there).await;
}

async fn a_tag_of_the_same_name_opened_anew_is_stale(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    let before = desk.beside("again").await;
    let held = before.one().await;
    before.close(workwire_broker::CloseMode::Graceful).await;
    let after = desk.beside("again").await;
    refused(after.settle(&held.tag, Verdict::Done).await, Code::Stale);
    assert_eq!(after.taken().await, [1]);
    refused(after.settle(&held.tag, Verdict::Done).await, Code::Stale);
}

async fn settling_part_of_a_fetch_settles_exactly_that_part(world: World) {
    let desk = world.desk(Policy { lease_ms: 1_000, ..Policy::default() }).await;
    desk.put_all(1..=4).await;
    let taken = desk.take(4).await;
    desk.done(&taken[1]).await;
    desk.dead(&taken[2], "broken").await;
    assert_eq!(desk.depth().await, Counts { leased: 2, dead: 1, ..Counts::NONE });
    desk.advance(1_000);
    assert_eq!(desk.taken().await, [1, 4]);
}

async fn a_stale_done_does_not_remove_what_another_holds(world: World) {
    let desk = world.desk(Policy { lease_ms: 1_000, ..Policy::default() }).await;
    let other = desk.beside("other").await;
    desk.put(message(1)).await;
    let late = desk.one().await;
    desk.advance(1_000);
    let held = other.one().await;
    for verdict in [Verdict::Done, Verdict::retry(), Verdict::dead("late")] {
        refused(desk.settle(&late.tag, verdict).await, Code::Stale);
    }
    assert_eq!(desk.depth().await, Counts { leased: 1, ..Counts::NONE });
    other.retry(&held).await;
    assert_eq!(other.one().await.attempt, 3);
}

async fn a_tag_is_good_until_its_lease_ends(world: World) {
    let desk = world.desk(Policy { lease_ms: 1_000, ..Policy::default() }).await;
    desk.put_all([1, 2]).await;
    let taken = desk.take(2).await;
    desk.advance(999);
    desk.done(&taken[0]).await;
    desk.advance(1);
    refused(desk.settle(&taken[1].tag, Verdict::Done).await, Code::Stale);
    assert_eq!(desk.taken().await, [2]);
}

async fn attempts_count_with_each_retry(world: World) {
    let desk = world.desk(Policy { max_attempts: 4, ..Policy::default() }).await;
    desk.put_all([1, 2]).await;
    for attempt in 1..=4 {
        let taken = desk.one().await;
        assert_eq!((numbers(std::slice::from_ref(&taken)), taken.attempt), (vec![1], attempt));
        desk.retry(&taken).await;
    }
    let other = desk.one().await;
    assert_eq!((numbers(std::slice::from_ref(&other)), other.attempt), (vec![2], 1));
}

async fn endless_retry_is_bounded(world: World) {
    let worker = world.desk(Policy::default()).await;
    for max_attempts in [1, 2, 3, 7] {
        let policy = Policy { max_attempts, ..Policy::default() };
        let desk = worker.at(Queue::new(format!("bounded-{max_attempts}")), policy).await;
        desk.put(message(1)).await;
        let mut deliveries = 0;
        while let Some(taken) = desk.take(1).await.first() {
            deliveries += 1;
            assert!(deliveries <= max_attempts, "delivery {deliveries} of at most {max_attempts}");
            desk.retry(taken).await;
        }
        assert_eq!(deliveries, max_attempts);
        assert_eq!(desk.depth().await, Counts { dead: 1, ..Counts::NONE });
    }
}

async fn many_are_settled_each_with_its_answer(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=3).await;
    let tags: Vec<Tag> = desk.take(3).await.into_iter().map(|delivery| delivery.tag).collect();
    let settled = vec![
        (tags[0].clone(), Verdict::Done),
        (tags[0].clone(), Verdict::Done),
        (tags[1].clone(), Verdict::Retry { delay_ms: Some(-1), reason: None }),
        (tags[1].clone(), Verdict::retry()),
        (tags[2].clone(), Verdict::dead("broken")),
    ];
    let answers = desk.client.settle_many(&desk.queue, settled).await.unwrap();
    let codes: Vec<_> = answers.into_iter().map(|answer| answer.map_err(|error| error.code())).collect();
    assert_eq!(codes, [Ok(()), Err(Code::Stale), Err(Code::Invalid), Ok(()), Ok(())]);
    assert_eq!(desk.depth().await, Counts { ready: 1, dead: 1, ..Counts::NONE });
}

async fn a_retry_that_rests_is_delayed_not_ready(world: World) {
    let desk = world.desk(Policy { backoff_ms: vec![1_000], ..Policy::default() }).await;
    desk.put(message(1)).await;
    desk.retry(&desk.one().await).await;
    assert_eq!(desk.depth().await, Counts { delayed: 1, ..Counts::NONE });
    desk.advance(1_000);
    assert_eq!(desk.depth().await, Counts { ready: 1, ..Counts::NONE });
}

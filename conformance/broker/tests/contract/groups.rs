//! Groups of consumers: each sees every message, and within one each goes to one.

use workwire_broker::{CloseMode, Code, Fetch, Policy, Purge, RestartMode, Verdict};

use super::desk::{
    Counts, Desk, World, id, letter_numbers, looking_at, message, numbers, refused, run, with_delay, with_priority,
};

crate::subjects::each_broker![run:
    every_group_sees_every_message,
    within_a_group_each_goes_to_one,
    a_new_group_sees_what_is_still_there,
    a_new_group_sees_what_another_holds_or_lets_rest,
    a_new_group_rests_until_the_first_due_time,
    a_new_group_begins_at_the_first_attempt,
    a_fetch_by_id_makes_the_group,
    neither_depth_nor_peek_makes_a_group,
    one_groups_settling_does_not_touch_anothers,
    one_groups_dead_letter_is_its_own,
    a_letter_names_its_group,
    replay_goes_back_to_its_own_group_only,
    replay_names_the_group_or_takes_the_oldest_of_all,
    a_group_that_comes_after_a_replay_sees_it,
    purge_of_one_group_and_of_all,
    an_unknown_group_has_nothing,
    the_unnamed_group_holds_from_the_declaration_on,
    a_group_survives_a_restart,
    order_and_priority_hold_in_each_group,
    attempts_are_each_groups_own,
];

fn of(group: &str) -> Fetch {
    Fetch::up_to(100).of_group(group)
}

impl Desk {
    async fn joined(&self, groups: &[&str]) {
        for group in groups {
            assert!(self.fetch(of(group)).await.is_empty());
        }
    }

    async fn taken_by(&self, group: &str) -> Vec<u128> {
        numbers(&self.fetch(of(group)).await)
    }

    async fn purged(&self, group: Option<&str>, dead: bool) -> u64 {
        self.client.purge(&self.queue, Purge { group, dead }).await.unwrap()
    }
}

async fn every_group_sees_every_message(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.joined(&["a", "b"]).await;
    desk.put_all(1..=3).await;
    for group in ["a", "b"] {
        for taken in desk.fetch(of(group)).await {
            desk.done(&taken).await;
        }
        assert!(desk.taken_by(group).await.is_empty());
    }
    assert_eq!(desk.taken().await, [1, 2, 3]);
}

async fn within_a_group_each_goes_to_one(world: World) {
    let desk = world.desk(Policy::default()).await;
    let other = desk.beside("other").await;
    desk.joined(&["a"]).await;
    desk.put_all(1..=4).await;
    let mine = numbers(&desk.fetch(Fetch { max: 2, ..of("a") }).await);
    let theirs = numbers(&other.fetch(of("a")).await);
    assert_eq!([mine, theirs].concat(), [1, 2, 3, 4]);
}

async fn a_new_group_sees_what_is_still_there(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=3).await;
    desk.done(&desk.one().await).await;
    desk.dead(&desk.one().await, "broken").await;
    // Done and dead is not there any more.
    assert_eq!(desk.taken_by("late").await, [3]);
    desk.done(&desk.one().await).await;
    assert!(desk.taken_by("later").await == [3], "held by one group, it is still there for another");
}

async fn a_new_group_sees_what_another_holds_or_lets_rest(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=2).await;
    let verdict = Verdict::Retry { delay_ms: Some(60_000), reason: None };
    desk.settle(&desk.one().await.tag, verdict).await.unwrap();
    desk.one().await;
    assert_eq!(desk.depth().await, Counts { leased: 1, delayed: 1, ..Counts::NONE });
    assert_eq!(desk.taken_by("late").await, [1, 2]);
}

async fn a_new_group_rests_until_the_first_due_time(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_delay(1, 1_000)).await;
    assert!(desk.taken_by("late").await.is_empty());
    assert_eq!(desk.depth_of("late").await, Counts { delayed: 1, ..Counts::NONE });
    desk.advance(1_000);
    assert_eq!(desk.taken_by("late").await, [1]);
}

async fn a_new_group_begins_at_the_first_attempt(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    desk.retry(&desk.one().await).await;
    assert_eq!(desk.one_of(of("late")).await.attempt, 1);
    assert_eq!(desk.one().await.attempt, 2);
}

async fn a_fetch_by_id_makes_the_group(world: World) {
    let desk = world.desk(Policy::default()).await;
    assert!(desk.fetch(of("a").only(id(9))).await.is_empty());
    desk.put(message(1)).await;
    desk.done(&desk.one().await).await;
    assert_eq!(desk.taken_by("a").await, [1]);
}

async fn neither_depth_nor_peek_makes_a_group(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    assert_eq!(desk.depth_of("a").await, Counts { ready: 1, ..Counts::NONE });
    let peek = workwire_broker::Peek { group: Some("a".to_owned()), ..looking_at(10) };
    assert_eq!(desk.seen(peek.clone()).await, [1]);
    desk.done(&desk.one().await).await;
    assert_eq!((desk.depth_of("a").await, desk.seen(peek).await), (Counts::NONE, vec![]));
}

async fn one_groups_settling_does_not_touch_anothers(world: World) {
    let desk = world.desk(Policy { lease_ms: 1_000, ..Policy::default() }).await;
    desk.joined(&["a", "b"]).await;
    desk.put_all(1..=3).await;
    let a = desk.fetch(of("a")).await;
    let b = desk.fetch(of("b")).await;
    desk.done(&a[0]).await;
    desk.dead(&a[1], "broken").await;
    desk.retry(&a[2]).await;
    assert_eq!(desk.depth_of("a").await, Counts { ready: 1, dead: 1, ..Counts::NONE });
    assert_eq!(desk.depth_of("b").await, Counts { leased: 3, ..Counts::NONE });
    assert_eq!(desk.depth().await, Counts { ready: 3, ..Counts::NONE });
    for held in &b {
        desk.done(held).await;
    }
    assert_eq!(desk.taken().await, [1, 2, 3]);
}

async fn one_groups_dead_letter_is_its_own(world: World) {
    let desk = world.desk(Policy { max_attempts: 1, ..Policy::default() }).await;
    desk.joined(&["a", "b"]).await;
    desk.put(message(1)).await;
    desk.retry(&desk.one_of(of("a")).await).await;
    assert_eq!(desk.depth_of("a").await, Counts { dead: 1, ..Counts::NONE });
    assert_eq!(desk.depth_of("b").await, Counts { ready: 1, ..Counts::NONE });
    assert_eq!(desk.depth().await, Counts { ready: 1, ..Counts::NONE });
    assert_eq!(letter_numbers(&desk.letters_of("a").await), [1]);
    assert!(desk.letters_of("b").await.is_empty());
}

async fn a_letter_names_its_group(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.joined(&["a"]).await;
    desk.put(message(1)).await;
    desk.dead(&desk.one().await, "of nobody").await;
    desk.dead(&desk.one_of(of("a")).await, "of a").await;
    let all = desk.letters().await;
    let told: Vec<_> = all.iter().map(|letter| (letter.group.as_deref(), letter.reason.as_str())).collect();
    assert_eq!(told, [(None, "of nobody"), (Some("a"), "of a")]);
}

async fn replay_goes_back_to_its_own_group_only(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.joined(&["a", "b"]).await;
    desk.put(message(1)).await;
    desk.dead(&desk.one_of(of("a")).await, "broken").await;
    desk.done(&desk.one_of(of("b")).await).await;
    desk.done(&desk.one().await).await;
    desk.replay(1).await.unwrap();
    assert!(desk.taken().await.is_empty() && desk.taken_by("b").await.is_empty());
    assert_eq!(desk.taken_by("a").await, [1]);
}

async fn replay_names_the_group_or_takes_the_oldest_of_all(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.joined(&["a", "b"]).await;
    desk.put(message(1)).await;
    desk.dead(&desk.one_of(of("b")).await, "first").await;
    desk.dead(&desk.one_of(of("a")).await, "second").await;
    desk.dead(&desk.one().await, "third").await;
    refused(desk.client.replay(&desk.queue, id(1), Some("c")).await, Code::NotFound);
    desk.client.replay(&desk.queue, id(1), Some("a")).await.unwrap();
    refused(desk.client.replay(&desk.queue, id(1), Some("a")).await, Code::NotFound);
    assert_eq!(desk.depth_of("a").await.ready, 1);
    desk.replay(1).await.unwrap();
    assert_eq!(desk.depth_of("b").await.ready, 1);
    desk.replay(1).await.unwrap();
    assert_eq!(desk.depth().await.ready, 1);
}

async fn a_group_that_comes_after_a_replay_sees_it(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.bury(1, "broken").await;
    assert!(desk.taken_by("before").await.is_empty());
    desk.replay(1).await.unwrap();
    assert!(desk.taken_by("before").await.is_empty());
    assert_eq!(desk.taken_by("after").await, [1]);
}

async fn purge_of_one_group_and_of_all(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.joined(&["a", "b"]).await;
    desk.put_all(1..=3).await;
    desk.fetch(Fetch { max: 1, ..of("a") }).await;
    assert_eq!(desk.purged(Some("a"), false).await, 2);
    assert_eq!(desk.depth_of("a").await, Counts { leased: 1, ..Counts::NONE });
    assert_eq!((desk.depth().await.ready, desk.depth_of("b").await.ready), (3, 3));
    desk.dead(&desk.one().await, "broken").await;
    desk.dead(&desk.one_of(of("b")).await, "broken").await;
    assert_eq!(desk.purged(None, false).await, 4);
    assert_eq!(desk.purged(Some("b"), true).await, 1);
    assert_eq!(letter_numbers(&desk.letters().await), [1]);
    assert_eq!(desk.purged(None, true).await, 1);
}

async fn an_unknown_group_has_nothing(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    desk.bury(2, "broken").await;
    assert_eq!(desk.purged(Some("nobody"), false).await, 0);
    assert_eq!(desk.purged(Some("nobody"), true).await, 0);
    assert!(desk.letters_of("nobody").await.is_empty());
    refused(desk.client.replay(&desk.queue, id(2), Some("nobody")).await, Code::NotFound);
    assert_eq!(desk.depth().await, Counts { ready: 1, dead: 1, ..Counts::NONE });
}

async fn the_unnamed_group_holds_from_the_declaration_on(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.joined(&["a"]).await;
    desk.put(message(1)).await;
    desk.done(&desk.one_of(of("a")).await).await;
    assert_eq!(desk.taken().await, [1]);
}

async fn a_group_survives_a_restart(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.joined(&["a"]).await;
    let desk = desk.after_restart(RestartMode::Kill).await;
    desk.put(message(1)).await;
    desk.done(&desk.one().await).await;
    let desk = desk.after_restart(RestartMode::Graceful).await;
    assert_eq!(desk.taken_by("a").await, [1]);
}

async fn order_and_priority_hold_in_each_group(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.joined(&["a"]).await;
    for (number, priority) in [(1, 1), (2, 5), (3, 3), (4, 5)] {
        desk.put(with_priority(number, priority)).await;
    }
    assert_eq!(desk.taken_by("a").await, [2, 4, 3, 1]);
    assert_eq!(desk.taken_by("late").await, [2, 4, 3, 1]);
    assert_eq!(desk.taken().await, [2, 4, 3, 1]);
}

async fn attempts_are_each_groups_own(world: World) {
    let desk = world.desk(Policy { max_attempts: 2, ..Policy::default() }).await;
    let lost = desk.beside("lost").await;
    desk.joined(&["a", "b"]).await;
    desk.put(message(1)).await;
    desk.retry(&desk.one_of(of("a")).await).await;
    lost.one_of(of("b")).await;
    lost.close(CloseMode::Abort).await;
    assert_eq!(desk.one().await.attempt, 1);
    desk.retry(&desk.one_of(of("a")).await).await;
    assert_eq!(desk.one_of(of("b")).await.attempt, 2);
    assert_eq!(desk.letters().await.len(), 1);
}

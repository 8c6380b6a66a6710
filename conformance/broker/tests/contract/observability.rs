//! What a broker tells of itself and its queues.

use workwire_broker::{Capabilities, Capability, CloseMode, Code, Depth, Policy, Purge, Queue, Tag, Verdict};

use super::desk::{Counts, World, id, letter_numbers, message, refused, run, with_delay, with_ttl};

crate::subjects::each_broker![run:
    depth_adds_up_at_every_quiet_point,
    ready_leased_delayed_and_dead_are_each_right,
    depth_counts_what_is_for_others_too,
    five_wait_and_then_none,
    purge_removes_only_the_ready_and_says_how_many,
    purge_of_letters_removes_only_those,
    purge_of_nothing_is_nothing,
    delete_leaves_nothing,
    a_deleted_queue_is_not_found,
    tags_of_a_deleted_queue_are_good_for_nothing,
    a_deleted_queue_forgets_the_ids_it_has_seen,
    all_is_claimed,
];

async fn depth_adds_up_at_every_quiet_point(world: World) {
    let desk = world.desk(Policy { max_attempts: 2, ..Policy::default() }).await;
    let mut there = 0;
    for round in 0..40_u128 {
        desk.put(if round % 3 == 0 { with_delay(round + 1, 20) } else { message(round + 1) }).await;
        there += 1;
        for (index, taken) in desk.take(2).await.into_iter().enumerate() {
            match (round + u128::try_from(index).unwrap()) % 4 {
                0 => {
                    desk.done(&taken).await;
                    there -= 1;
                }
                1 => desk.retry(&taken).await,
                2 => desk.dead(&taken, "broken").await,
                _ => {}
            }
        }
        desk.advance(7);
        let depth = desk.depth().await;
        assert_eq!(depth.ready + depth.leased + depth.delayed + depth.dead, there, "round {round}: {depth:?}");
    }
}

async fn ready_leased_delayed_and_dead_are_each_right(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=10).await;
    desk.put(with_delay(11, 1_000)).await;
    desk.put(with_delay(12, 1_000)).await;
    let taken = desk.take(6).await;
    desk.done(&taken[0]).await;
    desk.dead(&taken[1], "broken").await;
    desk.settle(&taken[2].tag, Verdict::Retry { delay_ms: Some(500), reason: None }).await.unwrap();
    assert_eq!(desk.depth().await, Counts { ready: 4, leased: 3, delayed: 3, dead: 1 });
    let told = desk.client.depth(&desk.queue, None).await.unwrap();
    assert_eq!(told, Depth { ready: 4, leased: Some(3), delayed: Some(3), dead: Some(1) });
}

async fn depth_counts_what_is_for_others_too(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(super::desk::to("ada", 1)).await;
    desk.put(message(2)).await;
    assert_eq!(desk.depth().await, Counts { ready: 2, ..Counts::NONE });
}

async fn five_wait_and_then_none(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=5).await;
    assert_eq!(desk.depth().await, Counts { ready: 5, ..Counts::NONE });
    for taken in desk.take(5).await {
        desk.done(&taken).await;
    }
    assert_eq!(desk.depth().await, Counts::NONE);
}

async fn purge_removes_only_the_ready_and_says_how_many(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=5).await;
    desk.put(with_delay(6, 1_000)).await;
    desk.bury(7, "broken").await;
    let held = desk.one().await;
    assert_eq!(desk.purge().await, 4);
    assert_eq!(desk.depth().await, Counts { ready: 0, leased: 1, delayed: 1, dead: 1 });
    // What is purged does not come back, what was held does.
    desk.retry(&held).await;
    desk.advance(1_000);
    assert_eq!(desk.taken().await, [1, 6]);
}

async fn purge_of_letters_removes_only_those(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.bury(1, "broken").await;
    desk.bury(2, "broken").await;
    desk.put(message(3)).await;
    let dead = Purge { dead: true, group: None };
    assert_eq!(desk.client.purge(&desk.queue, dead).await.unwrap(), 2);
    assert_eq!(desk.depth().await, Counts { ready: 1, ..Counts::NONE });
    assert!(desk.letters().await.is_empty());
    refused(desk.replay(1).await, Code::NotFound);
}

async fn purge_of_nothing_is_nothing(world: World) {
    let desk = world.desk(Policy::default()).await;
    assert_eq!(desk.purge().await, 0);
    desk.put(message(1)).await;
    let held = desk.one().await;
    assert_eq!(desk.purge().await, 0);
    desk.done(&held).await;
}

async fn delete_leaves_nothing(world: World) {
    let desk = world.desk(Policy { max_attempts: 1, ..Policy::default() }).await;
    desk.put_all(1..=3).await;
    desk.put(with_ttl(4, 10)).await;
    desk.fetch(workwire_broker::Fetch::up_to(1).of_group("a")).await;
    desk.bury(5, "broken").await;
    desk.one().await;
    desk.advance(10);
    desk.client.delete(&desk.queue).await.unwrap();
    let desk = desk.at(desk.queue.clone(), Policy { max_attempts: 2, ..Policy::default() }).await;
    assert_eq!((desk.depth().await, desk.sweep().await), (Counts::NONE, 0));
    assert_eq!(letter_numbers(&desk.letters().await), Vec::<u128>::new());
    // The group is gone too, and the policy is another.
    desk.put(message(1)).await;
    desk.retry(&desk.one().await).await;
    desk.done(&desk.one().await).await;
    assert_eq!(desk.depth_of("a").await, Counts::NONE);
}

async fn a_deleted_queue_is_not_found(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.client.delete(&desk.queue).await.unwrap();
    refused(desk.client.delete(&desk.queue).await, Code::NotFound);
    refused(desk.publish(message(1)).await, Code::NotFound);
    refused(desk.client.depth(&desk.queue, None).await, Code::NotFound);
    refused(desk.client.delete(&Queue::new("never")).await, Code::NotFound);
}

async fn tags_of_a_deleted_queue_are_good_for_nothing(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    let held: Tag = desk.one().await.tag;
    desk.client.delete(&desk.queue).await.unwrap();
    refused(desk.settle(&held, Verdict::Done).await, Code::NotFound);
    refused(desk.extend(&held, 1_000).await, Code::NotFound);
    let desk = desk.at(desk.queue.clone(), Policy::default()).await;
    desk.put(message(1)).await;
    let again = desk.one().await;
    refused(desk.settle(&held, Verdict::Done).await, Code::Stale);
    desk.done(&again).await;
}

async fn a_deleted_queue_forgets_the_ids_it_has_seen(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    desk.client.delete(&desk.queue).await.unwrap();
    let desk = desk.at(desk.queue.clone(), Policy::default()).await;
    desk.put(message(1)).await;
    assert_eq!(desk.one().await.id, id(1));
    desk.close(CloseMode::Graceful).await;
}

async fn all_is_claimed(world: World) {
    let claimed = world.broker.about().capabilities;
    assert_eq!(claimed.iter().collect::<Vec<_>>(), Capability::ALL);
    assert_eq!(claimed, Capabilities::all());
}

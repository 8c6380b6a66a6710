//! The more urgent message first.

use workwire_broker::{CloseMode, Code, Policy, Queue};

use super::desk::{World, message, numbers, refused, run, with_delay, with_priority};

crate::subjects::each_broker![run:
    one_three_five_two_four_comes_out_five_four_three_two_one,
    ten_levels_where_the_policy_says_so,
    priority_is_kept_on_redelivery,
    out_of_range_is_refused_not_clamped,
    the_default_is_the_middle,
    an_urgent_one_goes_next_while_others_wait,
    the_low_ones_are_served_when_the_urgent_are,
    a_policy_has_one_to_ten_levels,
];

async fn one_three_five_two_four_comes_out_five_four_three_two_one(world: World) {
    let desk = world.desk(Policy::default()).await;
    for priority in [1, 3, 5, 2, 4] {
        desk.put(with_priority(u128::try_from(priority).unwrap(), priority)).await;
    }
    for priority in [5, 4, 3, 2, 1] {
        let taken = desk.one().await;
        assert_eq!(taken.priority, priority);
        desk.done(&taken).await;
    }
}

async fn ten_levels_where_the_policy_says_so(world: World) {
    let desk = world.desk(Policy { max_priority: 10, ..Policy::default() }).await;
    for priority in [1, 10, 5, 9] {
        desk.put(with_priority(u128::try_from(priority).unwrap(), priority)).await;
    }
    // Unless said otherwise, the middle.
    desk.put(message(11)).await;
    assert_eq!(desk.taken().await, [10, 9, 5, 11, 1]);
}

async fn priority_is_kept_on_redelivery(world: World) {
    let desk = world.desk(Policy { lease_ms: 1_000, max_attempts: 10, ..Policy::default() }).await;
    desk.put(message(1)).await;
    desk.put(with_priority(2, 5)).await;
    for round in 0..4 {
        let taken = desk.one().await;
        assert_eq!((numbers(std::slice::from_ref(&taken)), taken.priority), (vec![2], 5), "round {round}");
        match round {
            0 => desk.retry(&taken).await,
            _ => desk.advance(1_000),
        }
    }
    let leaving = desk.beside("leaving").await;
    leaving.one().await;
    leaving.close(CloseMode::Abort).await;
    assert_eq!(desk.taken().await, [2, 1]);
}

async fn out_of_range_is_refused_not_clamped(world: World) {
    let worker = world.desk(Policy::default()).await;
    for max_priority in [1, 5, 10] {
        let queue = Queue::new(format!("levels-{max_priority}"));
        let desk = worker.at(queue, Policy { max_priority, ..Policy::default() }).await;
        for priority in [0, -1, max_priority + 1, i64::MIN, i64::MAX] {
            let error = refused(desk.publish(with_priority(1, priority)).await, Code::Invalid);
            assert!(error.message().contains(&format!("1 to {max_priority}")), "{error}");
        }
        desk.put(with_priority(1, 1)).await;
        desk.put(with_priority(2, max_priority)).await;
    }
}

async fn the_default_is_the_middle(world: World) {
    let worker = world.desk(Policy::default()).await;
    for (max_priority, middle) in [(1, 1), (2, 1), (3, 2), (5, 3), (10, 5)] {
        let queue = Queue::new(format!("levels-{max_priority}"));
        let desk = worker.at(queue, Policy { max_priority, ..Policy::default() }).await;
        desk.put(message(1)).await;
        assert_eq!(desk.one().await.priority, middle, "of {max_priority}");
    }
}

async fn an_urgent_one_goes_next_while_others_wait(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=3).await;
    desk.one().await;
    desk.put(with_priority(4, 4)).await;
    desk.put(with_priority(5, 5)).await;
    desk.put(workwire_broker::Message { priority: Some(5), ..with_delay(6, 100) }).await;
    assert_eq!(numbers(&desk.take(3).await), [5, 4, 2]);
    desk.advance(100);
    assert_eq!(desk.taken().await, [6, 3]);
}

async fn the_low_ones_are_served_when_the_urgent_are(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_priority(100, 1)).await;
    for number in 1..=20 {
        desk.put(with_priority(number, 5)).await;
    }
    assert_eq!(numbers(&desk.take(20).await), (1..=20).collect::<Vec<_>>());
    assert_eq!(desk.taken().await, [100]);
}

async fn a_policy_has_one_to_ten_levels(world: World) {
    let desk = world.desk(Policy::default()).await;
    for max_priority in [0, -5, 11, i64::MAX] {
        let policy = Policy { max_priority, ..Policy::default() };
        refused(desk.client.declare(&Queue::new("other"), &policy).await, Code::Invalid);
    }
}

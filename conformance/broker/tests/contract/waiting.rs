//! Fetches that wait: who wakes, when, and with what.

use workwire_broker::{CloseMode, Code, Fetch, Policy, Queue, RestartMode, Verdict};

use super::desk::{World, id, message, now, numbers, refused, run, to, with_delay, with_ttl};

crate::subjects::each_broker![run:
    a_waiting_fetch_wakes_when_something_is_published,
    an_empty_fetch_ends_with_its_time,
    it_answers_with_what_is_there_then,
    every_waiter_wakes_that_has_work,
    one_batch_wakes_as_many_as_it_feeds,
    waiters_are_served_in_the_order_in_which_they_came,
    who_waits_for_something_else_holds_up_nobody,
    a_waiter_wakes_when_a_delay_ends,
    a_waiter_wakes_when_a_lease_ends,
    a_waiter_wakes_when_a_lease_is_shortened,
    a_waiter_wakes_when_a_retry_comes_back,
    a_waiter_wakes_when_a_client_goes,
    a_waiter_wakes_when_a_letter_is_replayed,
    a_waiter_for_one_id_waits_for_that,
    a_waiter_for_a_recipient_waits_for_its_own,
    a_waiting_fetch_makes_its_group,
    a_waiting_fetch_whose_client_closes_is_unavailable,
    a_waiting_fetch_at_a_restart_is_unavailable,
    a_waiting_fetch_whose_queue_is_deleted_finds_it_no_more,
    a_fetch_given_up_takes_nothing,
    what_is_expired_wakes_nobody,
    a_client_goes_on_while_its_fetch_waits,
    a_publish_right_behind_a_waiting_fetch_wakes_it,
    a_restart_right_behind_a_waiting_fetch_ends_it,
    two_agents_at_one_in_flight_share_four_requests,
];

const LONG: i64 = 3_600_000;

fn long() -> Fetch {
    Fetch::up_to(10).waiting(LONG)
}

async fn a_waiting_fetch_wakes_when_something_is_published(world: World) {
    let desk = world.desk(Policy::default()).await;
    let waiting = desk.waits(long()).await;
    assert!(!waiting.is_finished());
    desk.beside("publisher").await.put(message(1)).await;
    assert_eq!(numbers(&now(waiting).await.unwrap()), [1]);
}

async fn an_empty_fetch_ends_with_its_time(world: World) {
    let desk = world.desk(Policy::default()).await;
    let waiting = desk.waits(Fetch::up_to(1).waiting(1_000)).await;
    desk.advance(999);
    desk.settle_down().await;
    assert!(!waiting.is_finished(), "a fetch that waits 1000 ms answered after 999");
    assert!(desk.in_steps_of(1, waiting).await.unwrap().is_empty());
}

async fn it_answers_with_what_is_there_then(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=3).await;
    // Nothing to wait for.
    assert_eq!(numbers(&desk.fetch(long()).await), [1, 2, 3]);
    let waiting = desk.waits(Fetch::up_to(2).waiting(LONG)).await;
    let batch = (4..=6).map(message).collect();
    desk.client.publish_batch(&desk.queue, batch).await.unwrap();
    let first = numbers(&now(waiting).await.unwrap());
    let rest = desk.taken().await;
    assert!(!first.is_empty() && first.len() <= 2, "{first:?}");
    assert_eq!([first, rest].concat(), [4, 5, 6]);
}

async fn every_waiter_wakes_that_has_work(world: World) {
    let desk = world.desk(Policy::default()).await;
    let consumers = [desk.beside("a").await, desk.beside("b").await, desk.beside("c").await];
    let mut waiting = Vec::new();
    for consumer in &consumers {
        waiting.push(consumer.waits(Fetch::up_to(1).waiting(LONG)).await);
    }
    desk.put_all(1..=3).await;
    let mut taken = Vec::new();
    for waiting in waiting {
        taken.extend(numbers(&now(waiting).await.unwrap()));
    }
    taken.sort_unstable();
    assert_eq!(taken, [1, 2, 3]);
}

async fn one_batch_wakes_as_many_as_it_feeds(world: World) {
    let desk = world.desk(Policy::default()).await;
    let consumers = [desk.beside("a").await, desk.beside("b").await, desk.beside("c").await];
    let mut waiting = Vec::new();
    for consumer in &consumers {
        waiting.push(consumer.waits(Fetch::up_to(1).waiting(5_000)).await);
    }
    desk.client.publish_batch(&desk.queue, vec![message(1), message(2)]).await.unwrap();
    let third = waiting.pop().unwrap();
    let mut taken = Vec::new();
    for waiting in waiting {
        taken.extend(numbers(&now(waiting).await.unwrap()));
    }
    taken.sort_unstable();
    assert_eq!(taken, [1, 2]);
    assert!(desk.in_steps_of(500, third).await.unwrap().is_empty());
}

async fn waiters_are_served_in_the_order_in_which_they_came(world: World) {
    let desk = world.desk(Policy::default()).await;
    // Neither by their names nor by their opening.
    let (a, m, z) = (desk.beside("a").await, desk.beside("m").await, desk.beside("z").await);
    let fetch = Fetch::up_to(1).waiting(LONG);
    let (first, second, third) = (z.waits(fetch.clone()).await, a.waits(fetch.clone()).await, m.waits(fetch).await);
    desk.put(message(1)).await;
    assert_eq!(numbers(&now(first).await.unwrap()), [1]);
    desk.settle_down().await;
    assert!(!second.is_finished() && !third.is_finished());
    desk.put(message(2)).await;
    assert_eq!(numbers(&now(second).await.unwrap()), [2]);
    desk.put(message(3)).await;
    assert_eq!(numbers(&now(third).await.unwrap()), [3]);
}

async fn who_waits_for_something_else_holds_up_nobody(world: World) {
    let desk = world.desk(Policy::default()).await;
    let other = desk.at(Queue::new("other"), Policy::default()).await;
    let [a, b, c] = [desk.beside("a").await, desk.beside("b").await, desk.beside("c").await];
    let elsewhere = other.waits(long()).await;
    let for_one = a.waits(long().only(id(99))).await;
    let for_ada = b.waits(long().for_recipient("ada")).await;
    let of_group = c.waits(Fetch::up_to(1).of_group("late").only(id(98)).waiting(LONG)).await;
    let last = desk.waits(long()).await;
    desk.beside("publisher").await.put(to("bob", 1)).await;
    desk.put(message(99)).await;
    // The first that waited takes what it waited for, and the last one goes on.
    assert_eq!(numbers(&now(for_one).await.unwrap()), [99]);
    for waiting in [&elsewhere, &for_ada, &of_group, &last] {
        assert!(!waiting.is_finished());
    }
    for_ada.abort();
    assert!(for_ada.await.unwrap_err().is_cancelled());
    b.close(CloseMode::Abort).await;
    desk.put(message(2)).await;
    assert_eq!(numbers(&now(last).await.unwrap()), [2]);
    assert!(!elsewhere.is_finished() && !of_group.is_finished());
}

async fn a_waiter_wakes_when_a_delay_ends(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_delay(1, 2_000)).await;
    let began = world.now();
    let waiting = desk.waits(long()).await;
    desk.advance(1_999);
    desk.settle_down().await;
    assert!(!waiting.is_finished());
    assert_eq!(numbers(&desk.in_steps_of(1, waiting).await.unwrap()), [1]);
    assert!(world.now() < began + LONG, "it woke for the message, not for the end of its time");
}

async fn a_waiter_wakes_when_a_lease_ends(world: World) {
    let desk = world.desk(Policy { lease_ms: 1_000, ..Policy::default() }).await;
    let other = desk.beside("other").await;
    desk.put(message(1)).await;
    desk.one().await;
    let waiting = other.waits(long()).await;
    desk.advance(999);
    desk.settle_down().await;
    assert!(!waiting.is_finished());
    let taken = desk.in_steps_of(1, waiting).await.unwrap();
    assert_eq!((numbers(&taken), taken[0].attempt), (vec![1], 2));
}

async fn a_waiter_wakes_when_a_lease_is_shortened(world: World) {
    let desk = world.desk(Policy { lease_ms: LONG, ..Policy::default() }).await;
    desk.put(message(1)).await;
    let held = desk.one().await;
    let began = world.now();
    let waiting = desk.beside("other").await.waits(Fetch::up_to(1).waiting(LONG)).await;
    desk.extend(&held.tag, 100).await.unwrap();
    assert_eq!(numbers(&desk.in_steps_of(10, waiting).await.unwrap()), [1]);
    assert!(world.now() < began + LONG);
}

async fn a_waiter_wakes_when_a_retry_comes_back(world: World) {
    let desk = world.desk(Policy { backoff_ms: vec![500], ..Policy::default() }).await;
    let other = desk.beside("other").await;
    desk.put(message(1)).await;
    let held = desk.one().await;
    let waiting = other.waits(long()).await;
    desk.settle(&held.tag, Verdict::Retry { delay_ms: Some(0), reason: None }).await.unwrap();
    let taken = now(waiting).await.unwrap();
    assert_eq!(numbers(&taken), [1]);
    let began = world.now();
    let waiting = desk.waits(long()).await;
    other.retry(&taken[0]).await;
    assert_eq!(numbers(&desk.in_steps_of(50, waiting).await.unwrap()), [1]);
    assert!(world.now() < began + LONG);
}

async fn a_waiter_wakes_when_a_client_goes(world: World) {
    let desk = world.desk(Policy::default()).await;
    for mode in [CloseMode::Graceful, CloseMode::Abort] {
        desk.put(message(1)).await;
        let holder = desk.beside("holder").await;
        holder.one().await;
        let waiting = desk.waits(long()).await;
        holder.close(mode).await;
        let taken = now(waiting).await.unwrap();
        desk.done(&taken[0]).await;
        desk.advance(300_000);
    }
}

async fn a_waiter_wakes_when_a_letter_is_replayed(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.bury(1, "broken").await;
    let waiting = desk.waits(long()).await;
    desk.beside("operator").await.replay(1).await.unwrap();
    assert_eq!(numbers(&now(waiting).await.unwrap()), [1]);
}

async fn a_waiter_for_one_id_waits_for_that(world: World) {
    let desk = world.desk(Policy::default()).await;
    let waiting = desk.waits(long().only(id(2))).await;
    desk.put_all([1, 3]).await;
    desk.settle_down().await;
    assert!(!waiting.is_finished());
    desk.put(message(2)).await;
    assert_eq!(numbers(&now(waiting).await.unwrap()), [2]);
    assert_eq!(desk.taken().await, [1, 3]);
}

async fn a_waiter_for_a_recipient_waits_for_its_own(world: World) {
    let desk = world.desk(Policy::default()).await;
    let other = desk.beside("other").await;
    let (ada, anyone) = (desk.waits(long().for_recipient("ada")).await, other.waits(long()).await);
    desk.put(to("bob", 1)).await;
    desk.settle_down().await;
    assert!(!ada.is_finished() && !anyone.is_finished());
    desk.put(to("ada", 2)).await;
    assert_eq!(numbers(&now(ada).await.unwrap()), [2]);
    desk.put(message(3)).await;
    assert_eq!(numbers(&now(anyone).await.unwrap()), [3]);
}

async fn a_waiting_fetch_makes_its_group(world: World) {
    let desk = world.desk(Policy::default()).await;
    let waiting = desk.waits(long().of_group("audit").only(id(99))).await;
    desk.put(message(1)).await;
    desk.done(&desk.one().await).await;
    // Done by the unnamed group, and still there for one that was made before.
    assert_eq!(desk.depth_of("audit").await.ready, 1);
    desk.put(message(99)).await;
    assert_eq!(numbers(&now(waiting).await.unwrap()), [99]);
}

async fn a_waiting_fetch_whose_client_closes_is_unavailable(world: World) {
    let desk = world.desk(Policy::default()).await;
    for mode in [CloseMode::Graceful, CloseMode::Abort] {
        let waiter = desk.beside("waiter").await;
        let waiting = waiter.waits(long()).await;
        waiter.close(mode).await;
        refused(now(waiting).await, Code::Unavailable);
        desk.put(message(1)).await;
        desk.done(&desk.one().await).await;
        desk.advance(300_000);
    }
}

async fn a_waiting_fetch_at_a_restart_is_unavailable(world: World) {
    let desk = world.desk(Policy::default()).await;
    for mode in [RestartMode::Graceful, RestartMode::Kill] {
        let waiting = desk.beside("waiter").await.waits(long()).await;
        world.broker.restart(mode).await.unwrap();
        refused(now(waiting).await, Code::Unavailable);
    }
}

async fn a_waiting_fetch_whose_queue_is_deleted_finds_it_no_more(world: World) {
    let desk = world.desk(Policy::default()).await;
    let other = desk.at(Queue::new("other"), Policy::default()).await;
    let waiting = desk.waits(long()).await;
    let elsewhere = other.waits(long()).await;
    desk.client.delete(&desk.queue).await.unwrap();
    refused(now(waiting).await, Code::NotFound);
    desk.settle_down().await;
    assert!(!elsewhere.is_finished());
    other.put(message(1)).await;
    assert_eq!(numbers(&now(elsewhere).await.unwrap()), [1]);
}

async fn a_fetch_given_up_takes_nothing(world: World) {
    let desk = world.desk(Policy { lease_ms: 1_000, ..Policy::default() }).await;
    let waiting = desk.waits(Fetch::up_to(1).waiting(60_000)).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    desk.settle_down().await;
    // Whoever gave up may have taken it all the same; with its time and its lease over, it is here.
    desk.put(message(1)).await;
    let waiting = desk.waits(Fetch::up_to(1).waiting(LONG)).await;
    assert_eq!(numbers(&desk.in_steps_of(1_000, waiting).await.unwrap()), [1]);
}

async fn what_is_expired_wakes_nobody(world: World) {
    let desk = world.desk(Policy { lease_ms: 500, ..Policy::default() }).await;
    desk.put(with_ttl(1, 100)).await;
    desk.one().await;
    desk.put(workwire_broker::Message { delay_ms: Some(200), ..with_ttl(2, 150) }).await;
    let waiting = desk.waits(Fetch::up_to(1).waiting(2_000)).await;
    assert!(desk.in_steps_of(50, waiting).await.unwrap().is_empty());
    assert_eq!(desk.sweep().await, 2);
}

async fn a_client_goes_on_while_its_fetch_waits(world: World) {
    let desk = world.desk(Policy::default()).await;
    let other = desk.at(Queue::new("other"), Policy::default()).await;
    let waiting = desk.waits(long()).await;
    other.put(message(1)).await;
    other.done(&other.one().await).await;
    assert_eq!(desk.depth().await.ready, 0);
    assert!(!waiting.is_finished());
    desk.put(message(2)).await;
    assert_eq!(numbers(&now(waiting).await.unwrap()), [2]);
}

async fn a_publish_right_behind_a_waiting_fetch_wakes_it(world: World) {
    let desk = world.desk(Policy::default()).await;
    let publisher = desk.beside("publisher").await;
    for number in 1..=50 {
        let fetching = desk.client.fetch(&desk.queue, Fetch::up_to(1).waiting(LONG));
        let (taken, ()) = tokio::join!(fetching, publisher.put(message(number)));
        let taken = taken.unwrap();
        assert_eq!(numbers(&taken), [number]);
        desk.done(&taken[0]).await;
    }
}

async fn a_restart_right_behind_a_waiting_fetch_ends_it(world: World) {
    for mode in [RestartMode::Graceful, RestartMode::Kill] {
        let desk = world.desk(Policy::default()).await;
        let fetching = desk.client.fetch(&desk.queue, long());
        let (answer, restarted) = tokio::join!(fetching, world.broker.restart(mode));
        restarted.unwrap();
        let code = answer.expect_err("nothing was published").code();
        assert!(matches!(code, Code::Unavailable | Code::NotFound), "{code}");
    }
}

async fn two_agents_at_one_in_flight_share_four_requests(world: World) {
    let desk = world.desk(Policy::default()).await;
    let agents = [desk.beside("a").await, desk.beside("b").await];
    let one = Fetch::up_to(1).waiting(LONG);
    let mut waiting = vec![agents[0].waits(one.clone()).await, agents[1].waits(one.clone()).await];
    let mut shares = [Vec::new(), Vec::new()];
    for number in 1..=4 {
        desk.put(message(number)).await;
        // Who waits longest is next, and waits again behind the other.
        let turn = usize::from(number % 2 == 0);
        let taken = now(waiting.remove(0)).await.unwrap();
        agents[turn].done(&taken[0]).await;
        shares[turn].extend(numbers(&taken));
        waiting.push(agents[turn].waits(one.clone()).await);
    }
    assert_eq!(shares, [vec![1, 3], vec![2, 4]]);
}

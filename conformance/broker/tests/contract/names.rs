//! Names: what is none is refused everywhere, and changes nothing.

use workwire_broker::{Code, Fetch, Health, HealthStatus, Message, Peek, Policy, Purge, Queue, Update, Verdict};

use super::desk::{Counts, World, id, looking_at, message, refused, run, to};

crate::subjects::each_broker![run:
    crafted_queue_names_are_refused_by_every_operation,
    crafted_tenants_are_refused,
    crafted_groups_and_recipients_are_refused,
    crafted_client_names_are_refused,
    names_at_their_bounds_are_names,
    a_consumer_may_be_called_anything,
];

fn no_queue_names() -> Vec<String> {
    let crafted = [
        "",
        " ",
        "a b",
        "a:b",
        "a*",
        ">",
        "#",
        "a/b",
        "..",
        ".",
        "/",
        "../a",
        "a%b",
        "a'b",
        "a\"b",
        "a\0",
        "\0",
        "A",
        "a\n",
        "a\\b",
        "-a",
        "_a",
        ".a",
        "tаsks",
        "tasks\u{200B}",
        "tasks\u{301}",
        "{a}",
        "a;b",
        "é",
        "１",
    ];
    crafted.iter().map(ToString::to_string).chain([1, 3].map(|n| "a".repeat(100 * n + 1))).collect()
}

fn no_names() -> Vec<String> {
    let crafted = ["", " ", "a b", "a:b", "*", ">", "#", "a/b", "..", ".a", "-a", "a%", "a'", "\0", "a\n", "аda", "é"];
    crafted.iter().map(ToString::to_string).chain(["a".repeat(129), "a".repeat(300)]).collect()
}

async fn crafted_queue_names_are_refused_by_every_operation(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    let held = desk.one().await;
    let client = &desk.client;
    for name in no_queue_names() {
        let queue = Queue::new(name);
        refused(client.declare(&queue, &Policy::default()).await, Code::Invalid);
        refused(client.publish(&queue, message(2)).await, Code::Invalid);
        refused(client.publish_batch(&queue, vec![message(2)]).await, Code::Invalid);
        refused(client.fetch(&queue, Fetch::up_to(1)).await, Code::Invalid);
        refused(client.peek(&queue, looking_at(1)).await, Code::Invalid);
        refused(client.settle(&queue, &held.tag, Verdict::Done).await, Code::Invalid);
        refused(client.extend(&queue, &held.tag, 1).await, Code::Invalid);
        refused(client.depth(&queue, None).await, Code::Invalid);
        refused(client.dead_letters(&queue, 1, None).await, Code::Invalid);
        refused(client.replay(&queue, id(1), None).await, Code::Invalid);
        refused(client.purge(&queue, Purge::default()).await, Code::Invalid);
        refused(client.delete(&queue).await, Code::Invalid);
        refused(client.sweep(&queue).await, Code::Invalid);
    }
    desk.done(&held).await;
}

async fn crafted_tenants_are_refused(world: World) {
    let desk = world.desk(Policy::default()).await;
    let crafted = ["", " ", "a:b", "*", ">", "#", "a.b", "a/b", "..", "a_b", "A", "-a", "a%", "a'", "\0", "аcme", "é"];
    for tenant in crafted.iter().map(ToString::to_string).chain(["a".repeat(65)]) {
        let queue = Queue::of_tenant(tenant.clone(), "tasks");
        refused(desk.client.declare(&queue, &Policy::default()).await, Code::Invalid);
        refused(desk.client.depth(&queue, None).await, Code::Invalid);
        refused(desk.client.delete(&queue).await, Code::Invalid);
        let update = Update::Channel(Health::new("ada".parse().unwrap(), HealthStatus::Idle));
        refused(desk.client.heartbeat(update, Some(&tenant)).await, Code::Invalid);
        refused(desk.client.agents(None, Some(&tenant)).await, Code::Invalid);
    }
    assert!(desk.client.agents(None, None).await.unwrap().is_empty());
}

async fn crafted_groups_and_recipients_are_refused(world: World) {
    let desk = world.desk(Policy::default()).await;
    let (client, queue) = (&desk.client, &desk.queue);
    for name in no_names() {
        refused(client.publish(queue, to(&name, 1)).await, Code::Invalid);
        refused(client.fetch(queue, Fetch::up_to(1).of_group(name.as_str())).await, Code::Invalid);
        refused(client.fetch(queue, Fetch::up_to(1).for_recipient(name.as_str())).await, Code::Invalid);
        refused(client.peek(queue, Peek { group: Some(name.clone()), ..looking_at(1) }).await, Code::Invalid);
        refused(client.peek(queue, Peek { recipient: Some(name.clone()), ..looking_at(1) }).await, Code::Invalid);
        refused(client.depth(queue, Some(&name)).await, Code::Invalid);
        refused(client.dead_letters(queue, 1, Some(&name)).await, Code::Invalid);
        refused(client.replay(queue, id(1), Some(&name)).await, Code::Invalid);
        refused(client.purge(queue, Purge { group: Some(&name), dead: false }).await, Code::Invalid);
        refused(client.purge(queue, Purge { group: Some(&name), dead: true }).await, Code::Invalid);
    }
    assert_eq!(desk.depth().await, Counts::NONE);
}

async fn crafted_client_names_are_refused(world: World) {
    for name in no_names() {
        match world.broker.open(&name).await {
            Ok(_) => panic!("a client could be opened as {name:?}"),
            Err(error) => assert_eq!(error.code(), Code::Invalid, "{name:?}: {error}"),
        }
    }
}

async fn names_at_their_bounds_are_names(world: World) {
    let desk = world.desk(Policy::default()).await;
    for (tenant, name) in [("a".repeat(64), "a".repeat(100)), ("9".to_owned(), "0".to_owned())] {
        let desk = desk.at(Queue::of_tenant(tenant, name), Policy::default()).await;
        let name = "Z".repeat(128);
        desk.put(Message { to: Some(name.clone()), ..message(1) }).await;
        let fetch = Fetch::up_to(1).of_group(name.as_str()).for_recipient(name.as_str());
        desk.done(&desk.one_of(fetch).await).await;
        assert_eq!(desk.depth_of(&name).await, Counts::NONE);
    }
    world.open(&"c".repeat(128)).await;
    world.open("0").await;
    desk.at(Queue::new("a.b_c-d..e"), Policy::default()).await;
}

async fn a_consumer_may_be_called_anything(world: World) {
    let desk = world.desk(Policy::default()).await;
    for (number, consumer) in (1..).zip(["", "a b", "\0", "'; drop table messages; --", "é"]) {
        desk.put(message(number)).await;
        let fetch = Fetch { consumer: consumer.to_owned(), ..Fetch::up_to(1) };
        assert_eq!(desk.one_of(fetch).await.id, id(number));
    }
}

//! Names of keys. A tenant's begin with `t:`, those of nobody with `q:`; names of queues and tenants hold
//! no colon, so that none reaches another's.

use crate::queue::Queue;
use crate::redis::options::RedisOptions;

/// The keys of a queue, in the order in which every script is told them: ten of its own, then its levels
/// from the least urgent on.
const PARTS: [&str; 10] =
    [":_meta", ":_groups", ":_state", ":_ready", ":_timers", ":_known", ":_forget", ":_late", ":_shares", ":dlq"];

/// The stream of a queue, or what the names of its levels begin with.
fn base(options: &RedisOptions, queue: &Queue) -> String {
    let name = match queue.tenant() {
        Some(tenant) => format!("{}t:{tenant}:events:{}", options.prefix, queue.name()),
        None => format!("{}q:{}", options.prefix, queue.name()),
    };
    if options.cluster { format!("{{{name}}}") } else { name }
}

/// Where a queue's policy is.
pub(super) fn meta(options: &RedisOptions, queue: &Queue) -> String {
    base(options, queue) + PARTS[0]
}

/// The channel of those who wait for a queue.
pub(super) fn channel(options: &RedisOptions, queue: &Queue) -> String {
    base(options, queue) + ":_wake"
}

/// All keys of a queue. One that has one level is one stream.
pub(super) fn all(options: &RedisOptions, queue: &Queue, levels: i64) -> Vec<String> {
    let base = base(options, queue);
    let mut keys: Vec<String> = PARTS.iter().map(|part| format!("{base}{part}")).collect();
    if levels == 1 {
        keys.push(base);
    } else {
        keys.extend((1..=levels).map(|level| format!("{base}:{level}")));
    }
    keys
}

/// Where the agents of a tenant are, or those of nobody.
pub(super) fn agents(options: &RedisOptions, tenant: Option<&str>) -> String {
    match tenant {
        Some(tenant) => format!("{}t:{tenant}:agents", options.prefix),
        None => format!("{}agents", options.prefix),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_called_as_the_binding_says() {
        let options = RedisOptions::parse("redis://host").unwrap();
        let keys = all(&options, &Queue::of_tenant("acme", "tasks"), 1);
        assert_eq!(keys[10..], ["t:acme:events:tasks"]);
        assert_eq!(keys[9], "t:acme:events:tasks:dlq");
        let keys = all(&options, &Queue::new("tasks"), 3);
        assert_eq!(keys[10..], ["q:tasks:1", "q:tasks:2", "q:tasks:3"]);
        let options = RedisOptions::parse("redis://host?cluster=1&prefix=blue:").unwrap();
        assert_eq!(meta(&options, &Queue::new("tasks")), "{blue:q:tasks}:_meta");
    }
}

//! What a queue of the contract is called on the server.
//!
//! A colon parts what belongs together: it stands in no name, tenant, group or namespace, so no two
//! queues share a name, whatever they are called.

use uuid::Uuid;

use crate::queue::Queue;

/// What names begin with where no namespace is given.
const NAMESPACE: &str = "workwire";

/// Names that are longer are cut, and told apart by a digest: AMQP carries 255 bytes, and something is
/// put behind each.
const LONGEST_QUEUE: usize = 150;
const LONGEST_GROUP: usize = 190;
const KEPT: usize = 100;

/// The names of all that belongs to one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    base: String,
}

impl Names {
    pub(super) fn of(namespace: Option<&str>, queue: &Queue) -> Self {
        let base = match (namespace, queue.tenant()) {
            // The names of the work bus are the protocol's own.
            (None, None) if is_of_the_bus(queue.name()) => queue.name().to_owned(),
            (namespace, None) => format!("{}:{}", namespace.unwrap_or(NAMESPACE), queue.name()),
            (namespace, Some(tenant)) => format!("{}:{tenant}/{}", namespace.unwrap_or(NAMESPACE), queue.name()),
        };
        if base.len() <= LONGEST_QUEUE {
            return Names { base };
        }
        let kept: String = base.chars().take(KEPT).collect();
        Names { base: format!("{kept}:#{}", digest(&base)) }
    }

    /// The queue from which a group is served.
    pub(super) fn source(&self, group: Option<&str>) -> String {
        match group {
            None => self.base.clone(),
            Some(group) => {
                let whole = format!("{}:group:{group}", self.base);
                if whole.len() <= LONGEST_GROUP { whole } else { format!("{}:group:#{}", self.base, digest(group)) }
            }
        }
    }

    /// The queue of the dead letters.
    pub(super) fn dead(&self) -> String {
        format!("{}:dead", self.base)
    }

    /// The queue of the one message that says what the policy is.
    pub(super) fn policy(&self) -> String {
        format!("{}:policy", self.base)
    }

    /// The queue that is there while somebody makes the queue, or a group of it.
    pub(super) fn making(&self) -> String {
        format!("{}:making", self.base)
    }

    /// The queue that is there while somebody works on the dead letters.
    pub(super) fn lock(&self) -> String {
        format!("{}:lock", self.base)
    }

    /// The routing key that brings a message to every group.
    pub(super) fn every(&self, life: &str) -> String {
        format!("{}:{life}", self.base)
    }

    /// The routing key that brings a message to one group.
    pub(super) fn only(&self, group: Option<&str>, life: &str) -> String {
        format!("{}:only:{life}", self.source(group))
    }

    /// The queue in which messages rest.
    pub(super) fn rests(&self) -> String {
        format!("{}:rests", self.base)
    }

    /// The routing key that brings a message there.
    pub(super) fn resting(&self, life: &str) -> String {
        format!("{}:rests:{life}", self.base)
    }
}

/// The queue's life that stands at the end of a routing key.
pub(super) fn life_of(key: &str) -> Option<&str> {
    key.rsplit_once(':').map(|(_, life)| life)
}

/// What stands for a long text; no name begins with the `#` before it.
fn digest(text: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).simple().to_string()
}

fn is_of_the_bus(name: &str) -> bool {
    name == "reply_queue" || name == "broadcast" || name == "work_queue" || name.starts_with("work_queue.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_queues_share_a_name_and_all_fit() {
        let name = |namespace, queue: &Queue| Names::of(namespace, queue).source(None);
        let tasks = Queue::new("tasks");
        assert_eq!(name(None, &tasks), "workwire:tasks");
        assert_eq!(name(Some("team"), &tasks), "team:tasks");
        assert_eq!(name(None, &Queue::of_tenant("acme", "tasks")), "workwire:acme/tasks");
        let work = Queue::new("work_queue.infra");
        assert_eq!(name(None, &work), "work_queue.infra");
        assert_eq!(name(Some("team"), &work), "team:work_queue.infra");
        assert_eq!(name(None, &Queue::of_tenant("acme", "work_queue.infra")), "workwire:acme/work_queue.infra");

        let long = Names::of(Some(&"n".repeat(40)), &Queue::of_tenant("t".repeat(64), "q".repeat(100)));
        let group = "g".repeat(128);
        let life = "0123456789ab";
        for key in [long.only(Some(&group), life), long.every(life), long.resting(life)] {
            assert!(key.len() <= 255, "{key}");
            assert_eq!(life_of(&key), Some(life));
        }
        assert_ne!(long.source(Some("a")), long.source(Some("b")));
    }
}

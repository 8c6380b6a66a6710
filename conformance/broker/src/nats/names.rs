//! Names on the server: streams and subjects of a queue.
//!
//! A name of the contract becomes one token of a subject: its dots become `~`, which no name holds. So
//! no name reaches into another's subjects, and a tenant's stand apart from nobody's by the `@` that no
//! name holds either.

use uuid::Uuid;

use crate::queue::Queue;

const FAREWELL: &str = ".deleted";

/// The streams and subjects of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// The stream of its messages.
    pub(super) stream: String,
    /// The stream of what is held.
    pub(super) claims: String,
    /// What its subjects begin with.
    prefix: String,
    /// What the subjects of its claims begin with.
    claims_prefix: String,
}

impl Names {
    pub(super) fn of(namespace: &str, queue: &Queue) -> Self {
        let space = queue.tenant().map_or_else(|| namespace.to_owned(), |tenant| format!("{namespace}@{tenant}"));
        let name = token(queue.name());
        Names {
            stream: format!("{space}+{name}"),
            claims: format!("{space}+{name}+held"),
            prefix: format!("{space}.{name}"),
            claims_prefix: format!("{space}+held.{name}"),
        }
    }

    /// The subjects of the queue's stream.
    pub(super) fn subjects(&self) -> String {
        format!("{}.>", self.prefix)
    }

    pub(super) fn claim_subjects(&self) -> String {
        format!("{}.>", self.claims_prefix)
    }

    /// A new subject for a message, its own for as long as it lives.
    pub(super) fn subject(&self, level: i64, id: Uuid, to: Option<&str>) -> String {
        // Two messages may have one id, when the first is older than the window of dedupe.
        let nonce = Uuid::new_v4().simple().to_string();
        let to = to.map_or_else(|| "-".to_owned(), token);
        format!("{}.{level}.{}.{}.{to}", self.prefix, id.simple(), &nonce[..12])
    }

    /// All subjects of an id.
    pub(super) fn subjects_of(&self, id: Uuid) -> String {
        format!("{}.*.{}.>", self.prefix, id.simple())
    }

    /// Where those who follow the queue are told that it is deleted.
    pub(super) fn farewell(&self) -> String {
        format!("{}{FAREWELL}", self.claims_prefix)
    }

    /// Where it stands who holds the message with this number.
    pub(super) fn claim(&self, seq: u64) -> String {
        format!("{}.{seq}", self.claims_prefix)
    }
}

/// Whether it is told here that the queue is being deleted.
pub(super) fn is_farewell(subject: &str) -> bool {
    subject.ends_with(FAREWELL)
}

/// The number of the message that a claim is about.
pub(super) fn claimed(subject: &str) -> Option<u64> {
    subject.rsplit('.').next()?.parse().ok()
}

/// What a message's subject says: level, id and recipient.
pub(super) fn read(subject: &str) -> Option<(i64, Uuid, Option<String>)> {
    let mut tokens = subject.split('.').skip(2);
    let level = tokens.next()?.parse().ok()?;
    let id = Uuid::parse_str(tokens.next()?).ok()?;
    let to = tokens.nth(1)?;
    let to = (to != "-").then(|| to.replace('~', "."));
    tokens.next().is_none().then_some((level, id, to))
}

fn token(name: &str) -> String {
    name.replace('.', "~")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_and_dots_do_not_cross() {
        let names = |queue: &Queue| Names::of("ww", queue);
        let all = [
            names(&Queue::new("a.b")),
            names(&Queue::new("a-b")),
            names(&Queue::new("acme")),
            names(&Queue::of_tenant("acme", "a.b")),
            names(&Queue::of_tenant("acme", "a_b")),
        ];
        for (index, one) in all.iter().enumerate() {
            for other in &all[index + 1..] {
                assert!(one.stream != other.stream && one.subjects() != other.subjects());
            }
        }
        assert_eq!(all[3].subjects(), "ww@acme.a~b.>");
        assert_eq!(all[0].stream, "ww+a~b");
    }

    #[test]
    fn a_subject_says_what_it_was_made_of() {
        let names = Names::of("ww", &Queue::new("work_queue.infra"));
        let id = Uuid::now_v7();
        let subject = names.subject(4, id, Some("agent.7"));
        assert!(subject.starts_with("ww.work_queue~infra.4."));
        assert_eq!(read(&subject), Some((4, id, Some("agent.7".to_owned()))));
        assert_eq!(read(&names.subject(1, id, None)), Some((1, id, None)));
        assert_eq!(read("ww.tasks.3"), None);
        assert_eq!(claimed(&names.claim(17)), Some(17));
    }
}

//! The specification: numbered clauses, one file per area.
//!
//! Each clause has an id that is never reused and never renumbered, a level, and says how it can
//! be checked. [`clauses`] gives them to code; the text follows here. A clause that binds nobody any
//! more stays in its place as *withdrawn*, with the reason: [`withdrawn`] gives those.
#![doc = include_str!("spec/codec.md")]
#![doc = include_str!("spec/json.md")]
#![doc = include_str!("spec/fields.md")]
#![doc = include_str!("spec/version.md")]
#![doc = include_str!("spec/values.md")]
#![doc = include_str!("spec/envelope.md")]
#![doc = include_str!("spec/work.md")]
#![doc = include_str!("spec/status.md")]
#![doc = include_str!("spec/channel.md")]
#![doc = include_str!("spec/event.md")]
#![doc = include_str!("spec/mappings.md")]
#![doc = include_str!("spec/broker/delivery.md")]
#![doc = include_str!("spec/broker/settling.md")]
#![doc = include_str!("spec/broker/leases.md")]
#![doc = include_str!("spec/broker/order.md")]
#![doc = include_str!("spec/broker/priority.md")]
#![doc = include_str!("spec/broker/dead_letters.md")]
#![doc = include_str!("spec/broker/replay.md")]
#![doc = include_str!("spec/broker/expiry.md")]
#![doc = include_str!("spec/broker/delay.md")]
#![doc = include_str!("spec/broker/dedupe.md")]
#![doc = include_str!("spec/broker/groups.md")]
#![doc = include_str!("spec/broker/addressing.md")]
#![doc = include_str!("spec/broker/browse.md")]
#![doc = include_str!("spec/broker/presence.md")]
#![doc = include_str!("spec/broker/durability.md")]
#![doc = include_str!("spec/broker/concurrency.md")]
#![doc = include_str!("spec/broker/limits.md")]
#![doc = include_str!("spec/broker/tenancy.md")]
#![doc = include_str!("spec/broker/observability.md")]
#![doc = include_str!("spec/broker/rpc.md")]

use std::sync::LazyLock;

use crate::rule::Scope;

const AREAS: &[&str] = &[
    include_str!("spec/codec.md"),
    include_str!("spec/json.md"),
    include_str!("spec/fields.md"),
    include_str!("spec/version.md"),
    include_str!("spec/values.md"),
    include_str!("spec/envelope.md"),
    include_str!("spec/work.md"),
    include_str!("spec/status.md"),
    include_str!("spec/channel.md"),
    include_str!("spec/event.md"),
    include_str!("spec/mappings.md"),
    include_str!("spec/broker/delivery.md"),
    include_str!("spec/broker/settling.md"),
    include_str!("spec/broker/leases.md"),
    include_str!("spec/broker/order.md"),
    include_str!("spec/broker/priority.md"),
    include_str!("spec/broker/dead_letters.md"),
    include_str!("spec/broker/replay.md"),
    include_str!("spec/broker/expiry.md"),
    include_str!("spec/broker/delay.md"),
    include_str!("spec/broker/dedupe.md"),
    include_str!("spec/broker/groups.md"),
    include_str!("spec/broker/addressing.md"),
    include_str!("spec/broker/browse.md"),
    include_str!("spec/broker/presence.md"),
    include_str!("spec/broker/durability.md"),
    include_str!("spec/broker/concurrency.md"),
    include_str!("spec/broker/limits.md"),
    include_str!("spec/broker/tenancy.md"),
    include_str!("spec/broker/observability.md"),
    include_str!("spec/broker/rpc.md"),
];

/// How binding a clause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Without it an implementation does not conform.
    Must,
    /// There may be a reason to do otherwise; going against it is a warning.
    Should,
}

/// One numbered clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clause {
    id: &'static str,
    level: Level,
    scope: Option<Scope>,
    role: Role,
    capabilities: &'static str,
    text: &'static str,
}

/// Whom a clause binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// What reads and writes messages.
    Codec,
    /// What stores and delivers them.
    Broker,
    /// A broker, where the machine can be reached on which it runs.
    Host,
    /// An adapter in front of a broker.
    Adapter,
}

impl Role {
    /// Its name in the specification.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Codec => "codec",
            Role::Broker => "broker",
            Role::Host => "host",
            Role::Adapter => "adapter",
        }
    }
}

/// A clause that binds nobody any more. Its id is not given to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withdrawn {
    id: &'static str,
    reason: &'static str,
}

impl Withdrawn {
    /// The id that it had.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// Why it was withdrawn, and what holds instead.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.reason
    }
}

impl Clause {
    /// Its id, `WRS-4` for example.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// The area that it belongs to, `WRS` for example.
    #[must_use]
    pub fn area(&self) -> &'static str {
        self.id.split_once('-').map_or(self.id, |(area, _)| area)
    }

    /// How binding it is.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// What can tell that a message breaks it; nothing for a clause about what an implementation does.
    #[must_use]
    pub const fn scope(&self) -> Option<Scope> {
        self.scope
    }

    /// Whom it binds.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// What a broker has to claim for the clause to bind it, by the names of the contract.
    pub fn capabilities(&self) -> impl Iterator<Item = &'static str> {
        self.capabilities.split_whitespace()
    }

    /// What it says.
    #[must_use]
    pub const fn text(&self) -> &'static str {
        self.text
    }
}

/// The parts of a line `- **ID** (MARKS) text`.
fn parts(line: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let (id, rest) = line.strip_prefix("- **")?.split_once("** (")?;
    let (marks, text) = rest.split_once(") ")?;
    Some((id, marks, text))
}

/// A clause from its line, `- **ID** (LEVEL, scope) text` where it binds a codec, and
/// `- **ID** (LEVEL, role: capabilities) text` where it binds somebody else.
fn clause(line: &'static str) -> Option<Clause> {
    let (id, marks, text) = parts(line)?;
    let (level, mark) = marks.split_once(", ").unwrap_or((marks, ""));
    let level = match level {
        "MUST" => Level::Must,
        "SHOULD" => Level::Should,
        _ => return None,
    };
    let (name, capabilities) = mark.split_once(": ").unwrap_or((mark, ""));
    let (role, scope) = match (level, name) {
        (Level::Must, "") => (Role::Codec, None),
        (Level::Must, "schema") => (Role::Codec, Some(Scope::Schema)),
        (Level::Must, "beyond") => (Role::Codec, Some(Scope::Beyond)),
        (Level::Should, "") => (Role::Codec, Some(Scope::Warning)),
        (_, "broker") => (Role::Broker, None),
        (_, "host") => (Role::Host, None),
        (_, "adapter") => (Role::Adapter, None),
        _ => return None,
    };
    Some(Clause { id, level, scope, role, capabilities, text })
}

/// A clause that was withdrawn, from its line `- **ID** (withdrawn) reason`.
fn withdrawn_clause(line: &'static str) -> Option<Withdrawn> {
    let (id, marks, reason) = parts(line)?;
    (marks == "withdrawn").then_some(Withdrawn { id, reason })
}

/// Every clause, in the order of the specification.
///
/// ```
/// let clause = workwire::spec::explain("WRS-4").expect("there is one");
/// assert_eq!(clause.area(), "WRS");
/// assert!(clause.text().starts_with("`error_message` is there"));
/// ```
#[must_use]
pub fn clauses() -> &'static [Clause] {
    static CLAUSES: LazyLock<Vec<Clause>> =
        LazyLock::new(|| AREAS.iter().flat_map(|area| area.lines()).filter_map(clause).collect());
    &CLAUSES
}

/// The clause of an id.
#[must_use]
pub fn explain(id: &str) -> Option<&'static Clause> {
    clauses().iter().find(|clause| clause.id == id)
}

/// Every clause that binds nobody any more, in the order of the specification.
///
/// ```
/// let gone = workwire::spec::withdrawn().iter().find(|clause| clause.id() == "ACK-26").expect("it was withdrawn");
/// assert_eq!(gone.reason(), "It said what DLY-18 says.");
/// ```
#[must_use]
pub fn withdrawn() -> &'static [Withdrawn] {
    static WITHDRAWN: LazyLock<Vec<Withdrawn>> =
        LazyLock::new(|| AREAS.iter().flat_map(|area| area.lines()).filter_map(withdrawn_clause).collect());
    &WITHDRAWN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Rule;

    #[test]
    fn every_line_that_looks_like_a_clause_is_one() {
        for line in AREAS.iter().flat_map(|area| area.lines()).filter(|line| line.contains("**")) {
            assert!(clause(line).is_some() != withdrawn_clause(line).is_some(), "{line}");
        }
    }

    #[test]
    fn a_clause_is_told_as_its_line_says() {
        let clause = explain("WRS-4").unwrap();
        assert_eq!((clause.id(), clause.level(), clause.role()), ("WRS-4", Level::Must, Role::Codec));
        assert_eq!(clause.text(), "`error_message` is there and not empty when `status` is `failed`.");
        let clause = explain("DLY-14").unwrap();
        assert_eq!(
            (clause.role(), clause.capabilities().collect()),
            (Role::Broker, vec!["delay", "durable", "restart"])
        );
        assert_eq!(
            [Role::Codec, Role::Broker, Role::Host, Role::Adapter].map(Role::as_str).join(" "),
            "codec broker host adapter"
        );
    }

    #[test]
    fn clause_ids_are_unique_and_in_order() {
        let mut last = std::collections::HashMap::new();
        for (id, _, text) in AREAS.iter().flat_map(|area| area.lines()).filter_map(parts) {
            let (area, number) = id.split_once('-').unwrap();
            let number: u32 = number.parse().unwrap();
            let before = last.insert(area, number).unwrap_or(0);
            assert_eq!(number, before + 1, "{id} follows {area}-{before}");
            assert!(text.ends_with(['.', ')']), "{id}: a sentence");
        }
    }

    #[test]
    fn what_is_withdrawn_is_no_clause_and_names_clauses_that_are() {
        let lines = AREAS.iter().flat_map(|area| area.lines()).filter(|line| line.contains("** (withdrawn)"));
        assert_eq!(withdrawn().len(), lines.clone().count());
        assert!(withdrawn().iter().zip(lines).all(|(gone, line)| line.starts_with(&format!("- **{}**", gone.id()))));
        for gone in withdrawn() {
            assert!(explain(gone.id()).is_none(), "{}", gone.id());
            let named = gone.reason().split([' ', ',', '.']).filter(|word| word.contains('-'));
            assert!(named.clone().count() > 0, "{} says what holds instead", gone.id());
            assert!(named.into_iter().all(|id| explain(id).is_some()), "{}: {}", gone.id(), gone.reason());
        }
    }

    #[test]
    fn every_rule_that_a_violation_can_carry_is_a_clause_of_the_same_scope() {
        for rule in Rule::ALL {
            let clause = explain(rule.id()).unwrap_or_else(|| panic!("{rule} is no clause"));
            assert_eq!(clause.scope(), Some(rule.scope()), "{rule}");
            assert!(clause.id().starts_with(&format!("{}-", clause.area())) && !clause.area().is_empty(), "{rule}");
        }
        let marked = clauses().iter().filter(|clause| clause.scope().is_some()).count();
        assert_eq!(marked, Rule::ALL.len(), "every marked clause is a rule");
    }
}

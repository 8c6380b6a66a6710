//! What may happen, and how often: few queues, few ids, few moments, so that things meet.

use std::fmt;

use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use workwire_broker::{CloseMode, HealthStatus, Overflow, Policy, Queue, RestartMode};

/// A client's name, by its number.
pub(crate) type Who = usize;

pub(crate) const NAMES: [&str; 3] = ["ada", "bob", "carol"];

/// What a name is not.
const NO_NAME: &str = "no name";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    Nobodys,
    Acmes,
    Zeniths,
}

impl Where {
    pub(crate) const ALL: [Where; 3] = [Where::Nobodys, Where::Acmes, Where::Zeniths];

    pub(crate) fn queue(self) -> Queue {
        match self {
            Where::Nobodys => Queue::new("tasks"),
            Where::Acmes => Queue::of_tenant("acme", "tasks"),
            Where::Zeniths => Queue::of_tenant("zenith", "tasks"),
        }
    }
}

/// A name of a group, a recipient, a tenant; or none.
pub(crate) type Named = Option<&'static str>;

/// What is published; its body is told apart by the number of the publication.
#[derive(Clone, Copy)]
pub(crate) struct Parcel {
    pub(crate) id: u8,
    pub(crate) priority: Option<i64>,
    pub(crate) ttl_ms: Option<i64>,
    pub(crate) delay_ms: Option<i64>,
    pub(crate) to: Named,
}

impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.id)?;
        let numbers = [("priority", self.priority), ("ttl", self.ttl_ms), ("delay", self.delay_ms)];
        for (name, number) in numbers {
            number.map_or(Ok(()), |number| write!(f, " {name} {number}"))?;
        }
        self.to.map_or(Ok(()), |to| write!(f, " to {to:?}"))
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Ending {
    Done,
    Retry { delay_ms: Option<i64>, reason: Named },
    Dead { reason: Named },
}

/// One of the deliveries that are held, or of all that ever were, counted back from the last; or what
/// is no tag.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tagged {
    Live(usize),
    Last(usize),
    Nothing,
}

/// Who settles and where: the holder in its own queue, unless said otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hand {
    pub(crate) tag: Tagged,
    pub(crate) another: Option<Who>,
    pub(crate) elsewhere: Option<Where>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Taking {
    pub(crate) max: u32,
    pub(crate) group: Named,
    pub(crate) recipient: Named,
    pub(crate) id: Option<u8>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Beat {
    pub(crate) agent: usize,
    /// An agent of an orchestrator, else one on channels.
    pub(crate) is_agent: bool,
    pub(crate) status: HealthStatus,
    /// What it says its time is, counted from the broker's.
    pub(crate) at: Option<i64>,
    pub(crate) tenant: Named,
}

/// What follows at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Nothing,
    /// Opened, or declared with another policy.
    Again,
}

/// A letter: one of those that are there, or one with this id.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Buried {
    There(usize),
    Id(u8),
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Open(Who),
    Close(Who, CloseMode, Then),
    /// Its client is dropped, and opened anew.
    Drop(Who),
    Restart(RestartMode, Then),
    /// With one of the policies of the history.
    Declare(Who, Where, usize),
    Delete(Who, Where, Then),
    Publish(Who, Where, Parcel),
    Batch(Who, Where, Vec<Parcel>),
    Fetch(Who, Where, Taking),
    Peek(Who, Where, Taking),
    Settle(Hand, Ending),
    Extend(Hand, i64),
    Depth(Who, Where, Named),
    Letters(Who, Where, u32, Named),
    Replay(Who, Where, Buried, Named),
    Purge(Who, Where, Named, bool),
    Sweep(Who, Where),
    Heartbeat(Who, Beat),
    Agents(Who, Option<i64>, Named),
    Pass(i64),
}

/// Each queue is declared with one of three policies, then all this happens.
#[derive(Clone)]
pub(crate) struct History {
    pub(crate) policies: Vec<Policy>,
    pub(crate) steps: Vec<Step>,
}

/// A line for each, so that a history can be read.
impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, policy) in Where::ALL.iter().zip(&self.policies) {
            write!(f, "\n  {place:?} with {policy:?}")?;
        }
        self.steps.iter().try_for_each(|step| write!(f, "\n  {step:?}"))
    }
}

pub(crate) fn history() -> impl Strategy<Value = History> {
    (vec(policy(), 3), vec(step(), 1..250)).prop_map(|(policies, steps)| History { policies, steps })
}

/// Times are mostly multiples of ten, so that one thing often ends when another begins.
fn time(least: i64) -> impl Strategy<Value = i64> {
    prop_oneof![1 => Just(least), 12 => (1..5_i64).prop_map(|tens| tens * 10), 2 => 1..50_i64]
}

fn policy() -> impl Strategy<Value = Policy> {
    let levels = prop_oneof![6 => Just(5_i64), 1 => Just(10), 1 => Just(1), 1 => Just(2)];
    let attempts = prop_oneof![3 => Just(1_i64), 4 => Just(2), 3 => Just(3)];
    let counts = (levels, attempts, weighted(0.3, 1..5_i64));
    let lease = prop_oneof![1 => time(1), 4 => (2..9_i64).prop_map(|tens| tens * 10)];
    let times = (lease, vec(time(0), 0..3), weighted(0.3, time(1)));
    let overflow = prop_oneof![Just(Overflow::Reject), Just(Overflow::DropOldest)];
    let dedupe = prop_oneof![2 => Just(0_i64), 3 => time(1)];
    (counts, times, overflow, dedupe).prop_map(|(counts, times, overflow, dedupe_ms)| {
        let (max_priority, max_attempts, max_length) = counts;
        let (lease_ms, backoff_ms, ttl_ms) = times;
        Policy { max_priority, max_attempts, lease_ms, backoff_ms, ttl_ms, max_length, overflow, dedupe_ms }
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        40 => traffic(),
        16 => (hand(), ending()).prop_map(|(hand, ending)| Step::Settle(hand, ending)),
        3 => (hand(), time(0)).prop_map(|(hand, lease_ms)| Step::Extend(hand, lease_ms)),
        8 => prop_oneof![2 => time(1), 1 => Just(9), 4 => Just(10)].prop_map(Step::Pass),
        18 => questions(),
        4 => presence(),
        7 => changes(),
    ]
}

fn traffic() -> impl Strategy<Value = Step> {
    let parcels = vec(parcel(), 0..5);
    prop_oneof![
        18 => (who(), place(), parcel()).prop_map(|(who, place, parcel)| Step::Publish(who, place, parcel)),
        3 => (who(), place(), parcels).prop_map(|(who, place, parcels)| Step::Batch(who, place, parcels)),
        18 => (who(), place(), taking()).prop_map(|(who, place, taking)| Step::Fetch(who, place, taking)),
    ]
}

/// On one queue, of one group or of all.
fn questions() -> impl Strategy<Value = Step> {
    let purge = (who(), place(), named(), any::<bool>());
    let letter = prop_oneof![5 => (0..4_usize).prop_map(Buried::There), 1 => id().prop_map(Buried::Id)];
    let replay = (who(), place(), letter, named());
    prop_oneof![
        3 => (who(), place(), taking()).prop_map(|(who, place, taking)| Step::Peek(who, place, taking)),
        3 => (who(), place(), named()).prop_map(|(who, place, group)| Step::Depth(who, place, group)),
        5 => replay.prop_map(|(who, place, letter, group)| Step::Replay(who, place, letter, group)),
        2 => (who(), place(), 0..4_u32, named()).prop_map(|(who, place, max, of)| Step::Letters(who, place, max, of)),
        2 => purge.prop_map(|(who, place, group, dead)| Step::Purge(who, place, group, dead)),
        2 => (who(), place()).prop_map(|(who, place)| Step::Sweep(who, place)),
    ]
}

fn presence() -> impl Strategy<Value = Step> {
    prop_oneof![
        (who(), beat()).prop_map(|(who, beat)| Step::Heartbeat(who, beat)),
        (who(), of(time(0)), tenant()).prop_map(|(who, silence, tenant)| Step::Agents(who, silence, tenant)),
    ]
}

/// Clients and queues come and go.
fn changes() -> impl Strategy<Value = Step> {
    let mode = prop_oneof![Just(CloseMode::Graceful), Just(CloseMode::Abort)];
    let restart = prop_oneof![Just(RestartMode::Graceful), Just(RestartMode::Kill)];
    let then = || prop_oneof![1 => Just(Then::Nothing), 11 => Just(Then::Again)];
    prop_oneof![
        4 => who().prop_map(Step::Open),
        3 => (who(), mode, then()).prop_map(|(who, mode, then)| Step::Close(who, mode, then)),
        4 => (who(), place(), 0..3_usize).prop_map(|(who, place, policy)| Step::Declare(who, place, policy)),
        1 => who().prop_map(Step::Drop),
        1 => (restart, then()).prop_map(|(mode, then)| Step::Restart(mode, then)),
        1 => (who(), place(), then()).prop_map(|(who, place, then)| Step::Delete(who, place, then)),
    ]
}

fn who() -> impl Strategy<Value = Who> {
    0..NAMES.len()
}

fn place() -> impl Strategy<Value = Where> {
    prop_oneof![8 => Just(Where::Nobodys), 2 => Just(Where::Acmes), 1 => Just(Where::Zeniths)]
}

fn id() -> impl Strategy<Value = u8> {
    1..9_u8
}

/// A group.
fn named() -> impl Strategy<Value = Named> {
    prop_oneof![40 => Just(None), 16 => Just(Some("one")), 8 => Just(Some("two")), 1 => Just(Some(NO_NAME))]
}

/// A recipient; none so many times of ten.
fn recipient(none: u32) -> impl Strategy<Value = Named> {
    let [x, y, z] = [Just(Some("x")), Just(Some("y")), Just(Some("z"))];
    let some = prop_oneof![12 => x, 6 => y, 3 => z, 1 => Just(Some(NO_NAME))];
    prop_oneof![none => Just(None), 10 - none => some]
}

fn tenant() -> impl Strategy<Value = Named> {
    prop_oneof![4 => Just(None), 4 => Just(Some("acme")), 2 => Just(Some("zenith")), 1 => Just(Some(NO_NAME))]
}

/// A reason; none so many times of ten.
fn reason(none: u32) -> impl Strategy<Value = Named> {
    prop_oneof![none => Just(None), 10 - none => prop_oneof![Just(Some("broken")), Just(Some("slow"))]]
}

fn parcel() -> impl Strategy<Value = Parcel> {
    let priority = weighted(0.4, prop_oneof![30 => 1..6_i64, 1 => Just(0), 1 => Just(11)]);
    let ttl = weighted(0.25, prop_oneof![1 => Just(0), 20 => time(1)]);
    let delay = weighted(0.25, prop_oneof![1 => Just(-1), 20 => time(0)]);
    let parts = (id(), priority, ttl, delay, recipient(8));
    parts.prop_map(|(id, priority, ttl_ms, delay_ms, to)| Parcel { id, priority, ttl_ms, delay_ms, to })
}

fn taking() -> impl Strategy<Value = Taking> {
    let max = prop_oneof![1 => Just(0), 40 => 1..4_u32];
    let parts = (max, named(), recipient(5), weighted(0.1, id()));
    parts.prop_map(|(max, group, recipient, id)| Taking { max, group, recipient, id })
}

fn hand() -> impl Strategy<Value = Hand> {
    let last = |most: usize| (0..most).prop_map(Tagged::Last);
    let live = (0..10_usize).prop_map(Tagged::Live);
    let tag = prop_oneof![14 => live, 2 => last(4), 1 => last(20), 1 => Just(Tagged::Nothing)];
    let parts = (tag, weighted(0.05, who()), weighted(0.05, place()));
    parts.prop_map(|(tag, another, elsewhere)| Hand { tag, another, elsewhere })
}

fn ending() -> impl Strategy<Value = Ending> {
    let delay = weighted(0.4, prop_oneof![1 => Just(-1), 12 => time(0)]);
    prop_oneof![
        3 => Just(Ending::Done),
        6 => (delay, reason(3)).prop_map(|(delay_ms, reason)| Ending::Retry { delay_ms, reason }),
        4 => reason(6).prop_map(|reason| Ending::Dead { reason }),
    ]
}

fn beat() -> impl Strategy<Value = Beat> {
    let status = prop_oneof![Just(HealthStatus::Active), Just(HealthStatus::Idle), Just(HealthStatus::Failed)];
    let at = of((-2..3_i64).prop_map(|tens| tens * 10));
    (0..2_usize, any::<bool>(), status, at, tenant()).prop_map(|(agent, is_agent, status, at, tenant)| Beat {
        agent,
        is_agent,
        status,
        at,
        tenant,
    })
}

//! Arbitrary values of fields.

use chrono::DateTime;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;
use workwire::{
    AgentType, ChannelType, CorrelationId, FreeObject, Hints, Name, OutputChunk, Reason, Reference, Resources,
    ResourcesUsed, StepName, TenantId, Timestamp, WorkType,
};

use super::free;

const MAX_SAFE: u64 = (1 << 53) - 1;

pub(crate) fn id<T: From<Uuid> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    prop_oneof![9 => any::<u128>(), 1 => Just(0)].prop_map(|id| T::from(Uuid::from_u128(id)))
}

pub(crate) fn timestamp() -> impl Strategy<Value = Timestamp> {
    let nanos = prop_oneof![Just(0), (0..1000u32).prop_map(|ms| ms * 1_000_000), 0..1_000_000_000u32];
    (-62_135_596_800..=253_402_300_799i64, nanos)
        .prop_map(|(seconds, nanos)| Timestamp::new(DateTime::from_timestamp(seconds, nanos).unwrap()).unwrap())
}

/// A text of one character of the first set and up to so many of the second.
fn letters(first: &str, rest: &str, max: usize) -> impl Strategy<Value = String> + use<> {
    let (first, rest): (Vec<char>, Vec<char>) = (first.chars().collect(), rest.chars().collect());
    (select(first), vec(select(rest), 0..max)).prop_map(|(first, rest)| std::iter::once(first).chain(rest).collect())
}

pub(crate) fn name() -> impl Strategy<Value = Name> {
    letters("aZ09xyz", "aZ09xyz._-", 12).prop_map(|name| Name::new(name).unwrap())
}

pub(crate) fn tenant() -> impl Strategy<Value = TenantId> {
    letters("az09", "az09-", 12).prop_map(|tenant| TenantId::new(tenant).unwrap())
}

pub(crate) fn channel_type() -> impl Strategy<Value = ChannelType> {
    let part = letters("az_", "az_09", 4);
    let parts = (vec(part, 1..4), any::<bool>());
    parts.prop_map(|(mut parts, answers)| {
        parts.extend(answers.then(|| "response".to_owned()));
        ChannelType::new(parts.join(".")).unwrap()
    })
}

/// A text without control characters, and without these.
fn tame(max: usize, without: &'static str) -> impl Strategy<Value = String> {
    let tame = move |c: &char| !c.is_control() && !without.contains(*c);
    vec(any::<char>().prop_filter("tame", tame), 1..=max).prop_map(String::from_iter)
}

pub(crate) fn correlation_id() -> impl Strategy<Value = CorrelationId> {
    tame(12, "").prop_map(|text| CorrelationId::new(text).unwrap())
}

pub(crate) fn work_type() -> impl Strategy<Value = WorkType> {
    tame(12, "").prop_map(|text| WorkType::new(text).unwrap())
}

pub(crate) fn step_name() -> impl Strategy<Value = StepName> {
    tame(12, "").prop_map(|text| StepName::new(text).unwrap())
}

pub(crate) fn references() -> impl Strategy<Value = Vec<Reference>> {
    vec(tame(12, ",").prop_map(|text| Reference::new(text).unwrap()), 0..4)
}

pub(crate) fn reason() -> impl Strategy<Value = Reason> {
    vec(any::<char>(), 1..20).prop_map(|text| Reason::new(String::from_iter(text)).unwrap())
}

pub(crate) fn agent_type() -> impl Strategy<Value = AgentType> {
    select(AgentType::ALL)
}

pub(crate) fn output_chunk() -> impl Strategy<Value = OutputChunk> {
    [0..=MAX_SAFE, 0..=MAX_SAFE, 0..=MAX_SAFE].prop_map(|mut numbers| {
        numbers.sort_unstable();
        let [from, to, total] = numbers;
        OutputChunk::new(format!("bytes {from}-{to} of {total}")).unwrap()
    })
}

fn with_numbers(object: &FreeObject, numbers: &[(&str, Option<f64>)]) -> FreeObject {
    numbers.iter().fold(object.clone(), |object, (key, number)| match number {
        Some(number) => object.with(key, number).unwrap(),
        None => object,
    })
}

pub(crate) fn hints() -> impl Strategy<Value = Hints> {
    (free::object(), option::of(1e-300..1e300), option::of(0.5..100.0)).prop_map(|(object, deadline, memory)| {
        let numbers = [("deadline_seconds", deadline), ("max_memory_mb", memory)];
        Hints::from_object(&with_numbers(&object, &numbers)).unwrap()
    })
}

pub(crate) fn resources_used() -> impl Strategy<Value = ResourcesUsed> {
    (free::object(), option::of(0.0..1e300), option::of(0.0..100.0)).prop_map(|(object, time, memory)| {
        let numbers = [("cpu_time_ms", time), ("gpu_memory_used_mb", memory)];
        ResourcesUsed::from_object(&with_numbers(&object, &numbers)).unwrap()
    })
}

pub(crate) fn resources() -> impl Strategy<Value = Resources> {
    let known = (0.0..=100.0, 0.0..=100.0, 0.0..100.0, 0.0..100.0)
        .prop_map(|(cpu, memory, free, more)| Resources::new(cpu, memory, free, free + more).unwrap());
    let others = vec((free::string(), free::number()), 0..3);
    let full = (known, others).prop_map(|(known, others)| {
        let known = known.as_object().as_str().strip_suffix('}').unwrap();
        let others = free::join(&others).replacen('{', ",", 1);
        let text = if others == ",}" { format!("{known}}}") } else { format!("{known}{others}") };
        Resources::from_object(&text.parse().unwrap()).unwrap()
    });
    prop_oneof![Just(Resources::default()), full]
}

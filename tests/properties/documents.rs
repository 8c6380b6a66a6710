//! Arbitrary documents, made by their builders; some of a later minor version.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use workwire::{
    AgentEvent, AgentEventBuilder, AgentId, AgentStatus, AnyDocument, CallChain, ChannelMessage, ChannelMessageBuilder,
    ChannelPriority, DurationMs, ErrorCode, ErrorMessage, EventId, EventPriority, EventType, ExitCode, MessageEnvelope,
    MessageId, Outcome, Payload, Percent, Priority, Progress, RequestId, StatusUpdate, StatusUpdateBuilder, Step,
    StepBuilder, StepNumber, TaskId, TraceId, WorkRequest, WorkResult, WorkResultBuilder, WorkStatus,
};

use super::free;
use super::tree::Tree;
use super::values::{
    agent_type, channel_type, correlation_id, hints, id, name, output_chunk, reason, references, resources,
    resources_used, step_name, tenant, timestamp, work_type,
};

fn work_request() -> impl Strategy<Value = WorkRequest> {
    let usual =
        (id::<TaskId>(), work_type(), free::object(), hints()).prop_map(|(task, work_type, parameters, hints)| {
            WorkRequest::builder()
                .task_id(task)
                .work_type(work_type)
                .parameters(parameters)
                .hints(hints)
                .build()
                .unwrap()
        });
    prop_oneof![9 => usual, 1 => id::<TaskId>().prop_map(WorkRequest::cancel)]
}

fn step() -> impl Strategy<Value = Step> {
    let number = (0..=StepNumber::MAX.get()).prop_map(|number| StepNumber::new(number).unwrap());
    (number, step_name(), free::text(), option::of(output_chunk())).prop_map(|(number, name, output, chunk)| {
        let step = Step::builder().number(number).name(name).output(output);
        chunk.into_iter().fold(step, StepBuilder::output_chunk).build().unwrap()
    })
}

fn work_status() -> impl Strategy<Value = WorkStatus> {
    let percent = (0..=100u8).prop_map(|percent| Percent::new(percent).unwrap());
    (id::<TaskId>(), select(Progress::ALL), percent, step()).prop_map(|(task, status, percent, step)| {
        WorkStatus::builder().task_id(task).status(status).progress_percent(percent).step(step).build().unwrap()
    })
}

fn work_result() -> impl Strategy<Value = WorkResult> {
    let ids = (id::<TaskId>(), id::<AgentId>());
    let duration = (0..=DurationMs::MAX.get()).prop_map(|duration| DurationMs::new(duration).unwrap());
    let numbers = (any::<i32>().prop_map(|code| ExitCode::new(code).unwrap()), duration);
    let texts = (free::text(), option::of(free::text()), reason());
    (ids, select(Outcome::ALL), numbers, texts, resources_used()).prop_map(
        |((task, agent), status, (code, duration), (output, message, reason), used)| {
            let result = WorkResult::builder().task_id(task).agent_id(agent).status(status).exit_code(code);
            let result = result.duration_ms(duration).output(output).resources_used(used);
            let message = if status == Outcome::Failed { Some(reason.to_string()) } else { message };
            message.into_iter().fold(result, WorkResultBuilder::error_message).build().unwrap()
        },
    )
}

fn status_update() -> impl Strategy<Value = StatusUpdate> {
    let agent = (id::<AgentId>(), agent_type(), select(AgentStatus::ALL));
    (agent, option::of(id::<TaskId>()), resources(), timestamp()).prop_map(
        |((agent, kind, status), task, resources, at)| {
            let update = StatusUpdate::builder().agent_id(agent).agent_type(kind).status(status);
            let update = update.resources(resources).timestamp(at);
            task.into_iter().fold(update, StatusUpdateBuilder::current_task_id).build().unwrap()
        },
    )
}

fn error_message() -> impl Strategy<Value = ErrorMessage> {
    (1000..=9999u16, reason(), free::object()).prop_map(|(code, reason, context)| {
        let code = ErrorCode::new(code).unwrap();
        ErrorMessage::builder().error_code(code).error_message(reason).context(context).build().unwrap()
    })
}

fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        work_request().prop_map(Payload::from),
        work_status().prop_map(Payload::from),
        work_result().prop_map(Payload::from),
        status_update().prop_map(Payload::from),
        error_message().prop_map(Payload::from),
    ]
}

/// The fields of a later minor version: the minor, and members for up to three objects.
type Later = Option<(u32, [Vec<(String, String)>; 3])>;

fn later_members() -> impl Strategy<Value = Vec<(String, String)>> {
    // No field of this version begins with a plus sign.
    vec((free::text().prop_map(|text| free::quoted(&format!("+{text}"))), free::json()), 0..3)
}

fn later() -> impl Strategy<Value = Later> {
    option::weighted(0.3, (1..=999_999_999u32, [later_members(), later_members(), later_members()]))
}

fn add(tree: &mut Tree, members: &[(String, String)]) {
    let Tree::Object(more) = Tree::parse(&free::join(members)) else { panic!("an object") };
    tree.members().unwrap().extend(more);
}

/// The text of a document, moved to a later minor version.
fn moved(text: &str, version_field: &str, later: &Later) -> String {
    let Some((minor, [root, payload, step])) = later else { return text.to_owned() };
    let mut tree = Tree::parse(text);
    *tree.member(version_field).unwrap() = Tree::Leaf(format!("\"1.{minor}\""));
    add(&mut tree, root);
    if version_field == "protocol_version" {
        let of_type = tree.member("payload").unwrap();
        add(of_type, payload);
        if let Some(of_step) = of_type.member("step").filter(|step| matches!(step, Tree::Object(_))) {
            add(of_step, step);
        }
    }
    tree.text()
}

pub(crate) fn envelope() -> impl Strategy<Value = MessageEnvelope> {
    let priority = (1..=5u8).prop_map(|priority| Priority::new(priority).unwrap());
    let ids = (id::<MessageId>(), id::<TraceId>(), id::<RequestId>());
    let head = (agent_type(), agent_type(), ids, timestamp(), priority);
    (head, payload(), free::object(), later()).prop_map(
        |((from, to, (message, trace, request), at, priority), payload, fields, later)| {
            let envelope = MessageEnvelope::new(from, to, payload)
                .with_message_id(message)
                .with_trace_id(trace)
                .with_request_id(request)
                .with_timestamp(at)
                .with_priority(priority)
                .with_custom_fields(fields);
            let text = moved(&envelope.to_json(), "protocol_version", &later);
            if later.is_none() { envelope } else { MessageEnvelope::from_json(&text).unwrap() }
        },
    )
}

pub(crate) fn channel_message() -> impl Strategy<Value = ChannelMessage> {
    let names = (name(), option::of(name()), name());
    let path = option::of(select(vec!["a", "a/b.json", "..."]));
    let priority = (1..=10u8).prop_map(|priority| ChannelPriority::new(priority).unwrap());
    let head = (id::<MessageId>(), channel_type(), timestamp(), priority, option::of(correlation_id()));
    (head, names, free::object(), path, later()).prop_map(
        |((id, kind, at, priority, correlation), (from, to, channel), payload, path, later)| {
            let payload = path.map_or(payload.clone(), |path| payload.with("artifact_path", path).unwrap());
            let message = ChannelMessage::compose(kind, from).id(id).timestamp(at).channel(channel);
            let message = message.priority(priority).payload(payload);
            let message = to.into_iter().fold(message, ChannelMessageBuilder::to_agent);
            let message = correlation.into_iter().fold(message, ChannelMessageBuilder::correlation_id);
            let message = message.build().unwrap();
            let text = moved(&message.to_json(), "version", &later);
            if later.is_none() { message } else { ChannelMessage::from_json(&text).unwrap() }
        },
    )
}

pub(crate) fn event() -> impl Strategy<Value = AgentEvent> {
    let head = (id::<EventId>(), select(EventType::ALL), timestamp(), tenant(), select(EventPriority::ALL));
    let chain = (vec(name(), 1..4), any::<prop::sample::Index>());
    let ids = (option::of(correlation_id()), option::of(id::<EventId>()));
    (head, chain, free::object(), references(), ids, later()).prop_map(
        |((id, kind, at, tenant, priority), (chain, source), data, references, (correlation, parent), later)| {
            let event = AgentEvent::compose(kind, tenant, source.get(&chain).clone()).event_id(id).timestamp(at);
            let event = event.call_chain(CallChain::new(chain).unwrap()).priority(priority);
            let event = event.data(data).context_refs(references);
            let event = correlation.into_iter().fold(event, AgentEventBuilder::correlation_id);
            let event = parent.into_iter().fold(event, AgentEventBuilder::parent_event_id);
            let event = event.build().unwrap();
            let text = moved(&event.to_json(), "version", &later);
            if later.is_none() { event } else { AgentEvent::from_json(&text).unwrap() }
        },
    )
}

pub(crate) fn document() -> impl Strategy<Value = AnyDocument> {
    prop_oneof![
        2 => envelope().prop_map(AnyDocument::Envelope),
        1 => channel_message().prop_map(AnyDocument::Channel),
        1 => event().prop_map(AnyDocument::Event),
    ]
}

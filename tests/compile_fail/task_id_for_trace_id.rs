//! The id of a task is not the id of a trace.

use workwire::{MessageEnvelope, TaskId};

fn follow(envelope: MessageEnvelope, task: TaskId) -> MessageEnvelope {
    envelope.with_trace_id(task)
}

fn main() {}

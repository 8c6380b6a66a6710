//! `workwire send`: publishes a message.

use std::io::Write;

use serde_json::json;
use uuid::Uuid;
use workwire_broker::{Code, Message, Policy, Stored};

use super::{Desk, Makes, millis};
use crate::arguments::Send;
use crate::exit::{Exit, Failure};
use crate::input;
use crate::output::Output;

pub(crate) fn run(arguments: &Send, out: &mut Output) -> Result<Exit, Failure> {
    let body = match &arguments.body {
        Some(text) => text.clone().into_bytes(),
        None => input::read(arguments.file.as_deref())?,
    };
    let message = Message {
        priority: arguments.priority,
        ttl_ms: arguments.ttl.map(millis),
        delay_ms: arguments.delay.map(millis),
        to: arguments.to.clone(),
        ..Message::new(arguments.id.unwrap_or_else(Uuid::new_v4), body)
    };
    let declares = arguments.declare;
    let makes = if declares { Makes::Queue } else { Makes::Nothing };
    super::at(&arguments.place, makes, out, async |desk| send(desk, message, declares).await)
}

async fn send(desk: &mut Desk<'_>, message: Message, declares: bool) -> Result<Exit, Failure> {
    let id = message.id;
    let stored = match desk.client.publish(&desk.queue, message.clone()).await {
        Err(error) if error.code() == Code::NotFound && declares => {
            desk.client.declare(&desk.queue, &Policy::default()).await?;
            desk.client.publish(&desk.queue, message).await?
        }
        Err(error) if error.code() == Code::NotFound => {
            let why = format!("queue {} is not declared; --declare makes it with the default policy", desk.queue);
            return Err(Failure::new(why));
        }
        stored => stored?,
    };
    if desk.json {
        desk.out.json(&json!({"format": 1, "id": id.to_string(), "outcome": stored}))?;
    } else {
        match stored {
            Stored::Stored => writeln!(desk.out, "stored {id}")?,
            Stored::Duplicate => writeln!(desk.out, "duplicate {id}: the queue has seen this id, and nothing changed")?,
        }
    }
    Ok(Exit::Holds)
}

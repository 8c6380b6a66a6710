//! What is done for each method that is asked of a connection.

use std::pin::Pin;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::session::{raw, wrong};
use crate::adapter::wire::{
    Agents, AskDepth, Call, DeadLetter, DeadLetters, Declare, Delete, Empty, Expired, Extend, FetchMessages, Fetched,
    Heartbeat, Letters, Looked, MAX_LINE, METHOD_NOT_FOUND, Method, Mismatch, PeekMessages, Present, Publish,
    PublishBatch, Published, PublishedBatch, PurgeQueue, Removed, Replay, RpcError, Settle, Sweep, read, room,
};
use crate::contract::{Client, Fetch, Purge, Tag};
use crate::error::BrokerError;

/// Work on a request.
pub(super) type Work = Pin<Box<dyn Future<Output = Result<Box<RawValue>, RpcError>> + Send>>;

/// A request that was read, to be begun once there is the connection that it is for.
pub(super) type Start = Box<dyn FnOnce(Arc<dyn Client>) -> Work + Send>;

/// How many messages one answer holds at most: bodies of 8 MiB, which brokers answer at most, and so
/// many messages around them fit into a line.
const MOST: u32 = 8_192;

/// How many bytes an answer's messages are cut to where nothing is lost by that.
const ROOM: usize = MAX_LINE - 65_536;

/// Reads the parameters of a method. Answers the connection that it is for, and the work.
pub(super) fn plan(method: Method, params: &str) -> Result<(String, Start), RpcError> {
    match method {
        Method::Declare => of(params, |client, asked: Declare| async move {
            client.declare(&asked.queue.into(), &asked.policy).await?;
            Ok(Empty {})
        }),
        Method::Publish => of(params, |client, asked: Publish| async move {
            let queue = asked.queue.clone().into();
            Ok(Published { outcome: client.publish(&queue, asked.message()?).await? })
        }),
        Method::PublishBatch => of(params, |client, asked: PublishBatch| async move {
            let items = asked.items.into_iter().enumerate();
            let messages = items.map(|(index, item)| item.message(&format!("items[{index}].body")));
            let messages = messages.collect::<Result<_, Mismatch>>()?;
            let outcomes = client.publish_batch(&asked.queue.into(), messages).await?;
            Ok(PublishedBatch { outcomes: outcomes.into_iter().map(Into::into).collect() })
        }),
        Method::Fetch => of(params, |client, asked: FetchMessages| async move {
            let queue = asked.queue.clone().into();
            let fetch = Fetch { max: asked.max.min(MOST), ..asked.into() };
            let deliveries = client.fetch(&queue, fetch).await?;
            Ok(Fetched { deliveries: deliveries.into_iter().map(Into::into).collect() })
        }),
        Method::Peek => of(params, |client, asked: PeekMessages| async move {
            let peeked = client.peek(&asked.queue.clone().into(), asked.into()).await?;
            Ok(Looked { messages: fitting(peeked, |peeked| room(peeked.body.len())).map(Into::into).collect() })
        }),
        Method::Settle => of(params, |client, asked: Settle| async move {
            let verdict = asked.verdict();
            client.settle(&asked.queue.into(), &Tag(asked.tag), verdict).await?;
            Ok(Empty {})
        }),
        Method::Extend => of(params, |client, asked: Extend| async move {
            client.extend(&asked.queue.into(), &Tag(asked.tag), asked.lease_ms).await?;
            Ok(Empty {})
        }),
        Method::Depth => of(params, |client, asked: AskDepth| async move {
            Ok(client.depth(&asked.queue.into(), asked.group.as_deref()).await?)
        }),
        Method::DeadLetters => of(params, |client, asked: DeadLetters| async move {
            let letters = client.dead_letters(&asked.queue.into(), asked.max, asked.group.as_deref()).await?;
            let size = |letter: &crate::Letter| room(letter.body.len()) + 6 * letter.reason.len();
            Ok(Letters { letters: fitting(letters, size).map(DeadLetter::from).collect() })
        }),
        Method::Replay => of(params, |client, asked: Replay| async move {
            client.replay(&asked.queue.into(), asked.id.into(), asked.group.as_deref()).await?;
            Ok(Empty {})
        }),
        Method::Purge => of(params, |client, asked: PurgeQueue| async move {
            let what = Purge { group: asked.group.as_deref(), dead: asked.dead.unwrap_or_default() };
            Ok(Removed { removed: client.purge(&asked.queue.into(), what).await? })
        }),
        Method::Delete => of(params, |client, asked: Delete| async move {
            client.delete(&asked.queue.into()).await?;
            Ok(Empty {})
        }),
        Method::Sweep => of(params, |client, asked: Sweep| async move {
            Ok(Expired { expired: client.sweep(&asked.queue.into()).await? })
        }),
        Method::Heartbeat => of(params, |client, asked: Heartbeat| async move {
            client.heartbeat(asked.update, asked.tenant.as_deref()).await?;
            Ok(Empty {})
        }),
        Method::Agents => of(params, |client, asked: Agents| async move {
            Ok(Present { agents: client.agents(asked.offline_after_ms, asked.tenant.as_deref()).await? })
        }),
        // What is asked of the broker, and not of a connection.
        Method::Initialize | Method::Open | Method::Close | Method::Restart | Method::Decode | Method::Shutdown => {
            Err(RpcError::new(METHOD_NOT_FOUND, format!("{method} is for no client")))
        }
    }
}

/// The parameters of a method that is asked of a connection.
trait OfClient: Call {
    fn client(&self) -> &str;
}

macro_rules! of_client {
    ($($Params:ident)+) => {
        $(impl OfClient for $Params {
            fn client(&self) -> &str {
                &self.client
            }
        })+
    };
}

of_client! {
    Declare Publish PublishBatch FetchMessages PeekMessages Settle Extend AskDepth DeadLetters Replay PurgeQueue Delete
    Sweep Heartbeat Agents
}

/// Why work ended without a result.
struct Refusal(RpcError);

impl From<BrokerError> for Refusal {
    fn from(error: BrokerError) -> Self {
        Refusal(RpcError::from(&error))
    }
}

impl From<Mismatch> for Refusal {
    fn from(mismatch: Mismatch) -> Self {
        Refusal(wrong(&mismatch))
    }
}

fn of<C, F, Answered>(params: &str, work: F) -> Result<(String, Start), RpcError>
where
    C: OfClient,
    F: FnOnce(Arc<dyn Client>, C) -> Answered + Send + 'static,
    Answered: Future<Output = Result<C::Result, Refusal>> + Send,
{
    let asked: C = read(params).map_err(|mismatch| wrong(&mismatch))?;
    let name = asked.client().to_owned();
    let start = move |client| -> Work {
        Box::pin(async move {
            match work(client, asked).await {
                Ok(result) => raw(&result),
                Err(Refusal(error)) => Err(error),
            }
        })
    };
    Ok((name, Box::new(start)))
}

/// As many of the first as fit into a line, but always one.
fn fitting<T>(items: Vec<T>, size: impl Fn(&T) -> usize) -> impl Iterator<Item = T> {
    /// What stands around a body: names, ids, numbers, a group.
    const AROUND: usize = 512;
    let mut taken = 0;
    items
        .into_iter()
        .enumerate()
        .take_while(move |(index, item)| {
            taken += size(item) + AROUND;
            *index == 0 || taken <= ROOM
        })
        .map(|(_, item)| item)
}

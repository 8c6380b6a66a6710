//! Cleans away what a case made: its queues, each with all that is in it.

use std::sync::Arc;
use std::time::Duration;

use workwire_broker::{Broker, Client, CloseMode, Code, Fetch, Purge, Queue, Verdict};

/// A broker that no longer answers keeps nobody waiting.
const PATIENCE: Duration = Duration::from_secs(10);

/// Removes queues, and says what could not be removed.
pub(super) async fn clean(broker: Arc<dyn Broker>, queues: Vec<Queue>, name: String) -> Vec<String> {
    if queues.is_empty() {
        return Vec::new();
    }
    let all = async {
        let client = match broker.open(&name).await {
            Ok(client) => client,
            Err(error) => return queues.iter().map(|queue| format!("queue {queue}: {error}")).collect(),
        };
        let mut left = Vec::new();
        for queue in &queues {
            if let Err(what) = remove(&*client, queue).await {
                left.push(what);
            }
        }
        let _ = client.close(CloseMode::Graceful).await;
        left
    };
    match tokio::time::timeout(PATIENCE, all).await {
        Ok(left) => left,
        Err(_) => vec![format!("{} queues: the broker did not answer", queues.len())],
    }
}

/// Where queues cannot be deleted they are emptied, and what stays is named.
async fn remove(client: &dyn Client, queue: &Queue) -> Result<(), String> {
    match client.delete(queue).await {
        Ok(()) => return Ok(()),
        Err(error) if error.code() == Code::NotFound => return Ok(()),
        Err(error) if error.code() == Code::Unsupported => {}
        Err(error) => return Err(format!("queue {queue}: {error}")),
    }
    let _ = client.purge(queue, Purge::default()).await;
    let _ = client.purge(queue, Purge { group: None, dead: true }).await;
    loop {
        let taken = client.fetch(queue, Fetch::up_to(100)).await.unwrap_or_default();
        if taken.is_empty() {
            return Err(format!("queue {queue}: it was emptied, and cannot be deleted"));
        }
        for delivery in taken {
            let _ = client.settle(queue, &delivery.tag, Verdict::Done).await;
        }
    }
}

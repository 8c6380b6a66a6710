//! One history, played to a broker and to the oracle side by side.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use workwire::{AgentId, AgentStatus, AgentType, StatusUpdate};
use workwire_broker::clock::{ManualClock, timestamp};
use workwire_broker::{
    Broker, Client, Code, Fetch, Health, HealthStatus, Message, Peek, Policy, Purge, Tag, Update, Verdict,
};

use super::answers::{Answer, Seen};
use super::oracle::{Oracle, Told};
use super::steps::{Beat, Buried, Ending, Hand, History, NAMES, Named, Parcel, Step, Tagged, Taking, Then, Where, Who};

/// When the clock begins.
pub(crate) const START: i64 = 1_800_000_000_000;

struct Session {
    broker: Arc<dyn Broker>,
    clock: ManualClock,
    oracle: Oracle,
    policies: Vec<Policy>,
    /// Each client as it was last opened, with the oracle's connection; it may be closed.
    clients: Vec<(Box<dyn Client>, usize)>,
    /// Each delivery: its tag, whose it was, and where.
    tags: Vec<(Tag, Who, Where)>,
    published: u32,
}

/// Plays it all; the first answer that differs is the error.
pub(crate) async fn play(broker: Arc<dyn Broker>, clock: ManualClock, history: History) -> Result<(), String> {
    let History { policies, steps } = history;
    let oracle = Oracle::at(START);
    let (clients, tags) = (Vec::new(), Vec::new());
    let mut session = Session { broker, clock, oracle, policies, clients, tags, published: 0 };
    for (who, name) in NAMES.into_iter().enumerate() {
        let client = session.broker.open(name).await.map_err(|error| error.to_string())?;
        session.clients.push((client, session.oracle.open(who).unwrap()));
    }
    let declared = Where::ALL.into_iter().enumerate().map(|(policy, place)| Step::Declare(0, place, policy));
    for (number, step) in declared.chain(steps).chain(last_look()).enumerate() {
        let shown = format!("{step:?}");
        let (found, expected) = session.step(step).await;
        if found != expected {
            return Err(format!("step {number}, {shown}\n  expected {expected:?}\n     found {found:?}"));
        }
    }
    session.broker.shutdown().await.map_err(|error| error.to_string())
}

/// What is asked at the end of each history.
fn last_look() -> Vec<Step> {
    let mut steps = vec![Step::Drop(0)];
    for place in Where::ALL {
        for group in [None, Some("one"), Some("two")] {
            steps.push(Step::Depth(0, place, group));
            for recipient in [None, Some("x")] {
                steps.push(Step::Peek(0, place, Taking { max: 100, group, recipient, id: None }));
            }
        }
        steps.push(Step::Letters(0, place, 100, None));
        steps.push(Step::Sweep(0, place));
    }
    steps.extend([None, Some("acme"), Some("zenith")].map(|tenant| Step::Agents(0, None, tenant)));
    steps
}

impl Session {
    /// What the broker answered, and what the oracle did.
    async fn step(&mut self, step: Step) -> (Answer, Answer) {
        match step {
            Step::Open(who) => self.open(who).await,
            Step::Drop(who) => self.drop_and_open(who).await,
            Step::Restart(mode, then) => {
                let found = Answer::of(self.broker.restart(mode).await, |()| Answer::Yes);
                self.oracle.restart(mode);
                for who in 0..NAMES.len() {
                    self.then(who, then).await;
                }
                (found, Answer::Yes)
            }
            Step::Close(who, mode, then) => {
                let (client, connection) = &self.clients[who];
                let found = client.close(mode).await;
                let expected = self.oracle.close(*connection, mode);
                self.then(who, then).await;
                (Answer::of(found, |()| Answer::Yes), told(expected, |()| Answer::Yes))
            }
            Step::Pass(millis) => {
                self.clock.advance(millis);
                self.oracle.pass(millis);
                (Answer::Yes, Answer::Yes)
            }
            Step::Publish(who, place, parcel) => {
                let (message, body) = self.message(parcel);
                let found = self.clients[who].0.publish(&place.queue(), message).await;
                let expected = self.oracle.publish(self.clients[who].1, place, parcel, &body);
                (Answer::of(found, Answer::Stored), told(expected, Answer::Stored))
            }
            Step::Batch(who, place, parcels) => self.batch(who, place, parcels).await,
            Step::Fetch(who, place, taking) => self.fetch(who, place, taking).await,
            Step::Delete(who, place, then) => {
                let (client, connection) = &self.clients[who];
                let found = client.delete(&place.queue()).await;
                let expected = self.oracle.delete(*connection, place);
                if then == Then::Again && expected.is_ok() {
                    self.policies.rotate_left(1);
                    client.declare(&place.queue(), &self.policies[0]).await.expect("a deleted queue can be declared");
                    self.oracle.declare(*connection, place, &self.policies[0]).unwrap();
                }
                (Answer::of(found, |()| Answer::Yes), told(expected, |()| Answer::Yes))
            }
            Step::Settle(hand, ending) => {
                let (who, place, tag, delivery) = self.hand(hand);
                let (client, connection) = &self.clients[who];
                let found = client.settle(&place.queue(), &tag, verdict(&ending)).await;
                let expected = self.oracle.settle(*connection, place, delivery, &ending);
                (Answer::of(found, |()| Answer::Yes), told(expected, |()| Answer::Yes))
            }
            Step::Extend(hand, lease_ms) => {
                let (who, place, tag, delivery) = self.hand(hand);
                let (client, connection) = &self.clients[who];
                let found = client.extend(&place.queue(), &tag, lease_ms).await;
                let expected = self.oracle.extend(*connection, place, delivery, lease_ms);
                (Answer::of(found, |()| Answer::Yes), told(expected, |()| Answer::Yes))
            }
            step => self.plain(step).await,
        }
    }

    /// The steps that change nothing here.
    async fn plain(&mut self, step: Step) -> (Answer, Answer) {
        let oracle = &mut self.oracle;
        let done = |()| Answer::Yes;
        match step {
            Step::Declare(who, place, policy) => {
                let (client, connection) = &self.clients[who];
                let policy = &self.policies[policy];
                let found = client.declare(&place.queue(), policy).await;
                (Answer::of(found, done), told(oracle.declare(*connection, place, policy), done))
            }
            Step::Peek(who, place, taking) => {
                let (client, connection) = &self.clients[who];
                let found = client.peek(&place.queue(), looking(taking)).await;
                let found = Answer::of(found, |peeked| Answer::Messages(peeked.iter().map(Seen::from).collect()));
                (found, told(oracle.peek(*connection, place, taking), Answer::Messages))
            }
            Step::Depth(who, place, group) => {
                let (client, connection) = &self.clients[who];
                let found = client.depth(&place.queue(), group).await;
                (Answer::of(found, Answer::Depth), told(oracle.depth(*connection, place, group), Answer::Depth))
            }
            Step::Letters(who, place, max, group) => {
                let (client, connection) = &self.clients[who];
                let found = client.dead_letters(&place.queue(), max, group).await;
                let expected = oracle.letters(*connection, place, max, group);
                (Answer::of(found, Answer::Letters), told(expected, Answer::Letters))
            }
            Step::Replay(who, place, letter, group) => {
                let (client, connection) = &self.clients[who];
                let there = oracle.buried(place, group);
                let id = match letter {
                    Buried::There(nth) => there.get(nth % there.len().max(1)).copied().unwrap_or(1),
                    Buried::Id(id) => id,
                };
                let found = client.replay(&place.queue(), Uuid::from_u128(id.into()), group).await;
                (Answer::of(found, done), told(oracle.replay(*connection, place, id, group), done))
            }
            Step::Purge(who, place, group, dead) => {
                let (client, connection) = &self.clients[who];
                let found = client.purge(&place.queue(), Purge { group, dead }).await;
                let expected = oracle.purge(*connection, place, group, dead);
                (Answer::of(found, Answer::Count), told(expected, Answer::Count))
            }
            Step::Sweep(who, place) => {
                let (client, connection) = &self.clients[who];
                let found = client.sweep(&place.queue()).await;
                (Answer::of(found, Answer::Count), told(oracle.sweep(*connection, place), Answer::Count))
            }
            Step::Heartbeat(who, beat) => {
                let (client, connection) = &self.clients[who];
                let update = update(beat, oracle.now);
                let found = client.heartbeat(update.clone(), beat.tenant).await;
                (Answer::of(found, done), told(oracle.heartbeat(*connection, update, beat.tenant), done))
            }
            Step::Agents(who, silence, tenant) => {
                let (client, connection) = &self.clients[who];
                let found = client.agents(silence, tenant).await;
                (Answer::of(found, Answer::Agents), told(oracle.agents(*connection, silence, tenant), Answer::Agents))
            }
            step => unreachable!("{step:?} is played by itself"),
        }
    }

    async fn open(&mut self, who: Who) -> (Answer, Answer) {
        let found = self.broker.open(NAMES[who]).await;
        let expected = self.oracle.open(who);
        match (found, expected) {
            (Ok(client), Ok(connection)) => {
                self.clients[who] = (client, connection);
                (Answer::Yes, Answer::Yes)
            }
            (found, expected) => (Answer::of(found, |_| Answer::Yes), told(expected, |_| Answer::Yes)),
        }
    }

    async fn then(&mut self, who: Who, then: Then) {
        if then == Then::Again {
            let (found, expected) = self.open(who).await;
            assert_eq!(found, expected, "opening {} again", NAMES[who]);
        }
    }

    /// A client that is dropped is gone some time soon: when its name is free.
    async fn drop_and_open(&mut self, who: Who) -> (Answer, Answer) {
        let (client, connection) = self.clients.remove(who);
        drop(client);
        let opening = async {
            loop {
                match self.broker.open(NAMES[who]).await {
                    Err(error) if error.code() == Code::Conflict => tokio::time::sleep(Duration::from_millis(1)).await,
                    opened => return opened,
                }
            }
        };
        let opened = tokio::time::timeout(Duration::from_mins(1), opening).await.expect("the name is free again");
        // It may have been closed before, which is as good.
        let _ = self.oracle.close(connection, workwire_broker::CloseMode::Abort);
        self.clients.insert(who, (opened.unwrap(), self.oracle.open(who).unwrap()));
        (Answer::Yes, Answer::Yes)
    }

    fn message(&mut self, parcel: Parcel) -> (Message, String) {
        self.published += 1;
        let body = format!("publication {}", self.published);
        let message = Message {
            priority: parcel.priority,
            ttl_ms: parcel.ttl_ms,
            delay_ms: parcel.delay_ms,
            to: parcel.to.map(str::to_owned),
            ..Message::new(Uuid::from_u128(parcel.id.into()), body.clone())
        };
        (message, body)
    }

    async fn batch(&mut self, who: Who, place: Where, parcels: Vec<Parcel>) -> (Answer, Answer) {
        let (messages, bodies): (Vec<Message>, Vec<String>) =
            parcels.iter().map(|parcel| self.message(*parcel)).unzip();
        let (client, connection) = &self.clients[who];
        let found = client.publish_batch(&place.queue(), messages).await;
        let found = Answer::of(found, |answers| {
            Answer::Batch(answers.into_iter().map(|answer| answer.map_err(|error| error.code())).collect())
        });
        let publish = |(parcel, body): (&Parcel, &String)| self.oracle.publish(*connection, place, *parcel, body);
        let expected = Answer::Batch(parcels.iter().zip(&bodies).map(publish).collect());
        // What stands in the way of all is told once.
        let there = self.oracle.is_there(*connection, place);
        (found, told(there, |()| expected))
    }

    async fn fetch(&mut self, who: Who, place: Where, taking: Taking) -> (Answer, Answer) {
        let (client, connection) = &self.clients[who];
        let fetch = Fetch {
            group: taking.group.map(str::to_owned),
            recipient: taking.recipient.map(str::to_owned),
            id: taking.id.map(|id| Uuid::from_u128(id.into())),
            ..Fetch::up_to(taking.max)
        };
        let found = client.fetch(&place.queue(), fetch).await;
        let expected = self.oracle.fetch(*connection, place, taking);
        for delivery in found.iter().flatten() {
            self.tags.push((delivery.tag.clone(), who, place));
        }
        let found = Answer::of(found, |taken| Answer::Messages(taken.iter().map(Seen::from).collect()));
        (found, told(expected, Answer::Messages))
    }

    /// Who settles what, where, and the oracle's number of that delivery.
    fn hand(&self, hand: Hand) -> (Who, Where, Tag, Option<usize>) {
        let delivery = match hand.tag {
            Tagged::Live(nth) => {
                let live = self.oracle.live();
                live.get(nth % live.len().max(1)).copied()
            }
            Tagged::Last(back) => self.tags.len().checked_sub(1 + back),
            Tagged::Nothing => None,
        };
        let nothing = (Tag("nothing".to_owned()), 0, Where::Nobodys);
        let (tag, holder, place) = delivery.map_or(nothing, |delivery| self.tags[delivery].clone());
        (hand.another.unwrap_or(holder), hand.elsewhere.unwrap_or(place), tag, delivery)
    }
}

fn told<T>(answer: Told<T>, of: impl FnOnce(T) -> Answer) -> Answer {
    answer.map_or_else(Answer::Refused, of)
}

fn verdict(ending: &Ending) -> Verdict {
    let owned = |reason: Named| reason.map(str::to_owned);
    match *ending {
        Ending::Done => Verdict::Done,
        Ending::Retry { delay_ms, reason } => Verdict::Retry { delay_ms, reason: owned(reason) },
        Ending::Dead { reason } => Verdict::Dead { reason: owned(reason) },
    }
}

fn looking(taking: Taking) -> Peek {
    Peek {
        max: taking.max,
        group: taking.group.map(str::to_owned),
        recipient: taking.recipient.map(str::to_owned),
        after: taking.id.map(|id| Uuid::from_u128(id.into())),
    }
}

fn update(beat: Beat, now: i64) -> Update {
    let at = beat.at.map(|at| timestamp(now + at));
    if !beat.is_agent {
        let name = NAMES[beat.agent].parse().unwrap();
        return Update::Channel(Health { timestamp: at, ..Health::new(name, beat.status) });
    }
    let status = if beat.status == HealthStatus::Active { AgentStatus::Busy } else { AgentStatus::Online };
    let id = AgentId::from_uuid(Uuid::from_u128(beat.agent as u128));
    let update = StatusUpdate::builder().agent_id(id).agent_type(AgentType::Code).status(status);
    Update::Agent(update.timestamp(at.unwrap_or(timestamp(now))).build().unwrap())
}

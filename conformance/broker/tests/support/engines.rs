//! The engines on which the scenarios are played that need no clock of their own: one private instance of each for all
//! of them, in which each has a namespace.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use workwire_broker::clock::{Clock, SystemClock};
use workwire_broker::{Broker, Capability, Instance, Target};

use crate::brokers::{Bench, on_bench};

/// The machine's clock, which can be waited for and not be moved.
#[derive(Debug, Clone)]
pub(crate) struct BenchClock;

impl BenchClock {
    pub(crate) const fn at(_moment: i64) -> Self {
        BenchClock
    }

    /// Time passes by itself; this is how it is waited for.
    #[allow(clippy::unused_self, reason = "called as the clock that can be moved")]
    pub(crate) fn advance(&self, millis: i64) {
        let until = SystemTime::now() + Duration::from_millis(millis.unsigned_abs());
        tokio::task::block_in_place(|| {
            std::thread::sleep(until.duration_since(SystemTime::now()).unwrap_or_default());
        });
    }
}

impl Clock for BenchClock {
    fn now(&self) -> i64 {
        SystemClock.now()
    }

    fn sleep_until(&self, moment: i64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        SystemClock.sleep_until(moment)
    }
}

/// What scenarios ask of a broker: all of a face, by the module that they are in, and some besides, by their names.
const ASKED: &[(&str, &[Capability])] = &[
    (
        "channels",
        &[
            Capability::Priority,
            Capability::Lease,
            Capability::Attempts,
            Capability::DeadLetter,
            Capability::Replay,
            Capability::Ttl,
            Capability::Dedupe,
            Capability::Addressing,
            Capability::Presence,
            Capability::Browse,
        ],
    ),
    (
        "events",
        &[
            Capability::Lease,
            Capability::DeadLetter,
            Capability::Replay,
            Capability::Backoff,
            Capability::Dedupe,
            Capability::Groups,
            Capability::Tenancy,
            Capability::MaxLength,
        ],
    ),
    ("work_bus", &[Capability::Priority, Capability::Fifo, Capability::DeadLetter, Capability::Replay]),
    ("broadcast", &[Capability::Groups, Capability::Ttl]),
    ("work_on_the_wrong_queue_goes_to_its_dead_letters", &[Capability::Groups, Capability::Ttl]),
    ("the_same_request_sent_twice_is_one", &[Capability::Dedupe]),
    ("an_agent_that_dies_before_settling_leaves_the_message_to_another", &[Capability::Attempts]),
    // It counts what is held.
    ("work_is_settled_only_when_its_answer_is_confirmed", &[Capability::Lease]),
];

/// Plays a scenario on an engine that claims what it asks for.
pub(crate) fn play<S>(engine: &'static Engine, face: &str, scenario: impl FnOnce(Bench) -> S)
where
    S: Future<Output = ()>,
{
    let Some(address) = engine.address() else { return };
    let name = format!("t{}", &uuid::Uuid::new_v4().simple().to_string()[..16]);
    let target: Target = format!("{address}?{}={name}", engine.namespace).parse().unwrap();
    let asked: Vec<Capability> = ASKED
        .iter()
        .filter(|(name, _)| face.split("::").any(|part| part == *name))
        .flat_map(|(_, asked)| *asked)
        .copied()
        .collect();
    let mut lacks = None;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let broker = target.open().await.unwrap();
        let claims = broker.about().capabilities;
        lacks = asked.iter().find(|capability| !claims.has(**capability)).copied();
        broker.shutdown().await.unwrap();
    });
    if let Some(lacks) = lacks {
        eprintln!("not played: {} does not claim {lacks}", engine.name);
        return;
    }
    on_bench(|_| async move { target.open().await.unwrap() as Arc<dyn Broker> }, scenario);
}

/// An engine, and its one instance.
pub(crate) struct Engine {
    name: &'static str,
    /// The option of its address that keeps scenarios apart.
    namespace: &'static str,
    instance: OnceLock<Option<Instance>>,
}

impl Engine {
    const fn new(name: &'static str, namespace: &'static str) -> Self {
        Engine { name, namespace, instance: OnceLock::new() }
    }

    fn address(&self) -> Option<String> {
        let start = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(crate::live::instance(self.name))
        };
        self.instance.get_or_init(start).as_ref().map(Instance::address)
    }
}

pub(crate) static RABBITMQ: Engine = Engine::new("rabbitmq", "ns");
pub(crate) static REDIS: Engine = Engine::new("redis", "prefix");
pub(crate) static NATS: Engine = Engine::new("nats", "ns");
pub(crate) static POSTGRES: Engine = Engine::new("postgres", "schema");

/// Makes a test of each function for each engine. Those that move the broker's clock are not for engines.
macro_rules! each_broker {
    (where time jumps: $run:ident: $($scenario:ident,)+) => {};
    (where a fetch can be taken back: $run:ident: $($scenario:ident,)+) => {};
    ($run:ident: $($scenario:ident,)+) => { $(
        mod $scenario {
            $crate::subjects::each_broker! { @test $scenario: rabbitmq RABBITMQ, redis REDIS, nats NATS, postgres POSTGRES }
        }
    )+ };
    (@test $scenario:ident: $($name:ident $Engine:ident),+) => { $(
        #[test]
        fn $name() {
            $crate::subjects::play(&$crate::subjects::$Engine, module_path!(), super::$scenario);
        }
    )+ };
}
pub(crate) use each_broker;

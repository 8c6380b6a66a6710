//! Saboteurs of tenancy.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;
use workwire_broker::{
    AgentState, Answer, BrokerError, Code, Delivery, Depth, Fetch, Letter, Message, Peek, Peeked, Policy, Purge, Queue,
    Stored, Tag, Update, Verdict,
};

use super::{Defect, Inner, Saboteur};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "an_idle_tenant_helps_out",
        breaks: &["TEN-1"],
        about: "gives a tenant that has nothing to do what another's queue of the name holds",
        make: || Arc::new(Reaches::by(Way::Fetch)),
    },
    Saboteur {
        name: "shows_all_tenants",
        breaks: &["TEN-2"],
        about: "looks by a queue's name alone",
        make: || Arc::new(Reaches::by(Way::Peek)),
    },
    Saboteur {
        name: "counts_all_tenants",
        breaks: &["TEN-3"],
        about: "counts by a queue's name alone",
        make: || Arc::new(Reaches::by(Way::Depth)),
    },
    Saboteur {
        name: "settles_by_the_tag",
        breaks: &["TEN-4"],
        about: "settles by the tag alone, in whichever tenant's queue it is",
        make: || Arc::new(Reaches::by(Way::Settle)),
    },
    Saboteur {
        name: "lists_all_tenants_letters",
        breaks: &["TEN-5"],
        about: "lists letters by a queue's name alone",
        make: || Arc::new(Reaches::by(Way::Letters)),
    },
    Saboteur {
        name: "replays_by_the_id",
        breaks: &["TEN-6"],
        about: "replays by the id alone, in whichever tenant's queue the letter is",
        make: || Arc::new(Reaches::by(Way::Replay)),
    },
    Saboteur {
        name: "purges_all_tenants",
        breaks: &["TEN-7"],
        about: "purges by a queue's name alone",
        make: || Arc::new(Reaches::by(Way::Purge)),
    },
    Saboteur {
        name: "deletes_all_tenants",
        breaks: &["TEN-8"],
        about: "deletes by a queue's name alone",
        make: || Arc::new(Reaches::by(Way::Delete)),
    },
    Saboteur {
        name: "agents_are_everybodys",
        breaks: &["TEN-9"],
        about: "keeps one list of agents for all tenants",
        make: || Arc::new(AgentsAreEverybodys),
    },
    Saboteur {
        name: "knows_ids_across_tenants",
        breaks: &["TEN-10"],
        about: "remembers ids by a queue's name alone",
        make: || Arc::new(KnowsIdsAcrossTenants::default()),
    },
    Saboteur {
        name: "no_tenant_is_the_first",
        breaks: &["TEN-11"],
        about: "takes the first tenant's queue of the name where none is named",
        make: || Arc::new(NoTenantIsTheFirst::default()),
    },
    Saboteur {
        name: "one_policy_for_a_name",
        breaks: &["TEN-12"],
        about: "keeps policies by a queue's name alone",
        make: || Arc::new(OnePolicyForAName::default()),
    },
    Saboteur {
        name: "joins_names_by_a_dash",
        breaks: &["TEN-13"],
        about: "stores a queue under its tenant and its name with a dash between",
        make: || Arc::new(JoinsNames::by("-")),
    },
    Saboteur {
        name: "joins_names_by_a_dot",
        breaks: &["TEN-13"],
        about: "stores a queue under its tenant and its name with a dot between",
        make: || Arc::new(JoinsNames::by(".")),
    },
    Saboteur {
        name: "tidies_tenants_up",
        breaks: &["TEN-14"],
        about: "cuts off of a tenant's name what it does not allow",
        make: || Arc::new(TidiesTenantsUp),
    },
    Saboteur {
        name: "one_line_for_all_tenants",
        breaks: &["TEN-15"],
        about: "lets a tenant's fetch wait behind what others have published",
        make: || Arc::new(OneLineForAllTenants::default()),
    },
];

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The queues that were declared.
#[derive(Default)]
struct Declared(Mutex<BTreeSet<Queue>>);

impl Declared {
    fn learn(&self, queue: &Queue) {
        locked(&self.0).insert(queue.clone());
    }

    /// Those of the same name.
    fn namesakes(&self, queue: &Queue) -> Vec<Queue> {
        let all = locked(&self.0);
        all.iter().filter(|other| *other != queue && other.name() == queue.name()).cloned().collect()
    }
}

/// Which operation forgets the tenant.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Fetch,
    Peek,
    Depth,
    Settle,
    Letters,
    Replay,
    Purge,
    Delete,
}

/// One operation reaches the namesakes of a queue too.
struct Reaches {
    way: Way,
    declared: Declared,
}

impl Reaches {
    fn by(way: Way) -> Self {
        Reaches { way, declared: Declared::default() }
    }

    fn others(&self, way: Way, queue: &Queue) -> Vec<Queue> {
        if self.way == way { self.declared.namesakes(queue) } else { Vec::new() }
    }
}

impl Defect for Reaches {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        self.declared.learn(queue);
        inner.client.declare(queue, policy)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut taken = inner.client.fetch(queue, fetch.clone()).await?;
            for other in self.others(Way::Fetch, queue) {
                if taken.is_empty() {
                    taken = inner.client.fetch(&other, Fetch { wait_ms: 0, ..fetch.clone() }).await?;
                }
            }
            Ok(taken)
        })
    }

    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            let mut shown = inner.client.peek(queue, peek.clone()).await?;
            for other in self.others(Way::Peek, queue) {
                shown.extend(inner.client.peek(&other, peek.clone()).await?);
            }
            Ok(shown)
        })
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            let mut sum = inner.client.depth(queue, group).await?;
            for other in self.others(Way::Depth, queue) {
                sum.ready += inner.client.depth(&other, group).await?.ready;
            }
            Ok(sum)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut answer = inner.client.settle(queue, tag, verdict.clone()).await;
            for other in self.others(Way::Settle, queue) {
                if answer.as_ref().is_err_and(|error| error.code() == Code::Stale) {
                    answer = inner.client.settle(&other, tag, verdict.clone()).await;
                }
            }
            answer
        })
    }

    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            let mut letters = inner.client.dead_letters(queue, max, group).await?;
            for other in self.others(Way::Letters, queue) {
                letters.extend(inner.client.dead_letters(&other, max, group).await?);
            }
            Ok(letters)
        })
    }

    fn replay<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut answer = inner.client.replay(queue, id, group).await;
            for other in self.others(Way::Replay, queue) {
                if answer.as_ref().is_err_and(|error| error.code() == Code::NotFound) {
                    answer = inner.client.replay(&other, id, group).await;
                }
            }
            answer
        })
    }

    fn purge<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        Box::pin(async move {
            for other in self.others(Way::Purge, queue) {
                inner.client.purge(&other, what).await?;
            }
            inner.client.purge(queue, what).await
        })
    }

    fn delete<'a>(&'a self, inner: &'a Inner, queue: &'a Queue) -> Answer<'a, ()> {
        Box::pin(async move {
            for other in self.others(Way::Delete, queue) {
                // It may be gone already.
                let _ = inner.client.delete(&other).await;
            }
            inner.client.delete(queue).await
        })
    }
}

struct AgentsAreEverybodys;

impl Defect for AgentsAreEverybodys {
    fn heartbeat<'a>(&'a self, inner: &'a Inner, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        let known = tenant.filter(|tenant| workwire_broker::check_tenant(tenant).is_err());
        inner.client.heartbeat(update, known)
    }

    fn agents<'a>(
        &'a self,
        inner: &'a Inner,
        offline_after_ms: Option<i64>,
        tenant: Option<&'a str>,
    ) -> Answer<'a, Vec<AgentState>> {
        let known = tenant.filter(|tenant| workwire_broker::check_tenant(tenant).is_err());
        inner.client.agents(offline_after_ms, known)
    }
}

/// In which queue an id was first seen.
#[derive(Default)]
struct KnowsIdsAcrossTenants(Mutex<HashMap<(Uuid, String), Queue>>);

impl Defect for KnowsIdsAcrossTenants {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let key = (message.id, queue.name().to_owned());
        let first = locked(&self.0).entry(key).or_insert_with(|| queue.clone()).clone();
        if first == *queue {
            return inner.client.publish(queue, message);
        }
        Box::pin(std::future::ready(Ok(Stored::Duplicate)))
    }
}

#[derive(Default)]
struct NoTenantIsTheFirst(Declared);

impl NoTenantIsTheFirst {
    fn meant(&self, queue: &Queue) -> Queue {
        let is_there = locked(&self.0.0).contains(queue);
        let first = self.0.namesakes(queue).into_iter().next();
        first.filter(|_| queue.tenant().is_none() && !is_there).unwrap_or_else(|| queue.clone())
    }
}

impl Defect for NoTenantIsTheFirst {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        self.0.learn(queue);
        inner.client.declare(queue, policy)
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move { inner.client.publish(&self.meant(queue), message).await })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move { inner.client.fetch(&self.meant(queue), fetch).await })
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move { inner.client.depth(&self.meant(queue), group).await })
    }
}

#[derive(Default)]
struct OnePolicyForAName(Mutex<HashMap<String, Policy>>);

impl Defect for OnePolicyForAName {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        if queue.tenant().is_some() && queue.check().is_ok() {
            let mut policies = locked(&self.0);
            if policies.entry(queue.name().to_owned()).or_insert_with(|| policy.clone()) != policy {
                let error = BrokerError::conflict(format!("queue {} is declared with another policy", queue.name()));
                return Box::pin(std::future::ready(Err(error)));
            }
        }
        inner.client.declare(queue, policy)
    }
}

/// Queues by what they are stored under: the first one that was.
struct JoinsNames {
    by: &'static str,
    stored: Mutex<HashMap<String, Queue>>,
}

impl JoinsNames {
    fn by(by: &'static str) -> Self {
        JoinsNames { by, stored: Mutex::default() }
    }

    fn meant(&self, queue: &Queue) -> Queue {
        let tenant = queue.tenant().map(|tenant| format!("{tenant}{}", self.by)).unwrap_or_default();
        let joined = format!("{tenant}{}", queue.name());
        locked(&self.stored).entry(joined).or_insert_with(|| queue.clone()).clone()
    }
}

impl Defect for JoinsNames {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move { inner.client.declare(&self.meant(queue), policy).await })
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move { inner.client.publish(&self.meant(queue), message).await })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move { inner.client.fetch(&self.meant(queue), fetch).await })
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move { inner.client.depth(&self.meant(queue), group).await })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move { inner.client.settle(&self.meant(queue), tag, verdict).await })
    }
}

struct TidiesTenantsUp;

impl TidiesTenantsUp {
    fn tidied(queue: &Queue) -> Queue {
        let allowed = |c: &char| matches!(c, 'a'..='z' | '0'..='9' | '-');
        match queue.tenant() {
            Some(tenant) => Queue::of_tenant(tenant.chars().filter(allowed).collect::<String>(), queue.name()),
            None => queue.clone(),
        }
    }
}

impl Defect for TidiesTenantsUp {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move { inner.client.declare(&Self::tidied(queue), policy).await })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move { inner.client.fetch(&Self::tidied(queue), fetch).await })
    }
}

/// How many each tenant has published.
#[derive(Default)]
struct OneLineForAllTenants(Mutex<HashMap<Option<String>, u64>>);

impl Defect for OneLineForAllTenants {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        *locked(&self.0).entry(queue.tenant().map(str::to_owned)).or_default() += 1;
        inner.client.publish(queue, message)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let others: u64 = {
                let published = locked(&self.0);
                let of_others =
                    published.iter().filter(|(tenant, _)| tenant.is_some() && tenant.as_deref() != queue.tenant());
                of_others.map(|(_, number)| *number).sum()
            };
            if queue.tenant().is_some() {
                tokio::time::sleep(Duration::from_millis(2 * others)).await;
            }
            inner.client.fetch(queue, fetch).await
        })
    }
}

//! Where what is shown comes from, and whose it is.

use workwire_broker::{AgentState, NewGroup, Update};
use workwire_conformance::anomaly::Kind;
use workwire_conformance::checkers::{CORRUPTED, LEAKED, PHANTOM};
use workwire_conformance::history::{Answer, Body, Call, Delivered, FetchCall, Outcome, Terms};

use crate::tale::{Came, Span, Tale, is_right, policy, says, shows};

#[test]
fn a_look_may_show_what_nobody_published() {
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    tale.peek(10..11, 1);
    is_right(&tale, &PHANTOM);
    tale.peek(12..13, 2);
    shows(&tale, &PHANTOM, Kind::Phantom);
}

#[test]
fn what_was_refused_is_for_nobody_and_has_no_bytes() {
    for (came, is_wrong) in [(Came::Refused, true), (Came::Nothing, false)] {
        let mut tale = Tale::of(policy());
        let [ann, bob] = ["ann", "bob"].map(|name| tale.word(name));
        let mut other = tale.message(1).on(Terms { to: Some(bob), ..Terms::default() });
        other.body = Body::of(b"other");
        tale.publish_as(1..2, other, came);
        let message = tale.message(1).on(Terms { to: Some(ann), ..Terms::default() });
        tale.publish_as(3..4, message, Came::Ok);
        let fetch = FetchCall { recipient: Some(bob), ..tale.fetch("tasks") };
        let delivery = Delivered { body: Body::of(b"other"), ..tale.delivery(1, 1) };
        tale.take_as("bob", 10..11, fetch, &[delivery]);
        says(&tale, &LEAKED, is_wrong.then_some(Kind::Leaked));
        says(&tale, &CORRUPTED, is_wrong.then_some(Kind::Corrupted));
    }
}

#[test]
fn a_group_that_is_made_when_the_publish_ends_may_have_been_there_before_it() {
    for (ended, is_wrong) in [(7, true), (8, false)] {
        let mut tale = Tale::of(policy());
        tale.history.about.choices.new_group = NewGroup::New;
        tale.publish(1..ended, 1);
        tale.take_of("group", 8..10, 1, 1);
        says(&tale, &LEAKED, is_wrong.then_some(Kind::Leaked));
    }
}

// Agents.

/// What happens to agents: who says that it is there, and whom a tenant is shown.
struct Agents(Tale);

impl Agents {
    fn new() -> Self {
        Agents(Tale::of(policy()))
    }

    fn says(mut self, agent: &str, tenant: &str, span: Span, came: Came) -> Self {
        let update: Update = serde_json::from_str(&format!(r#"{{"agent":"{agent}","status":"idle"}}"#)).unwrap();
        let tenant = self.0.word(tenant);
        self.0.call(agent, span, Call::Heartbeat(Box::new(update), Some(tenant)), came);
        self
    }

    fn shows(mut self, agent: &str, tenant: &str, span: Span) -> Self {
        let state = format!(r#"{{"agent_id":"{agent}","status":"idle","last_heartbeat":"2026-01-01T00:00:00Z"}}"#);
        let state: AgentState = serde_json::from_str(&state).unwrap();
        let tenant = self.0.word(tenant);
        self.0.add("keeper", span, Call::Agents(None, Some(tenant)), Outcome::Ok(Answer::Agents([state].into())));
        self
    }

    #[track_caller]
    fn leaks(self, is_leak: bool) {
        says(&self.0, &LEAKED, is_leak.then_some(Kind::Leaked));
        assert_eq!(self.0.look(&LEAKED).looked_at, 1);
    }
}

#[test]
fn an_agent_is_shown_to_its_own_tenant_alone() {
    for (tenant, is_leak) in [("acme", false), ("other", true)] {
        Agents::new().says("ada", "acme", 1..2, Came::Ok).shows("ada", tenant, 10..11).leaks(is_leak);
    }
}

#[test]
fn an_agent_that_says_nothing_here_may_have_done_so_before() {
    Agents::new().shows("ada", "other", 10..11).leaks(false);
    Agents::new().says("bob", "acme", 1..2, Came::Ok).shows("ada", "other", 10..11).leaks(false);
}

#[test]
fn what_an_agent_says_without_an_answer_may_have_been_heard_and_what_is_refused_was_not() {
    for (came, is_leak) in [(Came::Refused, true), (Came::Nothing, false), (Came::Ok, false)] {
        let agents = Agents::new().says("ada", "acme", 1..2, Came::Ok).says("ada", "other", 3..4, came);
        agents.shows("ada", "other", 10..11).leaks(is_leak);
    }
}

#[test]
fn an_agent_that_speaks_before_the_answer_ends_may_be_shown_in_it() {
    for (agent, tenant, began, is_leak) in [
        ("ada", "other", 15, false),
        ("ada", "other", 20, false),
        ("ada", "other", 21, true),
        ("bob", "other", 15, true),
        ("ada", "acme", 15, true),
    ] {
        let agents = Agents::new().says("ada", "acme", 1..2, Came::Ok).shows("ada", "other", 10..20);
        agents.says(agent, tenant, began..began + 1, Came::Ok).leaks(is_leak);
    }
}

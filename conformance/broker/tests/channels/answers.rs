//! Questions and their answers.

use std::time::Duration;

use workwire::{ChannelMessage, CorrelationId};
use workwire_broker::RESPONSE_WAIT;

use super::agents::{Agent, free, message, name, question};
use crate::brokers::{Bench, on_bench};
use crate::subjects::each_broker;

each_broker! { on_bench:
    request_and_response_by_correlation_id_between_two_agents,
    the_correlation_of_the_request_is_the_answer_s,
    an_answer_at_the_last_moment_is_taken,
    three_agents_requester_responder_observer,
    an_answer_is_found_behind_others_and_they_stay,
    concurrent_waiters_answers_never_cross,
}

each_broker! { where time jumps: on_bench:
    waiting_times_out,
    an_answer_to_another_agent_or_of_another_type_is_not_taken,
}

async fn request_and_response_by_correlation_id_between_two_agents(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    let request = planner.sends(question("planner", "who owns the web service?")).await;
    let waiting = planner.waits_for(&request, RESPONSE_WAIT);

    let claimed = coder.gets(&request).await;
    let payload = free(r#"{"context": {"owner": "team-a"}}"#);
    let answer = coder.channels.respond(claimed.message(), &coder.name, payload.clone()).await.unwrap();
    coder.channels.complete(&claimed).await.unwrap();

    let taken = waiting.await.unwrap().unwrap();
    assert_eq!(taken, answer);
    assert_eq!(*taken.payload(), payload);
    assert_eq!(taken.message_type().as_str(), "context.query.response");
    assert_eq!(taken.correlation_id().unwrap().as_str(), request.id().to_string());
    assert_eq!((taken.from_agent(), taken.to_agent()), (&coder.name, Some(&planner.name)));
    assert_eq!(planner.sees().await, []);
}

async fn the_correlation_of_the_request_is_the_answer_s(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    let correlation = CorrelationId::new("order-4711").unwrap();
    let request = planner.sends(question("planner", "how far?").correlation_id(correlation.clone())).await;
    coder.channels.respond(&request, &coder.name, free("{}")).await.unwrap();
    let answer = planner.waits_for(&request, RESPONSE_WAIT).await.unwrap().unwrap();
    assert_eq!(answer.correlation_id(), Some(&correlation));
}

async fn waiting_times_out(bench: Bench) {
    let planner = Agent::on(&bench, "planner").await;
    let request = planner.sends(question("planner", "anybody?")).await;
    let error = bench.pass_until(planner.waits_for(&request, RESPONSE_WAIT)).await.unwrap_err();
    assert!(error.is_timed_out());
    let expected = format!("the answer to context.query {} on general did not come within 30000 ms", request.id());
    assert_eq!(error.to_string(), expected);
    // The question is still there for somebody.
    assert_eq!(planner.sees().await, [request]);
}

async fn an_answer_at_the_last_moment_is_taken(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    let request = planner.sends(question("planner", "anybody?")).await;
    let answer = coder.channels.respond(&request, &coder.name, free("{}")).await.unwrap();
    let taken = planner.channels.wait_for_response(&planner.name, &request, Duration::ZERO).await.unwrap();
    assert_eq!(taken, answer);
}

async fn three_agents_requester_responder_observer(bench: Bench) {
    let [requester, responder, observer] = [
        Agent::on(&bench, "requester").await,
        Agent::on(&bench, "responder").await,
        Agent::on(&bench, "observer").await,
    ];
    let request = requester.sends(question("requester", "which port?").to_agent(name("responder"))).await;
    let waiting = requester.waits_for(&request, RESPONSE_WAIT);
    assert_eq!(observer.sees().await, []);
    assert_eq!(responder.sees().await, std::slice::from_ref(&request));

    let claimed = responder.gets(&request).await;
    let answer = responder.channels.respond(&request, &responder.name, free(r#"{"context": {"port": 443}}"#)).await;
    responder.channels.complete(&claimed).await.unwrap();
    assert_eq!(observer.sees().await, []);
    assert!(observer.claims(answer.as_ref().unwrap()).await.is_none());
    assert_eq!(waiting.await.unwrap().unwrap(), answer.unwrap());
}

async fn an_answer_is_found_behind_others_and_they_stay(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    for _ in 0..1_200 {
        planner.sends(message("planner", "task.offer")).await;
    }
    let first = planner.sends(question("planner", "first?").priority(workwire::ChannelPriority::new(1).unwrap())).await;
    let second =
        planner.sends(question("planner", "second?").priority(workwire::ChannelPriority::new(1).unwrap())).await;
    coder.channels.respond(&first, &coder.name, free(r#"{"n": 1}"#)).await.unwrap();
    coder.channels.respond(&second, &coder.name, free(r#"{"n": 2}"#)).await.unwrap();

    let answer = planner.channels.wait_for_response(&planner.name, &second, RESPONSE_WAIT).await.unwrap();
    assert_eq!(*answer.payload(), free(r#"{"n": 2}"#));
    let left = planner.channels.receive(&planner.name, &[name("general")], 2_000).await.unwrap();
    assert_eq!(left.len(), 1_200 + 2 + 1);
    // None of them was touched: each is still at its first attempt.
    let answer = left.iter().find(|message| message.is_response()).unwrap();
    assert_eq!(planner.gets(answer).await.attempt(), 1);
    assert_eq!(planner.gets(&left[0]).await.attempt(), 1);
}

async fn concurrent_waiters_answers_never_cross(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    let mut requests = Vec::new();
    for number in 0..25 {
        let request = planner.sends(question("planner", &number.to_string())).await;
        requests.push((planner.waits_for(&request, RESPONSE_WAIT), request));
    }
    // The last one is answered first.
    for (_, request) in requests.iter().rev() {
        let claimed = coder.gets(request).await;
        coder.channels.respond(request, &coder.name, request.payload().clone()).await.unwrap();
        coder.channels.complete(&claimed).await.unwrap();
    }
    for (waiting, request) in requests {
        assert_eq!(waiting.await.unwrap().unwrap().payload(), request.payload());
    }
    assert_eq!(planner.sees().await, []);
}

async fn an_answer_to_another_agent_or_of_another_type_is_not_taken(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    let request = planner.sends(question("planner", "who?")).await;
    let right = |message_type: &str, to: &str| {
        message("coder", message_type).to_agent(name(to)).correlation_id(request.answer_correlation())
    };
    let others: [ChannelMessage; 3] = [
        coder.sends(right("context.query.response", "coder")).await,
        coder.sends(right("task.update", "planner")).await,
        coder.sends(right("vote.cast.response", "planner")).await,
    ];
    let unaddressed = message("coder", "context.query.response").correlation_id(request.answer_correlation());
    coder.sends(unaddressed).await;
    let waiting = planner.waits_for(&request, RESPONSE_WAIT);
    assert!(bench.pass_until(waiting).await.unwrap_err().is_timed_out());
    let answer = coder.sends(right("context.query.response", "planner")).await;
    let taken = planner.channels.wait_for_response(&planner.name, &request, RESPONSE_WAIT).await.unwrap();
    assert_eq!(taken, answer);
    assert!(planner.claims(&others[1]).await.is_some());
    assert!(coder.claims(&others[0]).await.is_some());
}

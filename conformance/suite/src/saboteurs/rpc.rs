//! Saboteurs of the adapter protocol: the memory broker, served as it must be, behind somebody who
//! spoils single lines.

mod spoiler;

use std::time::Duration;

use serde_json::{Value, json};
use workwire_broker::{Capabilities, Code};

use self::spoiler::{Spoiler, code_of, line, replaced};
use super::Saboteur;
use crate::between::Said;

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "prints_what_it_does",
        breaks: &["RPC-1"],
        about: "prints a line for debugging with each settling",
        make: || {
            Spoiler::of(&["settle"], |request, answer| {
                let printed = format!("settling {} ...", request["params"]["tag"]);
                vec![Said::Line(printed.into_bytes()), line(&answer)]
            })
        },
    },
    Saboteur {
        name: "shows_where_it_went_wrong",
        breaks: &["RPC-2"],
        about: "repeats a long tag that it does not know for each step of the way to where it saw that",
        make: || {
            Spoiler::of(&["settle"], |request, mut answer| {
                let tag = request["params"]["tag"].as_str().unwrap_or_default();
                if tag.len() > 4_096 {
                    answer["error"]["data"] = Value::String(tag.repeat(1_700));
                }
                vec![line(&answer)]
            })
        },
    },
    Saboteur {
        name: "tells_what_happens",
        breaks: &["RPC-3"],
        about: "tells of each new connection, though nobody asked",
        make: || {
            Spoiler::of(&["open"], |request, answer| {
                let client = &request["params"]["client"];
                let told = json!({"jsonrpc": "2.0", "id": null, "result": {"opened": client}});
                vec![line(&answer), line(&told)]
            })
        },
    },
    Saboteur {
        name: "answers_settle_twice",
        breaks: &["RPC-4"],
        about: "answers once when it has heard of a settling, and again when it is done",
        make: || Spoiler::of(&["settle"], |_, answer| vec![line(&answer), line(&answer)]),
    },
    Saboteur {
        name: "is_at_a_loss_for_words",
        breaks: &["RPC-5"],
        about: "says nothing where a message has no queue to go to",
        make: || {
            Spoiler::of(&["publish"], |_, answer| {
                if code_of(&answer) == Some(Code::NotFound) { Vec::new() } else { vec![line(&answer)] }
            })
        },
    },
    Saboteur {
        name: "leaves_out_what_is_empty",
        breaks: &["RPC-6"],
        about: "leaves out a body that is empty",
        make: || {
            Spoiler::of(&["fetch"], |_, mut answer| {
                let deliveries = answer["result"]["deliveries"].as_array_mut();
                for delivery in deliveries.into_iter().flatten().filter_map(Value::as_object_mut) {
                    delivery.retain(|name, value| name != "body" || *value != "");
                }
                vec![line(&answer)]
            })
        },
    },
    Saboteur {
        name: "confirms_an_abort_by_true",
        breaks: &["RPC-6"],
        about: "answers true where a connection is cut",
        make: || {
            Spoiler::of(&["close"], |request, answer| {
                let is_cut = request["params"]["mode"] == "abort";
                if is_cut { replaced(answer, json!(true)) } else { vec![line(&answer)] }
            })
        },
    },
    Saboteur {
        name: "tells_the_time_of_a_lease",
        breaks: &["RPC-6"],
        about: "answers extend with a number and no object",
        make: || Spoiler::of(&["extend"], |_, answer| replaced(answer, json!(60_000))),
    },
    Saboteur {
        name: "looks_without_attempts",
        breaks: &["RPC-6"],
        about: "leaves the attempt out of the second page of a look",
        make: || {
            Spoiler::of(&["peek"], |request, mut answer| {
                if request["params"]["after"].is_null() {
                    return vec![line(&answer)];
                }
                let messages = answer["result"]["messages"].as_array_mut();
                for message in messages.into_iter().flatten().filter_map(Value::as_object_mut) {
                    message.remove("attempt");
                }
                vec![line(&answer)]
            })
        },
    },
    Saboteur {
        name: "tells_times_in_numbers",
        breaks: &["RPC-6"],
        about: "tells in seconds since 1970 when a message died, where it quotes a reason",
        make: || {
            Spoiler::of(&["dead_letters"], |_, mut answer| {
                let letters = answer["result"]["letters"].as_array_mut();
                for letter in letters.into_iter().flatten().filter_map(Value::as_object_mut) {
                    let is_quoted = |reason: &Value| reason.as_str().is_some_and(|reason| reason.contains('"'));
                    if letter.get("reason").is_some_and(is_quoted) {
                        letter.insert("died_at".to_owned(), json!(1_700_000_000));
                    }
                }
                vec![line(&answer)]
            })
        },
    },
    Saboteur {
        name: "replays_into_nothing",
        breaks: &["RPC-6"],
        about: "answers null to a replay",
        make: || Spoiler::of(&["replay"], |_, answer| replaced(answer, Value::Null)),
    },
    Saboteur {
        name: "counts_in_words",
        breaks: &["RPC-6"],
        about: "answers how many were purged as a text",
        make: || {
            Spoiler::of(&["purge"], |_, answer| {
                let removed = answer["result"]["removed"].to_string();
                replaced(answer, json!({"removed": removed}))
            })
        },
    },
    Saboteur {
        name: "sweeps_and_says_no_more",
        breaks: &["RPC-6"],
        about: "answers a sweep with an empty object",
        make: || Spoiler::of(&["sweep"], |_, answer| replaced(answer, json!({}))),
    },
    Saboteur {
        name: "lists_agents_by_name",
        breaks: &["RPC-6"],
        about: "answers who is there by an object of agents instead of a list",
        make: || {
            Spoiler::of(&["agents"], |_, answer| {
                let agents = answer["result"]["agents"].as_array().cloned().unwrap_or_default();
                let named = |agent: &Value| (agent["agent_id"].as_str().unwrap_or_default().to_owned(), agent.clone());
                let by_name: serde_json::Map<_, _> = agents.iter().map(named).collect();
                if by_name.is_empty() { vec![line(&answer)] } else { replaced(answer, json!({"agents": by_name})) }
            })
        },
    },
    Saboteur {
        name: "tells_only_what_was_stored",
        breaks: &["RPC-6"],
        about: "leaves what was refused out of the outcomes of a batch",
        make: || {
            Spoiler::of(&["publish_batch"], |_, mut answer| {
                if let Some(outcomes) = answer["result"]["outcomes"].as_array_mut() {
                    outcomes.retain(Value::is_string);
                }
                vec![line(&answer)]
            })
        },
    },
    Saboteur {
        name: "restarts_as_ok",
        breaks: &["RPC-6"],
        about: "answers a graceful restart with the text ok",
        make: || {
            Spoiler::of(&["restart"], |request, answer| {
                let is_asked = request["params"]["mode"] == "graceful";
                if is_asked { replaced(answer, json!("ok")) } else { vec![line(&answer)] }
            })
        },
    },
    Saboteur {
        name: "has_codes_of_its_own",
        breaks: &["RPC-7"],
        about: "refuses with 404 where a message has no queue to go to",
        make: || {
            Spoiler::of(&["publish"], |_, mut answer| {
                if code_of(&answer) == Some(Code::NotFound) {
                    answer["error"]["code"] = json!(404);
                }
                vec![line(&answer)]
            })
        },
    },
    Saboteur {
        name: "dies_of_bytes_that_are_no_text",
        breaks: &["RPC-8"],
        about: "ends where a body is no UTF-8",
        make: || {
            Spoiler::of(&["publish"], |request, answer| {
                let is_text = request["params"]["encoding"] == "utf8";
                if is_text { vec![line(&answer)] } else { vec![Said::End] }
            })
        },
    },
    Saboteur {
        name: "claims_to_sweep",
        breaks: &["RPC-9"],
        about: "claims ttl, and has no sweep",
        make: || {
            Spoiler::of(&["sweep"], |request, _| {
                let error = json!({"code": -32_601, "message": "no such method"});
                vec![line(&json!({"jsonrpc": "2.0", "id": request["id"], "error": error}))]
            })
        },
    },
    Saboteur {
        name: "does_nothing_and_says_ok",
        breaks: &["RPC-10"],
        about: "claims the core alone, and answers a purge as if it had purged",
        make: || {
            Spoiler::claiming(Capabilities::CORE, &["purge"], |request, _| {
                vec![line(&json!({"jsonrpc": "2.0", "id": request["id"], "result": {"removed": 0}}))]
            })
        },
    },
    Saboteur {
        name: "begins_when_it_has_time",
        breaks: &["RPC-11"],
        about: "hands each request to a thread of its own, and declaring takes its thread longer",
        make: || Spoiler::delaying(&["declare"], Duration::from_millis(1)),
    },
];

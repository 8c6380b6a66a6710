//! RPC · The adapter protocol.
//!
//! What an adapter does wrong is found while it is talked to, whatever the talk is about: these cases
//! talk of all sorts of things, and then look at what was found. They come last, so that they see
//! what was found in the talk of others too.

mod claims;
mod shapes;

use workwire_broker::{CloseMode, Fetch, Tag, Verdict};

use crate::case::{Alone, Case, Stage, Stop};
use crate::checkers;
use crate::demand::Expectation;

/// Every case of the area.
pub(super) fn all() -> impl Iterator<Item = &'static Case> {
    [CASES, shapes::CASES, claims::CASES].into_iter().flatten()
}

const CASES: &[Case] = &[
    Case {
        id: "rpc/lines_are_json",
        clauses: &["RPC-1"],
        needs: &[],
        checks: &[(&checkers::NOT_JSON, "RPC-1")],
        alone: Alone::Yes,
        run: |stage| Box::pin(lines_are_json(stage)),
    },
    Case {
        id: "rpc/lines_have_an_end",
        clauses: &["RPC-2"],
        needs: &[],
        checks: &[(&checkers::LONG_LINE, "RPC-2")],
        alone: Alone::Yes,
        run: |stage| Box::pin(lines_have_an_end(stage)),
    },
    Case {
        id: "rpc/answers_are_to_requests",
        clauses: &["RPC-3"],
        needs: &[],
        checks: &[(&checkers::NO_REQUEST, "RPC-3")],
        alone: Alone::Yes,
        run: |stage| Box::pin(answers_are_to_requests(stage)),
    },
    Case {
        id: "rpc/one_answer_for_each",
        clauses: &["RPC-4"],
        needs: &[],
        checks: &[(&checkers::SECOND_ANSWER, "RPC-4")],
        alone: Alone::Yes,
        run: |stage| Box::pin(one_answer_for_each(stage)),
    },
    Case {
        id: "rpc/no_silence",
        clauses: &["RPC-5"],
        needs: &[],
        checks: &[(&checkers::SILENCE, "RPC-5")],
        alone: Alone::Yes,
        run: |stage| Box::pin(no_silence(stage)),
    },
    Case {
        id: "rpc/errors_have_known_codes",
        clauses: &["RPC-7"],
        needs: &[],
        checks: &[(&checkers::UNKNOWN_CODE, "RPC-7")],
        alone: Alone::Yes,
        run: |stage| Box::pin(errors_have_known_codes(stage)),
    },
    Case {
        id: "rpc/no_early_exit",
        clauses: &["RPC-8"],
        needs: &[],
        checks: &[(&checkers::EARLY_EXIT, "RPC-8")],
        alone: Alone::Yes,
        run: |stage| Box::pin(no_early_exit(stage)),
    },
];

/// RPC-1: Each line that an adapter writes is JSON.
async fn lines_are_json(stage: &mut Stage) -> Result<(), Stop> {
    talk(stage, &[TEXT]).await
}

/// RPC-2: No line that an adapter writes is longer than 16 MiB.
async fn lines_have_an_end(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("long", &stage.policy()).await?;
    let ada = stage.client("ada").await?;
    // What is long may be repeated in what is answered.
    ada.settle(&queue, &Tag("of-nobody ".repeat(1_000)), Verdict::Done).await;
    talk(stage, &[TEXT]).await
}

/// RPC-3: Each answer has the id of a request that was made, as it came.
async fn answers_are_to_requests(stage: &mut Stage) -> Result<(), Stop> {
    talk(stage, &[TEXT]).await
}

/// RPC-4: No request is answered twice.
async fn one_answer_for_each(stage: &mut Stage) -> Result<(), Stop> {
    talk(stage, &[TEXT]).await
}

/// RPC-5: Each request is answered within its time, also one that is refused.
async fn no_silence(stage: &mut Stage) -> Result<(), Stop> {
    talk(stage, &[TEXT]).await
}

/// RPC-7: An error has a code that the contract names.
async fn errors_have_known_codes(stage: &mut Stage) -> Result<(), Stop> {
    talk(stage, &[TEXT]).await
}

/// RPC-8: An adapter goes on until it is told to shut down.
async fn no_early_exit(stage: &mut Stage) -> Result<(), Stop> {
    talk(stage, &[TEXT, b"", NO_TEXT]).await
}

const TEXT: &[u8] = b"\"text\" \\ \xc3\xbc \xf0\x9f\x98\x80\r\n";
const NO_TEXT: &[u8] = b"\x00\xff\xfe\n\x80 no text";

/// Says something of everything that every adapter understands, and some things that none does.
async fn talk(stage: &mut Stage, bodies: &[&'static [u8]]) -> Result<(), Stop> {
    let queue = stage.queue("talk", &stage.policy()).await?;
    let ada = stage.client("ada").await?;
    // What is wrong is to be answered, too.
    ada.settle(&queue, &Tag("of-nobody".to_owned()), Verdict::Done).await;
    let nowhere = stage.queue_named("nowhere");
    ada.fetch(&nowhere, Fetch::up_to(1)).await;
    let lost = stage.message("for nobody");
    ada.publish(&nowhere, &lost).await;
    for body in bodies.iter().copied() {
        let message = stage.message(body);
        stage.publish(&ada, &queue, &message).await?;
        let taken = stage.take(&ada, &queue, Fetch::up_to(1), 1).await;
        stage.need_that(&taken, Expectation::shows(message.id))?;
        stage.need_that(&taken, Expectation::SameBytes)?;
        for delivery in taken.into_answer().unwrap_or_default() {
            stage.need(ada.retry(&queue, &delivery).await)?;
            let again = stage.take_one(&ada, &queue).await?;
            stage.need(ada.done(&queue, &again).await)?;
        }
    }
    stage.need_that(&ada.depth(&queue, None).await, Expectation::ready(0))?;
    // Whatever was said twice has been heard once this is answered.
    stage.need(ada.close(CloseMode::Graceful).await)?;
    Ok(())
}

//! The adapter's output, line by line, and what is written to its input.

use std::io;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufWriter};

use super::finding::{FindingKind, excerpt, words};
use super::link::{Answered, Link};
use crate::adapter::lines::{Line, Lines};
use crate::adapter::wire::{Answer, Id, MAX_LINE, Mismatch, RpcError, read};

/// Reads until the output ends.
pub(super) async fn read_all(link: Arc<Link>, output: impl AsyncRead + Unpin) {
    let mut lines = Lines::of(output);
    let mut number = 0;
    // What cannot be read has ended.
    while let Ok(Some(line)) = lines.next().await {
        number += 1;
        match line {
            Line::Whole(bytes) => take(&link, number, &bytes),
            Line::TooLong { start, bytes } => {
                let message = format!("expected a line of at most {MAX_LINE} bytes, found {bytes}");
                link.find(FindingKind::LongLine, Some(number), excerpt(&start), message);
            }
        }
    }
}

/// Writes until there is nobody to write to.
pub(super) async fn write_all(link: Arc<Link>, input: impl AsyncWrite + Unpin) -> io::Result<()> {
    let mut input = BufWriter::new(input);
    while let Some(line) = link.next_line().await {
        input.write_all(&line).await?;
        if link.is_idle() {
            input.flush().await?;
        }
    }
    Ok(())
}

fn take(link: &Link, number: u64, bytes: &[u8]) {
    let find = |kind, message: String| link.find(kind, Some(number), excerpt(bytes), message);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return find(FindingKind::NotJson, format!("expected JSON, found no UTF-8: {error}")),
    };
    match read::<Answer<&RawValue, &RawValue>>(text) {
        Ok(Answer { id: Some(id), result, error, .. }) => {
            link.answered(&id, number, text, answer(number, result, error));
        }
        Ok(Answer { error, .. }) => {
            let error = error.and_then(|error| read::<RpcError>(error.get()).ok());
            let said = error.map_or_else(String::new, |error| format!(": {}", words(&error.message)));
            find(FindingKind::NoRequest, format!("an answer to no request, with the id null{said}"));
        }
        Err(mismatch) if mismatch.is_syntax() => find(FindingKind::NotJson, format!("expected JSON: {mismatch}")),
        Err(mismatch) => match named(text) {
            Some(id) => link.answered(&id, number, text, Err(mismatch)),
            None => find(FindingKind::WrongShape, format!("expected an answer: {mismatch}")),
        },
    }
}

fn answer(line: u64, result: Option<&RawValue>, error: Option<&RawValue>) -> Result<Answered, Mismatch> {
    let answer = match (result, error) {
        (Some(result), None) => Ok(result.to_owned()),
        (None, Some(error)) => Err(read(error.get()).map_err(|mismatch| mismatch.under("error"))?),
        (Some(_), Some(_)) => return Err(Mismatch::new("", "expected `result` or `error`, found both")),
        (None, None) => return Err(Mismatch::new("", "expected `result` or `error`, found neither")),
    };
    Ok(Answered { line, answer })
}

/// The id of what is no answer otherwise.
fn named(text: &str) -> Option<Id> {
    #[derive(Deserialize)]
    struct Named {
        id: Id,
    }

    read::<Named>(text).ok().map(|named| named.id)
}

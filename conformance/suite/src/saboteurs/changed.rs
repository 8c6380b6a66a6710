//! Defects that change what is asked, or what is answered, on its way, and need no memory for that.

use workwire_broker::{Answer, Letter, Message, Policy, Queue, Stored, Tag, Verdict};

use super::{Defect, Inner};

/// Another policy than the one that is declared.
pub(super) struct Declared(pub(super) fn(Policy) -> Policy);

impl Defect for Declared {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move { inner.client.declare(queue, &self.0(policy.clone())).await })
    }
}

/// Another message than the one that is published.
pub(super) struct Published(pub(super) fn(Message) -> Message);

impl Defect for Published {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        inner.client.publish(queue, self.0(message))
    }
}

/// Another verdict than the one that is given.
pub(super) struct Settled(pub(super) fn(Verdict) -> Verdict);

impl Defect for Settled {
    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        inner.client.settle(queue, tag, self.0(verdict))
    }
}

/// Other letters than there are.
pub(super) struct Listed(pub(super) fn(Vec<Letter>) -> Vec<Letter>);

impl Defect for Listed {
    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move { Ok(self.0(inner.client.dead_letters(queue, max, group).await?)) })
    }
}

/// Each letter is another.
pub(super) struct Letterwise(pub(super) fn(Letter) -> Letter);

impl Defect for Letterwise {
    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            let letters = inner.client.dead_letters(queue, max, group).await?;
            Ok(letters.into_iter().map(self.0).collect())
        })
    }
}

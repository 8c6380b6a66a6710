//! Oddities of tags.

use workwire_broker::{Answer, Delivery, Fetch, Queue, Tag, Verdict};

use crate::saboteurs::{Defect, Inner};

pub(super) struct Strange;

impl Strange {
    fn dress(tag: &Tag) -> Tag {
        Tag(format!("{}{}{}", "\"\\\n\t<&>'\u{0}\u{1b}[31m ünï \u{1f600} ".repeat(100), MARK, tag.0))
    }

    /// The tag beneath; what was not dressed here is nobody's.
    fn bare(tag: &Tag) -> Tag {
        let plain = tag.0.rsplit_once(MARK).map(|(_, plain)| Tag(plain.to_owned()));
        plain.filter(|plain| Self::dress(plain) == *tag).unwrap_or_else(|| Tag("of-nobody".to_owned()))
    }
}

const MARK: &str = "\u{2028}";

impl Defect for Strange {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut taken = inner.client.fetch(queue, fetch).await?;
            for delivery in &mut taken {
                delivery.tag = Self::dress(&delivery.tag);
            }
            Ok(taken)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move { inner.client.settle(queue, &Self::bare(tag), verdict).await })
    }

    fn extend<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> Answer<'a, ()> {
        Box::pin(async move { inner.client.extend(queue, &Self::bare(tag), lease_ms).await })
    }
}

//! Looking and taking: what is ready, in which order, and who may see it.

use std::borrow::Cow;

use crate::clock::Millis;
use crate::contract::{Delivery, Fetch, Peek, Peeked, Tag};
use crate::memory::entry::{Entry, Hold, Kept, Place, Standing};
use crate::memory::store::{Group, GroupName, Store};

/// The most bytes of bodies in one answer.
pub(crate) const MOST_BYTES: usize = 8 * 1_048_576;

impl Store {
    /// Takes what is next for a client. The group is there already.
    pub(crate) fn take(&mut self, now: Millis, client: u64, fetch: &Fetch, last_delivery: &mut u64) -> Vec<Delivery> {
        let until = now + self.policy.lease_ms;
        let mut deliveries = Vec::new();
        for place in self.chosen(now, fetch) {
            *last_delivery += 1;
            let hold = Hold { delivery: *last_delivery, client, until };
            deliveries.extend(self.deliver(now, &fetch.group, place, hold));
        }
        deliveries
    }

    /// Which messages a fetch takes.
    fn chosen(&self, now: Millis, fetch: &Fetch) -> Vec<Place> {
        let Some(group) = self.groups.get(&fetch.group) else { return Vec::new() };
        let ready = self.ready(group, now, fetch.recipient.as_deref());
        let Some(id) = fetch.id else {
            return fitting(ready, fetch.max, |(_, kept, _)| kept.body.len()).map(|(place, _, _)| place).collect();
        };
        // Of several with this id, the oldest.
        ready
            .filter(|(_, kept, _)| kept.id == id)
            .map(|(place, _, _)| place)
            .min_by_key(|place| place.seq)
            .into_iter()
            .collect()
    }

    /// What can be taken now, in the order in which it is taken.
    pub(crate) fn ready<'a>(
        &'a self,
        group: &'a Group,
        now: Millis,
        recipient: Option<&'a str>,
    ) -> impl Iterator<Item = (Place, &'a Kept, &'a Entry)> {
        let due = group.iter().filter(move |(_, entry)| entry.is_due(now));
        let kept = due.filter_map(|(place, entry)| Some((*place, self.messages.get(&place.seq)?, entry)));
        kept.filter(move |(_, kept, _)| !kept.is_expired(now) && kept.may_be_seen_by(recipient))
    }

    fn deliver(&mut self, now: Millis, group: &GroupName, place: Place, hold: Hold) -> Option<Delivery> {
        let kept = self.messages.get(&place.seq)?;
        let entry = self.groups.get_mut(group)?.get_mut(&place)?;
        entry.standing = Standing::Held(hold);
        self.held.insert(hold.delivery, (group.clone(), place));
        let delivery = Delivery {
            tag: tag_of(hold.delivery),
            id: kept.id,
            body: kept.body.clone(),
            priority: kept.priority,
            attempt: entry.attempt(),
        };
        self.wake_at(now, hold.until);
        Some(delivery)
    }

    /// Looks, as a recipient of a group, and changes nothing. A group that is not there sees what it
    /// would see if it were made now.
    pub(crate) fn peek(&self, now: Millis, peek: &Peek) -> Vec<Peeked> {
        let group = self.group_or_new(now, &peek.group);
        let mut ready: Vec<_> = self.ready(&group, now, peek.recipient.as_deref()).collect();
        if let Some(after) = peek.after {
            // Behind the last with that id, so that who turns page after page comes to an end.
            let last = ready.iter().rposition(|(_, kept, _)| kept.id == after);
            ready.drain(..last.map_or(ready.len(), |last| last + 1));
        }
        let looked_at = |(_, kept, entry): (Place, &Kept, &Entry)| Peeked {
            id: kept.id,
            body: kept.body.clone(),
            priority: kept.priority,
            attempt: entry.attempt(),
        };
        fitting(ready.into_iter(), peek.max, |(_, kept, _)| kept.body.len()).map(looked_at).collect()
    }

    pub(crate) fn group_or_new(&self, now: Millis, name: &GroupName) -> Cow<'_, Group> {
        self.groups.get(name).map_or_else(|| Cow::Owned(self.as_a_new_group_sees_it(now)), Cow::Borrowed)
    }
}

/// Up to `max` of them, as many as fit into an answer, and always one.
pub(crate) fn fitting<T>(
    items: impl Iterator<Item = T>,
    max: u32,
    bytes: impl Fn(&T) -> usize,
) -> impl Iterator<Item = T> {
    let mut sum = 0_usize;
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    items.take(max).enumerate().map_while(move |(index, item)| {
        sum = sum.saturating_add(bytes(&item));
        (index == 0 || sum <= MOST_BYTES).then_some(item)
    })
}

fn tag_of(delivery: u64) -> Tag {
    Tag(format!("delivery-{delivery}"))
}

/// The delivery that a tag names, if any.
pub(crate) fn delivery_of(tag: &Tag) -> Option<u64> {
    let delivery = tag.0.strip_prefix("delivery-")?.parse().ok()?;
    (tag_of(delivery) == *tag).then_some(delivery)
}

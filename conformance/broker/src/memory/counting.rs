//! What a queue tells of itself in numbers, and what removes many messages at once.

use crate::clock::Millis;
use crate::contract::Depth;
use crate::memory::entry::{Entry, Place};
use crate::memory::letters::count;
use crate::memory::store::{GroupName, Store};

impl Store {
    /// How many messages of a group are where. What is expired is nowhere, unless somebody holds it.
    pub(crate) fn depth(&self, now: Millis, name: &GroupName) -> Depth {
        let group = self.group_or_new(now, name);
        let is_living = |place: &Place| self.messages.get(&place.seq).is_some_and(|kept| !kept.is_expired(now));
        let number =
            |is: &dyn Fn(&Place, &Entry) -> bool| count(group.iter().filter(|(place, entry)| is(place, entry)).count());
        Depth {
            ready: number(&|place, entry| entry.is_due(now) && is_living(place)),
            leased: Some(number(&|_, entry| !entry.is_free())),
            delayed: Some(number(&|place, entry| entry.is_free() && !entry.is_due(now) && is_living(place))),
            dead: Some(self.letters_of(name)),
        }
    }

    /// Removes what is ready in one group, or in all, and nothing that is held or rests. A message
    /// counts once for each group that loses it. Its id stays known.
    pub(crate) fn purge_ready(&mut self, now: Millis, group: Option<&str>) -> u64 {
        let mut ready = Vec::new();
        for (name, entries) in &self.groups {
            if group.is_none() || name.as_deref() == group {
                let of_group = entries.iter().filter(|(_, entry)| entry.is_due(now));
                ready.extend(of_group.map(|(place, _)| (name.clone(), *place)));
            }
        }
        for (name, place) in &ready {
            self.remove(name, *place);
        }
        count(ready.len())
    }

    /// How many messages were dropped for their expiry since this was last asked.
    pub(crate) fn swept(&mut self) -> u64 {
        std::mem::take(&mut self.expired)
    }
}

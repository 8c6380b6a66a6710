//! Chance that can be repeated: the same seed, the same throws.

use uuid::Uuid;

#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Dice(seed)
    }

    /// Others, which this seed gives too.
    pub(crate) fn others(&mut self) -> Self {
        Dice(self.throw())
    }

    /// Any number (splitmix64).
    pub(crate) fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to one less than this.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.throw() % end
    }

    /// One of these.
    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    /// True so many times in a hundred.
    pub(crate) fn percent(&mut self, often: u64) -> bool {
        self.below(100) < often
    }

    pub(crate) fn id(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(Uuid::from_u64_pair(self.throw(), self.throw()).into_bytes()).into_uuid()
    }
}

/// The seed of a run: the one in `WORKWIRE_SEED`, or a new one.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("WORKWIRE_SEED").ok().map(|text| text.parse().expect("WORKWIRE_SEED is a number"));
    given.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0)
}

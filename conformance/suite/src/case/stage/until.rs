//! Looks that are repeated until something is seen: a broker may take a moment to show what it was told.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;
use workwire_broker::{Peek, Peeked, Queue};

use super::{POLL_MS, Stage, Stop};
use crate::demand::{Demand, Expectation, Holding, Role};
use crate::recorder::{Actor, Told};

impl Stage {
    /// Looks until it is as expected, or patience is at an end, and answers the last look.
    pub async fn until<T, F>(&self, expect: &Expectation, mut look: impl FnMut() -> F) -> Told<T>
    where
        F: Future<Output = Told<T>>,
    {
        let end = Instant::now() + Duration::from_millis(u64::try_from(self.patience()).unwrap_or(0));
        let mut rest = self.scale.rest_ms(POLL_MS);
        loop {
            let told = look().await;
            if self.holds(&told, expect) || Instant::now() >= end {
                return told;
            }
            self.pass(rest).await;
            rest = (rest * 2).min(self.scale.rest_ms(16 * POLL_MS));
        }
    }

    /// Looks until it is as expected, or patience is at an end, and demands it of the last look.
    pub async fn demand_soon<T, F>(&self, clause: &'static str, expect: Expectation, look: impl FnMut() -> F) -> Told<T>
    where
        F: Future<Output = Told<T>>,
    {
        let told = self.until(&expect, look).await;
        self.demand(clause, &told, expect);
        told
    }

    /// Looks until this message is among the letters, on which the rest builds.
    ///
    /// # Errors
    /// Where it does not come to be there: the case cannot go on.
    pub async fn letter(&self, by: &Actor, queue: &Queue, group: Option<&str>, id: Uuid) -> Result<(), Stop> {
        let there = Expectation::Includes { ids: vec![id] };
        let told = self.until(&there, || by.dead_letters(queue, 100, group)).await;
        self.need_that(&told, there)
    }

    /// Whether it is so of what was told.
    fn holds<T>(&self, told: &Told<T>, expect: &Expectation) -> bool {
        let of = told.numbers().to_vec();
        let demand = Demand { clause: String::new(), of, expect: expect.clone(), role: Role::Needed };
        let mut holds = false;
        self.recorder.note(|history| holds = demand.judge(history) == Holding::Yes);
        holds
    }

    /// Looks at a queue page after page, until so many were seen or no more are shown.
    pub async fn look(&self, by: &Actor, queue: &Queue, peek: &Peek, count: usize) -> Told<Vec<Peeked>> {
        let (mut numbers, mut seen): (Vec<_>, Vec<Peeked>) = (Vec::new(), Vec::new());
        loop {
            let after = seen.last().map(|last| last.id).or(peek.after);
            let told = by.peek(queue, Peek { after, ..peek.clone() }).await;
            numbers.extend_from_slice(told.numbers());
            match told.into_answer() {
                Err(error) => return Told::of_several(numbers, Err(error)),
                Ok(page) if page.is_empty() => return Told::of_several(numbers, Ok(seen)),
                Ok(page) => seen.extend(page),
            }
            if seen.len() >= count {
                return Told::of_several(numbers, Ok(seen));
            }
        }
    }
}

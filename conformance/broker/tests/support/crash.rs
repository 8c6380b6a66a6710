//! For tests in which a process comes to its end in the middle of its work: the work, what is known of
//! it from what the process said, and what the store has to be like by that.

pub(crate) mod again;
pub(crate) mod audit;
pub(crate) mod checked;
pub(crate) mod consumer;
pub(crate) mod desk;
pub(crate) mod dice;
pub(crate) mod folder;
pub(crate) mod found;
pub(crate) mod ledger;
pub(crate) mod producer;
pub(crate) mod said;
pub(crate) mod view;
pub(crate) mod worker;

//! How the questions of a call are told apart: a function may ask the same one again, if it could not use the answer.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::digest::{SHA256, digest};
use serde_json::value::RawValue;

use crate::context::client::Ask;

/// What was said, by question.
pub(crate) type Answers = BTreeMap<String, Box<RawValue>>;

/// How often a run has asked under each key so far.
#[derive(Default)]
pub(crate) struct Executions(BTreeMap<String, u32>);

impl Executions {
    /// What tells the question that is asked now from all others of the call, and is the same in each run: a hash of its
    /// key, how often that was asked, and its parameters.
    pub(crate) fn question(&mut self, ask: &Ask) -> String {
        let execution = self.0.entry(ask.key.clone()).or_default();
        *execution += 1;
        let question = serde_json::to_vec(&(&ask.key, *execution, ask.method, &ask.params));
        let question = question.expect("a question of texts is JSON");
        STANDARD_NO_PAD.encode(&digest(&SHA256, &question).as_ref()[..16])
    }
}

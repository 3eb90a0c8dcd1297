//! The words of every tool, and which tools fit a query best (BM25).

use std::collections::HashMap;
use std::sync::Arc;

use super::words::words;
use crate::registry::{Registry, Tool};

/// How much a further occurrence of a word counts, and how much the length of a text does: the usual values.
const K1: f64 = 1.2;
const B: f64 = 0.75;

/// How often a word counts by where it stands.
const IN_NAME: f64 = 4.0;
const IN_TITLE: f64 = 2.0;
const IN_TAGS: f64 = 2.0;
const IN_TEXT: f64 = 1.0;

/// The most words of a query.
const MAX_QUERY: usize = 32;

/// The words of the tools of one registry.
pub(super) struct Index {
    entries: Vec<Entry>,
}

struct Entry {
    tool: Arc<Tool>,
    /// Each word with its weight.
    words: HashMap<String, f64>,
    length: f64,
}

impl Index {
    /// The tools of MCP that can be found.
    pub(super) fn of(registry: &Registry) -> Index {
        let tools = registry.tools().iter();
        let tools = tools.filter(|tool| !tool.finds_others());
        Index {
            entries: tools.map(|it| Entry::of(it.clone())).collect(),
        }
    }

    /// The tools that fit the query, best first, among those that are `seen`: what others may see decides nothing. Tools
    /// that fit equally well keep the order of registration.
    pub(super) fn find(&self, query: &str, seen: impl Fn(&Tool) -> bool) -> Vec<&Arc<Tool>> {
        let mut wanted = words(query);
        wanted.truncate(MAX_QUERY);
        wanted.sort();
        wanted.dedup();
        let entries: Vec<&Entry> = self.entries.iter().filter(|it| seen(&it.tool)).collect();
        let total = entries.len() as f64;
        let average = entries.iter().map(|it| it.length).sum::<f64>() / total.max(1.0);
        let rarity: Vec<f64> = wanted
            .iter()
            .map(|word| {
                let with = entries.iter().filter(|it| it.weight(word) > 0.0).count() as f64;
                (1.0 + (total - with + 0.5) / (with + 0.5)).ln()
            })
            .collect();
        let score = |entry: &Entry| -> f64 {
            let parts = wanted.iter().zip(&rarity).map(|(word, rarity)| {
                let weight = entry.weight(word);
                let length = 1.0 - B + B * entry.length / average.max(1.0);
                rarity * weight * (K1 + 1.0) / (weight + K1 * length)
            });
            parts.sum()
        };
        let mut found: Vec<(f64, &Entry)> = entries.into_iter().map(|it| (score(it), it)).collect();
        found.retain(|it| it.0 > 0.0);
        // The sort keeps the order of equals.
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.into_iter().map(|it| &it.1.tool).collect()
    }
}

impl Entry {
    fn of(tool: Arc<Tool>) -> Entry {
        let mut entry = Entry {
            words: HashMap::new(),
            length: 0.0,
            tool: tool.clone(),
        };
        entry.add(tool.name(), IN_NAME);
        entry.add(tool.display_title().unwrap_or_default(), IN_TITLE);
        for tag in tool.groups() {
            entry.add(tag, IN_TAGS);
        }
        entry.add(tool.description(), IN_TEXT);
        for name in tool.parameter_names() {
            entry.add(name, IN_TEXT);
        }
        entry
    }

    fn add(&mut self, text: &str, weight: f64) {
        for word in words(text) {
            *self.words.entry(word).or_default() += weight;
            self.length += 1.0;
        }
    }

    /// The weight of a word, of which a longer one counts half: `repo` finds `repository`.
    fn weight(&self, word: &str) -> f64 {
        if let Some(weight) = self.words.get(word) {
            return *weight;
        }
        if word.len() < 4 {
            return 0.0;
        }
        let longer = self.words.iter().filter(|it| it.0.starts_with(word));
        longer.map(|it| it.1 / 2.0).fold(0.0, f64::max)
    }
}

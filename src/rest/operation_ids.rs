//! The ids of operations: letters, digits and `_`, as every generator takes them, and none of them twice.

use std::collections::{HashMap, HashSet};

use crate::registry::{Registry, Tool};

/// The ids that are taken.
pub(super) struct OperationIds {
    of_functions: HashMap<String, String>,
    used: HashSet<String>,
}

impl OperationIds {
    /// The names of all functions are taken first, so that none of them changes because of another function's paths.
    pub(super) fn new(registry: &Registry) -> OperationIds {
        let mut ids = OperationIds {
            of_functions: HashMap::new(),
            used: HashSet::new(),
        };
        for tool in registry.tools().iter().filter(|tool| tool.on_rest()) {
            let id = ids.take(&plain(tool.name()));
            ids.of_functions.insert(tool.name().to_owned(), id);
        }
        ids
    }

    /// The id of the function's own place: its name.
    pub(super) fn own(&self, tool: &Tool) -> String {
        self.of_functions[tool.name()].clone()
    }

    /// The id of another place of it.
    pub(super) fn further(&mut self, tool: &Tool, place: &str) -> String {
        self.take(&format!("{}_{place}", self.own(tool)))
    }

    /// The wanted id, or with a number where it is taken.
    fn take(&mut self, wanted: &str) -> String {
        let numbered = (2..).map(|number| format!("{wanted}_{number}"));
        let mut ids = std::iter::once(wanted.to_owned()).chain(numbered);
        let free = ids.find(|id| !self.used.contains(id));
        let free = free.expect("numbers do not end before functions do");
        self.used.insert(free.clone());
        free
    }
}

fn plain(name: &str) -> String {
    let plain = |it: char| if it.is_ascii_alphanumeric() { it } else { '_' };
    name.chars().map(plain).collect()
}

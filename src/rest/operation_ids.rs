//! Unique operation ids of letters, digits and `_`, which every generator accepts.

use std::collections::{HashMap, HashSet};

use http::Method;

use crate::registry::{Registry, Route, Tool};

/// The ids in use.
pub(super) struct OperationIds {
    of_functions: HashMap<String, String>,
    used: HashSet<String>,
}

impl OperationIds {
    /// The names of all functions are reserved first, so that no function's id changes because of another function's
    /// paths.
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

    /// Every route of a function with its id; the first one is the function's name. `None` is `POST /api/{name}`.
    pub(super) fn of<'t>(&mut self, tool: &'t Tool) -> Vec<(Option<&'t Route>, String)> {
        let own = self.of_functions[tool.name()].clone();
        let (gets, others): (Vec<&Route>, Vec<&Route>) = tool
            .routes()
            .iter()
            .partition(|it| *it.method() == Method::GET);
        let first = gets.first().or(others.first()).copied();
        let mut found: Vec<(Option<&Route>, String)> = Vec::new();
        for (index, route) in gets.into_iter().enumerate() {
            let id = match index {
                0 => own.clone(),
                _ => self.take(&format!("{own}_{}", index + 1)),
            };
            found.push((Some(route), id));
        }
        if tool.has_name_path() {
            found.push((None, self.take(&format!("{own}_post"))));
        }
        for route in others {
            let method = route.method().as_str().to_ascii_lowercase();
            let id = match Some(route) == first {
                true => own.clone(),
                false => self.take(&format!("{own}_{method}")),
            };
            found.push((Some(route), id));
        }
        found
    }

    /// The preferred id, with a number if it is in use.
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

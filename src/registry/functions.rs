//! What an application offers: its tools, resources and prompts, in the order in which they are listed.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::{Prompt, Resource, Tool};

/// The tools, resources and prompts of an application. A list keeps the order of its entries. Entries are shared, so a
/// changed copy is cheap.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Functions {
    /// The functions that answer on MCP and REST.
    pub tools: Vec<Arc<Tool>>,
    /// The documents that MCP clients read.
    pub resources: Vec<Arc<Resource>>,
    /// The prompts of MCP clients.
    pub prompts: Vec<Arc<Prompt>>,
    /// The mounted servers that cannot be reached now.
    pub(crate) absent: BTreeSet<Arc<str>>,
}

impl Functions {
    /// Adds a tool at the end of the list.
    pub fn add_tool(&mut self, tool: Tool) {
        self.tools.push(Arc::new(tool));
    }

    /// Adds a resource at the end of the list.
    pub fn add_resource(&mut self, resource: Resource) {
        self.resources.push(Arc::new(resource));
    }

    /// Adds a prompt at the end of the list.
    pub fn add_prompt(&mut self, prompt: Prompt) {
        self.prompts.push(Arc::new(prompt));
    }

    /// Removes the tool of that name; `false` if there is none.
    pub fn remove_tool(&mut self, name: &str) -> bool {
        let count = self.tools.len();
        self.tools.retain(|tool| tool.name() != name);
        self.tools.len() < count
    }

    /// Says whether a mounted server can be reached.
    pub(crate) fn set_absent(&mut self, mount: &Arc<str>, is_absent: bool) {
        if is_absent {
            self.absent.insert(mount.clone());
        } else {
            self.absent.remove(mount);
        }
    }

    /// Whether both have the same entries.
    pub(crate) fn is_same(&self, other: &Functions) -> bool {
        are_same(&self.tools, &other.tools)
            && are_same(&self.resources, &other.resources)
            && are_same(&self.prompts, &other.prompts)
    }

    /// Puts `new` in the place of `old`. Entries of `new` whose name or URI others have are taken out of it, and named in
    /// `taken` with the other.
    pub(crate) fn replace(
        &mut self,
        old: &Functions,
        new: &mut Functions,
        taken: &mut Vec<(String, String)>,
    ) {
        let tool = |it: &Tool| it.name().to_owned();
        replace(
            &mut self.tools,
            &old.tools,
            &mut new.tools,
            ("tool", tool),
            taken,
        );
        let uri = |it: &Resource| it.uri().to_owned();
        replace(
            &mut self.resources,
            &old.resources,
            &mut new.resources,
            ("resource", uri),
            taken,
        );
        let prompt = |it: &Prompt| it.name().to_owned();
        replace(
            &mut self.prompts,
            &old.prompts,
            &mut new.prompts,
            ("prompt", prompt),
            taken,
        );
    }
}

fn are_same<T>(one: &[Arc<T>], other: &[Arc<T>]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(one, other)| Arc::ptr_eq(one, other))
}

fn replace<T>(
    list: &mut Vec<Arc<T>>,
    old: &[Arc<T>],
    new: &mut Vec<Arc<T>>,
    (kind, name): (&str, fn(&T) -> String),
    taken: &mut Vec<(String, String)>,
) {
    let gone: HashSet<*const T> = old.iter().map(Arc::as_ptr).collect();
    // New entries stand where the old ones stood, so that the order of the list does not change with a connection.
    let place = list.iter().position(|it| gone.contains(&Arc::as_ptr(it)));
    list.retain(|it| !gone.contains(&Arc::as_ptr(it)));
    let names: HashMap<String, String> = list
        .iter()
        .map(|it| (name(it), format!("{kind} `{}`", name(it))))
        .collect();
    new.retain(|it| match names.get(&name(it)) {
        Some(other) => {
            taken.push((format!("{kind} `{}`", name(it)), other.clone()));
            false
        }
        None => true,
    });
    let place = place.unwrap_or(list.len()).min(list.len());
    list.splice(place..place, new.iter().cloned());
}

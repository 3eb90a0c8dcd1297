//! What an application offers: its tools, resources and prompts, in the order in which they are listed.

use std::sync::Arc;

use super::{Prompt, Resource, Tool};

/// The tools, resources and prompts of an application. A list keeps the order of its entries. Entries are shared, so a
/// changed copy is cheap.
#[derive(Clone, Default)]
pub struct Functions {
    /// The functions that answer on MCP and REST.
    pub tools: Vec<Arc<Tool>>,
    /// The documents that MCP clients read.
    pub resources: Vec<Arc<Resource>>,
    /// The prompts of MCP clients.
    pub prompts: Vec<Arc<Prompt>>,
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
}

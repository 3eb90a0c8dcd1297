//! Which tools a list has where there are too many for one: the pinned ones, and those that find the others.

use super::{Functions, Tool};
use crate::context::Context;

/// What decides whether clients are shown a search instead of the list.
#[derive(Clone, Debug)]
pub(crate) struct SearchRule {
    /// The most functions of a list.
    pub(crate) above: usize,
    /// The scope whose callers are shown the whole list.
    pub(crate) scope: String,
}

impl Tool {
    /// Keeps it in the list also where clients are shown a search instead
    /// ([`Server::search`](crate::Server::search)).
    pub fn pinned(mut self) -> Tool {
        self.is_pinned = true;
        self
    }

    /// Whether it is listed beside a search.
    pub fn is_pinned(&self) -> bool {
        self.is_pinned
    }

    /// Makes it one that finds the others: it is listed only where they are not.
    pub(crate) fn finder(mut self) -> Tool {
        self.finds_others = true;
        self
    }

    /// Whether it finds the others.
    pub(crate) fn finds_others(&self) -> bool {
        self.finds_others
    }
}

impl Functions {
    /// Whether any tool finds the others.
    pub(crate) fn has_search(&self) -> bool {
        // They are added last.
        self.tools.iter().rev().any(|it| it.finds_others())
    }

    /// Whether there are too many for a list.
    pub(crate) fn exceed(&self, rule: &SearchRule) -> bool {
        let others = self
            .tools
            .iter()
            .filter(|it| it.on_mcp() && !it.finds_others);
        others.count() > rule.above
    }

    /// What the lists of a caller have: all but the search, or the search and the pinned tools.
    pub(crate) fn listed(mut self, rule: Option<&SearchRule>, cx: &Context) -> Functions {
        let is_brief = rule.is_some_and(|it| self.exceed(it) && !cx.has_scope(&it.scope));
        match is_brief {
            true => self.tools.retain(|it| it.is_pinned || it.finds_others),
            false => self.tools.retain(|it| !it.finds_others),
        }
        self
    }
}

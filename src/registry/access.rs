//! What functions need of their callers.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use super::{Functions, Registry, Tool};
use crate::auth::Needs;
use crate::context::Context;
use crate::error::Result;

impl Tool {
    /// The scopes that its callers must have, on every protocol and wherever the call comes from, also within another
    /// function. They count where the settings authenticate callers; elsewhere everybody may call.
    ///
    /// ```
    /// use bifold::prelude::*;
    ///
    /// /// Removes every note.
    /// #[derive(Deserialize, JsonSchema)]
    /// #[serde(deny_unknown_fields)]
    /// struct Clear {}
    ///
    /// async fn clear(_: Context, Clear {}: Clear) -> Result<Content> {
    ///     Ok(Content::text("done"))
    /// }
    ///
    /// let tool = Tool::new("clear", clear).scopes(&["notes:write"]);
    /// ```
    pub fn scopes(mut self, scopes: &[&'static str]) -> Tool {
        self.scopes
            .extend(scopes.iter().map(|it| Cow::Borrowed(*it)));
        self
    }

    /// As [`Tool::scopes`], for scopes that are known only at run time.
    pub(crate) fn needs_scopes(mut self, scopes: impl IntoIterator<Item = String>) -> Tool {
        self.scopes.extend(scopes.into_iter().map(Cow::Owned));
        self
    }

    /// Lets everybody call it, also where the settings authenticate callers.
    pub fn public(mut self) -> Tool {
        self.is_public = true;
        self
    }

    /// The scopes that its callers must have.
    pub fn required_scopes(&self) -> &[Cow<'static, str>] {
        &self.scopes
    }

    /// Whether everybody may call it.
    pub fn is_public(&self) -> bool {
        self.is_public
    }

    /// Whether its arguments name other functions, whose scopes it needs too.
    pub(crate) fn names_others(&self) -> bool {
        self.calls.is_some()
    }

    /// What it needs of its caller.
    pub(crate) fn needs(&self) -> Needs<'_> {
        Needs {
            function: self.name(),
            is_public: self.is_public,
            scopes: match self.is_public {
                true => BTreeSet::new(),
                false => self.scopes.iter().map(AsRef::as_ref).collect(),
            },
        }
    }

    /// The classes whose rate limits it counts against: its name, and the groups it belongs to.
    pub(super) fn classes(&self) -> impl Iterator<Item = &str> {
        let groups = self.groups().iter().map(AsRef::as_ref);
        std::iter::once(self.name()).chain(groups)
    }
}

impl Functions {
    /// Those that the caller may call.
    pub(crate) fn of_caller(&self, cx: &Context) -> Functions {
        let may = |function: &Tool| cx.may(|| function.needs());
        let mut some = self.clone();
        some.tools.retain(|it| may(it));
        some.resources.retain(|it| may(it.function()));
        some.prompts.retain(|it| may(it.function()));
        some
    }

    /// All names, one a line.
    pub(crate) fn names(&self) -> String {
        let tools = self.tools.iter().map(|it| it.name());
        let resources = self.resources.iter().map(|it| it.uri());
        let prompts = self.prompts.iter().map(|it| it.name());
        let kinds = [
            tools.collect::<Vec<_>>(),
            resources.collect(),
            prompts.collect(),
        ];
        kinds.map(|it| it.join("\n")).join("\n\n")
    }
}

impl Registry {
    /// Whether MCP clients that are not authenticated can call anything.
    pub(crate) fn has_public(&self) -> bool {
        let tools = self.tools().iter().any(|it| it.on_mcp() && it.is_public);
        let mut resources = self.resources().iter();
        let mut prompts = self.prompts().iter();
        tools
            || resources.any(|it| it.function().is_public)
            || prompts.any(|it| it.function().is_public)
    }

    /// Every scope that a function names.
    pub(crate) fn scopes(&self) -> BTreeSet<&str> {
        let resources = self.resources().iter().map(|it| it.function());
        let prompts = self.prompts().iter().map(|it| it.function());
        let tools = self.tools().iter().map(AsRef::as_ref);
        let all = tools.chain(resources).chain(prompts);
        all.flat_map(|it| it.scopes.iter().map(AsRef::as_ref))
            .collect()
    }

    /// What a call of the function needs, with what the functions need that its arguments name.
    pub(crate) fn needs<'a>(&'a self, tool: &'a Tool, arguments: &str) -> Needs<'a> {
        let mut needs = tool.needs();
        if let Some(argument) = &tool.calls {
            let arguments: Option<Value> = serde_json::from_str(arguments).ok();
            let named = arguments.as_ref().and_then(|it| it.get(&**argument));
            let calls = named.map(|it| match it {
                Value::Array(calls) => calls.as_slice(),
                one => std::slice::from_ref(one),
            });
            let names = calls.into_iter().flatten().filter_map(|it| {
                let name = it.get("name").unwrap_or(it);
                name.as_str()
            });
            for called in names.filter_map(|name| self.get(name)) {
                needs.merge(called.needs());
            }
        }
        needs
    }

    /// Whether the caller may make the whole call, before any of it is done.
    ///
    /// # Errors
    /// `Unauthenticated` or `InsufficientScope`, for all functions at once.
    pub(crate) fn authorize(&self, tool: &Tool, cx: &Context, arguments: &str) -> Result<()> {
        cx.authorize(|| self.needs(tool, arguments))
    }
}

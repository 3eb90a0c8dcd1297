//! One function with everything that is known of it.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, OnceLock};

use serde_json::{Map, Value};

use super::answer::Answer;
use super::declared::DeclaredError;
use super::decode::Arguments;
use super::dynamic::Dynamic;
use super::fit::Fit;
use super::handler::{Blocking, ErasedHandler, Handler, Run};
use super::hints::Hints;
use super::icon::Icon;
use super::location;
use super::output::Output;
use super::prepared::{Prepared, PreparedTool};
use super::route::Routes;
use crate::context::Context;
use crate::error::{Capability, Result};
use crate::schema::Rules;

/// A function that answers on MCP and REST, with its name, its schemas and its paths.
pub struct Tool {
    /// Shared with the log line of each call.
    name: Arc<str>,
    title: Option<Cow<'static, str>>,
    /// What is said instead of the doc comment of the argument struct.
    description: Option<Cow<'static, str>>,
    tags: Vec<Cow<'static, str>>,
    mcp: bool,
    pub(super) rest: Routes,
    hints: Hints,
    icons: Vec<Icon>,
    meta: Map<String, Value>,
    requires: Vec<Capability>,
    pub(super) errors: Vec<DeclaredError>,
    may_detach: bool,
    /// The scopes that its callers must have.
    pub(super) scopes: Vec<Cow<'static, str>>,
    /// Whether everybody may call it.
    pub(super) is_public: bool,
    /// How many levels of fields MCP lists show of the result; all of them without it.
    pub(super) brief: Option<usize>,
    /// Whether it is listed beside a search, and whether it is a part of one.
    pub(super) is_pinned: bool,
    pub(super) finds_others: bool,
    /// The argument that names the functions which it calls, if it does.
    pub(super) calls: Option<Cow<'static, str>>,
    /// Both schemas are made when they are first asked for: a cold start has no use for them.
    input: LazyLock<Value>,
    output: LazyLock<Output>,
    /// The input schema with null where the type takes it; made for the first arguments that do not fit as they are.
    typed: LazyLock<Value>,
    /// The fields of the argument struct, in the order of their declaration.
    fields: fn() -> &'static [&'static str],
    /// What is published instead of the input schema.
    pub(super) published: Option<Value>,
    /// What that which is published demands beside what decoding does; made for the first call.
    rules: LazyLock<Option<Rules>>,
    published_rules: OnceLock<Rules>,
    run: Run,
    pub(super) has_arguments: bool,
    /// Which part of the result a call may ask for.
    pub(super) fit: Option<Box<Fit>>,
    /// What is known of a tool that is made at run time.
    pub(super) dynamic: Option<Box<Dynamic>>,
    /// What MCP lists say of the tools of this server, written ahead.
    prepared: Option<Arc<Prepared>>,
}

impl Tool {
    /// A tool of this name, which this function answers: `Fn()`, `Fn(A)`, `Fn(Context)` or `Fn(Context, A)`, async or not
    /// ([`Handler`]). The argument struct `A` is the request: its doc comment is the description, and the doc comments of
    /// its fields are those of the parameters. A function without one gets its description by [`Tool::describe`].
    ///
    /// A function that is not async must be short: it runs on the thread that answers the request.
    pub fn new<M>(name: impl Into<Cow<'static, str>>, function: impl Handler<M>) -> Tool {
        Tool::of(name.into(), function.erase())
    }

    pub(super) fn of(name: Cow<'static, str>, handler: ErasedHandler) -> Tool {
        Tool {
            name: name.into(),
            title: None,
            description: None,
            tags: Vec::new(),
            mcp: true,
            rest: Routes::default(),
            hints: Hints::default(),
            icons: Vec::new(),
            meta: Map::new(),
            requires: Vec::new(),
            errors: Vec::new(),
            may_detach: false,
            scopes: Vec::new(),
            is_public: false,
            brief: None,
            is_pinned: false,
            finds_others: false,
            calls: None,
            input: LazyLock::new(handler.input),
            output: LazyLock::new(handler.output),
            typed: LazyLock::new(handler.typed),
            fields: handler.fields,
            published: None,
            rules: LazyLock::new(handler.rules),
            published_rules: OnceLock::new(),
            run: handler.run,
            has_arguments: handler.has_arguments,
            fit: None,
            dynamic: None,
            prepared: None,
        }
    }

    /// As [`Tool::new`], for a function that is not async.
    pub fn sync<P, O>(
        name: impl Into<Cow<'static, str>>,
        function: impl Handler<Blocking<P, O>>,
    ) -> Tool {
        Tool::new(name, function)
    }

    /// Takes the function off MCP.
    pub fn rest_only(mut self) -> Tool {
        self.mcp = false;
        self
    }

    /// A name for people.
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Tool {
        self.title = Some(title.into());
        self
    }

    /// A description in place of the doc comment of the argument struct: for a function that has none, and for a tool whose
    /// description is known only at run time.
    pub fn describe(mut self, description: impl Into<Cow<'static, str>>) -> Tool {
        self.description = Some(description.into());
        self
    }

    /// The groups it belongs to; the first one is its place in the documentation.
    pub fn tags(mut self, tags: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Tool {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Tells clients that it changes nothing anywhere. Of a function that says nothing they assume the worst: that it
    /// may destroy something, differently each time, anywhere in the world.
    pub fn read_only(mut self) -> Tool {
        self.hints.read_only = true;
        self.hints.idempotent = true;
        self.additive()
    }

    /// Tells clients that it adds, and neither takes away nor overwrites.
    pub fn additive(mut self) -> Tool {
        self.hints.destructive = false;
        self
    }

    /// Tells clients that the same call a second time changes nothing more.
    pub fn idempotent(mut self) -> Tool {
        self.hints.idempotent = true;
        self
    }

    /// Tells clients that it deals with nothing outside this server.
    pub fn closed_world(mut self) -> Tool {
        self.hints.open_world = false;
        self
    }

    /// Adds a picture that people see beside the name.
    pub fn icon(mut self, icon: Icon) -> Tool {
        self.icons.push(icon);
        self
    }

    /// Adds a value to its `_meta` in MCP lists, such as `ui` for MCP Apps; what is read of a document has it too.
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Tool {
        self.meta.insert(key.into(), value.into());
        self
    }

    /// A client that does not have this capability is told so, and the function does not run.
    pub fn requires(mut self, capability: Capability) -> Tool {
        self.requires.push(capability);
        self
    }

    /// Lets a call continue as a task once the function says [`Context::detach`](crate::Context::detach); with
    /// `requires(Capability::Tasks)` beside it, only clients that know tasks may call.
    pub fn task(mut self) -> Tool {
        self.may_detach = true;
        self
    }

    /// Publishes this input schema word for word instead of the one made from the argument struct.
    pub fn input_schema(mut self, mut schema: Value) -> Tool {
        let description = self.input.get("description").cloned();
        if let (Some(fields), Some(description)) = (schema.as_object_mut(), description) {
            fields.entry("description").or_insert(description);
        }
        self.published = Some(schema);
        self.fit.iter_mut().for_each(|fit| fit.forget());
        self
    }

    pub(super) async fn run(&self, cx: Context, arguments: &str) -> Result<Answer> {
        match &self.fit {
            None => self.run_whole(cx, arguments).await,
            // Boxed, so that only these tools have the larger future.
            Some(fit) => Box::pin(fit.run(self, cx, arguments)).await,
        }
    }

    /// Runs the function, which answers with its whole result.
    pub(super) async fn run_whole(&self, cx: Context, arguments: &str) -> Result<Answer> {
        let arguments = Arguments {
            text: arguments,
            own: &self.input,
            typed: &self.typed,
            published: self.checked(),
            rules: self.rules(),
            reads_texts: cx.reads_texts(),
        };
        match &self.run {
            Run::Async(run) => run(cx, &arguments)?.await,
            Run::Sync(run) => run(cx, &arguments),
        }
    }

    /// What arguments must be beside what decoding demands.
    fn rules(&self) -> Option<&Rules> {
        match self.checked() {
            Some(_) if self.is_unchecked() => None,
            Some(schema) => Some(self.published_rules.get_or_init(|| Rules::of(schema).0)),
            None => self.rules.as_ref(),
        }
    }

    /// The name on every protocol.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name for the log, which keeps it longer than the call.
    pub(crate) fn label(&self) -> Arc<str> {
        self.name.clone()
    }

    /// What it does: the text of [`Tool::describe`], or else the doc comment of the argument struct, or else the title.
    pub fn description(&self) -> &str {
        let prepared = || self.prepared().map(|it| it.description());
        let documented = || self.schema().get("description").and_then(Value::as_str);
        self.description
            .as_deref()
            .or_else(prepared)
            .or_else(documented)
            .or(self.title.as_deref())
            .unwrap_or("")
    }

    /// Whether its description is its own, and not the doc comment of the argument struct.
    pub(crate) fn is_described(&self) -> bool {
        self.description.is_some()
    }

    /// Lists the tool by what is prepared, where that has it.
    pub(crate) fn set_prepared(&mut self, prepared: Arc<Prepared>) {
        self.prepared = Some(prepared);
    }

    /// What is prepared of it for MCP lists.
    pub(crate) fn prepared(&self) -> Option<&PreparedTool> {
        self.prepared.as_ref()?.get(&self.name)
    }

    /// The JSON schema of the arguments, without the description of the function.
    pub fn arguments(&self) -> Value {
        let mut schema = self.schema().clone();
        if let Some(fields) = schema.as_object_mut() {
            fields.remove("description");
        }
        location::strip(&mut schema);
        schema
    }

    /// The parameters: name to JSON schema.
    pub fn parameters(&self) -> Option<&Map<String, Value>> {
        self.schema().get("properties").and_then(Value::as_object)
    }

    /// The names of the parameters in the order in which the argument struct declares them. Those of which that is not known
    /// follow in alphabetical order.
    pub fn parameter_names(&self) -> Vec<&str> {
        let known = self.parameters();
        let is_known = |name: &&str| known.is_some_and(|it| it.contains_key(*name));
        let mut names: Vec<&str> = (self.fields)().iter().copied().filter(is_known).collect();
        let declared = names.len();
        for (name, _) in known.into_iter().flatten() {
            if !names[..declared].contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// Whether the parameter must be given.
    pub fn is_required(&self, parameter: &str) -> bool {
        let required = self.schema().get("required").and_then(Value::as_array);
        required.is_some_and(|names| names.iter().any(|name| name == parameter))
    }

    /// What is published of the result.
    pub fn output(&self) -> &Output {
        match &self.fit {
            Some(fit) => fit.output(self.own_output()),
            None => self.own_output(),
        }
    }

    /// What the function itself answers with.
    pub(super) fn own_output(&self) -> &Output {
        match &self.dynamic {
            Some(dynamic) => &dynamic.output,
            None => &self.output,
        }
    }

    /// The JSON schema of the result on REST; `None` for a function that answers with content blocks, bytes or nothing.
    pub fn result(&self) -> Option<&Value> {
        self.output().schema.as_ref()
    }

    /// The name for people.
    pub fn display_title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The groups it belongs to.
    pub fn groups(&self) -> &[Cow<'static, str>] {
        &self.tags
    }

    /// The protocols it answers on: `mcp`, `rest`.
    pub fn protocols(&self) -> Vec<&'static str> {
        [("mcp", self.mcp), ("rest", self.on_rest())]
            .into_iter()
            .filter(|it| it.1)
            .map(|it| it.0)
            .collect()
    }

    /// Whether MCP clients see it.
    pub fn on_mcp(&self) -> bool {
        self.mcp
    }

    /// What it says of its effects.
    pub fn hints(&self) -> Hints {
        self.hints
    }

    /// The pictures beside its name.
    pub fn icons(&self) -> &[Icon] {
        &self.icons
    }

    /// Its `_meta` in MCP lists.
    pub fn metadata(&self) -> &Map<String, Value> {
        &self.meta
    }

    /// The capabilities that its clients must have.
    pub fn required_capabilities(&self) -> &[Capability] {
        &self.requires
    }

    /// Whether its calls may continue as tasks.
    pub fn may_detach(&self) -> bool {
        self.may_detach
    }

    pub(super) fn schema(&self) -> &Value {
        match &self.fit {
            Some(fit) => fit.input(self.own_schema()),
            None => self.own_schema(),
        }
    }

    /// The schema of the function's own arguments.
    pub(super) fn own_schema(&self) -> &Value {
        self.published.as_ref().unwrap_or(&self.input)
    }
}

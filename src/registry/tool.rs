//! One function with everything that is known of it; its types are erased here.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, OnceLock};

use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::answer::{Answer, IntoAnswer};
use super::decode::Arguments;
use super::hints::Hints;
use super::icon::Icon;
use crate::context::Context;
use crate::error::{Capability, Result};
use crate::schema::{self, Rules};

/// A function that answers on MCP and REST, with its name, its schemas and its paths.
pub struct Tool {
    /// Shared with the log line of each call.
    name: Arc<str>,
    title: Option<Cow<'static, str>>,
    /// What is said instead of the doc comment of the argument struct.
    description: Option<Cow<'static, str>>,
    tags: Vec<Cow<'static, str>>,
    path: Option<Cow<'static, str>>,
    aliases: Vec<Cow<'static, str>>,
    post_path: Option<Cow<'static, str>>,
    mcp: bool,
    rest: bool,
    hints: Hints,
    icons: Vec<Icon>,
    meta: Map<String, Value>,
    requires: Vec<Capability>,
    may_detach: bool,
    /// The scopes that its callers must have.
    pub(super) scopes: Vec<Cow<'static, str>>,
    /// Whether everybody may call it.
    pub(super) is_public: bool,
    /// The argument that names the functions which it calls, if it does.
    pub(super) calls: Option<Cow<'static, str>>,
    /// Both schemas are made when they are first asked for: a cold start has no use for them.
    input: LazyLock<Value>,
    output: LazyLock<Option<Value>>,
    /// The input schema with null where the type takes it; made for the first arguments that do not fit as they are.
    typed: LazyLock<Value>,
    /// What is published instead of the input schema.
    published: Option<Value>,
    /// What that which is published demands beside what decoding does; made for the first call.
    rules: LazyLock<Option<Rules>>,
    published_rules: OnceLock<Rules>,
    run: Run,
}

/// A function behind its types: the text of its arguments in, its encoded result (or the way to it) out.
enum Run {
    Async(Box<AsyncFn>),
    Sync(Box<SyncFn>),
}

type AsyncFn = dyn Fn(Context, &Arguments<'_>) -> Result<Running> + Send + Sync;
type SyncFn = dyn Fn(Context, &Arguments<'_>) -> Result<Answer> + Send + Sync;
type Running = BoxFuture<'static, Result<Answer>>;

impl Tool {
    /// An async function. Its argument struct is the request: the struct's doc comment is the description,
    /// the fields' doc comments the parameters'.
    pub fn new<A, F, Fut, R>(name: impl Into<Cow<'static, str>>, function: F) -> Tool
    where
        A: DeserializeOwned + JsonSchema,
        F: Fn(Context, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R>> + Send + 'static,
        R: IntoAnswer,
    {
        let run = move |cx: Context, arguments: &Arguments<'_>| -> Result<Running> {
            let running = function(cx.clone(), arguments.decode()?);
            Ok(Box::pin(async move { running.await?.into_answer(&cx) }))
        };
        Tool::erased(
            name.into(),
            [schema::input::<A>, schema::typed::<A>],
            schema::rules::<A>,
            R::schema,
            Run::Async(Box::new(run)),
        )
    }

    /// A sync function, for short pure code: it runs on the thread that answers the request.
    pub fn sync<A, F, R>(name: impl Into<Cow<'static, str>>, function: F) -> Tool
    where
        A: DeserializeOwned + JsonSchema,
        F: Fn(Context, A) -> Result<R> + Send + Sync + 'static,
        R: IntoAnswer,
    {
        let run = move |cx: Context, arguments: &Arguments<'_>| {
            function(cx.clone(), arguments.decode()?)?.into_answer(&cx)
        };
        Tool::erased(
            name.into(),
            [schema::input::<A>, schema::typed::<A>],
            schema::rules::<A>,
            R::schema,
            Run::Sync(Box::new(run)),
        )
    }

    fn erased(
        name: Cow<'static, str>,
        [input, typed]: [fn() -> Value; 2],
        rules: fn() -> Option<Rules>,
        output: fn() -> Option<Value>,
        run: Run,
    ) -> Tool {
        Tool {
            name: name.into(),
            title: None,
            description: None,
            tags: Vec::new(),
            path: None,
            aliases: Vec::new(),
            post_path: None,
            mcp: true,
            rest: false,
            hints: Hints::default(),
            icons: Vec::new(),
            meta: Map::new(),
            requires: Vec::new(),
            may_detach: false,
            scopes: Vec::new(),
            is_public: false,
            calls: None,
            input: LazyLock::new(input),
            output: LazyLock::new(output),
            typed: LazyLock::new(typed),
            published: None,
            rules: LazyLock::new(rules),
            published_rules: OnceLock::new(),
            run,
        }
    }

    /// Also answers REST: `GET /api{path}`, and `POST /api/{name}` with the arguments as a JSON object.
    /// Parameters in braces are path parameters, the others query parameters.
    pub fn get(mut self, path: impl Into<Cow<'static, str>>) -> Tool {
        self.rest = true;
        self.path = Some(path.into());
        self
    }

    /// A second path for the same function, with fewer parameters in it.
    pub fn also_get(mut self, path: impl Into<Cow<'static, str>>) -> Tool {
        self.aliases.push(path.into());
        self
    }

    /// Also answers REST, for arguments that do not fit into a path or query: `POST /api{path}` and `POST /api/{name}`, with the
    /// arguments as a JSON object.
    pub fn post(mut self, path: impl Into<Cow<'static, str>>) -> Tool {
        self.rest = true;
        self.post_path = Some(path.into());
        self
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

    /// A description in place of the doc comment of the argument struct, for a tool whose description is known only at
    /// run time.
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

    /// Lets a call go on as a task once the function says [`Context::detach`](crate::Context::detach); with
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
        self
    }

    pub(super) async fn run(&self, cx: Context, arguments: &str) -> Result<Answer> {
        let arguments = Arguments {
            text: arguments,
            own: &self.input,
            typed: &self.typed,
            published: self.published.as_ref(),
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
        match &self.published {
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

    /// What it does: the doc comment of the argument struct, or the text given in its place.
    pub fn description(&self) -> &str {
        let documented = || self.schema().get("description").and_then(Value::as_str);
        self.description
            .as_deref()
            .or_else(documented)
            .unwrap_or("")
    }

    /// The JSON schema of the arguments, without the description of the function.
    pub fn arguments(&self) -> Value {
        let mut schema = self.schema().clone();
        if let Some(fields) = schema.as_object_mut() {
            fields.remove("description");
        }
        schema
    }

    /// The parameters: name to JSON schema.
    pub fn parameters(&self) -> Option<&Map<String, Value>> {
        self.schema().get("properties").and_then(Value::as_object)
    }

    /// Whether the parameter must be given.
    pub fn is_required(&self, parameter: &str) -> bool {
        let required = self.schema().get("required").and_then(Value::as_array);
        required.is_some_and(|names| names.iter().any(|name| name == parameter))
    }

    /// The JSON schema of the result; none for a function that answers with content blocks.
    pub fn result(&self) -> Option<&Value> {
        self.output.as_ref()
    }

    /// The name for people.
    pub fn display_title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The groups it belongs to.
    pub fn groups(&self) -> &[Cow<'static, str>] {
        &self.tags
    }

    /// The GET path, below `/api`.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// Every GET path, below `/api`.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.path.iter().chain(&self.aliases).map(AsRef::as_ref)
    }

    /// The POST path beside the one of its name, below `/api`.
    pub fn post_path(&self) -> Option<&str> {
        self.post_path.as_deref()
    }

    /// The method and the path, below `/api`, under which listings show it.
    pub fn place(&self) -> Option<(&'static str, &str)> {
        let get = self.path().map(|path| ("GET", path));
        get.or(self.post_path().map(|path| ("POST", path)))
    }

    /// The protocols it answers on: `mcp`, `rest`.
    pub fn protocols(&self) -> Vec<&'static str> {
        [("mcp", self.mcp), ("rest", self.rest)]
            .into_iter()
            .filter(|it| it.1)
            .map(|it| it.0)
            .collect()
    }

    /// Whether MCP clients see it.
    pub fn on_mcp(&self) -> bool {
        self.mcp
    }

    /// Whether it has REST paths.
    pub fn on_rest(&self) -> bool {
        self.rest
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

    /// Whether its calls may go on as tasks.
    pub fn may_detach(&self) -> bool {
        self.may_detach
    }

    pub(super) fn schema(&self) -> &Value {
        self.published.as_ref().unwrap_or(&self.input)
    }
}

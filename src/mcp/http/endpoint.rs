//! The MCP protocol of one application: what it stands on, and how it ends.

use std::sync::Arc;

use crate::aws::invoke::Invoker;
use crate::config::Config;
use crate::context::Context;
use crate::context::updates::{Update, Updates};
use crate::error::Result;
use crate::http::origin::AllowedOrigins;
use crate::mcp::call::execution::Executor;
use crate::mcp::call::pending::PendingRequests;
use crate::mcp::call::request_state::StateCipher;
use crate::mcp::call::shutdown::Shutdown;
use crate::mcp::call::task::Tasks;
use crate::mcp::methods::lists::{self, List};
use crate::mcp::methods::rendered::Rendered;
use crate::registry::{Info, Registry};
use crate::store::Store;

/// The MCP protocol of one application, with one registry. When the application changes what it offers, another one
/// shares all else with it.
pub struct Endpoint {
    pub(super) registry: Arc<Registry>,
    pub(super) rendered: Rendered,
    pub(super) origins: AllowedOrigins,
    /// What runs the functions.
    pub(super) executor: Executor,
    /// Where changes are told.
    pub(super) updates: Arc<Updates>,
    shutdown: Shutdown,
}

/// What an [`Endpoint`] stands on.
pub(crate) struct Dependencies<'a> {
    /// The functions.
    pub registry: Arc<Registry>,
    /// How the server introduces itself.
    pub info: &'a Info,
    /// Entries on one page of a list, at least 1.
    pub page_size: usize,
    /// The browser pages that may call.
    pub origins: AllowedOrigins,
    /// The settings of the process.
    pub config: &'a Config,
    /// What it shares with other processes.
    pub store: Store,
    /// How calls go on in a process that is frozen between requests, if they can.
    pub invoker: Option<Arc<Invoker>>,
    /// Where changes are told.
    pub updates: Arc<Updates>,
    /// Whether the application may change what it offers.
    pub may_change: bool,
}

/// Gives the endpoint with the current registry: a connection asks for it with each message.
pub(crate) type CurrentEndpoint = Arc<dyn Fn() -> Arc<Endpoint> + Send + Sync>;

impl Endpoint {
    /// The protocol of that registry. Processes that share the store and the keys go on with each other's calls.
    pub(crate) fn new(dependencies: Dependencies<'_>) -> Endpoint {
        let Dependencies {
            registry,
            info,
            page_size,
            origins,
            config,
            store,
            invoker,
            updates,
            may_change,
        } = dependencies;
        let mut tools = registry.tools().iter();
        let may_detach = may_change || tools.any(|tool| tool.on_mcp() && tool.may_detach());
        // A process that is frozen between requests continues a task only by invoking itself.
        let has_tasks = may_detach && (!config.is_frozen() || invoker.is_some());
        let shutdown = Shutdown::new();
        let rendered = Rendered::new(
            registry.clone(),
            info,
            page_size,
            updates.clone(),
            has_tasks,
            may_change,
        );
        let executor = Executor {
            registry: registry.clone(),
            server: rendered.server().to_owned(),
            cipher: Arc::new(StateCipher::new(&config.state_keys)),
            pending_requests: PendingRequests::new(
                store.clone(),
                config.input_timeout,
                shutdown.clone(),
            ),
            tasks: has_tasks.then(|| Tasks {
                store,
                limit: config.task_timeout,
                invoker,
                shutdown: shutdown.clone(),
            }),
        };
        Endpoint {
            registry,
            rendered,
            origins,
            executor,
            updates,
            shutdown,
        }
    }

    /// The same protocol with another registry.
    pub(crate) fn with(&self, registry: Arc<Registry>) -> Endpoint {
        Endpoint {
            rendered: self.rendered.with(registry.clone()),
            executor: self.executor.with(registry.clone()),
            registry,
            origins: self.origins.clone(),
            updates: self.updates.clone(),
            shutdown: self.shutdown.clone(),
        }
    }

    /// Announces to the clients that listen which lists are other ones than those of the `old` endpoint.
    pub(crate) fn announce_changes(&self, old: &Endpoint) {
        for (lists, update) in [
            (&[List::Tools][..], Update::Tools),
            (&[List::Resources, List::Templates], Update::Resources),
            (&[List::Prompts], Update::Prompts),
        ] {
            let mut lists = lists.iter();
            if self.updates.has(update.topic())
                && lists.any(|it| lists::differ(&old.registry, &self.registry, *it))
            {
                self.updates.publish(update);
            }
        }
    }

    /// Goes on with a task that another invocation began, to its end. A second invocation for the same one does nothing.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn resume(&self, id: &str, cx: &Context) -> Result<()> {
        self.executor.resume(id, cx).await
    }

    /// The process is to end: questions to clients of 2025 are given up, no call becomes a task any more, and the tasks
    /// of this process have a moment to end.
    pub(crate) fn close(&self) {
        self.shutdown.begin();
    }

    /// Ready when no question waits and no task runs in this process.
    pub(crate) async fn closed(&self) {
        self.shutdown.is_over().await;
    }
}

//! The MCP endpoint of one application: its dependencies, and its shutdown.

use std::sync::{Arc, LazyLock};

use quick_cache::sync::Cache;

use crate::aws::invoke::Invoker;
use crate::config::Config;
use crate::context::Context;
use crate::context::cipher::StateCipher;
use crate::context::updates::{Update, Updates};
use crate::error::Result;
use crate::http::origin::AllowedOrigins;
use crate::mcp::call::execution::Executor;
use crate::mcp::call::pending::PendingRequests;
use crate::mcp::call::shutdown::Shutdown;
use crate::mcp::call::task::Tasks;
use crate::mcp::methods::lists::{self, List};
use crate::mcp::methods::rendered::Rendered;
use crate::registry::{Info, Registry, SearchRule};
use crate::store::Store;

/// How many different sets of functions are kept as lists.
const MOST_LISTS: usize = 64;

/// The MCP endpoint of one application with one registry. After a change of the catalog a new endpoint shares
/// everything but the registry.
pub struct Endpoint {
    pub(super) registry: Arc<Registry>,
    pub(super) rendered: Rendered,
    pub(super) origins: AllowedOrigins,
    /// Runs the functions.
    pub(super) executor: Executor,
    /// Publishes changes to subscribed clients.
    pub(super) updates: Arc<Updates>,
    /// The lists for callers who see only what they may call, by what they see.
    pub(super) personal: LazyLock<Cache<u64, Arc<Rendered>>>,
    /// When a search is shown instead of the list of tools; never without it.
    pub(super) search: Option<SearchRule>,
}

/// The dependencies of an [`Endpoint`].
pub(crate) struct Dependencies {
    /// The name, version and description of the server.
    pub info: Info,
    /// The number of entries on one page of a list, at least 1.
    pub page_size: usize,
    /// The origins of web pages that may send requests.
    pub origins: AllowedOrigins,
    /// The settings of the process.
    pub config: Arc<Config>,
    /// Encrypts what clients keep.
    pub cipher: Arc<StateCipher>,
    /// The store that all processes share.
    pub store: Store,
    /// Invokes the function again to continue a task, where the process is frozen between requests.
    pub invoker: Option<Arc<Invoker>>,
    /// Publishes changes to subscribed clients.
    pub updates: Arc<Updates>,
    /// Whether the catalog may change at run time.
    pub may_change: bool,
    /// When a search is shown instead of the list of tools.
    pub search: Option<SearchRule>,
    /// The end of the process.
    pub shutdown: Shutdown,
}

/// Returns the endpoint with the current registry. A connection calls it for each message.
pub(crate) type CurrentEndpoint = Arc<dyn Fn() -> Arc<Endpoint> + Send + Sync>;

impl Endpoint {
    /// Builds the endpoint. Processes with the same store and keys can continue each other's calls.
    pub(crate) fn new(registry: Arc<Registry>, dependencies: Dependencies) -> Endpoint {
        let Dependencies {
            info,
            page_size,
            origins,
            config,
            cipher,
            store,
            invoker,
            updates,
            may_change,
            search,
            shutdown,
        } = dependencies;
        let mut tools = registry.tools().iter();
        let may_detach = may_change || tools.any(|tool| tool.on_mcp() && tool.may_detach());
        // A process that is frozen between requests continues a task only by invoking itself.
        let has_tasks = may_detach && (!config.is_frozen() || invoker.is_some());
        let rendered = Rendered::new(
            registry.clone(),
            &info,
            page_size,
            updates.clone(),
            has_tasks,
            may_change,
        );
        let executor = Executor {
            registry: registry.clone(),
            server: rendered.server().to_owned(),
            cipher,
            pending_requests: PendingRequests::new(
                store.clone(),
                config.input_timeout,
                shutdown.clone(),
            ),
            tasks: has_tasks.then(|| Tasks {
                store,
                limit: config.task_timeout,
                invoker,
                shutdown,
            }),
        };
        Endpoint {
            registry,
            rendered,
            origins,
            executor,
            updates,
            personal: personal_lists(),
            search,
        }
    }

    /// The same endpoint with another registry.
    pub(crate) fn with(&self, registry: Arc<Registry>) -> Endpoint {
        Endpoint {
            rendered: self.rendered.with(registry.clone()),
            executor: self.executor.with(registry.clone()),
            registry,
            origins: self.origins.clone(),
            updates: self.updates.clone(),
            personal: personal_lists(),
            search: self.search.clone(),
        }
    }

    /// Announces the lists that differ from those of the `old` endpoint to subscribed clients.
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

    /// Runs a task that another invocation created, until it ends. A duplicate invocation does nothing.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) async fn resume(&self, id: &str, cx: &Context) -> Result<()> {
        self.executor.resume(id, cx).await
    }
}

/// Made for the first caller that gets its own: the cache counts the processors, for which it reads files.
fn personal_lists() -> LazyLock<Cache<u64, Arc<Rendered>>> {
    LazyLock::new(|| Cache::new(MOST_LISTS))
}

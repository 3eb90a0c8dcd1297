//! What an application offers now, and how that changes while it runs.

use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::snapshot::Snapshot;
use crate::context::updates::{Topic, Updates};
use crate::error::Error;
use crate::providers::search;
use crate::registry::{Functions, Prompt, Registry, Resource, SearchRule, Tool};

/// The tools, resources and prompts of a running application. Cheap to clone: all clones are the same catalog.
///
/// An application that declares [`Server::changing_catalog`](crate::Server::changing_catalog) can change it at any time,
/// from outside ([`App::catalog`](crate::App::catalog)) or in a function (`cx.state::<Catalog>()`). A change replaces
/// the catalog as a whole: a request sees all of it or nothing, because it keeps the catalog that it began with to its
/// end. So the call of a tool that is removed meanwhile ends as if nothing had happened. The cursor of a page of a list
/// that has changed is refused.
///
/// ```
/// use bifold::{App, Config, Server, Tool};
///
/// let app = App::new(Config::default(), Server::new("greeter", "1.0.0").changing_catalog())?;
/// for (language, greeting) in [("english", "Hello"), ("german", "Hallo")] {
///     let tool = Tool::new(format!("greet_{language}"), move || greeting.to_owned());
///     let tool = tool.describe("Tells the greeting of one language.");
///     app.catalog().change(|functions| functions.add_tool(tool))?;
/// }
/// assert_eq!(app.catalog().current().tools().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Catalog(Arc<Shared>);

struct Shared {
    /// The first one is made when it is needed: a cold start does not wait for it.
    current: LazyLock<ArcSwap<Snapshot>, Box<dyn FnOnce() -> ArcSwap<Snapshot> + Send>>,
    /// Changes are made one after the other, so that none of them is lost.
    changing: Mutex<()>,
    updates: Arc<Updates>,
    may_change: bool,
    /// When clients are shown a search instead of the list of tools.
    search: Option<SearchRule>,
    /// Whether routes are made only when they are first asked for.
    is_frozen: bool,
}

/// A change that was refused, with a line for every reason. The catalog is as it was. `Debug` prints the same as
/// `Display`.
pub struct CatalogError(Vec<String>);

impl Catalog {
    /// The catalog of an application that starts with `first`. A frozen process makes it at the first request.
    pub(super) fn new(
        first: impl FnOnce() -> Snapshot + Send + 'static,
        updates: Arc<Updates>,
        may_change: bool,
        search: Option<SearchRule>,
        is_frozen: bool,
    ) -> Catalog {
        let shared = Shared {
            current: LazyLock::new(Box::new(|| ArcSwap::from_pointee(first()))),
            changing: Mutex::new(()),
            updates,
            may_change,
            search,
            is_frozen,
        };
        if !is_frozen {
            shared.prepare(&shared.current.load());
        }
        Catalog(Arc::new(shared))
    }

    /// What a request that begins now works with.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.0.current.load_full()
    }

    /// The functions that are offered now. What is returned does not change.
    pub fn current(&self) -> Arc<Registry> {
        self.0.current.load().registry.clone()
    }

    /// Changes what is offered. `change` gets a copy of the present functions; only what it adds is checked by itself,
    /// and all is checked together, as at the start. It must not change the catalog in another way.
    ///
    /// Clients that listen are told which of the MCP lists are other ones now.
    ///
    /// # Errors
    /// The application does not declare a catalog that changes, or a line for everything that is wrong. Nothing is
    /// changed then.
    pub fn change(&self, change: impl FnOnce(&mut Functions)) -> Result<(), CatalogError> {
        if !self.0.may_change {
            let problem = "the catalog of this application does not change: \
                           declare `Server::changing_catalog` at start";
            return Err(CatalogError(vec![problem.to_owned()]));
        }
        // A change that panicked has changed nothing.
        let _changing = self
            .0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let old = self.snapshot();
        let mut functions = old.registry.functions().clone();
        change(&mut functions);
        if let Some(rule) = &self.0.search {
            search::settle(&mut functions, rule).map_err(|it| CatalogError(vec![it]))?;
        }
        let registry = old.registry.changed(functions).map_err(CatalogError)?;
        let new = Arc::new(old.with(registry));
        self.0.prepare(&new);
        self.0.current.store(new.clone());
        new.endpoint.announce_changes(&old.endpoint);
        Ok(())
    }

    /// Offers these tools instead of all present ones.
    ///
    /// # Errors
    /// As [`Catalog::change`].
    pub fn replace_tools(&self, tools: Vec<Tool>) -> Result<(), CatalogError> {
        self.change(|functions| functions.tools = shared(tools))
    }

    /// Offers these resources instead of all present ones.
    ///
    /// # Errors
    /// As [`Catalog::change`].
    pub fn replace_resources(&self, resources: Vec<Resource>) -> Result<(), CatalogError> {
        self.change(|functions| functions.resources = shared(resources))
    }

    /// Offers these prompts instead of all present ones.
    ///
    /// # Errors
    /// As [`Catalog::change`].
    pub fn replace_prompts(&self, prompts: Vec<Prompt>) -> Result<(), CatalogError> {
        self.change(|functions| functions.prompts = shared(prompts))
    }
}

impl Shared {
    /// Makes ready what must not fail or wait once requests use it.
    fn prepare(&self, snapshot: &Snapshot) {
        if !self.is_frozen {
            snapshot.router();
        }
        if self.updates.has(Topic::Contents) {
            let resources = snapshot.registry.resources().iter();
            let listed = resources.filter(|it| it.is_listed() && !it.is_template());
            self.updates
                .list(listed.map(|it| it.uri().to_owned()).collect());
        }
    }
}

fn shared<T>(list: Vec<T>) -> Vec<Arc<T>> {
    list.into_iter().map(Arc::new).collect()
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl fmt::Debug for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for CatalogError {}

impl From<CatalogError> for Error {
    fn from(refused: CatalogError) -> Error {
        Error::failed(refused.to_string())
    }
}

//! The page of a list that a call asks for.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::Context;
use super::scope::Scope;
use crate::error::{Error, Result};

/// The page that a call asks for, in the function of a tool that declares [`Tool::pages`](crate::Tool::pages).
///
/// ```
/// use bifold::{Context, JsonSchema, Paged, Result, Tool};
/// use serde::Serialize;
///
/// #[derive(Serialize, JsonSchema)]
/// struct Numbers {
///     numbers: Vec<u32>,
///     total: u32,
/// }
///
/// async fn numbers(cx: Context) -> Result<Paged<Numbers>> {
///     let page = cx.page()?;
///     let first: u32 = page.position()?.unwrap_or(0);
///     let end = first.saturating_add(page.limit()).min(1000);
///     let numbers = (first..end).collect();
///     let next = (end < 1000).then_some(end);
///     Ok(Paged::new(Numbers { numbers, total: 1000 }, next))
/// }
///
/// let tool = Tool::new("numbers", numbers)
///     .describe("All numbers below 1000.")
///     .pages("numbers", 50, 200)
///     .get("/numbers");
/// ```
#[derive(Debug)]
pub struct Page {
    limit: u32,
    position: Option<Box<RawValue>>,
}

impl Page {
    pub(crate) fn new(limit: u32, position: Option<Box<RawValue>>) -> Page {
        Page { limit, position }
    }

    /// The maximum number of items that the function should answer with.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Where the page begins: the position that the function gave with the page before, in its own type; `None` for the
    /// first page. A client can neither read nor change it.
    ///
    /// # Errors
    /// `InvalidArgument` where it has another type, as one of an earlier version of the function may have.
    pub fn position<P: DeserializeOwned>(&self) -> Result<Option<P>> {
        let read = |raw: &RawValue| serde_json::from_str(raw.get());
        let position = self.position.as_deref().map(read).transpose();
        position.map_err(|error| {
            let problem =
                "is of another version of this function: leave it out to begin with the first page";
            Error::invalid_argument("cursor", problem).with_source(error)
        })
    }
}

impl Context {
    /// The page that the call asks for.
    ///
    /// # Errors
    /// `Internal` where the tool of the function does not declare [`Tool::pages`](crate::Tool::pages).
    pub fn page(&self) -> Result<&Page> {
        let missing = || {
            Error::internal("a page was asked for by a function whose tool declares no `.pages(…)`")
        };
        self.page.as_deref().ok_or_else(missing)
    }

    /// The context of a function of whose result only a part is sent and charged.
    pub(crate) fn with_page(self, page: Option<Page>) -> Context {
        let scope = Scope {
            is_cut_later: true,
            ..self.scope
        };
        Context {
            page: page.map(Arc::new),
            scope,
            ..self
        }
    }

    /// Encrypts what clients keep for the application.
    pub(crate) fn cipher(&self) -> &super::cipher::StateCipher {
        &self.services.cipher
    }
}

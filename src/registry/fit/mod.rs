//! Answers that fit: a page of a list, the fields that a caller selects, and a limit in bytes.
//!
//! A tool declares once what its callers may ask for. From that come the arguments `fields`, `limit`, `cursor` and
//! `max_bytes` with their schemas, and the schema of the result. The function gives its result as always, and the part
//! that is asked for is cut from its encoded form.

mod arguments;
mod cursor;
mod cut;
mod paged;
mod problems;
mod published;
mod run;
mod scan;
mod selection;
mod text;

use std::borrow::Cow;
use std::sync::{LazyLock, OnceLock};

use serde_json::Value;

use super::output::Output;
use super::tool::Tool;
use crate::schema::{self, Rules};

use arguments::Given;
pub use paged::Paged;
pub(super) use problems::problems;

/// What the callers of a tool may ask for, and what follows from it.
pub(super) struct Fit {
    list: Option<List>,
    selects: bool,
    trims: bool,
    /// The schemas of the arguments that are made here.
    own: LazyLock<Value>,
    typed: LazyLock<Value>,
    extras: OnceLock<(Value, Rules)>,
    input: OnceLock<Value>,
    output: OnceLock<Output>,
}

/// The list that is given page by page.
struct List {
    /// Its field in the result.
    name: Cow<'static, str>,
    /// The items of a page where the caller does not say; all of them without it.
    default: Option<u32>,
    most: u32,
}

impl Fit {
    fn new() -> Fit {
        Fit {
            list: None,
            selects: false,
            trims: false,
            own: LazyLock::new(schema::input::<Given>),
            typed: LazyLock::new(schema::typed::<Given>),
            extras: OnceLock::new(),
            input: OnceLock::new(),
            output: OnceLock::new(),
        }
    }

    /// Removes what was made of an earlier declaration.
    pub(super) fn forget(&mut self) {
        self.extras = OnceLock::new();
        self.input = OnceLock::new();
        self.output = OnceLock::new();
    }

    /// Whether it gives a list page by page.
    fn is_paged(&self) -> bool {
        self.list.is_some()
    }
}

impl Tool {
    /// Gives the list in the field `list` of the result page by page, on every protocol: the tool has the arguments
    /// `limit` (1 to `most`; `default`, or all items where that is `None`), `cursor`, and `max_bytes`, the most bytes of
    /// a result, beyond which whole items are left out. The result has `next_cursor`, null at the end, and, where
    /// `max_bytes` has left items out, `truncated` with `shown`, `total` and `next_cursor`. On REST a `Link` header names
    /// the next page too.
    ///
    /// A function that returns [`Paged`] makes the page itself, by [`Context::page`](crate::Context::page). Of any other
    /// function the result is the whole list, which is cut.
    ///
    /// ```
    /// use bifold::{JsonSchema, Tool};
    /// use serde::Serialize;
    ///
    /// #[derive(Serialize, JsonSchema)]
    /// struct Planets {
    ///     planets: Vec<&'static str>,
    /// }
    ///
    /// fn planets() -> Planets {
    ///     Planets { planets: vec!["Mercury", "Venus", "Earth", "Mars"] }
    /// }
    ///
    /// let tool = Tool::new("planets", planets)
    ///     .describe("The inner planets.")
    ///     .pages("planets", None, 100);
    /// ```
    pub fn pages(
        mut self,
        list: impl Into<Cow<'static, str>>,
        default: impl Into<Option<u32>>,
        most: u32,
    ) -> Tool {
        self.fit_mut().list = Some(List {
            name: list.into(),
            default: default.into(),
            most,
        });
        self
    }

    /// Lets callers select the fields of the result with the argument `fields`: paths with commas between them, such as
    /// `total,markets.symbol`. Lists are looked into. `total`, `incomplete`, `next_cursor` and `truncated` stay. The
    /// published schema of the result then requires no field, because any may be left out.
    pub fn selects(mut self) -> Tool {
        self.fit_mut().selects = true;
        self
    }

    /// For a function that answers with text: callers may say with `max_bytes` how many bytes of a result they want,
    /// beyond which whole lines are left out and a note says so.
    pub fn trims(mut self) -> Tool {
        self.fit_mut().trims = true;
        self
    }

    /// Whether it gives a list page by page.
    pub(crate) fn is_paged(&self) -> bool {
        self.fit.as_ref().is_some_and(|fit| fit.is_paged())
    }

    fn fit_mut(&mut self) -> &mut Fit {
        let fit = self.fit.get_or_insert_with(|| Box::new(Fit::new()));
        fit.forget();
        fit
    }
}

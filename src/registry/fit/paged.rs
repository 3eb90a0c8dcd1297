//! A page of a list, as a function returns it.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::registry::answer::Answer;
use crate::registry::output::{IntoAnswer, Output};

/// A result with one page of a list, and where the next page begins: for the function of a tool that declares
/// [`Tool::pages`](crate::Tool::pages). [`Context::page`](crate::Context::page) has an example.
#[derive(Debug)]
pub struct Paged<T> {
    result: T,
    next: Result<Option<Box<RawValue>>, serde_json::Error>,
}

impl<T> Paged<T> {
    /// The page, and the position of the next one, in a type of the function's own; `None` for the last page. The position
    /// comes back with [`Page::position`](crate::Page::position).
    pub fn new<P: Serialize>(result: T, next: Option<P>) -> Paged<T> {
        let next = next.map(|it| to_raw_value(&it)).transpose();
        Paged { result, next }
    }
}

impl<T: IntoAnswer> IntoAnswer for Paged<T> {
    fn output() -> Output {
        Output {
            is_page: true,
            ..T::output()
        }
    }

    fn into_answer(self, cx: &Context) -> Result<Answer> {
        let next = self.next.map_err(|error| {
            Error::internal("the position of the next page could not be encoded").with_source(error)
        })?;
        Ok(self.result.into_answer(cx)?.with_page(next))
    }
}

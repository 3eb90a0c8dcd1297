//! Whole lists of the explorer: the first page says how many there are, and the others are read at once.

use futures_util::future::join_all;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::amount::Coin;
use super::number::Integer;
use super::upstreams::explorer;
use crate::context::Context;
use crate::error::{Error, Result};

/// A list of the explorer: its path, what else its query says (with `&`), and how many rows a page has.
pub(super) struct List<'a> {
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) count: u32,
    /// The maximum number of pages that are read.
    pub(super) most: u32,
}

/// The rows of all pages that could be read.
pub(super) struct Rows<T> {
    pub(super) rows: Vec<T>,
    /// The number of rows that the explorer tells.
    pub(super) total: Option<Integer>,
    pub(super) rollup: Option<Rollup>,
    /// Why there are not all rows.
    pub(super) missing: Option<Error>,
}

/// One page of the explorer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<T> {
    pub(super) pages: Option<Integer>,
    pub(super) results: Vec<T>,
    total: Option<Integer>,
    rollup_totals: Option<Rollup>,
}

/// Sums over all pages.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rollup {
    pub(super) bonded_total: Option<Coin>,
}

impl List<'_> {
    /// Reads the list. Without its first page there is none; of the others those that fail are missing.
    pub(super) async fn read<T: DeserializeOwned>(&self, cx: &Context) -> Result<Rows<T>> {
        let cx = cx.in_sequence();
        let first: Page<T> = self.page(&cx, 1).await?;
        let pages = first.pages.map_or(1, |it| it.0);
        let last = u32::try_from(pages).unwrap_or(u32::MAX);
        let others = (2..=last.min(self.most)).map(|number| self.page::<T>(&cx, number));
        let mut list = Rows {
            rows: first.results,
            total: first.total,
            rollup: first.rollup_totals,
            missing: None,
        };
        for page in join_all(others).await {
            match page {
                Ok(page) => list.rows.extend(page.results),
                Err(error) => {
                    list.missing.get_or_insert(error);
                }
            }
        }
        if last > self.most {
            let problem = format!("only the first {} rows were read", self.count * self.most);
            list.missing.get_or_insert(Error::failed(problem));
        }
        Ok(list)
    }

    /// Reads one page.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        cx: &Context,
        number: u32,
    ) -> Result<Page<T>> {
        let path = format!(
            "{}?count={}&page={number}{}",
            self.path, self.count, self.query
        );
        explorer(cx, &path).await
    }
}

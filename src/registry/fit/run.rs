//! A call of a tool whose callers may ask for a part of its result.

use std::sync::OnceLock;

use serde_json::value::RawValue;

use super::Fit;
use super::arguments::Given;
use super::cursor::{Binding, Start};
use super::cut::{Budget, Cursors, Cut};
use super::selection::Selection;
use super::text;
use crate::context::encode::raw_of;
use crate::context::{Context, Page, Protocol};
use crate::error::{Error, Result};
use crate::registry::answer::Answer;
use crate::registry::output::IntoAnswer;
use crate::registry::tool::Tool;

impl Fit {
    /// Runs the function, and cuts the part from its result that is asked for.
    ///
    /// # Errors
    /// `InvalidArgument` before the function runs, and what the function fails with.
    pub(in crate::registry) async fn run(
        &self,
        tool: &Tool,
        cx: Context,
        arguments: &str,
    ) -> Result<Answer> {
        let split = self.split(tool, arguments)?;
        let given = self.given(&split, cx.reads_texts())?;
        let selection = self.selection(tool, &given)?;
        let kept = OnceLock::new();
        let binding = || kept.get_or_init(|| Binding::new(tool.name(), &split.own, &cx));
        let start = match &given.cursor {
            Some(cursor) => binding().open(cursor, &cx)?,
            None => Start::default(),
        };
        let called = cx.clone().with_page(self.page(&given, &start));
        let mut answer = tool.run_whole(called, &split.own).await?;
        let page = answer.take_page();
        let is_whole = page.is_none();
        let next = page.flatten();
        let cut = Cut {
            list: self.list.as_ref().map(|it| &*it.name),
            selection: selection.as_ref(),
            skip: start.skipped,
            limit: self.limit(&given),
            budget: self.budget(&given, &cx),
        };
        let next = next.as_deref().map(|it| binding().seal(0, Some(it), &cx));
        let cursors = Cursors {
            behind: &|items| binding().seal(items, start.position.as_deref(), &cx),
            next: next.transpose()?,
            is_whole,
        };
        let (json, next) = self.cut(answer.json(), &cut, cursors)?;
        let answer = match json {
            Some(json) => answer.with_json(raw_of(json)?),
            None => answer,
        };
        // The part is charged to the request, and not the whole.
        Ok(answer.into_answer(&cx)?.with_next(next))
    }

    fn selection(&self, tool: &Tool, given: &Given) -> Result<Option<Selection>> {
        let Some(fields) = &given.fields else {
            return Ok(None);
        };
        let schema = tool.result().ok_or_else(|| {
            Error::internal("fields were selected of a result that has no schema")
        })?;
        Selection::parse(fields, schema).map(Some)
    }

    /// The page that the function is asked for: items of it that an earlier answer has shown come again.
    fn page(&self, given: &Given, start: &Start) -> Option<Page> {
        let list = self.list.as_ref()?;
        let limit = given.limit.or(list.default).unwrap_or(list.most);
        let skipped = u32::try_from(start.skipped).unwrap_or(u32::MAX);
        let limit = limit.saturating_add(skipped).min(list.most);
        Some(Page::new(limit, start.position.clone()))
    }

    fn limit(&self, given: &Given) -> Option<usize> {
        let list = self.list.as_ref()?;
        given.limit.or(list.default).map(|it| it as usize)
    }

    /// The most bytes of the result: the caller's, or else those of the settings for the answers of MCP.
    fn budget(&self, given: &Given, cx: &Context) -> Option<Budget> {
        if let Some(bytes) = given.max_bytes {
            let is_strict = true;
            return Some(Budget { bytes, is_strict });
        }
        let bytes = cx.config().mcp_max_bytes;
        let is_meant = self.names().any(|it| it == "max_bytes");
        let is_default =
            bytes > 0 && is_meant && cx.protocol() == Some(Protocol::Mcp) && !cx.answers_function();
        is_default.then_some(Budget {
            bytes,
            is_strict: false,
        })
    }

    /// The part of the result, `None` where it is the whole, and the cursor of the next page.
    fn cut(
        &self,
        json: &RawValue,
        cut: &Cut<'_>,
        cursors: Cursors<'_>,
    ) -> Result<(Option<String>, Option<String>)> {
        let json = json.get();
        if let Some(budget) = cut.budget.filter(|_| self.trims) {
            return Ok((text::cut(json, budget.bytes), None));
        }
        if !json.starts_with('{') {
            return Ok((cut.selected(json), None));
        }
        if !cut.is_idle(json, cursors.is_whole) {
            let (json, next) = cut.apply(json, cursors)?;
            return Ok((Some(json), next));
        }
        Ok((cut.ended(json), None))
    }
}

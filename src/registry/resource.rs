//! A document that agents read by its URI: a fixed one, or one for each value of a template's variables.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::annotations::Annotations;
use super::completion::{Completer, Completers};
use super::tool::Tool;
use crate::context::Context;
use crate::error::Result;

/// A function that answers `resources/read`, with its URI.
///
/// The function is one like any tool's: its argument struct's fields are the variables of the URI, its doc comment is
/// the description. A structured result is read as JSON, [`Content`](crate::Content) as the text or bytes in it.
pub struct Resource {
    uri: Cow<'static, str>,
    mime_type: Cow<'static, str>,
    function: Tool,
    completers: Completers,
    annotations: Option<Annotations>,
    bytes: Option<u64>,
    /// For a resource that no list has: which URIs are its own.
    owns: Option<Box<Owns>>,
}

type Owns = dyn Fn(&str) -> bool + Send + Sync;

impl Resource {
    /// A document at `uri`, e.g. `wallet://{wallet_address}/summary`; a URI with variables in braces is a template
    /// (RFC 6570, level 1). The tool gives the name, the icons, the `_meta` and the function; its paths are not used.
    pub fn new(
        uri: impl Into<Cow<'static, str>>,
        mime_type: impl Into<Cow<'static, str>>,
        function: Tool,
    ) -> Resource {
        Resource {
            uri: uri.into(),
            mime_type: mime_type.into(),
            function,
            completers: Completers::default(),
            annotations: None,
            bytes: None,
            owns: None,
        }
    }

    /// Proposes values of a variable: those that may follow from what is typed so far.
    pub fn complete<F, Fut>(
        mut self,
        variable: impl Into<Cow<'static, str>>,
        propose: F,
    ) -> Resource
    where
        F: Fn(Context, String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<String>>> + Send + 'static,
    {
        self.completers
            .add(variable.into(), Completer::new(propose));
        self
    }

    /// States in lists the audience and the importance of the document.
    pub fn annotate(mut self, annotations: Annotations) -> Resource {
        self.annotations = Some(annotations);
        self
    }

    /// States in lists the number of bytes of the document, if it is known and constant.
    pub fn size(mut self, bytes: u64) -> Resource {
        self.bytes = Some(bytes);
        self
    }

    /// Leaves it out of the lists. It is read at every URI for which `owns` is true.
    pub(crate) fn unlisted(
        mut self,
        owns: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Resource {
        self.owns = Some(Box::new(owns));
        self
    }

    /// Whether the lists have it.
    pub(crate) fn is_listed(&self) -> bool {
        self.owns.is_none()
    }

    /// The URI, with its variables in braces.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The media type of what is read.
    pub fn mime_type(&self) -> &str {
        &self.mime_type
    }

    /// The function that is read.
    pub fn function(&self) -> &Tool {
        &self.function
    }

    /// Whether the URI has variables.
    pub fn is_template(&self) -> bool {
        self.uri.contains('{')
    }

    /// The audience and the importance of the document.
    pub fn annotations(&self) -> Option<&Annotations> {
        self.annotations.as_ref()
    }

    /// The size of the document in bytes, if it is constant.
    pub fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    pub(crate) fn completers(&self) -> &Completers {
        &self.completers
    }

    /// The variables of the URI.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        let parts = self.uri.split('{').skip(1);
        parts.filter_map(|part| part.split_once('}').map(|it| it.0))
    }

    /// The arguments, a JSON object, if `uri` is the URI of this resource or matches its template.
    pub fn matches(&self, uri: &str) -> Option<String> {
        if self.function.is_dynamic() {
            return self.matches_foreign(uri);
        }
        let mut arguments = Map::new();
        let mut rest = uri;
        let mut pattern = self.uri();
        while let Some((literal, after)) = pattern.split_once('{') {
            let (variable, tail) = after.split_once('}')?;
            rest = rest.strip_prefix(literal)?;
            // A variable ends where the text after it begins, and never reaches over a slash.
            let end = rest.find('/').unwrap_or(rest.len());
            let (value, after_value) = rest.split_at(end);
            let value: Cow<'_, str> = percent_decode_str(value).decode_utf8().ok()?;
            if value.is_empty() {
                return None;
            }
            arguments.insert(variable.to_owned(), Value::from(value.into_owned()));
            (rest, pattern) = (after_value, tail);
        }
        (rest == pattern).then(|| Value::Object(arguments).to_string())
    }

    /// The arguments of a function that gets the URI itself. Which URIs a template of another server takes is for that
    /// server to say; here the text before its first variable decides.
    fn matches_foreign(&self, uri: &str) -> Option<String> {
        let is_own = match (&self.owns, self.uri.split_once('{')) {
            (Some(owns), _) => owns(uri),
            (None, Some((start, _))) => !start.is_empty() && uri.starts_with(start),
            (None, None) => uri == self.uri,
        };
        is_own.then(|| Value::Object(Map::from_iter([("uri".to_owned(), uri.into())])).to_string())
    }
}

//! Makes the tools and the upstreams of an import, and says what becomes of each operation.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::import::{Given, Import, Source};
use super::library::Library;
use super::names;
use super::outline::{Entry, Outline};
use super::plan::{Common, Plan, list, plan};
use super::security::{Access, Security};
use super::servers::Bases;
use super::tool::tool;
use crate::config::{Config, Secret};
use crate::error::suggestion;
use crate::registry::Tool;
use crate::upstream::{SecretRef, Upstream};

/// The most operations that are imported without being named.
pub(super) const MAX_UNNAMED: usize = 40;

/// The most upstreams of one import: one for each base URL and each scheme of credentials.
const MAX_UPSTREAMS: usize = 32;

/// What an import becomes.
pub(crate) struct Loaded {
    pub(crate) tools: Vec<Tool>,
    pub(crate) upstreams: Vec<Upstream>,
    /// What becomes of each operation that was to be imported.
    pub(super) rows: Vec<Row>,
    /// The document is imported as a whole though it is long.
    pub(crate) is_long: bool,
}

/// What becomes of one operation.
pub(super) struct Row {
    pub(super) label: String,
    /// The name of its tool, and what differs from the document; or why it is left out.
    pub(super) outcome: Result<(String, Vec<String>), String>,
}

/// The upstreams of an import, by base URL and scheme.
struct Upstreams<'i> {
    import: &'i Import,
    name: &'i str,
    found: BTreeMap<(String, Option<String>), Arc<Upstream>>,
    order: Vec<Arc<Upstream>>,
}

/// Reads the document of an import.
///
/// # Errors
/// What is wrong with the document as a whole, or with the declaration of the import.
pub(crate) fn load(import: &Import, config: &Config) -> Result<Loaded, String> {
    let shown = import.shown();
    read(import, config, false).map_err(|problem| format!("import {shown}: {problem}"))
}

/// As [`load`]; for a table of all operations, however many they are and wherever the API is.
pub(super) fn read(import: &Import, config: &Config, is_check: bool) -> Result<Loaded, String> {
    let name = name_of(import)?;
    check_prefix(&import.prefix)?;
    let library = match &import.source {
        Source::File(path) => Library::open(path)?,
        Source::Text(text) => Library::of_text(text)?,
    };
    let outline = Outline::of(&library, &import.prefix)?;
    let chosen = chosen(import, &outline.entries, is_check)?;
    let security = Security::of(&library, outline.version, import)?;
    let texts = |name: &str| list(&serde_json::json!({ name: library.top(name) }), name).unwrap_or_default();
    let common = Common {
        version: outline.version,
        consumes: texts("consumes"),
        produces: texts("produces"),
    };
    let bases = Bases {
        base_url: import.base_url.as_deref(),
        document_url: import.document_url.as_deref(),
        variables: &import.server_variables,
    };
    // A setting is the URL of the API whatever the document says.
    let is_set = config.upstream_urls.contains_key(&name);
    let base = bases.common(&library, outline.version);
    let base = if is_set || is_check { base.or_else(|_| Ok("https://api.invalid".to_owned())) } else { base };
    let secrets: Arc<[Secret]> = secrets(import, config).into();
    let mut upstreams = Upstreams {
        import,
        name: &name,
        found: BTreeMap::new(),
        order: Vec::new(),
    };
    let mut loaded = Loaded {
        tools: Vec::new(),
        upstreams: Vec::new(),
        rows: Vec::new(),
        is_long: import.allow.is_empty() && chosen.len() > MAX_UNNAMED,
    };
    for entry in chosen {
        let made = plan(&library, &common, entry).and_then(|mut plan| {
            let access = security.access(&plan)?;
            let mut scheme = None;
            match access {
                Access::Open => {}
                Access::Missing(schemes) => plan.notes.push(format!("no credentials for {schemes}")),
                Access::With(name) => {
                    security.hide(&name, &mut plan);
                    scheme = Some(name);
                }
            }
            let base = match &plan.servers {
                Some(servers) => bases.own(servers).or_else(|_| base.clone())?,
                None => base.clone()?,
            };
            let credentials = scheme.as_deref().and_then(|it| security.credentials(it));
            if credentials.is_some() && !is_safe(&base) && !is_set {
                return Err(format!("its credentials would be sent to `{base}` unencrypted; give an https URL"));
            }
            check_path(&plan)?;
            let upstream = upstreams.of(base, scheme.as_deref(), credentials)?;
            Ok((plan, upstream))
        });
        let outcome = match made {
            Ok((plan, upstream)) => {
                let row = (plan.name.clone(), plan.notes.clone());
                loaded.tools.push(tool(plan, &name, upstream, secrets.clone()));
                Ok(row)
            }
            Err(problem) => Err(problem),
        };
        loaded.rows.push(Row {
            label: entry.label(),
            outcome,
        });
    }
    // Every operation fails for the same reason then.
    if let (true, Err(problem)) = (loaded.tools.is_empty() && !loaded.rows.is_empty(), &base) {
        return Err(problem.clone());
    }
    loaded.upstreams = upstreams.order.iter().map(|it| (**it).clone()).collect();
    Ok(loaded)
}

impl Loaded {
    /// A line for each operation that was left out.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = String> {
        let rows = self.rows.iter();
        rows.filter_map(|it| Some(format!("`{}`: {}", it.label, it.outcome.as_ref().err()?)))
    }
}

impl Upstreams<'_> {
    fn of(
        &mut self,
        base: String,
        scheme: Option<&str>,
        credentials: Option<&crate::upstream::Credentials>,
    ) -> Result<Arc<Upstream>, String> {
        let key = (base, scheme.map(str::to_owned));
        if let Some(known) = self.found.get(&key) {
            return Ok(known.clone());
        }
        if self.order.len() == MAX_UPSTREAMS {
            return Err(format!("the API has more than {MAX_UPSTREAMS} servers"));
        }
        let name = match self.order.len() {
            0 => self.name.to_owned(),
            more => format!("{}_{}", self.name, more + 1),
        };
        let mut upstream = Upstream::named(name, key.0.clone()).cache_for(self.import.cache);
        // What one path of an API does to it says little of the others.
        upstream = upstream.classes_with(|path| {
            let first = path.split(['/', '?']).find(|it| !it.is_empty());
            first.unwrap_or_default().to_owned().into()
        });
        if let Some(in_flight) = self.import.in_flight {
            upstream = upstream.in_flight(in_flight);
        }
        if let Some(credentials) = credentials {
            upstream = upstream.credentials(credentials.clone());
        }
        let upstream = Arc::new(upstream);
        self.order.push(upstream.clone());
        self.found.insert(key, upstream.clone());
        Ok(upstream)
    }
}

/// The operations that are imported.
fn chosen<'e>(import: &Import, entries: &'e [Entry], is_check: bool) -> Result<Vec<&'e Entry>, String> {
    if entries.is_empty() {
        return Err("it has no operations".to_owned());
    }
    if import.allow.is_empty() {
        if entries.len() > MAX_UNNAMED && !import.allow_all && !is_check {
            return Err(format!(
                "it has {} operations, more than {MAX_UNNAMED}: name those that are needed with `allow`, or import them all with `allow_all`, which shows clients a search instead of the list",
                entries.len()
            ));
        }
        return Ok(entries.iter().collect());
    }
    let mut chosen: Vec<&Entry> = Vec::new();
    for wanted in &import.allow {
        let is_it = |it: &&Entry| it.id.as_deref() == Some(wanted) || it.name == *wanted || it.label() == *wanted;
        let found: Vec<&Entry> = entries.iter().filter(is_it).collect();
        if found.is_empty() {
            let names = entries.iter().map(|it| it.id.as_deref().unwrap_or(&it.name));
            let hint = suggestion::hint(&suggestion::closest(wanted, names));
            return Err(format!("it has no operation `{wanted}`{hint}"));
        }
        for entry in found {
            if !chosen.iter().any(|it| std::ptr::eq(*it, entry)) {
                chosen.push(entry);
            }
        }
    }
    Ok(chosen)
}

/// A path to which a base URL can be put.
fn check_path(plan: &Plan) -> Result<(), String> {
    let path = &plan.call.path;
    let braces = path.matches('{').count();
    let is_good = path.starts_with('/')
        && !path.contains(['#', '\\'])
        && path.bytes().all(|it| it.is_ascii_graphic())
        && braces == path.matches('}').count()
        && braces == super::plan::variables(path).len();
    match is_good {
        true => Ok(()),
        false => Err("its path has characters that a URL does not take there".to_owned()),
    }
}

fn name_of(import: &Import) -> Result<String, String> {
    let from_file = match &import.source {
        Source::File(path) => path.file_stem().and_then(|it| it.to_str()).map(names::snake),
        Source::Text(_) => None,
    };
    let name = import.name.clone().or(from_file);
    let is_word = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_';
    let name = name.filter(|it| it.starts_with(|it: char| it.is_ascii_lowercase()) && it.bytes().all(is_word) && it.len() <= 40);
    name.ok_or_else(|| {
        "it needs a name of at most 40 lower case letters, digits and `_`, with a letter first: give one with `name`".to_owned()
    })
}

fn check_prefix(prefix: &str) -> Result<(), String> {
    let is_letter = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-');
    match prefix.len() <= 20 && prefix.bytes().all(is_letter) {
        true => Ok(()),
        false => Err(format!("its prefix `{prefix}` is not at most 20 letters, digits, `_` and `-`")),
    }
}

/// Whether nobody between can read what is sent to the URL.
fn is_safe(url: &str) -> bool {
    let rest = url.strip_prefix("http://");
    let host = rest.map(|it| it.split(['/', '?']).next().unwrap_or_default());
    let host = host.map(|it| it.rsplit_once(':').filter(|it| !it.1.contains(']')).map_or(it, |it| it.0));
    url.starts_with("https://") || host.is_some_and(|it| matches!(it, "127.0.0.1" | "localhost" | "[::1]"))
}

/// The secrets that are known at start.
fn secrets(import: &Import, config: &Config) -> Vec<Secret> {
    let known = |secret: &SecretRef| match secret {
        SecretRef::Variable(name) => {
            let given = config.secrets.get(&**name).cloned();
            given.or_else(|| std::env::var(&**name).ok().map(Secret::new))
        }
        SecretRef::Value(secret) => Some(secret.clone()),
        _ => None,
    };
    let all = import.credentials.values().flat_map(|given| match given {
        Given::Key(key) => vec![key],
        Given::Basic(user, password) => vec![user, password],
        Given::Client { id, secret, .. } => vec![id, secret],
    });
    all.filter_map(known).collect()
}

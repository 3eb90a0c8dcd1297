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
use crate::upstream::{SecretRef, Upstream, keeps_secrets};

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

/// A base URL, and the scheme of the credentials that are sent there.
type Place = (String, Option<String>);

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
    let texts = |name: &str| {
        list(&serde_json::json!({ name: library.top(name) }), name).unwrap_or_default()
    };
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
    let set = config
        .upstream_urls
        .get(&name)
        .map(|it| it.trim_end_matches('/').to_owned());
    let base = match set.clone() {
        // A setting is the URL of the API whatever the document says.
        Some(url) => Ok(url),
        None => bases.common(&library, outline.version),
    };
    let base = if is_check {
        base.or_else(|_| Ok("https://api.invalid".to_owned()))
    } else {
        base
    };
    let mut rows = Vec::new();
    let mut planned: Vec<(Plan, Place)> = Vec::new();
    let is_long = import.allow.is_empty() && chosen.len() > MAX_UNNAMED;
    for entry in chosen {
        let made = plan(&library, &common, entry).and_then(|mut plan| {
            let scheme = scheme_of(&security, &mut plan)?;
            let base = match &plan.servers {
                Some(servers) if set.is_none() => bases.own(servers).or_else(|_| base.clone())?,
                _ => base.clone()?,
            };
            if scheme.is_some() && !keeps_secrets(&base) {
                return Err(
                    "its credentials would be sent to a server unencrypted; give an https URL"
                        .to_owned(),
                );
            }
            check_path(&plan)?;
            Ok((plan, (base, scheme)))
        });
        let outcome = made.map(|(plan, place)| {
            let row = (plan.name.clone(), plan.notes.clone());
            planned.push((plan, place));
            row
        });
        rows.push(Row {
            label: entry.label(),
            outcome,
        });
    }
    // Every operation fails for the same reason then.
    if let (true, Err(problem)) = (planned.is_empty(), &base) {
        return Err(problem.clone());
    }
    let upstreams = upstreams(import, &name, &security, planned.iter().map(|it| &it.1))?;
    let secrets: Arc<[Secret]> = secrets(import, config).into();
    let tools = planned
        .into_iter()
        .map(|(plan, place)| tool(plan, &name, upstreams[&place].clone(), secrets.clone()));
    Ok(Loaded {
        tools: tools.collect(),
        upstreams: upstreams.values().map(|it| (**it).clone()).collect(),
        rows,
        is_long,
    })
}

/// The scheme with whose credentials an operation is called.
fn scheme_of(security: &Security, plan: &mut Plan) -> Result<Option<String>, String> {
    match security.access(plan)? {
        Access::Open => Ok(None),
        Access::Missing(schemes) => {
            plan.notes.push(format!("no credentials for {schemes}"));
            Ok(None)
        }
        Access::With(name) => {
            security.hide(&name, plan);
            Ok(Some(name))
        }
    }
}

/// The upstreams of an import, of which the one with most operations has its name.
fn upstreams<'p>(
    import: &Import,
    name: &str,
    security: &Security,
    places: impl Iterator<Item = &'p Place>,
) -> Result<BTreeMap<Place, Arc<Upstream>>, String> {
    let mut counts: BTreeMap<&Place, usize> = BTreeMap::new();
    for place in places {
        *counts.entry(place).or_default() += 1;
    }
    if counts.len() > MAX_UPSTREAMS {
        return Err(format!("its API has more than {MAX_UPSTREAMS} servers"));
    }
    let mut order: Vec<(&Place, usize)> = counts.into_iter().collect();
    // Of several with as many, one that is called with credentials.
    order.sort_by_key(|it| std::cmp::Reverse((it.1, it.0.1.is_some())));
    let order = order.into_iter().map(|it| it.0).enumerate();
    let upstreams = order.map(|(index, place)| {
        let name = match index {
            0 => name.to_owned(),
            more => format!("{name}_{}", more + 1),
        };
        let mut upstream = Upstream::named(name, place.0.clone()).cache_for(import.cache);
        // What happens to one part of an API says little of the others.
        upstream = upstream.classes_with(|path| {
            let first = path.split(['/', '?']).find(|it| !it.is_empty());
            first.unwrap_or_default().to_owned().into()
        });
        if let Some(in_flight) = import.in_flight {
            upstream = upstream.in_flight(in_flight);
        }
        if let Some(credentials) = place.1.as_ref().and_then(|it| security.credentials(it)) {
            upstream = upstream.credentials(credentials.clone());
        }
        (place.clone(), Arc::new(upstream))
    });
    Ok(upstreams.collect())
}

impl Loaded {
    /// A line for each operation that was left out.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = String> {
        let rows = self.rows.iter();
        rows.filter_map(|it| Some(format!("`{}`: {}", it.label, it.outcome.as_ref().err()?)))
    }
}

/// The operations that are imported.
fn chosen<'e>(
    import: &Import,
    entries: &'e [Entry],
    is_check: bool,
) -> Result<Vec<&'e Entry>, String> {
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
        let is_it = |it: &&Entry| {
            it.id.as_deref() == Some(wanted) || it.name == *wanted || it.label() == *wanted
        };
        let found: Vec<&Entry> = entries.iter().filter(is_it).collect();
        if found.is_empty() {
            let names = entries
                .iter()
                .map(|it| it.id.as_deref().unwrap_or(&it.name));
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
        Source::File(path) => path
            .file_stem()
            .and_then(|it| it.to_str())
            .map(names::snake),
        Source::Text(_) => None,
    };
    let name = import.name.clone().or(from_file);
    let is_word = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_';
    let name = name.filter(|it| {
        it.starts_with(|it: char| it.is_ascii_lowercase())
            && it.bytes().all(is_word)
            && it.len() <= 40
    });
    name.ok_or_else(|| {
        "it needs a name of at most 40 lower case letters, digits and `_`, with a letter first: give one with `name`".to_owned()
    })
}

fn check_prefix(prefix: &str) -> Result<(), String> {
    let is_letter = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-');
    match prefix.len() <= 20 && prefix.bytes().all(is_letter) {
        true => Ok(()),
        false => Err(format!(
            "its prefix `{prefix}` is not at most 20 letters, digits, `_` and `-`"
        )),
    }
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

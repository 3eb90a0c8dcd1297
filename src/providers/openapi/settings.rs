//! The file of `BIFOLD_OPENAPI`: a list of imports.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::document::Document;
use super::import::{Given, Import};
use crate::error::excerpt::said;
use crate::error::json_path;
use crate::upstream::{CachePolicy, SecretRef};

/// The largest file.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    imports: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    file: String,
    name: Option<String>,
    #[serde(default)]
    prefix: String,
    base_url: Option<String>,
    document_url: Option<String>,
    #[serde(default)]
    server_variables: BTreeMap<String, String>,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    allow_all: bool,
    #[serde(default)]
    credentials: BTreeMap<String, Secrets>,
    cache_seconds: Option<u64>,
    in_flight: Option<usize>,
}

/// Names of environment variables.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Secrets {
    key: Option<String>,
    user: Option<String>,
    password: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    token_url: Option<String>,
    #[serde(default)]
    scopes: String,
}

/// Reads the list of imports. Paths in it are relative to its folder.
///
/// # Errors
/// What is wrong, with its place in the file.
pub(crate) fn read(path: &str) -> Result<Vec<Import>, String> {
    let failed = |problem: String| format!("`BIFOLD_OPENAPI`, `{path}`: {problem}");
    let unread = |error: std::io::Error| failed(format!("it cannot be read: {error}"));
    let length = std::fs::metadata(path).map_err(unread)?.len();
    if length > MAX_BYTES {
        return Err(failed(format!("it has more than {MAX_BYTES} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(unread)?;
    imports(text, Path::new(path)).map_err(failed)
}

/// Whether a file is a list of imports.
#[cfg(feature = "cli")]
pub(super) fn is_list(document: &Document) -> bool {
    document.field(document.root(), "imports").is_some()
}

fn imports(text: String, path: &Path) -> Result<Vec<Import>, String> {
    let document = Document::read(text)?;
    let json = document.text(document.root());
    let file: File = json_path::decode(json).map_err(|error| {
        let problem = said(&error);
        match json_path::path::<File>(json, &error).as_str() {
            "" => problem,
            path => format!("at `{path}`: {problem}"),
        }
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let entries = file.imports.into_iter().enumerate();
    let imports = entries.map(|(place, entry)| {
        import(entry, folder)
            .map_err(|(field, problem)| format!("at `imports[{place}].{field}`: {problem}"))
    });
    imports.collect()
}

fn import(entry: Entry, folder: &Path) -> Result<Import, (String, String)> {
    let mut import = Import::file(folder.join(&entry.file))
        .prefix(entry.prefix)
        .allow(entry.allow);
    import.name = entry.name;
    import.base_url = entry.base_url;
    import.document_url = entry.document_url;
    import.server_variables = entry.server_variables;
    import.allow_all = entry.allow_all;
    import.in_flight = entry.in_flight;
    if let Some(seconds) = entry.cache_seconds {
        import.cache = CachePolicy {
            fresh: Duration::from_secs(seconds),
            ..CachePolicy::NONE
        };
    }
    for (scheme, secrets) in entry.credentials {
        let given = given(secrets).map_err(|problem| (format!("credentials.{scheme}"), problem))?;
        import.credentials.insert(scheme, given);
    }
    Ok(import)
}

fn given(secrets: Secrets) -> Result<Given, String> {
    let Secrets {
        key,
        user,
        password,
        client_id,
        client_secret,
        token_url,
        scopes,
    } = secrets;
    let is_client = token_url.is_some() || !scopes.is_empty();
    match (key, user, password, client_id, client_secret) {
        (Some(key), None, None, None, None) if !is_client => Ok(Given::Key(variable(key)?)),
        (None, Some(user), Some(password), None, None) if !is_client => {
            Ok(Given::Basic(variable(user)?, variable(password)?))
        }
        (None, None, None, Some(id), Some(secret)) => Ok(Given::Client {
            id: variable(id)?,
            secret: variable(secret)?,
            token_url,
            scopes,
        }),
        _ => Err(
            "give `key`, or `user` and `password`, or `client_id` and `client_secret`, each the name of an environment variable"
                .to_owned(),
        ),
    }
}

/// The secret in a variable. A text that is not the name of a variable may be a secret, and is not repeated.
fn variable(name: String) -> Result<SecretRef, String> {
    let is_letter = |it: u8| it.is_ascii_uppercase() || it.is_ascii_digit() || it == b'_';
    match name.len() <= 100 && !name.is_empty() && name.bytes().all(is_letter) {
        true => Ok(SecretRef::Variable(name.into())),
        false => Err(
            "give the name of an environment variable that holds the secret, in upper case letters, digits and `_`; not the secret itself"
                .to_owned(),
        ),
    }
}

//! The file of mounted servers: the `mcpServers` object that MCP clients have in their settings, with `${VARIABLE}`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::mount::{Mount, Transport};
use super::mount_client::MountClient;
use crate::error::json_path;

/// The largest file.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    mcp_servers: Named<Entry>,
}

/// One server. Fields of clients that mean nothing here are refused like any other unknown one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    #[serde(default)]
    r#type: Option<Type>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    headers: Option<Named<String>>,
    #[serde(default)]
    oauth: Option<MountClient>,
    #[serde(default)]
    command: Option<String>,
    #[serde(default)]
    args: Option<Vec<String>>,
    #[serde(default)]
    env: Option<Named<String>>,
    #[serde(default)]
    cwd: Option<String>,
    #[serde(default)]
    disabled: bool,
    #[serde(default = "yes")]
    prefix: bool,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    tools: Option<Vec<String>>,
    #[serde(default)]
    shared: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Type {
    #[serde(alias = "streamable-http", alias = "streamableHttp")]
    Http,
    Stdio,
    Sse,
}

/// The fields of an object in their order; none may stand twice.
struct Named<T>(Vec<(String, T)>);

fn yes() -> bool {
    true
}

/// The mounted servers of the file at `path`. `variable` is asked for the values of variables.
///
/// # Errors
/// What is wrong, and where.
pub(super) fn read(
    path: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Mount>, String> {
    let text = bounded(path).map_err(|error| format!("`{path}`: {error}"))?;
    parse(&text, variable).map_err(|problem| format!("`{path}`: {problem}"))
}

fn bounded(path: &str) -> Result<String, String> {
    let size = std::fs::metadata(path)
        .map_err(|error| error.to_string())?
        .len();
    if size > MAX_BYTES {
        return Err(format!(
            "the file has {size} bytes, and {MAX_BYTES} are the most"
        ));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// The mounted servers of a file with this text.
pub(super) fn parse(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Mount>, String> {
    let file: File = json_path::decode(text).map_err(|error| {
        match json_path::path::<File>(text, &error).as_str() {
            "" => error.to_string(),
            path => format!("`{path}`: {error}"),
        }
    })?;
    let entries = file.mcp_servers.0.into_iter();
    let enabled = entries.filter(|(_, entry)| !entry.disabled);
    enabled
        .map(|(name, entry)| {
            let place = format!("mcpServers.{name}");
            let expand = |field: &str, text: String| expanded(&place, field, &text, variable);
            entry.mount(name, &place, &expand)
        })
        .collect()
}

impl Entry {
    fn mount(
        self,
        name: String,
        place: &str,
        expand: &dyn Fn(&str, String) -> Result<String, String>,
    ) -> Result<Mount, String> {
        let wrong = |problem: &str| Err(format!("`{place}`: {problem}"));
        let transport = match (self.url, self.command) {
            (Some(_), Some(_)) => return wrong("it has both `url` and `command`"),
            (None, None) => return wrong("it has neither `url` nor `command`"),
            (Some(_), None) if self.r#type == Some(Type::Sse) => {
                return wrong(
                    "the transport `sse` of 2024-11-05 is not supported: use the URL of its Streamable HTTP endpoint",
                );
            }
            (Some(_), None) if self.r#type == Some(Type::Stdio) => {
                return wrong("`url` needs the type `http`");
            }
            (None, Some(_)) if self.r#type.is_some_and(|it| it != Type::Stdio) => {
                return wrong("`command` needs the type `stdio`");
            }
            (Some(_), None) if self.args.is_some() || self.env.is_some() || self.cwd.is_some() => {
                return wrong("`args`, `env` and `cwd` need a `command`");
            }
            (None, Some(_)) if self.headers.is_some() || self.oauth.is_some() => {
                return wrong("`headers` and `oauth` need a `url`");
            }
            (Some(_), None) if self.shared => return wrong("`shared` needs a `command`"),
            (Some(url), None) => {
                let headers = self.headers.map_or(Vec::new(), |it| it.0);
                let headers = headers.into_iter().map(|(name, value)| {
                    let value = expand(&format!("headers.{name}"), value)?;
                    Ok((name, value))
                });
                let client = self.oauth.map(|it| it.expanded(expand)).transpose()?;
                Transport::Http {
                    url: expand("url", url)?,
                    headers: headers.collect::<Result<_, String>>()?,
                    client,
                }
            }
            (None, Some(command)) => {
                let args = self.args.unwrap_or_default().into_iter().enumerate();
                let args = args.map(|(index, it)| expand(&format!("args[{index}]"), it));
                let env = self.env.map_or(Vec::new(), |it| it.0).into_iter();
                let env = env.map(|(name, value)| {
                    let value = expand(&format!("env.{name}"), value)?;
                    Ok((name, value))
                });
                Transport::Stdio {
                    command: expand("command", command)?,
                    args: args.collect::<Result<_, String>>()?,
                    env: env.collect::<Result<BTreeMap<_, _>, String>>()?,
                    folder: self.cwd.map(|it| expand("cwd", it)).transpose()?,
                }
            }
        };
        let mut mount = Mount::new(name, transport).scopes(self.scopes);
        mount.has_prefix = self.prefix;
        mount.tools = self.tools;
        mount.is_shared = self.shared;
        Ok(mount)
    }
}

/// The text with the values of its variables: `${NAME}`, or `${NAME:-default}`.
fn expanded(
    place: &str,
    field: &str,
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((inner, tail)) = after.split_once('}') else {
            return Err(format!("`{place}.{field}`: `${{` has no `}}`"));
        };
        let (name, instead) = match inner.split_once(":-") {
            Some((name, instead)) => (name, Some(instead)),
            None => (inner, None),
        };
        let value = variable(name).or_else(|| instead.map(str::to_owned));
        let value =
            value.ok_or_else(|| format!("`{place}.{field}`: the variable `{name}` is not set"))?;
        whole.push_str(before);
        whole.push_str(&value);
        rest = tail;
    }
    whole.push_str(rest);
    Ok(whole)
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Named<T>, D::Error> {
        struct Fields<T>(std::marker::PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for Fields<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut entries: Vec<(String, T)> = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if entries.iter().any(|it| it.0 == name) {
                        let problem = format!("`{name}` is there twice");
                        return Err(serde::de::Error::custom(problem));
                    }
                    entries.push((name, map.next_value()?));
                }
                Ok(Named(entries))
            }
        }

        deserializer.deserialize_map(Fields(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<Mount>, String> {
        parse(text, &|name| (name == "TOKEN").then(|| "secret".to_owned()))
    }

    #[test]
    fn the_settings_of_mcp_clients_are_read_and_their_variables_replaced() {
        let text = r#"{ "mcpServers": {
            "files": { "command": "npx", "args": ["-y", "${NOTHING:-here}"], "env": { "KEY": "${TOKEN}" } },
            "weather": { "type": "http", "url": "https://example.com/mcp", "headers": { "Authorization": "Bearer ${TOKEN}" } },
            "crm": { "url": "https://example.com/crm", "oauth": { "tokenUrl": "https://example.com/token", "clientId": "it", "clientSecret": "${TOKEN}", "scope": "a b" } },
            "off": { "command": "x", "disabled": true }
        } }"#;
        let mounts = parsed(text).unwrap();
        let expected = [
            Mount::stdio("files", "npx")
                .args(["-y", "here"])
                .env("KEY", "secret"),
            Mount::http("weather", "https://example.com/mcp")
                .header("Authorization", "Bearer secret"),
            Mount::http("crm", "https://example.com/crm").client_credentials(
                "https://example.com/token",
                "it",
                "secret",
                "a b",
            ),
        ];
        assert_eq!(mounts.len(), expected.len());
        for (mount, expected) in mounts.iter().zip(&expected) {
            assert!(mount.is_same_peer(expected), "{}", mount.name());
            assert_eq!(mount.problem(false), None);
        }
    }

    #[test]
    fn whatever_is_wrong_with_it_is_said_with_its_place() {
        let cases = [
            ("{", "EOF"),
            ("{}", "missing field `mcpServers`"),
            (r#"{"mcpServers": {}} x"#, "trailing characters"),
            (
                r#"{"mcpServers": {"a": {"command": "x"}, "a": {"command": "y"}}}"#,
                "`a` is there twice",
            ),
            (
                r#"{"mcpServers": {"a": {"command": "x", "speed": 1}}}"#,
                "`mcpServers.a.speed`: unknown field `speed`",
            ),
            (
                r#"{"mcpServers": {"a": {}}}"#,
                "`mcpServers.a`: it has neither",
            ),
            (
                r#"{"mcpServers": {"a": {"command": "x", "url": "y"}}}"#,
                "`mcpServers.a`: it has both",
            ),
            (
                r#"{"mcpServers": {"a": {"type": "sse", "url": "y"}}}"#,
                "`mcpServers.a`: the transport `sse`",
            ),
            (
                r#"{"mcpServers": {"a": {"url": "y", "shared": true}}}"#,
                "`mcpServers.a`: `shared` needs a `command`",
            ),
            (
                r#"{"mcpServers": {"a": {"command": "x", "args": [1]}}}"#,
                "`mcpServers.a.args[0]`",
            ),
            (
                r#"{"mcpServers": {"a": {"url": "http://x", "headers": {"k": "${NOT_SET}"}}}}"#,
                "`mcpServers.a.headers.k`: the variable `NOT_SET` is not set",
            ),
            (
                r#"{"mcpServers": {"a": {"command": "${TOKEN"}}}"#,
                "has no `}`",
            ),
        ];
        for (text, problem) in cases {
            let said = parsed(text).err().unwrap_or_else(|| panic!("{text}"));
            assert!(said.contains(problem), "{text}: {said}");
        }
    }
}

//! The declaration of a mounted server: where it is, and what it is called here.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::mount_client::MountClient;

/// The most characters of the name of a mount, so that names of tools have room behind it.
const MAX_NAME: usize = 32;

/// Headers that the protocol sets itself.
const RESERVED: [&str; 8] = [
    "accept",
    "content-length",
    "content-type",
    "host",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
];

/// Another MCP server, whose tools, resources and prompts are offered with our own ([`Server::mount`](crate::Server::mount)).
///
/// The name of a tool is that of the mount, `_`, and its own name; on REST it is `POST /api/{mount}/{tool}`. A client's
/// credentials are never passed on: the mount has its own.
///
/// ```
/// use bifold::{Mount, Server};
///
/// let weather = Mount::http("weather", "https://weather.example.com/mcp").header("x-api-key", "from a secret store");
/// let files = Mount::stdio("files", "npx").args(["-y", "@modelcontextprotocol/server-filesystem", "/srv/files"]);
/// let server = Server::new("gateway", "1.0.0").mount(weather).mount(files);
/// ```
#[derive(Clone)]
pub struct Mount {
    pub(super) name: String,
    pub(super) transport: Transport,
    pub(super) has_prefix: bool,
    pub(super) scopes: Vec<String>,
    /// The tools that are offered, if not all are.
    pub(super) tools: Option<Vec<String>>,
}

/// How a server is reached. Two that are equal are the same server with the same credentials.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Transport {
    /// Streamable HTTP.
    Http {
        url: String,
        headers: Vec<(String, String)>,
        client: Option<MountClient>,
    },
    /// Standard input and output of a child process.
    Stdio {
        command: String,
        args: Vec<String>,
        env: BTreeMap<String, String>,
        folder: Option<String>,
    },
}

impl Mount {
    /// A server that is reached at `url`, over Streamable HTTP.
    pub fn http(name: impl Into<String>, url: impl Into<String>) -> Mount {
        Mount::new(
            name.into(),
            Transport::Http {
                url: url.into(),
                headers: Vec::new(),
                client: None,
            },
        )
    }

    /// A server that is started as a child process, and reached over its standard input and output. Not on Lambda. All
    /// callers share the process, so it must keep nothing that is for one of them only.
    pub fn stdio(name: impl Into<String>, command: impl Into<String>) -> Mount {
        Mount::new(
            name.into(),
            Transport::Stdio {
                command: command.into(),
                args: Vec::new(),
                env: BTreeMap::new(),
                folder: None,
            },
        )
    }

    pub(super) fn new(name: String, transport: Transport) -> Mount {
        Mount {
            name,
            transport,
            has_prefix: true,
            scopes: Vec::new(),
            tools: None,
        }
    }

    /// Sends a header with each request to a server that is reached over HTTP, such as a token of its own.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Mount {
        if let Transport::Http { headers, .. } = &mut self.transport {
            headers.push((name.into(), value.into()));
        }
        self
    }

    /// Sends an access token with each request to a server that is reached over HTTP. The mount gets it with an id and a
    /// secret of its own from the token endpoint of an authorization server (OAuth 2 client credentials), for these scopes,
    /// separated by spaces; it is renewed before it expires, and once after it was refused.
    pub fn client_credentials(
        mut self,
        token_url: impl Into<String>,
        id: impl Into<String>,
        secret: impl Into<String>,
        scopes: impl Into<String>,
    ) -> Mount {
        if let Transport::Http { client, .. } = &mut self.transport {
            *client = Some(MountClient {
                token_url: token_url.into(),
                client_id: id.into(),
                client_secret: secret.into(),
                scope: scopes.into(),
                audience: String::new(),
            });
        }
        self
    }

    /// Adds arguments to the command of a child process.
    pub fn args(mut self, more: impl IntoIterator<Item = impl Into<String>>) -> Mount {
        if let Transport::Stdio { args, .. } = &mut self.transport {
            args.extend(more.into_iter().map(Into::into));
        }
        self
    }

    /// Sets an environment variable of a child process. It has those of this process, except for the settings and secrets
    /// of this server: it gets `PATH`, `HOME`, `USER`, `LANG`, `TMPDIR` and the like, and what is set here.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Mount {
        if let Transport::Stdio { env, .. } = &mut self.transport {
            env.insert(name.into(), value.into());
        }
        self
    }

    /// The folder in which a child process works; without it, that of this process.
    pub fn folder(mut self, path: impl Into<String>) -> Mount {
        if let Transport::Stdio { folder, .. } = &mut self.transport {
            *folder = Some(path.into());
        }
        self
    }

    /// Offers tools, resources and prompts under their own names and URIs. A name that is taken is left out.
    pub fn without_prefix(mut self) -> Mount {
        self.has_prefix = false;
        self
    }

    /// Offers these tools of the server, by the names that it has for them, and no others.
    pub fn tools(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Mount {
        self.tools = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// The scopes that callers need for everything of this server.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Mount {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is wrong with the declaration.
    pub(crate) fn problem(&self, is_frozen: bool) -> Option<String> {
        let found = self.name_problem().or_else(|| match &self.transport {
            Transport::Http {
                url,
                headers,
                client,
            } => url_problem(url)
                .or_else(|| header_map(headers).err())
                .or_else(|| client.as_ref().and_then(|it| it.problem(headers))),
            Transport::Stdio { .. } if is_frozen => Some(
                "a process that is frozen between requests, as on Lambda, cannot have a child process: reach the server over HTTP"
                    .to_owned(),
            ),
            Transport::Stdio { command, .. } if command.is_empty() => {
                Some("its command is empty".to_owned())
            }
            Transport::Stdio { .. } if cfg!(not(unix)) => {
                Some("child processes are only supported on Unix".to_owned())
            }
            Transport::Stdio { .. } => None,
        });
        found.map(|problem| {
            format!(
                "mounted server `{}`: {problem}",
                super::wire::shown(&self.name)
            )
        })
    }

    fn name_problem(&self) -> Option<String> {
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let is_good = (1..=MAX_NAME).contains(&self.name.len())
            && self.name.bytes().all(is_legal)
            && self.name.as_bytes()[0].is_ascii_alphanumeric();
        (!is_good).then(|| {
            format!("its name must have 1 to {MAX_NAME} characters of `a-z`, `A-Z`, `0-9`, `_`, `-`, and begin with a letter or a digit")
        })
    }

    /// Whether the other declaration leads to the same connection.
    pub(super) fn is_same_peer(&self, other: &Mount) -> bool {
        self.transport == other.transport
            && self.name == other.name
            && self.has_prefix == other.has_prefix
            && self.scopes == other.scopes
            && self.tools == other.tools
    }
}

/// The headers of a server. An error does not repeat their values.
pub(super) fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let shown = super::wire::shown(name);
        let parsed = HeaderName::from_bytes(name.as_bytes());
        let name = parsed.map_err(|_| format!("`{shown}` is not a valid name of a header"))?;
        if RESERVED.contains(&name.as_str()) {
            return Err(format!("the header `{shown}` is set by the protocol"));
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            format!("the header `{shown}` has characters that a header cannot have")
        })?;
        value.set_sensitive(true);
        map.append(name, value);
    }
    Ok(map)
}

/// The URL is not repeated where it may hold a secret.
fn url_problem(url: &str) -> Option<String> {
    let Ok(parsed) = url.parse::<Uri>() else {
        return Some("its `url` is not a valid URL".to_owned());
    };
    let is_http = matches!(parsed.scheme_str(), Some("http" | "https"));
    let authority = parsed.authority().map_or("", |it| it.as_str());
    if !is_http || authority.is_empty() {
        return Some(
            "its `url` must begin with `https://` or `http://` and name a host".to_owned(),
        );
    }
    authority
        .contains('@')
        .then(|| "its `url` has a user name or a password; send a header instead".to_owned())
}

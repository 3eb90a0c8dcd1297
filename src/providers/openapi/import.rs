//! The declaration of an import: which document, where its API is, which operations, with which credentials.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::upstream::{CachePolicy, SecretRef};

/// An OpenAPI document whose operations become tools.
///
/// JSON or YAML, OpenAPI 3.0 and 3.1, Swagger 2.0. Each operation that is allowed is a tool, and a REST route
/// `POST /api/{name of the import}/{tool}`. Its calls are requests to an [`Upstream`](crate::upstream::Upstream) with the
/// name of the import. The document is read when the application is built; the network is asked only by calls.
///
/// ```no_run
/// use bifold::upstream::SecretRef;
/// use bifold::{Import, Server};
///
/// let petstore = Import::file("petstore.yaml")
///     .base_url("https://petstore.example.com/v1")
///     .allow(["listPets", "showPetById"])
///     .key("api_key", SecretRef::variable("PETSTORE_KEY"));
/// let server = Server::new("pets", "1.0.0").openapi(petstore);
/// ```
#[derive(Clone, Debug)]
pub struct Import {
    pub(super) source: Source,
    pub(super) name: Option<String>,
    pub(super) prefix: String,
    pub(super) base_url: Option<String>,
    pub(super) document_url: Option<String>,
    pub(super) server_variables: BTreeMap<String, String>,
    pub(super) allow: Vec<String>,
    pub(super) allow_all: bool,
    pub(super) credentials: BTreeMap<String, Given>,
    pub(super) cache: CachePolicy,
    pub(super) in_flight: Option<usize>,
}

/// Where the document is.
#[derive(Clone, Debug)]
pub(super) enum Source {
    File(PathBuf),
    Text(String),
}

/// The credentials of one security scheme; the document says where they stand in a request.
#[derive(Clone, Debug)]
pub(super) enum Given {
    Key(SecretRef),
    Basic(SecretRef, SecretRef),
    Client {
        id: SecretRef,
        secret: SecretRef,
        token_url: Option<String>,
        scopes: String,
    },
}

impl Import {
    /// The document in this file. Files beside it are read where it refers to them.
    pub fn file(path: impl AsRef<Path>) -> Import {
        Import::of(Source::File(path.as_ref().to_owned()))
    }

    /// The text of a document, for example of `include_str!`. Give it a [`name`](Import::name).
    pub fn text(document: impl Into<String>) -> Import {
        Import::of(Source::Text(document.into()))
    }

    fn of(source: Source) -> Import {
        Import {
            source,
            name: None,
            prefix: String::new(),
            base_url: None,
            document_url: None,
            server_variables: BTreeMap::new(),
            allow: Vec::new(),
            allow_all: false,
            credentials: BTreeMap::new(),
            cache: CachePolicy::NONE,
            in_flight: None,
        }
    }

    /// The name of the upstream, in lower case letters, digits and `_`; without one the name of the file.
    pub fn name(mut self, name: impl Into<String>) -> Import {
        self.name = Some(name.into());
        self
    }

    /// What the names of all its tools begin with, e.g. `petstore_`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Import {
        self.prefix = prefix.into();
        self
    }

    /// The base URL of the API, which wins over the servers of the document. `BIFOLD_<NAME>_URL` wins over both.
    pub fn base_url(mut self, url: impl Into<String>) -> Import {
        self.base_url = Some(url.into());
        self
    }

    /// Where the document is from: relative servers are relative to it. It is never asked.
    pub fn document_url(mut self, url: impl Into<String>) -> Import {
        self.document_url = Some(url.into());
        self
    }

    /// The value of a variable in the URLs of its servers.
    pub fn server_variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Import {
        self.server_variables.insert(name.into(), value.into());
        self
    }

    /// The operations to import, each by its `operationId`, by the name of its tool, or by method and path, e.g.
    /// `GET /pets`.
    pub fn allow(mut self, operations: impl IntoIterator<Item = impl Into<String>>) -> Import {
        self.allow.extend(operations.into_iter().map(Into::into));
        self
    }

    /// Imports every operation of a document with more than 40. MCP clients are then shown a search instead of the whole
    /// list.
    pub fn allow_all(mut self) -> Import {
        self.allow_all = true;
        self
    }

    /// The key or token of a security scheme: of type `apiKey`, `http` with `bearer`, `oauth2` or `openIdConnect`.
    pub fn key(mut self, scheme: impl Into<String>, key: SecretRef) -> Import {
        self.credentials.insert(scheme.into(), Given::Key(key));
        self
    }

    /// The user name and the password of a security scheme of type `http` with `basic`.
    pub fn basic(
        mut self,
        scheme: impl Into<String>,
        user: SecretRef,
        password: SecretRef,
    ) -> Import {
        self.credentials
            .insert(scheme.into(), Given::Basic(user, password));
        self
    }

    /// The client of a security scheme of type `oauth2`. The document names the URL of its tokens.
    pub fn client(mut self, scheme: impl Into<String>, id: SecretRef, secret: SecretRef) -> Import {
        let given = Given::Client {
            id,
            secret,
            token_url: None,
            scopes: String::new(),
        };
        self.credentials.insert(scheme.into(), given);
        self
    }

    /// How long responses to its GET requests are cached, for all callers; without it they are not.
    pub fn cache_for(mut self, policy: CachePolicy) -> Import {
        self.cache = policy;
        self
    }

    /// The most requests to the API at a time.
    pub fn in_flight(mut self, requests: usize) -> Import {
        self.in_flight = Some(requests);
        self
    }

    /// How messages name the document.
    pub(super) fn shown(&self) -> String {
        match &self.source {
            Source::File(path) => format!("`{}`", path.display()),
            Source::Text(_) => format!("`{}`", self.name.as_deref().unwrap_or("a text")),
        }
    }
}

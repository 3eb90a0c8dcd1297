//! A client whose responses are read part by part, for event streams that last.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode};
use reqwest::{Client, Request, Response, Url};

use super::answer;
use super::client::ClientSettings;
use super::credentials::{Authorizer, ClientCredentials, Credential, Credentials, Placement};
use super::shared_client::SharedClient;
use crate::clock::{Deadline, LastTime};
use crate::config::Config;
use crate::error::{Error, Result};

/// How long an access token may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that was idle for longer than this may have died without a sign, if the process was frozen meanwhile.
const QUIET: Duration = Duration::from_secs(30);

/// A client of one service, with its own connections. It tries once, and follows redirects to the same host.
pub struct StreamingClient {
    client: SharedClient,
    name: String,
    url: Url,
    authorizer: Option<Authorizer>,
    /// When the last response began, in a process that may be frozen between requests.
    answered: Option<LastTime>,
}

/// A response whose head has arrived.
pub struct Streaming {
    response: Response,
    name: String,
}

/// Why a request has no response.
pub struct Unsent {
    /// The error for the caller.
    pub error: Error,
    /// Whether no connection could be opened, so that the service has not seen the request.
    pub is_unseen: bool,
}

impl StreamingClient {
    /// A client of the service `name` at `url`, with an access token for each request if `token` says how to get one. It
    /// opens no connection yet.
    ///
    /// # Errors
    /// `Internal` if the settings cannot be used.
    pub fn new(
        config: &Config,
        name: &str,
        url: &str,
        token: Option<ClientCredentials>,
    ) -> Result<StreamingClient> {
        let settings = ClientSettings::new(config, [url].into_iter()).map_err(Error::internal)?;
        let url = url
            .parse()
            .map_err(|_| Error::internal(format!("the URL of `{name}` cannot be used")))?;
        let authorizer = |token| {
            let credentials = Credentials::client(token);
            let authorizer = Authorizer::new(name.to_owned().into(), &credentials, config, None);
            authorizer.map_err(|problem| Error::internal(format!("`{name}`: {problem}")))
        };
        Ok(StreamingClient {
            client: SharedClient::new(settings),
            name: name.to_owned(),
            url,
            authorizer: token.map(authorizer).transpose()?,
            answered: config.is_frozen().then(LastTime::now),
        })
    }

    /// Sends a request and waits for the head of its response, as long as the caller does. A token that is refused is
    /// renewed once.
    ///
    /// # Errors
    /// The service could not be reached, or broke the connection.
    pub async fn open(
        &self,
        method: Method,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Streaming, Unsent> {
        let mut request = Request::new(method, self.url.clone());
        *request.headers_mut() = headers;
        if !body.is_empty() {
            *request.body_mut() = Some(body.into());
        }
        let Some(authorizer) = &self.authorizer else {
            return self.execute(request).await;
        };
        let again = request.try_clone();
        let credential = self.authorize(authorizer, &mut request).await?;
        let response = self.execute(request).await?;
        match again {
            Some(mut again)
                if response.status() == StatusCode::UNAUTHORIZED
                    && authorizer.drop_refused(&credential) =>
            {
                self.authorize(authorizer, &mut again).await?;
                self.execute(again).await
            }
            _ => Ok(response),
        }
    }

    async fn authorize(
        &self,
        authorizer: &Authorizer,
        request: &mut Request,
    ) -> Result<Arc<Credential>, Unsent> {
        let found = authorizer.credential(Deadline::after(PATIENCE)).await;
        let credential = found.map_err(Unsent::before)?;
        // A token is always in a header.
        if let Placement::Header(name, value) = &credential.placement {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        Ok(credential)
    }

    async fn execute(&self, request: Request) -> Result<Streaming, Unsent> {
        let client = self.client().await.map_err(Unsent::before)?;
        match client.execute(request).await {
            Ok(response) => {
                self.hear();
                Ok(Streaming {
                    response,
                    name: self.name.clone(),
                })
            }
            Err(error) => Err(Unsent {
                is_unseen: error.is_connect(),
                error: answer::transport(&self.name, error),
            }),
        }
    }

    /// The client, with new connections if those that it has may be dead.
    async fn client(&self) -> Result<Arc<Client>> {
        let deadline = Deadline::after(PATIENCE);
        let client = self.client.client(deadline).await?;
        if !self.is_quiet() {
            return Ok(client);
        }
        self.client.replace(&client);
        self.hear();
        self.client.client(deadline).await
    }

    fn is_quiet(&self) -> bool {
        let answered = self.answered.as_ref();
        answered.is_some_and(|it| it.elapsed() > QUIET)
    }

    fn hear(&self) {
        if let Some(answered) = &self.answered {
            answered.renew();
        }
    }
}

impl Unsent {
    /// The failure of what comes before the request.
    fn before(error: Error) -> Unsent {
        Unsent {
            error,
            is_unseen: true,
        }
    }
}

impl Streaming {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next part of the body; `None` at its end.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        answer::chunk(&self.name, &mut self.response).await
    }

    /// All of the body, of at most `max_bytes`.
    ///
    /// # Errors
    /// The connection broke, or the body is larger.
    pub async fn read(&mut self, max_bytes: usize) -> Result<Bytes> {
        answer::read(&self.name, &mut self.response, max_bytes).await
    }

    /// The beginning of the body, as much as arrives soon.
    pub async fn beginning(&mut self, max_bytes: usize) -> Bytes {
        let mut body = BytesMut::from(&*answer::beginning(&mut self.response).await);
        body.truncate(max_bytes);
        body.freeze()
    }
}

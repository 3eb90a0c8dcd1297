//! A client whose responses are read part by part, for event streams that last.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode};
use reqwest::Response;

use super::client::ClientSettings;
use super::{answer, shared_client};
use crate::config::Config;
use crate::error::{Error, Result};

/// A client of one service, with its own connections. It tries once, and follows redirects to the same host.
pub struct StreamingClient {
    client: reqwest::Client,
    name: String,
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
    /// A client of the service `name` at `url`. It opens no connection yet.
    ///
    /// # Errors
    /// `Internal` if the settings cannot be used.
    pub fn new(config: &Config, name: &str, url: &str) -> Result<StreamingClient> {
        let settings = ClientSettings::new(config, [url].into_iter()).map_err(Error::internal)?;
        Ok(StreamingClient {
            client: shared_client::build(&settings)?,
            name: name.to_owned(),
        })
    }

    /// Sends a request and waits for the head of its response, as long as the caller does.
    ///
    /// # Errors
    /// The service could not be reached, or broke the connection.
    pub async fn open(&self, request: Request<Bytes>) -> Result<Streaming, Unsent> {
        let request = request.try_into().map_err(|error: reqwest::Error| Unsent {
            error: Error::internal(format!("the request to `{}` has an invalid URL", self.name))
                .with_source(error.without_url()),
            is_unseen: true,
        })?;
        match self.client.execute(request).await {
            Ok(response) => Ok(Streaming {
                response,
                name: self.name.clone(),
            }),
            Err(error) => Err(Unsent {
                is_unseen: error.is_connect(),
                error: answer::transport(&self.name, error),
            }),
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

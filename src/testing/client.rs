//! An in-process client of an application: it calls functions, and sends requests of both protocols without a socket.

use serde_json::Value;

use super::mcp_client::McpClient;
use super::rest_client::RestClient;
use crate::app::{App, Server, StartError};
use crate::config::Config;
use crate::error::{Error, Result};

/// An application under test, and the ways to call it. Cheap to clone.
///
/// ```
/// use bifold::prelude::*;
/// use bifold::serde_json::json;
/// use bifold::testing::Client;
///
/// /// Adds two numbers.
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Add {
///     /// The first number.
///     a: i64,
///     /// The second number.
///     b: i64,
/// }
///
/// #[derive(Serialize, JsonSchema)]
/// struct Sum {
///     sum: i64,
/// }
///
/// async fn add(_: Context, Add { a, b }: Add) -> Result<Sum> {
///     Ok(Sum { sum: a + b })
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
/// let server = Server::new("sums", "1.0.0").tools(vec![Tool::new("add", add).get("/add/{a}/{b}")]);
/// let client = Client::start(server).await?;
///
/// // The function alone.
/// assert_eq!(client.call("add", json!({"a": 1, "b": 2})).await?, json!({"sum": 3}));
/// // Over REST.
/// let response = client.rest().get("/api/add/1/2").await;
/// assert_eq!((response.status(), response.json()), (200, json!({"sum": 3})));
/// // Over MCP.
/// let result = client.mcp().call("add", json!({"a": 1, "b": 2})).await?;
/// assert_eq!(result.structured(), Some(&json!({"sum": 3})));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    app: App,
}

impl Client {
    /// Starts the application with the default settings, as the program does with its own.
    ///
    /// # Errors
    /// As [`App::start`].
    pub async fn start(server: Server) -> Result<Client, StartError> {
        Client::with(Config::default(), server).await
    }

    /// Starts the application with these settings: the URLs of fake upstreams, or a fixed time
    /// ([`Clock::Fixed`](crate::Clock::Fixed)).
    ///
    /// # Errors
    /// As [`App::start`].
    pub async fn with(config: Config, server: Server) -> Result<Client, StartError> {
        Ok(Client::of(App::start(config, server).await?))
    }

    /// A client of an application that is built already.
    pub fn of(app: App) -> Client {
        Client { app }
    }

    /// The application.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Calls a function without a protocol, and returns its result as JSON.
    ///
    /// # Errors
    /// The function's own error, or that of the call: `InvalidArgument`, `UnknownFunction`, and the others of
    /// [`Registry::call`](crate::Registry::call).
    pub async fn call(&self, name: &str, arguments: Value) -> Result<Value> {
        let answer = self.app.invoke(name, &arguments.to_string()).await?;
        serde_json::from_str(answer.json().get()).map_err(|error| {
            Error::internal("the result cannot be read as JSON").with_source(error)
        })
    }

    /// A client of the REST protocol.
    pub fn rest(&self) -> RestClient {
        RestClient::new(self.app.clone())
    }

    /// A client of the MCP protocol, revision 2026-07-28.
    pub fn mcp(&self) -> McpClient {
        McpClient::new(self.rest())
    }
}

//! Canned upstreams for tests of an application: they give fixed responses, and fail as planned.
//!
//! ```
//! use bifold::testing::{Canned, CannedUpstream};
//! use bifold::upstream::Upstream;
//! use bifold::{App, Config, Content, Context, JsonSchema, Result, Server, Tool};
//! use serde::Deserialize;
//! use serde_json::Value;
//!
//! const WEATHER: Upstream = Upstream::new("weather", "https://weather.example.com/v1");
//!
//! /// The current weather.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Weather {}
//!
//! async fn weather(cx: Context, Weather {}: Weather) -> Result<Content> {
//!     let current: Value = cx.get_json(&WEATHER, "/current").await?;
//!     Ok(Content::text(format!("{} °C", current["celsius"])))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! let upstream = CannedUpstream::start(|_target| Canned::json(r#"{"celsius": 21.5}"#)).await?;
//! let mut config = Config::default();
//! config.upstream_urls.insert("weather".to_owned(), upstream.url("weather"));
//!
//! let server = Server::new("weather", "1.0.0")
//!     .upstreams(&[WEATHER])
//!     .tools(vec![Tool::new("weather", weather).get("/weather")]);
//! let app = App::new(config, server)?;
//! let answer = app.invoke("weather", "{}").await?;
//! assert!(answer.json().get().contains("21.5 °C"));
//! assert_eq!(upstream.seen(), ["/weather/current"]);
//! # Ok(())
//! # }
//! ```

mod canned;
mod plan;
mod received;
mod routes;
mod upstream;

pub use canned::{Canned, Fault};
pub use plan::FaultPlan;
pub use received::Received;
pub use routes::{RouteBuilder, UpstreamBuilder, upstream};
pub use upstream::CannedUpstream;

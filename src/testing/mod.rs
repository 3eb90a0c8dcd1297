//! Canned upstreams for tests of an application: they give fixed responses, and fail as planned.
//!
//! ```
//! use bifold::testing::upstream;
//! use bifold::upstream::Upstream;
//! use bifold::{App, Config, Content, Context, JsonSchema, Result, Server, Tool};
//! use serde::Deserialize;
//! use serde_json::{Value, json};
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
//! let canned = upstream("weather").on_get("/current").json(json!({"celsius": 21.5})).start().await?;
//! let mut config = Config::default();
//! canned.configure(&mut config);
//!
//! let server = Server::new("weather", "1.0.0")
//!     .upstreams(&[WEATHER])
//!     .tools(vec![Tool::new("weather", weather).get("/weather")]);
//! let app = App::new(config, server)?;
//! let answer = app.invoke("weather", "{}").await?;
//! assert!(answer.json().get().contains("21.5 °C"));
//! assert_eq!(canned.count("GET", "/current"), 1);
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

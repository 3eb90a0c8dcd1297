//! A function over an HTTP API with a key: responses are cached, failures are tried again, and the tests need no network.
//!
//! ```sh
//! WEATHER_API_KEY=… cargo run --example weather
//! curl http://127.0.0.1:8787/api/weather/Berlin
//! ```

use std::time::Duration;

use bifold::prelude::*;
use bifold::upstream::{CachePolicy, Credentials, SecretRef, Upstream};

/// The API: its limits, how long its responses are kept, and where its key is.
const API: Upstream = Upstream::new("weather", "https://api.weather.example/v1")
    .rate(50, Duration::from_secs(60))
    .in_flight(4)
    .cache_for(CachePolicy::seconds(60, 600))
    .credentials(Credentials::header(
        "x-api-key",
        SecretRef::variable("WEATHER_API_KEY"),
    ));

/// The current weather in a city.
#[derive(Deserialize, JsonSchema)]
struct CurrentWeather {
    /// The name of the city.
    #[schemars(length(min = 1, max = 80))]
    city: String,
}

/// The weather at one time.
#[derive(Deserialize, Serialize, JsonSchema)]
struct Weather {
    /// The temperature in degrees Celsius.
    celsius: f64,
    /// The wind in metres per second.
    wind: f64,
}

async fn current_weather(cx: Context, CurrentWeather { city }: CurrentWeather) -> Result<Weather> {
    let request = cx.upstream(&API).get("/cities/{city}/current");
    request
        .path("city", city)
        .query("units", "metric")
        .json()
        .await
}

fn server() -> Server {
    Server::new("weather", "1.0.0")
        .description("The weather, for agents and programs.")
        .upstreams(&[API])
        .tool(
            Tool::new("current_weather", current_weather)
                .get("/weather/{city}")
                .read_only(),
        )
}

fn main() -> ExitCode {
    bifold::main(server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bifold::testing::{CannedUpstream, Client, upstream};
    use bifold::{Config, Secret};

    async fn client(upstream: &CannedUpstream) -> Client {
        let mut config = Config::default();
        config
            .secrets
            .insert("WEATHER_API_KEY".into(), Secret::new("key of a test"));
        upstream.configure(&mut config);
        Client::with(config, server())
            .await
            .expect("the registrations are right")
    }

    #[tokio::test]
    async fn the_city_is_asked_for_once_with_the_key() {
        let weather = json!({"celsius": 21.5, "wind": 3.0});
        let api = upstream("weather")
            .on_get("/cities/{city}/current")
            .json(&weather);
        let api = api.start().await.unwrap();
        let client = client(&api).await;
        let result = client
            .mcp()
            .call("current_weather", json!({"city": "São Paulo"}))
            .await
            .unwrap();
        assert_eq!(result.structured(), Some(&weather));
        let response = client.rest().get("/api/weather/S%C3%A3o%20Paulo").await;
        assert_eq!(response.json(), weather);
        let [request] = &api.received()[..] else {
            panic!("the second answer comes from the cache");
        };
        assert_eq!(request.header("x-api-key"), Some("key of a test"));
        assert_eq!(request.query("units"), Some("metric"));
    }

    #[tokio::test]
    async fn a_failure_that_passes_is_tried_again() {
        let path = "/cities/{city}/current";
        let api = upstream("weather").on_get(path).times(1).status(503);
        let api = api.on_get(path).json(json!({"celsius": 1.0, "wind": 2.0}));
        let api = api.start().await.unwrap();
        let weather = client(&api)
            .await
            .call("current_weather", json!({"city": "Oslo"}))
            .await;
        assert_eq!(weather.unwrap()["celsius"], 1.0);
        assert_eq!(api.received().len(), 2);
    }

    #[tokio::test]
    async fn an_unknown_city_is_not_found() {
        let api = upstream("weather")
            .on_get("/cities/{city}/current")
            .status(404);
        let api = api.start().await.unwrap();
        let rest = client(&api).await.rest();
        assert_eq!(rest.get("/api/weather/Atlantis").await.status(), 404);
    }
}

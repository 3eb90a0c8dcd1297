//! What operators see: traces that continue at upstreams, metrics in the log, spans at a collector.

mod metrics;
#[cfg(feature = "otel")]
mod spans;
mod trace;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use bifold::Config;
use http::{HeaderMap, StatusCode};
use tokio::net::TcpListener;

use crate::support::TestApp;

/// Statistics as the explorer gives them.
const STATS: &str =
    include_str!("../../src/provenance/replay/recorded/explorer_v3_utility_token_stats.json");

/// The function that requests them, and its path.
const FUNCTION: &str = "fetch_current_hash_statistics";
const PATH: &str = "/api/current_hash_statistics";

/// An explorer that records the headers of its requests; its first answers have another status.
struct Explorer {
    url: String,
    asked: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Explorer {
    async fn start(failures: Vec<StatusCode>) -> Explorer {
        let asked = Arc::<Mutex<Vec<HeaderMap>>>::default();
        let seen = asked.clone();
        let answer = move |request: Request| {
            let mut seen = seen.lock().unwrap();
            let status = failures.get(seen.len()).copied().unwrap_or(StatusCode::OK);
            seen.push(request.into_parts().0.headers);
            async move { (status, [("content-type", "application/json")], STATS) }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Explorer { url, asked }
    }

    /// The bundled functions with this explorer.
    async fn app(&self, change: impl FnOnce(&mut Config)) -> TestApp {
        TestApp::with(|config| {
            config
                .upstream_urls
                .insert("explorer".to_owned(), self.url.clone());
            change(config);
        })
        .await
    }

    /// The headers of the only request.
    fn only(&self) -> HeaderMap {
        let asked = self.asked.lock().unwrap();
        assert_eq!(asked.len(), 1);
        asked[0].clone()
    }
}

/// A header that may be absent.
fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

//! Applications that serve the bundled functions, each over a recorded upstream of its own.

use bifold::provenance::replay::Replay;
use bifold::{App, Config, provenance};

use super::TestApp;

impl TestApp {
    /// The bundled functions without cache, retries and breaker: each call sends its upstream requests once.
    pub async fn start() -> TestApp {
        TestApp::with(|_| {}).await
    }

    /// The same application with settings of the test.
    pub async fn with(change: impl FnOnce(&mut Config)) -> TestApp {
        TestApp::plane_with(|config| {
            config.cache_bytes = 0;
            config.upstream_tries = 1;
            config.upstream_breaker = 0;
            change(config);
        })
        .await
    }

    /// The bundled functions as `--replay` serves them, with cache, retries and breaker.
    pub async fn plane() -> TestApp {
        TestApp::plane_with(|_| {}).await
    }

    /// The same application with settings of the test.
    pub async fn plane_with(change: impl FnOnce(&mut Config)) -> TestApp {
        let replay = Replay::start().await.unwrap();
        let mut config = Config::default();
        replay.configure(&mut config);
        change(&mut config);
        let app = App::new(config, provenance::server()).unwrap();
        TestApp { app, replay }
    }

    /// Only the functions of the public list, as `--replay` serves them.
    pub async fn core() -> TestApp {
        let replay = Replay::start().await.unwrap();
        let mut config = Config::default();
        replay.configure(&mut config);
        let app = App::new(config, provenance::core()).unwrap();
        TestApp { app, replay }
    }
}

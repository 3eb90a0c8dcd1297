//! Applications that serve the bundled functions, each over a recorded upstream of its own.

use bifold::provenance::replay::Replay;
use bifold::{App, Config, provenance};

use super::TestApp;

impl TestApp {
    /// The bundled functions with nothing between them and the upstream: each call asks it, once.
    pub async fn start() -> TestApp {
        TestApp::with(|_| {}).await
    }

    /// The same with settings of the test's own.
    pub async fn with(change: impl FnOnce(&mut Config)) -> TestApp {
        TestApp::plane_with(|config| {
            config.cache_bytes = 0;
            config.upstream_tries = 1;
            config.upstream_breaker = 0;
            change(config);
        })
        .await
    }

    /// The bundled functions as `--replay` serves them, with all that stands before the upstream.
    pub async fn plane() -> TestApp {
        TestApp::plane_with(|_| {}).await
    }

    /// The same with settings of the test's own.
    pub async fn plane_with(change: impl FnOnce(&mut Config)) -> TestApp {
        let replay = Replay::start().await.unwrap();
        let mut config = Config::default();
        replay.configure(&mut config);
        change(&mut config);
        let app = App::new(config, provenance::server()).unwrap();
        TestApp { app, replay }
    }

    /// The functions of the public list alone, as `--replay` serves them.
    pub async fn core() -> TestApp {
        let replay = Replay::start().await.unwrap();
        let mut config = Config::default();
        replay.configure(&mut config);
        let app = App::new(config, provenance::core()).unwrap();
        TestApp { app, replay }
    }
}

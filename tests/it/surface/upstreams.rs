//! Upstreams with invalid declarations or settings: the start fails and names them.

use std::time::Duration;

use bifold::upstream::Upstream;
use bifold::{Config, Server};

use super::registration::refusal;

#[test]
fn an_upstream_with_an_invalid_url_is_named() {
    let server = || Server::new("it", "1.0.0").upstreams(&[upstream("one"), upstream("other")]);
    let with_url = |name: &str, url: &str| {
        let mut config = Config::default();
        config.upstream_urls.insert(name.to_owned(), url.to_owned());
        refusal(config, server())
    };
    for url in [
        "",
        "one",
        "/path",
        "ftp://one.example",
        "http://",
        "https://a?b=c",
        "https://a#b",
    ] {
        let said = with_url("one", url);
        assert!(
            said.contains("`one`") && said.contains(&format!("`{url}`")),
            "{url}: {said}"
        );
    }
    let unknown = with_url("on", "https://one.example");
    for part in ["`on`", "one", "other"] {
        assert!(unknown.contains(part), "{unknown}");
    }
    assert_eq!(with_url("one", "http://127.0.0.1:1/base/"), "");
    let twice = server().upstreams(&[upstream("one")]);
    let said = refusal(Config::default(), twice);
    assert!(said.contains("`one`") && said.contains("twice"), "{said}");
}

#[test]
fn an_invalid_user_agent_is_named() {
    let mut config = Config::default();
    config.user_agent = "a\nb".to_owned();
    let said = refusal(config, Server::new("it", "1.0.0"));
    assert!(said.to_lowercase().contains("user"), "{said}");
}

fn upstream(name: &'static str) -> Upstream {
    Upstream::new(name, "https://upstream.example")
}

#[test]
fn limits_that_allow_no_request_are_refused_at_start() {
    let zero = Duration::ZERO;
    let plain = || Upstream::new("it", "https://upstream.example");
    for upstream in [
        plain().in_flight(0),
        plain().rate(0, Duration::from_secs(1)),
        plain().rate(1, zero),
    ] {
        let said = refusal(
            Config::default(),
            Server::new("it", "1.0.0").upstreams(&[upstream]),
        );
        assert!(said.contains("`it`"), "{said}");
    }
}

//! Faults of the upstreams: every function that asks one answers a typed failure on every protocol.

use bifold::testing::{Canned, Fault};

use super::ask::{fail, samples};
use crate::support::TestApp;

/// The functions that need no upstream, with these arguments.
const LOCAL: [&str; 7] = [
    "get_system_context",
    "get_registry_introspection",
    "get_registry_summary",
    "mcp_warmup_ping",
    "mcp_test_server",
    "convert_amount",
    // A missing schedule does not count as a failure.
    "fetch_vesting_total_unvested_amount",
];

async fn functions() -> Vec<String> {
    let app = TestApp::core().await;
    let registry = app.app.registry();
    let names = registry.tools().iter().map(|it| it.name().to_owned());
    let names: Vec<String> = names.filter(|it| !LOCAL.contains(&it.as_str())).collect();
    assert_eq!(names.len(), 35);
    names
}

#[tokio::test]
async fn every_fault_of_every_upstream_is_a_typed_failure() {
    let body = || Canned::json(r#"{"results": []}"#);
    for (canned, kinds) in [
        (
            Canned::status(500, "text/plain", "no"),
            &["upstream_error"][..],
        ),
        (
            Canned::status(429, "", ""),
            &["rate_limited", "upstream_unavailable"],
        ),
        (
            body().fault(Fault::Reset),
            &["upstream_unreachable", "upstream_unavailable"],
        ),
        (
            body().fault(Fault::Garbage),
            &[
                "upstream_unreachable",
                "upstream_invalid_response",
                "upstream_unavailable",
            ],
        ),
        (
            body().fault(Fault::Truncate),
            &[
                "upstream_unreachable",
                "upstream_invalid_response",
                "upstream_unavailable",
            ],
        ),
        (Canned::json("{"), &["upstream_invalid_response"]),
        (Canned::json(r#""text""#), &["upstream_invalid_response"]),
        (
            Canned::status(200, "text/html", "<html>"),
            &["upstream_invalid_response"],
        ),
    ] {
        for function in functions().await {
            // One try: the waits between tries are those of real time.
            let app = TestApp::with(|config| config.upstream_tries = 1).await;
            app.replay.answer("/", canned.clone());
            let failure = fail(&app, &function, samples(&app, &function)).await;
            let kind = failure.detail["kind"].as_str().unwrap();
            assert!(
                kinds.contains(&kind),
                "{function}: {failure:?} is none of {kinds:?}"
            );
        }
    }
}

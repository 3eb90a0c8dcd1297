//! However an upstream delays its answer, a call is answered in time: by default within 12 s, an aggregate within 15
//! s.
//!
//! Time is paused and advances in small steps while the call runs.

use std::net::TcpStream;
use std::time::Duration;

use bifold::provenance::replay::VESTING;
use bifold::testing::{Canned, Fault};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::Instant;

use super::ACCOUNT;
use crate::provenance::ask::{about, forms_of, of_wallet, put, until};
use crate::support::TestApp;

const SECOND: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(200);
/// The time limit of a call with one upstream request, and of an aggregate.
const ONE: Duration = Duration::from_secs(12);
const MANY: Duration = Duration::from_secs(15);

/// Runs `call` while time advances; returns its value and the time it took.
pub(super) async fn passing<T>(call: impl Future<Output = T>) -> (T, Duration) {
    let since = Instant::now();
    let steps = async {
        loop {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            tokio::time::advance(STEP).await;
        }
    };
    tokio::select! {
        biased;
        done = call => (done, since.elapsed()),
        () = steps => unreachable!("the steps do not end"),
    }
}

/// How an upstream delays its answer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wait {
    /// It accepts the request and sends nothing.
    Silent,
    /// It sends one byte of its body per second.
    Drips,
    /// It stops in the middle of its head.
    HalfHead,
    /// It does not accept the connection.
    Deaf,
}

/// The URL of such an upstream, and the connections to keep open.
async fn waiting(wait: Wait) -> (String, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket
        .listen(if wait == Wait::Deaf { 1 } else { 1024 })
        .unwrap();
    let address = listener.local_addr().unwrap();
    let mut kept = Vec::new();
    if wait == Wait::Deaf {
        // Once its queue is full, the operating system leaves further connections unanswered.
        while let Ok(one) = TcpStream::connect_timeout(&address, Duration::from_millis(50)) {
            kept.push(one);
        }
    }
    tokio::spawn(serve(listener, wait));
    (format!("http://{address}"), kept)
}

async fn serve(listener: TcpListener, wait: Wait) {
    if wait == Wait::Deaf {
        return std::future::pending().await;
    }
    while let Ok((mut socket, _)) = listener.accept().await {
        tokio::spawn(async move {
            let _ = socket.read(&mut [0; 4096]).await;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
            let said = match wait {
                Wait::HalfHead => head.to_owned(),
                Wait::Drips => format!("{head}content-length: 99999\r\n\r\n"),
                Wait::Silent | Wait::Deaf => String::new(),
            };
            drop(socket.write_all(said.as_bytes()).await);
            while wait == Wait::Drips && socket.write_all(b" ").await.is_ok() {
                tokio::time::sleep(SECOND).await;
            }
            std::future::pending::<()>().await;
        });
    }
}

/// Every bundled function with upstream requests, and its time limit.
fn functions() -> Vec<(&'static str, Value, Duration)> {
    let wallet = || about(VESTING);
    vec![
        (ACCOUNT, wallet(), ONE),
        ("fetch_account_is_vesting", wallet(), ONE),
        ("fetch_total_delegation_data", wallet(), MANY),
        ("fetch_vesting_total_unvested_amount", wallet(), MANY),
        ("fetch_available_committed_amount", wallet(), ONE),
        ("fetch_current_fm_data", json!({}), ONE),
        ("fetch_last_crypto_token_price", json!({}), ONE),
        ("fetch_figure_markets_assets_info", json!({}), ONE),
        ("fetch_current_hash_statistics", json!({}), ONE),
        ("fetch_complete_wallet_summary", wallet(), MANY),
        ("fetch_market_overview_summary", json!({}), MANY),
        ("fetch_delegated_rewards_amount", wallet(), ONE),
        ("fetch_delegated_staked_amount", wallet(), ONE),
        ("fetch_delegated_unbonding_amount", wallet(), ONE),
        ("fetch_delegated_redelegation_amount", wallet(), ONE),
        ("fetch_wallet_liquid_balance", wallet(), ONE),
    ]
}

/// Checks that each function fails in time and with the right kind.
async fn all_fail_in_time(wait: Wait) {
    let (url, _kept) = waiting(wait).await;
    let app = TestApp::plane_with(|config| {
        for name in ["explorer", "lcd", "exchange"] {
            config.upstream_urls.insert(name.to_owned(), url.clone());
        }
        config.upstream_limits = true;
        // An open breaker would answer at once.
        config.upstream_breaker = 0;
    })
    .await;
    for (name, arguments, limit) in functions() {
        let protocol = forms_of(&app, name)[0];
        let (answer, took) = passing(put(&app, protocol, name, &arguments)).await;
        let text = answer.text();
        assert!(took <= limit, "{name}, {wait:?}: {took:?}");
        assert!(took >= 4 * SECOND, "{name}, {wait:?}: {took:?} {text}");
        assert!(
            text.contains("upstream_timeout") && !answer.status.is_success(),
            "{name}, {wait:?}: {text}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_never_answers_delays_no_call_beyond_its_deadline() {
    all_fail_in_time(Wait::Silent).await;
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_sends_slowly_delays_no_call_beyond_its_deadline() {
    all_fail_in_time(Wait::Drips).await;
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_stops_in_its_head_delays_no_call_beyond_its_deadline() {
    all_fail_in_time(Wait::HalfHead).await;
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_accepts_no_connection_delays_no_call_beyond_its_deadline() {
    all_fail_in_time(Wait::Deaf).await;
}

fn hanging() -> Canned {
    Canned::json("").fault(Fault::Hang)
}

#[tokio::test(start_paused = true)]
async fn the_timeout_covers_all_tries_and_a_try_ends_after_two_fifths_of_it() {
    for (timeout, shown) in [(10 * SECOND, 10_000), (5 * SECOND, 5_000)] {
        let app = TestApp::plane_with(|config| config.upstream_timeout = timeout).await;
        app.replay.answer("/explorer/", hanging());
        let mut call = Box::pin(app.get("/api/current_hash_statistics"));
        let seen = || app.replay.seen().len();
        let (mut tries, mut last) = (Vec::new(), 0);
        let since = Instant::now();
        let answer = loop {
            let step = passing(async {
                tokio::select! {
                    biased;
                    answer = &mut call => Some(answer),
                    () = until(|| seen() > last) => None,
                }
            });
            match step.await.0 {
                Some(answer) => break answer,
                None => {
                    last = seen();
                    tries.push(since.elapsed().as_secs_f64() / timeout.as_secs_f64());
                }
            }
        };
        assert_eq!(tries.len(), 3, "{tries:?}");
        assert!(
            (0.4..0.5).contains(&tries[1]) && (0.8..0.95).contains(&tries[2]),
            "{tries:?}"
        );
        assert!(since.elapsed() <= timeout + STEP);
        let expected =
            format!("upstream `explorer` did not answer within {shown} ms, tried 3 times");
        assert_eq!(answer.json()["detail"], expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_single_try_has_the_whole_timeout() {
    let app = TestApp::plane_with(|config| config.upstream_tries = 1).await;
    let late = Canned::json(super::GOOD).fault(Fault::Delay(9 * SECOND));
    app.replay.answer("/explorer/", late);
    let (answer, took) = passing(app.get(&format!("/api/account_info/{VESTING}"))).await;
    assert!(answer.status.is_success(), "{}", answer.text());
    assert!(took >= 9 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn retry_after_waits_count_toward_the_timeout() {
    let app = TestApp::plane().await;
    let busy = |seconds: &str| Canned::status(429, "", "").header("retry-after", seconds);
    app.replay.answer("/explorer/", busy("4"));
    let (answer, took) = passing(app.get("/api/current_hash_statistics")).await;
    assert_eq!(answer.json()["kind"], "rate_limited");
    assert!((8 * SECOND..9 * SECOND).contains(&took), "{took:?}");
    app.replay.answer("/explorer/", busy("11"));
    let (answer, took) = passing(app.get("/api/current_hash_statistics")).await;
    assert_eq!((answer.header("retry-after"), took < SECOND), ("11", true));
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_the_limiter_counts_toward_the_timeout() {
    let app = TestApp::plane_with(|config| config.upstream_limits = true).await;
    let price = |pair: &str| format!("/api/crypto_token_price/{pair}");
    // Each costs a token, and one of them also the list of markets.
    for number in 0..9 {
        passing(app.get(&price(&format!("X{number}-USD")))).await;
    }
    app.replay.answer("/exchange/trades", hanging());
    let (answer, took) = passing(app.get(&price("HASH-USD"))).await;
    assert_eq!(answer.json()["kind"], "upstream_timeout");
    assert!(took <= 10 * SECOND + STEP, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_is_used_after_one_try_timed_out() {
    let app = TestApp::plane().await;
    passing(app.get("/api/current_hash_statistics")).await;
    app.replay.answer("/explorer/", hanging());
    tokio::time::advance(90 * SECOND).await;
    let (answer, took) = passing(app.get("/api/current_hash_statistics")).await;
    assert!(answer.status.is_success(), "{}", answer.text());
    assert!((4 * SECOND..5 * SECOND).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn sequential_requests_share_the_time_of_their_call() {
    // The list of markets hangs, and then the prices do.
    let app = TestApp::plane().await;
    app.replay.answer("/exchange/", hanging());
    let (answer, took) = passing(app.get("/api/market_overview_summary")).await;
    assert!((13 * SECOND..=MANY).contains(&took), "{took:?}");
    assert!(!answer.json()["hash_statistics"].is_null());

    // Only the list hangs: some time is left for the prices.
    let app = TestApp::plane().await;
    app.replay.answer("/exchange/markets", hanging());
    let (answer, took) = passing(app.get("/api/market_overview_summary")).await;
    assert!(took <= ONE, "{took:?}");
    let answer = answer.json();
    assert_eq!(
        answer["incomplete"].as_array().unwrap().len(),
        1,
        "{answer}"
    );

    // An unknown pair, and a hanging list for the suggestion.
    let app = TestApp::plane().await;
    app.replay.answer("/exchange/markets", hanging());
    let (answer, took) = passing(app.get("/api/crypto_token_price/HASHH-USD")).await;
    assert_eq!(answer.json()["kind"], "not_found");
    assert!(took <= ONE, "{took:?}");

    // Endless pages, each of them late but in time.
    let app = TestApp::plane().await;
    let page = r#"{"pages": 99, "results": [{"amount": "1", "denom": "uusd.trading"}]}"#;
    let late = Canned::json(page).fault(Fault::Delay(3 * SECOND));
    app.replay
        .answer(&of_wallet("v2", VESTING, "/balances"), late);
    let path = format!("/api/wallet_liquid_balance/{VESTING}");
    let (answer, took) = passing(app.get(&path)).await;
    assert_eq!(answer.json()["kind"], "upstream_timeout");
    assert!((11 * SECOND..=MANY).contains(&took), "{took:?}");
}

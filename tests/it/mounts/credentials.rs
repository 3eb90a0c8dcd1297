//! A mount that gets its access tokens itself: with an id and a secret of its own (OAuth 2 client credentials).

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::post;
use bifold::{App, Config, Mount};
use http::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;

use super::modern::notes;
use super::{Shared, mounting, status};
use crate::support::{Log, on_socket};

/// An authorization server, and the token that the mounted server takes now.
#[derive(Clone, Default)]
struct Issuer {
    /// The forms of the requests for a token.
    asked: Shared<Vec<String>>,
    taken: Shared<String>,
}

impl Issuer {
    /// Starts it; each token has its number.
    async fn start(&self) -> String {
        let issuer = self.clone();
        let answer = move |form: String| async move {
            let mut asked = issuer.asked.lock().unwrap();
            asked.push(form);
            let token = format!("token-{}", asked.len());
            json!({ "access_token": token, "expires_in": 3600 }).to_string()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let router = Router::new().route("/token", post(answer));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        url
    }

    fn take(&self, token: &str) {
        *self.taken.lock().unwrap() = format!("Bearer {token}");
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// The mounted server, which takes only that token.
    async fn mounted(&self) -> String {
        let taken = self.taken.clone();
        let guard = move |request: Request, next: Next| {
            let given = request.headers().get("authorization").cloned();
            let is_good = given.is_some_and(|it| it == *taken.lock().unwrap());
            async move {
                match is_good {
                    true => next.run(request).await,
                    false => Response::builder()
                        .status(StatusCode::UNAUTHORIZED)
                        .body(Body::empty())
                        .unwrap(),
                }
            }
        };
        let server = notes().layer(from_fn(guard));
        let (address, _) = on_socket(&App::new(Config::default(), server).unwrap()).await;
        format!("http://{address}/mcp")
    }
}

#[tokio::test]
async fn a_mount_gets_its_token_once_and_another_one_after_it_was_refused() {
    let issuer = Issuer::default();
    issuer.take("token-1");
    let (token_url, url) = (issuer.start().await, issuer.mounted().await);
    let log = Log::default();
    let kept = log.keep();
    let mount = Mount::http("n", url);
    let app = mounting([mount.client_credentials(token_url, "gateway", "hunter2", "notes:read")]);
    let app = Arc::new(app.await);
    let add = async || app.tool("n_add", json!({ "a": 1, "b": 2 })).await;
    for _ in 0..3 {
        assert_eq!(add().await["structuredContent"]["sum"], 3);
    }
    assert_eq!(issuer.asked(), 1);
    let form = issuer.asked.lock().unwrap()[0].clone();
    assert_eq!(form, "grant_type=client_credentials&scope=notes%3Aread");

    issuer.take("token-2");
    for _ in 0..3 {
        assert_eq!(add().await["structuredContent"]["sum"], 3);
    }
    assert_eq!(issuer.asked(), 2);

    // A server that takes none of them is not asked for more and more.
    issuer.take("nothing");
    for _ in 0..3 {
        let result = add().await;
        assert_eq!(result["isError"], true, "{result}");
        let said = result["content"][0]["text"].as_str().unwrap();
        assert!(said.contains("refuses the credentials"), "{said}");
    }
    assert_eq!(issuer.asked(), 2);
    let shown = format!("{}{}", log.text(), status(&app).await);
    drop(kept);
    assert!(
        !shown.contains("hunter2") && !shown.contains("token-"),
        "{shown}"
    );
}

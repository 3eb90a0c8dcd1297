//! The SDK's part of `.ci/authorization.mjs`: the whole flow, a scope that is missing, and a token that has expired.

use std::env;

use http::StatusCode;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::{RoleClient, RunningService, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, AuthorizationCallback, AuthorizationRequest, OAuthState};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt};
use rustls::crypto::ring;
use serde_json::{Value, json};

use super::{Host, call, plain};

const CALLBACK: &str = "http://127.0.0.1:9/callback";

/// The server that is tested, and the program that starts it and plays its user.
struct Peers {
    http: reqwest::Client,
    mcp: String,
    control: String,
}

impl Peers {
    fn new() -> Peers {
        let variable = |name| env::var(name).expect("`.ci/run authorization` runs this test");
        Peers {
            http: plain(),
            mcp: variable("MCP_URL"),
            control: variable("CONTROL_URL"),
        }
    }

    async fn control(&self, path: &str, text: String) -> String {
        let request = self.http.post(format!("{}{path}", self.control));
        let response = request.body(text).send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{text}");
        text
    }

    /// The challenge to a request without a token.
    async fn challenge(&self) -> String {
        let request = self.http.post(&self.mcp);
        let request = request.header("content-type", "application/json");
        let request = request.header("accept", "application/json, text/event-stream");
        let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
        let response = request.body(ping.to_string()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let challenge = response.headers()[WWW_AUTHENTICATE].to_str();
        challenge.unwrap().to_owned()
    }

    async fn rest(&self, token: &str) -> StatusCode {
        let request = self.http.get(self.mcp.replace("/mcp", "/api/notes"));
        let request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        request.send().await.unwrap().status()
    }
}

async fn run(
    client: &RunningService<RoleClient, Host>,
    name: &'static str,
    arguments: Value,
) -> Result<CallToolResult, ServiceError> {
    let params: CallToolRequestParams = call(name, arguments);
    client.call_tool(params).await
}

#[tokio::test]
#[ignore = "needs the authorization server of `.ci/run authorization`"]
async fn runs_the_whole_flow() {
    // The SDK's own client for the authorization server takes the provider of the process.
    let _ = ring::default_provider().install_default();
    let peers = Peers::new();
    let mut state = OAuthState::new(&*peers.mcp, None).await.unwrap();
    let request = AuthorizationRequest::new(CALLBACK).with_client_name("rmcp");
    let request = request.with_challenge(peers.challenge().await);
    // Without this the SDK asks for every scope of the metadata at once.
    let request = request.with_initial_scope_selection();
    state.start_authorization(request).await.unwrap();
    let url = state.get_authorization_url().await.unwrap();
    let callback = peers.control("/visit", url).await;
    state.handle_callback_url(&callback).await.unwrap();
    let manager = state.into_authorization_manager().unwrap();
    let authorized = AuthClient::new(plain(), manager);

    let config = StreamableHttpClientTransportConfig::with_uri(&*peers.mcp);
    let transport = StreamableHttpClientTransport::with_client(authorized.clone(), config);
    let lifecycle = ClientLifecycleMode::Initialize;
    let client = Host::new(json!({})).serve_with_lifecycle(transport, lifecycle);
    let client = client.await.unwrap();
    let listed = run(&client, "list_notes", json!({})).await.unwrap();
    assert_eq!(listed.structured_content.unwrap()["notes"], json!([]));
    let first = authorized.get_access_token().await.unwrap();
    assert_eq!(peers.rest(&first).await, StatusCode::OK);

    let refused = run(&client, "add_note", json!({"text": "rmcp"})).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("Insufficient scope"), "{refused}");
    let manager = authorized.auth_manager.lock().await;
    let url = manager
        .request_scope_upgrade("notes:read notes:write")
        .await;
    let callback = peers.control("/visit", url.unwrap()).await;
    let callback = AuthorizationCallback::from_redirect_url(&callback).unwrap();
    let (code, token, issuer) = (
        &callback.code,
        &callback.csrf_token,
        callback.issuer.as_deref(),
    );
    let exchanged = manager.exchange_code_for_token_with_issuer(code, token, issuer);
    exchanged.await.unwrap();
    drop(manager);
    let added = run(&client, "add_note", json!({"text": "rmcp"})).await;
    assert_eq!(added.unwrap().structured_content.unwrap()["text"], "rmcp");

    peers.control("/later", String::new()).await;
    let second = authorized.get_access_token().await.unwrap();
    assert_eq!(peers.rest(&second).await, StatusCode::UNAUTHORIZED);
    let listed = run(&client, "list_notes", json!({})).await.unwrap();
    assert_eq!(listed.structured_content.unwrap()["notes"], json!([]));
    let third = authorized.get_access_token().await.unwrap();
    assert_eq!(peers.rest(&third).await, StatusCode::OK);
}

//! `--login`: against an authorization server on this machine, with a browser that the test plays.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::percent_decode_str;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::peer::{Asked, Peer, respond, result};
use super::{Done, client};

/// What the authorization server does otherwise than it should.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    NoMetadata,
    OtherResource,
    OtherIssuer,
    NoPkce,
    NoRegistration,
    PlainHttp,
    OtherToken,
    OtherIssuerInRedirect,
    Denied,
}

/// An MCP server that is its own authorization server, at one address.
fn guarded(asked: &Asked, fault: Fault, valid: &Mutex<String>) -> Response {
    let host = asked.header("host");
    let base = format!("http://{host}");
    let json = |value: Value| respond(200, "application/json", value.to_string());
    match asked.path.as_str() {
        "/mcp" => {
            let token = format!("Bearer {}", valid.lock().unwrap());
            if asked.header("authorization") != token {
                let mut refused = respond(401, "text/plain", "");
                let challenge =
                    format!("Bearer resource_metadata=\"{base}/meta\", scope=\"read write\"");
                refused
                    .headers_mut()
                    .insert("www-authenticate", challenge.parse().unwrap());
                return refused;
            }
            let meta =
                json!({"io.modelcontextprotocol/serverInfo": {"name": "guarded", "version": "1"}});
            result(
                asked,
                json!({"resultType": "complete", "supportedVersions": ["2026-07-28"],
                "capabilities": {}, "_meta": meta}),
            )
        }
        "/meta" if fault != Fault::NoMetadata => json(json!({
            "resource": match fault {
                Fault::OtherResource => "https://other.example/mcp".to_owned(),
                _ => format!("{base}/mcp"),
            },
            "authorization_servers": [match fault {
                Fault::PlainHttp => "http://other.example".to_owned(),
                _ => format!("{base}/as"),
            }],
        })),
        "/.well-known/oauth-authorization-server/as" => {
            let mut metadata = json!({
                "issuer": format!("{base}/as"),
                "authorization_endpoint": format!("{base}/as/authorize?tenant=1"),
                "token_endpoint": format!("{base}/as/token"),
                "registration_endpoint": format!("{base}/as/register"),
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": true,
            });
            match fault {
                Fault::OtherIssuer => metadata["issuer"] = json!("https://other.example"),
                Fault::NoPkce => metadata["code_challenge_methods_supported"] = json!(["plain"]),
                Fault::NoRegistration => metadata["registration_endpoint"] = Value::Null,
                _ => {}
            }
            json(metadata)
        }
        "/as/register" => respond(201, "application/json", r#"{"client_id":"new client"}"#),
        "/as/token" => {
            let kind = if fault == Fault::OtherToken {
                "DPoP"
            } else {
                "Bearer"
            };
            let token = valid.lock().unwrap().clone();
            json(
                json!({"access_token": token, "token_type": kind, "expires_in": 3600, "refresh_token": "again"}),
            )
        }
        _ => respond(404, "text/plain", ""),
    }
}

struct Guarded {
    peer: Peer,
    valid: Arc<Mutex<String>>,
}

async fn start(fault: Fault) -> Guarded {
    let valid = Arc::new(Mutex::new("secret-token".to_owned()));
    let known = valid.clone();
    let peer = Peer::start(move |asked| guarded(asked, fault, &known)).await;
    Guarded { peer, valid }
}

/// The fields of a query or a form.
fn field(form: &str, name: &str) -> String {
    let pairs = form.split('&').filter_map(|it| it.split_once('='));
    let found = pairs.filter(|it| it.0 == name).map(|it| it.1).next();
    let found = found.unwrap_or_else(|| panic!("no `{name}` in {form}"));
    percent_decode_str(found)
        .decode_utf8()
        .unwrap()
        .into_owned()
}

/// Runs `list --login`, and follows the page that it shows like a browser in which a person agrees.
async fn sign_in(guarded: &Guarded, fault: Fault, more: &[&str]) -> (Done, Option<String>) {
    let mut command = client(guarded.peer.address, &["list", "--login"]);
    command.args(more).stdin(Stdio::null());
    let mut running = command.spawn().unwrap();
    let mut log = BufReader::new(running.stderr.take().unwrap()).lines();
    let (mut said, mut page) = (String::new(), None);
    while let Some(line) = log.next_line().await.unwrap() {
        said.push_str(&line);
        if let Some(query) = line.split_once("/as/authorize?tenant=1&").map(|it| it.1) {
            let redirect = field(query, "redirect_uri");
            let state = field(query, "state");
            assert_eq!(browse(&redirect, "state=forged&code=stolen").await, 404);
            let base = format!("http://{}/as", guarded.peer.address);
            let issuer = match fault {
                Fault::OtherIssuerInRedirect => "https://other.example",
                _ => &base,
            };
            let outcome = if fault == Fault::Denied {
                "error=access_denied"
            } else {
                "code=c%2B1"
            };
            let status = browse(&redirect, &format!("state={state}&iss={issuer}&{outcome}")).await;
            assert_eq!(status, 200);
            page = Some(query.to_owned());
        }
    }
    let output = running.wait_with_output().await.unwrap();
    let done = Done {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: said,
    };
    (done, page)
}

/// Opens a page, and returns the status.
async fn browse(url: &str, query: &str) -> u16 {
    let rest = url.strip_prefix("http://").unwrap();
    let (address, path) = rest.split_once('/').unwrap();
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /{path}?{query} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).await.unwrap();
    response.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_registers_proves_itself_by_pkce_and_names_the_resource() {
    let guarded = start(Fault::None).await;
    let (done, page) = sign_in(&guarded, Fault::None, &[]).await;
    assert_eq!(done.status, 0, "{done}");
    assert_eq!(done.json()["server"]["name"], "guarded");
    assert!(!format!("{done}").contains("secret-token"), "{done}");
    let page = page.unwrap();
    let resource = format!("http://{}/mcp", guarded.peer.address);
    assert_eq!(field(&page, "scope"), "read write");
    assert_eq!(field(&page, "resource"), resource);
    assert_eq!(field(&page, "client_id"), "new client");
    let asked = guarded.peer.asked();
    let register = asked.iter().find(|it| it.path == "/as/register").unwrap();
    assert_eq!(
        register.body["redirect_uris"],
        json!([field(&page, "redirect_uri")])
    );
    assert_eq!(register.body["token_endpoint_auth_method"], "none");
    let token = asked.iter().find(|it| it.path == "/as/token").unwrap();
    assert_eq!(field(&token.text, "code"), "c+1");
    assert_eq!(field(&token.text, "resource"), resource);
    let verifier = field(&token.text, "code_verifier");
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    assert_eq!(field(&page, "code_challenge"), challenge);
    assert!(
        asked
            .iter()
            .all(|it| it.path == "/mcp" || it.header("authorization").is_empty())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_not_safe_ends_before_a_token_is_used() {
    for (fault, problem) in [
        (
            Fault::OtherResource,
            "describes the resource `https://other.example/mcp`",
        ),
        (
            Fault::OtherIssuer,
            "describes `https://other.example` and not",
        ),
        (Fault::NoPkce, "does not support PKCE with S256"),
        (Fault::NoRegistration, "`--client-id`"),
        (
            Fault::PlainHttp,
            "`http://other.example` is not an https URL",
        ),
        (Fault::OtherToken, "another type than Bearer"),
        (Fault::OtherIssuerInRedirect, "does not come from"),
        (Fault::Denied, "access_denied"),
        (Fault::NoMetadata, "HTTP 401"),
    ] {
        let guarded = start(fault).await;
        let (done, _) = sign_in(&guarded, fault, &[]).await;
        assert_eq!(
            (done.status, done.stdout.as_str()),
            (1, ""),
            "{fault:?} {done}"
        );
        assert!(done.stderr.contains(problem), "{fault:?} {done}");
        let is_used = |it: &Asked| !it.header("authorization").is_empty();
        assert!(!guarded.peer.asked().iter().any(is_used), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_client_needs_no_registration() {
    let guarded = start(Fault::NoRegistration).await;
    let (done, page) = sign_in(&guarded, Fault::NoRegistration, &["--client-id", "mine"]).await;
    assert_eq!(done.status, 0, "{done}");
    assert_eq!(field(&page.unwrap(), "client_id"), "mine");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_file_is_for_its_owner_alone_and_saves_the_next_login() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    let guarded = start(Fault::None).await;
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("login-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("token.json");
    let more = ["--token-file", file.to_str().unwrap()];
    let (first, page) = sign_in(&guarded, Fault::None, &more).await;
    assert_eq!((first.status, page.is_some()), (0, true), "{first}");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let (second, page) = sign_in(&guarded, Fault::None, &more).await;
    assert_eq!((second.status, page), (0, None), "{second}");

    // A token that has expired is renewed without a person.
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    kept["expires_at"] = json!(1);
    std::fs::write(&file, kept.to_string()).unwrap();
    *guarded.valid.lock().unwrap() = "newer-token".to_owned();
    let (third, page) = sign_in(&guarded, Fault::None, &more).await;
    assert_eq!((third.status, page), (0, None), "{third}");
    let asked = guarded.peer.asked();
    let renewal = asked
        .iter()
        .rev()
        .find(|it| it.path == "/as/token")
        .unwrap();
    assert_eq!(field(&renewal.text, "grant_type"), "refresh_token");
    assert_eq!(field(&renewal.text, "refresh_token"), "again");

    set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let (open, _) = sign_in(&guarded, Fault::None, &more).await;
    assert_eq!(open.status, 1, "{open}");
    assert!(open.stderr.contains("can be read by others"), "{open}");
    std::fs::remove_dir_all(&folder).unwrap();
}

//! An issuer of tokens on this machine, and tokens of every kind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::PUBLIC;

/// A key of an issuer.
pub enum Key {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// An issuer that serves its metadata and its keys.
pub struct Issuer {
    url: String,
    pub key: Key,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    asked: AtomicUsize,
    is_down: AtomicBool,
    is_empty: AtomicBool,
}

impl Key {
    /// The one RSA key of these tests; `ring` makes none.
    pub fn rsa() -> Key {
        Key::Rsa(RsaKeyPair::from_pkcs8(include_bytes!("rsa.p8")).unwrap())
    }

    pub fn ec() -> Key {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Key::Ec(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap())
    }

    pub fn ed() -> Key {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Key::Ed(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Key::Rsa(_) => "RS256",
            Key::Ec(_) => "ES256",
            Key::Ed(_) => "EdDSA",
        }
    }

    /// The bytes of the public key, which an attacker knows.
    pub fn public(&self) -> Vec<u8> {
        match self {
            Key::Rsa(key) => key.public_key().as_ref().to_vec(),
            Key::Ec(key) => key.public_key().as_ref().to_vec(),
            Key::Ed(key) => key.public_key().as_ref().to_vec(),
        }
    }

    fn jwk(&self, id: &str) -> Value {
        let mut jwk = match self {
            Key::Rsa(key) => {
                let public: PublicKeyComponents<Vec<u8>> = key.public().into();
                json!({"kty": "RSA", "n": encode(&public.n), "e": encode(&public.e)})
            }
            Key::Ec(key) => {
                let point = key.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..])})
            }
            Key::Ed(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(key.public_key().as_ref())})
            }
        };
        jwk["kid"] = id.into();
        jwk["use"] = "sig".into();
        jwk
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Key::Ec(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Key::Ed(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// A token with that header and these claims.
    pub fn token(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        format!("{message}.{}", encode(&self.sign(message.as_bytes())))
    }
}

impl Issuer {
    /// An issuer whose only key is called `one`.
    pub async fn start(key: Key) -> Issuer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/tenant", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let (jwks, base, shared) = (
            json!({"keys": [key.jwk("one")]}),
            url.clone(),
            state.clone(),
        );
        let answer = move |request: Request| {
            let (jwks, base, shared) = (jwks.clone(), base.clone(), shared.clone());
            async move {
                if shared.is_down.load(Ordering::SeqCst) {
                    return StatusCode::SERVICE_UNAVAILABLE.into_response();
                }
                match request.uri().path() {
                    "/tenant/.well-known/openid-configuration" => {
                        let keys = format!("{base}/keys");
                        json!({"issuer": base, "jwks_uri": keys})
                            .to_string()
                            .into_response()
                    }
                    "/tenant/keys" => {
                        shared.asked.fetch_add(1, Ordering::SeqCst);
                        match shared.is_empty.load(Ordering::SeqCst) {
                            true => json!({"keys": []}).to_string().into_response(),
                            false => jwks.to_string().into_response(),
                        }
                    }
                    _ => StatusCode::NOT_FOUND.into_response(),
                }
            }
        };
        let router = Router::new().fallback(answer);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Issuer {
            url,
            key,
            state,
            serving,
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// How often the keys were asked for.
    pub fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// Whether it answers with nothing but failures from now on.
    pub fn set_down(&self, is_down: bool) {
        self.state.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Publishes no key any more.
    pub fn withdraw(&self) {
        self.state.is_empty.store(true, Ordering::SeqCst);
    }

    /// Header and claims of a valid token with these scopes.
    pub fn valid(&self, scope: &str) -> (Value, Value) {
        let now = now();
        let header = json!({"alg": self.key.algorithm(), "kid": "one", "typ": "at+jwt"});
        let claims = json!({
            "iss": self.url, "aud": format!("{PUBLIC}/mcp"), "sub": "ada", "client_id": "cli",
            "iat": now, "nbf": now, "exp": now + 300, "scope": scope,
        });
        (header, claims)
    }

    /// A valid token with these scopes.
    pub fn token(&self, scope: &str) -> String {
        let (header, claims) = self.valid(scope);
        self.key.token(&header, &claims)
    }

    /// A valid token of another subject.
    pub fn token_of(&self, subject: &str, scope: &str) -> String {
        let (header, mut claims) = self.valid(scope);
        claims["sub"] = subject.into();
        self.key.token(&header, &claims)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A token with HS256, signed with these bytes.
pub fn hmac_token(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = message(header, claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    format!(
        "{message}.{}",
        encode(hmac::sign(&key, message.as_bytes()).as_ref())
    )
}

/// A token that nobody has signed.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.", message(header, claims))
}

pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs().cast_signed()
}

fn message(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims.to_string().as_bytes())
    )
}

pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

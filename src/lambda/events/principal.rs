//! Who calls, as the integration of an event has checked it.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// A Function URL or an HTTP API that wants signed requests.
#[derive(Deserialize)]
struct Signed {
    iam: User,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    user_arn: String,
    /// Payload 2.0 has it so. All who come from an identity pool have the ARN of the pool's role.
    #[serde(default)]
    cognito_identity: Option<Identity>,
    /// Payload 1.0 has it so.
    #[serde(default)]
    cognito_identity_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    identity_id: String,
}

/// An HTTP API that wants JSON Web Tokens.
#[derive(Deserialize)]
struct Token {
    jwt: Pool,
}

/// The same with payload 1.0, or a REST API with a user pool of Cognito.
#[derive(Deserialize)]
struct Pool {
    claims: Claims,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    iss: String,
    sub: String,
}

/// A function of the operator's own that lets callers in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Custom {
    principal_id: String,
}

/// The caller, with the kind of check before it, so that no two checks speak of the same one: `iam:<ARN>`,
/// `cognito:<identity>`, `jwt:<issuer>#<subject>` or `authorizer:<id>`. Both parts are those of the event's request context, whose shapes differ
/// from integration to integration, and which operators add to.
///
/// Source: the payload formats in the developer guides of Lambda and API Gateway.
pub(crate) fn principal(
    authorizer: Option<&RawValue>,
    identity: Option<&RawValue>,
) -> Option<String> {
    let user = |user: User| {
        let pooled = user.cognito_identity.map(|it| it.identity_id);
        match pooled.or(user.cognito_identity_id) {
            Some(id) => format!("cognito:{id}"),
            None => format!("iam:{}", user.user_arn),
        }
    };
    let claims = |claims: Claims| format!("jwt:{}#{}", claims.iss, claims.sub);
    let custom = |custom: Custom| format!("authorizer:{}", custom.principal_id);
    read(authorizer)
        .map(|it: Signed| user(it.iam))
        .or_else(|| read(authorizer).map(|it: Token| claims(it.jwt.claims)))
        .or_else(|| read(authorizer).map(|it: Pool| claims(it.claims)))
        .or_else(|| read(authorizer).map(custom))
        .or_else(|| read(identity).map(user))
}

fn read<T: DeserializeOwned>(part: Option<&RawValue>) -> Option<T> {
    serde_json::from_str(part?.get()).ok()
}

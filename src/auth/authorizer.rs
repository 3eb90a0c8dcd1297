//! The principal of a Lambda event: the caller's identity as the integration has checked it.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::auth::{Principal, PrincipalKind};

/// The authorizer of a Function URL or an HTTP API with IAM authorization.
#[derive(Deserialize)]
struct IamAuthorizer {
    iam: IamUser,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IamUser {
    user_arn: String,
    /// In payload 2.0. All users of an identity pool share the ARN of the pool's role, so the ARN cannot tell them apart.
    #[serde(default)]
    cognito_identity: Option<CognitoIdentity>,
    /// In payload 1.0.
    #[serde(default)]
    cognito_identity_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CognitoIdentity {
    identity_id: String,
}

/// The authorizer of an HTTP API that checks JSON Web Tokens.
#[derive(Deserialize)]
struct JwtAuthorizer {
    jwt: ClaimsAuthorizer,
}

/// The authorizer of an HTTP API that checks JSON Web Tokens, with payload 1.0, or of a REST API with a Cognito user pool.
#[derive(Deserialize)]
struct ClaimsAuthorizer {
    claims: Map<String, Value>,
}

/// A Lambda authorizer: a function of the operator that identifies callers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CustomAuthorizer {
    principal_id: String,
}

/// The principal, prefixed with the kind of check so that two kinds never give the same name: `iam:<ARN>`,
/// `cognito:<identity>`, `jwt:<issuer>#<subject>` or `authorizer:<id>`. `authorizer` and `identity` are fields of the
/// event's request context; their content differs between integrations, and operators can extend it.
///
/// Source: the payload formats in the developer guides of Lambda and API Gateway.
pub(crate) fn principal(
    authorizer: Option<&RawValue>,
    identity: Option<&RawValue>,
) -> Option<Principal> {
    read(authorizer)
        .map(|it: IamAuthorizer| of_user(it.iam))
        .or_else(|| read(authorizer).and_then(|it: JwtAuthorizer| of_claims(it.jwt.claims)))
        .or_else(|| read(authorizer).and_then(|it: ClaimsAuthorizer| of_claims(it.claims)))
        .or_else(|| read(authorizer).map(of_custom))
        .or_else(|| read(identity).map(of_user))
}

fn of_user(user: IamUser) -> Principal {
    let pool_identity = user.cognito_identity.map(|it| it.identity_id);
    match pool_identity.or(user.cognito_identity_id) {
        Some(id) => Principal::checked(PrincipalKind::Cognito, format!("cognito:{id}")),
        None => Principal::checked(PrincipalKind::Iam, format!("iam:{}", user.user_arn)),
    }
}

fn of_claims(claims: Map<String, Value>) -> Option<Principal> {
    let issuer = claims.get("iss").map_or(Some(""), Value::as_str)?;
    let subject = claims.get("sub")?.as_str()?;
    let id = format!("jwt:{issuer}#{subject}");
    let principal = Principal::checked(PrincipalKind::Token, id);
    Some(principal.with_claims(claims))
}

fn of_custom(custom: CustomAuthorizer) -> Principal {
    let id = format!("authorizer:{}", custom.principal_id);
    Principal::checked(PrincipalKind::Authorizer, id)
}

fn read<T: DeserializeOwned>(part: Option<&RawValue>) -> Option<T> {
    serde_json::from_str(part?.get()).ok()
}

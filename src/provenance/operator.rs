//! Operator addresses of validators: bech32 with a checksum, validated before a request to an upstream.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::address::{network, verify};
use crate::context::Context;
use crate::error::{Error, Result};

/// A validator's operator address of either network, lower case.
#[derive(Clone, Debug)]
pub(super) struct Operator(String);

impl Operator {
    /// The text, if the address belongs to the configured network.
    pub(super) fn on_network(&self, cx: &Context) -> Result<&str> {
        let prefix = network(cx);
        match self.0.starts_with(&format!("{prefix}valoper1")) {
            true => Ok(&self.0),
            false => {
                let problem = format!(
                    "the address is of another network: this server accepts addresses that begin with `{prefix}valoper1`"
                );
                Err(Error::invalid_argument("operator_address", problem))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Operator {
    fn deserialize<D: Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Operator, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        match verify(&text, ["pbvaloper", "tpvaloper"]) {
            Ok(()) => Ok(Operator(text.into_owned())),
            Err(problem) => Err(D::Error::custom(format!(
                "expected the operator address of a validator (bech32, `pbvaloper1…` or `tpvaloper1…`): {problem}"
            ))),
        }
    }
}

impl JsonSchema for Operator {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Operator".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(pb|tp)valoper1([02-9ac-hj-np-z]{38}|[02-9ac-hj-np-z]{58})$",
        })
    }
}

//! Wallet addresses: bech32 with a checksum, validated before a request to an upstream.

use std::borrow::Cow;

use bech32::Bech32;
use bech32::primitives::decode::CheckedHrpstring;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::config::Setting;
use crate::context::Context;
use crate::error::{Error, Result};

/// The setting that selects the network of accepted addresses.
const NETWORK: &str = "BIFOLD_ADDRESS_PREFIX";

/// Declares that setting.
pub(super) fn setting() -> Setting {
    let meaning = "the network of accepted wallet addresses: `pb` for mainnet, `tp` for testnet.";
    Setting::new(NETWORK, "pb", meaning).check("pb, tp", |value| match value {
        "pb" | "tp" => Ok(()),
        _ => Err("expected `pb` or `tp`".into()),
    })
}

/// A wallet address of either network: 20 or 32 bytes in bech32 (BIP-173), lower case.
#[derive(Clone, Debug)]
pub(super) struct Address(String);

impl Address {
    /// The text, if the address belongs to the configured network.
    pub(super) fn on_network(&self, cx: &Context) -> Result<&str> {
        let prefix = network(cx);
        match self.0.split_once('1') {
            Some((own, _)) if own == prefix => Ok(&self.0),
            _ => {
                let problem = format!(
                    "the address is of another network: this server accepts addresses that begin with `{prefix}1`"
                );
                Err(Error::invalid_argument("wallet_address", problem))
            }
        }
    }

    fn parse(text: &str) -> std::result::Result<Address, String> {
        match verify(text, ["pb", "tp"]) {
            Ok(()) => Ok(Address(text.to_owned())),
            Err(problem) => Err(format!(
                "expected a wallet address (bech32, `pb1…` or `tp1…`): {problem}"
            )),
        }
    }
}

/// The prefix of the configured network: `pb` or `tp`.
pub(super) fn network(cx: &Context) -> &str {
    cx.setting(NETWORK)
}

/// Checks that the text is an address of 20 or 32 bytes in bech32 with one of these prefixes, in lower case.
pub(super) fn verify(text: &str, prefixes: [&str; 2]) -> std::result::Result<(), &'static str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err("it must be in lower case");
    }
    let Ok(decoded) = CheckedHrpstring::new::<Bech32>(text) else {
        return Err("it is mistyped or incomplete, its checksum does not match");
    };
    if !prefixes.contains(&decoded.hrp().as_str()) {
        return Err("its prefix is another one");
    }
    if !matches!(decoded.byte_iter().len(), 20 | 32) {
        return Err("it must contain 20 or 32 bytes");
    }
    match decoded.validate_segwit_padding() {
        Ok(()) => Ok(()),
        Err(_) => Err("its padding bits must be zero"),
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Address, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Address::parse(&text).map_err(D::Error::custom)
    }
}

impl JsonSchema for Address {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Address".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(pb|tp)1([02-9ac-hj-np-z]{38}|[02-9ac-hj-np-z]{58})$",
            "examples": ["pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn takes_both_lengths_and_both_networks() {
        for text in [
            "pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8",
            "pb1dsuqw9wn7r0g8m9pm6em8es3fh0l52zrlequcwvnw5yjfkwrqp5scax55t",
        ] {
            assert!(Address::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_mistyped_cut_shouted_or_foreign() {
        for text in [
            "",
            "pb1",
            "pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk9",
            "pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk",
            "PB1C9RQWFEFGGK3S3Y79RH8QUWVP8RF8AYR7QVMK8",
            " pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8",
            "cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh",
            "pb1ä9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }
}

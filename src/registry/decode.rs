//! Decodes the text of the arguments into the argument struct, or finds the path of the mistake.

use std::sync::LazyLock;

use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;
use serde_json::value::RawValue;

use super::arrays;
use super::mend::Mender;
use crate::error::excerpt::{said, sentence};
use crate::error::{Error, Result, json_path};
use crate::schema::Rules;

const NO_OBJECT: &str = "the arguments must be a JSON object";

/// The arguments of one call, and the schemas of their function.
pub(super) struct Arguments<'a> {
    pub(super) text: &'a str,
    /// The schema of the argument struct.
    pub(super) own: &'a LazyLock<Value>,
    /// The schema of the argument struct with null where the type takes it.
    pub(super) typed: &'a LazyLock<Value>,
    /// The schema that is published instead, if there is one.
    pub(super) published: Option<&'a Value>,
    /// The published rules that decoding does not enforce.
    pub(super) rules: Option<&'a Rules>,
    /// Whether a string that holds JSON of the expected type is decoded.
    pub(super) reads_texts: bool,
}

/// Why arguments are refused.
enum Failure {
    /// They break a rule that decoding does not enforce.
    Rule(Error),
    /// They cannot be decoded.
    Type(serde_json::Error),
}

impl Arguments<'_> {
    /// The decoded arguments. Most decode at once: only arguments that do not are searched for what the schema allows
    /// and serde does not.
    ///
    /// # Errors
    /// `InvalidArgument` with the path of a value that cannot be decoded or breaks a published rule.
    pub(super) fn decode<A: DeserializeOwned>(&self) -> Result<A> {
        let mut mended = None;
        loop {
            let text = mended.as_deref().unwrap_or(self.text);
            let failure = match self.read::<A>(text)? {
                Ok(arguments) => match self.check(text) {
                    Ok(()) => return Ok(arguments),
                    Err(refusal) => Failure::Rule(refusal),
                },
                Err(error) => Failure::Type(error),
            };
            match (self.mended(mended.is_some()), failure) {
                (Some(next), _) => mended = Some(next),
                (None, Failure::Rule(refusal)) => return Err(refusal),
                (None, Failure::Type(error)) => {
                    return Err(misfit(&json_path::path::<A>(text, &error), &error));
                }
            }
        }
    }

    /// The arguments as JSON, for a function that has no argument struct.
    ///
    /// # Errors
    /// `InvalidArgument` if they are not an object, or break a published rule.
    pub(super) fn object(&self) -> Result<Box<RawValue>> {
        let is_object = |text: &str| text.trim_start().starts_with('{');
        let misfit = || Error::invalid_argument("$", NO_OBJECT);
        if !is_object(self.text) {
            return Err(misfit());
        }
        let text = match self.check(self.text) {
            Ok(()) => self.text.to_owned(),
            Err(refusal) => {
                let mended = self.mended(false).ok_or(refusal)?;
                self.check(&mended)?;
                mended
            }
        };
        RawValue::from_string(text).map_err(|error| misfit().with_source(error))
    }

    /// Checks the rules that decoding does not enforce.
    fn check(&self, text: &str) -> Result<()> {
        let checked = self.rules.map_or(Ok(()), |rules| rules.check(text));
        checked.map_err(|it| Error::invalid_argument(it.path(), it.problem()))
    }

    /// What arguments that are refused may mean, unless they have been mended already.
    #[cold]
    fn mended(&self, is_mended: bool) -> Option<String> {
        match is_mended {
            true => None,
            false => Mender::new(self.schema(), self.reads_texts).mend(self.text),
        }
    }

    fn read<A: DeserializeOwned>(&self, text: &str) -> Result<serde_json::Result<A>> {
        arrays::check(self.own, text)?;
        // A struct would also decode from an array of its fields, which no schema allows.
        Ok(match text.trim_start().starts_with('{') {
            true => json_path::decode(text),
            false => Err(serde_json::Error::custom(NO_OBJECT)),
        })
    }

    fn schema(&self) -> &Value {
        self.published.unwrap_or(self.typed)
    }
}

/// The refusal of arguments that serde cannot decode at `path`.
#[cold]
fn misfit(path: &str, error: &serde_json::Error) -> Error {
    let problem = said(error);
    Error::invalid_argument(field_of(path, &problem), sentence(&problem))
}

/// The field at fault: the path where decoding stopped, or the field that serde's message names.
fn field_of(path: &str, problem: &str) -> String {
    let named = ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|start| {
            let rest = problem.strip_prefix(start)?;
            rest.split('`').next()
        });
    match (path, named) {
        ("", Some(field)) => field.to_owned(),
        ("", None) => "$".to_owned(),
        (path, Some(field)) if !path.ends_with(field) => format!("{path}.{field}"),
        (path, _) => path.to_owned(),
    }
}

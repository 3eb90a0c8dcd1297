//! Decodes the text of the arguments into the argument struct, or finds the path of the mistake.

use std::sync::LazyLock;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::arrays;
use super::mend::Mender;
use crate::error::excerpt::{said, sentence};
use crate::error::{Error, Result};
use crate::schema::Rules;

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

impl Arguments<'_> {
    /// The decoded arguments. Most decode at once: only arguments that do not are searched for what the schema allows
    /// and serde does not.
    ///
    /// # Errors
    /// `InvalidArgument` with the path of a value that cannot be decoded or breaks a published rule.
    pub(super) fn decode<A: DeserializeOwned>(&self) -> Result<A> {
        let refusal = match self.read(self.text)? {
            Some(arguments) => match self.check(self.text) {
                Ok(()) => return Ok(arguments),
                Err(refusal) => Some(refusal),
            },
            None => None,
        };
        let Some(mended) = self.mended() else {
            return Err(refusal.unwrap_or_else(|| misfit::<A>(self.text)));
        };
        let arguments = self.read(&mended)?;
        let arguments = arguments.ok_or_else(|| misfit::<A>(&mended))?;
        self.check(&mended)?;
        Ok(arguments)
    }

    /// The arguments as JSON, for a function that has no argument struct.
    ///
    /// # Errors
    /// `InvalidArgument` if they are not an object, or break a published rule.
    pub(super) fn object(&self) -> Result<Box<RawValue>> {
        let is_object = |text: &str| text.trim_start().starts_with('{');
        let misfit = || Error::invalid_argument("$", "the arguments must be a JSON object");
        if !is_object(self.text) {
            return Err(misfit());
        }
        let text = match self.check(self.text) {
            Ok(()) => self.text.to_owned(),
            Err(refusal) => {
                let mended = self.mended().ok_or(refusal)?;
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

    fn mended(&self) -> Option<String> {
        Mender::new(self.schema(), self.reads_texts).mend(self.text)
    }

    /// `None` if serde cannot decode them.
    fn read<A: DeserializeOwned>(&self, text: &str) -> Result<Option<A>> {
        arrays::check(self.own, text)?;
        // A struct would also decode from an array of its fields, which no schema allows.
        let is_object = text.trim_start().starts_with('{');
        Ok(match is_object {
            true => serde_json::from_str(text).ok(),
            false => None,
        })
    }

    fn schema(&self) -> &Value {
        self.published.unwrap_or(self.typed)
    }
}

/// Decodes again to find the path of the mistake, which would be too costly for valid arguments.
#[cold]
fn misfit<A: DeserializeOwned>(text: &str) -> Error {
    if !text.trim_start().starts_with('{') {
        return Error::invalid_argument("$", "the arguments must be a JSON object");
    }
    let mut json = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize::<_, A>(&mut json) {
        Err(error) => {
            let (path, problem) = (error.path().to_string(), said(error.inner()));
            Error::invalid_argument(field_of(&path, &problem), sentence(&problem))
        }
        Ok(_) => Error::invalid_argument("$", "the arguments cannot be read"),
    }
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
        (".", Some(field)) => field.to_owned(),
        (".", None) => "$".to_owned(),
        (path, Some(field)) if !path.ends_with(field) => format!("{path}.{field}"),
        (path, _) => path.to_owned(),
    }
}

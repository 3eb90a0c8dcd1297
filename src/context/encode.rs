//! Encodes values as JSON, within the budget of the request.

use std::io::{self, Write};

use serde::de::value::{Error as TextError, MapDeserializer};
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, forward_to_deserialize_any};
use serde_json::value::RawValue;

use super::Context;
use super::budget::Reservation;
use super::scope::{Form, Protocol};
use crate::error::{Error, Result};

/// A buffer with a limit: a write beyond it fails before memory is allocated.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
    is_over: bool,
}

/// How many times larger than a response a result may be of which only a part is sent.
const WHOLE: usize = 4;

/// The text of a JSON value that was written a moment ago.
struct Written(String);

impl Context {
    /// The JSON of a function's result, charged to the request: as a part of its response, or, where another function is
    /// the caller, for as long as the result is kept.
    ///
    /// # Errors
    /// `AnswerTooLarge` where it does not fit, `Internal` where it has no JSON form.
    pub(crate) fn encode_answer(
        &self,
        value: &impl Serialize,
        form: Form,
    ) -> Result<(Box<RawValue>, Option<Reservation>)> {
        let budget = self.call.budget();
        let is_nested = self.answers_function();
        let free = match is_nested {
            true => budget.free(),
            false => budget.left(),
        };
        if self.scope.is_cut_later {
            let bytes = self.encode_within(value, budget.most().saturating_mul(WHOLE))?;
            return Ok((raw(bytes)?, None));
        }
        let bytes = self.encode_within(value, free / form.copies())?;
        let cost = form.cost(&bytes, budget.is_quoted());
        let json = raw(bytes)?;
        Ok((json, self.admit(cost)?))
    }

    /// Charges a result that is JSON already, as [`Context::encode_answer`] does.
    ///
    /// # Errors
    /// `AnswerTooLarge` where it does not fit.
    pub(crate) fn admit_json(&self, json: &RawValue, form: Form) -> Result<Option<Reservation>> {
        let is_quoted = self.call.budget().is_quoted();
        self.admit(form.cost(json.get().as_bytes(), is_quoted))
    }

    /// Charges a result of this many bytes that are not JSON: only REST sends them as they are, and not inside a document.
    ///
    /// # Errors
    /// `AnswerTooLarge` where it does not fit.
    pub(crate) fn admit_bytes(&self, bytes: usize) -> Result<Option<Reservation>> {
        let is_raw = self.protocol() == Some(Protocol::Rest)
            && !self.answers_function()
            && !self.call.budget().is_quoted();
        self.admit(match is_raw {
            true => bytes,
            false => bytes.div_ceil(3) * 4,
        })
    }

    fn admit(&self, cost: usize) -> Result<Option<Reservation>> {
        if self.scope.is_cut_later {
            return Ok(None);
        }
        if self.answers_function() {
            let hold = Reservation::of(&self.call, cost);
            return hold.map(Some).ok_or_else(|| self.too_large());
        }
        match self.call.budget().try_charge(cost, 0) {
            true => Ok(None),
            false => Err(self.too_large()),
        }
    }

    /// The JSON of a part of the response.
    ///
    /// # Errors
    /// `AnswerTooLarge` where it does not fit, `Internal` where it has no JSON form.
    pub(crate) fn encode(&self, value: &impl Serialize) -> Result<Box<RawValue>> {
        let budget = self.call.budget();
        let bytes = self.encode_within(value, budget.left())?;
        self.charge(&bytes)?;
        raw(bytes)
    }

    /// Charges bytes that are about to become a part of the response.
    ///
    /// # Errors
    /// `AnswerTooLarge` where they do not fit.
    pub(crate) fn charge(&self, json: &[u8]) -> Result<()> {
        let budget = self.call.budget();
        match budget.try_charge(Form::Json.cost(json, budget.is_quoted()), 0) {
            true => Ok(()),
            false => Err(self.too_large()),
        }
    }

    /// Charges bytes that contain no quotes.
    ///
    /// # Errors
    /// `AnswerTooLarge` where they do not fit.
    pub(crate) fn charge_bytes(&self, bytes: usize) -> Result<()> {
        match self.call.budget().try_charge(bytes, 0) {
            true => Ok(()),
            false => Err(self.too_large()),
        }
    }

    /// Charges bytes that must be sent even beyond the limit: the report of a failure.
    pub(crate) fn charge_unchecked(&self, bytes: usize) {
        self.call.budget().charge(bytes);
    }

    /// Whether there is room for a message before the response. Where the response is not streamed, all such messages
    /// together may take half of it.
    pub(crate) fn has_room_for(&self, message: &[u8]) -> bool {
        let budget = self.call.budget();
        match self.is_whole() {
            true => {
                let cost = Form::Json.cost(message, budget.is_quoted()) + EVENT;
                budget.try_charge(cost, budget.most() / 2)
            }
            false => message.len() <= budget.most(),
        }
    }

    /// Checks that a result of this size may be sent.
    ///
    /// # Errors
    /// `AnswerTooLarge` where it may not.
    pub(crate) fn check_size(&self, bytes: usize) -> Result<()> {
        // The envelope around a function's result was not charged.
        let most = self.call.budget().most().saturating_add(ENVELOPE);
        match bytes <= most {
            true => Ok(()),
            false => Err(self.too_large()),
        }
    }

    /// Reserves bytes for the envelope around nested results, at most half of the bytes that are free.
    pub(crate) fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let budget = self.call.budget();
        let bytes = bytes * self.scope.form.copies();
        Reservation::of(&self.call, bytes.min(budget.free() / 2))
    }

    /// The JSON of a message before the response; `None` where the value has no JSON form or is too large.
    pub(super) fn encode_message(&self, value: &impl Serialize) -> Option<Box<RawValue>> {
        let most = self.call.budget().most();
        raw(self.encode_within(value, most).ok()?).ok()
    }

    /// The JSON of a value, at most `most` bytes.
    fn encode_within(&self, value: &impl Serialize, most: usize) -> Result<Vec<u8>> {
        let mut bounded = Bounded {
            bytes: Vec::with_capacity(512),
            most,
            is_over: false,
        };
        match serde_json::to_writer(&mut bounded, value) {
            Ok(()) => Ok(bounded.bytes),
            Err(_) if bounded.is_over => Err(self.too_large()),
            Err(error) => {
                Err(Error::internal("the result could not be encoded").with_source(error))
            }
        }
    }

    fn too_large(&self) -> Error {
        let budget = self.call.budget();
        let left = match self.answers_function() {
            true => budget.free(),
            false => budget.left(),
        };
        let error = Error::response_too_large(left, budget.most());
        match self.freshness() {
            Some(_) => error.with_context("; the upstream's response is too large"),
            None => error,
        }
    }
}

/// The bytes of the envelope around a message in an event stream.
const EVENT: usize = 32;

/// The most bytes of the envelope around a result.
const ENVELOPE: usize = 16 << 10;

/// JSON that was written a moment ago.
///
/// # Errors
/// `Internal` where it is not UTF-8.
pub(super) fn raw(bytes: Vec<u8>) -> Result<Box<RawValue>> {
    raw_of(String::from_utf8(bytes).map_err(broken)?)
}

/// The raw value of a text that is known to be JSON.
pub(crate) fn raw_of(text: String) -> Result<Box<RawValue>> {
    Box::<RawValue>::deserialize(Written(text)).map_err(broken)
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal("the result could not be encoded").with_source(error)
}

/// Gives the text as it is, the way `serde_json` hands over a raw value. `RawValue::from_string` would read all of it again.
impl<'de> Deserializer<'de> for Written {
    type Error = TextError;

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TextError> {
        visitor.visit_map(MapDeserializer::new(std::iter::once((name, self.0))))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_string(self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    /// JSON is written in many small pieces, each of them as a whole.
    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() > self.most - self.bytes.len() {
            self.is_over = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_text_becomes_the_same_raw_value_as_one_that_is_read_again() {
        for text in [
            "null",
            "-1.5e3",
            r#""ü \"\\ \u0001""#,
            r#"{"a":[1,{"b":[]}],"c":{}}"#,
        ] {
            let read = RawValue::from_string(text.to_owned()).unwrap();
            assert_eq!(raw(text.into()).unwrap().get(), read.get());
        }
        assert!(raw(vec![0xff]).is_err());
    }
}

//! The order in which the fields of an argument struct are declared, which its schema does not keep.

use serde::de::value::Error;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};

/// What a struct asks for when it is decoded: the names of its fields.
struct Probe<'a>(&'a mut &'static [&'static str]);

/// The names of the fields, in the order of their declaration, with their aliases. None where the struct has a flattened
/// field, or is something else.
pub fn fields<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // It ends as soon as the names are known.
    let _ = T::deserialize(Probe(&mut names));
    names
}

fn end<T>() -> Result<T, Error> {
    Err(Error::custom("only the names are asked for"))
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        end()
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        end()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

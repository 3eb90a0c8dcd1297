//! Detects values that are structs: their type makes them JSON objects, so no schema is needed to find out.

use std::any::type_name;
use std::fmt::{self, Display};

use serde::ser::{Impossible, Serialize, Serializer};

/// A serializer that stops at the first call of a value.
struct Root;

/// The kind of the first call.
#[derive(Debug)]
enum Seen {
    Struct(&'static str),
    Other,
}

/// Whether the value is a struct under the name of its type. An enum whose variants are all objects also is; for a
/// value in a wrapper the schema must decide.
pub(super) fn is_struct<T: Serialize>(value: &T) -> bool {
    let name = type_name::<T>().split('<').next().unwrap_or("");
    let name = name.rsplit("::").next();
    matches!(value.serialize(Root), Err(Seen::Struct(own)) if name == Some(own))
}

macro_rules! other {
    ($($method:ident($($type:ty),*) $(<$T:ident>)?;)*) => {$(
        fn $method$(<$T: Serialize + ?Sized>)?(self $(, _: $type)*) -> Result<(), Seen> {
            Err(Seen::Other)
        }
    )*};
}

macro_rules! other_compound {
    ($($method:ident($($type:ty),*) -> $compound:ident;)*) => {$(
        fn $method(self $(, _: $type)*) -> Result<Self::$compound, Seen> {
            Err(Seen::Other)
        }
    )*};
}

impl Serializer for Root {
    type Ok = ();
    type Error = Seen;
    type SerializeSeq = Impossible<(), Seen>;
    type SerializeTuple = Impossible<(), Seen>;
    type SerializeTupleStruct = Impossible<(), Seen>;
    type SerializeTupleVariant = Impossible<(), Seen>;
    type SerializeMap = Impossible<(), Seen>;
    type SerializeStruct = Impossible<(), Seen>;
    type SerializeStructVariant = Impossible<(), Seen>;

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeStruct, Seen> {
        Err(Seen::Struct(name))
    }

    other! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
        serialize_some(&T) <T>;
        serialize_newtype_struct(&'static str, &T) <T>;
        serialize_newtype_variant(&'static str, u32, &'static str, &T) <T>;
    }

    other_compound! {
        serialize_seq(Option<usize>) -> SerializeSeq;
        serialize_tuple(usize) -> SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        serialize_map(Option<usize>) -> SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    }
}

impl serde::ser::Error for Seen {
    fn custom<T: Display>(_: T) -> Seen {
        Seen::Other
    }
}

impl std::error::Error for Seen {}

impl Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("only the root of a value is looked at")
    }
}

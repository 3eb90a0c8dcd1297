//! Where the parameters of a function stand in a request for one of its routes.

use http::HeaderName;
use serde_json::Value;

use crate::registry::location::Location;
use crate::registry::upload::{is_list, is_upload};
use crate::registry::{Route, Tool};

/// JSON, which every body may be.
pub(super) const JSON: &str = "application/json";
/// A form, which every body may be.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
/// A form with files, for functions that take files.
pub(super) const MULTIPART: &str = "multipart/form-data";
/// Bytes of any type, for functions that take one file and nothing beside it.
pub(super) const BYTES: &str = "application/octet-stream";

/// The place of one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header(HeaderName),
    /// In a cookie.
    Cookie(String),
    /// In the body.
    Body,
}

/// The places of all parameters of one route, and what its body may be.
pub(super) struct Binding {
    places: Vec<(String, Place)>,
    takes_files: bool,
    raw: Option<Raw>,
}

/// The file that may be the body as it is.
pub(super) struct Raw {
    /// The parameter.
    pub(super) parameter: String,
    /// The media types that it may have.
    pub(super) types: Vec<String>,
}

impl Place {
    /// The place in words, for a value that stands elsewhere.
    pub(super) fn shown(&self) -> String {
        match self {
            Place::Path => "the path".to_owned(),
            Place::Query => "the query".to_owned(),
            Place::Header(name) => format!("the header `{name}`"),
            Place::Cookie(name) => format!("the cookie `{name}`"),
            Place::Body => "the body".to_owned(),
        }
    }
}

impl Binding {
    /// The places for a declared route; without one, for `POST /api/{name}`, all parameters stand in the body.
    pub(super) fn new(tool: &Tool, route: Option<&Route>) -> Binding {
        let names = tool.parameter_names().into_iter();
        let places = names.map(|name| (name.to_owned(), place(tool, route, name)));
        let places: Vec<(String, Place)> = places.collect();
        let in_body = places.iter().filter(|it| it.1 == Place::Body);
        let in_body = in_body.filter_map(|(name, _)| Some((name, tool.parameters()?.get(name)?)));
        let in_body: Vec<(&String, &Value)> = in_body.collect();
        Binding {
            takes_files: in_body.iter().any(|it| is_upload(it.1) || is_list(it.1)),
            raw: match in_body.as_slice() {
                [(name, schema)] if is_upload(schema) => Some(Raw::new(name, schema)),
                _ => None,
            },
            places,
        }
    }

    /// Every parameter with its place.
    pub(super) fn places(&self) -> &[(String, Place)] {
        &self.places
    }

    /// The place of that parameter, if there is one.
    pub(super) fn place(&self, parameter: &str) -> Option<&Place> {
        let mut places = self.places.iter();
        places.find(|it| it.0 == parameter).map(|it| &it.1)
    }

    /// Whether a parameter stands elsewhere than in the body.
    pub(super) fn has_elsewhere(&self) -> bool {
        self.places.iter().any(|it| it.1 != Place::Body)
    }

    /// The file that may be the body as it is.
    pub(super) fn raw(&self) -> Option<&Raw> {
        self.raw.as_ref()
    }

    /// Whether forms with files are taken.
    pub(super) fn takes_files(&self) -> bool {
        self.takes_files
    }

    /// The media types of bodies, the first one preferred.
    pub(super) fn accepted(&self) -> Vec<&str> {
        let files = self.takes_files.then_some(MULTIPART);
        let raw = self.raw.iter().flat_map(|raw| &raw.types);
        let usual = [JSON, FORM].into_iter().chain(files);
        usual.chain(raw.map(String::as_str)).collect()
    }
}

impl Raw {
    fn new(parameter: &str, schema: &Value) -> Raw {
        let declared = schema.get("x-media-types").and_then(Value::as_array);
        let declared = declared.into_iter().flatten().filter_map(Value::as_str);
        let types = std::iter::once(BYTES).chain(declared).map(str::to_owned);
        Raw {
            parameter: parameter.to_owned(),
            types: types.collect(),
        }
    }

    /// Whether the file may have that media type, given in lower case.
    pub(super) fn takes(&self, media_type: &str) -> bool {
        self.types
            .iter()
            .any(|range| match range.strip_suffix("/*") {
                Some("*") => true,
                Some(family) => media_type.split('/').next() == Some(family),
                None => range.eq_ignore_ascii_case(media_type),
            })
    }
}

fn place(tool: &Tool, route: Option<&Route>, parameter: &str) -> Place {
    let Some(route) = route else {
        return Place::Body;
    };
    if route.parameters().any(|it| it == parameter) {
        return Place::Path;
    }
    match tool.location(parameter) {
        Ok(Some(Location::Query)) => Place::Query,
        Ok(Some(Location::Header(name))) => Place::Header(name),
        Ok(Some(Location::Cookie(name))) => Place::Cookie(name),
        _ if route.takes_body() => Place::Body,
        _ => Place::Query,
    }
}

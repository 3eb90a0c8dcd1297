//! Where the parameters of a function are in a request for one of its routes.

use http::HeaderName;
use serde_json::Value;

use crate::registry::location::Location;
use crate::registry::upload::{is_list, is_upload};
use crate::registry::{Route, Tool};

/// JSON, which every function with a body accepts.
pub(super) const JSON: &str = "application/json";
/// A form, which every function with a body accepts.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
/// A form with files, for functions with `Upload` parameters.
pub(super) const MULTIPART: &str = "multipart/form-data";
/// Any bytes, for functions whose only parameter in the body is one file.
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

/// The places of all parameters of one route, and the accepted types of its body.
pub(super) struct Binding {
    places: Vec<(String, Place)>,
    takes_files: bool,
    raw: Option<Raw>,
}

/// A file that may be sent as the whole body.
pub(super) struct Raw {
    /// The name of the parameter.
    pub(super) parameter: String,
    /// The accepted media types.
    pub(super) types: Vec<String>,
}

impl Place {
    /// The place in words, for an error.
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
    /// The places for a declared route; without one, for `POST /api/{name}`, all parameters are in the body.
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

    /// The place of this parameter, if it exists.
    pub(super) fn place(&self, parameter: &str) -> Option<&Place> {
        let mut places = self.places.iter();
        places.find(|it| it.0 == parameter).map(|it| &it.1)
    }

    /// Whether any parameter is outside the body.
    pub(super) fn has_elsewhere(&self) -> bool {
        self.places.iter().any(|it| it.1 != Place::Body)
    }

    /// The file that may be sent as the whole body.
    pub(super) fn raw(&self) -> Option<&Raw> {
        self.raw.as_ref()
    }

    /// Whether forms with files are accepted.
    pub(super) fn takes_files(&self) -> bool {
        self.takes_files
    }

    /// The accepted media types, the preferred one first.
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

    /// Whether the file may have this media type, which is in lower case.
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

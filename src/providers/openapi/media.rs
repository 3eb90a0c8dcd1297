//! Media types of bodies, and the order in which one of several is taken.

/// How a body of a media type is made or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Media {
    Json,
    Form,
    Multipart,
    Text,
    Bytes,
}

impl Media {
    /// The form of a media type.
    pub(super) fn of(media_type: &str) -> Media {
        match essence(media_type).as_str() {
            _ if is_json(media_type) => Media::Json,
            "application/x-www-form-urlencoded" => Media::Form,
            "multipart/form-data" => Media::Multipart,
            "application/xml"
            | "application/yaml"
            | "application/x-yaml"
            | "application/x-ndjson"
            | "application/graphql"
            | "application/javascript" => Media::Text,
            it if it.starts_with("text/") || it.ends_with("+xml") || it.ends_with("+yaml") => {
                Media::Text
            }
            _ => Media::Bytes,
        }
    }
}

/// Whether a body of this type is JSON.
pub(super) fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    // `*/*` is what documents say that mean JSON and nothing else.
    matches!(
        &*essence,
        "application/json" | "text/json" | "*/*" | "application/*"
    ) || essence.ends_with("+json")
}

/// The type without parameters, in lower case.
pub(super) fn essence(media_type: &str) -> String {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// The type that is named in a request: a range names none.
pub(super) fn concrete(media_type: &str) -> &str {
    match media_type.contains('*') {
        true if is_json(media_type) => "application/json",
        true => "application/octet-stream",
        false => media_type,
    }
}

/// The best of several media types: plain JSON first.
pub(super) fn best<'m>(types: impl Iterator<Item = &'m String>) -> Option<(&'m String, Media)> {
    let types = types.map(|it| (it, Media::of(it)));
    types.min_by_key(|(name, media)| (*media, essence(name) != "application/json"))
}

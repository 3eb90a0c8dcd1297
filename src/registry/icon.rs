//! A picture beside a name in a client's list.

use std::borrow::Cow;

use serde::Serialize;

/// An icon of a server, a function, a document or a prompt; several of them leave the client the choice.
///
/// ```
/// use bifold::{Icon, Server};
/// let icon = Icon::new("https://example.com/icon.png").mime_type("image/png").size("48x48").for_dark();
/// let server = Server::new("greeter", "1.0.0").icon(icon);
/// ```
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Icon {
    src: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sizes: Vec<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    theme: Option<&'static str>,
}

impl Icon {
    /// The picture at an `https:` URL, or in a `data:` URI; clients must not take it from anywhere else.
    pub fn new(src: impl Into<Cow<'static, str>>) -> Icon {
        Icon {
            src: src.into(),
            mime_type: None,
            sizes: Vec::new(),
            theme: None,
        }
    }

    /// Its media type; every client that shows icons knows `image/png` and `image/jpeg`.
    pub fn mime_type(mut self, mime_type: impl Into<Cow<'static, str>>) -> Icon {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// A size in pixels at which it looks good, e.g. `48x48`; `any` for one that can be scaled.
    pub fn size(mut self, size: impl Into<Cow<'static, str>>) -> Icon {
        self.sizes.push(size.into());
        self
    }

    /// It is made for a light background.
    pub fn for_light(mut self) -> Icon {
        self.theme = Some("light");
        self
    }

    /// It is made for a dark background.
    pub fn for_dark(mut self) -> Icon {
        self.theme = Some("dark");
        self
    }

    /// A sentence for everything that clients would refuse.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        let is_known = ["https://", "data:"]
            .iter()
            .any(|it| self.src.starts_with(it));
        if !is_known {
            found.push(format!(
                "its icon `{}` is neither an `https:` URL nor a `data:` URI",
                self.src.chars().take(80).collect::<String>()
            ));
        }
        for size in self.sizes.iter().filter(|it| !is_size(it)) {
            found.push(format!(
                "its icon has the size `{size}`, which is neither `any` nor such as `48x48`"
            ));
        }
        found
    }
}

fn is_size(size: &str) -> bool {
    let is_number = |it: &str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit());
    let pixels = size.split_once('x');
    size == "any" || pixels.is_some_and(|(width, height)| is_number(width) && is_number(height))
}

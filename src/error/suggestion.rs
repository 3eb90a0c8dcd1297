//! Suggestions: known names that are similar to an unknown one.

/// The smallest similarity (Jaro-Winkler, 0 to 1) of a name that is suggested.
const LIKE: f64 = 0.8;

/// The longest name that is compared, in bytes: the time grows with the product of both lengths.
const MOST: usize = 64;

/// The three of `names` that are most similar to `name`, the best first; case is ignored.
pub fn closest<'a>(name: &str, mut names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    closest_of(name, &mut names)
}

/// Not generic, because sorting is much code.
fn closest_of<'a>(name: &str, names: &mut dyn Iterator<Item = &'a str>) -> Vec<&'a str> {
    if name.len() > MOST {
        return Vec::new();
    }
    let wanted = name.to_lowercase();
    let names = names.filter(|known| known.len() <= MOST);
    let mut close: Vec<(f64, &str)> = names
        .map(|known| (strsim::jaro_winkler(&wanted, &known.to_lowercase()), known))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .collect();
    close.sort_by(|a, b| b.0.total_cmp(&a.0));
    close.into_iter().take(3).map(|(_, known)| known).collect()
}

/// The end of a message that suggests the names; empty where there are none.
pub fn hint(close: &[&str]) -> String {
    match close {
        [] => String::new(),
        names => format!(
            "; did you mean {}?",
            names
                .iter()
                .map(|it| format!("`{it}`"))
                .collect::<Vec<_>>()
                .join(" or ")
        ),
    }
}

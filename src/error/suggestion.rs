//! Names close to one that does not exist.

/// The smallest likeness (Jaro-Winkler, 0 to 1) at which a name is worth naming.
const LIKE: f64 = 0.8;

/// The longest name that is compared, in bytes: comparing takes the product of two lengths.
const MOST: usize = 64;

/// The three of `names` that come closest to `name`, the closest first; letters' case does not count.
pub fn closest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
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

/// The half-sentence that names them; empty where there are none.
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

//! Rules for strings: their length, their pattern, their format.

use super::format::Format;
use super::keywords::Bounds;
use super::part::Part;
use super::pattern::Pattern;
use super::violation::Violation;

/// What a string must be.
#[derive(Default)]
pub(super) struct TextRules {
    pub(super) length: Bounds,
    pub(super) pattern: Option<Pattern>,
    pub(super) format: Option<Format>,
}

impl TextRules {
    pub(super) fn is_free(&self) -> bool {
        self.length.is_free() && self.pattern.is_none() && self.format.is_none()
    }

    pub(super) fn check(&self, part: &Part<'_>) -> Result<(), Violation> {
        let text = part.text()?;
        if !self.length.is_free() {
            // As JSON Schema counts: a character outside the basic plane is one.
            self.length.check(text.chars().count(), "character")?;
        }
        match &self.pattern {
            Some(pattern) if !pattern.matches(text) => {
                let problem = format!("must match the pattern `{}`", pattern.source());
                return Err(Violation::new(problem));
            }
            _ => {}
        }
        match self.format {
            Some(format) if !format.fits(text) => {
                Err(Violation::new(format!("must be {}", format.wanted())))
            }
            _ => Ok(()),
        }
    }
}

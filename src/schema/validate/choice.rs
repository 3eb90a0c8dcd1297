//! Schemas that are combined of others.

use super::Check;
use super::node::Id;
use super::part::Part;
use super::violation::Violation;

/// How a value must fit several schemas.
pub(super) enum Choice {
    All(Vec<Id>),
    Any(Vec<Id>),
    One(Vec<Id>),
    Not(Id),
    If {
        condition: Id,
        then: Option<Id>,
        other: Option<Id>,
    },
}

impl Choice {
    pub(super) fn check(&self, check: &Check<'_>, part: &Part<'_>) -> Result<(), Violation> {
        match self {
            Choice::All(schemas) => schemas.iter().try_for_each(|it| check.part(*it, part)),
            Choice::Any(schemas) => any(check, schemas, part),
            Choice::One(schemas) => one(check, schemas, part),
            Choice::Not(schema) => match fits(check, *schema, part)? {
                true => Err(Violation::form("has a form that is not allowed here")),
                false => Ok(()),
            },
            Choice::If {
                condition,
                then,
                other,
            } => {
                let chosen = match fits(check, *condition, part)? {
                    true => then,
                    false => other,
                };
                chosen.map_or(Ok(()), |it| check.part(it, part))
            }
        }
    }
}

/// Whether the value fits; an error only where that cannot be found out.
pub(super) fn fits(check: &Check<'_>, schema: Id, part: &Part<'_>) -> Result<bool, Violation> {
    match check.part(schema, part) {
        Ok(()) => Ok(true),
        Err(violation) if violation.is_limit() => Err(violation),
        Err(_) => Ok(false),
    }
}

fn any(check: &Check<'_>, schemas: &[Id], part: &Part<'_>) -> Result<(), Violation> {
    let mut violations = Vec::new();
    for schema in schemas {
        match check.part(*schema, part) {
            Ok(()) => return Ok(()),
            Err(violation) if violation.is_limit() => return Err(violation),
            Err(violation) => violations.push(violation),
        }
    }
    Err(nearest(violations))
}

fn one(check: &Check<'_>, schemas: &[Id], part: &Part<'_>) -> Result<(), Violation> {
    let mut violations = Vec::new();
    for schema in schemas {
        match check.part(*schema, part) {
            Ok(()) => {}
            Err(violation) if violation.is_limit() => return Err(violation),
            Err(violation) => violations.push(violation),
        }
    }
    match schemas.len() - violations.len() {
        1 => Ok(()),
        0 => Err(nearest(violations)),
        _ => Err(Violation::form(
            "has several of the forms that are allowed here, and must have exactly one",
        )),
    }
}

/// What is wrong with the form that was meant: the one of which the most was right, if only one got as far.
fn nearest(mut violations: Vec<Violation>) -> Violation {
    let values: Option<Vec<&str>> = violations.iter().map(Violation::only_value).collect();
    if let Some(values) = values.filter(|it| it.len() > 1) {
        return Violation::form(format!("must be one of {}", values.join(", ")));
    }
    violations.sort_by_key(|it| std::cmp::Reverse(it.reached()));
    let is_clear = match violations.as_slice() {
        [_] => true,
        [first, second, ..] => first.reached() > second.reached(),
        [] => false,
    };
    match violations.into_iter().next().filter(|_| is_clear) {
        Some(violation) => violation,
        None => Violation::form("has a form that is not allowed here"),
    }
}

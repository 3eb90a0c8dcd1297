//! What is wrong with a value, and where.

/// What breaks a rule.
#[derive(Debug)]
pub(crate) struct Violation {
    path: String,
    problem: String,
    /// How deep in the value it is.
    depth: usize,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The value is not the only one that the schema names.
    Value,
    /// The value is of another form than the schema describes.
    Form,
    /// The value has the form, and breaks a rule.
    Rule,
    /// The check was given up; no other choice may make good for it.
    Limit,
}

impl Violation {
    /// A rule that the value breaks.
    pub(super) fn new(problem: impl Into<String>) -> Violation {
        Violation {
            path: String::new(),
            problem: problem.into(),
            depth: 0,
            kind: Kind::Rule,
        }
    }

    /// A value of a form that is not the one of the schema.
    pub(super) fn form(problem: impl Into<String>) -> Violation {
        Violation {
            kind: Kind::Form,
            ..Violation::new(problem)
        }
    }

    /// A value that is not the only one that is allowed; by such values, choices tell which of them is meant.
    pub(super) fn value(problem: impl Into<String>) -> Violation {
        Violation {
            kind: Kind::Value,
            ..Violation::new(problem)
        }
    }

    /// A check that was given up.
    pub(super) fn limit(problem: &str) -> Violation {
        Violation {
            kind: Kind::Limit,
            ..Violation::new(problem)
        }
    }

    /// The JSON path of what is wrong: `$` for the value as a whole.
    pub(crate) fn path(&self) -> &str {
        match self.path.is_empty() {
            true => "$",
            false => &self.path,
        }
    }

    /// What is wrong with it.
    pub(crate) fn problem(&self) -> &str {
        &self.problem
    }

    pub(super) fn is_limit(&self) -> bool {
        self.kind == Kind::Limit
    }

    /// How much of the value was right before: of several choices, the one that got furthest was meant.
    pub(super) fn reached(&self) -> (usize, usize) {
        match self.kind {
            Kind::Value => (0, 0),
            Kind::Form => (self.depth, 1),
            Kind::Rule | Kind::Limit => (self.depth, 2),
        }
    }

    /// The only value that is allowed, as the problem says it.
    pub(super) fn only_value(&self) -> Option<&str> {
        let is_whole = self.kind == Kind::Value && self.path.is_empty();
        self.problem.strip_prefix("must be ").filter(|_| is_whole)
    }

    /// The same for the object in which the value is a field.
    pub(super) fn in_field(self, name: &str) -> Violation {
        self.inside(name.to_owned())
    }

    /// The same for the array in which the value is an item.
    pub(super) fn in_item(self, index: usize) -> Violation {
        self.inside(format!("[{index}]"))
    }

    /// Of a field that is at fault by its name and not by its value.
    pub(super) fn at_field(self, name: &str) -> Violation {
        let depth = self.depth;
        Violation {
            depth,
            ..self.in_field(name)
        }
    }

    fn inside(self, step: String) -> Violation {
        let path = match self.path.is_empty() || self.path.starts_with('[') {
            true => step + &self.path,
            false => format!("{step}.{}", self.path),
        };
        Violation {
            path,
            depth: self.depth + 1,
            ..self
        }
    }
}

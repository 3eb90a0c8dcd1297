//! The scope map of the settings: scopes that include others, and scopes of principals whose credentials name none.

use std::collections::{BTreeMap, BTreeSet};

use super::principal::{Principal, PrincipalKind};

/// The kinds of principals that the map can name.
const KINDS: [&str; 6] = ["iam:", "cognito:", "jwt:", "authorizer:", "key:", "custom:"];

/// The content of the setting `BIFOLD_AUTH_SCOPE_MAP`.
pub(super) struct ScopeMap {
    /// All scopes that one includes, directly or through others.
    includes: BTreeMap<String, BTreeSet<String>>,
    /// Scopes of principals: the id, or its beginning where a `*` ends it.
    grants: Vec<(String, Vec<String>)>,
}

impl ScopeMap {
    pub(super) fn new(map: &BTreeMap<String, Vec<String>>) -> ScopeMap {
        let is_principal = |name: &str| KINDS.iter().any(|kind| name.starts_with(kind));
        let (grants, scopes): (Vec<_>, Vec<_>) = map.iter().partition(|it| is_principal(it.0));
        let owned = |(name, scopes): (&String, &Vec<String>)| (name.clone(), scopes.clone());
        ScopeMap {
            includes: scopes
                .iter()
                .map(|(name, _)| ((*name).clone(), closure(map, name)))
                .collect(),
            grants: grants.into_iter().map(owned).collect(),
        }
    }

    /// The principal with the scopes that the map gives it.
    pub(super) fn complete(&self, mut principal: Principal) -> Principal {
        let named = match principal.kind() {
            // An id that a user may have chosen must not look like another kind.
            PrincipalKind::Custom => format!("custom:{}", principal.id()),
            _ => principal.id().to_owned(),
        };
        for (pattern, scopes) in &self.grants {
            let is_meant = match pattern.strip_suffix('*') {
                Some(beginning) => named.starts_with(beginning),
                None => *pattern == named,
            };
            if is_meant {
                principal.include(scopes.iter().cloned());
            }
        }
        let all: Vec<String> = principal.scopes().map(str::to_owned).collect();
        for included in all.iter().filter_map(|scope| self.includes.get(scope)) {
            principal.include(included.iter().cloned());
        }
        principal
    }
}

/// Everything that the scope includes.
fn closure(map: &BTreeMap<String, Vec<String>>, scope: &str) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![scope]);
    while let Some(scope) = open.pop() {
        for included in map.get(scope).into_iter().flatten() {
            if found.insert(included.clone()) {
                open.push(included);
            }
        }
    }
    found
}

//! When clients are shown a search instead of the list of functions.

use super::Server;
use crate::config::Config;
use crate::registry::SearchRule;

impl Server {
    /// When clients are shown a search; never without it.
    pub(super) fn search_rule(&self, config: &Config) -> Option<SearchRule> {
        let most = config.search_above;
        (most > 0).then(|| SearchRule {
            above: if self.search { 0 } else { most },
            scope: config.search_scope.clone(),
        })
    }
}

//! Governance: the words for the state of a proposal and the type of its messages.

pub(super) mod list;
mod node;
pub(super) mod proposal;
mod record;
mod tally;

/// The state of a proposal in lower case words: `PROPOSAL_STATUS_VOTING_PERIOD` is `voting`.
fn status(written: &str) -> String {
    let word = written.strip_prefix("PROPOSAL_STATUS_").unwrap_or(written);
    let word = word.strip_suffix("_PERIOD").unwrap_or(word);
    word.to_ascii_lowercase()
}

/// The last word of a message's type without `Msg`: `/cosmos.upgrade.v1beta1.MsgSoftwareUpgrade` is `SoftwareUpgrade`.
fn short_type(url: &str) -> String {
    let word = url.rsplit(['.', '/']).next().unwrap_or(url);
    word.strip_prefix("Msg").unwrap_or(word).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{short_type, status};

    #[test]
    fn words_are_short() {
        for (written, word) in [
            ("PROPOSAL_STATUS_DEPOSIT_PERIOD", "deposit"),
            ("PROPOSAL_STATUS_VOTING_PERIOD", "voting"),
            ("PROPOSAL_STATUS_PASSED", "passed"),
            ("PROPOSAL_STATUS_NEW_THING", "new_thing"),
            ("", ""),
        ] {
            assert_eq!(status(written), word);
        }
        for (url, word) in [
            (
                "/cosmos.upgrade.v1beta1.MsgSoftwareUpgrade",
                "SoftwareUpgrade",
            ),
            ("/cosmos.gov.v1beta1.TextProposal", "TextProposal"),
            ("MsgSend", "Send"),
            ("", ""),
        ] {
            assert_eq!(short_type(url), word);
        }
    }
}

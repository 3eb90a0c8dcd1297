//! The votes of a proposal: shares, quorum, and whether it would pass.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::provenance::amount::Coin;
use crate::provenance::decimal::Decimal;
use crate::provenance::exact::Exact;

/// The voted coins.
#[derive(Serialize, JsonSchema)]
pub(super) struct Tally {
    yes: Votes,
    no: Votes,
    no_with_veto: Votes,
    abstain: Votes,
}

#[derive(Serialize, JsonSchema)]
struct Votes {
    amount: Coin,
    /// Of the votes cast, to eight digits; null before the first vote.
    share: Option<Decimal>,
}

/// The explorer's tally.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TallyRecord {
    pub(super) yes: Option<Answer>,
    pub(super) no: Option<Answer>,
    pub(super) no_with_veto: Option<Answer>,
    pub(super) abstain: Option<Answer>,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) amount: Option<Coin>,
}

/// The explorer's parameters of a vote.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Params {
    total_eligible_amount: Option<Coin>,
    quorum_threshold: Option<Decimal>,
    pass_threshold: Option<Decimal>,
    veto_threshold: Option<Decimal>,
}

/// The four amounts of a complete tally, exactly.
pub(super) struct Count {
    yes: Exact,
    no_with_veto: Exact,
    abstain: Exact,
    cast: Exact,
}

impl TallyRecord {
    /// The tally and its count; `None` if an amount is missing.
    pub(super) fn counted(self) -> Option<(Tally, Count)> {
        let amount = |answer: Option<Answer>| answer?.amount;
        let coins = [
            amount(self.yes)?,
            amount(self.no)?,
            amount(self.no_with_veto)?,
            amount(self.abstain)?,
        ];
        let [yes, no, no_with_veto, abstain] = coins.each_ref().map(|it| Exact::whole(it.amount.0));
        let cast = yes.plus(&no).plus(&no_with_veto).plus(&abstain);
        let count = Count {
            yes,
            no_with_veto,
            abstain,
            cast,
        };
        let [yes, no, no_with_veto, abstain] = coins.map(|amount| Votes {
            share: Exact::whole(amount.amount.0).share_of(&count.cast),
            amount,
        });
        let tally = Tally {
            yes,
            no,
            no_with_veto,
            abstain,
        };
        Some((tally, count))
    }
}

impl Count {
    /// Whether enough of those who may vote have voted; `None` while that is unknown.
    pub(super) fn reaches_quorum(&self, params: &Params) -> Option<bool> {
        let eligible = Exact::whole(params.total_eligible_amount.as_ref()?.amount.0);
        if eligible.is_zero() {
            return None;
        }
        let quorum = Exact::of(params.quorum_threshold.as_ref()?)?;
        Some(self.cast >= eligible.times(&quorum))
    }

    /// Whether the proposal would pass with these votes; `None` while that is unknown.
    pub(super) fn passes(&self, params: &Params) -> Option<bool> {
        let has_quorum = self.reaches_quorum(params)?;
        let veto = Exact::of(params.veto_threshold.as_ref()?)?;
        let threshold = Exact::of(params.pass_threshold.as_ref()?)?;
        let decided = self.cast.minus(&self.abstain)?;
        Some(
            has_quorum
                && !decided.is_zero()
                && self.no_with_veto <= self.cast.times(&veto)
                && self.yes > decided.times(&threshold),
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Params, TallyRecord};

    fn coin(amount: u64) -> Value {
        json!({"amount": {"amount": amount.to_string(), "denom": "nhash"}})
    }

    /// Quorum and verdict of 1,000 eligible coins, for votes of yes, no, veto and abstain.
    fn verdict([yes, no, veto, abstain]: [u64; 4]) -> (Option<bool>, Option<bool>) {
        let tally = json!({"yes": coin(yes), "no": coin(no), "noWithVeto": coin(veto), "abstain": coin(abstain)});
        let params = json!({
            "totalEligibleAmount": {"amount": "1000", "denom": "nhash"},
            "quorumThreshold": "0.334", "passThreshold": "0.5", "vetoThreshold": "0.334",
        });
        let tally: TallyRecord = serde_json::from_str(&tally.to_string()).unwrap();
        let params: Params = serde_json::from_str(&params.to_string()).unwrap();
        let (_, count) = tally.counted().unwrap();
        (count.reaches_quorum(&params), count.passes(&params))
    }

    #[test]
    fn quorum_threshold_and_veto_decide() {
        for (votes, quorum, passes) in [
            ([334, 0, 0, 0], true, true),
            ([333, 0, 0, 0], false, false),
            ([200, 200, 0, 0], true, false),
            ([201, 200, 0, 0], true, true),
            ([201, 0, 200, 0], true, false),
            ([666, 0, 334, 0], true, true),
            ([665, 0, 335, 0], true, false),
            ([0, 0, 0, 1000], true, false),
            ([1, 0, 0, 999], true, true),
            ([0, 0, 0, 0], false, false),
        ] {
            assert_eq!(verdict(votes), (Some(quorum), Some(passes)), "{votes:?}");
        }
    }
}

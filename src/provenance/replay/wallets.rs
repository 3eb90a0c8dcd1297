//! The recorded wallets: two captured ones, and invented addresses for cases without a capture.

use std::borrow::Cow;

/// A continuous vesting account with delegations, rewards and commitments.
pub const VESTING: &str = "pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8";
/// An account of 32 bytes without vesting or delegation.
pub const PLAIN: &str = "pb1dsuqw9wn7r0g8m9pm6em8es3fh0l52zrlequcwvnw5yjfkwrqp5scax55t";
/// A wallet with unbonding and redelegations, and commitments to two markets.
pub const MOVING: &str = "pb1qyqszqgpqyqszqgpqyqszqgpqyqszqgpma2mqq";
/// A periodic vesting account.
pub const PERIODIC: &str = "pb1qgpqyqszqgpqyqszqgpqyqszqgpqyqsz2ev7tk";
/// A permanently locked account.
pub const PERMANENT: &str = "pb1qvpsxqcrqvpsxqcrqvpsxqcrqvpsxqcrtfdlph";
/// A delayed vesting account.
pub const DELAYED: &str = "pb1qszqgpqyqszqgpqyqszqgpqyqszqgpqyte26xt";

const NEVER_USED: &str = "pb1<valid-but-never-used>";
const ACCOUNT: &str = include_str!("recorded/explorer_v2_accounts_ADDR.json");
const NO_BALANCE: &str = r#"{"total":{"amount":"0","denom":"nhash","pricePerToken":null,"totalBalancePrice":null},"spendable":{"amount":"0","denom":"nhash","pricePerToken":null,"totalBalancePrice":null},"locked":{"amount":"0","denom":"nhash","pricePerToken":null,"totalBalancePrice":null}}"#;
const DELAYED_SCHEDULE: &str = r#"{"dataAsOfDate":"2025-11-18T12:00:00","endTime":"2026-06-01T00:00:00","originalVestingList":[{"amount":"4000000000000","denom":"nhash"}],"startTime":"2025-11-18T12:00:00","periodicVestingList":[{"length":0,"coins":[{"amount":"4000000000000","denom":"nhash"}],"vestingDate":"2026-06-01T00:00:00","isVested":false}],"currentlyVested":[]}"#;

/// The recorded bodies of one wallet.
pub(super) struct Wallet {
    account: &'static str,
    account_type: Option<&'static str>,
    pub(super) vesting: Option<&'static str>,
    pub(super) delegations: &'static str,
    pub(super) rewards: &'static str,
    pub(super) unbonding: &'static str,
    pub(super) redelegations: &'static str,
    pub(super) balances: &'static str,
    pub(super) priced_balances: &'static str,
    pub(super) utility_token: &'static str,
    pub(super) commitments: &'static str,
}

/// A wallet that was never used; every other valid address gets it.
const UNUSED: Wallet = Wallet {
    account: include_str!("recorded/explorer_v2_accounts_ADDR_unknown.json"),
    account_type: None,
    vesting: None,
    delegations: include_str!("recorded/explorer_v2_accounts_ADDR_delegations_empty.json"),
    rewards: include_str!("recorded/explorer_v2_accounts_ADDR_rewards_empty.json"),
    unbonding: include_str!("recorded/explorer_v2_accounts_ADDR_unbonding_empty.json"),
    redelegations: include_str!("recorded/explorer_v2_accounts_ADDR_redelegations_empty.json"),
    balances: include_str!("recorded/explorer_v2_accounts_ADDR_balances_empty.json"),
    priced_balances: include_str!("recorded/explorer_v2_accounts_ADDR_balances_empty.json"),
    utility_token: NO_BALANCE,
    commitments: include_str!("recorded/lcd_exchange_v1_commitments_account_ADDR_empty.json"),
};

/// The wallet of this address; `None` if the upstreams could not decode the address.
pub(super) fn find(address: &str) -> Option<Wallet> {
    let (prefix, bytes) = bech32::decode(address).ok()?;
    if !matches!(prefix.as_str(), "pb" | "tp") || !matches!(bytes.len(), 20 | 32) {
        return None;
    }
    let vesting = |account_type, schedule| Wallet {
        account: ACCOUNT,
        account_type: Some(account_type),
        vesting: Some(schedule),
        ..UNUSED
    };
    Some(match address {
        VESTING => Wallet {
            account: ACCOUNT,
            vesting: Some(include_str!(
                "recorded/explorer_v3_accounts_ADDR_vesting_2025-11-18.json"
            )),
            delegations: include_str!("recorded/explorer_v2_accounts_ADDR_delegations.json"),
            rewards: include_str!("recorded/explorer_v2_accounts_ADDR_rewards.json"),
            balances: include_str!("recorded/explorer_v2_accounts_ADDR_balances.json"),
            priced_balances: include_str!("recorded/explorer_v3_accounts_ADDR_balances.json"),
            utility_token: include_str!(
                "recorded/explorer_v3_accounts_ADDR_balances_utility_token.json"
            ),
            commitments: include_str!("recorded/lcd_exchange_v1_commitments_account_ADDR.json"),
            ..UNUSED
        },
        PLAIN => Wallet {
            account: include_str!("recorded/explorer_v2_accounts_ADDR_nonvesting.json"),
            ..UNUSED
        },
        MOVING => Wallet {
            delegations: include_str!("recorded/explorer_v2_accounts_ADDR_delegations.json"),
            rewards: include_str!("recorded/explorer_v2_accounts_ADDR_rewards.json"),
            unbonding: include_str!("recorded/explorer_v2_accounts_ADDR_unbonding.json"),
            redelegations: include_str!("recorded/explorer_v2_accounts_ADDR_redelegations.json"),
            commitments: include_str!(
                "recorded/lcd_exchange_v1_commitments_account_two_markets.json"
            ),
            ..UNUSED
        },
        PERIODIC => vesting(
            "Periodic Vesting Account",
            include_str!("recorded/explorer_v3_accounts_ADDR_vesting_periodic.json"),
        ),
        PERMANENT => vesting(
            "Permanent Locked Account",
            include_str!("recorded/explorer_v3_accounts_ADDR_vesting_permanent_locked.json"),
        ),
        DELAYED => vesting("Delayed Vesting Account", DELAYED_SCHEDULE),
        _ => UNUSED,
    })
}

/// The recorded body with `address` in the place of the recorded address.
pub(super) fn addressed(body: Cow<'static, str>, address: &str) -> Cow<'static, str> {
    let recorded = [VESTING, PLAIN, NEVER_USED]
        .into_iter()
        .find(|it| *it != address && body.contains(it));
    recorded
        .map(|it| body.replace(it, address).into())
        .unwrap_or(body)
}

impl Wallet {
    pub(super) fn account(&self) -> Cow<'static, str> {
        match self.account_type {
            Some(account_type) => self
                .account
                .replace("Continuous Vesting Account", account_type)
                .into(),
            None => self.account.into(),
        }
    }
}

use anchor_lang::prelude::*;

/// Refusals. Codes are append-only; each hundred is a topic.
#[error_code]
#[derive(PartialEq, Eq)]
pub enum YieldError {
    // 0: pools
    #[msg("Wait until the model's offering has succeeded: there is no token to stake before")]
    OfferingNotSucceeded = 0,
    #[msg("Pass the accounts of the pool's model")]
    WrongModel = 1,
    #[msg("Pass the mint of the pool's tokens")]
    WrongTokenMint = 2,
    #[msg("Pass the mint of the pool's revenue")]
    WrongRevenueMint = 3,
    #[msg("Only the revenue escrow may deposit")]
    NotDepositor = 4,
    #[msg("Pass the developer's vesting account if the developer has tokens, and none otherwise")]
    DeveloperVestingMissing = 5,
    #[msg("Pass the model's present developer, or the investor whose tokens vest")]
    WrongBeneficiary = 6,

    // 100: stakes
    #[msg("Give an amount above zero")]
    AmountIsZero = 100,
    #[msg("The epoch has changed since the transaction was made: make it again with the new one")]
    WrongActivationEpoch = 101,
    #[msg("The position holds less than that: give a smaller amount")]
    StakeTooSmall = 102,
    #[msg("The position is not empty: unstake and claim first")]
    PositionNotEmpty = 103,
    #[msg("Pass the owner of the position")]
    WrongOwner = 104,
    #[msg("The token account holds less than that: give a smaller amount, or unstake first")]
    NotEnoughTokens = 105,

    #[msg("Claim the commitment first: until then nobody knows what vests")]
    CommitmentUnclaimed = 106,
    #[msg("Nothing of this commitment vests")]
    NothingVests = 107,
    #[msg("Something is left: release what vests and claim the yield first")]
    VestingNotEmpty = 108,

    // 200: epochs
    #[msg("Pass the mark of each epoch that is due, and of the position's pending stake")]
    EpochMarkMissing = 200,
    #[msg("Pass marks of this pool")]
    WrongPool = 201,
    #[msg("Positions still wait for this epoch: claim for them first")]
    EpochMarkInUse = 202,
    #[msg("The rent goes back to who paid it: pass the account's rent_payer")]
    WrongRentPayer = 203,

    // 300: money
    #[msg("So few tokens redeem nothing: redeem more, or wait for more revenue")]
    RedeemsNothing = 300,
    #[msg("A sum does not fit: use smaller amounts")]
    ArithmeticOverflow = 301,
    #[msg("A vault would hold less than it owes")]
    VaultShort = 302,
    #[msg("The accounts contradict each other; nothing was changed")]
    InconsistentState = 303,

    // 500: claims to another account
    #[msg("Sign as the position's owner, or as its delegate and pass the delegation")]
    NotOwnerOrDelegate = 500,
    #[msg("A delegate has the yield paid to the account that the owner fixed, and to no other")]
    WrongDestination = 501,
    #[msg("There is nothing to claim")]
    NothingToClaim = 502,
    #[msg("Name a delegate and a token account; to have none, revoke the delegation")]
    NobodyDelegated = 503,
}

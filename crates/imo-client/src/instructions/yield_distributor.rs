//! Instructions of yield-distributor. Deposits are the escrow's and have no function here.

use ::model_token::{
    constants::RELEASER,
    state::{Commitment, Offering},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use solana_sdk_ids::system_program;
use yield_distributor::{
    ID, accounts,
    constants::ACTIVATION_EPOCHS,
    instruction,
    state::{ClaimDelegation, EpochMark, Pool, Position, Vesting},
};

use super::build;
use crate::addresses::{self, model_token, revenue_escrow, yield_distributor as address};

/// The marks of the epochs whose stake has become active and is not counted yet: every deposit and every stake needs them.
pub fn due_marks(pool: &Pool, now_epoch: u64) -> [Option<Pubkey>; 2] {
    let pool_address = address::pool(&pool.model);
    pool.pending.map(|bucket| {
        (bucket.units > 0 && bucket.epoch <= now_epoch).then(|| address::epoch_mark(&pool_address, bucket.epoch))
    })
}

/// The mark that a position's pending stake waits for, or was not settled with yet.
fn position_mark(position: &Position) -> Option<Pubkey> {
    (position.pending_units > 0).then(|| address::epoch_mark(&position.pool, position.pending_epoch))
}

/// Anyone, once the model's offering succeeded.
pub fn create_pool(payer: Pubkey, offering: &Offering) -> Instruction {
    let (model, revenue_mint) = (offering.model, offering.payment_mint);
    let pool = address::pool(&model);
    let accounts = accounts::CreatePool {
        payer,
        protocol: model_token::protocol(),
        model,
        offering: model_token::offering(&model),
        token_mint: model_token::mint(&model),
        revenue_mint,
        pool,
        stake_vault: address::stake_vault(&pool),
        revenue_vault: address::revenue_vault(&pool),
        developer_vesting: (offering.developer_units > 0).then(|| address::vesting(&pool, &model)),
        token_program: anchor_spl::token_2022::ID,
        revenue_token_program: anchor_spl::token::ID,
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::CreatePool {})
}

/// Signed by the owner, whose associated account the tokens come from. `pool` and `position` (`None` when there is none) are as the chain has them, `now_epoch` is
/// the slot divided by the pool's `epoch_slots`.
pub fn stake(
    owner: Pubkey,
    payer: Pubkey,
    pool: &Pool,
    position: Option<&Position>,
    now_epoch: u64,
    amount_units: u64,
) -> Instruction {
    let pool_address = address::pool(&pool.model);
    let activation_epoch = now_epoch.saturating_add(ACTIVATION_EPOCHS);
    let mark = address::epoch_mark(&pool_address, activation_epoch);
    let [mark_a, mark_b] = due_marks(pool, now_epoch);
    // Each account once: what is due for the pool or the target is there already.
    let position_mark = position
        .and_then(position_mark)
        .filter(|waiting| ![Some(mark), mark_a, mark_b].contains(&Some(*waiting)));
    let accounts = accounts::Stake {
        owner,
        payer,
        protocol: model_token::protocol(),
        pool: pool_address,
        position: address::position(&pool_address, &owner),
        mark,
        mark_a,
        mark_b,
        position_mark,
        token_mint: pool.token_mint,
        owner_tokens: addresses::token_account(&owner, &pool.token_mint),
        stake_vault: address::stake_vault(&pool_address),
        token_program: anchor_spl::token_2022::ID,
        system_program: system_program::ID,
    };
    build(
        ID,
        accounts,
        instruction::Stake {
            amount_units,
            activation_epoch,
        },
    )
}

/// Signed by the owner, to whose associated account the tokens go.
pub fn unstake(pool: &Pool, position: &Position, amount_units: u64) -> Instruction {
    let pool_address = address::pool(&pool.model);
    let owner = position.owner;
    let accounts = accounts::Unstake {
        owner,
        pool: pool_address,
        position: address::position(&pool_address, &owner),
        position_mark: position_mark(position),
        token_mint: pool.token_mint,
        owner_tokens: addresses::token_account(&owner, &pool.token_mint),
        stake_vault: address::stake_vault(&pool_address),
        token_program: anchor_spl::token_2022::ID,
    };
    build(ID, accounts, instruction::Unstake { amount_units })
}

/// Anyone; pays the position's owner.
pub fn claim(payer: Pubkey, pool: &Pool, position: &Position) -> Instruction {
    let pool_address = address::pool(&pool.model);
    let owner = position.owner;
    let accounts = accounts::Claim {
        payer,
        owner,
        pool: pool_address,
        position: address::position(&pool_address, &owner),
        position_mark: position_mark(position),
        revenue_mint: pool.revenue_mint,
        revenue_vault: address::revenue_vault(&pool_address),
        owner_revenue: addresses::payment_account(&owner, &pool.revenue_mint),
        token_program: anchor_spl::token::ID,
        associated_token_program: anchor_spl::associated_token::ID,
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::Claim {})
}

/// Signed by the owner, who names any token account of the revenue mint.
pub fn claim_to(pool: &Pool, position: &Position, destination: Pubkey) -> Instruction {
    build_claim_to(position.owner, pool, position, None, destination)
}

/// Signed by the owner's delegate; pays the account that the owner fixed.
pub fn claim_by_delegate(pool: &Pool, position: &Position, delegation: &ClaimDelegation) -> Instruction {
    let address = address::claim_delegation(&delegation.pool, &delegation.owner);
    build_claim_to(
        delegation.delegate,
        pool,
        position,
        Some(address),
        delegation.destination,
    )
}

fn build_claim_to(
    claimer: Pubkey,
    pool: &Pool,
    position: &Position,
    delegation: Option<Pubkey>,
    destination: Pubkey,
) -> Instruction {
    let pool_address = address::pool(&pool.model);
    let accounts = accounts::ClaimTo {
        claimer,
        pool: pool_address,
        position: address::position(&pool_address, &position.owner),
        position_mark: position_mark(position),
        delegation,
        revenue_mint: pool.revenue_mint,
        revenue_vault: address::revenue_vault(&pool_address),
        destination,
        token_program: anchor_spl::token::ID,
    };
    build(ID, accounts, instruction::ClaimTo {})
}

/// Signed by the owner, in place of any earlier delegate.
pub fn set_claim_delegate(
    owner: Pubkey,
    payer: Pubkey,
    pool: Pubkey,
    delegate: Pubkey,
    destination: Pubkey,
) -> Instruction {
    let accounts = accounts::SetClaimDelegate {
        owner,
        payer,
        pool,
        delegation: address::claim_delegation(&pool, &owner),
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::SetClaimDelegate { delegate, destination })
}

/// Signed by the owner; the rent goes back to who paid it.
pub fn revoke_claim_delegate(delegation: &ClaimDelegation) -> Instruction {
    let accounts = accounts::RevokeClaimDelegate {
        owner: delegation.owner,
        delegation: address::claim_delegation(&delegation.pool, &delegation.owner),
        rent_payer: delegation.rent_payer,
    };
    build(ID, accounts, instruction::RevokeClaimDelegate {})
}

/// Signed by the owner, whose tokens are burned.
pub fn redeem(owner: Pubkey, payer: Pubkey, pool: &Pool, amount_units: u64) -> Instruction {
    let pool_address = address::pool(&pool.model);
    let accounts = accounts::Redeem {
        owner,
        payer,
        pool: pool_address,
        token_mint: pool.token_mint,
        owner_tokens: addresses::token_account(&owner, &pool.token_mint),
        revenue_mint: pool.revenue_mint,
        revenue_vault: address::revenue_vault(&pool_address),
        owner_revenue: addresses::payment_account(&owner, &pool.revenue_mint),
        token_program: anchor_spl::token_2022::ID,
        revenue_token_program: anchor_spl::token::ID,
        associated_token_program: anchor_spl::associated_token::ID,
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::Redeem { amount_units })
}

/// Anyone, once no position needs it; the rent goes back to who paid it.
pub fn close_epoch_mark(mark: &EpochMark) -> Instruction {
    let accounts = accounts::CloseEpochMark {
        pool: mark.pool,
        mark: address::epoch_mark(&mark.pool, mark.epoch),
        rent_payer: mark.rent_payer,
    };
    build(ID, accounts, instruction::CloseEpochMark {})
}

/// Anyone, once nothing is left in it; the rent goes back to who paid it.
pub fn close_position(position: &Position) -> Instruction {
    let accounts = accounts::ClosePosition {
        position: address::position(&position.pool, &position.owner),
        rent_payer: position.rent_payer,
    };
    build(ID, accounts, instruction::ClosePosition {})
}

/// Anyone, once the investor's commitment is claimed and something of it vests.
pub fn open_vesting(payer: Pubkey, pool: &Pool, investor: Pubkey) -> Instruction {
    let pool_address = address::pool(&pool.model);
    let offering = model_token::offering(&pool.model);
    let accounts = accounts::OpenVesting {
        payer,
        pool: pool_address,
        offering,
        commitment: model_token::commitment(&offering, &investor),
        vesting: address::vesting(&pool_address, &investor),
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::OpenVesting {})
}

/// Anyone, once something has vested; pays the investor's associated account, which must be there.
pub fn release_vested(pool: &Pool, commitment: &Commitment) -> Instruction {
    let pool_address = address::pool(&pool.model);
    let Commitment {
        offering,
        investor,
        rent_payer,
        ..
    } = *commitment;
    let accounts = accounts::ReleaseVested {
        pool: pool_address,
        vesting: address::vesting(&pool_address, &investor),
        offering,
        commitment: model_token::commitment(&offering, &investor),
        investor,
        rent_payer,
        token_mint: pool.token_mint,
        token_vault: model_token::token_vault(&offering),
        investor_tokens: addresses::token_account(&investor, &pool.token_mint),
        releaser: RELEASER,
        model_token: ::model_token::ID,
        token_program: anchor_spl::token_2022::ID,
    };
    build(ID, accounts, instruction::ReleaseVested {})
}

/// Anyone, once something of the developer's has vested and every tranche that had to be earned is decided; pays the present developer's associated account,
/// which must be there.
pub fn release_developer(pool: &Pool, developer: Pubkey) -> Instruction {
    let pool_address = address::pool(&pool.model);
    let offering = model_token::offering(&pool.model);
    let accounts = accounts::ReleaseDeveloper {
        pool: pool_address,
        vesting: address::vesting(&pool_address, &pool.model),
        offering,
        model: pool.model,
        developer,
        token_mint: pool.token_mint,
        token_vault: model_token::token_vault(&offering),
        developer_tokens: addresses::token_account(&developer, &pool.token_mint),
        releaser: RELEASER,
        model_token: ::model_token::ID,
        token_program: anchor_spl::token_2022::ID,
    };
    build(ID, accounts, instruction::ReleaseDeveloper {})
}

/// Anyone; pays the investor or, for the developer's tokens, the present developer, whose associated account must be there.
pub fn claim_vesting(pool: &Pool, vesting: &Vesting, beneficiary: Pubkey) -> Instruction {
    let accounts = accounts::ClaimVesting {
        pool: vesting.pool,
        model: pool.model,
        vesting: address::vesting(&vesting.pool, &vesting.owner),
        beneficiary,
        revenue_mint: pool.revenue_mint,
        revenue_vault: address::revenue_vault(&vesting.pool),
        beneficiary_revenue: addresses::payment_account(&beneficiary, &pool.revenue_mint),
        token_program: anchor_spl::token::ID,
    };
    build(ID, accounts, instruction::ClaimVesting {})
}

/// Anyone, once nothing is left in it; the rent goes back to who paid it.
pub fn close_vesting(vesting: &Vesting) -> Instruction {
    let accounts = accounts::CloseVesting {
        vesting: address::vesting(&vesting.pool, &vesting.owner),
        rent_payer: vesting.rent_payer,
    };
    build(ID, accounts, instruction::CloseVesting {})
}

/// Anyone, once the tranche is missed. `offering` is as the chain has it.
pub fn miss_tranche(offering: &Offering, index: u8) -> Instruction {
    let pool = address::pool(&offering.model);
    let address_of_offering = model_token::offering(&offering.model);
    let has_tokens = offering.developer_left_units().is_ok_and(|units| units > 0);
    let accounts = accounts::MissTranche {
        pool,
        vesting: has_tokens.then(|| address::vesting(&pool, &offering.model)),
        offering: address_of_offering,
        revenue_mint: offering.payment_mint,
        payment_vault: model_token::payment_vault(&address_of_offering),
        revenue_vault: address::revenue_vault(&pool),
        model_vault: revenue_escrow::vault(&offering.model),
        token_mint: offering.mint,
        token_vault: model_token::token_vault(&address_of_offering),
        releaser: RELEASER,
        model_token: ::model_token::ID,
        revenue_token_program: anchor_spl::token::ID,
        token_program: anchor_spl::token_2022::ID,
    };
    build(ID, accounts, instruction::MissTranche { index })
}

/// Anyone, once every commitment is claimed.
pub fn sweep_dust(pool: &Pool) -> Instruction {
    let offering = model_token::offering(&pool.model);
    let pool_address = address::pool(&pool.model);
    let accounts = accounts::SweepDust {
        pool: pool_address,
        offering,
        revenue_mint: pool.revenue_mint,
        payment_vault: model_token::payment_vault(&offering),
        revenue_vault: address::revenue_vault(&pool_address),
        token_mint: pool.token_mint,
        token_vault: model_token::token_vault(&offering),
        releaser: RELEASER,
        model_token: ::model_token::ID,
        revenue_token_program: anchor_spl::token::ID,
        token_program: anchor_spl::token_2022::ID,
    };
    build(ID, accounts, instruction::SweepDust {})
}

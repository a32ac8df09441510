//! The model's token: Token-2022 with its metadata in the mint and no other extension, so that it trades wherever fees, hooks and
//! freezes are refused.

use anchor_lang::{
    prelude::*,
    system_program::{Allocate, Assign, CreateAccount, Transfer, allocate, assign, create_account, transfer},
};
use anchor_spl::{
    compat::spl_token_metadata_interface::state::Field,
    token_2022::{
        InitializeAccount3, InitializeMint2, MintTo, SetAuthority, Token2022, initialize_account3, initialize_mint2,
        mint_to, set_authority,
        spl_token_2022::{
            extension::ExtensionType,
            instruction::AuthorityType,
            state::{Account as TokenState, Mint as MintState},
        },
    },
    token_2022_extensions::{
        MetadataPointerInitialize, TokenMetadataInitialize, TokenMetadataUpdateField, metadata_pointer_initialize,
        token_metadata_initialize, token_metadata_update_field,
    },
};

use crate::{
    constants::TOKEN_DECIMALS,
    errors::ModelTokenError,
    state::{MINT_SEED, MODEL_SEED, Metadata, Model, Offering, TOKEN_VAULT_SEED},
};

/// Bytes of a metadata entry besides its three texts: type and length 4, update authority and mint 64, three text lengths and the
/// count of further entries 16.
const METADATA_FIXED_LEN: usize = 4 + 64 + 16;

/// What a mint and its vault are made of.
pub struct ModelMint<'a, 'info> {
    pub payer: AccountInfo<'info>,
    pub model: &'a Account<'info, Model>,
    pub offering: &'a Account<'info, Offering>,
    pub mint: AccountInfo<'info>,
    pub token_vault: AccountInfo<'info>,
    pub token_program: AccountInfo<'info>,
    pub system_program: Pubkey,
}

impl<'info> ModelMint<'_, 'info> {
    /// Makes the mint with its metadata, mints the whole supply into the vault and gives up the right to mint. The model's address
    /// stays the authority of the metadata, which only `apply_metadata` uses.
    pub fn create(&self) -> Result<()> {
        self.create_mint()?;
        self.create_vault()?;
        self.mint_supply()
    }

    fn create_mint(&self) -> Result<()> {
        let space = ExtensionType::try_calculate_account_len::<MintState>(&[ExtensionType::MetadataPointer])?;
        // Token-2022 grows the mint itself when it writes the metadata, and wants the rent of the final size to be there.
        let final_space = [METADATA_FIXED_LEN, self.model.metadata.token_text_len()]
            .into_iter()
            .try_fold(space, usize::checked_add)
            .ok_or(ModelTokenError::ArithmeticOverflow)?;
        self.claim_address(
            &self.mint,
            space,
            final_space,
            &[MINT_SEED, self.offering.model.as_ref(), &[self.offering.mint_bump]],
        )?;
        metadata_pointer_initialize(
            CpiContext::new(
                self.token_program.key(),
                MetadataPointerInitialize {
                    token_program_id: self.token_program.clone(),
                    mint: self.mint.clone(),
                },
            ),
            None,
            Some(self.mint.key()),
        )?;
        initialize_mint2(
            CpiContext::new(
                self.token_program.key(),
                InitializeMint2 {
                    mint: self.mint.clone(),
                },
            ),
            TOKEN_DECIMALS,
            &self.model.key(),
            None,
        )?;
        token_metadata_initialize(
            CpiContext::new_with_signer(
                self.token_program.key(),
                TokenMetadataInitialize {
                    program_id: self.token_program.clone(),
                    metadata: self.mint.clone(),
                    update_authority: self.model.to_account_info(),
                    mint_authority: self.model.to_account_info(),
                    mint: self.mint.clone(),
                },
                &[&model_seeds(self.model, &self.model.index_seed(), &[self.model.bump])],
            ),
            self.model.metadata.name.clone(),
            self.model.metadata.symbol.clone(),
            self.model.metadata.uri.clone(),
        )
    }

    fn create_vault(&self) -> Result<()> {
        let space = ExtensionType::try_calculate_account_len::<TokenState>(&[])?;
        let offering = self.offering.key();
        self.claim_address(
            &self.token_vault,
            space,
            space,
            &[TOKEN_VAULT_SEED, offering.as_ref(), &[self.offering.token_vault_bump]],
        )?;
        initialize_account3(CpiContext::new(
            self.token_program.key(),
            InitializeAccount3 {
                account: self.token_vault.clone(),
                mint: self.mint.clone(),
                authority: self.offering.to_account_info(),
            },
        ))
    }

    fn mint_supply(&self) -> Result<()> {
        let index = self.model.index_seed();
        let bump = [self.model.bump];
        let seeds = model_seeds(self.model, &index, &bump);
        mint_to(
            CpiContext::new_with_signer(
                self.token_program.key(),
                MintTo {
                    mint: self.mint.clone(),
                    to: self.token_vault.clone(),
                    authority: self.model.to_account_info(),
                },
                &[&seeds],
            ),
            self.offering.supply_units()?,
        )?;
        set_authority(
            CpiContext::new_with_signer(
                self.token_program.key(),
                SetAuthority {
                    current_authority: self.model.to_account_info(),
                    account_or_mint: self.mint.clone(),
                },
                &[&seeds],
            ),
            AuthorityType::MintTokens,
            None,
        )
    }

    /// Makes an account of the token program at an address of ours. Whatever lamports somebody sent there before are kept and count
    /// towards the rent: `create_account`, which is cheaper, would refuse them, and so let anyone block a settlement.
    fn claim_address(
        &self,
        account: &AccountInfo<'info>,
        space: usize,
        rent_space: usize,
        seeds: &[&[u8]],
    ) -> Result<()> {
        let rent_lamports = Rent::get()?.minimum_balance(rent_space);
        let size = u64::try_from(space).map_err(|_| ModelTokenError::ArithmeticOverflow)?;
        if account.lamports() == 0 {
            let accounts = CreateAccount {
                from: self.payer.clone(),
                to: account.clone(),
            };
            return create_account(
                CpiContext::new_with_signer(self.system_program, accounts, &[seeds]),
                rent_lamports,
                size,
                &self.token_program.key(),
            );
        }
        let missing_lamports = rent_lamports.saturating_sub(account.lamports());
        if missing_lamports > 0 {
            let accounts = Transfer {
                from: self.payer.clone(),
                to: account.clone(),
            };
            transfer(CpiContext::new(self.system_program, accounts), missing_lamports)?;
        }
        let accounts = Allocate {
            account_to_allocate: account.clone(),
        };
        allocate(
            CpiContext::new_with_signer(self.system_program, accounts, &[seeds]),
            size,
        )?;
        let accounts = Assign {
            account_to_assign: account.clone(),
        };
        assign(
            CpiContext::new_with_signer(self.system_program, accounts, &[seeds]),
            &self.token_program.key(),
        )
    }
}

/// Gives a token other texts. They must be proposed and applied, because this is the only use of the authority over the metadata. `payer` pays for what the
/// mint grows.
pub fn update_token_metadata<'info>(
    payer: &Signer<'info>,
    model: &Account<'info, Model>,
    mint: &AccountInfo<'info>,
    token_program: &Program<'info, Token2022>,
    metadata: &Metadata,
) -> Result<()> {
    let overflow = ModelTokenError::ArithmeticOverflow;
    let space = mint
        .data_len()
        .checked_sub(model.metadata.token_text_len())
        .and_then(|space| space.checked_add(metadata.token_text_len()))
        .ok_or(overflow)?;
    // Each text is written in turn, so that the mint may be larger for a moment than in the end. Only the end counts.
    let missing_lamports = Rent::get()?.minimum_balance(space).saturating_sub(mint.lamports());
    if missing_lamports > 0 {
        let accounts = Transfer {
            from: payer.to_account_info(),
            to: mint.clone(),
        };
        transfer(CpiContext::new(System::id(), accounts), missing_lamports)?;
    }
    let index = model.index_seed();
    let bump = [model.bump];
    let seeds = model_seeds(model, &index, &bump);
    for (field, old, new) in [
        (Field::Name, &model.metadata.name, &metadata.name),
        (Field::Symbol, &model.metadata.symbol, &metadata.symbol),
        (Field::Uri, &model.metadata.uri, &metadata.uri),
    ] {
        if old == new {
            continue;
        }
        token_metadata_update_field(
            CpiContext::new_with_signer(
                token_program.key(),
                TokenMetadataUpdateField {
                    program_id: token_program.to_account_info(),
                    metadata: mint.clone(),
                    update_authority: model.to_account_info(),
                },
                &[&seeds],
            ),
            field,
            new.clone(),
        )?;
    }
    Ok(())
}

fn model_seeds<'s>(model: &'s Model, index: &'s [u8; 4], bump: &'s [u8; 1]) -> [&'s [u8]; 4] {
    [MODEL_SEED, model.creator.as_ref(), index, bump]
}

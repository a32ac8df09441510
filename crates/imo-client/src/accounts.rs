//! Accounts of the programs, decoded.

use anchor_lang::{AccountDeserialize, Discriminator, prelude::Pubkey};
use imo_protocol::{Bucket, Collection};
use model_token::state::{
    Appointment, Commitment, MetadataUpdate, Model, ModelVersion, Offering, Protocol, ProtocolUpdate,
};
use opml_oracle::state::{
    Audit, AuditEntry, AuditFund, Dispute, Equivocation, Inquiry, Operator, Report, StakeVault, Trace, Witness,
};
use revenue_escrow::state::{Contributions, Credit, Earnings, Lane, ModelVault, Session};
use yield_distributor::state::{ClaimDelegation, EpochMark, Pool, Position, Vesting};

/// Why bytes are not an account of the programs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    #[error("The account belongs to {0}, which is none of the four programs.")]
    ForeignOwner(Pubkey),
    #[error("The account has no discriminator that this client knows: it may be of a later version.")]
    UnknownKind,
    #[error("The account's bytes are not those of a {0}.")]
    Malformed(&'static str),
}

macro_rules! kinds {
    ($($owner:path: $($kind:ident),+;)+) => {
        /// Any account of the four programs.
        #[derive(Debug)]
        pub enum Account {
            $($($kind(Box<$kind>),)+)+
        }

        impl Account {
            /// What kind of account it is.
            pub fn kind(&self) -> &'static str {
                match self {
                    $($(Self::$kind(_) => stringify!($kind),)+)+
                }
            }

            /// Decodes the data of an account owned by `owner`.
            pub fn decode(owner: &Pubkey, data: &[u8]) -> Result<Self, AccountError> {
                $(if *owner == $owner {
                    $(if data.starts_with($kind::DISCRIMINATOR) {
                        return $kind::try_deserialize(&mut &data[..])
                            .map(|account| Self::$kind(Box::new(account)))
                            .map_err(|_| AccountError::Malformed(stringify!($kind)));
                    })+
                    return Err(AccountError::UnknownKind);
                })+
                Err(AccountError::ForeignOwner(*owner))
            }
        }

        impl std::fmt::Display for Account {
            /// The fields, one a line.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $($(Self::$kind(account) => write!(f, "{account:#?}"),)+)+
                }
            }
        }
    };
}

kinds! {
    model_token::ID: Protocol, ProtocolUpdate, Model, MetadataUpdate, ModelVersion, Appointment, Offering, Commitment;
    yield_distributor::ID: Pool, Position, EpochMark, Vesting, ClaimDelegation;
    opml_oracle::ID: StakeVault, Operator, Report, Dispute, Trace, Witness, Equivocation, Inquiry, AuditFund, Audit, AuditEntry;
    revenue_escrow::ID: ModelVault, Credit, Session, Lane, Bucket, Collection, Earnings, Contributions;
}

/// Where the owner of a [`Position`] is in its account, for filters of an RPC.
pub const POSITION_OWNER_OFFSET: usize = 8 + 2 + 32;

/// Where the recipient of [`Earnings`] is in their account, for filters of an RPC.
pub const EARNINGS_RECIPIENT_OFFSET: usize = 8 + 2 + 32;

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::AccountSerialize;

    #[test]
    fn given_accounts_when_written_then_the_keys_for_filters_are_at_their_offsets() {
        let mut data = Vec::new();
        earnings().try_serialize(&mut data).unwrap();
        assert_eq!(data[EARNINGS_RECIPIENT_OFFSET..][..32], [4; 32]);
        let position = Position {
            version: 1,
            bump: 2,
            pool: Pubkey::new_from_array([3; 32]),
            owner: Pubkey::new_from_array([4; 32]),
            active_units: 0,
            pending_units: 0,
            pending_epoch: 0,
            accumulator_snapshot: 0,
            owed_units: 0,
            rent_payer: Pubkey::new_from_array([6; 32]),
            reserved: [0; 16],
        };
        let mut data = Vec::new();
        position.try_serialize(&mut data).unwrap();
        assert_eq!(data[POSITION_OWNER_OFFSET..][..32], [4; 32]);
    }

    fn earnings() -> Earnings {
        Earnings {
            version: 1,
            bump: 2,
            vault: Pubkey::new_from_array([3; 32]),
            recipient: Pubkey::new_from_array([4; 32]),
            owed_units: 5,
            rent_payer: Pubkey::new_from_array([6; 32]),
            audit_units: 0,
            reserved: [0; 8],
        }
    }

    #[test]
    fn given_an_account_when_decoded_then_its_kind_and_fields() {
        let mut data = Vec::new();
        earnings().try_serialize(&mut data).unwrap();
        let account = Account::decode(&revenue_escrow::ID, &data).unwrap();
        assert_eq!(account.kind(), "Earnings");
        assert!(account.to_string().contains("owed_units: 5"));
    }

    #[test]
    fn given_other_bytes_when_decoded_then_told_why_not() {
        let mut data = Vec::new();
        earnings().try_serialize(&mut data).unwrap();
        let decode = |owner: &Pubkey, data: &[u8]| Account::decode(owner, data).unwrap_err();
        assert_eq!(
            decode(&Pubkey::default(), &data),
            AccountError::ForeignOwner(Pubkey::default())
        );
        assert_eq!(decode(&model_token::ID, &data), AccountError::UnknownKind);
        assert_eq!(decode(&revenue_escrow::ID, &[]), AccountError::UnknownKind);
        assert_eq!(
            decode(&revenue_escrow::ID, &data[..20]),
            AccountError::Malformed("Earnings")
        );
    }
}

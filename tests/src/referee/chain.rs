//! A dispute in which everything but the proof has happened, on the compiled program.

use anchor_lang::{AccountDeserialize, AccountSerialize, Discriminator, Space, prelude::Pubkey};
use imo_client::instructions::opml_oracle::prove;
use imo_protocol::Now;
use litesvm::LiteSVM;
use model_token::state::DisputeTerms;
use opml::{Claim, Hash, TensorSpec, Verdict, referee};
use opml_oracle::{
    errors::OracleError,
    game::{Cursor, Game, Phase, Tree},
    state::{DISPUTE_SEED, Dispute, OPERATOR_SEED, Operator, REPORT_SEED, Report, ReportStatus, Witness},
};
use solana_account::Account as ChainAccount;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_instruction_error::InstructionError;
use solana_message::Message;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;

use crate::programs::{PROGRAMS, elf};

/// The most that one transaction may use.
const TRANSACTION_UNITS: u32 = 1_400_000;
const BOND_UNITS: u64 = 600;

const TERMS: DisputeTerms = DisputeTerms {
    window_slots: 1_000,
    seal_slots: 100,
    response_slots: 1_000,
    clock_slots: 1_000,
    bond_ratio_bps: 20_000,
    min_bond_units: 100,
    challenger_bond_units: 70,
    open_fee_units: 3,
    move_cost_units: 11,
    prover_share_bps: 3_000,
    cost_cap_bps: 1_000,
    unbonding_slots: 2_000,
    notice_slots: 2_000,
    epoch_slots: 2_000,
    byte_fee_units: 0,
};

/// What the referee is asked.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    pub claim: Claim,
    pub trace_root: Hash,
    pub node_count: u32,
    pub node: u32,
    pub spec: TensorSpec,
    pub tile_leaf: u32,
    pub tile: &'a [u8],
    pub element: u32,
    pub witness: &'a [u8],
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Proven,
    /// With this error of the program.
    Refused(u32),
    /// Anything that no proof may end in: out of compute units, an access violation, an account in another state than the answer says.
    Broken(String),
}

impl Outcome {
    pub fn refused(error: OracleError) -> Self {
        Self::Refused(error.into())
    }

    /// Whether it is an error of the range for witnesses and the referee.
    pub fn is_refused_by_the_referee(&self) -> bool {
        let base = u32::from(OracleError::ElementIsCorrect);
        matches!(self, Self::Refused(code) if (base..base + 100).contains(code))
    }
}

impl Question<'_> {
    /// The answer of the referee that runs here.
    pub fn natively(&self) -> Outcome {
        match referee::check(
            &self.claim,
            &self.trace_root,
            self.node,
            self.tile_leaf,
            self.tile,
            self.element,
            self.witness,
        ) {
            Ok(Verdict::Wrong { expected: _, found: _ } | Verdict::MalformedModel(_)) => Outcome::Proven,
            Ok(Verdict::Correct) => Outcome::refused(OracleError::ElementIsCorrect),
            Err(error) => Outcome::refused(error.into()),
        }
    }
}

/// A virtual machine with the program and the accounts of one dispute, forged anew for every question.
pub struct Chain {
    svm: LiteSVM,
    challenger: Pubkey,
    witness: Pubkey,
    operator: (Pubkey, u8),
    report: (Pubkey, u8),
    dispute: (Pubkey, u8),
    authority: Pubkey,
    mint: Pubkey,
}

impl Chain {
    /// Loads the program from `target/deploy`.
    pub fn load() -> Self {
        let program = PROGRAMS.iter().find(|program| program.id == opml_oracle::ID);
        let program = elf(program.expect("the oracle is a program")).unwrap_or_else(|missing| panic!("{missing}"));
        let mut svm = LiteSVM::new()
            .with_sigverify(false)
            .with_blockhash_check(false)
            .with_transaction_history(0);
        svm.add_program(opml_oracle::ID, &program).unwrap();
        let [challenger, witness, authority, mint] = [1, 2, 3, 4].map(|byte| Pubkey::new_from_array([byte; 32]));
        let address = |seeds: &[&[u8]]| Pubkey::find_program_address(seeds, &opml_oracle::ID);
        let operator = address(&[OPERATOR_SEED, authority.as_ref(), mint.as_ref()]);
        let report = address(&[REPORT_SEED, operator.0.as_ref(), &0u64.to_le_bytes()]);
        let dispute = address(&[
            DISPUTE_SEED,
            report.0.as_ref(),
            challenger.as_ref(),
            &0u64.to_le_bytes(),
        ]);
        let mut chain = Self {
            svm,
            challenger,
            witness,
            operator,
            report,
            dispute,
            authority,
            mint,
        };
        chain.put(challenger, anchor_lang::system_program::ID, Vec::new());
        chain
    }

    /// Asks the program, with accounts as the moves before would have left them. Returns its answer and what the transaction used, in compute units.
    pub fn prove(&mut self, question: &Question) -> (Outcome, u64) {
        let dispute = self.dispute(question);
        let digest = dispute.game.digest;
        let witness = Witness {
            version: 1,
            dispute: self.dispute.0,
            challenger: self.challenger,
            reserved: [0; 7],
        };
        self.put_program(self.operator.0, &self.operator(), &[]);
        self.put_program(self.report.0, &self.report(question), &[]);
        self.put_program(self.dispute.0, &dispute, &[]);
        self.put_program(self.witness, &witness, question.witness);

        let limit = ComputeBudgetInstruction::set_compute_unit_limit(TRANSACTION_UNITS);
        let prove = prove(&dispute, digest, self.witness, question.element);
        let message = Message::new(&[limit, prove], Some(&self.challenger));
        match self.svm.send_transaction(Transaction::new_unsigned(message)) {
            Ok(done) => (self.rejected(digest), done.compute_units_consumed),
            Err(failed) => {
                let outcome = match failed.err {
                    TransactionError::InstructionError(1, InstructionError::Custom(code)) => Outcome::Refused(code),
                    other => Outcome::Broken(format!("{other:?}: {:?}", failed.meta.logs.last())),
                };
                (outcome, failed.meta.compute_units_consumed)
            }
        }
    }

    /// `Proven` when the accounts say so, too.
    fn rejected(&self, digest: Hash) -> Outcome {
        let (dispute, report, operator): (Dispute, Report, Operator) = (
            self.get(self.dispute.0),
            self.get(self.report.0),
            self.get(self.operator.0),
        );
        let seen = (
            dispute.game.phase,
            dispute.game.digest == digest,
            report.status,
            report.slashed_units,
            operator.stake_units,
        );
        if seen == (Phase::Proven, false, ReportStatus::Rejected, BOND_UNITS, 400) {
            Outcome::Proven
        } else {
            Outcome::Broken(format!("after the proof: {seen:?}"))
        }
    }

    fn dispute(&self, question: &Question) -> Dispute {
        let mut game = Game::open(
            &Now {
                slot: 0,
                unix: 0,
                last_restart_slot: 0,
            },
            &TERMS,
            &self.dispute.0,
            0,
            &[0; 32],
            question.node_count,
        );
        game.phase = Phase::TileKnown;
        game.trace_root = question.trace_root;
        game.node_index = question.node;
        game.tensor_spec = question.spec.encode();
        game.cursor = Cursor {
            tree: Tree::Tensor,
            level: 0,
            first: question.tile_leaf,
        };
        game.tile = question.tile.to_vec();
        Dispute {
            version: 1,
            bump: self.dispute.1,
            report: self.report.0,
            challenger: self.challenger,
            nonce: 0,
            order: 0,
            operator: self.operator.0,
            mint: self.mint,
            commitment: [0; 32],
            collection: Pubkey::default(),
            receipt_index: 0,
            input_root: question.claim.input_root,
            output_root: question.claim.output_root,
            claim_hash: question.claim.claim_hash(),
            trace: Pubkey::default(),
            bond_units: TERMS.challenger_bond_units,
            settled: false,
            payout_units: 0,
            rent_payer: self.challenger,
            game,
            reserved: [0; 64],
        }
    }

    fn report(&self, question: &Question) -> Report {
        Report {
            version: 1,
            bump: self.report.1,
            operator: self.operator.0,
            model: Pubkey::default(),
            model_version: Pubkey::default(),
            version_number: 1,
            model_root: question.claim.model_root,
            node_count: question.node_count,
            mint: self.mint,
            sequence: 0,
            generation: 1,
            status: ReportStatus::Sealed,
            period_start_unix: 0,
            period_end_unix: 1,
            bond_units: BOND_UNITS,
            max_collect_units: 300,
            seal_by: Default::default(),
            window: Default::default(),
            disputes_opened: 1,
            disputes_settled: 0,
            share_paid: false,
            slashed_units: 0,
            costs_paid_units: 0,
            open_traces: 1,
            terms: TERMS,
            rent_payer: self.authority,
            open_inquiries: 0,
            demands_made: 0,
            demands_pending: 0,
            audits_drawn: 0,
            open_audits: 0,
            reserved: [0; 60],
        }
    }

    fn operator(&self) -> Operator {
        Operator {
            version: 1,
            bump: self.operator.1,
            authority: self.authority,
            backup: self.authority,
            mint: self.mint,
            generation: 1,
            stake_units: 1_000,
            locked_units: BOND_UNITS,
            unbonding_units: 0,
            unbonding: Default::default(),
            next_sequence: 1,
            open_reports: 1,
            open_disputes: 1,
            endpoint_key_hash: [0; 32],
            endpoint: String::new(),
            jail: Default::default(),
            previous_key_hash: [0; 32],
            key_change: Default::default(),
            reserved: [0; 64],
        }
    }

    /// An account of the program in its full size, with `more` behind it.
    fn put_program<T: AccountSerialize + Discriminator + Space>(&mut self, address: Pubkey, account: &T, more: &[u8]) {
        let mut data = Vec::new();
        account.try_serialize(&mut data).unwrap();
        data.resize(T::DISCRIMINATOR.len() + T::INIT_SPACE, 0);
        data.extend(more);
        self.put(address, opml_oracle::ID, data);
    }

    fn put(&mut self, address: Pubkey, owner: Pubkey, data: Vec<u8>) {
        let account = ChainAccount {
            lamports: 1_000_000_000_000,
            data,
            owner,
            executable: false,
            rent_epoch: u64::MAX,
        };
        self.svm.set_account(address, account).unwrap();
    }

    fn get<T: AccountDeserialize>(&self, address: Pubkey) -> T {
        let account = self.svm.get_account(&address).unwrap();
        T::try_deserialize(&mut &account.data[..]).unwrap()
    }
}

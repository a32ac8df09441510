//! Where histories begin.

use imo_client::addresses;
use solana_signer::Signer;

use super::{
    kinds::{Kind, Theme},
    run::Totals,
    stage::Stage,
    step::Step,
};
use crate::world::{ALICE_COMMITS, AUDITS};

/// What has happened when a history begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// The programs are deployed.
    Nothing,
    /// The model's token is being offered.
    Offered,
    /// It is sold and vests, and each operator has a sealed report, of which a tranche can be earned.
    Vesting,
    /// The model's token is sold and free.
    Launched,
    /// Credits, lanes and sessions are open and operators have stake.
    InService,
    /// Each operator has a sealed report.
    Reported,
    /// Both reports are disputed.
    Disputed,
    /// Both reports are audited and disputed, of a model whose trace is too long to be posted whole.
    Deep,
    /// Both reports are disputed, of a model that breaks a rule.
    Malformed,
    /// Both reports are audited.
    Audited,
}

/// What `begin` passes for something that has one form only.
const ONLY: u8 = 0;
/// An amount that [`Step::units`] takes as all there is.
const ALL: u16 = 2;
/// Forms of an offering: see `play::offering`.
const PLAIN: u8 = 0;
const VESTING: u8 = 1;

impl Beginning {
    pub const ALL: [Self; 10] = [
        Self::Nothing,
        Self::Offered,
        Self::Vesting,
        Self::Launched,
        Self::InService,
        Self::Reported,
        Self::Disputed,
        Self::Deep,
        Self::Malformed,
        Self::Audited,
    ];

    /// How much a theme matters in histories from here.
    pub fn matters(self, theme: Theme) -> u32 {
        match (self, theme) {
            (Self::Nothing, Theme::Founding) => 12,
            (Self::Nothing, Theme::Time | Theme::Roles) => 2,
            (Self::Offered, Theme::Offering) => 6,
            (Self::Offered, Theme::Time | Theme::Roles | Theme::Vesting) => 3,
            (Self::Vesting, Theme::Vesting) => 6,
            (Self::Vesting, Theme::Offering | Theme::Time | Theme::Yield | Theme::Revenue) => 2,
            (Self::InService, Theme::Roles) => 4,
            (Self::InService, Theme::Credit) => 2,
            (Self::Reported, Theme::Inquiries | Theme::Evidence) => 2,
            (Self::Reported, Theme::Audits | Theme::Yield) => 3,
            (Self::Deep, Theme::Disputes) => 4,
            (Self::Deep, Theme::Audits) => 3,
            (Self::Malformed, Theme::Evidence | Theme::Roles) => 4,
            (Self::Audited, Theme::Audits) => 6,
            (Self::Audited, Theme::Revenue) => 2,
            _ => 1,
        }
    }

    /// Whether the model that the served one is built upon has a token.
    fn is_upstream_sold(self) -> bool {
        !matches!(self, Self::Nothing | Self::Offered | Self::Deep | Self::Malformed)
    }
}

/// The root of all histories from a beginning, which fork it, and what it played until there.
pub fn root(beginning: Beginning) -> (Stage, Totals) {
    let mut stage = Stage::empty(beginning);
    let mut opening = Opening {
        stage: &mut stage,
        totals: Totals::default(),
    };
    opening.play_until(beginning);
    let totals = opening.totals;
    (stage, totals)
}

/// What happens before a history: steps like all others, each of which must land.
struct Opening<'a> {
    stage: &'a mut Stage,
    totals: Totals,
}

impl Opening<'_> {
    fn play(&mut self, kind: Kind, who: u8, what: u8, amount: u16) {
        let step = Step {
            kind,
            who,
            what,
            amount,
            again: false,
            legal: false,
        };
        let refused = self.totals.refused;
        self.stage.play(&step, &mut self.totals);
        assert_eq!(
            self.totals.refused, refused,
            "{step:?} was refused before a history began"
        );
    }

    fn play_until(&mut self, beginning: Beginning) {
        if beginning == Beginning::Nothing {
            return;
        }
        self.found();
        if beginning.is_upstream_sold() {
            self.sell_upstream();
        }
        match beginning {
            Beginning::Offered => {
                self.offer(VESTING);
                self.serve();
            }
            Beginning::Vesting => {
                self.offer(VESTING);
                self.sell();
                for holder in 0..2 {
                    self.play(Kind::OpenVesting, holder, ONLY, ALL);
                }
                self.serve();
                self.report();
            }
            // Nobody has a token of these: revenue is the developer's.
            Beginning::Deep | Beginning::Malformed => {
                self.serve();
                self.report();
                if beginning == Beginning::Deep {
                    self.draw();
                }
                self.dispute();
            }
            _ => {
                self.offer(PLAIN);
                self.sell();
                self.operate(beginning);
            }
        }
    }

    fn operate(&mut self, beginning: Beginning) {
        if beginning == Beginning::Launched {
            return;
        }
        for holder in 0..2 {
            self.play(Kind::Stake, holder, ONLY, 30_005);
        }
        // So long that it earns.
        let epochs = 2 * self.stage.ledger.terms.epoch_slots;
        self.stage.pass(epochs);
        self.serve();
        if beginning == Beginning::InService {
            return;
        }
        self.report();
        match beginning {
            Beginning::Disputed => self.dispute(),
            Beginning::Audited => self.audit(),
            _ => {}
        }
    }

    /// The protocol, the two models, the vaults and two operators with stake.
    fn found(&mut self) {
        for kind in [Kind::InitProtocol, Kind::CreateStakeVault, Kind::CreateAuditFund] {
            self.play(kind, ONLY, ONLY, ALL);
        }
        for model in [1, 0] {
            self.play(Kind::RegisterModel, ONLY, model, ALL);
            self.play(Kind::PublishVersion, ONLY, model, ALL);
        }
        self.play(Kind::OpenVault, ONLY, ONLY, ALL);
        for operator in 0..2 {
            self.play(Kind::RegisterOperator, operator, ONLY, ALL);
            self.play(Kind::StakeBond, operator, ONLY, 32_773);
        }
        let fund = addresses::opml_oracle::audit_tokens(&self.stage.mint());
        let gift = 5 * AUDITS.fee_units;
        self.stage.world.given_usdc_at(&fund, gift);
        self.stage.ledger.fund.held += gift;
    }

    /// The token of the model upstream is sold, beside the histories.
    fn sell_upstream(&mut self) {
        let Stage {
            world,
            keys,
            upstream,
            ledger,
            ..
        } = &mut *self.stage;
        let cast = &keys.cast;
        world.given_offering(cast, upstream);
        world.given_commitment(upstream, &cast.alice, ALICE_COMMITS);
        world.given_settled(cast, upstream);
        ledger.upstream.has_token = true;
        ledger.now = world.now();
        let holder = cast.alice.pubkey();
        ledger.wallets.insert(holder, world.usdc_of(&holder));
    }

    /// An offering in this form, to which both holders have committed something.
    fn offer(&mut self, form: u8) {
        self.play(Kind::OpenOffering, ONLY, form, 4_100);
        for (holder, part) in [(0, 2_005), (1, 1_005)] {
            self.play(Kind::Commit, holder, ONLY, part);
        }
    }

    /// It is over, and what was bought is claimed.
    fn sell(&mut self) {
        let offering = self.stage.ledger.offering.as_ref().expect("it is offered");
        let closes = offering.args.closes_unix;
        self.stage.world.pass_until_unix(closes);
        self.stage.ledger.now = self.stage.world.now();
        self.play(Kind::SettleOffering, ONLY, ONLY, ALL);
        for holder in 0..2 {
            self.play(Kind::ClaimCommitment, holder, ONLY, ALL);
        }
        self.play(Kind::CreatePool, ONLY, ONLY, ALL);
    }

    /// Both payers can be served by both operators.
    fn serve(&mut self) {
        for payer in 0..2 {
            self.play(Kind::OpenCredit, payer, ONLY, ALL);
            self.play(Kind::DepositCredit, payer, ONLY, 40_005);
            for operator in 0..2 {
                self.play(Kind::OpenLane, payer, operator, 20_005);
            }
            self.play(Kind::GrantSession, payer, ONLY, ALL);
        }
    }

    /// Each operator reports what both payers asked: everything there is.
    fn report(&mut self) {
        let questions = u16::try_from(self.stage.served.catalogue.len()).expect("there are few");
        for operator in 0..2 {
            self.play(Kind::PostReport, operator, ONLY, 20_005);
            for payer in 0..2 {
                for question in 0..questions {
                    self.play(Kind::Ask, payer, operator, question);
                }
                self.play(Kind::Collect, payer, ONLY, ALL);
            }
            self.play(Kind::SealReport, operator, ONLY, ALL);
        }
    }

    /// Both challengers dispute both reports: of one the false answer, of the other the last one, or the first.
    fn dispute(&mut self) {
        for challenger in 0..2 {
            for report in 0..2 {
                let receipt = 2 + u16::from(report);
                self.play(Kind::OpenDispute, challenger, report, receipt);
            }
        }
    }

    /// An audit of each report is drawn, and an auditor has committed to what it recomputed.
    fn draw(&mut self) {
        self.play(Kind::Wait, ONLY, ONLY, 50);
        for report in 0..2 {
            self.play(Kind::DrawAudit, ONLY, report, ALL);
        }
        for audit in 0..2 {
            self.play(Kind::CommitAudit, audit, audit, ALL);
        }
    }

    /// The same, and one of the drawn receipts is disputed, too, and its trace is there.
    fn audit(&mut self) {
        self.draw();
        let drawn = &self.stage.ledger.audits[0];
        let payer = u16::try_from(drawn.payer).expect("there are two payers");
        let receipt = u16::try_from(drawn.receipt).expect("there are few receipts");
        // Of the report that the first audit is of.
        let newest_first = u8::try_from(1 - drawn.report).expect("there are two reports");
        self.play(Kind::OpenDispute, ONLY, newest_first, payer << 8 | receipt);
        self.play(Kind::Point, ONLY, ONLY, ALL);
        self.play(Kind::PostTrace, ONLY, ONLY, ALL);
    }
}

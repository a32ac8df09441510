//! What anyone may call, so that everything reaches its end.

mod attach_trace;
mod close_equivocation;
mod close_report;
mod close_trace;
mod create_stake_vault;
mod finalise_report;
mod punish_equivocation;
mod reveal;
mod reveal_tile;
mod seal_report;
mod serve_data;
mod settle_dispute;
mod settle_equivocation;
mod settle_inquiry;
mod time_out_demand;
mod timeout;
mod withdraw_inquiry;
mod withdraw_payout;
mod withdraw_reward;

pub use {
    attach_trace::*, close_equivocation::*, close_report::*, close_trace::*, create_stake_vault::*, finalise_report::*,
    punish_equivocation::*, reveal::*, reveal_tile::*, seal_report::*, serve_data::*, settle_dispute::*,
    settle_equivocation::*, settle_inquiry::*, time_out_demand::*, timeout::*, withdraw_inquiry::*, withdraw_payout::*,
    withdraw_reward::*,
};

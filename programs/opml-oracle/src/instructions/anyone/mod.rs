//! What anyone may call, so that everything reaches its end.

mod ask_audit;
mod attach_audit_trace;
mod attach_trace;
mod close_audit;
mod close_equivocation;
mod close_report;
mod close_trace;
mod create_audit_fund;
mod create_stake_vault;
mod draw_audit;
mod finalise_report;
mod punish_equivocation;
mod reveal;
mod reveal_tile;
mod seal_report;
mod serve_data;
mod settle_audit;
mod settle_dispute;
mod settle_equivocation;
mod settle_inquiry;
mod time_out_audit;
mod time_out_demand;
mod timeout;
mod withdraw_audit_fee;
mod withdraw_inquiry;
mod withdraw_payout;
mod withdraw_reward;

pub use {
    ask_audit::*, attach_audit_trace::*, attach_trace::*, close_audit::*, close_equivocation::*, close_report::*,
    close_trace::*, create_audit_fund::*, create_stake_vault::*, draw_audit::*, finalise_report::*,
    punish_equivocation::*, reveal::*, reveal_tile::*, seal_report::*, serve_data::*, settle_audit::*,
    settle_dispute::*, settle_equivocation::*, settle_inquiry::*, time_out_audit::*, time_out_demand::*, timeout::*,
    withdraw_audit_fee::*, withdraw_inquiry::*, withdraw_payout::*, withdraw_reward::*,
};

mod close_credit;
mod close_lane;
mod deposit_credit;
mod fund_lane;
mod grant_session;
mod open_credit;
mod open_lane;
mod release_lane;
mod request_release;
mod request_withdraw;
mod revoke_session;
mod withdraw_credit;

pub use {
    close_credit::*, close_lane::*, deposit_credit::*, fund_lane::*, grant_session::*, open_credit::*, open_lane::*,
    release_lane::*, request_release::*, request_withdraw::*, revoke_session::*, withdraw_credit::*,
};

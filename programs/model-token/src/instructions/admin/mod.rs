mod accept_authority;
mod init_protocol;
mod propose_authority;
mod propose_update;
mod set_pause;

pub use {accept_authority::*, init_protocol::*, propose_authority::*, propose_update::*, set_pause::*};

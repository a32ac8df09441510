mod init_protocol;
mod set_pause;
mod update_protocol;

pub use {init_protocol::*, set_pause::*, update_protocol::*};

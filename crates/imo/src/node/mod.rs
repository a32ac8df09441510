//! The node's daemons as processes of their own: what they are told, and how they are started and stopped.

mod config;
mod daemon;

use std::net::{Ipv4Addr, TcpListener};

use crate::error::UserError;

pub use config::{Operator, Served, Watcher, write_key};
pub use daemon::{Daemon, program};

/// Listens on a port of this machine, any free one for 0.
pub fn listen(port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
        UserError::new(format!(
            "Nobody can listen on port {port}: {error}. Stop who does, or choose another port (see --help)."
        ))
        .into()
    })
}

/// A port that is free now.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(listen(0)?.local_addr()?.port())
}

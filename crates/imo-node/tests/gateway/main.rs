//! The gateway over HTTP, against clients who pay and clients who would rather not.

mod bucket;
mod buying_completions;
mod completions;
mod decoder_world;
mod dist;
mod hostile;
mod middleman;
mod paying;
mod postgres;
mod store;
mod typescript;
mod world;

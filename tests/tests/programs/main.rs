//! The four compiled programs, one module a topic.

mod dispute_won;
mod whole_path;

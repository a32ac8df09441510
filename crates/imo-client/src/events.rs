//! Events of the programs, from the logs of a transaction.

use anchor_lang::{AnchorDeserialize, Discriminator, Event, prelude::Pubkey};
use base64::{Engine, prelude::BASE64_STANDARD};

/// What an RPC leaves in the place of logs that were too long.
const TRUNCATED: &str = "Log truncated";

/// The events of one kind in a transaction's logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events<E> {
    /// In the order in which they were emitted.
    pub events: Vec<E>,
    /// Whether the RPC kept all of the logs.
    pub complete: bool,
}

/// An event in its bytes, discriminator first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    pub program: Pubkey,
    pub data: Vec<u8>,
}

/// Reads what all programs emitted.
pub fn all(logs: &[String]) -> Events<Raw> {
    // The programs that run, the innermost last.
    let mut running: Vec<&str> = Vec::new();
    let mut found = Events {
        events: Vec::new(),
        complete: true,
    };
    for line in logs {
        if line.starts_with(TRUNCATED) {
            found.complete = false;
        } else if let Some(data) = line.strip_prefix("Program data: ") {
            found.events.extend(raw(running.last(), data));
        } else if let Some((id, event)) = line.strip_prefix("Program ").and_then(|rest| rest.split_once(' ')) {
            if event.starts_with("invoke [") {
                running.push(id);
            } else if event == "success" || event.starts_with("failed") {
                running.pop();
            }
        }
    }
    found
}

fn raw(program: Option<&&str>, data: &str) -> Option<Raw> {
    Some(Raw {
        program: program?.parse().ok()?,
        data: BASE64_STANDARD.decode(data).ok()?,
    })
}

/// Reads what `program` emitted of one kind. Lines that another program wrote, whatever they say, are not its.
pub fn of_program<E>(program: &Pubkey, logs: &[String]) -> Events<E>
where
    E: Event + AnchorDeserialize + Discriminator,
{
    let Events { events, complete } = all(logs);
    let own = events.iter().filter(|event| event.program == *program);
    let events = own.filter_map(|event| E::deserialize(&mut event.data.strip_prefix(E::DISCRIMINATOR)?).ok());
    Events {
        events: events.collect(),
        complete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yield_distributor::events::Claimed;

    fn claimed(amount_units: u64) -> Claimed {
        Claimed {
            pool: Pubkey::new_from_array([1; 32]),
            owner: Pubkey::new_from_array([2; 32]),
            amount_units,
        }
    }

    fn data_line(event: &Claimed) -> String {
        format!("Program data: {}", BASE64_STANDARD.encode(event.data()))
    }

    fn lines(lines: &[String]) -> Vec<u64> {
        let found: Events<Claimed> = of_program(&yield_distributor::ID, lines);
        found.events.iter().map(|event| event.amount_units).collect()
    }

    #[test]
    fn given_logs_with_calls_inside_calls_when_read_then_only_what_the_program_itself_wrote() {
        let (own, other) = (
            yield_distributor::ID.to_string(),
            Pubkey::new_from_array([9; 32]).to_string(),
        );
        let logs = [
            format!("Program {other} invoke [1]"),
            data_line(&claimed(1)),
            format!("Program {own} invoke [2]"),
            "Program log: Instruction: Claim".to_owned(),
            data_line(&claimed(2)),
            format!("Program {other} invoke [3]"),
            data_line(&claimed(3)),
            format!("Program {other} success"),
            data_line(&claimed(4)),
            format!("Program {own} consumed 27193 of 200000 compute units"),
            format!("Program {own} success"),
            data_line(&claimed(5)),
            format!("Program {other} success"),
        ];
        assert_eq!(lines(&logs), [2, 4]);
    }

    #[test]
    fn given_a_log_line_that_looks_like_a_call_when_read_then_it_changes_nothing() {
        let own = yield_distributor::ID.to_string();
        let other = Pubkey::new_from_array([9; 32]).to_string();
        // What a program logs itself begins with "Program log: ".
        let logs = [
            format!("Program {other} invoke [1]"),
            format!("Program log: Program {own} invoke [2]"),
            data_line(&claimed(1)),
            format!("Program {other} success"),
        ];
        assert_eq!(lines(&logs), Vec::<u64>::new());
    }

    #[test]
    fn given_other_or_broken_data_when_read_then_left_out_and_a_truncated_log_is_told() {
        let own = yield_distributor::ID.to_string();
        let logs = [
            format!("Program {own} invoke [1]"),
            "Program data: ?".to_owned(),
            format!("Program data: {}", BASE64_STANDARD.encode([1; 80])),
            format!("Program data: {}", BASE64_STANDARD.encode(&claimed(1).data()[..20])),
            data_line(&claimed(7)),
            "Log truncated".to_owned(),
        ];
        let found: Events<Claimed> = of_program(&yield_distributor::ID, &logs);
        assert_eq!((found.events.len(), found.complete), (1, false));
    }
}

//! What the daemons' transactions are called in the story.

/// One clause for the instructions of a transaction.
pub fn of(instructions: &[String]) -> String {
    let mut clauses: Vec<String> = Vec::new();
    for instruction in instructions {
        let clause = clause(instruction);
        if clauses.last() != Some(&clause) {
            clauses.push(clause);
        }
    }
    clauses.join(", ")
}

fn clause(instruction: &str) -> String {
    match instruction {
        "PostReport" => "posts a report with a bond",
        "OpenBucket" => "opens its bucket",
        "Collect" => "collects the answers of the payer's lane",
        "SealReport" => "seals the report; the window opens",
        "FinaliseReport" => "makes the report final",
        "Split" => "splits its revenue",
        "WithdrawEarnings" => "takes its earnings",
        "Refund" => "gives the collection back to the payer's credit",
        "CloseCollection" => "closes the collection",
        "CloseTrace" => "closes the trace",
        "CloseBucket" => "closes the bucket",
        "CloseReport" => "closes the report",
        "OpenDispute" => "opens a dispute on the report, place secret",
        "Point" => "names the receipt",
        "PostTrace" => "posts the roots of all nodes' outputs",
        "PostTraceRoot" => "posts the root of its trace",
        "AttachTrace" => "attaches the trace",
        "Demand" => "asks what is below a child",
        "DemandNode" => "asks for the output of the first node that differs",
        "Reveal" => "reveals the hashes below",
        "RevealTile" => "reveals the tile",
        "InitWitness" | "WriteWitness" => "stages the witness",
        "Prove" => "proves an element of the tile wrong",
        "CloseWitness" => "closes the witness account",
        "Timeout" => "ends the dispute: the operator is silent",
        "SettleDispute" => "settles the dispute",
        "WithdrawPayout" => "takes its bond, costs and share",
        other => return format!("sends {other}"),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_instructions_when_told_then_each_clause_once_and_unknown_ones_by_name() {
        let names = ["InitWitness", "WriteWitness", "Prove", "Elsewhere"].map(str::to_owned);
        assert_eq!(
            of(&names),
            "stages the witness, proves an element of the tile wrong, sends Elsewhere"
        );
    }
}

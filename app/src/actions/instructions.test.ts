// Every instruction of the four programs is offered by a page, or is not in the app for a reason.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const SRC = join(import.meta.dirname, "..");
const IDLS = join(SRC, "../../idl");

const CPI = "another of the programs calls it, nobody else may";
const AUTHORITY = "the protocol's authority or guardian does it, a multisig with tools of its own; whatever changes shows on every page";
const CLUSTER = "made once for a cluster, by `imo migrate`";
const DAEMON = "`imo-node operate` does it with what only its store has: vouchers, receipts, traces";
const CHALLENGER = "`imo-node watch` does it: a dispute is many moves in time, each computed from the model";
const EQUIVOCATION = "`imo-node watch` does it: it holds the two answers";
const AUDITOR = "`imo-node watch` does it: an audit is three moves in time, each computed from the model";
const CUSTODIAN = "for custodians and programs that claim for others; in the app yield goes to its owner";

/** What no page offers, and why. */
const ELSEWHERE: Record<string, Record<string, string>> = {
  model_token: {
    accept_authority: AUTHORITY,
    cancel_update: AUTHORITY,
    execute_update: AUTHORITY,
    init_protocol: CLUSTER,
    miss_tranche: CPI,
    propose_authority: AUTHORITY,
    propose_update: AUTHORITY,
    release_commitment: CPI,
    release_developer: CPI,
    set_pause: AUTHORITY,
    sweep_dust: CPI,
  },
  opml_oracle: {
    ask_audit: AUDITOR,
    attach_audit_trace: DAEMON,
    attach_trace: DAEMON,
    close_audit: AUDITOR,
    close_equivocation: EQUIVOCATION,
    close_witness: CHALLENGER,
    commit_audit: AUDITOR,
    create_audit_fund: CLUSTER,
    create_stake_vault: CLUSTER,
    demand: CHALLENGER,
    demand_data: CHALLENGER,
    demand_node: CHALLENGER,
    draw_audit: AUDITOR,
    init_witness: CHALLENGER,
    open_constant_inquiry: CHALLENGER,
    open_dispute: CHALLENGER,
    open_input_inquiry: CHALLENGER,
    open_receipts_inquiry: CHALLENGER,
    point: CHALLENGER,
    post_audit_trace: DAEMON,
    post_audit_trace_root: DAEMON,
    post_report: DAEMON,
    post_trace: DAEMON,
    post_trace_root: DAEMON,
    prove: CHALLENGER,
    prove_equivocation: EQUIVOCATION,
    prove_malformed: CHALLENGER,
    prove_wrong_question: CHALLENGER,
    punish_equivocation: EQUIVOCATION,
    reveal: DAEMON,
    reveal_audit: AUDITOR,
    reveal_tile: DAEMON,
    serve_data: DAEMON,
    settle_audit: AUDITOR,
    settle_equivocation: EQUIVOCATION,
    time_out_audit: AUDITOR,
    withdraw_audit_fee: AUDITOR,
    withdraw_reward: EQUIVOCATION,
    write_witness: CHALLENGER,
  },
  revenue_escrow: {
    collect: DAEMON,
    open_bucket: DAEMON,
  },
  yield_distributor: {
    claim_to: CUSTODIAN,
    deposit: CPI,
    revoke_claim_delegate: CUSTODIAN,
    set_claim_delegate: CUSTODIAN,
  },
};

function sources(folder: string): string[] {
  return readdirSync(join(SRC, folder))
    .filter((file) => /\.tsx?$/.test(file) && !/\.test\.ts$/.test(file))
    .map((file) => readFileSync(join(SRC, folder, file), "utf8"));
}

const ACTIONS = sources("actions");

/** Whether some action makes it. Two programs may have instructions of one name: the import says whose it is. */
function isMade(program: string, instruction: string): boolean {
  const name = instruction.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const imported = new RegExp(`import \\{[^}]*\\bget${name}Instruction(?:Async)?\\b[^}]*\\} from "@imo/client/${program.replaceAll("_", "-")}"`);
  const called = new RegExp(`\\bget${name}Instruction(?:Async)?\\(`);
  return ACTIONS.some((text) => imported.test(text) && called.test(text));
}

const programs = readdirSync(IDLS).filter((file) => file.endsWith(".json")).map((file) => {
  const { instructions } = JSON.parse(readFileSync(join(IDLS, file), "utf8")) as { instructions: { name: string }[] };
  return { program: file.replace(".json", ""), instructions: instructions.map(({ name }) => name) };
});

describe("what the programs can do", () => {
  test("given every instruction, when it is looked for, then the app makes it or says why not, and never both", () => {
    expect(programs.map(({ program }) => program).sort()).toEqual(["model_token", "opml_oracle", "revenue_escrow", "yield_distributor"]);
    const all = programs.flatMap(({ program, instructions }) => instructions.map((instruction) => ({ instruction: `${program}.${instruction}`, made: isMade(program, instruction), elsewhere: ELSEWHERE[program]?.[instruction] !== undefined })));
    expect(all.length).toBeGreaterThan(120);
    expect(all.filter(({ made, elsewhere }) => !made && !elsewhere)).toEqual([]);
    expect(all.filter(({ made, elsewhere }) => made && elsewhere)).toEqual([]);
  });

  test("given the list of what is not in the app, when it is read, then each is still an instruction", () => {
    const gone = Object.entries(ELSEWHERE).flatMap(([program, reasons]) =>
      Object.keys(reasons).filter((instruction) => programs.find((each) => each.program === program)?.instructions.includes(instruction) !== true),
    );
    expect(gone).toEqual([]);
  });

  test("given an action, when it is looked for in the pages, then one of them offers it", () => {
    const pages = [...sources("pages"), ...sources("ui"), ...sources("views"), ...sources("wallet")].join("\n");
    const offered = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(pages) || ACTIONS.filter((text) => new RegExp(`import \\{[^}]*\\b${name}\\b`).test(text)).length > 0;
    const unused = ACTIONS.flatMap((text) => [...text.matchAll(/^export (?:async )?function (\w+)/gm)].map(([, name = ""]) => name)).filter((name) => !offered(name));
    expect(unused).toEqual([]);
  });
});

// A dispute as the path that it walks: from the claim to the first operator that differs, to one tile of its output, to the verdict. Replays the moves by the rules of
// docs/protocol.md, 2.3, so that it can be drawn when the dispute's account is closed.

import type { Address, Signature } from "@solana/kit";
import {
  DEMAND_DISCRIMINATOR,
  DEMAND_NODE_DISCRIMINATOR,
  getDemandInstructionDataDecoder,
  getDemandNodeInstructionDataDecoder,
  getPostTraceInstructionDataDecoder,
  getProveInstructionDataDecoder,
  getRevealTileInstructionDataDecoder,
  OPML_ORACLE_PROGRAM_ADDRESS,
  POST_TRACE_DISCRIMINATOR,
  PROVE_DISCRIMINATOR,
  REVEAL_TILE_DISCRIMINATOR,
} from "@imo/client/opml-oracle";
import type { ReadonlyUint8Array } from "@solana/kit";
import type { Told } from "./history.ts";

/** A picked operator, as its record in the model says. */
export interface PickedNode {
  index: number;
  /** The operator's code, docs/operators.md. */
  operator: number;
  /** Shape of its output, the unused dimensions left out. */
  shape: number[];
}

export type Step = { signature: Signature; unix: bigint | undefined } & (
  | { is: "opened"; bondUnits: bigint }
  | { is: "claim"; collection: Address; receiptIndex: number; claimHash: ReadonlyUint8Array }
  | { is: "trace"; whole: boolean }
  /** The nodes of the model among which the first difference is: `first` up to before `end`. */
  | { is: "narrowedNodes"; first: number; end: number }
  | { is: "revealed" }
  | { is: "node"; node: PickedNode }
  /** The tiles of its output among which it is. */
  | { is: "narrowedTiles"; first: number; end: number }
  | { is: "tile"; index: number; bytes: number }
  | { is: "proven"; element: number | undefined; bySilence: boolean }
  | { is: "lost" }
  | { is: "rejected"; slashedUnits: bigint }
  | { is: "settled"; payoutUnits: bigint; costsUnits: bigint; shareUnits: bigint }
);

export interface DisputePath {
  report: Address | undefined;
  challenger: Address | undefined;
  operator: Address | undefined;
  steps: Step[];
}

/** Nodes that one reveal shows are at most four levels below the one that was picked. */
const REVEAL_LEVELS = 4;
const TILE_BYTES = 512;

export function depthOf(count: number): number {
  return count <= 1 ? 0 : Math.ceil(Math.log2(count));
}

/** Element type, rank and shape of a `TensorSpec`'s 18 bytes; how many tiles it has. */
function readSpec(spec: ReadonlyUint8Array): { shape: number[]; tiles: number } {
  const view = new DataView(spec.buffer as ArrayBuffer, spec.byteOffset, spec.byteLength);
  const rank = spec[1] ?? 0;
  const shape = Array.from({ length: rank }, (_, index) => view.getUint32(2 + 4 * index, true));
  const bytes = shape.reduce((product, size) => product * size, spec[0] === 2 ? 4 : 1);
  return { shape, tiles: Math.ceil(bytes / TILE_BYTES) };
}

/** `told` is what the transactions that name the dispute say, the oldest first; `nodeCount` the model's. */
export function disputePath(dispute: Address, told: readonly Told[], nodeCount: number): DisputePath {
  const path: DisputePath = { report: undefined, challenger: undefined, operator: undefined, steps: [] };
  // The cursor of docs/protocol.md: neighbouring nodes of one level of a tree, from `first`.
  let tree: "trace" | "tensor" = "trace";
  let level = 0;
  let first = 0;
  let leaves = nodeCount;
  let element: number | undefined;
  const range = (): { first: number; end: number } => ({ first: first * 2 ** level, end: Math.min((first + 1) * 2 ** level, leaves) });

  for (const { signature, unix, failed, events, instructions } of told) {
    if (failed) continue;
    const step = (what: DistributiveOmit<Step, "signature" | "unix">): void => void path.steps.push({ signature, unix, ...what } as Step);
    const mine = events.filter((event) => !("dispute" in event.data) || event.data.dispute === dispute);
    if (mine.every(({ data }) => !("dispute" in data))) continue;
    // Moves of other disputes are in other transactions: the challenger signs them one by one.
    for (const { program, data } of instructions) {
      if (program !== OPML_ORACLE_PROGRAM_ADDRESS) continue;
      if (begins(data, POST_TRACE_DISCRIMINATOR)) {
        const { roots } = getPostTraceInstructionDataDecoder().decode(data);
        step({ is: "trace", whole: true });
        level = 0;
        first = 0;
        leaves = roots.length;
      } else if (begins(data, DEMAND_DISCRIMINATOR)) {
        first += getDemandInstructionDataDecoder().decode(data).child;
        step({ is: tree === "trace" ? "narrowedNodes" : "narrowedTiles", ...range() });
      } else if (begins(data, DEMAND_NODE_DISCRIMINATOR)) {
        const { child, record } = getDemandNodeInstructionDataDecoder().decode(data);
        const { shape, tiles } = readSpec(record.slice(52, 70));
        step({ is: "node", node: { index: first + child, operator: record[0] ?? 0, shape } });
        tree = "tensor";
        leaves = tiles;
        level = depthOf(tiles);
        first = 0;
      } else if (begins(data, REVEAL_TILE_DISCRIMINATOR)) {
        step({ is: "tile", index: first, bytes: getRevealTileInstructionDataDecoder().decode(data).tile.length });
      } else if (begins(data, PROVE_DISCRIMINATOR)) {
        element = getProveInstructionDataDecoder().decode(data).element;
      }
    }
    for (const event of mine) {
      switch (event.name) {
        case "DisputeOpened":
          path.report = event.data.report;
          path.challenger = event.data.challenger;
          path.operator = event.data.operator;
          step({ is: "opened", bondUnits: event.data.bondUnits });
          break;
        case "DisputePointed":
          step({ is: "claim", collection: event.data.collection, receiptIndex: event.data.receiptIndex, claimHash: event.data.claimHash });
          break;
        case "TracePosted":
          if (!event.data.whole) {
            step({ is: "trace", whole: false });
            level = depthOf(nodeCount);
            first = 0;
          }
          break;
        case "DisputeMoved":
          if (event.data.kind === ATTACH_TRACE) {
            // A sibling dispute brought it. Traces of few nodes are posted whole.
            const whole = nodeCount <= 2 ** REVEAL_LEVELS;
            step({ is: "trace", whole });
            level = whole ? 0 : depthOf(nodeCount);
            first = 0;
          } else if (event.data.kind === REVEAL) {
            const levels = Math.min(level, REVEAL_LEVELS);
            level -= levels;
            first *= 2 ** levels;
            step({ is: "revealed" });
          }
          break;
        case "DisputeProven":
          step({ is: "proven", element: event.data.bySilence ? undefined : element, bySilence: event.data.bySilence });
          break;
        case "DisputeLost":
          step({ is: "lost" });
          break;
        case "ReportRejected":
          step({ is: "rejected", slashedUnits: event.data.slashedUnits });
          break;
        case "DisputeSettled": {
          const { payoutUnits, costsUnits, shareUnits } = event.data;
          step({ is: "settled", payoutUnits, costsUnits, shareUnits });
          break;
        }
        default:
      }
    }
  }
  return path;
}

/** Kinds of moves, in `DisputeMoved` (docs/protocol.md, 2.3). */
const ATTACH_TRACE = 3;
const REVEAL = 6;

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function begins(data: ReadonlyUint8Array, discriminator: ReadonlyUint8Array): boolean {
  return discriminator.every((byte, index) => data[index] === byte);
}

import { describe, expect, test } from "vitest";
import type { Address, ReadonlyUint8Array, Signature } from "@solana/kit";
import {
  getDemandInstructionDataEncoder,
  getDemandNodeInstructionDataEncoder,
  getPostTraceInstructionDataEncoder,
  getProveInstructionDataEncoder,
  getRevealTileInstructionDataEncoder,
  OPML_ORACLE_PROGRAM_ADDRESS,
} from "@imo/client/opml-oracle";
import { depthOf, disputePath, type Step } from "./dispute-path.ts";
import type { AnyEvent, Told } from "./history.ts";

const DISPUTE = "11111111111111111111111111111112" as Address;
const OTHER = "11111111111111111111111111111113" as Address;
const HASH = new Uint8Array(32);
const expectedDigest = HASH;

let slot = 0n;

function told(data: ReadonlyUint8Array | undefined, ...events: { name: AnyEvent["name"]; data: object }[]): Told {
  slot += 1n;
  return {
    signature: `${slot}` as Signature,
    slot,
    unix: slot,
    failed: false,
    events: events.map(({ name, data: fields }) => ({ name, data: { dispute: DISPUTE, ...fields } }) as unknown as AnyEvent),
    instructions: data === undefined ? [] : [{ program: OPML_ORACLE_PROGRAM_ADDRESS, data }],
    logs: [],
    feeLamports: 0n,
  };
}

const moved = (kind: number): { name: AnyEvent["name"]; data: object } => ({ name: "DisputeMoved", data: { kind } });
const demand = (child: number): Told => told(getDemandInstructionDataEncoder().encode({ expectedDigest, child }), moved(4));
const reveal = (): Told => told(undefined, moved(6));

/** A node's record: Clip, whose output is int8 of this shape. */
function demandNode(child: number, shape: readonly number[]): Told {
  const record = new Uint8Array(128);
  const view = new DataView(record.buffer);
  record[0] = 2;
  record[52] = 1;
  record[53] = shape.length;
  shape.forEach((size, index) => view.setUint32(54 + 4 * index, size, true));
  return told(getDemandNodeInstructionDataEncoder().encode({ expectedDigest, child, header: new Uint8Array(92), record, path: [] }), moved(5));
}

const tile = (bytes: number): Told => told(getRevealTileInstructionDataEncoder().encode({ expectedDigest, tile: new Uint8Array(bytes) }), moved(7));
const prove = (element: number): Told => told(getProveInstructionDataEncoder().encode({ expectedDigest, element }), moved(8), { name: "DisputeProven", data: { bySilence: false } });

function of<K extends Step["is"]>(steps: readonly Step[], is: K): Extract<Step, { is: K }> | undefined {
  return steps.find((step): step is Extract<Step, { is: K }> => step.is === is);
}

describe("the path of a dispute", () => {
  test("given a trace that is posted whole, when it is walked, then straight to the node and its only tile", () => {
    const whole = told(getPostTraceInstructionDataEncoder().encode({ expectedDigest, roots: Array(6).fill(HASH) as Uint8Array[] }), moved(2));
    const { steps } = disputePath(DISPUTE, [whole, demandNode(1, [1, 48]), tile(48), prove(1)], 6);
    expect(of(steps, "trace")).toMatchObject({ whole: true });
    expect(of(steps, "node")?.node).toEqual({ index: 1, operator: 2, shape: [1, 48] });
    expect(of(steps, "tile")).toMatchObject({ index: 0, bytes: 48 });
    expect(of(steps, "proven")).toMatchObject({ element: 1, bySilence: false });
  });

  test("given a model of 21 nodes and an output of 9 tiles, when it is walked, then each demand narrows to where it stands", () => {
    const root = told(undefined, { name: "TracePosted", data: { whole: false } }, moved(2));
    // 21 nodes are five levels: the first reveal shows level 1, the second the leaves.
    const walk = [root, demand(0), reveal(), demand(9), reveal(), demandNode(1, [9, 512]), reveal(), demand(8), tile(512), prove(3)];
    const { steps } = disputePath(DISPUTE, walk, 21);
    const nodes = steps.filter((step) => step.is === "narrowedNodes").map((step) => ("first" in step ? [step.first, step.end] : []));
    expect(nodes).toEqual([
      [0, 21],
      [18, 20],
    ]);
    expect(of(steps, "node")?.node.index).toBe(19);
    expect(of(steps, "narrowedTiles")).toMatchObject({ first: 8, end: 9 });
    expect(of(steps, "tile")).toMatchObject({ index: 8 });
  });

  test("given a trace that a sibling brought, when it is attached, then the walk goes on from it", () => {
    const { steps } = disputePath(DISPUTE, [told(undefined, moved(3)), demandNode(4, [10])], 6);
    expect(of(steps, "trace")).toMatchObject({ whole: true });
    expect(of(steps, "node")?.node.index).toBe(4);
  });

  test("given a silent operator, when it is timed out, then a verdict without an element", () => {
    const { steps } = disputePath(DISPUTE, [told(undefined, { name: "DisputeProven", data: { bySilence: true } })], 6);
    expect(of(steps, "proven")).toMatchObject({ element: undefined, bySilence: true });
  });

  test("given another dispute's events and transactions that failed, when read, then they are not its own", () => {
    const foreign = told(undefined, { name: "DisputeLost", data: { dispute: OTHER } });
    const failed = { ...prove(1), failed: true };
    expect(disputePath(DISPUTE, [foreign, failed], 6).steps).toEqual([]);
  });

  test("given counts, when asked how high their tree is, then as the protocol says", () => {
    expect([0, 1, 2, 3, 16, 17, 21].map(depthOf)).toEqual([0, 0, 1, 2, 4, 5, 5]);
  });
});

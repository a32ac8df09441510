import { describe, expect, test } from "vitest";
import { closable, type Purchase } from "./pay.ts";

const UNSET = { openedSlot: 0n, dueSlot: 0n, dueUnix: 0n };
const NOW = { slot: 100n, unix: 100n, lastRestartSlot: 0n };
const lane = { reservedUnits: 0n, releasingUnits: 0n, collectedUnits: 5n } as NonNullable<Purchase["lane"]>;
const session = { expiresUnix: 1_000n, revokeDeadline: UNSET } as NonNullable<Purchase["session"]>;
const credit = { openLanes: 1, openSessions: 1, openCollections: 0, availableUnits: 0n, reservedUnits: 0n, withdrawingUnits: 0n } as NonNullable<Purchase["credit"]>;
const asked = { amountUnits: 5n } as NonNullable<Purchase["asked"]>;

describe("the end of a purchase", () => {
  test("given a lane without money, when its key still signs, then the lane goes and the credit stays", () => {
    expect(closable({ lane, session, credit, asked }, NOW)).toEqual({ lane: true, session: false, credit: false });
  });

  test("given a key that has expired or whose notice is over, when nothing is left, then all goes together", () => {
    expect(closable({ lane, session: { ...session, expiresUnix: 99n }, credit, asked }, NOW)).toEqual({ lane: true, session: true, credit: true });
    const revoked = { ...session, revokeDeadline: { openedSlot: 1n, dueSlot: 99n, dueUnix: 99n } };
    expect(closable({ lane, session: revoked, credit, asked }, NOW).session).toBe(true);
    const running = { ...session, revokeDeadline: { openedSlot: 1n, dueSlot: 100n, dueUnix: 100n } };
    expect(closable({ lane, session: running, credit, asked }, NOW).session).toBe(false);
  });

  test("given money, an answer that is not collected, or a report that may refund, when it is closed, then nothing goes that is needed", () => {
    const over = { ...session, expiresUnix: 99n };
    expect(closable({ lane: { ...lane, reservedUnits: 1n }, session: over, credit, asked }, NOW).lane).toBe(false);
    expect(closable({ lane: { ...lane, releasingUnits: 1n }, session: over, credit, asked }, NOW).lane).toBe(false);
    expect(closable({ lane, session: over, credit, asked: { ...asked, amountUnits: 6n } }, NOW).lane).toBe(false);
    expect(closable({ lane, session: over, credit: { ...credit, availableUnits: 1n }, asked }, NOW).credit).toBe(false);
    expect(closable({ lane, session: over, credit: { ...credit, openCollections: 1 }, asked }, NOW).credit).toBe(false);
    expect(closable({ lane, session: over, credit: { ...credit, openLanes: 2 }, asked }, NOW).credit).toBe(false);
  });
});

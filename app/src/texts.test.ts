import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MODEL_TOKEN_EVENTS } from "@imo/client/model-token";
import { OPML_ORACLE_EVENTS, Phase } from "@imo/client/opml-oracle";
import { REVENUE_ESCROW_EVENTS } from "@imo/client/revenue-escrow";
import { YIELD_DISTRIBUTOR_EVENTS } from "@imo/client/yield-distributor";
import { allErrors } from "./chain/errors.ts";
import type { ListProblem } from "./actions/allowlist.ts";
import type { Failure } from "./chain/failure.ts";
import type { TermsProblem } from "./maths/terms.ts";
import { t } from "./texts.ts";

const SOURCES = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.tsx?$/.test(file) && !file.endsWith(".test.ts") && file !== "texts.ts")
  .map((file) => ({ file, text: readFileSync(join(import.meta.dirname, file), "utf8") }));

describe("texts", () => {
  test("given the pages, when read, then none has words of its own", () => {
    const found = SOURCES.filter(({ file }) => file.endsWith(".tsx")).flatMap(({ file, text }) => {
      const code = text.replaceAll(/^\s*(\/\/|\*|\/\*\*).*$/gm, "");
      // Between tags, and in the attributes that are shown or read out.
      const between = [...code.matchAll(/>\s*([A-Za-z][a-z]+(?: [A-Za-z]+)+)[^<>{}=;()]*</g)].map((match) => match[1]);
      const attributes = [...code.matchAll(/\s(?:aria-label|title|placeholder|alt)="([^"]+)"/g)].map((match) => match[1]);
      return [...between, ...attributes].map((words) => `${file}: ${words}`);
    });
    expect(found).toEqual([]);
  });

  test("given a text, when looked for, then it is used", () => {
    const all = SOURCES.map(({ text }) => text).join("\n");
    const unused = Object.entries(t).flatMap(([group, texts]) =>
      ["events", "failures", "operators", "split"].includes(group)
        ? []
        : Object.keys(texts)
            .filter((name) => !new RegExp(`\\bt\\.${group}\\.${name}\\b|\\b${name}\\b[^;]*\\} = t\\.${group}\\b|t\\.${group}\\[`).test(all))
            .map((name) => `${group}.${name}`),
    );
    expect(unused).toEqual([]);
  });

  test("given every event of the programs, when it is told, then in words", () => {
    const names = [MODEL_TOKEN_EVENTS, OPML_ORACLE_EVENTS, REVENUE_ESCROW_EVENTS, YIELD_DISTRIBUTOR_EVENTS].flatMap(({ kinds }) => kinds.map(({ name }) => name as string));
    expect(names.filter((name) => !(name in t.events))).toEqual([]);
    expect(Object.keys(t.events).filter((name) => !names.includes(name))).toEqual([]);
  });

  test("given every error of the programs, when it happens, then its message says what to do", () => {
    const errors = allErrors();
    expect(errors.length).toBeGreaterThan(250);
    for (const [program, { code, name, msg }] of errors) {
      const failure: Failure = { kind: "program", program, code, name, message: msg };
      const { title, what } = t.failures.of(failure);
      expect(title).toContain(name);
      expect(what.length, name).toBeGreaterThan(15);
    }
  });

  test("given every kind of failure, when told, then title and what to do", () => {
    const kinds: Failure[] = [
      { kind: "offline" },
      { kind: "refused" },
      { kind: "expired" },
      { kind: "program", program: "?", code: 1, name: "1", message: "" },
      { kind: "noSol" },
      { kind: "noFunds" },
      { kind: "missing", what: "" },
      { kind: "busy" },
      { kind: "other", message: "" },
    ];
    for (const failure of kinds) {
      const { title, what } = t.failures.of(failure);
      expect(title.length > 5 && what.length > 10, failure.kind).toBe(true);
    }
  });

  test("given terms or a list that the program would refuse, when told, then one sentence each, and none twice", () => {
    const terms: TermsProblem[] = [
      ...(["sale", "supply", "raise", "open", "tail", "buyers", "buyersFree", "ownTooSoon", "ownBeforeTranches", "ownEnd", "ownLock", "shareIsZero"] as const).map((about) => ({ about })),
      { about: "shares", sumBps: 9_950 },
      { about: "trancheLate", index: 1 },
      { about: "trancheCheap", index: 2, leastUnits: 600n },
    ];
    const lists: ListProblem[] = [...(["wallet", "limit", "twice"] as const).map((about) => ({ about, line: 3 })), { about: "empty" }, { about: "tooLong" }];
    const told = [...terms.map((problem) => t.terms.problem(problem, (units) => `${units} USDC`)), ...lists.map((problem) => t.offering.listProblem(problem))];
    for (const sentence of told) expect(sentence).toMatch(/^[A-Z][^.]+(\.\d+)?[^.]*\.$/);
    expect(new Set(told).size).toBe(told.length);
    expect(told).toContain("The tranches are together 99.5% of the raise; make it 100%.");
    expect(told).toContain("Tranche 3 must ask for at least what it can pay: 600 USDC.");
  });

  test("given every phase of a dispute and every operator, when shown, then by name", () => {
    for (const phase of Object.values(Phase).filter((each) => typeof each === "number")) expect(t.dispute.phases[phase as Phase]).toBeTruthy();
    expect(t.operators).toHaveLength(23);
  });
});

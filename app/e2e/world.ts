// What the scenarios are written with: visitors with wallets and play money, time travel, screenshots, and checks that hold on every page.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, inject } from "vitest";

export const localnet = inject("localnet");
export const app = inject("app");
const ARTEFACTS = join(import.meta.dirname, "../../target/app-e2e");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** How long a page, a daemon or the cluster may take for one thing. Far more than any does; a slow machine is not a failure. */
const PATIENCE = 120_000;

let browser: Browser;
let visitors: Visitor[] = [];

/** Puts the browser in place for a file of scenarios. Each scenario that passes is counted. */
export function stage(): void {
  beforeAll(async () => {
    browser = await chromium.connect(inject("browser"));
  });
  afterEach(async ({ task }) => {
    for (const visitor of visitors) {
      if (task.result?.state !== "pass") await visitor.page.screenshot({ path: artefact("failed", task.name), fullPage: true }).catch(() => undefined);
      await visitor.context.close();
    }
    const complaints = visitors.flatMap(({ complaints: all }) => all);
    visitors = [];
    expect(complaints, "what the console complained about").toEqual([]);
    note({ scenarios: task.result?.state === "pass" ? 1 : 0 });
  });
  afterAll(async () => {
    note({ files: 1 });
    await browser.close();
  });
}

let notes = 0;

/** A figure for figures.ts to add up. */
export function note(figures: Record<string, number>): void {
  notes += 1;
  writeFileSync(join(ARTEFACTS, "figures", `${process.pid}-${Date.now()}-${notes}.json`), JSON.stringify(figures));
}

function artefact(folder: string, name: string): string {
  mkdirSync(join(ARTEFACTS, folder), { recursive: true });
  return join(ARTEFACTS, folder, `${name.replaceAll(/[^a-z0-9]+/gi, "-").slice(0, 120)}.png`);
}

export interface Visitor {
  context: BrowserContext;
  page: Page;
  complaints: string[];
}

interface Looks {
  width?: number;
  height?: number;
  dark?: boolean;
  /** What the console is expected to say, where a scenario breaks something on purpose. */
  expected?: RegExp;
}

export async function visit(path: string, looks: Looks = {}): Promise<Visitor> {
  const context = await browser.newContext({
    viewport: { width: looks.width ?? 1280, height: looks.height ?? 900 },
    colorScheme: looks.dark === true ? "dark" : "light",
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const complaints: string[] = [];
  const complain = (text: string): void => {
    if (looks.expected?.test(text) !== true) complaints.push(text);
  };
  page.on("console", (message) => {
    if (message.type() === "error") complain(message.text());
  });
  page.on("pageerror", (error) => complain(error.message));
  const visitor = { context, page, complaints };
  visitors.push(visitor);
  await page.goto(`${app}/#${path}`);
  return visitor;
}

export async function go(page: Page, path: string): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, path);
}

/** Connects the burner wallet and takes play money. */
export async function connectBurner(page: Page): Promise<string> {
  await page.getByRole("button", { name: "Connect a wallet" }).click();
  await page.getByRole("button", { name: "Use a burner wallet" }).click();
  const menu = page.locator("header .top-tools button").last();
  await expect.poll(async () => menu.textContent()).toMatch(/…/);
  await menu.click();
  await page.getByRole("button", { name: /of play money/ }).click();
  await page.getByText("Given.").waitFor();
  const address = await page.locator("dialog span[title]").first().getAttribute("title");
  await page.getByRole("button", { name: "Close" }).click();
  return address ?? "";
}

/** Connects as one of the people of the local cluster, whose keys everybody knows. */
export async function connectAs(page: Page, name: string): Promise<string> {
  const person = localnet.keys[name];
  if (person === undefined) throw new Error(`there is no ${name} on the local cluster`);
  // The first half of a key is its seed.
  await connectSeed(page, Buffer.from(person.key.slice(0, 32)).toString("hex"));
  return person.address;
}

/** Connects the burner wallet with a key of the scenario's own: its seed, in hexadecimal, is all that the wallet keeps. */
export async function connectSeed(page: Page, seed: string): Promise<void> {
  await page.evaluate((stored) => localStorage.setItem("imo.burner", stored), seed);
  await page.getByRole("button", { name: "Connect a wallet" }).click();
  await page.getByRole("button", { name: "Use a burner wallet" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

/** Signs what the dialog shows and waits until it is as far as said. */
export async function sign(page: Page, until: "confirmed" | "finalized" = "confirmed"): Promise<void> {
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: /^Sign with/ }).click();
  const reached = until === "confirmed" ? ["confirmed", "finalized"] : ["finalized"];
  await expect.poll(async () => dialog.getAttribute("data-step")).toBeOneOf(reached);
  await dialog.getByRole("button", { name: "Close" }).click();
  await dialog.waitFor({ state: "detached" });
}

/** Presses a button, which may appear only once something is due, and signs. */
export async function press(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
  await sign(page);
}

/** Waits for text that a later reading of the chain brings. */
export async function seen(place: Locator): Promise<void> {
  await place.first().waitFor({ state: "visible" });
}

/** Waits until it is there no more. */
export async function gone(place: Locator): Promise<void> {
  await expect.poll(() => place.count()).toBe(0);
}

/** Waits until nothing on the page is still being read, and it has been painted so. */
export async function settled(page: Page): Promise<void> {
  await gone(page.locator(".loading"));
  await page.evaluate(async () => {
    await document.fonts.ready;
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  });
}

export async function time(): Promise<{ slot: number; unix: number }> {
  return (await (await fetch(`${localnet.api}/time`)).json()) as { slot: number; unix: number };
}

export async function travel(to: { seconds: number } | { to_unix: number } | { to_slot: number } | { slots: number }): Promise<void> {
  const response = await fetch(`${localnet.api}/time-travel`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ ...to, force: true }) });
  if (!response.ok) throw new Error(`time travel: ${await response.text()}`);
}

export async function airdrop(address: string, usdc: number): Promise<void> {
  const response = await fetch(`${localnet.api}/airdrop`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ address, sol: 10, usdc }) });
  if (!response.ok) throw new Error(`airdrop: ${await response.text()}`);
}

export function model(name: string): (typeof localnet.models)[number] {
  const found = localnet.models.find((each) => each.name === name);
  if (found === undefined) throw new Error(`the local cluster has no ${name}`);
  return found;
}

export async function rpc<T>(method: string, params: unknown[]): Promise<T> {
  const response = await fetch(localnet.cluster.rpc, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) });
  return ((await response.json()) as { result: T }).result;
}

export async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: artefact("pages", name), fullPage: true });
}

/** No serious finding of axe-core on what the page shows now. */
export async function accessible(page: Page): Promise<void> {
  // The page's policy lets no script in; the browser's own door does.
  await page.evaluate(AXE);
  const findings = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: (options: unknown) => Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> } };
    return (await axe.run({ resultTypes: ["violations"] })).violations.map(({ id, impact, nodes }) => ({ id, impact, html: nodes[0]?.html }));
  });
  const serious = findings.filter(({ impact }) => impact === "serious" || impact === "critical");
  note({ axe_serious: serious.length });
  expect(serious).toEqual([]);
}

// What developers do in more than one scenario.

import { join } from "node:path";
import type { Address } from "@solana/kit";
import type { Page } from "playwright-core";
import { seen, sign, travel } from "./world.ts";

export const MODEL_FILE = join(import.meta.dirname, "../../models/digits/digits.imo");

/** Registers the digit classifier under a name of its own, from the developer's page; `also` fills in what else there is. Its address. */
export async function register(page: Page, name: string, symbol: string, also?: () => Promise<void>): Promise<Address> {
  await page.getByLabel("Model file (.imo)").setInputFiles(MODEL_FILE);
  await seen(page.locator("[data-root]"));
  await page.getByLabel("Price of an answer").fill("0.1");
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Symbol").fill(symbol);
  await page.getByLabel("Licence").fill("Apache-2.0");
  await also?.();
  await page.getByRole("button", { name: "Register a model" }).click();
  await sign(page);
  // The page of the model's developer follows.
  await page.waitForURL(/#\/developer\/\w{32,}$/);
  return page.url().split("/").at(-1) as Address;
}

/** Says what the next version of the model is, on the developer's page of it. */
export async function describeVersion(page: Page, price: string): Promise<void> {
  await page.getByText("Publish a version").first().click();
  await page.getByLabel("Model file (.imo)").setInputFiles(MODEL_FILE);
  await seen(page.locator("[data-root]"));
  await page.getByLabel("Price of an answer").fill(price);
}

/** Opens the offering of the model that was just registered, for an hour, of which the last half one can only withdraw. */
export async function open(page: Page, raise: { min: string; max: string; linearDays?: string }, also?: () => Promise<void>): Promise<void> {
  await page.getByLabel("Minimum raise").fill(raise.min);
  await page.getByLabel("Maximum raise").fill(raise.max);
  await page.getByLabel("Open for, in hours").fill("1");
  await page.getByLabel(/the last part in which one can only withdraw/).fill("0.5");
  if (raise.linearDays !== undefined) await page.getByLabel("Buyers’ vesting after it, in days").fill(raise.linearDays);
  await also?.();
  await page.getByRole("button", { name: "Open an offering" }).click();
  await sign(page);
}

/** Commits to the offering whose page is shown. */
export async function commit(page: Page, amount: string): Promise<void> {
  await page.getByLabel("Amount to commit").fill(amount);
  await page.getByRole("button", { name: "Commit", exact: true }).click();
  await sign(page);
}

/** Lets the offering of an hour end, and settles it. */
export async function settle(page: Page): Promise<void> {
  await travel({ seconds: 3_700 });
  await page.getByRole("button", { name: "Settle the offering" }).click();
  await sign(page);
}

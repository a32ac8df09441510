import { describe, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { AbsentOperator } from "./absent.ts";
import { connectBurner, connectSeed, go, seen, sign, stage, travel, visit } from "./world.ts";

stage();

/** Opens a report from the Trust page. */
async function openReport(page: Page, report: string): Promise<void> {
  await go(page, "/trust");
  await page.locator(`a[href$="/trust/report/${report}"]`).click();
  await seen(page.getByText("Who paid"));
}

/** Presses a button that appears once something is due, and signs. */
async function call(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click({ timeout: 60_000 });
  await sign(page);
}

describe("a report that its operator leaves alone", () => {
  test("given an open report, when anybody seals it, makes it final and shares its revenue, then the operator can withdraw its part", async () => {
    const operator = await AbsentOperator.start();
    const report = await operator.report();
    const { page } = await visit("/trust");
    await connectBurner(page);
    await openReport(page, report);
    await seen(page.getByText("Collecting", { exact: true }));
    expect(await page.getByRole("button", { name: "Seal" }).count()).toBe(0);
    await travel({ slots: 460 });
    await call(page, "Seal");
    await seen(page.getByText("Can be disputed", { exact: true }));
    await travel({ slots: 460 });
    await call(page, "Make final");
    await call(page, "Share the revenue");
    await seen(page.getByText("Revenue shared"));
    await expect.poll(() => page.getByRole("button", { name: "Share the revenue" }).count(), { timeout: 30_000 }).toBe(0);

    // Of 10 USDC a quarter is the operator's.
    const own = await visit(`/operator/${operator.address}`);
    await connectSeed(own.page, operator.seed);
    await seen(own.page.locator("section", { hasText: /^Earnings to withdraw\s*2\.5\s*USDC/ }));
    await own.page.getByRole("button", { name: "Withdraw", exact: true }).click();
    await seen(own.page.getByRole("dialog").locator(".moves li", { hasText: /^Tokens\s*2\.5\s*USDC$/ }));
    await sign(own.page);
    await seen(own.page.getByText("Nothing to withdraw."));
  });

  test("given a report that was rejected, when anybody refunds its payers, then nothing of what was collected is left in it", async () => {
    const operator = await AbsentOperator.start();
    const report = await operator.report();
    await operator.withhold(report);
    const { page } = await visit("/trust");
    await connectBurner(page);
    await openReport(page, report);
    await seen(page.getByText("Rejected", { exact: true }));
    await seen(page.locator("dl.facts", { hasText: /Collected\s*10\s*USDC/ }));
    await call(page, "Refund the payers");
    await seen(page.getByText("Payer refunded"));
    await seen(page.locator("dl.facts", { hasText: /Collected\s*0\s*USDC/ }));
    expect(await page.getByRole("button", { name: "Refund the payers" }).count()).toBe(0);
  });
});

import { describe, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { commit, open, register, settle } from "./developer.ts";
import { connectBurner, seen, sign, stage, travel, visit } from "./world.ts";

stage();

/** Commits to the offering of a model that was just registered, and lets time pass until it can be settled. */
async function sell(page: Page, name: string, amount: string): Promise<void> {
  await travel({ seconds: 120 });
  await page.getByRole("link", { name }).click();
  await commit(page, amount);
  await settle(page);
}

describe("what becomes of an offering", () => {
  test("given an offering that misses its minimum, when it is settled and claimed, then everything comes back and there is no token", async () => {
    const { page } = await visit("/developer");
    await connectBurner(page);
    await register(page, "Nobody’s", "NONE");
    await open(page, { min: "100", max: "500" });
    await sell(page, "Nobody’s", "40");
    await seen(page.getByText("The offering missed its minimum. Everything goes back."));
    await page.getByRole("button", { name: "Claim", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await seen(dialog.getByText("Pays your commitment back in full."));
    await seen(dialog.locator("h3", { hasText: "Arrives in your wallet" }).locator("xpath=following-sibling::ul[1]").getByText("40"));
    await sign(page);
    await expect.poll(async () => page.getByRole("button", { name: "Claim", exact: true }).count()).toBe(0);
  });

  test("given tokens that vest, when they are claimed, then they are counted at once and released as time passes, and the developer draws the proceeds", async () => {
    const { page } = await visit("/developer");
    await connectBurner(page);
    await register(page, "Slowly", "SLOW");
    await open(page, { min: "10", max: "500", linearDays: "10" });
    await sell(page, "Slowly", "100");
    await seen(page.getByText("Token is out"));
    await page.getByRole("button", { name: "Claim", exact: true }).click();
    await sign(page);
    await seen(page.locator("[data-holding] .figures div", { hasText: /Vesting, earning\s*1,000,000\s*SLOW/ }));
    // A tenth of ten days, and what the scenario took.
    await travel({ seconds: 86_400 });
    await seen(page.getByText(/^1\d\d,\d{3}(\.\d+)? SLOW of what vests is free now\.$/));
    await page.getByRole("button", { name: "Release", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await seen(dialog.locator(".moves li", { hasText: /1\d\d,\d{3}(\.\d+)?\s*SLOW/ }));
    await sign(page);
    await seen(page.locator("[data-holding] .figures div", { hasText: /Free\s*1\d\d,\d{3}/ }));

    // The developer draws what the offering brought in.
    await page.getByRole("link", { name: "Developer", exact: true }).click();
    await page.getByRole("link", { name: "Slowly" }).click();
    await page.getByRole("button", { name: "Draw" }).click();
    await seen(dialog.locator(".moves li", { hasText: /100\s*USDC/ }));
    await sign(page);
    await seen(page.getByText("paid", { exact: true }));
  });
});

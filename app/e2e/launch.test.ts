import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { register } from "./developer.ts";
import { accessible, connectBurner, localnet, seen, shoot, sign, stage, travel, visit } from "./world.ts";

stage();

/** The sentence beside the button that says what is missing. */
function why(page: Page): Promise<string | null> {
  return page.getByRole("button", { name: "Open an offering" }).locator("xpath=following-sibling::span").textContent();
}

describe("an offering with everything", () => {
  test("given tranches, vesting, a cap and an allow-list, when it is opened, then every term is on the chain and only the list commits, each up to its limit", async () => {
    const { page } = await visit("/developer");
    const address = await connectBurner(page);
    await register(page, "Guests only", "GUEST");

    // One sentence at a time says what is wrong.
    await expect.poll(() => why(page)).toBe("Enter a number for “Minimum raise”.");
    await page.getByLabel("Minimum raise").fill("2000");
    await page.getByLabel("Maximum raise").fill("1000");
    await expect.poll(() => why(page)).toBe("The minimum raise is above zero and at most the maximum.");
    await page.getByLabel("Minimum raise").fill("100");
    await page.getByLabel("Open for, in hours").fill("1");
    await expect.poll(() => why(page)).toMatch(/^The last part, in which one can only withdraw, is at least a tenth/);
    await page.getByLabel(/the last part in which one can only withdraw/).fill("0.5");
    await page.getByLabel("Cap of each wallet").fill("300");

    await page.getByLabel("Tranche 1, in percent of the raise").fill("40");
    await expect.poll(() => why(page)).toBe("The tranches are together 40% of the raise; make it 100%.");
    await page.getByRole("button", { name: "Add a tranche" }).click();
    await page.getByLabel("Tranche 2, in percent of the raise").fill("60");
    await page.getByLabel("Tranche 2 is paid").selectOption("once it is earned");
    await page.getByLabel("Tranche 2: revenue for others, in USDC").fill("599");
    await expect.poll(() => why(page)).toBe("Tranche 2 must ask for at least what it can pay: 600 USDC.");
    await page.getByLabel("Tranche 2: revenue for others, in USDC").fill("600");
    await page.getByLabel("Tranche 2: missed after days").fill("90");

    await page.getByLabel("Buyers’ vesting after it, in days").fill("100");
    await page.getByLabel("Of the buyers’ tokens free at once, in percent").fill("20");
    await page.getByLabel("Tokens for the developer").fill("250000");
    await page.getByLabel("Developer’s cliff, in days").fill("89");
    await expect.poll(() => why(page)).toBe("The developer’s cliff does not end before the last tranche is due.");
    await page.getByLabel("Developer’s cliff, in days").fill("90");

    await page.getByLabel("Only wallets on a list").check();
    await expect.poll(() => why(page)).toBe("Enter the wallets that may commit.");
    const guest = localnet.keys["bob"]?.address ?? "";
    await page.getByLabel("Allow-list").fill(`${address}, 250\n${guest} 1e3`);
    await seen(page.getByText("The limit on line 2 is no amount of the token that one pays in."));
    await page.getByLabel("Allow-list").fill(`${address}, 250\n${guest}`);
    const words = page.locator("[data-terms]");
    for (const sentence of [
      "1,000,000 GUEST are sold for 100 USDC to 1,000 USDC; below that everything goes back, above it the excess.",
      "A token costs between 0.0001 and 0.001 USDC, the same for everybody.",
      "It opens in 1 min and is open for 1 h; in the last 30 min one can only withdraw.",
      "Only the 2 wallets on the list may commit, each up to its own limit.",
      "A wallet may commit at most 300 USDC.",
      "Buyers’ tokens: 20% free at once; nothing more for 0 s; then evenly over 100 d.",
      "Tranche 1 pays the developer up to 400 USDC, at the settlement.",
      "Tranche 2 pays the developer up to 600 USDC, once others than the developer were paid 600 USDC, within 90 d.",
    ]) {
      await seen(words.getByText(sentence, { exact: true }));
    }
    await accessible(page);
    await shoot(page, "open-offering-1280-light");
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download the list" }).click()]);
    const saved = join(mkdtempSync(join(tmpdir(), "imo-list-")), "allow-list.csv");
    await download.saveAs(saved);
    const file = readFileSync(saved, "utf8");
    rmSync(dirname(saved), { recursive: true });
    expect(file).toBe(`${address},250\n${guest},0\n`);
    await page.setViewportSize({ width: 390, height: 844 });
    await shoot(page, "open-offering-390-light");
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.getByRole("button", { name: "Open an offering" }).click();
    await sign(page);

    // The model's page says the same.
    await travel({ seconds: 120 });
    await page.getByRole("link", { name: "Guests only" }).click();
    await seen(page.locator("li", { hasText: /400\s*USDC at the settlement/ }));
    await seen(page.locator("li", { hasText: /600\s*USDC once others than the developer were paid 600 USDC, within 90 d/ }));
    await seen(page.getByText("20% free at once; nothing more for 0 s; then evenly over 100 d."));

    // Committing takes the list, the right one, and a place on it.
    const commit = page.getByRole("button", { name: "Commit", exact: true });
    const list = { name: "allow-list.csv", mimeType: "text/csv", buffer: Buffer.from(file) };
    await page.getByLabel("Amount to commit").fill("260");
    expect(await commit.isDisabled()).toBe(true);
    await page.getByLabel("Allow-list, as the developer published it").fill(`${address}, 251\n${guest}`);
    await seen(page.getByText("This is not the list that the offering was opened with."));
    await page.getByLabel("Or the file of the list").setInputFiles(list);
    await seen(page.getByText("At most 250 USDC."));
    expect(await commit.isDisabled()).toBe(true);
    await page.getByLabel("Amount to commit").fill("250");
    await commit.click();
    await sign(page);
    await seen(page.locator("[data-commitment]", { hasText: /250\s*USDC/ }));

    const stranger = await visit(page.url().split("#")[1] ?? "");
    await connectBurner(stranger.page);
    await stranger.page.getByLabel("Amount to commit").fill("10");
    await stranger.page.getByLabel("Or the file of the list").setInputFiles(list);
    await seen(stranger.page.getByText("Your wallet is not on this list."));
    expect(await stranger.page.getByRole("button", { name: "Commit", exact: true }).isDisabled()).toBe(true);
  });
});

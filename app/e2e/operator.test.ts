import { describe, expect, test } from "vitest";
import { connectAs, connectBurner, localnet, seen, sign, stage, travel, visit } from "./world.ts";

stage();

describe("an operator", () => {
  test("given an honest operator, when somebody adds to its stake, then its free stake is that much more and nothing alarms", async () => {
    const honest = localnet.operators.find((each) => each.honest);
    const { page } = await visit(`/operator/${honest?.address}`);
    await connectBurner(page);
    await seen(page.getByText("Nothing needs attention."));
    const free = page.locator(".figures dd").first();
    const units = async (): Promise<number> => Number((await free.textContent())?.replaceAll(/[^\d.]/g, ""));
    const before = await units();
    await page.getByLabel("Amount to stake").fill("12.5");
    await page.getByRole("button", { name: "Add to the stake" }).click();
    await sign(page);
    await expect.poll(units, { timeout: 30_000 }).toBe(before + 12.5);
  });

  test("given an operator that was caught, when it is looked at, then jailed, with its record", async () => {
    const liar = localnet.operators.find((each) => !each.honest);
    const { page } = await visit(`/operator/${liar?.address}`);
    await seen(page.getByText("It is jailed and cannot post reports, for"));
    await seen(page.locator(".figures div", { hasText: /Rejected\s*1/ }));
  });

  test("given stake that an operator takes out, when the unbonding is over and not before, then it is back in its wallet", async () => {
    const honest = localnet.operators.find((each) => each.honest);
    const { page } = await visit(`/operator/${honest?.address}`);
    await connectAs(page, "operator");
    await page.getByLabel("Amount to announce").fill("40");
    await page.getByRole("button", { name: "Take stake out" }).click();
    await sign(page);
    await seen(page.locator(".figures div", { hasText: /Leaving\s*40\s*USDC/ }));
    await seen(page.getByText("Can be withdrawn in"));
    const withdraw = page.getByRole("button", { name: "Withdraw stake" });
    expect(await withdraw.isDisabled()).toBe(true);
    await travel({ slots: 2_260 });
    await withdraw.click({ timeout: 60_000 });
    await seen(page.getByRole("dialog").locator(".moves li", { hasText: /^Tokens\s*40\s*USDC$/ }));
    await sign(page);
    await seen(page.locator(".figures div", { hasText: /Leaving\s*0\s*USDC/ }));
  });
});

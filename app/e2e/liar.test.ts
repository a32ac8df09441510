import { describe, expect, test } from "vitest";
import { seen, shoot, stage, visit } from "./world.ts";

stage();

describe("a lying operator", () => {
  test("given an operator that lied once, when its dispute is opened, then the page shows the way from claim to operator to tile to verdict", async () => {
    const { page } = await visit("/trust");
    await page.getByRole("link", { name: "A wrong answer was proven" }).first().click();
    await seen(page.locator("[data-path]"));
    const steps = await page.locator("[data-path] > li").evaluateAll((items) => items.map((item) => item.getAttribute("data-step")));
    const order = ["opened", "claim", "trace", "node", "tile", "proven"].map((step) => steps.indexOf(step));
    expect(order.every((place) => place >= 0)).toBe(true);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    await seen(page.getByText(/Operator: node 1, Clip, whose output is 1 × 48/));
    await seen(page.getByText(/the chain computed element \d+ itself, and it is another number/));
    await seen(page.getByText(/The report is rejected and 50 USDC slashed/));
    await shoot(page, "dispute-1280-light");
    // Every step has its transaction.
    await page.locator("[data-path] > li[data-step=proven] a").click();
    await seen(page.getByText("Fraud proven"));
    await seen(page.getByText("Succeeded"));
    await shoot(page, "transaction-1280-light");
  });
});

import { describe, expect, test } from "vitest";
import { connectAs, model, seen, sign, stage, visit } from "./world.ts";

stage();

describe("a holder", () => {
  test("given a stake that earns, when a part of it is taken out, then that much is free and the rest earns on", async () => {
    const { page } = await visit(`/model/${model("digits").address}`);
    await connectAs(page, "alice");
    const figure = (name: string): Promise<number> =>
      page
        .locator("[data-holding] .figures div", { hasText: new RegExp(`^${name}\\s*\\d`) })
        .locator("dd")
        .textContent()
        .then((text) => Number(text?.replaceAll(/[^\d.]/g, "")));
    await seen(page.getByLabel("Tokens to take out"));
    const [free, staked] = [await figure("Free"), await figure("Staked, earning")];
    expect(staked).toBeGreaterThan(12.5);
    await page.getByLabel("Tokens to take out").fill("12.5");
    await page.getByRole("button", { name: "Unstake", exact: true }).click();
    await seen(page.getByRole("dialog").locator(".moves li", { hasText: /12\.5/ }));
    await sign(page);
    await expect.poll(() => figure("Free")).toBeCloseTo(free + 12.5, 6);
    expect(await figure("Staked, earning")).toBeCloseTo(staked - 12.5, 6);
  });
});

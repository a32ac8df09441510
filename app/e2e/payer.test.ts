import type { Address } from "@solana/kit";
import { describe, expect, test } from "vitest";
import { creditOf, told } from "./chain.ts";
import { connectBurner, localnet, model, press, seen, shoot, sign, stage, travel, visit } from "./world.ts";
import { drawOne } from "./payer.ts";

stage();

describe("a payer", () => {
  test("given a prepaid operator, when a digit is drawn and asked for, before and after a top-up, then it is answered, its cost shown, and the answer holds when it is computed again", async () => {
    const { page } = await visit(`/try/${model("digits").address}`);
    await connectBurner(page);
    await page.getByLabel("Amount to prepay").fill("5");
    await page.getByRole("button", { name: "Prepay" }).click();
    await sign(page);
    await seen(page.locator("[data-left]", { hasText: "5 USDC" }));
    await drawOne(page);
    await page.getByRole("button", { name: /^Ask for 0.25 USDC/ }).click();
    await seen(page.locator("[data-answer]"));
    expect(await page.locator("[data-answer]").getAttribute("data-answer")).toMatch(/^\d$/);
    await seen(page.locator("[data-left]", { hasText: "4.75 USDC" }));
    await shoot(page, "answer-1280-light");

    // More money, for which the browser's next key may sign, and another question.
    await page.getByLabel("Amount to add").fill("2");
    await page.getByRole("button", { name: "Top up" }).click();
    await sign(page);
    await seen(page.locator("[data-left]", { hasText: "6.75 USDC" }));
    await page.getByRole("button", { name: /^Ask for 0.25 USDC/ }).click();
    await seen(page.locator("[data-left]", { hasText: "6.5 USDC" }));
    await seen(page.locator("[data-answer]"));
    await page.getByRole("link", { name: "Verify this answer" }).click();
    await page.getByRole("button", { name: "Check" }).click();
    await seen(page.locator("[data-verdict=correct]"));
    await seen(page.getByText("Correct: the model gives exactly this answer."));
    await shoot(page, "verified-1280-light");

    // A receipt that was tampered with does not hold.
    const receipt = page.getByLabel("Receipt, as it was downloaded");
    const written = JSON.parse(await receipt.inputValue()) as { output: string };
    await receipt.fill(JSON.stringify({ ...written, output: Buffer.from([77, 0, 0, 0]).toString("base64") }));
    await page.getByRole("button", { name: "Check" }).click();
    await seen(page.locator("[data-verdict=wrong-handed-out]"));
  });

  test("given money left on a lane, when it is taken out, then it comes back after both notices, and the rent with it", async () => {
    const cnn = model("digits_cnn").address as Address;
    const { page } = await visit(`/try/${cnn}`);
    const payer = (await connectBurner(page)) as Address;
    await page.getByLabel("Amount to prepay").fill("3");
    await page.getByRole("button", { name: "Prepay" }).click();
    await sign(page);
    await page.getByRole("button", { name: "Take the rest out" }).click();
    await sign(page);
    await seen(page.getByText(/3 USDC leaves the operator in/));
    await travel({ seconds: 400 });
    await seen(page.getByText("3 USDC can leave the operator now."));
    await page.getByRole("button", { name: "Release it" }).click();
    await sign(page);
    await travel({ seconds: 400 });
    await seen(page.getByText("3 USDC can be withdrawn now."));
    await page.getByRole("button", { name: "Withdraw", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await seen(dialog.getByText("Arrives in your wallet"));
    await seen(dialog.locator(".moves li", { hasText: "3 USDC" }));
    await sign(page);

    // What is empty then gives its rent back, once the browser's key has ended.
    await page.getByText("Ending it").click();
    await press(page, "End this browser’s key");
    await seen(page.getByText("This browser’s key has ended. What it has signed can be collected for"));
    await travel({ seconds: 400 });
    const close = page.getByRole("button", { name: "Close what is empty" });
    // With the key's account, which goes last.
    await page.getByText("This browser’s key has ended.").waitFor({ state: "detached" });
    await close.click();
    await seen(dialog.getByText("Closes your credit for this model."));
    await sign(page);
    await told(() => creditOf(payer, cnn), (credit) => credit, undefined);
    await seen(page.getByRole("button", { name: "Prepay" }));
  });

  test("given an operator that does not answer, when its buyers look, then the page says so and offers no button that cannot work", async () => {
    const { page } = await visit("/", { expected: /Failed to load resource|net::ERR/ });
    await page.route((url) => localnet.operators.some(({ endpoint }) => url.href.startsWith(endpoint)), (route) => route.abort());
    await page.goto(`${page.url().split("#")[0]}#/try/${model("digits").address}`);
    await seen(page.getByText("No operator that can be reached serves this model right now."));
    expect(await page.getByRole("button", { name: /^Ask for/ }).count()).toBe(0);
  });
});

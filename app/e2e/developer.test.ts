import { describe, expect, test } from "vitest";
import type { Locator } from "playwright-core";
import { describeVersion, MODEL_FILE, open, register } from "./developer.ts";
import { accessible, connectBurner, model, seen, shoot, sign, stage, travel, visit } from "./world.ts";

stage();

describe("a developer", () => {
  test("given a model file, when it is registered, then its root is computed in the browser and its first version is live with it", async () => {
    const { page } = await visit("/developer");
    await connectBurner(page);
    await page.getByLabel("Model file (.imo)").setInputFiles(MODEL_FILE);
    await seen(page.locator("[data-root]"));
    expect(await page.locator("[data-root]").textContent()).toBe(model("digits").model_root);
    await register(page, "My digits", "MYD");
    await seen(page.getByRole("heading", { name: "Open an offering" }));
    await page.getByRole("link", { name: "My digits" }).click();
    await seen(page.locator("[data-model-root]"));
    expect(await page.locator("[data-model-root]").textContent()).toBe(model("digits").model_root);
    await seen(page.getByText("live", { exact: true }));
  });

  test("given a registered model, when an offering is opened, then everybody sees it", async () => {
    const { page } = await visit("/developer");
    await connectBurner(page);
    await register(page, "For sale", "SALE");
    await open(page, { min: "1000", max: "5000" });
    await page.getByRole("link", { name: "For sale" }).click();
    await seen(page.getByText("Opens in").or(page.getByText("Commitments still for")));
  });

  test("given a second version that is built on a model and on somebody's data, when its notice has passed, then it is live and pays them", async () => {
    const { page } = await visit("/developer");
    const own = await connectBurner(page);
    await register(page, "Twice", "TWICE");
    await describeVersion(page, "0.2");
    const publish = page.getByRole("button", { name: "Publish a version" });
    const contributor = (number: number, part: "wallet or model" | "share in basis points"): Locator => page.getByLabel(`Contributor ${number}: ${part}`);
    await page.getByRole("button", { name: "Add a contributor" }).click();
    await contributor(1, "wallet or model").fill("nobody");
    await contributor(1, "share in basis points").fill("500");
    await seen(page.getByText("Enter the address of a wallet or of a model."));
    await contributor(1, "wallet or model").fill(model("digits").address);
    await seen(page.getByText("5% of each answer to the holders of Digits."));
    await page.getByRole("button", { name: "Add a contributor" }).click();
    await contributor(2, "wallet or model").fill(own);
    await contributor(2, "share in basis points").fill("250");
    await seen(page.getByText("2.5% of each answer to this wallet."));
    await seen(page.getByText("Together 10,750 of 10,000."));
    expect(await publish.isDisabled()).toBe(true);
    await page.getByLabel("Holders").fill("3250");
    await accessible(page);
    await shoot(page, "version-1280-light");
    await publish.click();
    await sign(page);

    // Not before its notice is over.
    const activate = page.getByRole("button", { name: "Make it live" });
    await seen(page.getByText("waits for its notice"));
    expect(await activate.isDisabled()).toBe(true);
    await seen(page.getByText("An offering needs the newest version to be live."));
    await travel({ slots: 760 });
    await activate.click();
    await sign(page);
    await page.getByRole("link", { name: "Twice" }).click();
    await seen(page.locator("summary", { hasText: /Version 2\s*live/ }));
    await seen(page.locator("dl.facts", { hasText: /5% to .*A model that this one is built on.*2\.5% to / }));
    await seen(page.locator("dl.figures div", { hasText: /Price of an answer\s*0\.2\s*USDC/ }));
  });

  test("given a file that is no model, when it is chosen, then the page says what is wrong with it", async () => {
    const { page } = await visit("/developer");
    await connectBurner(page);
    await page.getByLabel("Model file (.imo)").setInputFiles({ name: "notes.imo", mimeType: "application/octet-stream", buffer: Buffer.from("these are notes") });
    await seen(page.getByRole("alert"));
    expect(await page.getByRole("button", { name: "Register a model" }).isDisabled()).toBe(true);
  });
});

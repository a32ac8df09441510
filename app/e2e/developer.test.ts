import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { connectBurner, model, seen, sign, stage, visit } from "./world.ts";

stage();

const FILE = join(import.meta.dirname, "../../models/digits/digits.imo");

describe("a developer", () => {
  test("given a model file, when it is registered, then its root is computed in the browser and its first version is live with it", async () => {
    const { page } = await visit("/developer");
    await connectBurner(page);
    await page.getByLabel("Model file (.imo)").setInputFiles(FILE);
    await seen(page.locator("[data-root]"));
    expect(await page.locator("[data-root]").textContent()).toBe(model("digits").model_root);
    await page.getByLabel("Price of an answer").fill("0.1");
    await page.getByLabel("Name", { exact: true }).fill("My digits");
    await page.getByLabel("Symbol").fill("MYD");
    await page.getByLabel("Licence").fill("Apache-2.0");
    await page.getByRole("button", { name: "Register a model" }).click();
    await sign(page);
    await seen(page.getByRole("heading", { name: "Open an offering" }));
    await page.getByRole("link", { name: "My digits" }).click();
    await seen(page.locator("[data-model-root]"));
    expect(await page.locator("[data-model-root]").textContent()).toBe(model("digits").model_root);
    await seen(page.getByText("live", { exact: true }));
  });

  test("given a registered model, when an offering is opened, then everybody sees it", async () => {
    const { page } = await visit("/developer");
    await connectBurner(page);
    await page.getByLabel("Model file (.imo)").setInputFiles(FILE);
    await seen(page.locator("[data-root]"));
    await page.getByLabel("Price of an answer").fill("0.1");
    await page.getByLabel("Name", { exact: true }).fill("For sale");
    await page.getByLabel("Symbol").fill("SALE");
    await page.getByLabel("Licence").fill("MIT");
    await page.getByRole("button", { name: "Register a model" }).click();
    await sign(page);
    await page.getByLabel("Minimum raise").fill("1000");
    await page.getByLabel("Maximum raise").fill("5000");
    await page.getByRole("button", { name: "Open an offering" }).click();
    await sign(page);
    await page.getByRole("link", { name: "For sale" }).click();
    await seen(page.getByText("Opens in").or(page.getByText("Commitments still for")));
  });

  test("given a file that is no model, when it is chosen, then the page says what is wrong with it", async () => {
    const { page } = await visit("/developer");
    await connectBurner(page);
    await page.getByLabel("Model file (.imo)").setInputFiles({ name: "notes.imo", mimeType: "application/octet-stream", buffer: Buffer.from("these are notes") });
    await seen(page.getByRole("alert"));
    expect(await page.getByRole("button", { name: "Register a model" }).isDisabled()).toBe(true);
  });
});

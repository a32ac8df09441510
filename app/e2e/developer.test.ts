import { describe, expect, test } from "vitest";
import { MODEL_FILE, open, register } from "./developer.ts";
import { connectBurner, model, seen, stage, visit } from "./world.ts";

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

  test("given a file that is no model, when it is chosen, then the page says what is wrong with it", async () => {
    const { page } = await visit("/developer");
    await connectBurner(page);
    await page.getByLabel("Model file (.imo)").setInputFiles({ name: "notes.imo", mimeType: "application/octet-stream", buffer: Buffer.from("these are notes") });
    await seen(page.getByRole("alert"));
    expect(await page.getByRole("button", { name: "Register a model" }).isDisabled()).toBe(true);
  });
});

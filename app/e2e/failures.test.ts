import { describe, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { open, register } from "./developer.ts";
import { airdrop, connectBurner, go, localnet, model, seen, sign, stage, travel, visit } from "./world.ts";

stage();

/** Opens the dialog of a small commitment, as far as its signature. */
async function aboutToCommit(page: Page, model: string, amount = "10"): Promise<void> {
  await go(page, `/model/${model}`);
  await page.getByLabel("Amount to commit").fill(amount);
  await page.getByRole("button", { name: "Commit", exact: true }).click();
}

describe("what goes wrong", () => {
  test("given a wallet, when its owner refuses, then nothing is sent and the page says so", async () => {
    const { page, context } = await visit("/");
    const address = await connectBurner(page);
    // The same key, in a wallet whose owner says no.
    await context.addInitScript((account) => {
      const wallet = {
        version: "1.0.0",
        name: "Refuser",
        icon: "data:image/svg+xml;base64,PHN2Zy8+",
        chains: ["solana:localnet"],
        accounts: [{ address: account, publicKey: new Uint8Array(32), chains: ["solana:localnet"], features: ["solana:signTransaction"] }],
        features: {
          "standard:connect": { version: "1.0.0", connect: async () => ({ accounts: wallet.accounts }) },
          "solana:signTransaction": {
            version: "1.0.0",
            supportedTransactionVersions: [0],
            signTransaction: async () => {
              throw Object.assign(new Error("User rejected the request."), { code: 4001 });
            },
          },
        },
      };
      addEventListener("wallet-standard:app-ready", (event) => (event as CustomEvent<{ register: (each: unknown) => void }>).detail.register(wallet));
    }, address);
    await page.evaluate(() => localStorage.removeItem("imo.wallet"));
    await page.reload();
    await page.getByRole("button", { name: "Connect a wallet" }).click();
    await page.getByRole("button", { name: "Refuser" }).click();
    await aboutToCommit(page, model("digits_cnn").address);
    await page.getByRole("button", { name: "Sign with Refuser" }).click();
    await seen(page.getByText("You refused in your wallet."));
    await seen(page.getByText("Nothing was sent."));
  });

  test("given a transaction that never lands, when its time is out, then the page says that it had no effect and offers it anew", async () => {
    const { page } = await visit("/");
    await connectBurner(page);
    await page.route(localnet.cluster.rpc, async (route) => {
      const body = JSON.parse(route.request().postData() ?? "{}") as { id: string; method: string };
      if (body.method === "sendTransaction") return route.fulfill({ json: { jsonrpc: "2.0", id: body.id, result: "1".repeat(64) }, headers: { "access-control-allow-origin": "*" } });
      if (body.method === "getBlockHeight") return route.fulfill({ json: { jsonrpc: "2.0", id: body.id, result: 99_999_999_999 }, headers: { "access-control-allow-origin": "*" } });
      return route.continue();
    });
    await aboutToCommit(page, model("digits_cnn").address);
    await page.getByRole("button", { name: /^Sign with/ }).click();
    await seen(page.getByText("The transaction’s time ran out before it landed."));
    await page.unroute(localnet.cluster.rpc);
    await page.getByRole("dialog").getByRole("button", { name: "Try again" }).click();
    await sign(page);
  });

  test("given an RPC that goes away, when pages are read and transactions prepared, then they say so and go on once it is back", async () => {
    const { page } = await visit("/", { expected: /Failed to load resource|net::ERR/ });
    await connectBurner(page);
    await page.route(localnet.cluster.rpc, (route) => route.abort());
    await seen(page.locator("[data-away]"));
    await go(page, "/trust");
    await seen(page.getByText("The RPC does not answer.").first());
    await page.unroute(localnet.cluster.rpc);
    await page.locator("[data-away]").waitFor({ state: "detached" });
    await seen(page.getByText(/wrong answer was proven/));
  });

  test("given an address that is no model’s, when it is opened, then the page says that the account is missing", async () => {
    const { page } = await visit("/model/11111111111111111111111111111112");
    await seen(page.getByText("An account that is needed is not there."));
  });

  test("given less in the wallet than is committed, when it is simulated, then the page says so before anything is signed", async () => {
    const { page } = await visit("/");
    await connectBurner(page);
    await aboutToCommit(page, model("digits_cnn").address, "60000");
    await seen(page.getByText("Not enough of the token."));
    expect(await page.getByRole("button", { name: /^Sign with/ }).count()).toBe(0);
  });

  test("given no play money, when something is signed for, then the page asks for SOL", async () => {
    const { page } = await visit("/");
    await page.getByRole("button", { name: "Connect a wallet" }).click();
    await page.getByRole("button", { name: "Use a burner wallet" }).click();
    await aboutToCommit(page, model("digits_cnn").address, "1");
    await seen(page.getByText("Not enough SOL."));
  });

  test("given a clock that passes the deadline while a dialog is open, when it is signed, then the program’s refusal is shown by name", async () => {
    const { page } = await visit("/developer");
    const address = await connectBurner(page);
    await airdrop(address, 1_000);
    await register(page, "Too late", "LATE");
    await open(page, { min: "1", max: "5" });
    await travel({ seconds: 120 });
    await page.getByRole("link", { name: "Too late" }).click();
    await page.getByLabel("Amount to commit").fill("1");
    await page.getByRole("button", { name: "Commit", exact: true }).click();
    await page.getByRole("button", { name: /^Sign with/ }).waitFor();
    await travel({ seconds: 2_400 });
    await page.getByRole("button", { name: /^Sign with/ }).click();
    await seen(page.getByRole("alert").getByText(/\(model-token, 6\d+\)/));
  });
});

import { describe, expect, test } from "vitest";
import { airdrop, connectBurner, go, model, rpc, seen, shoot, sign, stage, time, travel, visit } from "./world.ts";
import { drawOne } from "./payer.ts";

stage();

describe("an investor", () => {
  test("given an open offering, when somebody commits, settles, claims, stakes, earns, claims the yield and redeems, then every amount is the one that was shown before", async () => {
    const cnn = model("digits_cnn");
    const { page } = await visit(`/model/${cnn.address}`);
    const address = await connectBurner(page);
    await airdrop(address, 50_000);

    // Commit: what the page promises is what the program's arithmetic gives.
    await page.getByLabel("Amount to commit").fill("30000");
    await seen(page.locator("[data-preview]").getByText("DIGCNN").first());
    await page.getByRole("button", { name: "Commit", exact: true }).click();
    await seen(page.getByRole("dialog").locator(".moves li", { hasText: "30,000 USDC" }));
    await shoot(page, "dialog-1280-light");
    await sign(page, "finalized");
    await seen(page.getByText("Your commitment"));

    // Take some of it out, and put it in again.
    await page.getByLabel("Amount to take out").fill("5000");
    await page.getByRole("button", { name: "Withdraw", exact: true }).click();
    await sign(page);
    await page.getByLabel("Amount to commit").fill("5000");
    await page.getByRole("button", { name: "Commit", exact: true }).click();
    await sign(page);
    await seen(page.locator("[data-commitment]", { hasText: /30,000\s*USDC/ }));
    await expect.poll(async () => page.locator("[data-preview]").count()).toBe(1);
    const promised = page.locator("[data-preview] dd").first();
    const tokens = (await promised.textContent()) ?? "";

    // Settle.
    const { value } = await rpc<{ value: { data: [string, string] } }>("getAccountInfo", [cnn.offering, { encoding: "base64" }]);
    const closes = closesOf(Buffer.from(value.data[0], "base64"));
    const { unix } = await time();
    if (unix <= closes) await travel({ to_unix: closes + 5 });
    await page.getByRole("button", { name: "Settle the offering" }).click();
    await sign(page);
    await seen(page.getByText("Token is out"));

    // Claim: exactly what was promised.
    await page.getByRole("button", { name: "Claim", exact: true }).click();
    await sign(page);
    await seen(page.getByText("What you hold"));
    const free = page.locator("section[data-holding] .figures dd").first();
    await expect.poll(async () => plain(await free.textContent())).toBe(plain(tokens));

    // Stake, and wait until it earns.
    const stakes = page.getByLabel("Tokens to stake");
    await stakes.fill("1000");
    await page.getByRole("button", { name: "Stake", exact: true }).click();
    await sign(page);
    await seen(page.getByText(/Staked, earning in/));
    await travel({ seconds: 2 * 15 * 60 + 60 });
    await seen(page.getByText("Staked, about to earn").or(page.locator("dl.figures", { hasText: "1,000 DIGCNN" })));

    // Somebody pays for an answer; its report becomes final.
    const payer = await visit(`/try/${cnn.address}`);
    await connectBurner(payer.page);
    await payer.page.getByLabel("Amount to prepay").fill("50");
    await payer.page.getByRole("button", { name: "Prepay" }).click();
    await sign(payer.page);
    for (let count = 0; count < 4; count += 1) {
      await drawOne(payer.page);
      await payer.page.getByRole("button", { name: /^Ask for/ }).click();
      await seen(payer.page.locator("[data-answer]"));
      await payer.page.getByRole("button", { name: "Clear" }).click();
    }
    await seen(payer.page.locator("dl.facts", { hasText: /Collected\s*1\s/ }));

    // Earn, claim, redeem. The daemon seals, waits for the window, finalises and shares, each in its own time: windows pass until it has.
    await page.bringToFront();
    const claim = page.getByRole("button", { name: "Claim yield" });
    await expect
      .poll(
        async () => {
          if (!(await claim.isVisible())) await travel({ seconds: 240 });
          return claim.isVisible();
        },
        { timeout: 600_000, interval: 10_000 },
      )
      .toBe(true);
    await go(page, "/portfolio");
    await seen(page.locator("[data-claimable] li", { hasText: "USDC" }));
    const claimable = plain(await page.locator("[data-claimable] li .amount").first().textContent());
    await shoot(page, "portfolio-full-1280-light");
    await page.getByRole("button", { name: "Claim all" }).click();
    await seen(page.getByRole("dialog").locator(".moves li", { hasText: claimable }));
    await sign(page);
    await seen(page.getByText("Nothing to claim."));
    await page.getByText("Stake, unstake or redeem: Digits CNN").click();
    await page.getByLabel("Tokens to burn").fill("1000");
    await seen(page.locator("[data-redeem-preview]"));
    const pays = plain(await page.locator("[data-redeem-preview] .amount").textContent());
    await page.getByRole("button", { name: "Redeem", exact: true }).click();
    await seen(page.getByRole("dialog").locator(".moves li", { hasText: pays }));
    await sign(page);
    await seen(page.getByText(/Tokens redeemed/));
  });
});

function plain(text: string | null): string {
  return (text ?? "").replaceAll("\u00a0", " ");
}

/** `closes_unix` of an offering's account: behind discriminator, version, bump, three keys, three bumps, status, five amounts, a hash, a count and two times. */
function closesOf(data: Buffer): number {
  return Number(data.readBigInt64LE(10 + 3 * 32 + 3 + 1 + 5 * 8 + 32 + 4 + 2 * 8));
}

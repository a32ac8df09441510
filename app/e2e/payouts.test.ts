import type { Address } from "@solana/kit";
import { findPaymentAccount, findTokenAccount } from "@imo/client";
import { TrancheState } from "@imo/client/model-token";
import { describe, expect, test } from "vitest";
import { AbsentOperator } from "./absent.ts";
import { heldBy, offeringOf, paidOf, poolOf, told } from "./chain.ts";
import { commit, open, register, settle } from "./developer.ts";
import { finish } from "./reports.ts";
import { accessible, connectBurner, go, localnet, model, press, seen, shoot, sign, stage, travel, visit } from "./world.ts";

stage();

const ONE = 1_000_000n;
const USDC = localnet.mints.usdc.address as Address;
const DAY = { seconds: 86_400 };

describe("what others are owed", () => {
  test("given revenue of a version that is built on a model and on somebody's data, when anyone pays out, then the model's holders and the person have exactly their parts", async () => {
    const { page } = await visit("/developer");
    await connectBurner(page);
    const person = await visit("/portfolio");
    const wallet = (await connectBurner(person.page)) as Address;
    const digits = model("digits").address as Address;
    const built = await register(page, "Built upon", "BUILT", async () => {
      for (const [number, recipient, share] of [
        [1, digits, "500"],
        [2, wallet, "250"],
      ] as const) {
        await page.getByRole("button", { name: "Add a contributor" }).click();
        await page.getByLabel(`Contributor ${number}: wallet or model`).fill(recipient);
        await page.getByLabel(`Contributor ${number}: share in basis points`).fill(share);
      }
      await page.getByLabel("Holders").fill("3250");
      await seen(page.getByText("2.5% of each answer to this wallet."));
    });
    const operator = await AbsentOperator.start(built);
    const report = await operator.report();
    await operator.seal(report);
    await finish(page, report);

    // Of 10 USDC.
    await go(page, `/model/${built}`);
    const row = (recipient: string) => page.locator(`tr[data-payee="${recipient}"]`);
    await seen(row(digits).getByText("0.5", { exact: false }).first());
    await accessible(page);
    await shoot(page, "payees-1280-light");
    const before = await poolOf(digits);
    await row(digits).getByRole("button", { name: "Pay out" }).click();
    await sign(page);
    await told(() => paidOf(built, 1), ([upstream]) => upstream, ONE / 2n);
    const after = await poolOf(digits);
    expect(after.owedUnits + after.redeemUnits - before.owedUnits - before.redeemUnits).toBe(ONE / 2n);
    await seen(row(digits).getByText("paid", { exact: true }));

    // The person finds it in the portfolio, too.
    await seen(person.page.locator("[data-claimable] li", { hasText: /0\.25\s*USDC/ }));
    const account = await findPaymentAccount(wallet, USDC);
    const held = await heldBy(account);
    await row(wallet).getByRole("button", { name: "Pay out" }).click();
    await seen(page.getByRole("dialog").getByText("Pays 0.25 USDC to the contributor’s own wallet."));
    await sign(page);
    await told(() => heldBy(account), (units) => units - held, ONE / 4n);
    await seen(person.page.getByText("Nothing to claim."));

    // What was set aside of the protocol's part goes to the auditors' fund.
    const audits = page.locator("tr[data-audits]");
    await audits.getByRole("button", { name: "Pay out" }).click();
    await sign(page);
    await audits.waitFor({ state: "detached" });
  });
});

describe("what follows an offering", () => {
  test("given a tranche that has to be earned, when its time is over without the revenue, then anyone calls it missed: the raise is the holders' and the developer's tokens are burned", async () => {
    const { page } = await visit("/developer");
    await connectBurner(page);
    const promised = await register(page, "Promised", "PROM");
    await open(page, { min: "10", max: "500" }, async () => {
      await page.getByLabel("Tranche 1 is paid").selectOption("once it is earned");
      await page.getByLabel("Tranche 1: revenue for others, in USDC").fill("500");
      await page.getByLabel("Tranche 1: missed after days").fill("1");
      await page.getByLabel("Tokens for the developer").fill("250000");
      await page.getByLabel("Developer’s cliff, in days").fill("1");
      await page.getByLabel("Developer’s vesting after it, in days").fill("10");
    });
    await travel({ seconds: 120 });
    await page.getByRole("link", { name: "Promised" }).click();
    await commit(page, "100");
    await settle(page);
    await seen(page.getByText("Token is out"));
    expect(await page.getByRole("button", { name: "Call it missed" }).count()).toBe(0);
    await travel(DAY);

    const stranger = await visit(`/model/${promised}`);
    await connectBurner(stranger.page);
    await seen(stranger.page.getByText("time is over"));
    await shoot(stranger.page, "missed-1280-light");
    await stranger.page.getByRole("button", { name: "Call it missed" }).click();
    await seen(stranger.page.getByRole("dialog").getByText("The developer’s 250,000 PROM are burned with it."));
    await sign(stranger.page);
    await told(() => offeringOf(promised), ({ tranches, developerBurnedUnits }) => [tranches[0]?.state, developerBurnedUnits], [TrancheState.Missed, 250_000n * ONE]);
    await told(() => poolOf(promised), ({ redeemUnits }) => redeemUnits, 100n * ONE);
    await seen(stranger.page.getByText("missed", { exact: true }));
    await go(page, `/developer/${promised}`);
    await seen(page.locator("[data-own-tokens] .figures div", { hasText: /Burned\s*250,000\s*PROM/ }));
  });

  test("given two investors who never come back, when anyone pays them out and sweeps the rest, then each has its tokens and the last unit is nobody's any more", async () => {
    const { page } = await visit("/developer");
    const first = (await connectBurner(page)) as Address;
    const shared = await register(page, "Thirds", "THIRD");
    await open(page, { min: "10", max: "500" });
    await travel({ seconds: 120 });
    await page.getByRole("link", { name: "Thirds" }).click();
    await commit(page, "10");
    const other = await visit(`/model/${shared}`);
    const second = (await connectBurner(other.page)) as Address;
    await commit(other.page, "20");
    await settle(page);

    const stranger = await visit(`/model/${shared}`);
    await connectBurner(stranger.page);
    await seen(stranger.page.getByText("2 commitments have not been claimed. Anyone can pay them out."));
    await press(stranger.page, "Pay out what is unclaimed");
    const { mint } = await offeringOf(shared);
    for (const [owner, units] of [
      [first, 333_333_333_333n],
      [second, 666_666_666_666n],
    ] as const) {
      const account = await findTokenAccount(owner, mint);
      await told(() => heldBy(account), (held) => held, units);
    }
    await seen(stranger.page.getByText("Everything is claimed. 0.000001 THIRD and 0 USDC are left over from rounding."));
    await accessible(stranger.page);
    await press(stranger.page, "Sweep the rest");
    await told(() => offeringOf(shared), ({ dustSwept, burnedUnits }) => [dustSwept, burnedUnits], [true, 1n]);
    await stranger.page.locator("[data-dust]").waitFor({ state: "detached" });
  });

  test("given a developer's tokens that vest, when revenue comes and time passes, then their yield is claimed and what is free released, and no more", async () => {
    const { page } = await visit("/developer");
    const developer = (await connectBurner(page)) as Address;
    const kept = await register(page, "Kept", "KEPT");
    await open(page, { min: "10", max: "500" }, async () => {
      await page.getByLabel("Tokens for the developer").fill("1000000");
      await page.getByLabel("Developer’s cliff, in days").fill("0");
      await page.getByLabel("Developer’s vesting after it, in days").fill("10");
    });
    await travel({ seconds: 120 });
    await page.getByRole("link", { name: "Kept" }).click();
    await commit(page, "100");
    await settle(page);
    await seen(page.getByText("Token is out"));
    const operator = await AbsentOperator.start(kept);
    const report = await operator.report();
    await operator.seal(report);
    await finish(page, report);

    // Half of the supply is the developer's: of 4 USDC for holders it has earned 2, less what the floor of a unit leaves.
    await go(page, `/developer/${kept}`);
    await seen(page.locator("[data-own-tokens] .figures div", { hasText: /Yield to claim\s*1\.999999\s*USDC/ }));
    const account = await findPaymentAccount(developer, USDC);
    const held = await heldBy(account);
    await press(page, "Claim their yield");
    await told(() => heldBy(account), (units) => units - held, 2n * ONE - 1n);
    await travel(DAY);
    await press(page, "Release what is free");
    const { mint } = await offeringOf(kept);
    const tokens = await heldBy(await findTokenAccount(developer, mint));
    // A day of ten, and the time that the scenario took.
    expect(tokens).toBeGreaterThan(100_000n * ONE);
    expect(tokens).toBeLessThan(200_000n * ONE);
    await told(() => offeringOf(kept), ({ developerReleasedUnits }) => developerReleasedUnits, tokens);
    await shoot(page, "proceeds-1280-light");
  });
});

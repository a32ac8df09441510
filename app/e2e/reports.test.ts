import { describe, expect, test } from "vitest";
import { AbsentOperator, PRICE } from "./absent.ts";
import { bucketOf, told } from "./chain.ts";
import { finish, openReport } from "./reports.ts";
import { accessible, connectBurner, connectSeed, press, seen, shoot, sign, stage, travel, visit } from "./world.ts";

stage();

describe("a report that its operator leaves alone", () => {
  test("given an open report, when anybody seals it, makes it final and shares its revenue, then the operator can withdraw its part", async () => {
    const operator = await AbsentOperator.start();
    const report = await operator.report();
    const { page } = await visit("/trust");
    await connectBurner(page);
    await openReport(page, report);
    await seen(page.getByText("Collecting", { exact: true }));
    expect(await page.getByRole("button", { name: "Seal" }).count()).toBe(0);
    await travel({ slots: 460 });
    await press(page, "Seal");
    await seen(page.getByText("Can be disputed", { exact: true }));
    await travel({ slots: 460 });
    await press(page, "Make final");
    await press(page, "Share the revenue");
    await seen(page.getByText("Revenue shared"));
    await expect.poll(() => page.getByRole("button", { name: "Share the revenue" }).count()).toBe(0);

    // Of 10 USDC a quarter is the operator's.
    const own = await visit(`/operator/${operator.address}`);
    await connectSeed(own.page, operator.seed);
    await seen(own.page.locator("section", { hasText: /^Earnings to withdraw\s*2\.5\s*USDC/ }));
    await own.page.getByRole("button", { name: "Withdraw", exact: true }).click();
    await seen(own.page.getByRole("dialog").locator(".moves li", { hasText: /^Tokens\s*2\.5\s*USDC$/ }));
    await sign(own.page);
    await seen(own.page.getByText("Nothing to withdraw."));
  });

  test("given a report that was rejected, when anybody refunds its payers, then nothing of what was collected is left in it", async () => {
    const operator = await AbsentOperator.start();
    const report = await operator.report();
    await operator.withhold(report);
    const { page } = await visit("/trust");
    await connectBurner(page);
    await openReport(page, report);
    await seen(page.getByText("Rejected", { exact: true }));
    await seen(page.locator("dl.facts", { hasText: /Collected\s*10\s*USDC/ }));
    await press(page, "Refund the payers");
    await seen(page.getByText("Payer refunded"));
    await seen(page.locator("dl.facts", { hasText: /Collected\s*0\s*USDC/ }));
    expect(await page.getByRole("button", { name: "Refund the payers" }).count()).toBe(0);
  });

  test("given answers that their operator finds wrong, when it takes them back, seals and lets the window pass, then the payer has its money again, the fee is shared, and everything is cleared away", async () => {
    const operator = await AbsentOperator.start();
    const report = await operator.report();
    const own = await visit("/trust");
    await connectSeed(own.page, operator.seed);
    await openReport(own.page, report);
    await own.page.getByRole("button", { name: "Take back" }).click();
    const dialog = own.page.getByRole("dialog");
    // All but the operator's quarter.
    await seen(dialog.getByText("It costs 7.5 USDC: what all others would have got of it."));
    await seen(dialog.locator(".moves li", { hasText: /^Tokens\s*7\.5\s*USDC$/ }));
    await sign(own.page);
    await seen(own.page.locator("[data-collection]", { hasText: "taken back" }));
    await told(() => bucketOf(report), (bucket) => [bucket?.collectedUnits, bucket?.retractedUnits, bucket?.feeUnits], [0n, PRICE, (PRICE * 3n) / 4n]);
    // Its daemon is away, but nobody needs to wait for the last moment.
    await press(own.page, "Seal");
    await seen(own.page.getByText("Can be disputed", { exact: true }));

    const { page } = await visit("/trust");
    await connectBurner(page);
    await finish(page, report);
    const before = await operator.credit();
    await press(page, "Refund the payers");
    await told(() => operator.credit(), ({ availableUnits }) => availableUnits - before.availableUnits, PRICE);
    await accessible(page);
    await shoot(page, "retracted-1280-light");
    await press(page, "Clear it away");
    await seen(page.getByText("This report has ended and is closed. Its transactions say what became of it."));
    await seen(page.getByText("Report closed"));
    await told(() => bucketOf(report), (bucket) => bucket, undefined);
  });

  test("given a demand that was not answered, when anybody says so, settles and pays out, then whoever demanded has fees and share, and the report is cleared away", async () => {
    const operator = await AbsentOperator.start();
    const report = await operator.report();
    await operator.demand(report);
    const { page } = await visit("/trust");
    await connectBurner(page);
    await openReport(page, report);
    expect(await page.getByRole("button", { name: "Say that the time is over" }).count()).toBe(0);
    await travel({ slots: 310 });
    await press(page, "Say that the time is over");
    await seen(page.getByText("Rejected", { exact: true }));
    await press(page, "Settle");
    const held = await operator.payerHolds();
    await press(page, "Pay out");
    await expect.poll(() => operator.payerHolds()).toBeGreaterThan(held);
    await press(page, "Refund the payers");
    await press(page, "Clear it away");
    await seen(page.getByText("This report has ended and is closed. Its transactions say what became of it."));
  });

  test("given a challenger who opens a dispute and is gone, when anybody says that its time is over, then the dispute is lost, settled, closed, and the report goes its way", async () => {
    const operator = await AbsentOperator.start();
    const report = await operator.report();
    await operator.seal(report);
    const dispute = await operator.disputed(report);
    const { page } = await visit(`/trust/dispute/${dispute}`);
    await connectBurner(page);
    await seen(page.getByText("The challenger moves within"));
    await travel({ slots: 460 });
    await press(page, "Say that the time is over");
    await seen(page.getByText("Lost by the challenger", { exact: true }));
    await press(page, "Settle");
    await press(page, "Pay out");
    await seen(page.getByText("It is over, and its account is closed."));
    await openReport(page, report);
    await travel({ slots: 460 });
    await press(page, "Make final");
    await seen(page.getByText("Final", { exact: true }));
  });
});

import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { AbsentOperator } from "./absent.ts";
import { accessible, connectAs, connectBurner, go, localnet, model, note, seen, settled, shoot, stage, visit } from "./world.ts";

stage();

/** Every page with the text by which it is there. */
function pages(report: string): [name: string, path: string, shows: string | RegExp][] {
  const digits = model("digits").address;
  const cnn = model("digits_cnn").address;
  const [operator] = localnet.operators;
  return [
    ["explore", "/", "Offering open"],
    ["model-sold", `/model/${digits}`, "As a table"],
    ["model-offering", `/model/${cnn}`, "Commitments still for"],
    ["portfolio", "/portfolio", "Nothing to claim."],
    ["trust", "/trust", /wrong answer was proven/],
    ["report", `/trust/report/${report}`, "Who paid"],
    ["verify", "/verify", "Receipt, as it was downloaded"],
    ["try", `/try/${digits}`, "Your question"],
    ["developer", "/developer", "Register a model"],
    ["others-model", `/developer/${digits}`, /^This is another wallet’s model/],
    ["operators", "/operator", operator?.endpoint ?? ""],
    ["operator", `/operator/${operator?.address}`, "Alarms"],
  ];
}

/** Pages whose addresses other pages know. The way there, and the text by which it is there. */
const FOLLOWED: readonly [name: string, from: string, link: string, shows: string][] = [
  ["dispute", "/trust", "a[href*='/trust/dispute/']", "From claim to verdict"],
  ["transaction", "/trust", "a[href*='/tx/']", "What the programs told"],
];

/** Pages that show more to whom they are about: as whom, and the text by which that is there. */
function ownPages(): [name: string, as: string, path: string, shows: string][] {
  const honest = localnet.operators.find((each) => each.honest);
  return [
    ["own-model", "developer", `/developer/${model("digits").address}`, "Hand the model over"],
    ["own-operator", "operator", `/operator/${honest?.address}`, "Where it serves"],
    ["own-portfolio", "alice", "/portfolio", "Stake, unstake or redeem: Digits"],
  ];
}

/** What opens over a page: how, and a button by which it is there. Each has a button that closes it. */
function dialogs(): [name: string, path: string, open: (page: Page) => Promise<void>, shows: string | RegExp][] {
  return [
    ["wallet-menu", "/", async (page) => page.locator("header .top-tools button").last().click(), "Disconnect"],
    [
      "preview",
      `/model/${model("digits_cnn").address}`,
      async (page) => {
        await page.getByLabel("Amount to commit").fill("10");
        await page.getByRole("button", { name: "Commit", exact: true }).click();
      },
      /^Sign with/,
    ],
  ];
}

/** Takes a picture of what is shown now and checks it. */
async function inspect(page: Page, name: string): Promise<void> {
  await settled(page);
  await shoot(page, name);
  await accessible(page);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wider, `${name} is wider than the screen`).toBeLessThanOrEqual(0);
}

describe("every page", () => {
  let report: string;
  beforeAll(async () => {
    // One that stays: those of the daemons become final and are closed.
    report = await (await AbsentOperator.start()).report();
  });

  for (const [width, dark] of [
    [1280, false],
    [1280, true],
    [390, false],
    [390, true],
  ] as const) {
    test(`given ${width} pixels and ${dark ? "dark" : "light"} colours, when each page is looked at, then it is whole, accessible and quiet`, async () => {
      const { page } = await visit("/", { width, height: 844, dark });
      await connectBurner(page);
      const looks = `${width}-${dark ? "dark" : "light"}`;
      for (const [name, path, shows] of pages(report)) {
        await go(page, path);
        await seen(page.getByText(shows));
        await inspect(page, `${name}-${looks}`);
      }
      for (const [name, from, link, shows] of FOLLOWED) {
        await go(page, from);
        await page.locator(link).first().click();
        await seen(page.getByText(shows));
        await inspect(page, `${name}-${looks}`);
      }
      for (const [name, as, path, shows] of ownPages()) {
        const own = await visit(path, { width, height: 844, dark });
        await connectAs(own.page, as);
        await seen(own.page.getByText(shows));
        await own.page.evaluate(() => {
          for (const details of document.querySelectorAll<HTMLDetailsElement>("main details")) details.open = true;
        });
        await inspect(own.page, `${name}-${looks}`);
      }
      for (const [name, path, open, shows] of dialogs()) {
        await go(page, path);
        await open(page);
        const dialog = page.getByRole("dialog");
        await seen(dialog.getByRole("button", { name: shows }));
        await inspect(page, `${name}-${looks}`);
        await dialog.getByRole("button", { name: /^(Close|Cancel)$/ }).click();
        await dialog.waitFor({ state: "detached" });
      }
    });
  }

  test("given first visits, when the models are shown, then the largest of it is there within a second and a half", async () => {
    const loads: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const { page } = await visit("/");
      await seen(page.getByText("Offering open"));
      const lcp = await page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            new PerformanceObserver((list) => resolve(list.getEntries().at(-1)?.startTime ?? 0)).observe({ type: "largest-contentful-paint", buffered: true });
          }),
      );
      note({ lcp_ms: lcp });
      loads.push(lcp);
    }
    const [, median = 0] = loads.sort((a, b) => a - b);
    expect(median).toBeGreaterThan(0);
    expect(median).toBeLessThan(1_500);
  });

  test("given an indexer that does not answer, when revenue, verdicts and history are looked for, then the chain alone gives them", async () => {
    const { page } = await visit("/portfolio", { expected: /Failed to load resource|net::ERR/ });
    await page.route((url) => url.href.startsWith(localnet.index), (route) => route.abort());
    await page.reload();
    await connectBurner(page);
    await go(page, "/");
    // With the report that was in its window when the cluster started, once that is final.
    await seen(page.locator("td", { hasText: /(?<![\d.,])(7\.75|9)\s*USDC/ }));
    await go(page, `/model/${model("digits").address}`);
    await seen(page.getByText("These are all reports"));
    await go(page, "/trust");
    await seen(page.getByRole("link", { name: "A wrong answer was proven" }));
  });

  test("given a keyboard alone, when a model is looked for, then search, sort and link are reached and work", async () => {
    const { page } = await visit("/");
    await seen(page.getByText("Offering open"));
    await page.keyboard.press("Tab");
    await expect.poll(async () => page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the page");
    await page.getByLabel("Search by name").focus();
    await page.keyboard.type("cnn");
    await expect.poll(async () => page.locator("tbody tr").count()).toBe(1);
    await page.getByRole("link", { name: "Digits CNN", exact: true }).focus();
    await page.keyboard.press("Enter");
    await seen(page.getByRole("heading", { name: /Digits CNN/ }));
  });

  test("given a search that nothing matches, when it is typed, then the page says so", async () => {
    const { page } = await visit("/");
    await seen(page.getByText("Offering open"));
    await page.getByLabel("Search by name").fill("no such model");
    await seen(page.getByText("No model matches “no such model”."));
  });

  test("given two models, when they are sorted by raise, then the order follows and turns", async () => {
    const { page } = await visit("/");
    await seen(page.getByText("Offering open"));
    const first = async (): Promise<string | null> => page.locator("tbody tr").first().locator("a").first().textContent();
    await page.getByRole("button", { name: /^Raise/ }).click();
    await expect.poll(first).toBe("Digits");
    await page.getByRole("button", { name: /^Raise/ }).click();
    await expect.poll(first).toBe("Digits CNN");
  });
});

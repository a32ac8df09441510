import type { Address } from "@solana/kit";
import { OperatorAccess } from "@imo/client/model-token";
import { fetchOperator } from "@imo/client/opml-oracle";
import { describe, expect, test } from "vitest";
import { announcedCardOf, appointmentOf, chain, modelOf, told } from "./chain.ts";
import { register } from "./developer.ts";
import { accessible, connectBurner, go, localnet, press, seen, shoot, sign, stage, travel, visit } from "./world.ts";

stage();

/** More than the protocol's notice. */
const NOTICE = { slots: 760 };
const UNSET = { openedSlot: 0n, dueSlot: 0n, dueUnix: 0n };

describe("a model in its developer's hands", () => {
  test("given a model that is open to all operators, when its developer admits one, makes the list count, and sends it away again, then the chain admits who the page says", async () => {
    const { page } = await visit("/developer");
    await connectBurner(page);
    const model = await register(page, "By invitation", "INV");
    const honest = localnet.operators.find((each) => each.honest)?.address as Address;
    const { authority } = (await fetchOperator(chain, honest)).data;
    const row = page.locator(`tr[data-candidate="${authority}"]`);
    const other = page.locator("tr[data-candidate]").filter({ hasNot: page.locator(`a[href$="/operator/${honest}"]`) }).first();
    await seen(row.getByText("as everybody"));

    // The address of the operator's account is what people copy; its authority is what the list has.
    await page.getByLabel("Another operator, by its authority").fill(honest);
    await press(page, "Put it on the list");
    await told(() => appointmentOf(model, authority), (found) => found?.dismissal, UNSET);
    await seen(row.getByText("on the list"));
    await page.getByLabel("Another operator, by its authority").fill(authority);
    await seen(page.getByText("It is on the list already."));

    // Now the list counts: at once for new work, after the notice for reports.
    await press(page, "Admit only operators on the list");
    await told(() => modelOf(model), ({ operators }) => operators, OperatorAccess.Listed);
    await seen(row.getByText("admitted"));
    await seen(other.getByText("only reports, for"));
    await accessible(page);
    await shoot(page, "admission-1280-light");
    await page.setViewportSize({ width: 390, height: 844 });
    await shoot(page, "admission-390-light");
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 1280, height: 900 });
    await travel(NOTICE);
    await seen(other.getByText("no", { exact: true }));

    // Sent away: no new payers at once, and off the list after the notice.
    await row.getByRole("button", { name: "Remove" }).click();
    await sign(page);
    await seen(row.getByText("only reports, for"));
    await told(() => appointmentOf(model, authority), (found) => (found?.dismissal.dueSlot ?? 0n) > 0n, true);
    await go(page, `/try/${model}`);
    await seen(page.getByText("No operator that can be reached serves this model right now."));
    await go(page, `/developer/${model}`);
    await travel(NOTICE);
    await row.getByRole("button", { name: "Clear away" }).click();
    await sign(page);
    await told(() => appointmentOf(model, authority), (found) => found, undefined);
    await press(page, "Open it to every operator");
    await told(() => modelOf(model), ({ operators }) => operators, OperatorAccess.Open);
    await seen(row.getByText("as everybody"));
  });

  test("given a name with a mistake, when another one is announced, taken back, announced again and put in force, then everybody sees it coming and the chain has it", async () => {
    const { page } = await visit("/developer");
    await connectBurner(page);
    const model = await register(page, "Mispelt", "SPELL");
    const change = async (): Promise<void> => {
      await page.getByText("Change name or card").click();
      const name = page.locator("[data-card]").getByLabel("Name", { exact: true });
      await expect.poll(() => name.inputValue()).toBe("Mispelt");
      await seen(page.getByText("Nothing is changed yet."));
      await name.fill("A name of far more than the thirty-two bytes");
      await seen(page.locator("[data-card]").getByText("At most 32 bytes."));
      await name.fill("Misspelt");
      await page.locator("[data-card]").getByLabel("SHA-256 of the model card").fill("ab".repeat(32));
      await press(page, "Announce the change");
      await seen(page.locator("[data-announced]"));
    };
    await change();
    await told(() => announcedCardOf(model), (found) => found?.metadata.name, "Misspelt");
    expect(await page.getByRole("button", { name: "Put it in force" }).isDisabled()).toBe(true);
    await accessible(page);
    await shoot(page, "card-announced-1280-light");
    await page.locator("[data-card]").getByRole("button", { name: "Take it back" }).click();
    await sign(page);
    await told(() => announcedCardOf(model), (found) => found, undefined);

    await page.locator("[data-announced]").waitFor({ state: "detached" });
    await change();
    const holder = await visit(`/model/${model}`);
    await seen(holder.page.getByText(/^A change of the card is announced\. It can be in force in/));
    await seen(holder.page.locator("dl.facts", { hasText: /Name\s*Mispelt\s*Misspelt/ }));
    await travel(NOTICE);
    await press(page, "Put it in force");
    await told(() => modelOf(model), ({ metadata: { name, symbol, uriHash } }) => [name, symbol, [...uriHash]], ["Misspelt", "SPELL", Array(32).fill(0xab)]);
    await told(() => announcedCardOf(model), (found) => found, undefined);
    await seen(holder.page.getByRole("heading", { name: /^Misspelt/ }));
  });

  test("given a successor that is named, taken back and named again, when it accepts on its page, then it is the developer and the predecessor is not", async () => {
    const { page } = await visit("/developer");
    await connectBurner(page);
    const model = await register(page, "Heirloom", "HEIR");
    const heir = await visit("/developer");
    const successor = await connectBurner(heir.page);
    const name = async (): Promise<void> => {
      await page.getByLabel("Wallet of the successor").fill(successor);
      await press(page, "Name the successor");
      await told(() => modelOf(model), ({ pendingDeveloper }) => pendingDeveloper, successor);
    };
    await name();
    await page.locator("[data-handover]").getByRole("button", { name: "Take it back" }).click();
    await sign(page);
    await told(() => modelOf(model), ({ pendingDeveloper }) => pendingDeveloper, "11111111111111111111111111111111");
    await name();
    await seen(page.getByText("Waits for its successor to accept:"));

    await seen(heir.page.getByRole("heading", { name: "Offered to you" }));
    await heir.page.getByRole("link", { name: "Heirloom" }).click();
    await seen(heir.page.getByText("The developer of Heirloom wants you to take it over."));
    await accessible(heir.page);
    await shoot(heir.page, "handover-1280-light");
    await press(heir.page, "Accept the model");
    await told(() => modelOf(model), ({ developer, pendingDeveloper }) => [developer, pendingDeveloper], [successor, "11111111111111111111111111111111"]);
    await seen(heir.page.getByRole("heading", { name: "Hand the model over" }));
    await seen(page.getByText(/^This is another wallet’s model\./));
  });
});

import { createHash } from "node:crypto";
import { type Address, getAddressEncoder } from "@solana/kit";
import { fetchOperator, findOperatorPda, type Operator } from "@imo/client/opml-oracle";
import { describe, expect, test } from "vitest";
import { chain, told } from "./chain.ts";
import { accessible, connectAs, connectBurner, localnet, press, seen, shoot, sign, stage, travel, visit } from "./world.ts";

stage();

describe("an operator", () => {
  test("given an honest operator, when somebody adds to its stake, then the chain has that much more of it and nothing alarms", async () => {
    const honest = localnet.operators.find((each) => each.honest)?.address as Address;
    const { page } = await visit(`/operator/${honest}`);
    await connectBurner(page);
    await seen(page.getByText("Nothing needs attention."));
    const stake = async (): Promise<bigint> => (await fetchOperator(chain, honest, { commitment: "confirmed" })).data.stakeUnits;
    const before = await stake();
    await page.getByLabel("Amount to stake").fill("12.5");
    await page.getByRole("button", { name: "Add to the stake" }).click();
    await sign(page);
    await told(stake, (units) => units - before, 12_500_000n);
  });

  test("given an operator that was caught, when it is looked at, then jailed, with its record", async () => {
    const liar = localnet.operators.find((each) => !each.honest);
    const { page } = await visit(`/operator/${liar?.address}`);
    await seen(page.getByText("It is jailed and cannot post reports, for"));
    await seen(page.locator(".figures div", { hasText: /Rejected\s*1/ }));
  });

  test("given stake that an operator takes out, when the unbonding is over and not before, then it is back in its wallet", async () => {
    const honest = localnet.operators.find((each) => each.honest);
    const { page } = await visit(`/operator/${honest?.address}`);
    await connectAs(page, "operator");
    await page.getByLabel("Amount to announce").fill("40");
    await page.getByRole("button", { name: "Take stake out" }).click();
    await sign(page);
    await seen(page.locator(".figures div", { hasText: /Leaving\s*40\s*USDC/ }));
    await seen(page.getByText("Can be withdrawn in"));
    const withdraw = page.getByRole("button", { name: "Withdraw stake" });
    expect(await withdraw.isDisabled()).toBe(true);
    await travel({ slots: 2_260 });
    await withdraw.click();
    await seen(page.getByRole("dialog").locator(".moves li", { hasText: /^Tokens\s*40\s*USDC$/ }));
    await sign(page);
    await seen(page.locator(".figures div", { hasText: /Leaving\s*0\s*USDC/ }));
  });

  test("given a wallet, when it registers as an operator, moves its endpoint and takes another answer key, then the chain has the hash of each key and nothing else changes", async () => {
    // Nobody answers at these endpoints.
    const { page } = await visit("/operator", { expected: /Failed to load resource|net::ERR/ });
    const wallet = (await connectBurner(page)) as Address;
    await page.getByText("Endpoint, keys and mint").click();
    await page.getByLabel("Endpoint").fill("operator.example");
    await seen(page.getByText("This is no address of a gateway: it begins with https:// or http://."));
    await page.getByLabel("Endpoint").fill("http://127.0.0.1:9");
    const [first, second] = [localnet.keys["alice"]?.address as Address, localnet.keys["bob"]?.address as Address];
    await page.getByLabel("Answer key").fill(first);
    await accessible(page);
    await shoot(page, "register-operator-1280-light");
    await page.getByRole("button", { name: "Register as an operator" }).click();
    await sign(page);
    const [address] = await findOperatorPda({ authority: wallet, mint: localnet.mints.usdc.address as Address });
    const hash = (key: Address): number[] => [...createHash("sha256").update(new Uint8Array(getAddressEncoder().encode(key))).digest()];
    const serving = ({ endpoint, backup, endpointKeyHash }: Operator): unknown[] => [endpoint, backup, [...endpointKeyHash]];
    const read = async (): Promise<Operator> => (await fetchOperator(chain, address, { commitment: "confirmed" })).data;
    await told(read, serving, ["http://127.0.0.1:9", wallet, hash(first)]);

    await page.waitForURL(new RegExp(`#/operator/${address}$`));
    await page.getByText("Change endpoint or keys").click();
    await seen(page.getByText("Nothing is changed yet."));
    await page.getByLabel("Endpoint").fill("http://127.0.0.1:9/moved");
    await press(page, "Save");
    await told(read, serving, ["http://127.0.0.1:9/moved", wallet, hash(first)]);
    await page.getByLabel("New answer key").fill(second);
    await press(page, "Save");
    await told(read, serving, ["http://127.0.0.1:9/moved", wallet, hash(second)]);
    await page.getByLabel("New answer key").fill(first);
    await seen(page.getByText("The key has changed lately; it changes again once the time below is over."));
    await page.getByLabel("New answer key").fill("");
    await page.getByLabel("Endpoint").fill("");
    await press(page, "Save");
    await told(read, serving, ["", wallet, hash(second)]);
  });
});

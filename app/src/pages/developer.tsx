// What a model developer does: register from a file, publish versions, open an offering, draw the proceeds.

import { type Address, isAddress } from "@solana/kit";
import { fromHex, loadVerifier, type ModelHeader, toHex, sha256 } from "@imo/client";
import { Checkable, findProtocolPda, OfferingStatus, type Protocol, TrancheState } from "@imo/client/model-token";
import { type ReactNode, useId, useState } from "react";
import { Link, useLocation } from "wouter";
import { activateVersion, drawTranche, openOffering, publishVersion, registerModel, type VersionTerms } from "../actions/develop.ts";
import { Failed } from "../chain/failure.ts";
import { MODEL, PROTOCOL } from "../chain/kinds.ts";
import { trancheUnits } from "../maths/offering.ts";
import type { RevenueSplit } from "../maths/split.ts";
import { useMints, useNow, useRead, useUnitOf, useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { bps, decimal } from "../ui/format.ts";
import { AmountField, Empty, Facts, FailureText, Loaded, Note, Tag, TextField, TOKEN_DECIMALS, useAmount } from "../ui/parts.tsx";
import { TransactButton } from "../ui/transaction.tsx";
import { type ModelView, readModel } from "../views/model.ts";
import { trancheText } from "./model.tsx";
import { given } from "./offering.tsx";

/** Where a model's creator and developer stand in its account. */
const CREATOR = 14n;
const DEVELOPER = 46n;

export function Developer({ address }: { address: string | undefined }): ReactNode {
  const wallet = useWallet();
  return (
    <>
      <div className="page-head">
        <h1>{t.develop.title}</h1>
        <p className="quiet">{t.develop.intro}</p>
      </div>
      {wallet === undefined ? <Note mood="plain">{t.develop.connect}</Note> : address !== undefined && isAddress(address) ? <Own address={address} /> : <Home owner={wallet.address} />}
    </>
  );
}

function Home({ owner }: { owner: Address }): ReactNode {
  const models = useRead(["models-of", owner], async (chain) => {
    const [own, created, protocol] = await Promise.all([
      chain.all(MODEL, { offset: DEVELOPER, key: owner }),
      chain.all(MODEL, { offset: CREATOR, key: owner }),
      readProtocol(chain),
    ]);
    // An index is used once for each creator, whoever has the model now.
    const next = created.reduce((index, { data }) => Math.max(index, data.index + 1), 0);
    return { own, next, protocol };
  });
  return (
    <Loaded query={models}>
      {({ own, next, protocol }) => (
        <>
          <section>
            <h2>{t.develop.yours}</h2>
            {own.length === 0 ? (
              <Empty>{t.develop.none}</Empty>
            ) : (
              <ul className="moves">
                {own.map(({ address, data }) => (
                  <li key={address}>
                    <Link href={`/developer/${address}`}>{data.metadata.name}</Link>
                    <span className="quiet">{data.metadata.symbol}</span>
                  </li>
                ))}
              </ul>
            )}
          </section>
          <Register owner={owner} index={next} protocol={protocol} />
        </>
      )}
    </Loaded>
  );
}

async function readProtocol(chain: Parameters<typeof readModel>[0]): Promise<Protocol> {
  const [address] = await findProtocolPda();
  const protocol = await chain.one(PROTOCOL, address);
  if (protocol === undefined) throw new Failed({ kind: "missing", what: address });
  return protocol;
}

interface Opened {
  root: string;
  header: ModelHeader;
  hash: Uint8Array;
}

/** A model file, whose root is computed here. */
function ModelFile({ opened, setOpened }: { opened: Opened | undefined; setOpened: (opened: Opened | undefined) => void }): ReactNode {
  const id = useId();
  const [state, setState] = useState<{ working?: boolean; error?: unknown }>({});
  const read = async (file: File | undefined): Promise<void> => {
    setOpened(undefined);
    if (file === undefined) return setState({});
    setState({ working: true });
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      const model = await (await loadVerifier()).open(bytes);
      setOpened({ root: toHex(model.modelRoot), header: model.header, hash: sha256(bytes) });
      model.close();
      setState({});
    } catch (error) {
      setState({ error });
    }
  };
  return (
    <>
      <div className="field">
        <label htmlFor={id}>{t.develop.file}</label>
        <input id={id} type="file" accept=".imo" onChange={(event) => void read(event.target.files?.[0])} />
        <span className="quiet small">{t.develop.fileHint}</span>
      </div>
      <div role="status">
        {state.working === true ? <p className="loading">{t.develop.reading}</p> : null}
        {opened === undefined ? null : (
          <Facts
            of={[
              [t.develop.rootIs, <span key="root" className="mono" data-root>{opened.root}</span>],
              [t.model.nodes, t.develop.header(opened.header.nodeCount, opened.header.constantCount, `${opened.header.input.element} ${opened.header.input.shape.join(" × ")}`)],
            ]}
          />
        )}
      </div>
      {state.error === undefined ? null : (
        <Note mood="bad" live>
          <FailureText thrown={state.error} />
        </Note>
      )}
    </>
  );
}

const SPLIT_FIELDS = ["holdersBps", "redeemBps", "developerBps", "operatorBps"] as const;
const SPLIT_NAMES = { holdersBps: t.split.holders, redeemBps: t.split.redeem, developerBps: t.split.developer, operatorBps: t.split.operator };

function useVersionTerms(protocol: Protocol, decimals: number): { fields: (unit: string) => ReactNode; terms: VersionTerms | undefined } {
  const [opened, setOpened] = useState<Opened>();
  const [weights, setWeights] = useState("");
  const [checkable, setCheckable] = useState(Checkable.Anyone);
  const price = useAmount(decimals);
  const [shares, setShares] = useState({ holdersBps: "4000", redeemBps: "1000", developerBps: "2000", operatorBps: `${3_000 - protocol.protocolBps}` });
  const id = useId();
  const split: RevenueSplit = {
    holdersBps: Number(shares.holdersBps),
    redeemBps: Number(shares.redeemBps),
    developerBps: Number(shares.developerBps),
    operatorBps: Number(shares.operatorBps),
    protocolBps: protocol.protocolBps,
    contributorsBps: 0,
  };
  const sum = Object.values(split).reduce((all, share) => all + share, 0);
  const whole = Object.values(split).every((share) => Number.isInteger(share) && share >= 0) && sum === 10_000;
  const complete = opened !== undefined && price.units !== undefined && price.units > 0n && whole && bytesOf(weights) <= 128;
  const fields = (unit: string): ReactNode => (
    <>
      <ModelFile opened={opened} setOpened={setOpened} />
      <div className="field-grid">
        <AmountField label={t.develop.price} amount={price} unit={unit} decimals={decimals} />
        <TextField label={t.develop.weights} value={weights} set={setWeights} wrong={bytesOf(weights) > 128 ? t.develop.tooLong(128) : undefined} />
        <div className="field">
          <label htmlFor={id}>{t.develop.checkable}</label>
          <select id={id} value={checkable} onChange={(event) => setCheckable(Number(event.target.value))}>
            {[Checkable.Anyone, Checkable.WithAccess, Checkable.Nobody].map((each) => (
              <option key={each} value={each}>
                {t.model.checkable[each]}
              </option>
            ))}
          </select>
        </div>
      </div>
      <fieldset>
        <legend>{t.develop.split}</legend>
        <div className="field-grid">
          {SPLIT_FIELDS.map((field) => (
            <TextField key={field} label={SPLIT_NAMES[field]} value={shares[field]} set={(value) => setShares({ ...shares, [field]: value })} />
          ))}
        </div>
        <p className={whole ? "quiet small" : "wrong small"}>
          {t.develop.splitSum(sum)} {t.develop.splitProtocol(bps(protocol.protocolBps))}
        </p>
      </fieldset>
    </>
  );
  const terms = complete
    ? { header: opened.header, split, priceUnits: price.units ?? 0n, checkable, weightsUri: weights, weightsUriHash: weights === "" ? new Uint8Array(32) : opened.hash }
    : undefined;
  return { fields, terms };
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

function Register({ owner, index, protocol }: { owner: Address; index: number; protocol: Protocol }): ReactNode {
  const unitOf = useUnitOf();
  const [, go] = useLocation();
  const listed = protocol.paymentMints.slice(0, protocol.paymentMintCount);
  const [mint, setMint] = useState<Address | undefined>(listed[0]);
  const mints = useMints(listed);
  const [name, setName] = useState("");
  const [symbol, setSymbol] = useState("");
  const [licence, setLicence] = useState("");
  const [card, setCard] = useState("");
  const [cardHash, setCardHash] = useState("");
  const { fields, terms } = useVersionTerms(protocol, mint === undefined ? 6 : (mints.data?.get(mint)?.decimals ?? 6));
  const id = useId();
  const limited = (text: string, most: number): string | undefined => (bytesOf(text) > most ? t.develop.tooLong(most) : undefined);
  const hashIsRight = cardHash === "" || /^[0-9a-f]{64}$/i.test(cardHash);
  const fits = [limited(name, 32), limited(symbol, 10), limited(licence, 32), limited(card, 128)].every((wrong) => wrong === undefined);
  const complete = name !== "" && symbol !== "" && licence !== "" && fits && hashIsRight && mint !== undefined && terms !== undefined;
  return (
    <section aria-labelledby="register">
      <h2 id="register">{t.develop.register}</h2>
      <form onSubmit={(event) => event.preventDefault()}>
        {fields(mint === undefined ? "" : unitOf(mint))}
        <div className="field-grid">
          <TextField label={t.develop.name} value={name} set={setName} wrong={limited(name, 32)} />
          <TextField label={t.develop.symbol} value={symbol} set={setSymbol} wrong={limited(symbol, 10)} />
          <TextField label={t.develop.licence} value={licence} set={setLicence} wrong={limited(licence, 32)} />
          <TextField label={t.develop.card} value={card} set={setCard} wrong={limited(card, 128)} />
          <TextField label={t.develop.cardHash} value={cardHash} set={setCardHash} wrong={hashIsRight ? undefined : t.develop.noHash} />
          <div className="field">
            <label htmlFor={id}>{t.develop.mint}</label>
            <select id={id} value={mint} onChange={(event) => setMint(event.target.value as Address)}>
              {listed.map((each) => (
                <option key={each} value={each}>
                  {unitOf(each)}
                </option>
              ))}
            </select>
          </div>
        </div>
        <TransactButton
          label={t.develop.register}
          disabled={!complete}
          make={async () => {
            const uriHash = cardHash === "" ? new Uint8Array(32) : fromHex(cardHash.toLowerCase());
            const { address, transactions } = await registerModel(owner, index, given(mint), { name, symbol, uri: card, uriHash, licence }, given(terms));
            return { title: t.develop.register, says: [t.develop.registerSays(name)], transactions, done: () => go(`/developer/${address}`) };
          }}
        />
      </form>
    </section>
  );
}

function Own({ address }: { address: Address }): ReactNode {
  const wallet = useWallet();
  const view = useRead(["developer", address], async (chain) => ({ model: await readModel(chain, address), protocol: await readProtocol(chain) }));
  return (
    <Loaded query={view}>
      {({ model, protocol }) => (
        <>
          <h2>
            <Link href={`/model/${address}`}>{model.model.metadata.name}</Link>
          </h2>
          {model.model.developer === wallet?.address ? (
            <>
              <Versions view={model} protocol={protocol} />
              {model.offering === undefined ? <Offer view={model} /> : <Proceeds view={model} />}
            </>
          ) : (
            <Empty>{t.develop.none}</Empty>
          )}
        </>
      )}
    </Loaded>
  );
}

function Versions({ view, protocol }: { view: ModelView; protocol: Protocol }): ReactNode {
  const now = useNow();
  const unit = useUnitOf()(view.model.paymentMint);
  const { fields, terms } = useVersionTerms(protocol, view.payment.decimals);
  const waiting = view.versions.filter(({ number, version }) => number > view.model.liveVersion && version.liveSinceSlot === 0n);
  const offers = view.offering?.status === OfferingStatus.Open;
  const number = view.model.versionCount + 1;
  return (
    <section>
      <h2>{t.model.versions}</h2>
      {waiting.map(({ number: waits, address, version }) => (
        <p key={address} className="row">
          {t.model.version(waits)} <Tag mood="waiting">{t.model.isWaiting}</Tag>
          <TransactButton
            label={t.develop.activate}
            main={false}
            disabled={now === undefined || now.slot <= version.noticeEndsSlot || offers}
            make={async () => ({ title: t.develop.activate, says: [t.develop.activateSays(waits)], transactions: [await activateVersion(view, address)] })}
          />
        </p>
      ))}
      {offers ? null : (
        <details>
          <summary>{t.develop.publish}</summary>
          <form onSubmit={(event) => event.preventDefault()}>
            {fields(unit)}
            <TransactButton
              label={t.develop.publish}
              disabled={terms === undefined}
              make={async () => ({ title: t.develop.publish, says: [t.develop.publishSays(number)], transactions: [await publishVersion(view, given(terms))] })}
            />
          </form>
        </details>
      )}
    </section>
  );
}

const DAY = 86_400;
/** The offering opens so long after the transaction is made, in seconds, so that it can land first. */
const OPENS_AFTER = 60n;

function Offer({ view }: { view: ModelView }): ReactNode {
  const now = useNow();
  const unit = useUnitOf()(view.model.paymentMint);
  const { decimals } = view.payment;
  const { symbol } = view.model.metadata;
  const sale = useAmount(TOKEN_DECIMALS, "1000000");
  const own = useAmount(TOKEN_DECIMALS, "0");
  const [min, max, cap] = [useAmount(decimals), useAmount(decimals), useAmount(decimals, "0")];
  const [hours, setHours] = useState("72");
  const [tail, setTail] = useState("12");
  const [vesting, setVesting] = useState({ cliff: "0", linear: "0", ownCliff: "180", ownLinear: "360" });
  const seconds = (text: string, unitSeconds: number): number => Math.round(Number(text) * unitSeconds);
  const [open, last] = [seconds(hours, 3_600), seconds(tail, 3_600)];
  const buyers = { cliffSeconds: seconds(vesting.cliff, DAY), linearSeconds: seconds(vesting.linear, DAY) };
  const vests = buyers.cliffSeconds + buyers.linearSeconds > 0;
  const amounts = [sale.units, own.units, min.units, max.units, cap.units];
  const numbers = [open, last, buyers.cliffSeconds, buyers.linearSeconds, seconds(vesting.ownCliff, DAY), seconds(vesting.ownLinear, DAY)];
  const complete = now !== undefined && amounts.every((units) => units !== undefined) && numbers.every((each) => Number.isInteger(each) && each >= 0) && sale.units !== 0n && min.units !== 0n && open > last && last > 0;
  const hourField = (label: string, value: string, set: (text: string) => void): ReactNode => <TextField label={label} value={value} set={set} />;
  return (
    <section>
      <h2>{t.develop.open}</h2>
      <form onSubmit={(event) => event.preventDefault()}>
        <div className="field-grid">
          <AmountField label={t.develop.sale} amount={sale} unit={symbol} decimals={TOKEN_DECIMALS} />
          <AmountField label={t.develop.own} amount={own} unit={symbol} decimals={TOKEN_DECIMALS} />
          <AmountField label={t.develop.min} amount={min} unit={unit} decimals={decimals} />
          <AmountField label={t.develop.max} amount={max} unit={unit} decimals={decimals} />
          <AmountField label={t.develop.cap} amount={cap} unit={unit} decimals={decimals} />
          {hourField(t.develop.hours, hours, setHours)}
          {hourField(t.develop.tail, tail, setTail)}
          {hourField(t.develop.cliff, vesting.cliff, (cliff) => setVesting({ ...vesting, cliff }))}
          {hourField(t.develop.linear, vesting.linear, (linear) => setVesting({ ...vesting, linear }))}
          {own.units === 0n ? null : hourField(t.develop.ownCliff, vesting.ownCliff, (ownCliff) => setVesting({ ...vesting, ownCliff }))}
          {own.units === 0n ? null : hourField(t.develop.ownLinear, vesting.ownLinear, (ownLinear) => setVesting({ ...vesting, ownLinear }))}
        </div>
        <TransactButton
          label={t.develop.open}
          disabled={!complete}
          make={async () => {
            const opensUnix = given(now).unix + OPENS_AFTER;
            const closesUnix = opensUnix + BigInt(open);
            return {
              title: t.develop.open,
              says: [t.develop.openSays],
              transactions: [
                await openOffering(view, {
                  saleUnits: given(sale.units),
                  developerUnits: given(own.units),
                  minRaiseUnits: given(min.units),
                  maxRaiseUnits: given(max.units),
                  walletCapUnits: given(cap.units),
                  allowlistRoot: new Uint8Array(32),
                  allowlistCount: 0,
                  opensUnix,
                  tailUnix: closesUnix - BigInt(last),
                  closesUnix,
                  buyerVesting: { immediateBps: vests ? 0 : 10_000, ...buyers },
                  developerVesting:
                    own.units === 0n
                      ? { immediateBps: 0, cliffSeconds: 0, linearSeconds: 0 }
                      : { immediateBps: 0, cliffSeconds: seconds(vesting.ownCliff, DAY), linearSeconds: seconds(vesting.ownLinear, DAY) },
                  tranches: [{ shareBps: 10_000, condition: { __kind: "Time", unlocksSeconds: 0 } }],
                }),
              ],
            };
          }}
        />
      </form>
    </section>
  );
}

function Proceeds({ view }: { view: ModelView }): ReactNode {
  const now = useNow();
  const unit = useUnitOf()(view.model.paymentMint);
  const { decimals } = view.payment;
  const { offering } = view;
  if (offering?.status !== OfferingStatus.Succeeded) return null;
  const parts = trancheUnits(
    offering.acceptedUnits,
    offering.tranches.map(({ shareBps }) => shareBps),
  );
  const paid = view.vault?.paidToOthersUnits ?? 0n;
  return (
    <section>
      <h2>{t.develop.proceeds}</h2>
      {offering.tranches.map((tranche, index) => {
        const amount = `${decimal(parts[index] ?? 0n, decimals)} ${unit}`;
        const { condition } = tranche;
        const unlocked = condition.__kind === "Time" ? now !== undefined && now.unix - offering.settledUnix >= BigInt(condition.unlocksSeconds) : paid >= condition.othersUnits;
        return (
          <p key={`${index}-${tranche.shareBps}`} className="row">
            {t.develop.tranche(index + 1, amount)} <span className="quiet">{trancheText(condition, decimals, unit)}</span>
            <Tag mood={tranche.state === TrancheState.Paid ? "good" : tranche.state === TrancheState.Missed ? "bad" : "plain"}>{t.offering.trancheStates[tranche.state]}</Tag>
            {tranche.state === TrancheState.Locked ? (
              <TransactButton
                label={t.develop.draw}
                main={false}
                disabled={!unlocked}
                make={async () => ({ title: t.develop.draw, says: [t.develop.drawSays(amount)], transactions: [await drawTranche(view, index)] })}
              />
            ) : null}
          </p>
        );
      })}
    </section>
  );
}

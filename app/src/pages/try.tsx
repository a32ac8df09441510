// Paying for an answer from the browser: choose an operator, prepay, draw, ask, and see receipt and cost.

import { type Address, isAddress } from "@solana/kit";
import { type ReactNode, useEffect, useState } from "react";
import { Link } from "wouter";
import type { Operator } from "@imo/client/opml-oracle";
import { type Bought, NotAnswered, parseTensorSpec, Payer, sha256, type TensorSpec, tensorBytes, tensorElements, WrongAnswer } from "@imo/client";
import { announceRelease, announceWithdrawal, balance, closable, closeEmpty, prepay, type Purchase, readPurchase, release, revokeKey, sessionLeft, withdrawCredit } from "../actions/pay.ts";
import type { Chain } from "../chain/chain.ts";
import { isPast, isSet } from "../maths/deadline.ts";
import { type Evidence, keepEvidence, writeEvidence } from "../payer/evidence.ts";
import { purses, sessionSigner } from "../payer/session.ts";
import { useChain, useNow, useRead, useReadAgain, useUnitOf, useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { decimal, hex, shortened } from "../ui/format.ts";
import { Amount, AmountField, Countdown, Empty, Facts, Loaded, Note, useAmount } from "../ui/parts.tsx";
import { TransactButton } from "../ui/transaction.tsx";
import { admitsWork, readCandidates } from "../views/admission.ts";
import { type ModelView, readModel } from "../views/model.ts";
import { type OperatorRecord, readRecords } from "../views/records.ts";
import { DrawPad } from "./draw.tsx";
import { given } from "./offering.tsx";

export function TryPage({ address }: { address: string }): ReactNode {
  return isAddress(address) ? <Read address={address} /> : <Note mood="bad">{t.common.noAddress}</Note>;
}

/** An operator with what is known of it. */
interface Seller {
  address: Address;
  operator: Operator;
  record: OperatorRecord;
  /** Whether its gateway answers and serves the model. */
  serves: boolean;
  /** Whether a lane may be opened to it: the developer's list, where there is one, has it. */
  admitted: boolean;
}

async function readSellers(chain: Chain, view: ModelView): Promise<Seller[]> {
  const [all, records, now] = await Promise.all([readCandidates(chain, view.address, view.model), readRecords(chain), chain.now()]);
  const candidates = all.flatMap(({ operator, appointment }) => (operator === undefined ? [] : [{ ...operator, admitted: admitsWork(view.model, appointment?.data) }]));
  const reachable = candidates.filter(({ data }) => data.endpoint !== "" && (!isSet(data.jail) || isPast(data.jail, now)));
  return Promise.all(
    reachable.map(
      async ({ address, data, admitted }): Promise<Seller> => ({
        address,
        operator: data,
        admitted,
        record: records.of.get(address) ?? { final: 0, rejected: 0 },
        serves: await servesModel(data.endpoint, view.address),
      }),
    ),
  );
}

/** Who takes new payers first. The others stay: money that is reserved for them has to come out again. */
function byAdmission(sellers: readonly Seller[]): Seller[] {
  return sellers.toSorted((a, b) => Number(b.admitted) - Number(a.admitted));
}

async function servesModel(endpoint: string, model: Address): Promise<boolean> {
  try {
    const response = await fetch(`${endpoint.replace(/\/$/, "")}/v1/models`, { signal: AbortSignal.timeout(4_000) });
    const { data } = (await response.json()) as { data?: { address?: string }[] };
    return data?.some((each) => each.address === model) === true;
  } catch {
    return false;
  }
}

/** How a picture becomes the model's input, as its card says. */
export interface Card {
  ink: number;
  paper: number;
  labels: readonly string[];
}

async function readCard(view: ModelView): Promise<Card | undefined> {
  const { uri, uriHash } = view.model.metadata;
  if (!URL.canParse(uri)) return undefined;
  try {
    const bytes = new Uint8Array(await (await fetch(uri, { signal: AbortSignal.timeout(8_000) })).arrayBuffer());
    // Whoever hosts the card cannot change it.
    if (hex(sha256(bytes)) !== hex(uriHash)) return undefined;
    const card = JSON.parse(new TextDecoder().decode(bytes)) as { input?: { ink?: number; paper?: number }; labels?: string[] };
    const { ink, paper } = card.input ?? {};
    return typeof ink === "number" && typeof paper === "number" ? { ink, paper, labels: card.labels ?? [] } : undefined;
  } catch {
    return undefined;
  }
}

function Read({ address }: { address: Address }): ReactNode {
  const view = useRead(["model-only", address], (chain) => readModel(chain, address));
  return (
    <Loaded query={view}>
      {(model) => (
        <>
          <div className="page-head">
            <h1>{t.buy.title(model.model.metadata.name)}</h1>
            <p className="quiet">{t.buy.intro}</p>
            <p>
              <Link href={`/model/${address}`}>{t.buy.toModel}</Link>
            </p>
          </div>
          {model.live === undefined ? <Note mood="bad">{t.model.noVersion}</Note> : <Sellers view={model} />}
        </>
      )}
    </Loaded>
  );
}

function Sellers({ view }: { view: ModelView }): ReactNode {
  const sellers = useRead(["sellers", view.address], (chain) => readSellers(chain, view), { every: 15_000 });
  const [chosen, choose] = useState<Address>();
  return (
    <>
      <section aria-labelledby="sellers">
        <h2 id="sellers">{t.buy.operator}</h2>
        <Loaded query={sellers}>
          {(all) => {
            const serving = byAdmission(all.filter(({ serves }) => serves));
            if (serving.length === 0) return <Empty>{all.length === 0 ? t.buy.noOperators : t.buy.nobodyServes}</Empty>;
            const picked = chosen ?? serving[0]?.address;
            return (
              <fieldset>
                <legend className="hidden-text">{t.buy.operator}</legend>
                {serving.map((seller) => (
                  <div key={seller.address}>
                    <label className="row">
                      <input type="radio" name="operator" checked={seller.address === picked} onChange={() => choose(seller.address)} />
                      <span className="mono">{shortened(seller.address)}</span>
                      <span className="quiet small">
                        {t.buy.record(seller.record.final, seller.record.rejected)}
                        {seller.admitted ? "" : ` ${t.buy.notAdmitted}`}
                      </span>
                      <Link href={`/operator/${seller.address}`} className="small">
                        {t.buy.more}
                      </Link>
                    </label>
                  </div>
                ))}
              </fieldset>
            );
          }}
        </Loaded>
      </section>
      <Seller view={view} sellers={sellers.data ?? []} chosen={chosen} />
    </>
  );
}

function Seller({ view, sellers, chosen }: { view: ModelView; sellers: readonly Seller[]; chosen: Address | undefined }): ReactNode {
  const wallet = useWallet();
  const seller = byAdmission(sellers).find(({ address, serves }) => serves && (chosen === undefined || address === chosen));
  const purchase = useRead(
    ["purchase", view.address, seller?.address, wallet?.address],
    (chain) => readPurchase(chain, given(wallet?.address), view.address, given(seller?.address)),
    { enabled: wallet !== undefined && seller !== undefined },
  );
  if (seller === undefined) return null;
  if (wallet === undefined) return <Note mood="plain">{t.buy.connect}</Note>;
  return (
    <Loaded query={purchase}>
      {(read) => (
        <div className="columns">
          <Ask view={view} seller={seller} purchase={read} />
          <Money view={view} seller={seller} purchase={read} />
        </div>
      )}
    </Loaded>
  );
}

interface Parts {
  view: ModelView;
  seller: Seller;
  purchase: Purchase;
}

function Ask({ view, seller, purchase }: Parts): ReactNode {
  const chain = useChain();
  const now = useNow();
  const readAgain = useReadAgain();
  const unit = useUnitOf()(view.model.paymentMint);
  const { live } = view;
  const [values, setValues] = useState<readonly number[]>();
  const [state, setState] = useState<{ bought?: Bought; evidence?: Evidence; error?: unknown; asking?: boolean }>({});
  const card = useRead(["card", view.address], async () => (await readCard(view)) ?? null, { every: 600_000 });
  useEffect(() => setState({}), [seller.address]);
  if (live === undefined || now === undefined) return null;
  const spec = parseTensorSpec(live.inputSpec);
  const { leftUnits } = balance(purchase);
  const drawable = tensorElements(spec) === 64 && spec.element === "int8" ? (card.data ?? undefined) : undefined;
  const why =
    purchase.lane === undefined
      ? t.buy.prepayFirst
      : purchase.asked === undefined
        ? t.buy.foreignLane
        : purchase.session === undefined
          ? t.buy.noSession
          : leftUnits < live.priceUnits && !purchase.asked.asking
            ? t.buy.topUpFirst
            : undefined;
  const go = async (): Promise<void> => {
    if (values === undefined) return;
    setState({ asking: true });
    try {
      const payer = new Payer({
        rpc: chain.rpc,
        session: await sessionSigner(purchase.wallet, purchase.sessionNumber),
        payer: purchase.wallet,
        model: view.address,
        operator: seller.address,
        storage: purses,
      });
      const offer = await payer.lookUp();
      // Nothing is signed at another price, or for another version, than the page shows.
      if (offer.priceUnits !== live.priceUnits || hex(offer.modelRoot) !== hex(live.modelRoot)) throw new Error(t.buy.changed);
      const bought = await payer.ask(values, offer);
      const evidence: Evidence = { model: view.address, operator: seller.address, input: tensorBytes(spec, values), ...bought };
      keepEvidence(evidence);
      setState({ bought, evidence });
    } catch (error) {
      setState({ error });
    }
    void readAgain();
  };
  return (
    <section aria-labelledby="ask">
      <h2 id="ask">{t.buy.question}</h2>
      {card.isPending ? <p className="loading">{t.common.loading}</p> : null}
      {drawable !== undefined ? <DrawPad card={drawable} onChange={setValues} /> : card.isPending ? null : <Numbers spec={spec} onChange={setValues} />}
      <p className="row">
        <button type="button" className="main" disabled={why !== undefined || values === undefined || state.asking === true} onClick={() => void go()}>
          {state.asking === true ? t.buy.asking : t.buy.ask(`${decimal(live.priceUnits, view.payment.decimals)} ${unit}`)}
        </button>
        {why === undefined ? null : <span className="quiet small">{why}</span>}
      </p>
      {state.error === undefined ? null : (
        <Note mood="bad" live>
          <p>{askFailure(state.error)}</p>
        </Note>
      )}
      {state.bought === undefined || state.evidence === undefined ? null : (
        <Answer bought={state.bought} evidence={state.evidence} labels={card.data?.labels ?? []} decimals={view.payment.decimals} unit={unit} />
      )}
    </section>
  );
}

/** What to do when there is no answer. */
function askFailure(error: unknown): string {
  if (error instanceof NotAnswered) return error.refusal.isFinal ? t.buy.refused(error.refusal.message) : t.buy.later(error.refusal.message);
  if (error instanceof WrongAnswer) return t.buy.wrongAnswer(error.message);
  return error instanceof Error ? error.message : String(error);
}

function Answer(props: { bought: Bought; evidence: Evidence; labels: readonly string[]; decimals: number; unit: string }): ReactNode {
  const { bought, evidence, labels, decimals, unit } = props;
  const { claim, sequence } = bought.receipt;
  const best = bought.values.length === 1 ? (bought.values[0] ?? 0) : bought.values.reduce((most, value, index) => (value > (bought.values[most] ?? 0) ? index : most), 0);
  return (
    <div role="status" data-answer={labels[best] ?? best}>
      <h3>{t.buy.answer}</h3>
      <p className="answer">{labels[best] ?? bought.values.slice(0, 16).join(", ")}</p>
      <Facts
        of={[
          [t.buy.cost, <Amount key="cost" units={bought.priceUnits} decimals={decimals} unit={unit} />],
          [t.buy.sequence, decimal(sequence, 0)],
          [t.buy.inputRoot, <span key="input" className="mono">{hex(claim.inputRoot)}</span>],
          [t.buy.outputRoot, <span key="output" className="mono">{hex(claim.outputRoot)}</span>],
        ]}
      />
      <p>{t.buy.signed}</p>
      <p className="row">
        <Link href="/verify" className="button">
          {t.buy.verify}
        </Link>
        <a className="button" download="receipt.json" href={`data:application/json,${encodeURIComponent(writeEvidence(evidence))}`}>
          {t.buy.download}
        </a>
      </p>
    </div>
  );
}

/** For inputs that are no picture: the numbers themselves. */
function Numbers({ spec, onChange }: { spec: TensorSpec; onChange: (values: readonly number[] | undefined) => void }): ReactNode {
  const [text, setText] = useState("");
  return (
    <div className="field">
      <label htmlFor="numbers">{t.buy.numbers(spec.element, spec.shape.join(" × "))}</label>
      <textarea
        id="numbers"
        rows={5}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          onChange(parseNumbers(spec, event.target.value));
        }}
      />
      {text === "" || parseNumbers(spec, text) !== undefined ? null : <span className="wrong small">{t.buy.notNumbers(tensorElements(spec))}</span>}
    </div>
  );
}

function parseNumbers(spec: TensorSpec, text: string): number[] | undefined {
  const values = text.split(/[\s,]+/).filter((each) => each !== "").map(Number);
  try {
    tensorBytes(spec, values);
    return values;
  } catch {
    return undefined;
  }
}

function Money({ view, seller, purchase }: Parts): ReactNode {
  const chain = useChain();
  const now = useNow();
  const unit = useUnitOf()(view.model.paymentMint);
  const { decimals } = view.payment;
  const price = view.live?.priceUnits ?? 0n;
  const amount = useAmount(decimals, decimal(price * 20n, decimals).replaceAll(",", ""));
  const { credit, lane } = purchase;
  const { leftUnits, unpaidUnits } = balance(purchase);
  const units = amount.units ?? 0n;
  if (now === undefined) return null;
  const money = (value: bigint): ReactNode => <Amount units={value} decimals={decimals} unit={unit} />;
  const text = (value: bigint): string => `${decimal(value, decimals)} ${unit}`;
  return (
    <section aria-labelledby="money">
      <h2 id="money">{t.buy.money}</h2>
      {lane === undefined ? (
        <p className="quiet">{t.buy.moneyIntro}</p>
      ) : (
        <Facts
          of={[
            [t.buy.left, <span key="left" data-left>{money(leftUnits)}</span>],
            [t.buy.unpaid, money(unpaidUnits)],
            [t.buy.paid, money(lane.collectedUnits)],
            lane.releasingUnits === 0n ? undefined : [t.buy.leaving, money(lane.releasingUnits)],
            credit === undefined || credit.availableUnits + credit.withdrawingUnits === 0n ? undefined : [t.buy.free, money(credit.availableUnits + credit.withdrawingUnits)],
            [t.buy.mayspend, money(sessionLeft(purchase, now.unix))],
          ]}
        />
      )}
      <form onSubmit={(event) => event.preventDefault()}>
        <AmountField label={lane === undefined ? t.buy.prepayAmount : t.buy.topUpAmount} amount={amount} unit={unit} decimals={decimals} />
        {price > 0n && units > 0n ? <p className="quiet small">{t.buy.worth(units / price)}</p> : null}
        <TransactButton
          label={lane === undefined ? t.buy.prepay : t.buy.topUp}
          main={lane === undefined}
          disabled={units === 0n}
          why={lane === undefined && !seller.admitted ? t.buy.notAdmitted : undefined}
          make={async () => ({
            title: lane === undefined ? t.buy.prepay : t.buy.topUp,
            says: [t.buy.prepaySays(text(units)), t.buy.sessionSays],
            transactions: [await prepay(chain, purchase, view.model, seller.operator, units, now.unix)],
          })}
        />
      </form>
      <TakeOut view={view} purchase={purchase} leftUnits={leftUnits} text={text} />
    </section>
  );
}

/** The way out has two notices, so that an operator who counted on the money is paid. */
function TakeOut({ view, purchase, leftUnits, text }: { view: ModelView; purchase: Purchase; leftUnits: bigint; text: (units: bigint) => string }): ReactNode {
  const now = useNow();
  const { credit, lane } = purchase;
  if (now === undefined || credit === undefined) return null;
  const rows: ReactNode[] = [];
  if (lane !== undefined && lane.releasingUnits > 0n) {
    const due = isPast(lane.releaseDeadline, now);
    rows.push(
      <div key="release">
        <p>
          {due ? t.buy.canRelease(text(lane.releasingUnits)) : t.buy.releasing(text(lane.releasingUnits))} {due ? null : <Countdown deadline={lane.releaseDeadline} past={t.common.now} />}
        </p>
        <TransactButton label={t.buy.release} main={false} disabled={!due} make={async () => ({ title: t.buy.release, says: [t.buy.releaseSays], transactions: [await release(purchase)] })} />
      </div>,
    );
  } else if (leftUnits > 0n) {
    rows.push(
      <TransactButton
        key="announce"
        label={t.buy.takeOut}
        main={false}
        make={async () => ({ title: t.buy.takeOut, says: [t.buy.takeOutSays(text(leftUnits))], transactions: [await announceRelease(purchase, leftUnits)] })}
      />,
    );
  }
  if (credit.withdrawingUnits > 0n) {
    const due = isPast(credit.withdrawDeadline, now);
    rows.push(
      <div key="withdraw">
        <p>
          {due ? t.buy.canWithdraw(text(credit.withdrawingUnits)) : t.buy.withdrawing(text(credit.withdrawingUnits))}{" "}
          {due ? null : <Countdown deadline={credit.withdrawDeadline} past={t.common.now} />}
        </p>
        <TransactButton
          label={t.buy.withdraw}
          main={false}
          disabled={!due}
          make={async () => ({ title: t.buy.withdraw, says: [t.buy.withdrawSays], transactions: [await withdrawCredit(purchase, view.model.paymentMint)] })}
        />
      </div>,
    );
  } else if (credit.availableUnits > 0n) {
    rows.push(
      <TransactButton
        key="announce-withdrawal"
        label={t.buy.announce}
        main={false}
        make={async () => ({
          title: t.buy.announce,
          says: [t.buy.announceSays(text(credit.availableUnits))],
          transactions: [await announceWithdrawal(purchase, credit.availableUnits)],
        })}
      />,
    );
  }
  return (
    <>
      {rows.length === 0 ? null : (
        <>
          <h3>{t.buy.out}</h3>
          {rows}
        </>
      )}
      <Closing purchase={purchase} />
    </>
  );
}

/** The ends of a purchase: this browser's key, and accounts in which nothing is left. */
function Closing({ purchase }: { purchase: Purchase }): ReactNode {
  const now = useNow();
  if (now === undefined) return null;
  const { session } = purchase;
  const goes = closable(purchase, now);
  const live = session !== undefined && !isSet(session.revokeDeadline) && session.expiresUnix > now.unix;
  const revoking = session !== undefined && isSet(session.revokeDeadline) && !isPast(session.revokeDeadline, now);
  const any = goes.lane || goes.session || goes.credit;
  if (!any && !live && !revoking) return null;
  return (
    <details data-closing>
      <summary>{t.buy.closing}</summary>
      {live ? (
        <TransactButton label={t.buy.revoke} main={false} make={async () => ({ title: t.buy.revoke, says: [t.buy.revokeSays], transactions: [await revokeKey(purchase)] })} />
      ) : null}
      {revoking ? (
        <p className="quiet small">
          {t.buy.revoking} <Countdown deadline={session.revokeDeadline} past={t.common.over} />
        </p>
      ) : null}
      {any ? (
        <TransactButton
          label={t.buy.close}
          main={false}
          make={async () => ({
            title: t.buy.close,
            says: [...(goes.lane ? [t.buy.closes.lane] : []), ...(goes.session ? [t.buy.closes.session] : []), ...(goes.credit ? [t.buy.closes.credit] : []), t.buy.rentBack],
            transactions: [closeEmpty(purchase, goes)],
          })}
        />
      ) : null}
    </details>
  );
}

// The offering of a model while it runs, and what becomes of a commitment.

import type { Address } from "@solana/kit";
import { type ReactNode, useMemo } from "react";
import { type Allowance, type Offering, OfferingStatus } from "@imo/client/model-token";
import { isListOf, type ReadList } from "../actions/allowlist.ts";
import { claimCommitment, commit, createPool, settleOffering, withdraw } from "../actions/invest.ts";
import { sweepDust } from "../actions/proceeds.ts";
import { COMMITMENT, FIRST_KEY } from "../chain/kinds.ts";
import { pack } from "../chain/transaction.ts";
import { acceptedUnits, allocate, type Allocation, dust, withdrawableUnits } from "../maths/offering.ts";
import { useChain, useNow, useUnitOf, useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { AllowListField, useAllowList } from "../ui/allow-list.tsx";
import { decimal } from "../ui/format.ts";
import { Amount, AmountField, Facts, Figures, Note, Tag, TOKEN_DECIMALS, Until, useAmount } from "../ui/parts.tsx";
import { RaisePicture } from "../ui/pictures.tsx";
import { TransactButton } from "../ui/transaction.tsx";
import type { Holding, ModelView } from "../views/model.ts";
import { offeringState, TokenPrice } from "./explore.tsx";

interface Props {
  view: ModelView;
  offering: Offering;
  /** Of the connected wallet. */
  holding: Holding | undefined;
}

export function OfferingPanel({ view, offering, holding }: Props): ReactNode {
  const unix = useNow()?.unix;
  const unit = useUnitOf()(view.model.paymentMint);
  const { decimals } = view.payment;
  const money = (units: bigint): ReactNode => <Amount units={units} decimals={decimals} unit={unit} />;
  const open = offering.status === OfferingStatus.Open;
  const { text, mood } = offeringState(offering, unix);
  return (
    <section aria-labelledby="offering">
      <div className="section-head">
        <h2 id="offering">{t.offering.title}</h2>
        <Tag mood={mood}>{text}</Tag>
      </div>
      <RaisePicture committed={offering.committedUnits} min={offering.minRaiseUnits} max={offering.maxRaiseUnits} decimals={decimals} unit={unit} />
      <Figures
        of={[
          [t.offering.committed, money(offering.committedUnits)],
          [t.offering.minimum, money(offering.minRaiseUnits)],
          [t.offering.maximum, money(offering.maxRaiseUnits)],
          [open ? t.offering.priceNow : t.offering.price, <TokenPrice key="price" offering={offering} decimals={decimals} unit={unit} />],
          [t.offering.forSale, <Amount key="sale" units={offering.saleUnits} decimals={TOKEN_DECIMALS} unit={view.model.metadata.symbol} />],
          clock(offering, open ? unix : undefined),
        ]}
      />
      <div className="columns">
        <div>{open ? unix === undefined ? null : <Enter view={view} offering={offering} holding={holding} unit={unit} unix={unix} /> : <After view={view} offering={offering} />}</div>
        <div>{unix === undefined ? null : <Mine view={view} offering={offering} holding={holding} unit={unit} unix={unix} />}</div>
      </div>
    </section>
  );
}

/** What the offering waits for next. */
function clock(offering: Offering, unix: bigint | undefined): [string, ReactNode] | undefined {
  if (unix === undefined) return undefined;
  if (unix < offering.opensUnix) return [t.offering.opensIn, <Until key="opens" unix={offering.opensUnix} past={t.common.now} />];
  if (unix < offering.tailUnix) return [t.offering.commitFor, <Until key="tail" unix={offering.tailUnix} past={t.common.over} />];
  return [t.offering.closesIn, <Until key="closes" unix={offering.closesUnix} past={t.common.over} />];
}

function Enter({ view, offering, holding, unit, unix }: Props & { unit: string; unix: bigint }): ReactNode {
  if (unix < offering.opensUnix) return <Note mood="plain">{t.offering.notYet}</Note>;
  if (unix >= offering.closesUnix) return <Settle view={view} offering={offering} />;
  if (unix >= offering.tailUnix) return <Note mood="waiting">{t.offering.tailNote}</Note>;
  return <Commit view={view} offering={offering} holding={holding} unit={unit} />;
}

function Settle({ view, offering }: Pick<Props, "view" | "offering">): ReactNode {
  const wallet = useWallet();
  const succeeds = acceptedUnits(offering.committedUnits, offering) !== undefined;
  return (
    <Note mood="waiting">
      <p>{succeeds ? t.offering.settleSuccess : t.offering.settleFailure}</p>
      <TransactButton
        label={t.offering.settle}
        make={async () => ({
          title: t.offering.settle,
          says: [succeeds ? t.offering.settleSays : t.offering.settleFailureSays],
          transactions: [await settleOffering(view, given(wallet?.address))],
        })}
      />
    </Note>
  );
}

function Commit({ view, offering, holding, unit }: Props & { unit: string }): ReactNode {
  const chain = useChain();
  const wallet = useWallet();
  const { decimals } = view.payment;
  const amount = useAmount(decimals);
  const list = useAllowList(decimals);
  const committed = holding?.commitment?.amountUnits ?? 0n;
  const listed = offering.allowlistCount > 0;
  const listing = useMemo(() => findListing(list.read, offering, wallet?.address), [list.read, offering, wallet]);
  const allowance = listing.allowance;
  const caps = [offering.walletCapUnits, BigInt(allowance?.capUnits ?? 0n)].filter((cap) => cap > 0n);
  const cap = caps.length === 0 ? undefined : caps.reduce((least, each) => (each < least ? each : least));
  const most = cap === undefined ? undefined : cap > committed ? cap - committed : 0n;
  const units = amount.units ?? 0n;
  const tooMuch = most !== undefined && units > most;
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <AmountField label={t.offering.amount} amount={amount} unit={unit} decimals={decimals} most={most} />
      {listed ? <AllowListField label={t.offering.allowList} list={list} wrong={listing.wrong} /> : null}
      {units > 0n && !tooMuch ? (
        <Preview title={t.offering.ifClosedNow} of={allocate(committed + units, offering.committedUnits + units, offering, offering.buyerVesting)} view={view} unit={unit} />
      ) : null}
      <TransactButton
        label={t.offering.commit}
        disabled={units === 0n || tooMuch || (listed && allowance === undefined)}
        make={async () => ({
          title: t.offering.commit,
          says: [t.offering.commitSays(`${decimal(units, decimals)} ${unit}`, view.model.metadata.name), t.offering.commitLeave],
          transactions: [await commit(chain, view, given(wallet?.address), units, allowance ?? null)],
          done: () => amount.set(""),
        })}
      />
      <p className="quiet small">{t.offering.walletsNote}</p>
    </form>
  );
}

/** The wallet's place on the list, or why it has none. */
function findListing(read: ReadList | undefined, offering: Offering, wallet: Address | undefined): { allowance?: Allowance; wrong?: string } {
  if (read === undefined || wallet === undefined) return {};
  if (!isListOf(read.list, offering)) return { wrong: t.offering.otherList };
  const allowance = read.list.allowance(wallet);
  return allowance === undefined ? { wrong: t.offering.notListed } : { allowance };
}

function Preview({ title, of, view, unit }: { title: string; of: Allocation; view: ModelView; unit: string }): ReactNode {
  const { symbol } = view.model.metadata;
  const { decimals } = view.payment;
  return (
    <div aria-live="polite" data-preview>
      <h3>{title}</h3>
      <Facts
        of={[
          [t.offering.youGet, <Amount key="tokens" units={of.tokensUnits} decimals={TOKEN_DECIMALS} unit={symbol} />],
          of.vestingUnits === 0n ? undefined : [t.offering.ofWhichVests, <Amount key="vests" units={of.vestingUnits} decimals={TOKEN_DECIMALS} unit={symbol} />],
          [t.offering.youPay, <Amount key="paid" units={of.paidUnits} decimals={decimals} unit={unit} />],
          [t.offering.comesBack, <Amount key="back" units={of.refundUnits} decimals={decimals} unit={unit} />],
        ]}
      />
    </div>
  );
}

function Mine({ view, offering, holding, unit, unix }: Props & { unit: string; unix: bigint }): ReactNode {
  const wallet = useWallet();
  const commitment = holding?.commitment;
  if (commitment === undefined || commitment.claimed) return null;
  const open = offering.status === OfferingStatus.Open;
  const outcome = allocate(commitment.amountUnits, offering.committedUnits, offering, offering.buyerVesting);
  return (
    <>
      <h3>{t.offering.yours}</h3>
      <p data-commitment>
        <Amount units={commitment.amountUnits} decimals={view.payment.decimals} unit={unit} />
      </p>
      <Preview title={open ? t.offering.ifClosedNow : t.offering.outcome} of={outcome} view={view} unit={unit} />
      {open && unix < offering.closesUnix ? <Withdraw view={view} offering={offering} holding={holding} unit={unit} unix={unix} /> : null}
      {open ? null : (
        <TransactButton
          label={t.offering.claim}
          make={async () => ({
            title: t.offering.claim,
            says: [offering.status === OfferingStatus.Succeeded ? t.offering.claimSays : t.offering.refundSays],
            transactions: [await claimCommitment(view, commitment, given(wallet?.address))],
            units: tokenUnits(view),
          })}
        />
      )}
    </>
  );
}

function Withdraw({ view, offering, holding, unit, unix }: Props & { unit: string; unix: bigint }): ReactNode {
  const { decimals } = view.payment;
  const amount = useAmount(decimals);
  const commitment = holding?.commitment;
  if (commitment === undefined) return null;
  const inTail = unix >= offering.tailUnix;
  const most = inTail && commitment.tailWithdrawn ? 0n : withdrawableUnits(commitment.amountUnits, unix, offering.tailUnix, offering.closesUnix);
  const units = amount.units ?? 0n;
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <AmountField label={t.offering.takeOut} amount={amount} unit={unit} decimals={decimals} most={most} />
      {inTail ? <p className="quiet small">{commitment.tailWithdrawn ? t.offering.tailDone : t.offering.tailOnce}</p> : null}
      <TransactButton
        label={t.offering.withdraw}
        main={false}
        disabled={units === 0n || units > most}
        make={async () => ({
          title: t.offering.withdraw,
          says: [t.offering.withdrawSays(`${decimal(units, decimals)} ${unit}`)],
          transactions: [await withdraw(view, commitment, units)],
          done: () => amount.set(""),
        })}
      />
    </form>
  );
}

function After({ view, offering }: Pick<Props, "view" | "offering">): ReactNode {
  const failed = offering.status === OfferingStatus.Failed;
  return (
    <>
      {failed ? <Note mood="bad">{t.offering.failedNote}</Note> : view.pool === undefined ? <MakePool view={view} /> : <p className="quiet">{t.offering.overNote}</p>}
      {offering.commitmentCount > 0 ? <PayEverybody view={view} offering={offering} /> : failed || offering.dustSwept || view.pool === undefined ? null : <Sweep view={view} offering={offering} />}
    </>
  );
}

function MakePool({ view }: Pick<Props, "view">): ReactNode {
  const wallet = useWallet();
  return (
    <Note mood="waiting">
      <p>{t.offering.noPool}</p>
      <TransactButton
        label={t.offering.makePool}
        make={async () => ({
          title: t.offering.makePool,
          says: [t.offering.makePoolSays],
          transactions: [await createPool(view, given(wallet?.address))],
        })}
      />
    </Note>
  );
}

/** Commitments that one plan claims at most. */
const CLAIMS = 12;

/** The outcome of commitments that nobody has claimed, to whoever made them. */
function PayEverybody({ view, offering }: Pick<Props, "view" | "offering">): ReactNode {
  const chain = useChain();
  const wallet = useWallet();
  return (
    <div data-unclaimed>
      <p>{t.offering.unclaimed(offering.commitmentCount)}</p>
      <TransactButton
        label={t.offering.payAll}
        main={false}
        make={async () => {
          const payer = given(wallet?.address);
          const found = await chain.all(COMMITMENT, { offset: FIRST_KEY, key: view.offeringAddress });
          const groups = await Promise.all(
            found
              .filter(({ data }) => !data.claimed)
              .slice(0, CLAIMS)
              .map(({ data }) => claimCommitment(view, data, payer)),
          );
          return { title: t.offering.payAll, says: [t.offering.payAllSays(groups.length)], transactions: pack(groups, payer), units: tokenUnits(view) };
        }}
      />
    </div>
  );
}

/** What floors left, once nobody can claim any more. */
function Sweep({ view, offering }: Pick<Props, "view" | "offering">): ReactNode {
  const unit = useUnitOf()(view.model.paymentMint);
  const { tokensUnits, vestingUnits, paymentUnits } = dust(offering);
  if (tokensUnits === 0n && vestingUnits === 0n && paymentUnits === 0n) return null;
  const tokens = `${decimal(tokensUnits, TOKEN_DECIMALS)} ${view.model.metadata.symbol}`;
  const money = `${decimal(paymentUnits, view.payment.decimals)} ${unit}`;
  return (
    <div data-dust>
      <p>{t.offering.dust(tokens, money)}</p>
      <TransactButton label={t.offering.sweep} main={false} make={async () => ({ title: t.offering.sweep, says: [t.offering.sweepSays(tokens, money)], transactions: [await sweepDust(view, offering)] })} />
    </div>
  );
}

/** How a model's own token is called in a transaction's dialog. */
export function tokenUnits(view: ModelView): ReadonlyMap<Offering["mint"], { unit: string; decimals: number }> {
  return new Map(view.offering === undefined ? [] : [[view.offering.mint, { unit: view.model.metadata.symbol, decimals: TOKEN_DECIMALS }]]);
}

/** Buttons are disabled without a wallet: here there is one. */
export function given<T>(address: T | undefined): T {
  if (address === undefined) throw new Error("no wallet");
  return address;
}

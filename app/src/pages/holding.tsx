// What a wallet holds of one model: tokens, stake, yield, what vests, and what burning would pay.

import type { ReactNode } from "react";
import { OfferingStatus } from "@imo/client/model-token";
import type { Pool } from "@imo/client/yield-distributor";
import { claimYield, openVesting, redeem, releaseVested, stake, unstake } from "../actions/invest.ts";
import { slotsToSeconds } from "../maths/deadline.ts";
import { vestedUnits } from "../maths/offering.ts";
import { activationEpoch, redemptionUnits } from "../maths/yield.ts";
import { useChain, useNow, useUnitOf, useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { decimal, duration } from "../ui/format.ts";
import { Amount, AmountField, Facts, Figures, TOKEN_DECIMALS, useAmount } from "../ui/parts.tsx";
import { TransactButton } from "../ui/transaction.tsx";
import type { Holding } from "../views/model.ts";
import { given, tokenUnits } from "./offering.tsx";

interface Props {
  holding: Holding;
  pool: Pool;
}

export function HoldingPanel({ holding, pool }: Props): ReactNode {
  const { view } = holding;
  const now = useNow();
  const wallet = useWallet();
  const unit = useUnitOf()(pool.revenueMint);
  const { symbol } = view.model.metadata;
  const tokens = (units: bigint): ReactNode => <Amount units={units} decimals={TOKEN_DECIMALS} unit={symbol} />;
  const money = (units: bigint): ReactNode => <Amount units={units} decimals={view.payment.decimals} unit={unit} />;
  const claimable = holding.claimableUnits + holding.vestingClaimableUnits;
  const holds = holding.freeUnits + holding.activeUnits + holding.pendingUnits > 0n;
  if (!holds && claimable === 0n && holding.vesting === undefined && !vests(holding)) return null;
  const waits = holding.activeFromSlot === undefined || now === undefined ? undefined : slotsToSeconds(holding.activeFromSlot - now.slot);
  return (
    <section aria-label={t.holding.title} data-holding>
      <h2>{t.holding.title}</h2>
      <Figures
        of={[
          [t.holding.free, tokens(holding.freeUnits)],
          [t.holding.active, tokens(holding.activeUnits)],
          holding.pendingUnits === 0n ? undefined : [t.holding.pending(waits === undefined || waits <= 0n ? "" : duration(waits)), tokens(holding.pendingUnits)],
          holding.vesting === undefined ? undefined : [t.holding.vesting, tokens(holding.vesting.units)],
          [t.holding.claimable, money(claimable)],
          [t.holding.redeemable, money(holding.redeemableUnits)],
        ]}
      />
      {claimable > 0n ? (
        <p>
          <TransactButton
            label={t.holding.claim}
            make={async () => ({
              title: t.holding.claim,
              says: [t.holding.claimSays],
              transactions: [await claimYield(holding, pool, given(wallet?.address))],
            })}
          />
        </p>
      ) : null}
      <Vesting holding={holding} />
      {holds ? (
        <div className="columns">
          <Stake holding={holding} pool={pool} />
          <Redeem holding={holding} pool={pool} unit={unit} />
        </div>
      ) : null}
    </section>
  );
}

/** Whether a claimed commitment still has tokens that are not free. */
function vests({ commitment }: Holding): boolean {
  return commitment !== undefined && commitment.claimed && commitment.vestingUnits > commitment.releasedUnits;
}

function Vesting({ holding }: { holding: Holding }): ReactNode {
  const unix = useNow()?.unix;
  const wallet = useWallet();
  const { view, commitment, vesting } = holding;
  const { offering } = view;
  if (commitment === undefined || offering?.status !== OfferingStatus.Succeeded || !vests(holding) || unix === undefined) return null;
  const free = vestedUnits(commitment.vestingUnits, unix - offering.settledUnix, offering.buyerVesting) - commitment.releasedUnits;
  if (vesting === undefined) {
    return (
      <TransactButton
        label={t.holding.openVesting}
        main={false}
        make={async () => ({
          title: t.holding.openVesting,
          says: [t.holding.openVestingSays],
          transactions: [[await openVesting(view, commitment.investor, given(wallet?.address))]],
        })}
      />
    );
  }
  return (
    <div className="row">
      <span>{t.holding.vested(`${decimal(free, TOKEN_DECIMALS)} ${view.model.metadata.symbol}`)}</span>
      <TransactButton
        label={t.holding.release}
        main={false}
        disabled={free === 0n}
        make={async () => ({
          title: t.holding.release,
          says: [t.holding.releaseSays],
          transactions: [await releaseVested(view, commitment, given(wallet?.address))],
          units: tokenUnits(view),
        })}
      />
    </div>
  );
}

function Stake({ holding, pool }: Props): ReactNode {
  const chain = useChain();
  const now = useNow();
  const { view } = holding;
  const { symbol } = view.model.metadata;
  const into = useAmount(TOKEN_DECIMALS);
  const out = useAmount(TOKEN_DECIMALS);
  const staked = holding.activeUnits + holding.pendingUnits;
  const [more, less] = [into.units ?? 0n, out.units ?? 0n];
  const activeSlot = now === undefined ? undefined : activationEpoch(now.slot, pool.epochSlots) * pool.epochSlots;
  const wait = activeSlot === undefined || now === undefined ? "…" : duration(slotsToSeconds(activeSlot - now.slot));
  return (
    <div>
      <h3>{t.holding.stake}</h3>
      <p className="quiet small">{t.holding.stakeNote(wait)}</p>
      <form onSubmit={(event) => event.preventDefault()}>
        <AmountField label={t.holding.stakeAmount} amount={into} unit={symbol} decimals={TOKEN_DECIMALS} most={holding.freeUnits} />
        <TransactButton
          label={t.holding.stake}
          disabled={more === 0n || more > holding.freeUnits}
          make={async () => ({
            title: t.holding.stake,
            says: [t.holding.stakeSays(`${decimal(more, TOKEN_DECIMALS)} ${symbol}`, wait)],
            transactions: [await stake(chain, holding, pool, more)],
            units: tokenUnits(view),
            done: () => into.set(""),
          })}
        />
      </form>
      {staked === 0n ? null : (
        <form onSubmit={(event) => event.preventDefault()}>
          <AmountField label={t.holding.unstakeAmount} amount={out} unit={symbol} decimals={TOKEN_DECIMALS} most={staked} />
          <TransactButton
            label={t.holding.unstake}
            main={false}
            disabled={less === 0n || less > staked}
            make={async () => ({
              title: t.holding.unstake,
              says: [t.holding.unstakeSays(`${decimal(less, TOKEN_DECIMALS)} ${symbol}`)],
              transactions: [await unstake(holding, pool, less)],
              units: tokenUnits(view),
              done: () => out.set(""),
            })}
          />
        </form>
      )}
    </div>
  );
}

function Redeem({ holding, pool, unit }: Props & { unit: string }): ReactNode {
  const { view } = holding;
  const { symbol } = view.model.metadata;
  const amount = useAmount(TOKEN_DECIMALS);
  const units = amount.units ?? 0n;
  const pays = view.token === undefined ? undefined : redemptionUnits(pool.redeemUnits, units, view.token.supplyUnits);
  const money = `${decimal(pays ?? 0n, view.payment.decimals)} ${unit}`;
  return (
    <div>
      <h3>{t.holding.redeem}</h3>
      <p className="quiet small">{t.holding.redeemNote}</p>
      <form onSubmit={(event) => event.preventDefault()}>
        <AmountField label={t.holding.redeemAmount} amount={amount} unit={symbol} decimals={TOKEN_DECIMALS} most={holding.freeUnits} />
        {units > 0n && pays !== undefined ? (
          <div aria-live="polite" data-redeem-preview>
            <Facts of={[[t.holding.pays, <Amount key="pays" units={pays} decimals={view.payment.decimals} unit={unit} />]]} />
          </div>
        ) : null}
        <TransactButton
          label={t.holding.redeem}
          main={false}
          disabled={units === 0n || units > holding.freeUnits || pays === undefined || pays === 0n}
          make={async () => ({
            title: t.holding.redeem,
            says: [t.holding.redeemSays(`${decimal(units, TOKEN_DECIMALS)} ${symbol}`, money), t.holding.redeemFinal],
            transactions: [await redeem(holding, pool, units)],
            units: tokenUnits(view),
            done: () => amount.set(""),
          })}
        />
      </form>
    </div>
  );
}

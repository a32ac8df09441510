// What a sold model brings its developer: the tranches of the raise, and the developer's own tokens.

import { type Offering, OfferingStatus, TrancheState } from "@imo/client/model-token";
import { findVestingPda } from "@imo/client/yield-distributor";
import type { ReactNode } from "react";
import { claimDeveloperYield, drawTranche, missTranche, releaseDeveloper } from "../actions/proceeds.ts";
import { VESTING } from "../chain/kinds.ts";
import { developerFreeUnits, trancheIs, trancheUnits } from "../maths/offering.ts";
import { vestingYield } from "../maths/yield.ts";
import { useNow, useRead, useUnitOf, useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { decimal, duration } from "../ui/format.ts";
import { Amount, Figures, Tag, TOKEN_DECIMALS } from "../ui/parts.tsx";
import { TransactButton } from "../ui/transaction.tsx";
import type { ModelView } from "../views/model.ts";
import { given, tokenUnits } from "./offering.tsx";

export function ProceedsSection({ view }: { view: ModelView }): ReactNode {
  const { offering } = view;
  if (offering?.status !== OfferingStatus.Succeeded) return null;
  return (
    <section aria-labelledby="proceeds">
      <h2 id="proceeds">{t.develop.proceeds}</h2>
      <Tranches view={view} offering={offering} own />
      {offering.developerUnits === 0n ? null : <OwnTokens view={view} offering={offering} />}
    </section>
  );
}

/** When a tranche is due, in words. */
export function trancheText(condition: Offering["tranches"][number]["condition"], decimals: number, unit: string): string {
  return condition.__kind === "Time"
    ? t.offering.afterTime(duration(BigInt(condition.unlocksSeconds)))
    : t.offering.afterRevenue(`${decimal(condition.othersUnits, decimals)} ${unit}`, duration(BigInt(condition.deadlineSeconds)));
}

/** All tranches and how far they are. The developer draws what is due; whatever is missed anyone may say so. */
export function Tranches({ view, offering, own }: { view: ModelView; offering: Offering; own?: boolean }): ReactNode {
  const now = useNow();
  const unit = useUnitOf()(view.model.paymentMint);
  const { decimals } = view.payment;
  const succeeded = offering.status === OfferingStatus.Succeeded;
  const parts = trancheUnits(
    succeeded ? offering.acceptedUnits : offering.maxRaiseUnits,
    offering.tranches.map(({ shareBps }) => shareBps),
  );
  const paid = view.vault?.paidToOthersUnits ?? 0n;
  const left = offering.developerUnits - offering.developerReleasedUnits - offering.developerBurnedUnits;
  return (
    <ol className="rows" data-tranches>
      {offering.tranches.map((tranche, index) => {
        const units = parts[index] ?? 0n;
        const amount = `${decimal(units, decimals)} ${unit}`;
        const locked = tranche.state === TrancheState.Locked;
        const is = locked && succeeded && now !== undefined ? trancheIs(tranche.condition, now.unix - offering.settledUnix, paid) : undefined;
        return (
          <li key={`${index}-${tranche.shareBps}`}>
            <span>
              <Amount units={units} decimals={decimals} unit={unit} /> {trancheText(tranche.condition, decimals, unit)}
              {locked && succeeded && tranche.condition.__kind === "Revenue" ? (
                <>
                  {" "}
                  <span className="quiet small">{t.offering.soFar(`${decimal(paid, decimals)} ${unit}`)}</span>
                </>
              ) : null}
            </span>
            <span className="row">
              {is === "due" ? <Tag mood="good">{t.offering.trancheDue}</Tag> : is === "missed" ? <Tag mood="bad">{t.offering.trancheOver}</Tag> : <StateTag state={tranche.state} />}
              {own === true && locked ? (
                <TransactButton
                  label={t.develop.draw}
                  main={false}
                  disabled={is !== "due"}
                  make={async () => ({ title: t.develop.draw, says: [t.develop.drawSays(amount)], transactions: [await drawTranche(view, index)] })}
                />
              ) : null}
              {is === "missed" && view.pool !== undefined ? (
                <TransactButton
                  label={t.offering.miss}
                  main={false}
                  make={async () => ({
                    title: t.offering.miss,
                    says: [t.offering.missSays(amount), ...(left > 0n ? [t.offering.missBurns(`${decimal(left, TOKEN_DECIMALS)} ${view.model.metadata.symbol}`)] : [])],
                    transactions: [await missTranche(view, offering, index)],
                  })}
                />
              ) : null}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

function StateTag({ state }: { state: TrancheState }): ReactNode {
  return <Tag mood={state === TrancheState.Paid ? "good" : state === TrancheState.Missed ? "bad" : "plain"}>{t.offering.trancheStates[state]}</Tag>;
}

/** The developer's tokens: burned when a tranche is missed, else free as time passes, and earning all along. */
function OwnTokens({ view, offering }: { view: ModelView; offering: Offering }): ReactNode {
  const now = useNow();
  const wallet = useWallet();
  const unit = useUnitOf()(view.model.paymentMint);
  const vesting = useRead(
    ["developer-vesting", view.address],
    async (chain) => (await chain.one(VESTING, (await findVestingPda({ pool: view.poolAddress, owner: view.address }))[0])) ?? null,
    { enabled: view.pool !== undefined },
  );
  const undecided = offering.tranches.some(({ state, condition }) => state === TrancheState.Locked && condition.__kind === "Revenue");
  const free = now === undefined || undecided ? 0n : developerFreeUnits(offering, now.unix - offering.settledUnix);
  const earned = vesting.data === undefined || vesting.data === null || view.pool === undefined ? 0n : vestingYield(vesting.data, view.pool);
  const tokens = (units: bigint): ReactNode => <Amount units={units} decimals={TOKEN_DECIMALS} unit={view.model.metadata.symbol} />;
  const left = offering.developerUnits - offering.developerReleasedUnits - offering.developerBurnedUnits;
  return (
    <div data-own-tokens>
      <h3>{t.develop.ownTokens}</h3>
      <Figures
        of={[
          [t.develop.ownLeft, tokens(left)],
          [t.develop.ownFree, tokens(free)],
          [t.develop.ownReleased, tokens(offering.developerReleasedUnits)],
          offering.developerBurnedUnits === 0n ? undefined : [t.develop.ownBurned, tokens(offering.developerBurnedUnits)],
          [t.develop.ownYield, <Amount key="yield" units={earned} decimals={view.payment.decimals} unit={unit} />],
        ]}
      />
      <p className="row after">
        <TransactButton
          label={t.develop.releaseOwn}
          main={false}
          disabled={free <= 0n}
          why={left > 0n && undecided ? t.develop.ownUndecided : undefined}
          make={async () => ({ title: t.develop.releaseOwn, says: [t.develop.releaseOwnSays], transactions: [await releaseDeveloper(view, offering, given(wallet?.address))], units: tokenUnits(view) })}
        />
        <TransactButton
          label={t.develop.claimOwn}
          main={false}
          disabled={earned === 0n}
          make={async () => ({ title: t.develop.claimOwn, says: [t.develop.claimOwnSays], transactions: [await claimDeveloperYield(view, given(wallet?.address))] })}
        />
      </p>
    </div>
  );
}

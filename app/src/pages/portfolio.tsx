// What a wallet has in all models, everything that it can claim, and what it did.

import { type Address, isAddress } from "@solana/kit";
import { type ReactNode, useState } from "react";
import { Link, useLocation } from "wouter";
import { claimCommitment, claimYield, closeEmpties, withdrawEarnings } from "../actions/invest.ts";
import { payPayee } from "../actions/payees.ts";
import { pack } from "../chain/transaction.ts";
import { OfferingStatus } from "@imo/client/model-token";
import { useChain, useMints, useRead, useUnitOf, useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { dateTime, decimal } from "../ui/format.ts";
import { AddressText, Amount, Cell, Empty, Loaded, Note, TextField, TOKEN_DECIMALS } from "../ui/parts.tsx";
import { SignatureLink, TransactButton } from "../ui/transaction.tsx";
import { eventText } from "../ui/events.ts";
import { pastOf } from "../views/history.ts";
import type { Holding } from "../views/model.ts";
import { type Portfolio, readPortfolio } from "../views/portfolio.ts";
import { HoldingPanel } from "./holding.tsx";
import { given } from "./offering.tsx";

export function PortfolioPage({ owner }: { owner: string | undefined }): ReactNode {
  const wallet = useWallet();
  const shown = owner ?? wallet?.address;
  return (
    <>
      <div className="page-head">
        <h1>{t.portfolio.title}</h1>
        <p className="quiet">{t.portfolio.intro}</p>
      </div>
      {shown === undefined ? <LookUp /> : isAddress(shown) ? <Read owner={shown} /> : <Note mood="bad">{t.common.noAddress}</Note>}
    </>
  );
}

/** Any wallet can be looked at. */
function LookUp(): ReactNode {
  const [text, setText] = useState("");
  const [, go] = useLocation();
  const wrong = text === "" || isAddress(text) ? undefined : t.common.noAddress;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isAddress(text)) go(`/portfolio/${text}`);
      }}
    >
      <Empty>{t.portfolio.noWallet}</Empty>
      <TextField label={t.portfolio.lookUp} value={text} set={setText} wrong={wrong} />
      <button type="submit" disabled={!isAddress(text)}>
        {t.portfolio.show}
      </button>
    </form>
  );
}

function Read({ owner }: { owner: Address }): ReactNode {
  const portfolio = useRead(["portfolio", owner], (chain) => readPortfolio(chain, owner));
  return (
    <>
      <p>
        <AddressText address={owner} />
      </p>
      <Loaded query={portfolio}>{(read) => <Shown portfolio={read} />}</Loaded>
      <Past owner={owner} />
    </>
  );
}

/** Sums by mint of what can be claimed now. */
function claimable(portfolio: Portfolio): Map<Address, bigint> {
  const sums = new Map<Address, bigint>();
  const add = (mint: Address, units: bigint): void => {
    if (units > 0n) sums.set(mint, (sums.get(mint) ?? 0n) + units);
  };
  for (const { view, claimableUnits, vestingClaimableUnits } of portfolio.holdings) {
    add(view.model.paymentMint, claimableUnits + vestingClaimableUnits);
  }
  for (const { vault, earnings } of portfolio.owed) add(vault.mint, earnings.owedUnits);
  for (const { mint, dueUnits } of portfolio.dues) add(mint, dueUnits);
  return sums;
}

function Shown({ portfolio }: { portfolio: Portfolio }): ReactNode {
  const unitOf = useUnitOf();
  const wallet = useWallet();
  const chain = useChain();
  const sums = [...claimable(portfolio)];
  const mints = useMints([...sums.map(([mint]) => mint), ...portfolio.credits.map(({ mint }) => mint)]);
  const unclaimed = portfolio.holdings.filter(
    ({ commitment, view }) => commitment !== undefined && !commitment.claimed && view.offering !== undefined && view.offering.status !== OfferingStatus.Open,
  );
  const nothing = portfolio.holdings.length === 0 && portfolio.owed.length === 0;
  return (
    <>
      <section aria-labelledby="claimable">
        <h2 id="claimable">{t.portfolio.claimable}</h2>
        {sums.length === 0 && unclaimed.length === 0 ? (
          <Empty>{t.portfolio.nothingToClaim}</Empty>
        ) : (
          <>
            <ul className="moves" data-claimable>
              {sums.map(([mint, units]) => (
                <li key={mint}>
                  <span>{unitOf(mint)}</span>
                  <Amount units={units} decimals={mints.data?.get(mint)?.decimals ?? 0} unit={unitOf(mint)} />
                </li>
              ))}
              {unclaimed.map(({ view }) => (
                <li key={view.address}>
                  <span>{t.portfolio.unclaimed(view.model.metadata.name)}</span>
                </li>
              ))}
            </ul>
            <p>
              <TransactButton
                label={t.portfolio.claimAll}
                make={async () => {
                  const payer = given(wallet?.address);
                  const groups = await Promise.all([
                    ...portfolio.holdings.map(async (holding) => (holding.view.pool === undefined ? [] : claimYield(holding, holding.view.pool, payer))),
                    ...portfolio.owed.map((owed) => withdrawEarnings(owed, payer)),
                    ...portfolio.dues.map((due) => payPayee(chain, due, payer)),
                    ...unclaimed.map(({ view, commitment }) => (commitment === undefined ? [] : claimCommitment(view, commitment, payer))),
                  ]);
                  return {
                    title: t.portfolio.claimAll,
                    says: [t.portfolio.claimAllSays],
                    transactions: pack(
                      groups.filter((group) => group.length > 0),
                      payer,
                    ),
                    units: new Map(portfolio.holdings.flatMap(({ view }) => (view.offering === undefined ? [] : [[view.offering.mint, { unit: view.model.metadata.symbol, decimals: TOKEN_DECIMALS }] as const]))),
                  };
                }}
              />
            </p>
          </>
        )}
      </section>
      <section>
        <h2>{t.portfolio.holdings}</h2>
        {nothing ? <Empty>{t.portfolio.nothing}</Empty> : <Holdings holdings={portfolio.holdings} />}
        {wallet?.address === portfolio.owner
          ? portfolio.holdings.map((holding) =>
              holding.view.pool === undefined || holding.freeUnits + holding.activeUnits + holding.pendingUnits === 0n ? null : (
                <details key={holding.view.address}>
                  <summary>{t.portfolio.manage(holding.view.model.metadata.name)}</summary>
                  <HoldingPanel holding={holding} pool={holding.view.pool} />
                </details>
              ),
            )
          : null}
      </section>
      <Empties portfolio={portfolio} />
      {portfolio.credits.length === 0 ? null : (
        <section>
          <h2>{t.portfolio.credits}</h2>
          <ul className="moves">
            {portfolio.credits.map(({ model, name, mint, units }) => (
              <li key={model}>
                <Link href={`/try/${model}`}>{name}</Link>
                <Amount units={units} decimals={mints.data?.get(mint)?.decimals ?? 0} unit={unitOf(mint)} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** Rent that waits in accounts in which nothing else is left. */
function Empties({ portfolio: { empties } }: { portfolio: Portfolio }): ReactNode {
  const wallet = useWallet();
  const instructions = closeEmpties(empties);
  if (instructions.length === 0) return null;
  return (
    <section data-empties>
      <h2>{t.portfolio.empties}</h2>
      <p>{t.portfolio.emptiesAre(instructions.length)}</p>
      <TransactButton
        label={t.portfolio.closeEmpties}
        main={false}
        make={async () => ({
          title: t.portfolio.closeEmpties,
          says: [t.portfolio.closeEmptiesSays],
          transactions: pack(
            instructions.map((instruction) => [instruction]),
            given(wallet?.address),
          ),
        })}
      />
    </section>
  );
}

function Holdings({ holdings }: { holdings: readonly Holding[] }): ReactNode {
  const unitOf = useUnitOf();
  return (
    <div className="scroll">
      <table className="stack">
        <thead>
          <tr>
            <th scope="col">{t.portfolio.model}</th>
            {[t.holding.free, t.holding.active, t.holding.waiting, t.holding.vesting, t.holding.claimable, t.holding.redeemable].map((name) => (
              <th key={name} scope="col" className="num">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {holdings.map((holding) => {
            const { view } = holding;
            const unit = unitOf(view.model.paymentMint);
            const tokens = (label: string, units: bigint): ReactNode => (
              <Cell label={label} num>
                {decimal(units, TOKEN_DECIMALS)}
              </Cell>
            );
            const money = (label: string, units: bigint): ReactNode => (
              <Cell label={label} num>
                <Amount units={units} decimals={view.payment.decimals} unit={unit} />
              </Cell>
            );
            return (
              <tr key={view.address}>
                <th scope="row">
                  <Link href={`/model/${view.address}`}>{view.model.metadata.name}</Link> <span className="quiet">{view.model.metadata.symbol}</span>
                </th>
                {tokens(t.holding.free, holding.freeUnits)}
                {tokens(t.holding.active, holding.activeUnits)}
                {tokens(t.holding.waiting, holding.pendingUnits)}
                {tokens(t.holding.vesting, holding.vesting?.units ?? 0n)}
                {money(t.holding.claimable, holding.claimableUnits + holding.vestingClaimableUnits)}
                {money(t.holding.redeemable, holding.redeemableUnits)}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Past({ owner }: { owner: Address }): ReactNode {
  const read = useRead(["past", owner], (chain) => pastOf(chain, owner), { every: 10_000 });
  return (
    <section>
      <h2>{t.portfolio.history}</h2>
      <Loaded query={read}>
        {({ past, more }) =>
          past.length === 0 ? (
            <Empty>{t.portfolio.noHistory}</Empty>
          ) : (
            <>
              <ul className="moves">
                {past.map(({ signature, unix, names }) => (
                  <li key={signature}>
                    <span>
                      {[...new Set(names.map(eventText))].join("; ")}
                      <br />
                      <span className="quiet small">{unix === undefined ? "" : dateTime(unix)}</span>
                    </span>
                    <SignatureLink signature={signature} />
                  </li>
                ))}
              </ul>
              {more ? <p className="quiet small">{t.portfolio.historyMore}</p> : null}
            </>
          )
        }
      </Loaded>
    </section>
  );
}

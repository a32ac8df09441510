// What contributors have earned and are owed: for everybody to see, and for anyone to pay out.

import type { ReactNode } from "react";
import { Link } from "wouter";
import { payAudits, payPayee } from "../actions/payees.ts";
import { useChain, useRead, useUnitOf, useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { bps, decimal } from "../ui/format.ts";
import { AddressText, Amount, Cell, Loaded } from "../ui/parts.tsx";
import { TransactButton } from "../ui/transaction.tsx";
import type { ModelView } from "../views/model.ts";
import { type Payee, type Payees, readPayees } from "../views/payees.ts";
import { given } from "./offering.tsx";

/** Nothing while nobody has earned anything. */
export function PayeesSection({ view }: { view: ModelView }): ReactNode {
  const payees = useRead(["payees", view.address], (chain) => readPayees(chain, view), { enabled: view.vault !== undefined });
  if (view.vault === undefined || (payees.data?.payees.length === 0 && payees.data.audits === undefined)) return null;
  return (
    <section aria-labelledby="payees" data-payees>
      <h2 id="payees">{t.payees.title}</h2>
      <p className="quiet small">{t.payees.intro}</p>
      <Loaded query={payees}>{(read) => <Table view={view} payees={read} />}</Loaded>
    </section>
  );
}

function Table({ view, payees: { payees, audits } }: { view: ModelView; payees: Payees }): ReactNode {
  const unit = useUnitOf()(view.model.paymentMint);
  const { decimals } = view.payment;
  const money = (units: bigint): ReactNode => <Amount units={units} decimals={decimals} unit={unit} />;
  return (
    <div className="scroll">
      <table className="stack">
        <thead>
          <tr>
            <th scope="col">{t.payees.who}</th>
            <th scope="col">{t.payees.version}</th>
            <th scope="col" className="num">
              {t.payees.share}
            </th>
            <th scope="col" className="num">
              {t.payees.earned}
            </th>
            <th scope="col" className="num">
              {t.payees.due}
            </th>
            <th scope="col">{t.common.actions}</th>
          </tr>
        </thead>
        <tbody>
          {payees.map((payee) => (
            <tr key={`${payee.versionNumber}-${payee.index}`} data-payee={payee.contributor.recipient}>
              <th scope="row">
                {payee.contributor.isModel ? <Link href={`/model/${payee.contributor.recipient}`}>{payee.name ?? t.model.upstream}</Link> : <AddressText address={payee.contributor.recipient} />}
              </th>
              <Cell label={t.payees.version}>{payee.versionNumber}</Cell>
              <Cell label={t.payees.share} num>
                {bps(payee.contributor.bps)}
              </Cell>
              <Cell label={t.payees.earned} num>
                {money(payee.earnedUnits)}
              </Cell>
              <Cell label={t.payees.due} num>
                {money(payee.dueUnits)}
              </Cell>
              <Cell label={t.common.actions}>
                <Pay payee={payee} amount={`${decimal(payee.dueUnits, decimals)} ${unit}`} />
              </Cell>
            </tr>
          ))}
          {audits === undefined ? null : (
            <tr data-audits>
              <th scope="row">{t.payees.audits}</th>
              <Cell label={t.payees.version}>–</Cell>
              <Cell label={t.payees.share} num>
                –
              </Cell>
              <Cell label={t.payees.earned} num>
                –
              </Cell>
              <Cell label={t.payees.due} num>
                {money(audits.data.auditUnits)}
              </Cell>
              <Cell label={t.common.actions}>
                <TransactButton
                  label={t.payees.pay}
                  main={false}
                  make={async () => ({ title: t.payees.pay, says: [t.payees.auditsSays(`${decimal(audits.data.auditUnits, decimals)} ${unit}`)], transactions: [await payAudits(audits, view.address, view.model.paymentMint)] })}
                />
              </Cell>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

function Pay({ payee, amount }: { payee: Payee; amount: string }): ReactNode {
  const chain = useChain();
  const wallet = useWallet();
  if (payee.dueUnits === 0n) return <span className="quiet">{t.payees.paid}</span>;
  return (
    <TransactButton
      label={t.payees.pay}
      main={false}
      make={async () => ({
        title: t.payees.pay,
        says: [payee.contributor.isModel ? t.payees.upstreamSays(amount, payee.name ?? t.model.upstream) : t.payees.personSays(amount)],
        transactions: [await payPayee(chain, payee, given(wallet?.address))],
      })}
    />
  );
}

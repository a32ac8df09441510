// One model: its offering, what one holds of it, its revenue and who shares it, its versions and its card.

import { type Address, isAddress } from "@solana/kit";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { type Offering, OfferingStatus, OperatorAccess } from "@imo/client/model-token";
import { NOBODY } from "../actions/manage.ts";
import { useNow, useRead, useUnitOf, useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { bps, dateTime, decimal, hex, shortened } from "../ui/format.ts";
import { AddressText, Amount, Empty, Facts, Figures, Loaded, Note, Tag, TOKEN_DECIMALS } from "../ui/parts.tsx";
import { RevenueChart, SplitPicture, VestingPicture } from "../ui/pictures.tsx";
import { SignatureLink } from "../ui/transaction.tsx";
import { splitsOf } from "../views/history.ts";
import { yieldUnits } from "../views/market.ts";
import { type Holding, type ModelView, readHolding, readModel } from "../views/model.ts";
import { AnnouncedCard } from "./card.tsx";
import { HoldingPanel } from "./holding.tsx";
import { OfferingPanel } from "./offering.tsx";
import { PayeesSection } from "./payees.tsx";
import { Tranches } from "./proceeds.tsx";

export function ModelPage({ address }: { address: string }): ReactNode {
  return isAddress(address) ? <Read address={address} /> : <Note mood="bad">{t.common.noAddress}</Note>;
}

function Read({ address }: { address: Address }): ReactNode {
  const wallet = useWallet();
  const view = useRead(["model", address, wallet?.address], async (chain) => {
    const model = await readModel(chain, address);
    return { model, holding: wallet === undefined ? undefined : await readHolding(chain, model, wallet.address) };
  });
  return <Loaded query={view}>{({ model, holding }) => <Model view={model} holding={holding} />}</Loaded>;
}

function Model({ view, holding }: { view: ModelView; holding: Holding | undefined }): ReactNode {
  const { model, live, offering, pool, token } = view;
  const { symbol } = model.metadata;
  const unit = useUnitOf()(model.paymentMint);
  const money = (units: bigint): ReactNode => <Amount units={units} decimals={view.payment.decimals} unit={unit} />;
  const tokens = (units: bigint): ReactNode => <Amount units={units} decimals={TOKEN_DECIMALS} unit={symbol} />;
  return (
    <>
      <div className="page-head">
        <h1>
          {model.metadata.name} <span className="quiet">{symbol}</span>
        </h1>
        <p className="quiet">{live === undefined ? t.model.noVersion : t.model.lead(live.nodeCount, t.model.checkable[live.checkable])}</p>
        {live === undefined ? null : (
          <p className="row">
            <Link href={`/try/${view.address}`} className="button">
              {t.model.tryIt}
            </Link>
            <Link href={`/trust?model=${view.address}`}>{t.model.record}</Link>
          </p>
        )}
      </div>
      <Figures
        of={[
          live === undefined ? undefined : [t.model.price, money(live.priceUnits)],
          token === undefined || token.supplyUnits === 0n ? undefined : [t.model.supply, tokens(token.supplyUnits)],
          pool === undefined
            ? undefined
            : [t.model.yield, <Amount key="yield" units={yieldUnits(pool, TOKEN_DECIMALS)} decimals={view.payment.decimals} unit={unit} />],
          pool === undefined ? undefined : [t.model.redeemPool, money(pool.redeemUnits)],
          pool === undefined ? undefined : [t.model.staked, tokens(pool.stakedUnits)],
        ]}
      />
      {offering === undefined ? null : <OfferingPanel view={view} offering={offering} holding={holding} />}
      {holding === undefined || pool === undefined ? null : <HoldingPanel holding={holding} pool={pool} />}
      {offering === undefined ? null : <Terms view={view} offering={offering} />}
      <Revenue view={view} unit={unit} />
      <WhoGets view={view} unit={unit} />
      <PayeesSection view={view} />
      <Versions view={view} unit={unit} />
      <Card view={view} unit={unit} />
    </>
  );
}

function Terms({ view, offering }: { view: ModelView; offering: Offering }): ReactNode {
  const unix = useNow()?.unix;
  const succeeded = offering.status === OfferingStatus.Succeeded;
  const settled = succeeded ? offering.settledUnix : undefined;
  return (
    <section>
      <h2>{t.offering.terms}</h2>
      <h3>{t.offering.buyersVest}</h3>
      <VestingPicture terms={offering.buyerVesting} settledUnix={settled} nowUnix={unix} />
      {offering.developerUnits === 0n ? null : (
        <>
          <h3>{t.offering.developerVests(decimal(offering.developerUnits, TOKEN_DECIMALS), view.model.metadata.symbol)}</h3>
          <VestingPicture terms={offering.developerVesting} settledUnix={settled} nowUnix={unix} />
        </>
      )}
      <h3>{t.offering.tranches}</h3>
      <p className="quiet small">{succeeded ? t.offering.tranchesNote : t.offering.tranchesAtMost}</p>
      <Tranches view={view} offering={offering} />
    </section>
  );
}

function Revenue({ view, unit }: { view: ModelView; unit: string }): ReactNode {
  const paid = view.vault?.paidToOthersUnits ?? 0n;
  const splits = useRead(["splits", view.address, paid], (chain) => splitsOf(chain, view.address, view.model.versionCount, paid), {
    enabled: view.vault !== undefined,
    every: 60_000,
  });
  return (
    <section>
      <h2>{t.model.revenue}</h2>
      {view.vault === undefined ? (
        <Empty>{t.model.noRevenue}</Empty>
      ) : (
        <Loaded query={splits}>
          {({ splits: all, complete }) =>
            all.length === 0 ? (
              <Empty>{t.model.noRevenue}</Empty>
            ) : (
              <>
                <RevenueChart
                  decimals={view.payment.decimals}
                  unit={unit}
                  points={all.map(({ report, unix, revenueUnits, holdersUnits, redeemUnits }) => ({
                    key: report,
                    unix,
                    revenueUnits,
                    holdersUnits: holdersUnits + redeemUnits,
                  }))}
                />
                <p className="quiet small">{complete ? t.model.historyComplete : t.model.historyIncomplete}</p>
                <details>
                  <summary>{t.model.asTable}</summary>
                  <div className="scroll">
                    <table>
                      <thead>
                        <tr>
                          <th scope="col">{t.trust.report}</th>
                          <th scope="col">{t.common.when}</th>
                          <th scope="col" className="num">
                            {t.model.revenue}
                          </th>
                          <th scope="col" className="num">
                            {t.model.toHolders}
                          </th>
                          <th scope="col">{t.common.transaction}</th>
                        </tr>
                      </thead>
                      <tbody>
                        {all.map((split) => (
                          <tr key={split.report}>
                            <td>
                              <Link href={`/trust/report/${split.report}`} className="mono">
                                {shortened(split.report)}
                              </Link>
                            </td>
                            <td>{split.unix === undefined ? "–" : dateTime(split.unix)}</td>
                            <td className="num">
                              <Amount units={split.revenueUnits} decimals={view.payment.decimals} unit={unit} />
                            </td>
                            <td className="num">
                              <Amount units={split.holdersUnits + split.redeemUnits} decimals={view.payment.decimals} unit={unit} />
                            </td>
                            <td>
                              <SignatureLink signature={split.signature} />
                            </td>
                          </tr>
                        ))}
                      </tbody>
                    </table>
                  </div>
                </details>
              </>
            )
          }
        </Loaded>
      )}
    </section>
  );
}

function WhoGets({ view: { live, payment }, unit }: { view: ModelView; unit: string }): ReactNode {
  if (live === undefined) return null;
  return (
    <section>
      <h2>{t.model.whoGets}</h2>
      <SplitPicture split={live.split} priceUnits={live.priceUnits} decimals={payment.decimals} unit={unit} />
      {live.contributors.length === 0 ? null : (
        <>
          <h3>{t.model.contributors}</h3>
          <Facts
            of={live.contributors.map((each): [string, ReactNode] => [
              t.model.share(bps(each.bps), shortened(each.recipient)),
              each.isModel ? (
                <Link key={each.recipient} href={`/model/${each.recipient}`}>
                  {t.model.upstream}
                </Link>
              ) : (
                <AddressText key={each.recipient} address={each.recipient} />
              ),
            ])}
          />
        </>
      )}
    </section>
  );
}

function Versions({ view, unit }: { view: ModelView; unit: string }): ReactNode {
  return (
    <section>
      <h2>{t.model.versions}</h2>
      {view.versions.length === 0 ? <Empty>{t.model.noVersion}</Empty> : null}
      {view.versions.toReversed().map(({ number, version }) => (
        <details key={number} open={number === view.model.liveVersion}>
          <summary>
            {t.model.version(number)}{" "}
            {number === view.model.liveVersion ? (
              <Tag mood="good">{t.model.isLive}</Tag>
            ) : version.liveSinceSlot === 0n ? (
              <Tag mood="waiting">{t.model.isWaiting}</Tag>
            ) : null}
          </summary>
          <Facts
            of={[
              [
                t.model.root,
                <span key="root" className="mono" data-model-root>
                  {hex(version.modelRoot)}
                </span>,
              ],
              [t.model.price, <Amount key="price" units={version.priceUnits} decimals={view.payment.decimals} unit={unit} />],
              [t.model.nodes, decimal(BigInt(version.nodeCount), 0)],
              [t.model.checkedBy, t.model.checkable[version.checkable]],
              [t.model.weights, version.weightsUri === "" ? "–" : version.weightsUri],
              [t.model.window, t.common.slots(version.terms.windowSlots)],
              [t.model.bond, t.model.bondRatio(bps(version.terms.bondRatioBps))],
            ]}
          />
        </details>
      ))}
    </section>
  );
}

function Card({ view, unit }: { view: ModelView; unit: string }): ReactNode {
  const { model } = view;
  const { uri, uriHash, licence } = model.metadata;
  return (
    <section>
      <h2>{t.model.card}</h2>
      {view.update === undefined ? null : <AnnouncedCard view={view} update={view.update} />}
      <Facts
        of={[
          [t.model.address, <AddressText key="address" address={view.address} />],
          [t.model.developer, <AddressText key="developer" address={model.developer} />],
          model.pendingDeveloper === NOBODY ? undefined : [t.handover.successorIs, <AddressText key="successor" address={model.pendingDeveloper} />],
          [t.model.licence, licence],
          [
            t.model.cardAt,
            uri.startsWith("https://") ? (
              <a key="uri" href={uri} rel="noopener noreferrer">
                {uri}
              </a>
            ) : uri === "" ? (
              "–"
            ) : (
              uri
            ),
          ],
          [
            t.model.cardHash,
            uriHash.every((byte) => byte === 0) ? (
              "–"
            ) : (
              <span key="hash" className="mono">
                {hex(uriHash)}
              </span>
            ),
          ],
          [t.model.paidIn, <AddressText key="mint" address={model.paymentMint} name={unit} />],
          [t.model.whoMayOperate, model.operators === OperatorAccess.Open ? t.model.anyone : t.model.listed],
        ]}
      />
    </section>
  );
}

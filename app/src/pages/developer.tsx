// What a model developer does: register from a file, publish versions, open an offering, draw the proceeds.

import { type Address, isAddress } from "@solana/kit";
import { type Model, OfferingStatus, type Protocol } from "@imo/client/model-token";
import { type ReactNode, useId, useState } from "react";
import { Link, useLocation } from "wouter";
import { activateVersion, publishVersion, registerModel } from "../actions/develop.ts";
import type { Found } from "../chain/chain.ts";
import { MODEL } from "../chain/kinds.ts";
import { slotsToSeconds } from "../maths/deadline.ts";
import { useMints, useNow, useRead, useUnitOf, useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { duration } from "../ui/format.ts";
import { Empty, Loaded, Note, Tag } from "../ui/parts.tsx";
import { TransactButton } from "../ui/transaction.tsx";
import { type ModelView, readModel } from "../views/model.ts";
import { readProtocol } from "../views/protocol.ts";
import { AdmissionSection } from "./admission.tsx";
import { CardSection, useCard } from "./card.tsx";
import { AcceptPanel, HandoverSection } from "./handover.tsx";
import { Offer } from "./offer.tsx";
import { given } from "./offering.tsx";
import { PayeesSection } from "./payees.tsx";
import { ProceedsSection } from "./proceeds.tsx";
import { useVersionTerms } from "./version-terms.tsx";

/** Where a model's creator and developer stand in its account. */
const CREATOR = 14n;
const DEVELOPER = 46n;
const PENDING_DEVELOPER = 78n;

export function Developer({ address }: { address: string | undefined }): ReactNode {
  const wallet = useWallet();
  if (wallet !== undefined && address !== undefined) return isAddress(address) ? <Own address={address} /> : <Note mood="bad">{t.common.noAddress}</Note>;
  return (
    <>
      <div className="page-head">
        <h1>{t.develop.title}</h1>
        <p className="quiet">{t.develop.intro}</p>
      </div>
      {wallet === undefined ? <Note mood="plain">{t.develop.connect}</Note> : <Home owner={wallet.address} />}
    </>
  );
}

function Home({ owner }: { owner: Address }): ReactNode {
  const models = useRead(["models-of", owner], async (chain) => {
    const [own, offered, created, protocol] = await Promise.all([
      chain.all(MODEL, { offset: DEVELOPER, key: owner }),
      chain.all(MODEL, { offset: PENDING_DEVELOPER, key: owner }),
      chain.all(MODEL, { offset: CREATOR, key: owner }),
      readProtocol(chain),
    ]);
    // An index is used once for each creator, whoever has the model now.
    const next = created.reduce((index, { data }) => Math.max(index, data.index + 1), 0);
    return { own, offered, next, protocol };
  });
  return (
    <Loaded query={models}>
      {({ own, offered, next, protocol }) => (
        <>
          <section>
            <h2>{t.develop.yours}</h2>
            {own.length === 0 ? <Empty>{t.develop.none}</Empty> : <Models of={own} />}
          </section>
          {offered.length === 0 ? null : (
            <section>
              <h2>{t.handover.offered}</h2>
              <Models of={offered} />
            </section>
          )}
          <Register owner={owner} index={next} protocol={protocol} />
        </>
      )}
    </Loaded>
  );
}

function Models({ of }: { of: readonly Found<Model>[] }): ReactNode {
  return (
    <ul className="moves">
      {of.map(({ address, data }) => (
        <li key={address}>
          <Link href={`/developer/${address}`}>{data.metadata.name}</Link>
          <span className="quiet">{data.metadata.symbol}</span>
        </li>
      ))}
    </ul>
  );
}

function Register({ owner, index, protocol }: { owner: Address; index: number; protocol: Protocol }): ReactNode {
  const unitOf = useUnitOf();
  const [, go] = useLocation();
  const listed = protocol.paymentMints.slice(0, protocol.paymentMintCount);
  const [mint, setMint] = useState<Address | undefined>(listed[0]);
  const mints = useMints(listed);
  const card = useCard();
  const { fields, terms } = useVersionTerms(protocol, mint === undefined ? 6 : (mints.data?.get(mint)?.decimals ?? 6), mint);
  const id = useId();
  const complete = card.metadata !== undefined && mint !== undefined && terms !== undefined;
  return (
    <section aria-labelledby="register">
      <h2 id="register">{t.develop.register}</h2>
      <form onSubmit={(event) => event.preventDefault()}>
        {card.fields(
          <div className="field">
            <label htmlFor={id}>{t.develop.mint}</label>
            <select id={id} value={mint} onChange={(event) => setMint(event.target.value as Address)}>
              {listed.map((each) => (
                <option key={each} value={each}>
                  {unitOf(each)}
                </option>
              ))}
            </select>
          </div>,
        )}
        {fields(mint === undefined ? "" : unitOf(mint))}
        <TransactButton
          label={t.develop.register}
          why={complete ? undefined : t.develop.incomplete}
          make={async () => {
            const metadata = given(card.metadata);
            const { address, transactions } = await registerModel(owner, index, given(mint), metadata, given(terms));
            return { title: t.develop.register, says: [t.develop.registerSays(metadata.name)], transactions, done: () => go(`/developer/${address}`) };
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
          <div className="page-head">
            <p className="small">
              <Link href="/developer">{t.develop.yours}</Link>
            </p>
            <h1>
              <Link href={`/model/${address}`}>{model.model.metadata.name}</Link> <span className="quiet">{model.model.metadata.symbol}</span>
            </h1>
          </div>
          {model.model.developer === wallet?.address ? (
            <>
              <Versions view={model} protocol={protocol} />
              {model.offering === undefined ? <Offer view={model} /> : <ProceedsSection view={model} />}
              <PayeesSection view={model} />
              <AdmissionSection view={model} />
              {/* Typed texts belong to the card that was read: another card, other texts. */}
              <CardSection key={`${model.update === undefined}`} view={model} />
              <HandoverSection view={model} />
            </>
          ) : model.model.pendingDeveloper === wallet?.address ? (
            <AcceptPanel view={model} />
          ) : (
            <Empty>{t.develop.notYours}</Empty>
          )}
        </>
      )}
    </Loaded>
  );
}

function Versions({ view, protocol }: { view: ModelView; protocol: Protocol }): ReactNode {
  const now = useNow();
  const unit = useUnitOf()(view.model.paymentMint);
  const { fields, terms } = useVersionTerms(protocol, view.payment.decimals, view.model.paymentMint, view.address);
  const waiting = view.versions.filter(({ number, version }) => number > view.model.liveVersion && version.liveSinceSlot === 0n);
  const offers = view.offering?.status === OfferingStatus.Open;
  const number = view.model.versionCount + 1;
  return (
    <section>
      <h2>{t.model.versions}</h2>
      {waiting.map(({ number: waits, address, version }) => (
        <p key={address} className="row">
          {t.model.version(waits)} <Tag mood="waiting">{t.model.isWaiting}</Tag>
          {now !== undefined && now.slot <= version.noticeEndsSlot ? <span className="quiet small">{t.develop.liveIn(duration(slotsToSeconds(version.noticeEndsSlot - now.slot + 1n)))}</span> : null}
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
              why={terms === undefined ? t.develop.incompleteVersion : undefined}
              make={async () => ({ title: t.develop.publish, says: [t.develop.publishSays(number)], transactions: [await publishVersion(view, given(terms))] })}
            />
          </form>
        </details>
      )}
    </section>
  );
}

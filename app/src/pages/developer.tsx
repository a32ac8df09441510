// What a model developer does: register from a file, publish versions, open an offering, draw the proceeds.

import { type Address, isAddress } from "@solana/kit";
import { fromHex } from "@imo/client";
import { findProtocolPda, OfferingStatus, type Protocol, TrancheState } from "@imo/client/model-token";
import { type ReactNode, useId, useState } from "react";
import { Link, useLocation } from "wouter";
import { activateVersion, drawTranche, publishVersion, registerModel } from "../actions/develop.ts";
import { Failed } from "../chain/failure.ts";
import { MODEL, PROTOCOL } from "../chain/kinds.ts";
import { trancheUnits } from "../maths/offering.ts";
import { useMints, useNow, useRead, useUnitOf, useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { decimal } from "../ui/format.ts";
import { Empty, Loaded, Note, Tag, TextField } from "../ui/parts.tsx";
import { TransactButton } from "../ui/transaction.tsx";
import { type ModelView, readModel } from "../views/model.ts";
import { trancheText } from "./model.tsx";
import { Offer } from "./offer.tsx";
import { given } from "./offering.tsx";
import { bytesOf, useVersionTerms } from "./version-terms.tsx";

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
  const { fields, terms } = useVersionTerms(protocol, mint === undefined ? 6 : (mints.data?.get(mint)?.decimals ?? 6), mint);
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

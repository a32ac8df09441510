// What a model is called and where it is described: typed in, announced, and in force after the notice.

import { fromHex } from "@imo/client";
import { type Metadata, type MetadataUpdate, OfferingStatus } from "@imo/client/model-token";
import { type ReactNode, useState } from "react";
import { announceCard, applyCard, cancelCard } from "../actions/manage.ts";
import { slotsToSeconds } from "../maths/deadline.ts";
import { useNow } from "../state.tsx";
import { t } from "../texts.ts";
import { duration, hex } from "../ui/format.ts";
import { Facts, Note, TextField } from "../ui/parts.tsx";
import { TransactButton } from "../ui/transaction.tsx";
import type { ModelView } from "../views/model.ts";
import { given } from "./offering.tsx";

/** Most bytes of each, as the program has it. */
const MOST = { name: 32, symbol: 10, licence: 32, uri: 128 } as const;
type Field = keyof typeof MOST;
const NAMES: Record<Field, string> = { name: t.develop.name, symbol: t.develop.symbol, licence: t.develop.licence, uri: t.develop.card };

const FIELDS = Object.keys(MOST) as Field[];
const SHORT = ["name", "symbol", "licence"] as const;

/** How long a text is for the programs. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The texts of a card as they are typed in; `beside` stands beside the short ones. */
export function useCard(initial?: Metadata): { fields: (beside?: ReactNode) => ReactNode; metadata: Metadata | undefined } {
  const [texts, setTexts] = useState({ name: initial?.name ?? "", symbol: initial?.symbol ?? "", licence: initial?.licence ?? "", uri: initial?.uri ?? "" });
  const [hash, setHash] = useState(initial === undefined || isZero(initial.uriHash) ? "" : hex(initial.uriHash));
  const limited = (field: Field): string | undefined => (bytesOf(texts[field]) > MOST[field] ? t.develop.tooLong(MOST[field]) : undefined);
  const hashIsRight = hash === "" || /^[0-9a-f]{64}$/i.test(hash);
  const complete = texts.name !== "" && texts.symbol !== "" && texts.licence !== "" && FIELDS.every((field) => limited(field) === undefined) && hashIsRight;
  const field = (name: Field): ReactNode => <TextField key={name} label={NAMES[name]} value={texts[name]} set={(value) => setTexts({ ...texts, [name]: value })} wrong={limited(name)} />;
  return {
    fields: (beside) => (
      <>
        <div className="field-grid">
          {SHORT.map(field)}
          {beside}
        </div>
        {field("uri")}
        <TextField label={t.develop.cardHash} value={hash} set={setHash} wrong={hashIsRight ? undefined : t.develop.noHash} />
      </>
    ),
    metadata: complete ? { ...texts, uriHash: hash === "" ? new Uint8Array(32) : fromHex(hash.toLowerCase()) } : undefined,
  };
}

function isZero(hash: ArrayLike<number>): boolean {
  return Array.from(hash).every((byte) => byte === 0);
}

/** What would change, name by name. */
export function changesOf(from: Metadata, to: Metadata): { name: string; from: string; to: string }[] {
  const text = (card: Metadata): Record<string, string> => ({ ...Object.fromEntries(FIELDS.map((field) => [NAMES[field], card[field]])), [t.model.cardHash]: isZero(card.uriHash) ? "" : hex(card.uriHash) });
  const [before, after] = [text(from), text(to)];
  return Object.keys(before).flatMap((name) => (before[name] === after[name] ? [] : [{ name, from: before[name] ?? "", to: after[name] ?? "" }]));
}

/** A change that is announced, for everybody to see. */
export function AnnouncedCard({ view, update }: { view: ModelView; update: MetadataUpdate }): ReactNode {
  const now = useNow();
  const left = now === undefined ? undefined : slotsToSeconds(update.noticeEndsSlot - now.slot);
  return (
    <Note mood="waiting">
      <p data-announced>{left === undefined ? "…" : left > 0n ? t.card.holdsIn(duration(left)) : t.card.canHold}</p>
      <Facts
        of={changesOf(view.model.metadata, update.metadata).map(({ name, from, to }): [string, ReactNode] => [
          name,
          <span key={name}>
            <s className="quiet">{from === "" ? "–" : from}</s> {to === "" ? "–" : to}
          </span>,
        ])}
      />
    </Note>
  );
}

/** The developer's side of it. */
export function CardSection({ view }: { view: ModelView }): ReactNode {
  const { update } = view;
  const offers = view.offering?.status === OfferingStatus.Open;
  return (
    <section aria-labelledby="card" data-card>
      <h2 id="card">{t.card.title}</h2>
      <p className="quiet small">{t.card.intro}</p>
      {update === undefined ? <Announce view={view} why={offers ? t.card.whileOpen : undefined} /> : <Announced view={view} update={update} why={offers ? t.card.whileOpen : undefined} />}
    </section>
  );
}

function Announce({ view, why }: { view: ModelView; why: string | undefined }): ReactNode {
  const { fields, metadata } = useCard(view.model.metadata);
  const same = metadata !== undefined && changesOf(view.model.metadata, metadata).length === 0;
  return (
    <details>
      <summary>{t.card.change}</summary>
      <form onSubmit={(event) => event.preventDefault()}>
        {fields()}
        <TransactButton
          label={t.card.announce}
          disabled={metadata === undefined}
          why={why ?? (same ? t.card.nothingChanges : undefined)}
          make={async () => ({ title: t.card.announce, says: [t.card.announceSays], transactions: [await announceCard(view, given(metadata))] })}
        />
      </form>
    </details>
  );
}

function Announced({ view, update, why }: { view: ModelView; update: MetadataUpdate; why: string | undefined }): ReactNode {
  const now = useNow();
  const early = now === undefined || now.slot < update.noticeEndsSlot;
  return (
    <>
      <AnnouncedCard view={view} update={update} />
      <p className="row">
        <TransactButton
          label={t.card.apply}
          disabled={early}
          why={why}
          make={async () => ({ title: t.card.apply, says: [t.card.applySays], transactions: [await applyCard(view, update)] })}
        />
        <TransactButton label={t.card.cancel} main={false} make={async () => ({ title: t.card.cancel, says: [t.card.cancelSays], transactions: [await cancelCard(view, update)] })} />
      </p>
    </>
  );
}

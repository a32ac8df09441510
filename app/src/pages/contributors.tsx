// Who else is paid by a version: people, and the models that it is built on.

import { type Address, isAddress } from "@solana/kit";
import { type ReactNode, useState } from "react";
import type { Contributor } from "../actions/develop.ts";
import { NOBODY } from "../actions/manage.ts";
import { MODEL } from "../chain/kinds.ts";
import { MAX_CONTRIBUTORS } from "../maths/terms.ts";
import { useRead } from "../state.tsx";
import { t } from "../texts.ts";
import { bps } from "../ui/format.ts";
import { TextField } from "../ui/parts.tsx";

interface Row {
  recipient: string;
  share: string;
}

interface Note {
  text: string;
  is: "right" | "wrong" | "looked for";
}

export interface ContributorsInput {
  rows: readonly Row[];
  set: (rows: readonly Row[]) => void;
  /** What each row means, or what is wrong with it. */
  notes: readonly Note[];
  /** Together, in basis points. */
  sumBps: number;
  /** Undefined while a row is wrong. */
  are: Contributor[] | undefined;
}

/** The rows of the contributors to a version that is paid in `paymentMint`. `self` is the version's own model, once there is one. */
export function useContributors(paymentMint: Address | undefined, self: Address | undefined): ContributorsInput {
  const [rows, set] = useState<readonly Row[]>([]);
  const named = rows.map(({ recipient }) => recipient.trim()).filter((recipient) => isAddress(recipient));
  const models = useRead(
    ["contributors", ...named],
    async (chain) => {
      const found = await chain.many(MODEL, named);
      return new Map(named.map((recipient, index) => [recipient, found[index]]));
    },
    { enabled: named.length > 0, every: 60_000 },
  );
  const notes = rows.map((row, index): Note => {
    const recipient = row.recipient.trim();
    const share = shareOf(row);
    const wrong = (text: string): Note => ({ text, is: "wrong" });
    if (!isAddress(recipient) || recipient === NOBODY) return wrong(t.contribute.noAddress);
    if (recipient === self) return wrong(t.contribute.itself);
    if (rows.some((other, before) => before < index && other.recipient.trim() === recipient)) return wrong(t.contribute.twice);
    if (share === undefined) return wrong(t.contribute.noShare);
    if (models.data?.has(recipient) !== true) return { text: t.contribute.looking, is: "looked for" };
    const model = models.data.get(recipient);
    if (model === undefined) return { text: t.contribute.wallet(bps(share)), is: "right" };
    if (model.paymentMint !== paymentMint) return wrong(t.contribute.otherMint(model.metadata.name));
    return { text: t.contribute.model(bps(share), model.metadata.name), is: "right" };
  });
  const are = rows.map((row) => ({ recipient: row.recipient.trim() as Address, bps: shareOf(row) ?? 0 }));
  return { rows, set, notes, sumBps: are.reduce((sum, { bps: share }) => sum + share, 0), are: notes.every(({ is }) => is === "right") ? are : undefined };
}

/** In basis points; undefined when it is none above zero. */
function shareOf({ share }: Row): number | undefined {
  const value = Number(share);
  return Number.isInteger(value) && value > 0 && value <= 10_000 ? value : undefined;
}

export function Contributors({ input: { rows, set, notes } }: { input: ContributorsInput }): ReactNode {
  const change = (index: number, part: Partial<Row>): void => set(rows.map((row, at) => (at === index ? { ...row, ...part } : row)));
  return (
    <fieldset>
      <legend>{t.contribute.title}</legend>
      <p className="quiet small">{t.contribute.intro}</p>
      {rows.map((row, index) => (
        <div key={index} className="field-grid" data-contributor>
          <TextField
            label={t.contribute.recipient(index + 1)}
            value={row.recipient}
            set={(recipient) => change(index, { recipient })}
            hint={notes[index]?.text ?? ""}
            wrong={row.recipient !== "" && row.share !== "" && notes[index]?.is === "wrong" ? notes[index].text : undefined}
          />
          <TextField label={t.contribute.share(index + 1)} value={row.share} set={(share) => change(index, { share })} />
          <p>
            <button type="button" onClick={() => set(rows.filter((_, at) => at !== index))}>
              {t.contribute.remove(index + 1)}
            </button>
          </p>
        </div>
      ))}
      {rows.length === MAX_CONTRIBUTORS ? null : (
        <button type="button" onClick={() => set([...rows, { recipient: "", share: "" }])}>
          {t.contribute.add}
        </button>
      )}
    </fieldset>
  );
}

// What a version of a model says, as a developer types it in: the file, the price, who gets what.

import type { Address } from "@solana/kit";
import { loadVerifier, type ModelHeader, sha256, toHex } from "@imo/client";
import { Checkable, type Protocol } from "@imo/client/model-token";
import { type ReactNode, useId, useState } from "react";
import type { VersionTerms } from "../actions/develop.ts";
import type { RevenueSplit } from "../maths/split.ts";
import { t } from "../texts.ts";
import { bps } from "../ui/format.ts";
import { AmountField, Facts, FailureText, Note, TextField, useAmount } from "../ui/parts.tsx";
import { bytesOf } from "./card.tsx";
import { Contributors, useContributors } from "./contributors.tsx";

interface Opened {
  root: string;
  header: ModelHeader;
  hash: Uint8Array;
}

/** A model file, whose root is computed here. */
function ModelFile({ opened, setOpened }: { opened: Opened | undefined; setOpened: (opened: Opened | undefined) => void }): ReactNode {
  const id = useId();
  const [state, setState] = useState<{ working?: boolean; error?: unknown }>({});
  const read = async (file: File | undefined): Promise<void> => {
    setOpened(undefined);
    if (file === undefined) return setState({});
    setState({ working: true });
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      const model = await (await loadVerifier()).open(bytes);
      setOpened({ root: toHex(model.modelRoot), header: model.header, hash: sha256(bytes) });
      model.close();
      setState({});
    } catch (error) {
      setState({ error });
    }
  };
  return (
    <>
      <div className="field">
        <label htmlFor={id}>{t.develop.file}</label>
        <input id={id} type="file" accept=".imo" onChange={(event) => void read(event.target.files?.[0])} />
        <span className="quiet small">{t.develop.fileHint}</span>
      </div>
      <div role="status">
        {state.working === true ? <p className="loading">{t.develop.reading}</p> : null}
        {opened === undefined ? null : (
          <Facts
            of={[
              [t.develop.rootIs, <span key="root" className="mono" data-root>{opened.root}</span>],
              [t.model.nodes, t.develop.header(opened.header.nodeCount, opened.header.constantCount, `${opened.header.input.element} ${opened.header.input.shape.join(" × ")}`)],
            ]}
          />
        )}
      </div>
      {state.error === undefined ? null : (
        <Note mood="bad" live>
          <FailureText thrown={state.error} />
        </Note>
      )}
    </>
  );
}

const SPLIT_FIELDS = ["holdersBps", "redeemBps", "developerBps", "operatorBps"] as const;
const SPLIT_NAMES = { holdersBps: t.split.holders, redeemBps: t.split.redeem, developerBps: t.split.developer, operatorBps: t.split.operator };

/** What a version says, as it is typed in. `self` is the model, once it is registered. */
export function useVersionTerms(protocol: Protocol, decimals: number, paymentMint: Address | undefined, self?: Address): { fields: (unit: string) => ReactNode; terms: VersionTerms | undefined } {
  const [opened, setOpened] = useState<Opened>();
  const [weights, setWeights] = useState("");
  const [checkable, setCheckable] = useState(Checkable.Anyone);
  const price = useAmount(decimals);
  const [shares, setShares] = useState({ holdersBps: "4000", redeemBps: "1000", developerBps: "2000", operatorBps: `${3_000 - protocol.protocolBps}` });
  const contributors = useContributors(paymentMint, self);
  const { are, sumBps: contributorsBps } = contributors;
  const id = useId();
  const split: RevenueSplit = {
    holdersBps: Number(shares.holdersBps),
    redeemBps: Number(shares.redeemBps),
    developerBps: Number(shares.developerBps),
    operatorBps: Number(shares.operatorBps),
    protocolBps: protocol.protocolBps,
    contributorsBps,
  };
  const sum = Object.values(split).reduce((all, share) => all + share, 0);
  const whole = Object.values(split).every((share) => Number.isInteger(share) && share >= 0) && sum === 10_000;
  const complete = opened !== undefined && price.units !== undefined && price.units > 0n && whole && are !== undefined && bytesOf(weights) <= 128;
  const fields = (unit: string): ReactNode => (
    <>
      <ModelFile opened={opened} setOpened={setOpened} />
      <div className="field-grid">
        <AmountField label={t.develop.price} amount={price} unit={unit} decimals={decimals} />
        <TextField label={t.develop.weights} value={weights} set={setWeights} wrong={bytesOf(weights) > 128 ? t.develop.tooLong(128) : undefined} />
        <div className="field">
          <label htmlFor={id}>{t.develop.checkable}</label>
          <select id={id} value={checkable} onChange={(event) => setCheckable(Number(event.target.value))}>
            {[Checkable.Anyone, Checkable.WithAccess, Checkable.Nobody].map((each) => (
              <option key={each} value={each}>
                {t.model.checkable[each]}
              </option>
            ))}
          </select>
        </div>
      </div>
      <Contributors input={contributors} />
      <fieldset>
        <legend>{t.develop.split}</legend>
        <div className="field-grid">
          {SPLIT_FIELDS.map((field) => (
            <TextField key={field} label={SPLIT_NAMES[field]} value={shares[field]} set={(value) => setShares({ ...shares, [field]: value })} />
          ))}
        </div>
        <p className={whole ? "quiet small" : "wrong small"}>
          {t.develop.splitSum(sum)} {t.develop.splitProtocol(bps(protocol.protocolBps))} {contributorsBps > 0 ? t.develop.splitContributors(bps(contributorsBps)) : null}
        </p>
      </fieldset>
    </>
  );
  const terms = complete
    ? { header: opened.header, split, priceUnits: price.units ?? 0n, checkable, weightsUri: weights, weightsUriHash: weights === "" ? new Uint8Array(32) : opened.hash, contributors: are }
    : undefined;
  return { fields, terms };
}

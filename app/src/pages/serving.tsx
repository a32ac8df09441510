// Where and with which keys an operator serves: typed in to register one, and to change it.

import { type Address, isAddress } from "@solana/kit";
import type { Operator } from "@imo/client/opml-oracle";
import { type ReactNode, useId, useState } from "react";
import { useLocation } from "wouter";
import { keyHash, registerOperator, type Serving, updateOperator } from "../actions/operate.ts";
import { isPast, isSet } from "../maths/deadline.ts";
import { useNow, useRead, useUnitOf, useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { Countdown, Loaded, TextField } from "../ui/parts.tsx";
import { TransactButton } from "../ui/transaction.tsx";
import { readProtocol } from "../views/protocol.ts";
import { bytesOf } from "./card.tsx";
import { given } from "./offering.tsx";

const MOST_ENDPOINT = 128;

/** Empty for one that serves nobody yet. */
function isEndpoint(text: string): boolean {
  return text === "" || (URL.canParse(text) && /^https?:/.test(text));
}

/** The fields. Without a present operator an answer key is needed; with one, an empty field leaves the key as it is. */
function useServing(present: Operator | undefined, own: Address): { fields: ReactNode; serving: Serving | undefined } {
  const now = useNow();
  const [endpoint, setEndpoint] = useState(present?.endpoint ?? "");
  const [backup, setBackup] = useState<string>(present?.backup ?? own);
  const [key, setKey] = useState("");
  const tooLong = bytesOf(endpoint) > MOST_ENDPOINT;
  const keyRuns = present !== undefined && now !== undefined && isSet(present.keyChange) && !isPast(present.keyChange, now);
  const keyWrong = key === "" ? undefined : !isAddress(key) ? t.common.noAddress : keyRuns ? t.serving.keyRuns : undefined;
  const hash = key === "" ? present?.endpointKeyHash : isAddress(key) ? keyHash(key) : undefined;
  const fields = (
    <>
      <TextField
        label={t.operate.endpoint}
        value={endpoint}
        set={setEndpoint}
        hint={t.serving.endpointHint}
        wrong={tooLong ? t.develop.tooLong(MOST_ENDPOINT) : isEndpoint(endpoint) ? undefined : t.serving.noEndpoint}
      />
      <TextField label={t.serving.backup} value={backup} set={setBackup} hint={t.serving.backupHint} wrong={isAddress(backup) ? undefined : t.common.noAddress} />
      <TextField label={present === undefined ? t.serving.key : t.serving.newKey} value={key} set={setKey} hint={present === undefined ? t.serving.keyHint : t.serving.newKeyHint} wrong={keyWrong} />
      {keyRuns ? (
        <p className="quiet small">
          {t.serving.keyFor} <Countdown deadline={present.keyChange} past={t.common.over} />
        </p>
      ) : null}
    </>
  );
  const complete = !tooLong && isEndpoint(endpoint) && isAddress(backup) && keyWrong === undefined && hash !== undefined;
  return { fields, serving: complete ? { endpoint, backup, endpointKeyHash: hash } : undefined };
}

export function Register({ owner }: { owner: Address }): ReactNode {
  const protocol = useRead(["protocol"], readProtocol);
  return (
    <section aria-labelledby="register-operator">
      <h2 id="register-operator">{t.serving.register}</h2>
      <details>
        <summary>{t.serving.open}</summary>
        <Loaded query={protocol}>{({ paymentMints, paymentMintCount }) => <RegisterForm owner={owner} mints={paymentMints.slice(0, paymentMintCount)} />}</Loaded>
      </details>
    </section>
  );
}

function RegisterForm({ owner, mints }: { owner: Address; mints: readonly Address[] }): ReactNode {
  const id = useId();
  const unitOf = useUnitOf();
  const [, go] = useLocation();
  const [mint, setMint] = useState(mints[0]);
  const { fields, serving } = useServing(undefined, owner);
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <p className="quiet small">{t.serving.registerIntro}</p>
      <div className="field">
        <label htmlFor={id}>{t.serving.mint}</label>
        <select id={id} value={mint} onChange={(event) => setMint(event.target.value as Address)}>
          {mints.map((each) => (
            <option key={each} value={each}>
              {unitOf(each)}
            </option>
          ))}
        </select>
      </div>
      {fields}
      <TransactButton
        label={t.serving.register}
        disabled={serving === undefined || mint === undefined}
        make={async () => {
          const { address, instructions } = await registerOperator(owner, given(mint), given(serving));
          return { title: t.serving.register, says: [t.serving.registerSays, t.serving.thenStake], transactions: [instructions], done: () => go(`/operator/${address}`) };
        }}
      />
    </form>
  );
}

/** For the operator's own wallet. */
export function ChangeServing({ address, operator }: { address: Address; operator: Operator }): ReactNode {
  const wallet = useWallet();
  const { fields, serving } = useServing(operator, operator.authority);
  if (wallet?.address !== operator.authority) return null;
  const same = serving !== undefined && serving.endpoint === operator.endpoint && serving.backup === operator.backup && serving.endpointKeyHash === operator.endpointKeyHash;
  return (
    <section aria-labelledby="serving" data-serving>
      <h2 id="serving">{t.serving.title}</h2>
      <details>
        <summary>{t.serving.change}</summary>
        <form onSubmit={(event) => event.preventDefault()}>
          {fields}
          <TransactButton
            label={t.serving.save}
            main={false}
            disabled={serving === undefined}
            why={same ? t.card.nothingChanges : undefined}
            make={async () => ({
              title: t.serving.save,
              says: [t.serving.saveSays, ...(serving?.endpointKeyHash === operator.endpointKeyHash ? [] : [t.serving.keySays])],
              transactions: [await updateOperator(address, operator, given(serving))],
            })}
          />
        </form>
      </details>
    </section>
  );
}

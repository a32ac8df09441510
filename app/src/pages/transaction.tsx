// One transaction: what the programs told in it, and their logs.

import { isSignature, type Signature } from "@solana/kit";
import type { ReactNode } from "react";
import { Failed } from "../chain/failure.ts";
import { useChain, useRead } from "../state.tsx";
import { t } from "../texts.ts";
import { eventText } from "../ui/events.ts";
import { dateTime, decimal, hex } from "../ui/format.ts";
import { Amount, Empty, Facts, Loaded, Note, Tag } from "../ui/parts.tsx";
import { programName } from "../ui/transaction.tsx";
import { readTransaction } from "../views/history.ts";

export function TransactionPage({ signature }: { signature: string }): ReactNode {
  if (!isSignature(signature)) return <Note mood="bad">{t.tx.noSignature}</Note>;
  return <Read signature={signature} />;
}

function Read({ signature }: { signature: Signature }): ReactNode {
  const { cluster } = useChain();
  const transaction = useRead(["transaction", signature], async (chain) => {
    const told = await readTransaction(chain, signature);
    if (told === undefined) throw new Failed({ kind: "missing", what: signature });
    return told;
  });
  return (
    <>
      <div className="page-head">
        <h1>{t.common.transaction}</h1>
        <p className="mono">{signature}</p>
        {cluster.local ? null : (
          <p>
            <a href={`https://explorer.solana.com/tx/${signature}${cluster.name === "mainnet" ? "" : `?cluster=${cluster.name}`}`} rel="noopener noreferrer">
              {t.tx.explorer}
            </a>
          </p>
        )}
      </div>
      <Loaded query={transaction}>
        {(told) => (
          <>
            <Facts
              of={[
                [t.tx.outcome, <Tag key="outcome" mood={told.failed ? "bad" : "good"}>{told.failed ? t.tx.failed : t.tx.succeeded}</Tag>],
                [t.common.when, told.unix === undefined ? "–" : dateTime(told.unix)],
                [t.tx.slot, decimal(told.slot, 0)],
                [t.tx.fee, <Amount key="fee" units={told.feeLamports} decimals={9} unit="SOL" />],
                [t.transaction.programs, [...new Set(told.instructions.map(({ program }) => programName(program)))].join(", ")],
              ]}
            />
            <section>
              <h2>{t.tx.events}</h2>
              {told.events.length === 0 ? <Empty>{t.tx.noEvents}</Empty> : null}
              {told.events.map((event, index) => (
                <details key={`${event.name}-${index}`} open>
                  <summary>{eventText(event.name)}</summary>
                  <Facts of={Object.entries(event.data).map(([name, value]): [string, ReactNode] => [name, <span key={name} className="mono">{fieldText(value)}</span>])} />
                </details>
              ))}
            </section>
            <details>
              <summary>{t.tx.logs}</summary>
              <pre className="mono scroll">{told.logs.join("\n")}</pre>
            </details>
          </>
        )}
      </Loaded>
    </>
  );
}

function fieldText(value: unknown): string {
  if (value instanceof Uint8Array) return hex(value);
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? inner.toString() : inner instanceof Uint8Array ? hex(inner) : inner)).replace(/^"|"$/g, "");
}

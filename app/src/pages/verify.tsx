// Checking an answer in the browser: the receipt, the operator's signature, and the model itself, recomputed by the referee's own code.

import { getPublicKeyFromAddress, type SignatureBytes, verifySignature } from "@solana/kit";
import { answerKeyHash, answerMessage, loadVerifier, sha256, tensorRoot, toHex, type Verdict } from "@imo/client";
import { findProtocolPda } from "@imo/client/model-token";
import { type ReactNode, useId, useState } from "react";
import type { Chain } from "../chain/chain.ts";
import { Failed } from "../chain/failure.ts";
import { OPERATOR, PROTOCOL } from "../chain/kinds.ts";
import { type Evidence, keptEvidence, readEvidence, writeEvidence } from "../payer/evidence.ts";
import { useChain, useRead } from "../state.tsx";
import { t } from "../texts.ts";
import { decimal, shortened } from "../ui/format.ts";
import { FailureText, Loaded, Note, Tag } from "../ui/parts.tsx";
import { readModel } from "../views/model.ts";

interface Checks {
  input: boolean;
  output: boolean;
  signed: boolean;
  /** Undefined where there is no model file. */
  verdict: Verdict | undefined;
}

export function Verify(): ReactNode {
  const kept = keptEvidence();
  const [text, setText] = useState(kept[0] === undefined ? "" : writeEvidence(kept[0]));
  const id = useId();
  const evidence = readEvidence(text);
  return (
    <>
      <div className="page-head">
        <h1>{t.verify.title}</h1>
        <p className="quiet">{t.verify.intro}</p>
      </div>
      {kept.length === 0 ? null : (
        <div className="field">
          <label htmlFor={`${id}-kept`}>{t.verify.bought}</label>
          <select id={`${id}-kept`} onChange={(event) => setText(event.target.value)}>
            {kept.map((each) => {
              const written = writeEvidence(each);
              return (
                <option key={written} value={written}>
                  {t.verify.answer(decimal(each.receipt.sequence, 0), shortened(each.model))}
                </option>
              );
            })}
          </select>
        </div>
      )}
      <div className="field">
        <label htmlFor={id}>{t.verify.receipt}</label>
        <textarea id={id} rows={6} className="mono" spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} />
        {text === "" || evidence !== undefined ? null : <span className="wrong small">{t.verify.noReceipt}</span>}
      </div>
      {evidence === undefined ? null : <Check key={text} evidence={evidence} />}
    </>
  );
}

function Check({ evidence }: { evidence: Evidence }): ReactNode {
  const chain = useChain();
  const id = useId();
  const view = useRead(["model-only", evidence.model], (read) => readModel(read, evidence.model));
  const [file, setFile] = useState<File>();
  const [state, setState] = useState<{ checks?: Checks; error?: unknown; working?: boolean }>({});
  return (
    <Loaded query={view}>
      {(model) => {
        const version = model.versions.find(({ version: { modelRoot } }) => toHex(modelRoot) === toHex(evidence.receipt.claim.modelRoot));
        const uri = version?.version.weightsUri ?? "";
        const go = async (): Promise<void> => {
          setState({ working: true });
          try {
            const bytes = file === undefined ? await download(uri, version?.version.weightsUriHash) : new Uint8Array(await file.arrayBuffer());
            setState({ checks: await check(chain, evidence, bytes) });
          } catch (error) {
            setState({ error });
          }
        };
        return (
          <section>
            <h2>{model.model.metadata.name}</h2>
            <div className="field">
              <label htmlFor={id}>{uri === "" ? t.verify.fileNeeded : t.verify.fileOr(uri)}</label>
              <input id={id} type="file" accept=".imo" onChange={(event) => setFile(event.target.files?.[0])} />
            </div>
            <button type="button" className="main" disabled={state.working === true || (file === undefined && uri === "")} onClick={() => void go()}>
              {state.working === true ? t.verify.working : t.verify.check}
            </button>
            {state.error === undefined ? null : (
              <Note mood="bad" live>
                <FailureText thrown={state.error} />
              </Note>
            )}
            {state.checks === undefined ? null : <Outcome checks={state.checks} />}
          </section>
        );
      }}
    </Loaded>
  );
}

/** The version's weights, if they are the ones it names. */
async function download(uri: string, uriHash: ArrayLike<number> | undefined): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(uri);
  } catch {
    throw new Failed({ kind: "other", message: t.verify.noDownload(uri) });
  }
  if (!response.ok) throw new Failed({ kind: "other", message: t.verify.noDownload(uri) });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const wanted = uriHash === undefined ? "" : toHex(Uint8Array.from(uriHash));
  // A version may name no hash of its file: the model root says it all the same.
  if (/[^0]/.test(wanted) && toHex(sha256(bytes)) !== wanted) throw new Failed({ kind: "other", message: t.verify.otherFile });
  return bytes;
}

async function check(chain: Chain, evidence: Evidence, file: Uint8Array): Promise<Checks> {
  const { receipt, answer, input, output } = evidence;
  const [[protocol], operator] = await Promise.all([chain.many(PROTOCOL, [(await findProtocolPda())[0]]), chain.one(OPERATOR, evidence.operator)]);
  if (protocol === undefined || operator === undefined) throw new Failed({ kind: "missing", what: evidence.operator });
  const message = answerMessage({ cluster: protocol.cluster, operator: evidence.operator, claim: receipt.claim });
  const isKey = [operator.endpointKeyHash, operator.previousKeyHash].some((hash) => toHex(hash) === toHex(answerKeyHash(answer.key)));
  const signed = isKey && (await verifySignature(await getPublicKeyFromAddress(answer.key), answer.signature as SignatureBytes, message));
  const verifier = await loadVerifier();
  const model = await verifier.open(file);
  try {
    return {
      input: toHex(tensorRoot(input)) === toHex(receipt.claim.inputRoot),
      output: toHex(tensorRoot(output)) === toHex(receipt.claim.outputRoot),
      signed,
      verdict: model.check({ claim: receipt.claim, input, output }),
    };
  } finally {
    model.close();
  }
}

function Outcome({ checks }: { checks: Checks }): ReactNode {
  const { verdict } = checks;
  const correct = verdict?.kind === "correct";
  const rows: [string, boolean][] = [
    [t.verify.checks.input, checks.input],
    [t.verify.checks.output, checks.output],
    [t.verify.checks.signed, checks.signed],
    [t.verify.checks.computed, correct],
  ];
  return (
    <div role="status" data-verdict={verdict?.kind}>
      <ul className="moves">
        {rows.map(([name, holds]) => (
          <li key={name}>
            <span>{name}</span>
            <Tag mood={holds ? "good" : "bad"}>{holds ? t.verify.holds : t.verify.fails}</Tag>
          </li>
        ))}
      </ul>
      <Note mood={correct && checks.signed ? "good" : "bad"}>
        <p>{verdictText(verdict)}</p>
      </Note>
    </div>
  );
}

function verdictText(verdict: Verdict | undefined): string {
  switch (verdict?.kind) {
    case "correct":
      return t.verify.verdicts.correct;
    case "another-model":
      return t.verify.verdicts.anotherModel;
    case "another-input":
      return t.verify.verdicts.anotherInput;
    case "another-shape":
      return t.verify.verdicts.anotherShape;
    case "wrong-output":
      return t.verify.verdicts.wrongOutput(verdict.element, verdict.computed, verdict.claimed);
    case "wrong-claim":
      return t.verify.verdicts.wrongClaim;
    case "wrong-handed-out":
      return t.verify.verdicts.wrongHandedOut(verdict.element, verdict.computed, verdict.claimed);
    case undefined:
      return "";
  }
}

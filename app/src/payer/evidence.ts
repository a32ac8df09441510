// An answer with all that a third party needs to check it, as it is kept and handed on.

import { type Address, isAddress, type ReadonlyUint8Array } from "@solana/kit";
import { base64, type Bought, fromBase64, parseReceipt, receiptBytes } from "@imo/client";

export interface Evidence extends Pick<Bought, "output" | "receipt" | "answer"> {
  model: Address;
  operator: Address;
  input: ReadonlyUint8Array;
}

interface Written {
  model: string;
  operator: string;
  /** Base64, as all bytes here. */
  receipt: string;
  answer_key: string;
  answer_signature: string;
  input: string;
  output: string;
}

const KEY = "imo.answers";
const KEPT = 20;

export function writeEvidence({ model, operator, receipt, answer, input, output }: Evidence): string {
  const written: Written = {
    model,
    operator,
    receipt: base64(receiptBytes(receipt)),
    answer_key: answer.key,
    answer_signature: base64(answer.signature),
    input: base64(input),
    output: base64(output),
  };
  return JSON.stringify(written, null, 2);
}

/** Undefined when the text is no evidence. */
export function readEvidence(text: string): Evidence | undefined {
  try {
    const { model, operator, receipt, answer_key, answer_signature, input, output } = JSON.parse(text) as Written;
    if (!isAddress(model) || !isAddress(operator) || !isAddress(answer_key)) return undefined;
    return {
      model,
      operator,
      receipt: parseReceipt(fromBase64(receipt)),
      answer: { key: answer_key, signature: fromBase64(answer_signature) },
      input: fromBase64(input),
      output: new Uint8Array(fromBase64(output)),
    };
  } catch {
    return undefined;
  }
}

/** The last answers that were bought in this browser, the newest first. */
export function keptEvidence(): Evidence[] {
  const texts = JSON.parse(localStorage.getItem(KEY) ?? "[]") as string[];
  return texts.flatMap((text) => readEvidence(text) ?? []);
}

export function keepEvidence(evidence: Evidence): void {
  const texts = [writeEvidence(evidence), ...keptEvidence().map(writeEvidence)].slice(0, KEPT);
  localStorage.setItem(KEY, JSON.stringify(texts));
}

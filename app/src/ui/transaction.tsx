// How a page asks for a transaction: a plan, the button that opens its dialog, and the link to what was sent.

import type { Address, Instruction } from "@solana/kit";
import { createContext, lazy, type ReactNode, Suspense, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { MODEL_TOKEN_PROGRAM_ADDRESS } from "@imo/client/model-token";
import { OPML_ORACLE_PROGRAM_ADDRESS } from "@imo/client/opml-oracle";
import { REVENUE_ESCROW_PROGRAM_ADDRESS } from "@imo/client/revenue-escrow";
import { YIELD_DISTRIBUTOR_PROGRAM_ADDRESS } from "@imo/client/yield-distributor";
import { Link } from "wouter";
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "../chain/chain.ts";
import { useWallet } from "../state.tsx";
import { t } from "../texts.ts";
import { Caught } from "./caught.tsx";
import { shortened } from "./format.ts";

/** What signs, sends and follows is no part of the first page. */
const dialog = () => import("./dialog.tsx");
const Dialog = lazy(async () => ({ default: (await dialog()).Dialog }));

export interface Plan {
  title: string;
  /** What it does and what follows from it, a sentence each. */
  says: readonly string[];
  /** One transaction after the other; each is shown and signed by itself. */
  transactions: readonly (readonly Instruction[])[];
  /** What the units of mints are called that no list has, such as a model's token. */
  units?: ReadonlyMap<Address, { unit: string; decimals: number }>;
  /** Called once all are confirmed. */
  done?: () => void;
}

const Context = createContext<((make: () => Promise<Plan>) => void) | undefined>(undefined);

/** Gives the pages below it {@link useTransact}. */
export function Transactions({ children }: { children: ReactNode }): ReactNode {
  const [make, setMake] = useState<{ make: () => Promise<Plan>; number: number }>();
  const start = useCallback(
    (next: () => Promise<Plan>) => setMake((last) => ({ make: next, number: (last?.number ?? 0) + 1 })),
    [],
  );
  const close = useCallback(() => setMake(undefined), []);
  // Whoever has connected a wallet will need it, and does not wait then.
  const wallet = useWallet();
  useEffect(() => {
    if (wallet !== undefined) void dialog().catch(() => undefined);
  }, [wallet]);
  return (
    <Context value={start}>
      {children}
      {make === undefined ? null : (
        <Caught key={make.number}>
          <Suspense fallback={null}>
            <Dialog make={make.make} close={close} />
          </Suspense>
        </Caught>
      )}
    </Context>
  );
}

/** Opens the dialog with a plan, which is made when it is opened and anew when it is tried again. */
function useTransact(): (make: () => Promise<Plan>) => void {
  const start = useContext(Context);
  if (start === undefined) throw new Error("outside of <Transactions>");
  return start;
}

export function SignatureLink({ signature }: { signature: string }): ReactNode {
  return (
    <Link href={`/tx/${signature}`} className="mono">
      {shortened(signature)}
    </Link>
  );
}

const PROGRAM_NAMES = new Map<string, string>([
  [MODEL_TOKEN_PROGRAM_ADDRESS, "model-token"],
  [OPML_ORACLE_PROGRAM_ADDRESS, "opml-oracle"],
  [REVENUE_ESCROW_PROGRAM_ADDRESS, "revenue-escrow"],
  [YIELD_DISTRIBUTOR_PROGRAM_ADDRESS, "yield-distributor"],
  [TOKEN_PROGRAM, "token"],
  [TOKEN_2022_PROGRAM, "token-2022"],
  ["11111111111111111111111111111111", "system"],
  ["ComputeBudget111111111111111111111111111111", "compute-budget"],
  ["ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL", "associated-token"],
  ["Ed25519SigVerify111111111111111111111111111", "ed25519"],
]);

export function programName(program: string): string {
  return PROGRAM_NAMES.get(program) ?? shortened(program);
}

/** A button that opens a transaction's dialog, or says why it cannot. */
export function TransactButton(props: { label: string; make: () => Promise<Plan>; disabled?: boolean; why?: string | undefined; main?: boolean }): ReactNode {
  const transact = useTransact();
  const wallet = useWallet();
  const why = useMemo(() => (wallet === undefined ? t.wallet.needed : props.why), [wallet, props.why]);
  const disabled = wallet === undefined || props.disabled === true || props.why !== undefined;
  return (
    <span className="row">
      <button type="button" className={props.main === false ? undefined : "main"} disabled={disabled} onClick={() => transact(props.make)}>
        {props.label}
      </button>
      {why === undefined ? null : <span className="quiet small">{why}</span>}
    </span>
  );
}

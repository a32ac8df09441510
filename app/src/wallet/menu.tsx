// Connecting a wallet, and play money on local clusters.

import { type ReactNode, useEffect, useRef, useState } from "react";
import { failureOf } from "../chain/failure.ts";
import { useReadAgain, useShared } from "../state.tsx";
import { t } from "../texts.ts";
import { shortened } from "../ui/format.ts";
import { AddressText, FailureText, Note } from "../ui/parts.tsx";
import type { Connectable } from "./standard.ts";

export function WalletMenu(): ReactNode {
  const { wallet } = useShared();
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        {wallet === undefined ? t.wallet.connect : shortened(wallet.address)}
      </button>
      {open ? <Dialog close={() => setOpen(false)} /> : null}
    </>
  );
}

function Dialog({ close }: { close: () => void }): ReactNode {
  const { chain, wallet, wallets, use, disconnect } = useShared();
  const dialog = useRef<HTMLDialogElement>(null);
  const [error, setError] = useState<unknown>();
  useEffect(() => dialog.current?.showModal(), []);
  const choose = async (chosen: Connectable | "burner"): Promise<void> => {
    setError(undefined);
    try {
      await use(chosen);
      dialog.current?.close();
    } catch (thrown) {
      setError(thrown);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby="wallet-title" onClose={close}>
      <h2 id="wallet-title">{wallet === undefined ? t.wallet.connect : wallet.name}</h2>
      {wallet === undefined ? (
        <div className="row">
          {wallets.map((each) => (
            <button key={each.name} type="button" onClick={() => void choose(each)}>
              {each.icon.startsWith("data:image/") ? <img src={each.icon} alt="" width="20" height="20" /> : null}
              {each.name}
            </button>
          ))}
          {wallets.length === 0 ? <p className="quiet">{t.wallet.none}</p> : null}
          {chain.cluster.local ? (
            <div>
              <button type="button" onClick={() => void choose("burner")}>
                {t.wallet.burner}
              </button>
              <p className="quiet small">{t.wallet.burnerNote}</p>
            </div>
          ) : null}
        </div>
      ) : (
        <>
          <p>
            <AddressText address={wallet.address} />
          </p>
          {chain.cluster.local && chain.cluster.faucet !== undefined ? <Faucet faucet={chain.cluster.faucet} address={wallet.address} /> : null}
        </>
      )}
      {error === undefined ? null : (
        <Note mood={failureOf(error).kind === "refused" ? "waiting" : "bad"} live>
          <FailureText thrown={error} />
        </Note>
      )}
      <div className="actions">
        {wallet === undefined ? null : (
          <button type="button" onClick={disconnect}>
            {t.wallet.disconnect}
          </button>
        )}
        <button type="button" onClick={() => dialog.current?.close()}>
          {t.common.close}
        </button>
      </div>
    </dialog>
  );
}

const PLAY_SOL = 10;
const PLAY_MONEY = 50_000;

function Faucet({ faucet, address }: { faucet: string; address: string }): ReactNode {
  const readAgain = useReadAgain();
  const [state, setState] = useState<"idle" | "asking" | "given" | "failed">("idle");
  const ask = async (): Promise<void> => {
    setState("asking");
    try {
      const response = await fetch(faucet, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ address, sol: PLAY_SOL, usdc: PLAY_MONEY }),
      });
      setState(response.ok ? "given" : "failed");
    } catch {
      setState("failed");
    }
    void readAgain();
  };
  return (
    <p className="row">
      <button type="button" disabled={state === "asking"} onClick={() => void ask()}>
        {t.wallet.faucet(PLAY_SOL, PLAY_MONEY)}
      </button>
      <span role="status" className="small">
        {state === "given" ? t.wallet.given : state === "failed" ? t.wallet.faucetFailed : ""}
      </span>
    </p>
  );
}

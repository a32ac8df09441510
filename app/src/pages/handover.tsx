// A model changes hands in two steps: its developer names a successor, who then accepts.

import { isAddress } from "@solana/kit";
import { type ReactNode, useState } from "react";
import { OfferingStatus, TrancheState } from "@imo/client/model-token";
import { acceptModel, NOBODY, nameSuccessor } from "../actions/manage.ts";
import { useUnitOf } from "../state.tsx";
import { t } from "../texts.ts";
import { shortened } from "../ui/format.ts";
import { AddressText, Amount, Facts, Note, TextField, TOKEN_DECIMALS } from "../ui/parts.tsx";
import { TransactButton } from "../ui/transaction.tsx";
import { trancheUnits } from "../maths/offering.ts";
import type { ModelView } from "../views/model.ts";

export function HandoverSection({ view }: { view: ModelView }): ReactNode {
  const { pendingDeveloper } = view.model;
  return (
    <section aria-labelledby="handover" data-handover>
      <h2 id="handover">{t.handover.title}</h2>
      <p className="quiet small">{t.handover.intro}</p>
      {pendingDeveloper === NOBODY ? <Name view={view} /> : <Named view={view} />}
    </section>
  );
}

function Name({ view }: { view: ModelView }): ReactNode {
  const [text, setText] = useState("");
  const typed = text.trim();
  const successor = isAddress(typed) && typed !== NOBODY ? typed : undefined;
  const wrong = typed === "" ? undefined : successor === undefined ? t.common.noAddress : successor === view.model.developer ? t.handover.isYou : undefined;
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <TextField label={t.handover.successor} value={text} set={setText} wrong={wrong} hint={t.handover.successorHint} />
      <TransactButton
        label={t.handover.name}
        main={false}
        disabled={successor === undefined || wrong !== undefined}
        make={async () => ({
          title: t.handover.name,
          says: [t.handover.nameSays(shortened(successor ?? "")), t.handover.nothingYet],
          transactions: [nameSuccessor(view, successor ?? NOBODY)],
          done: () => setText(""),
        })}
      />
    </form>
  );
}

function Named({ view }: { view: ModelView }): ReactNode {
  return (
    <>
      <Note mood="waiting">
        <p>
          {t.handover.named} <AddressText address={view.model.pendingDeveloper} />
        </p>
        <p>
          {t.handover.acceptsAt} <code className="mono">{`${location.origin}${location.pathname}#/developer/${view.address}`}</code>
        </p>
      </Note>
      <TransactButton
        label={t.handover.takeBack}
        main={false}
        make={async () => ({ title: t.handover.takeBack, says: [t.handover.takeBackSays], transactions: [nameSuccessor(view, NOBODY)] })}
      />
    </>
  );
}

/** What the successor sees: what it takes over, and the one button. */
export function AcceptPanel({ view }: { view: ModelView }): ReactNode {
  const unit = useUnitOf()(view.model.paymentMint);
  const { model, offering } = view;
  const offers = offering?.status === OfferingStatus.Open;
  const succeeded = offering?.status === OfferingStatus.Succeeded;
  const parts = offering === undefined ? [] : trancheUnits(offering.acceptedUnits, offering.tranches.map(({ shareBps }) => shareBps));
  const locked = offering === undefined ? 0n : offering.tranches.reduce((sum, { state }, index) => (state === TrancheState.Locked ? sum + (parts[index] ?? 0n) : sum), 0n);
  const tokens = offering === undefined ? 0n : offering.developerUnits - offering.developerReleasedUnits - offering.developerBurnedUnits;
  return (
    <section aria-labelledby="accept">
      <h2 id="accept">{t.handover.offered}</h2>
      <p>{t.handover.offeredIntro(model.metadata.name)}</p>
      <Facts
        of={[
          [t.handover.from, <AddressText key="from" address={model.developer} />],
          [t.handover.liveVersion, model.liveVersion === 0 ? t.model.noVersion : t.model.version(model.liveVersion)],
          succeeded ? [t.handover.tranchesLeft, <Amount key="tranches" units={locked} decimals={view.payment.decimals} unit={unit} />] : undefined,
          succeeded ? [t.handover.tokensLeft, <Amount key="tokens" units={tokens} decimals={TOKEN_DECIMALS} unit={model.metadata.symbol} />] : undefined,
        ]}
      />
      <p>
        <TransactButton
          label={t.handover.accept}
          why={offers ? t.handover.whileOpen : undefined}
          make={async () => ({ title: t.handover.accept, says: [t.handover.acceptSays(model.metadata.name), t.handover.predecessorKeeps], transactions: [await acceptModel(view)] })}
        />
      </p>
    </section>
  );
}

// An allow-list as it is typed, pasted or opened from a file.

import { type ReactNode, useId, useMemo, useState } from "react";
import { type ListProblem, parseAllowList, type ReadList } from "../actions/allowlist.ts";
import { t } from "../texts.ts";

export interface AllowListInput {
  text: string;
  set: (text: string) => void;
  /** Undefined while the text is no list. */
  read: ReadList | undefined;
  problem: ListProblem | undefined;
}

export function useAllowList(decimals: number): AllowListInput {
  const [text, set] = useState("");
  const read = useMemo(() => parseAllowList(text, decimals), [text, decimals]);
  return "about" in read ? { text, set, read: undefined, problem: read } : { text, set, read, problem: undefined };
}

export function AllowListField({ label, list, wrong }: { label: string; list: AllowListInput; wrong?: string | undefined }): ReactNode {
  const id = useId();
  const problem = list.text === "" ? undefined : list.problem === undefined ? wrong : t.offering.listProblem(list.problem);
  const open = async (file: File | undefined): Promise<void> => {
    if (file !== undefined) list.set(await file.text());
  };
  return (
    <>
      <div className="field">
        <label htmlFor={`${id}-text`}>{label}</label>
        <textarea
          id={`${id}-text`}
          rows={3}
          spellCheck={false}
          value={list.text}
          aria-invalid={problem !== undefined}
          aria-describedby={`${id}-more`}
          onChange={(event) => list.set(event.target.value)}
        />
        <span id={`${id}-more`} className={problem === undefined ? "quiet small" : "wrong small"}>
          {problem ?? t.offering.listHint}
        </span>
      </div>
      <div className="field">
        <label htmlFor={`${id}-file`}>{t.offering.listFile}</label>
        <input id={`${id}-file`} type="file" accept=".csv,.txt,text/plain,text/csv" onChange={(event) => void open(event.target.files?.[0])} />
      </div>
    </>
  );
}

// Events of the programs in words.

import { t } from "../texts.ts";

/** An event by its name. */
export function eventText(name: string): string {
  const texts: Readonly<Record<string, string>> = t.events;
  return texts[name] ?? name;
}

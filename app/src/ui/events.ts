// Events of the programs in words.

import { t } from "../texts.ts";
import type { AnyEvent } from "../views/history.ts";

export function eventText(event: AnyEvent): string {
  const texts: Readonly<Record<string, string>> = t.events;
  return texts[event.name] ?? event.name;
}

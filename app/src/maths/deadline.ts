// Deadlines in slots and seconds, as `imo-protocol` decides about them.

export const SLOT_MILLISECONDS = 400n;
const RESTART_GRACE_SLOTS = 9_000n;
const RESTART_GRACE_SECONDS = 3_600n;

export interface Now {
  slot: bigint;
  unix: bigint;
  lastRestartSlot: bigint;
}

export interface Deadline {
  openedSlot: bigint;
  dueSlot: bigint;
  dueUnix: bigint;
}

/** Accounts hold zeros where nothing runs. */
export function isSet(deadline: Deadline): boolean {
  return deadline.openedSlot !== 0n || deadline.dueSlot !== 0n || deadline.dueUnix !== 0n;
}

/** The last slot and second in time; a restart of the cluster moves both. */
function effective(deadline: Deadline, lastRestartSlot: bigint): { slot: bigint; unix: bigint } {
  const until = deadline.dueSlot + RESTART_GRACE_SLOTS;
  if (deadline.openedSlot < lastRestartSlot && lastRestartSlot <= until) {
    const from = deadline.dueSlot > lastRestartSlot ? deadline.dueSlot : lastRestartSlot;
    return { slot: from + RESTART_GRACE_SLOTS, unix: deadline.dueUnix + RESTART_GRACE_SECONDS };
  }
  return { slot: deadline.dueSlot, unix: deadline.dueUnix };
}

/** Over only when slot and time are both past. */
export function isPast(deadline: Deadline, now: Now): boolean {
  const { slot, unix } = effective(deadline, now.lastRestartSlot);
  return now.slot > slot && now.unix > unix;
}

/** Until it is over, in seconds, from what the clock and 400 ms a slot say: the later of the two. Zero when it is past. */
export function secondsLeft(deadline: Deadline, now: Now): bigint {
  if (isPast(deadline, now)) return 0n;
  const { slot, unix } = effective(deadline, now.lastRestartSlot);
  const bySlot = ((slot - now.slot) * SLOT_MILLISECONDS) / 1_000n;
  const byClock = unix - now.unix;
  const longer = bySlot > byClock ? bySlot : byClock;
  return longer > 1n ? longer : 1n;
}

export function slotsToSeconds(slots: bigint): bigint {
  return (slots * SLOT_MILLISECONDS) / 1_000n;
}

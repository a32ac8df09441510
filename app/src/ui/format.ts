// Numbers, times and addresses as people read them. Amounts stay exact: nothing is rounded that is not said to be.

const GROUPS = /\B(?=(\d{3})+(?!\d))/g;

/** Units as a decimal number, all digits, without trailing zeros beyond `least` places. */
export function decimal(units: bigint, decimals: number, least = 0): string {
  const sign = units < 0n ? "−" : "";
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals).replace(GROUPS, ",");
  let fraction = decimals === 0 ? "" : digits.slice(-decimals);
  while (fraction.length > least && fraction.endsWith("0")) fraction = fraction.slice(0, -1);
  return `${sign}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** What a person typed, in units; undefined when it is no amount, or has more places than there are. */
export function parseUnits(text: string, decimals: number): bigint | undefined {
  const match = /^(\d{1,20})?(?:\.(\d*))?$/.exec(text.trim().replaceAll(",", ""));
  if (match === null) return undefined;
  const [, whole = "", fraction = ""] = match;
  if (whole + fraction === "" || fraction.length > decimals) return undefined;
  const units = BigInt(whole + fraction.padEnd(decimals, "0"));
  return units < 1n << 64n ? units : undefined;
}

/** A part of a whole with one decimal place, cut, so that nothing is full before it is. */
export function percent(part: bigint, whole: bigint): string {
  if (whole === 0n) return "0%";
  const tenths = (part * 1000n) / whole;
  return `${decimal(tenths, 1)}%`;
}

export function bps(value: number): string {
  return `${decimal(BigInt(value), 2)}%`;
}

export function shortened(address: string): string {
  return address.length <= 12 ? address : `${address.slice(0, 4)}…${address.slice(-4)}`;
}

export function hex(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The two largest parts of a time: "3 d 4 h", "12 min 5 s". */
export function duration(seconds: bigint): string {
  const parts: [bigint, string][] = [
    [seconds / 86_400n, "d"],
    [(seconds / 3_600n) % 24n, "h"],
    [(seconds / 60n) % 60n, "min"],
    [seconds % 60n, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0n);
  if (first === -1) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0n)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

const DATE = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

export function dateTime(unix: bigint): string {
  return DATE.format(new Date(Number(unix) * 1000));
}

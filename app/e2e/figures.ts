// The figures of the app, into target/bench/results.json beside those of the other suites.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

export function writeFigures(root: string, artefacts: string): void {
  const folder = join(artefacts, "figures");
  const notes = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")) as Record<string, number>);
  const sum = (name: string): number => notes.reduce((all, note) => all + (note[name] ?? 0), 0);
  // Of all scenarios, not of some that were picked.
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".test.ts"));
  if (sum("files") < files.length) return;
  const loads = notes.flatMap((note) => note["lcp_ms"] ?? []).sort((a, b) => a - b);
  const figures: Record<string, number> = {
    "app.js_gzip_kb": firstLoadKilobytes(join(root, "target/app")),
    "app.axe_serious": sum("axe_serious"),
    "app.e2e_scenarios": sum("scenarios"),
  };
  const median = loads[Math.floor(loads.length / 2)];
  if (median !== undefined) figures["app.lcp_ms"] = Math.round(median);
  const path = join(root, "target/bench/results.json");
  mkdirSync(join(root, "target/bench"), { recursive: true });
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Record<string, number>) : {};
  writeFileSync(path, `${JSON.stringify({ ...before, ...figures }, null, 2)}\n`);
}

/** What the first page loads before it shows anything: the entry and all that it imports at once, compressed, in thousands of bytes. */
function firstLoadKilobytes(built: string): number {
  const html = readFileSync(join(built, "index.html"), "utf8");
  const wanted = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].flatMap((match) => match[1] ?? []);
  const loaded = new Set<string>();
  for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
    if (loaded.has(next)) continue;
    loaded.add(next);
    const text = readFileSync(join(built, next), "utf8");
    wanted.push(...[...text.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)].map((match) => `assets/${match[1]}`));
  }
  const bytes = [...loaded].reduce((all, file) => all + gzipSync(readFileSync(join(built, file))).length, 0);
  return Math.round(bytes / 100) / 10;
}

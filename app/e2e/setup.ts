// Starts what the tests look at: a local cluster with real daemons, the built app, and Chromium.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type BrowserServer, chromium } from "playwright-core";
import { preview, type PreviewServer } from "vite";
import type { TestProject } from "vitest/node";
import { writeFigures } from "./figures.ts";

const ROOT = join(import.meta.dirname, "../..");
/** What the tests leave behind. */
export const ARTEFACTS = join(ROOT, "target/app-e2e");

export interface Localnet {
  api: string;
  index: string;
  cluster: { rpc: string };
  mints: { usdc: { address: string; decimals: number } };
  models: { name: string; symbol: string; address: string; model_root: string; offering: string; samples: string; weights: string }[];
  operators: { name: string; address: string; endpoint: string; honest: boolean }[];
  keys: Record<string, { address: string; key: number[] }>;
}

declare module "vitest" {
  export interface ProvidedContext {
    app: string;
    browser: string;
    localnet: Localnet;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  rmSync(ARTEFACTS, { recursive: true, force: true });
  mkdirSync(join(ARTEFACTS, "figures"), { recursive: true });
  let cluster: ChildProcess | undefined;
  let app: PreviewServer | undefined;
  let browser: BrowserServer | undefined;
  const stop = async (): Promise<void> => {
    await browser?.close();
    await app?.close();
    cluster?.kill("SIGTERM");
  };
  try {
    const started = await startLocalnet();
    cluster = started.process;
    process.env["IMO_LOCALNET"] = started.localnet.api;
    app = await preview({ root: join(ROOT, "app"), preview: { host: "127.0.0.1", port: 0 } });
    const { port } = app.httpServer.address() as { port: number };
    const libraries = process.env["IMO_CHROMIUM_LIBRARIES"];
    browser = await chromium.launchServer({
      executablePath: chromiumProgram(),
      args: ["--no-sandbox"],
      env: libraries === undefined ? process.env : { ...process.env, LD_LIBRARY_PATH: libraries },
    });
    project.provide("app", `http://127.0.0.1:${port}`);
    project.provide("browser", browser.wsEndpoint());
    project.provide("localnet", started.localnet);
  } catch (error) {
    await stop();
    throw error;
  }
  return async () => {
    await stop();
    writeFigures(ROOT, ARTEFACTS);
  };
}

/** Chromium that `cargo xtask` found or unpacked. */
function chromiumProgram(): string {
  const named = process.env["IMO_CHROMIUM"];
  if (named !== undefined) return named;
  const found = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
  if (found === undefined) throw new Error("There is no Chromium: set IMO_CHROMIUM to one, or start the tests by `cargo xtask bench app`, which brings one.");
  return found;
}

/** Ready when it prints its description. */
async function startLocalnet(): Promise<{ process: ChildProcess; localnet: Localnet }> {
  const program = process.env["IMO_BIN"] ?? join(ROOT, "target/debug/imo");
  const ports = ["rpc", "ws", "api", "gateway", "index", "watcher", "liar"].flatMap((name) => [`--${name}-port`, "0"]);
  const child = spawn(program, ["localnet", "--liar", "--json", "--until-input-ends", ...ports], { stdio: ["pipe", "pipe", "inherit"] });
  let printed = "";
  const localnet = await new Promise<Localnet>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`imo localnet ended with ${code}`)));
    child.stdout.on("data", (data: Buffer) => {
      printed += data.toString();
      try {
        resolve(JSON.parse(printed) as Localnet);
      } catch {
        // Not all of it yet.
      }
    });
  });
  child.removeAllListeners("exit");
  return { process: child, localnet };
}

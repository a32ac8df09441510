import { readFileSync } from "node:fs";
import react from "@vitejs/plugin-react";
import { defineConfig, type Connect, type Plugin } from "vite";

// Operators publish their own endpoints, so that connections go to any host by TLS, and to this machine for a local cluster. Nothing else is loaded from anywhere.
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self' https: http://127.0.0.1:* http://localhost:*",
  "base-uri 'none'",
  "form-action 'none'",
];

/** The policy as a tag in what is built, for hosts that send no headers, and as a header where Vite serves it. */
function contentSecurityPolicy(): Plugin {
  return {
    name: "content-security-policy",
    apply: "build",
    transformIndexHtml: () => [
      { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY.join("; ") }, injectTo: "head-prepend" },
    ],
  };
}

/** Which cluster the app shows, as /cluster.json: the file that IMO_CLUSTER names, else the local cluster that describes itself at IMO_LOCALNET. */
function cluster(): Plugin {
  const serve: Connect.NextHandleFunction = (request, response, next) => {
    if (request.url?.split("?")[0] !== "/cluster.json") return next();
    response.setHeader("cache-control", "no-store");
    described().then(
      (text) => {
        response.setHeader("content-type", "application/json");
        response.end(text);
      },
      () => {
        response.statusCode = 404;
        response.end();
      },
    );
  };
  return {
    name: "cluster",
    configureServer: (server) => void server.middlewares.use(serve),
    configurePreviewServer: (server) => void server.middlewares.use(serve),
  };
}

async function described(): Promise<string> {
  const file = process.env["IMO_CLUSTER"];
  if (file !== undefined) return readFileSync(file, "utf8");
  const localnet = process.env["IMO_LOCALNET"] ?? "http://127.0.0.1:8901";
  const description = (await (await fetch(localnet)).json()) as {
    api: string;
    index?: string;
    cluster: { name: string; rpc: string };
    mints: Record<string, { address: string; symbol: string }>;
  };
  return JSON.stringify({
    name: description.cluster.name,
    rpc: description.cluster.rpc,
    index: description.index,
    faucet: `${description.api}/airdrop`,
    mints: Object.fromEntries(Object.values(description.mints).map(({ address, symbol }) => [address, symbol])),
  });
}

export default defineConfig({
  plugins: [react(), contentSecurityPolicy(), cluster()],
  build: { target: "es2022", outDir: "../target/app", emptyOutDir: true, sourcemap: false, assetsInlineLimit: 0 },
  // The folder above has the client and the models.
  server: { fs: { allow: [".."] } },
  preview: {
    headers: {
      "Content-Security-Policy": [...POLICY, "frame-ancestors 'none'"].join("; "),
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
    },
  },
});

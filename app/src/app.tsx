// The frame: navigation, wallet, what is wrong with the connection, and the page.

import { useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { Link, Route, Router, Switch, useLocation } from "wouter";
import { useHashLocation } from "wouter/use-hash-location";
import { chooseRpc, chosenRpc, loadCluster } from "./chain/cluster.ts";
import { Explore } from "./pages/explore.tsx";
import { Shared, useChain, useNow, useShared } from "./state.tsx";
import { t } from "./texts.ts";
import { Caught } from "./ui/caught.tsx";
import { decimal } from "./ui/format.ts";
import { TextField } from "./ui/parts.tsx";
import { Transactions } from "./ui/transaction.tsx";
import { WalletMenu } from "./wallet/menu.tsx";

const ModelPage = lazy(async () => ({ default: (await import("./pages/model.tsx")).ModelPage }));
const PortfolioPage = lazy(async () => ({ default: (await import("./pages/portfolio.tsx")).PortfolioPage }));
const Trust = lazy(async () => ({ default: (await import("./pages/trust.tsx")).Trust }));
const ReportPage = lazy(async () => ({ default: (await import("./pages/report.tsx")).ReportPage }));
const DisputePage = lazy(async () => ({ default: (await import("./pages/dispute.tsx")).DisputePage }));
const TransactionPage = lazy(async () => ({ default: (await import("./pages/transaction.tsx")).TransactionPage }));
const TryPage = lazy(async () => ({ default: (await import("./pages/try.tsx")).TryPage }));
const Verify = lazy(async () => ({ default: (await import("./pages/verify.tsx")).Verify }));
const Developer = lazy(async () => ({ default: (await import("./pages/developer.tsx")).Developer }));
const OperatorPage = lazy(async () => ({ default: (await import("./pages/operator.tsx")).OperatorPage }));

export function App(): ReactNode {
  const cluster = useQuery({ queryKey: ["cluster"], queryFn: loadCluster, staleTime: Infinity, retry: false });
  if (cluster.isPending) return <p className="loading">{t.common.loading}</p>;
  if (cluster.isError) return <NoCluster />;
  return (
    <Shared cluster={cluster.data}>
      <Router hook={useHashLocation}>
        <Transactions>
          <Frame />
        </Transactions>
      </Router>
    </Shared>
  );
}

/** The host of the app says nothing of a cluster: the visitor can. */
function NoCluster(): ReactNode {
  return (
    <main>
      <h1>{t.cluster.none}</h1>
      <p>{t.cluster.noneHint}</p>
      <ChooseRpc />
    </main>
  );
}

function ChooseRpc(): ReactNode {
  const [text, setText] = useState(chosenRpc() ?? "");
  const valid = text === "" || (URL.canParse(text) && /^https?:/.test(text));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!valid) return;
        chooseRpc(text);
        location.reload();
      }}
    >
      <TextField label={t.cluster.rpc} value={text} set={setText} hint={t.cluster.rpcHint} wrong={valid ? undefined : t.cluster.notUrl} />
      <button type="submit" disabled={!valid}>
        {t.cluster.use}
      </button>
    </form>
  );
}

/** The pages that one comes to from each of the navigation's. */
const UNDER = {
  "/": ["/model/", "/try/"],
  "/portfolio": ["/portfolio"],
  "/trust": ["/trust", "/verify", "/tx/"],
  "/developer": ["/developer"],
  "/operator": ["/operator"],
} as const;

const NAV = [
  ["/", t.nav.explore],
  ["/portfolio", t.nav.portfolio],
  ["/trust", t.nav.trust],
  ["/developer", t.nav.developer],
  ["/operator", t.nav.operator],
] as const;

function Frame(): ReactNode {
  const [path] = useLocation();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  // A new page begins at its top, for eyes and for screen readers.
  useEffect(() => {
    if (first.current) first.current = false;
    else {
      scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    }
  }, [path]);
  const isHere = (href: keyof typeof UNDER): boolean => UNDER[href].some((start) => path.startsWith(start)) || path === href;
  return (
    <>
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        {t.nav.skip}
      </button>
      <header className="top">
        <div className="top-inner">
          <Link href="/" className="brand">
            IMO
          </Link>
          <nav aria-label={t.nav.label}>
            {NAV.map(([href, name]) => (
              <Link key={href} href={href} aria-current={isHere(href) ? "page" : undefined}>
                {name}
              </Link>
            ))}
          </nav>
          <div className="top-tools">
            <Theme />
            <WalletMenu />
          </div>
        </div>
      </header>
      <Away />
      <main ref={main} tabIndex={-1}>
        <Caught key={path}>
          <Suspense fallback={<p className="loading">{t.common.loading}</p>}>
            <Switch>
              <Route path="/">
                <Explore />
              </Route>
              <Route path="/model/:address">{({ address }) => <ModelPage address={address} />}</Route>
              <Route path="/portfolio/:owner?">{({ owner }) => <PortfolioPage owner={owner} />}</Route>
              <Route path="/trust">
                <Trust />
              </Route>
              <Route path="/trust/report/:address">{({ address }) => <ReportPage address={address} />}</Route>
              <Route path="/trust/dispute/:address">{({ address }) => <DisputePage address={address} />}</Route>
              <Route path="/tx/:signature">{({ signature }) => <TransactionPage signature={signature} />}</Route>
              <Route path="/try/:address">{({ address }) => <TryPage address={address} />}</Route>
              <Route path="/verify">
                <Verify />
              </Route>
              <Route path="/developer/:address?">{({ address }) => <Developer address={address} />}</Route>
              <Route path="/operator/:address?">{({ address }) => <OperatorPage address={address} />}</Route>
              <Route>
                <h1>{t.common.noPage}</h1>
                <Link href="/">{t.nav.explore}</Link>
              </Route>
            </Switch>
          </Suspense>
        </Caught>
      </main>
      <Foot />
    </>
  );
}

function Away(): ReactNode {
  const { away } = useShared();
  return (
    <div role="status">
      {away ? (
        <p className="banner" data-away>
          {t.cluster.away}
        </p>
      ) : null}
    </div>
  );
}

function Foot(): ReactNode {
  const { cluster } = useChain();
  const now = useNow();
  return (
    <footer className="quiet small">
      <span>{t.cluster.at(cluster.name, now === undefined ? "…" : decimal(now.slot, 0))}</span>
      <span>{cluster.index === undefined ? t.cluster.noIndex : t.cluster.withIndex}</span>
      <span>{t.cluster.unaudited}</span>
      <details>
        <summary>{t.cluster.other}</summary>
        <ChooseRpc />
      </details>
    </footer>
  );
}

const THEME_KEY = "imo.theme";

function Theme(): ReactNode {
  const [theme, setTheme] = useState(localStorage.getItem(THEME_KEY) ?? "system");
  useEffect(() => {
    if (theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
    localStorage.setItem(THEME_KEY, theme);
  }, [theme]);
  const next = theme === "system" ? "dark" : theme === "dark" ? "light" : "system";
  return (
    <button type="button" className="plain" onClick={() => setTheme(next)} aria-label={t.nav.theme(t.nav.themes[theme as keyof typeof t.nav.themes])}>
      {t.nav.themes[theme as keyof typeof t.nav.themes]}
    </button>
  );
}

/** The user interface: what is shown depends on who is there, whether we are known to it, and the page asked for. */
import { type ComponentType, render } from "preact";
import { useEffect } from "preact/hooks";
import { Frame } from "./frame.tsx";
import { app } from "./lib/app.ts";
import { type Route, useRoute } from "./lib/route.ts";
import { open } from "./lib/session.ts";
import { useStore } from "./lib/store.ts";
import { restoreTheme } from "./lib/theme.ts";
import { Administrators } from "./pages/administrators.tsx";
import { Backups } from "./pages/backups.tsx";
import { Checks } from "./pages/checks.tsx";
import { Cluster } from "./pages/cluster.tsx";
import { Events } from "./pages/events.tsx";
import { Interfaces } from "./pages/interfaces.tsx";
import { License } from "./pages/license.tsx";
import { Login } from "./pages/login.tsx";
import { Mail } from "./pages/mail.tsx";
import { Nat } from "./pages/nat.tsx";
import { Overview } from "./pages/overview.tsx";
import { Server } from "./pages/server.tsx";
import { Update } from "./pages/update.tsx";
import { VersionNotice } from "./parts/version.tsx";

const PAGES: Record<Route, { title: string; page: ComponentType }> = {
  overview: { title: "Overview", page: Overview },
  cluster: { title: "High availability", page: Cluster },
  interfaces: { title: "Interfaces", page: Interfaces },
  nat: { title: "NAT and port forwards", page: Nat },
  mail: { title: "Mail", page: Mail },
  server: { title: "Server", page: Server },
  update: { title: "Update", page: Update },
  license: { title: "License", page: License },
  backups: { title: "Backup copies", page: Backups },
  administrators: { title: "Administrators", page: Administrators },
  events: { title: "Events", page: Events },
  checks: { title: "Checks", page: Checks },
};

function Root() {
  const known = useStore(app, (value) => value.public);
  const session = useStore(app, (value) => value.session);
  const name = useStore(app, (value) => value.status?.name ?? value.public?.name ?? "Understudy");
  const route = useRoute();
  const { title, page: Page } = PAGES[route];
  useEffect(() => {
    document.title = session === null ? name : `${title} · ${name}`;
  }, [session, title, name]);
  if (known === null || session === null) return <Login />;
  return (
    <Frame route={route}>
      <VersionNotice />
      <Page key={route} />
    </Frame>
  );
}

restoreTheme();
const place = document.getElementById("app");
if (place !== null) render(<Root />, place);
void open();

/** The frame around every page: navigation, the node's name and state, and what is said about the connection. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { alarmsOf } from "./lib/alarms.ts";
import { app } from "./lib/app.ts";
import { pathOf, type Route } from "./lib/route.ts";
import { logOut } from "./lib/session.ts";
import { useStore } from "./lib/store.ts";
import { nextTheme, type Theme, theme } from "./lib/theme.ts";
import { ROLE_WORDS, toneOfRole, versionWords } from "./lib/words.ts";
import { Chip, Dot } from "./parts/basics.tsx";
import { Icon, type IconName, Mark } from "./parts/icons.tsx";
import { ConnectionBanner, Notes } from "./parts/notes.tsx";

interface Entry {
  route: Route;
  text: string;
}

const MENU: { title: string | null; entries: Entry[] }[] = [
  { title: null, entries: [{ route: "overview", text: "Overview" }] },
  {
    title: "Network",
    entries: [
      { route: "interfaces", text: "Interfaces" },
      { route: "nat", text: "NAT and port forwards" },
      { route: "mail", text: "Mail" },
    ],
  },
  {
    title: "Server management",
    entries: [
      { route: "cluster", text: "High availability" },
      { route: "server", text: "Server" },
      { route: "administrators", text: "Administrators" },
      { route: "update", text: "Update" },
      { route: "license", text: "License" },
      { route: "backups", text: "Backup copies" },
    ],
  },
  {
    title: "Watching",
    entries: [
      { route: "events", text: "Events" },
      { route: "checks", text: "Checks" },
    ],
  },
];

export function Frame({ route, children }: { route: Route; children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page is announced by its heading.
  useEffect(() => {
    setOpen(false);
    if (first.current) first.current = false;
    else main.current?.querySelector("h1")?.focus();
  }, [route]);
  useEffect(() => {
    if (!open) return;
    const close = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      button.current?.focus();
    };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, [open]);
  return (
    <div class="frame">
      <a
        class="skip"
        href={pathOf(route)}
        onClick={(event) => {
          event.preventDefault();
          main.current?.querySelector("h1")?.focus();
        }}
      >
        Skip to the page
      </a>
      <Side route={route} open={open} />
      <header class="top">
        <div class="top-row">
          <button
            ref={button}
            type="button"
            class="bare menu-button"
            aria-expanded={open}
            aria-controls="side"
            aria-label="Menu"
            onClick={() => setOpen(!open)}
          >
            <Icon name={open ? "close" : "menu"} />
          </button>
          <TopState />
        </div>
        <ConnectionBanner />
      </header>
      {open && (
        <button
          type="button"
          class="side-shade"
          aria-label="Close the menu"
          tabIndex={-1}
          onClick={() => setOpen(false)}
        />
      )}
      <main ref={main}>{children}</main>
      <Notes />
    </div>
  );
}

function Side({ route, open }: { route: Route; open: boolean }) {
  const status = useStore(app, (value) => value.status);
  const alarms = status === null ? 0 : alarmsOf(status).length;
  return (
    <nav id="side" class={open ? "side open" : "side"} aria-label="Pages">
      <div class="side-inner">
        <div class="brand">
          <Mark /> Understudy
        </div>
        {MENU.map(({ title, entries }) => (
          <div key={title ?? ""}>
            {title !== null && <h2>{title}</h2>}
            <ul>
              {entries.map((entry) => (
                <li key={entry.route}>
                  <a href={pathOf(entry.route)} aria-current={entry.route === route ? "page" : undefined}>
                    <Icon name={entry.route as IconName} />
                    {entry.text}
                    {entry.route === "cluster" && alarms > 0 && (
                      <span class="count">
                        {alarms}
                        <span class="hidden">{alarms === 1 ? " alarm" : " alarms"}</span>
                      </span>
                    )}
                  </a>
                </li>
              ))}
            </ul>
          </div>
        ))}
        <p class="side-foot">{status === null ? "" : `Version ${versionWords(status)}`}</p>
      </div>
    </nav>
  );
}

const THEME_ICONS: Record<Theme, IconName> = { auto: "auto", light: "sun", dark: "moon" };
const THEME_WORDS: Record<Theme, string> = { auto: "as the system", light: "light", dark: "dark" };

function TopState() {
  const status = useStore(app, (value) => value.status);
  const connection = useStore(app, (value) => value.connection);
  const session = useStore(app, (value) => value.session);
  const chosen = useStore(theme, (value) => value.theme);
  const live = connection === "live";
  return (
    <>
      <span class="top-name">{status?.name ?? ""}</span>
      {status !== null && <Chip tone={toneOfRole(status.role)}>{ROLE_WORDS[status.role]}</Chip>}
      <span class="top-space" />
      <span class="live">
        <Dot tone={live ? "good" : connection === "lost" ? "bad" : "none"} label={live ? "Live" : "Not connected"} />
        <span class="live-word" aria-hidden="true">
          {live ? "Live" : "Not connected"}
        </span>
      </span>
      <button type="button" class="bare" aria-label={`Colours: ${THEME_WORDS[chosen]}; change`} onClick={nextTheme}>
        <Icon name={THEME_ICONS[chosen]} />
      </button>
      <button type="button" class="bare" aria-label={`Log out ${session?.name ?? ""}`} onClick={() => void logOut()}>
        <Icon name="logout" />
        <span class="logout-word">{session?.name}</span>
      </button>
    </>
  );
}

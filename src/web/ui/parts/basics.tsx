/** The small things that every page is made of. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { Tone } from "../lib/words.ts";
import { Icon, type IconName } from "./icons.tsx";

export function Page({ title, lead, actions, children }: PageProps) {
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1 tabIndex={-1}>{title}</h1>
          {lead !== undefined && <p class="lead">{lead}</p>}
        </div>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

interface PageProps {
  title: string;
  lead?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
}

export function Panel({ title, aside, children, class: extra = "" }: PanelProps) {
  const id = useId();
  return (
    <section class={`panel ${extra}`} aria-labelledby={title === undefined ? undefined : id}>
      {title !== undefined && (
        <div class="panel-head">
          <h2 id={id}>{title}</h2>
          {aside}
        </div>
      )}
      {children}
    </section>
  );
}

interface PanelProps {
  title?: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
}

export interface ButtonProps {
  children: ComponentChildren;
  kind?: "primary" | "plain" | "danger" | "quiet";
  icon?: IconName;
  type?: "button" | "submit";
  disabled?: boolean;
  busy?: boolean;
  /** Says more than its text where that is needed: "Edit lan0". */
  label?: string;
  describedby?: string | undefined;
  onClick?: () => void;
}

export function Button({ children, kind = "plain", icon, type = "button", busy = false, ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      class={`button ${kind}`}
      disabled={rest.disabled === true || busy}
      aria-busy={busy}
      aria-label={rest.label}
      aria-describedby={rest.describedby}
      onClick={rest.onClick}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : icon !== undefined && <Icon name={icon} />}
      <span>{children}</span>
    </button>
  );
}

export function Chip({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`chip ${tone}`}>{children}</span>;
}

export function Dot({ tone, label }: { tone: Tone; label: string }) {
  return <span class={`dot ${tone}`} role="img" aria-label={label} title={label} />;
}

const NOTICE_ICONS: Record<"info" | "good" | "warning" | "bad", IconName> = {
  info: "info",
  good: "good",
  warning: "warning",
  bad: "bad",
};

export function Notice({ tone, title, live = false, children }: NoticeProps) {
  return (
    <div class={`notice ${tone}`} role={live ? "alert" : undefined}>
      <Icon name={NOTICE_ICONS[tone]} />
      <div>
        {title !== undefined && <strong>{title}</strong>}
        <div>{children}</div>
      </div>
    </div>
  );
}

interface NoticeProps {
  tone: "info" | "good" | "warning" | "bad";
  title?: string;
  /** Read out at once. */
  live?: boolean;
  children: ComponentChildren;
}

/** The node's own sentence, where it refused something. */
export function Trouble({ text }: { text: string | null }) {
  if (text === null) return null;
  return (
    <Notice tone="bad" live>
      {text}
    </Notice>
  );
}

export function Waiting({ children = "Loading …" }: { children?: ComponentChildren }) {
  return (
    <p class="waiting" role="status">
      <span class="spinner" aria-hidden="true" /> {children}
    </p>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

export function Facts({ rows }: { rows: (readonly [string, ComponentChildren] | null)[] }) {
  return (
    <dl class="facts">
      {rows.map(
        (row) =>
          row !== null && (
            <div key={row[0]}>
              <dt>{row[0]}</dt>
              <dd>{row[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

export function Table({ label, heads, children }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="table-frame" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {heads.map((head, index) => (
              <th key={`${index} ${head}`} scope="col">
                {head === "" ? <span class="hidden">Actions</span> : head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

interface TableProps {
  label: string;
  heads: string[];
  children: ComponentChildren;
}

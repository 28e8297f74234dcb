import { alarmsOf } from "../lib/alarms.ts";
import type { Status } from "../lib/types.ts";
import { Notice } from "./basics.tsx";

/** What needs attention, the worst first. */
export function Alarms({ status }: { status: Status }) {
  const alarms = alarmsOf(status).sort((one, other) => one.tone.localeCompare(other.tone));
  if (alarms.length === 0) return null;
  return (
    <section class="alarm-list" aria-label="Alarms">
      {alarms.map(({ key, tone, title, text }) => (
        <Notice key={key} tone={tone} title={title}>
          {text}
        </Notice>
      ))}
    </section>
  );
}

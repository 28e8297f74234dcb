import type { LoggedEvent } from "../lib/types.ts";
import { type Tone, timeWords } from "../lib/words.ts";
import { Chip, Table } from "./basics.tsx";

const SEVERITY: Record<LoggedEvent["severity"], { text: string; tone: Tone }> = {
  info: { text: "Info", tone: "none" },
  warning: { text: "Warning", tone: "warning" },
  error: { text: "Error", tone: "bad" },
};

export function EventList({ events }: { events: readonly LoggedEvent[] }) {
  return (
    <Table label="Events" heads={["Time", "Severity", "What happened"]}>
      {events.map(({ at, code, severity, message }) => (
        <tr key={`${at} ${code} ${message}`}>
          <td class="nowrap">
            <time dateTime={at}>{timeWords(at)}</time>
          </td>
          <td>
            <Chip tone={SEVERITY[severity].tone}>{SEVERITY[severity].text}</Chip>
          </td>
          <td class="event-text">{message}</td>
        </tr>
      ))}
    </Table>
  );
}

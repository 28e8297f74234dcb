/** What happened on this node. Events are each node's own; they are not copied to the other one. */
import { useMemo, useState } from "preact/hooks";
import { app } from "../lib/app.ts";
import { useStore } from "../lib/store.ts";
import { Button, Empty, Page, Panel } from "../parts/basics.tsx";
import { EventList } from "../parts/event-list.tsx";
import { SelectField, TextField } from "../parts/fields.tsx";

const SHOWN_AT_ONCE = 100;
const LEAST = { all: ["info", "warning", "error"], warning: ["warning", "error"], error: ["error"] } as const;
type Least = keyof typeof LEAST;

export function Events() {
  const events = useStore(app, (value) => value.events);
  const [least, setLeast] = useState<Least>("all");
  const [words, setWords] = useState("");
  const [shown, setShown] = useState(SHOWN_AT_ONCE);
  const found = useMemo(() => {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    const severities: readonly string[] = LEAST[least];
    return events
      .filter(({ severity, code, message }) => {
        const text = `${code} ${message}`.toLowerCase();
        return severities.includes(severity) && wanted.every((word) => text.includes(word));
      })
      .reverse();
  }, [events, least, words]);
  return (
    <Page title="Events" lead="What happened on this node, newest first. Each node keeps its own.">
      <Panel>
        <div class="filters">
          <TextField
            class="grow"
            label="Words"
            value={words}
            onInput={setWords}
            placeholder="Such as: link, took over"
          />
          <SelectField
            label="Severity"
            value={least}
            onChange={setLeast}
            options={[
              { value: "all", text: "All" },
              { value: "warning", text: "Warnings and errors" },
              { value: "error", text: "Errors" },
            ]}
          />
        </div>
        <p class="quiet" role="status">
          {found.length === events.length ? `${events.length} events` : `${found.length} of ${events.length} events`}
        </p>
        {found.length === 0 ? <Empty>None that fits.</Empty> : <EventList events={found.slice(0, shown)} />}
      </Panel>
      {found.length > shown && (
        <div>
          <Button onClick={() => setShown(shown + SHOWN_AT_ONCE)}>Show older ones</Button>
        </div>
      )}
    </Page>
  );
}

/** The switches of this node, newest first, each with what it sent and received around it. */
import { useEffect, useState } from "preact/hooks";
import { app } from "../lib/app.ts";
import { ask } from "../lib/http.ts";
import { useAction, useResource } from "../lib/resource.ts";
import { useStore } from "../lib/store.ts";
import type { Capture, LoggedEvent } from "../lib/types.ts";
import { outageWords, timeWords } from "../lib/words.ts";
import { Button, Empty, Panel, Trouble } from "../parts/basics.tsx";
import { saveFile } from "../parts/file.tsx";

const SWITCH_CODES = ["became-active", "handed-over", "yielded", "second-claim", "cluster-created", "peer-erased"];
const SHOWN_FIRST = 6;
/** A capture is there some seconds after its switch. */
const CAPTURED_MS = 6000;
/** Between the heart's own time of an event and that at which it was written down. */
const APART_MS = 2000;

export function Switches() {
  const events = useStore(app, (value) => value.events);
  const [all, setAll] = useState(false);
  const { value: captures, reload } = useResource<Capture[]>("/captures");
  const fetching = useAction();
  const switches = events.filter(({ code }) => SWITCH_CODES.includes(code)).reverse();
  const newest = switches[0]?.at;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another switch is what asks again.
  useEffect(() => {
    const timer = setTimeout(() => void reload(), CAPTURED_MS);
    return () => clearTimeout(timer);
  }, [reload, newest]);
  const download = (name: string) =>
    fetching.run(async () => {
      const { content } = await ask<{ content: string }>("GET", `/captures/${encodeURIComponent(name)}`);
      saveFile(
        name,
        Uint8Array.from(atob(content), (character) => character.charCodeAt(0)),
      );
    });
  const shown = all ? switches : switches.slice(0, SHOWN_FIRST);
  return (
    <Panel title="Switches" aside={<a href="#/events">All events</a>}>
      {shown.length === 0 && <Empty>None yet that this node remembers.</Empty>}
      <Trouble text={fetching.trouble} />
      <ol class="timeline">
        {shown.map((event) => (
          <li key={`${event.at} ${event.message}`}>
            <time dateTime={event.at}>{timeWords(event.at)}</time>
            <span>
              {event.message}
              {event.outage_ms !== undefined && <span class="quiet"> {outageWords(event.outage_ms)}</span>}
              <CaptureButton capture={captureOf(event, captures ?? [])} onDownload={(name) => void download(name)} />
            </span>
          </li>
        ))}
      </ol>
      {switches.length > shown.length && (
        <div>
          <Button kind="quiet" onClick={() => setAll(true)}>{`Show all ${switches.length}`}</Button>
        </div>
      )}
    </Panel>
  );
}

interface CaptureButtonProps {
  capture: Capture | undefined;
  onDownload: (name: string) => void;
}

function CaptureButton({ capture, onDownload }: CaptureButtonProps) {
  if (capture === undefined) return null;
  const { name } = capture;
  return (
    <Button kind="quiet" label={`Download capture ${name}`} onClick={() => onDownload(name)}>
      Download capture
    </Button>
  );
}

function captureOf({ at, code }: LoggedEvent, captures: readonly Capture[]): Capture | undefined {
  const near = (one: string) => Math.abs(Date.parse(one) - Date.parse(at)) < APART_MS;
  return captures.find(({ events }) => events.some((event) => event.code === code && near(event.at)));
}

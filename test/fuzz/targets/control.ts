/** The control process: the lines between it and the heart, the settings, and its files. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseFromHeart } from "../../../src/control/heart-process.ts";
import { Store } from "../../../src/control/store.ts";
import { parseToHeart } from "../../../src/heart/control.ts";
import { Lines } from "../../../src/heart/inbox.ts";
import { parseSettings } from "../../../src/settings/model.ts";
import { demand, encode, jsonOf, mutatedText, onlyFailures, type Target } from "../target.ts";

const text = (value: string) => new TextEncoder().encode(value);

/** Orders of the control process, as the heart reads them. */
export const lines: Target = {
  base: {
    alive: text('{"type":"alive"}\n'),
    orders: text('{"type":"switch","id":4}\n{"type":"stop","id":1}\n'),
  },
  next: (mutator, corpus) => mutator.mutated(corpus),
  check(bytes) {
    const whole = new Lines(64);
    const parts = new Lines(64);
    const at_once = whole.take(bytes).map(parseToHeart);
    const one_by_one = [...bytes].flatMap((byte) => parts.take(Uint8Array.of(byte))).map(parseToHeart);
    if (bytes.length <= 64) demand(Bun.deepEquals(at_once, one_by_one), "cuts in the stream do not matter");
  },
};

const SNAPSHOT = {
  role: "backup",
  term: 7,
  operational: false,
  reason: "The cluster network is down.",
  peer: { name: "node-a", role: "active", heard: true, version: "0.1.0", build: 1, settings_revision: 1, links: [] },
  paths: [],
  addresses: [{ address: "10.1.0.1/24", nic: "lan0", held: false }],
  alarms: [],
  dropped: {},
  gate: "closed",
  realtime: true,
  memory_locked: true,
  watchdog: null,
};

/** What the heart says, as the control process reads it. */
export const snapshots: Target = {
  base: {
    snapshot: encode({ type: "snapshot", snapshot: SNAPSHOT }),
    event: encode({ type: "event", event: { code: "yielded", severity: "warning", message: "It yields.", at_ms: 1 } }),
    reply: encode({ type: "reply", id: 1, ok: true }),
    refusal: encode({ type: "reply", id: 2, ok: false, code: "no-peer", message: "There is no peer." }),
  },
  next: mutatedText,
  check(bytes) {
    const stream = new Lines(1 << 20);
    for (const line of [...stream.take(bytes), ...stream.take(text("\n"))]) {
      const message = parseFromHeart(line);
      if (message === null) continue;
      if (message.type === "snapshot") demand(typeof message.snapshot.term === "number", "a snapshot has a term");
      else if (message.type === "event") demand(typeof message.event.message === "string", "an event has a sentence");
      else if (message.type === "capture") demand(typeof message.capture.data === "string", "a capture has data");
      else demand(message.ok || typeof message.message === "string", "a refusal has a sentence");
    }
  },
};

export const SETTINGS = {
  server: { name: "node-a" },
  interfaces: [
    { nic: "lan0", role: "internal", addresses: ["10.1.0.1/24", "fd00::1/64"], heartbeat: true },
    { nic: "wan0", role: "external", addresses: ["10.2.0.1/24"], gateway: "10.2.0.254" },
  ],
  cluster: { interval_ms: 8, lease_ms: 20, on_link_loss: "switch" },
};

export const settings: Target = {
  base: { settings: encode(SETTINGS) },
  next: mutatedText,
  check(bytes) {
    const value = jsonOf(bytes);
    onlyFailures(() => {
      const read = parseSettings(value);
      demand(Bun.deepEquals(parseSettings(JSON.parse(JSON.stringify(read))), read), "what was read can be read again");
    });
  },
};

export function storeTarget(): Target {
  const directory = mkdtempSync(join(tmpdir(), "understudy-fuzz-"));
  const store = new Store(directory);
  const value = { id: "00000001", node: 1, matches: SETTINGS.interfaces };
  const digest = new Bun.CryptoHasher("sha256").update(JSON.stringify(value)).digest("hex");
  return {
    base: { file: encode({ digest, value }) },
    next: (mutator, corpus) => mutator.mutated(corpus),
    close: () => rmSync(directory, { recursive: true, force: true }),
    check(bytes) {
      writeFileSync(join(directory, "cluster.json"), bytes);
      onlyFailures(() =>
        demand(Bun.deepEquals(store.cluster(), value), "a damaged file is never taken for a good one"),
      );
    },
  };
}

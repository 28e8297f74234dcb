/**
 * Drives the shim with wrong and nearly right arguments and frames, in a network namespace of its
 * own that has a pair of cables v0 and v1. Started by shim.test.ts with a shim that was built with
 * AddressSanitizer and UBSan: they end this process where C goes wrong. Prints how many calls it made.
 *
 *   shim-drive.ts SHIM SEED CALLS
 */
import { emitArpProbe } from "../../src/wire/arp.ts";
import { Mutator } from "./mutator.ts";

type Addon = Record<string, (...values: unknown[]) => unknown>;

const [path = "", seed = "1", calls = "1000"] = process.argv.slice(2);
const shim = require(path) as Addon;
const inbox = new Uint8Array(1 << 16);
const options = { filter: "", snap_bytes: 2048, buffer_bytes: 1 << 19, promiscuous: true };
const v0 = Number(shim["openCapture"]?.("v0", options));
const v1 = Number(shim["openCapture"]?.("v1", options));
shim["subscribe"]?.(0, [1]);

/** RTM_GETLINK, all of them. */
const LIST = new Uint8Array(32);
new DataView(LIST.buffer).setUint32(0, 32, true);
LIST.set([18, 0, 1, 3, 9], 4);

function batch(frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + ((frame.length + 7) & ~7));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, v0, true);
  view.setUint32(4, frame.length, true);
  bytes.set(frame, 16);
  return bytes;
}

const FRAME = emitArpProbe(new Uint8Array(6).fill(2), Uint8Array.of(10, 1, 0, 1));
const BATCHES = [batch(FRAME), new Uint8Array(Buffer.concat([batch(FRAME), batch(new Uint8Array(1500))]))];
const ODD: unknown[] = [
  undefined,
  null,
  -1,
  2 ** 31,
  Number.NaN,
  1e300,
  "",
  "v0",
  {},
  [],
  [1, "x"],
  new Uint8Array(3),
  inbox,
];
/** Not these: they would wait, block signals of the driver, or close its own output. */
const CAREFUL = new Set(["wait", "watchInput", "watchSignals", "realtime", "lockMemory", "write", "close", "netlink"]);
const NAMES = Object.keys(shim).filter((name) => !CAREFUL.has(name));

function once(mutator: Mutator): void {
  switch (mutator.below(5)) {
    case 0: {
      const bytes = mutator.mutated(BATCHES).slice();
      shim["send"]?.(bytes, mutator.below(4) === 0 ? mutator.pick(ODD) : bytes.length);
      return;
    }
    case 1:
      shim["send"]?.(batch(mutator.mutated([FRAME])), 16 + FRAME.length);
      shim["wait"]?.(inbox.subarray(0, mutator.below(2) === 0 ? inbox.length : mutator.below(3000)), 0);
      return;
    case 2:
      shim["netlink"]?.(0, mutator.mutated([LIST]).slice(), new Uint8Array(mutator.below(9000)));
      return;
    case 3: {
      const handle = mutator.pick([v0, v1, 127, 128, -1, 1e9]);
      shim[mutator.pick(["captureStatistics", "petWatchdog", "disarmWatchdog"])]?.(handle);
      return;
    }
    default:
      shim[mutator.pick(NAMES)]?.(...Array.from({ length: mutator.below(4) }, () => mutator.pick(ODD)));
  }
}

const mutator = new Mutator(Number(seed));
for (let i = 0; i < Number(calls); i++) {
  try {
    once(mutator);
  } catch {
    // A refusal is what wrong arguments deserve; the sanitizers judge the rest.
  }
}
console.log(`${calls} calls`);

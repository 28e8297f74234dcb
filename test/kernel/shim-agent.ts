/**
 * Runs inside a namespace for the tests of the shim: calls what one JSON line on its standard input says, and
 * answers each by one line. Bytes travel as hex. What the shim has no function for (pipes, a forged netlink
 * message) comes straight from libc.
 */
import { dlopen, ptr } from "bun:ffi";
import { closeSync, readdirSync, readFileSync, readlinkSync, readSync, writeSync } from "node:fs";
import { readRecords } from "../../src/heart/inbox.ts";
import { openShim, SEND_HEADER_BYTES } from "../../src/shim.ts";
import { serve } from "./serve.ts";

const CLOCK_BOOTTIME = 7;
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NAMES = { 1: "frame", 2: "netlink", 3: "input", 4: "signal", 5: "failed", 6: "done" } as Record<number, string>;

const shim = openShim();
const libc = dlopen("libc.so.6", {
  pipe: { args: ["ptr"], returns: "i32" },
  clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
}).symbols;

const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

export interface Woken {
  kind: string;
  source: number;
  hex: string;
}

export interface Descriptor {
  target: string;
  closes_on_exec: boolean;
}

const operations = {
  /** Any function of the shim that takes and returns plain values. */
  shim(name: string, ...values: unknown[]): unknown {
    const call = (shim as unknown as Record<string, (...values: unknown[]) => unknown>)[name];
    if (call === undefined) throw new TypeError(`the shim has no ${name}`);
    return call(...values);
  },
  /** Whether a program can be run. */
  runs(program: string): boolean {
    try {
      return Bun.spawnSync([program]).exitCode === 0;
    } catch {
      return false;
    }
  },
  /** The status of each frame, and how many failed by what the call returned. */
  send(entries: { capture: number; hex: string }[]): { failures: number; statuses: number[] } {
    const sizes = entries.map(({ hex }) => SEND_HEADER_BYTES + ((hex.length / 2 + 7) & ~7));
    const batch = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
    const view = new DataView(batch.buffer);
    const starts = sizes.map((_, index) => sizes.slice(0, index).reduce((sum, size) => sum + size, 0));
    entries.forEach(({ capture, hex }, index) => {
      const start = starts[index] ?? 0;
      view.setUint32(start, capture, true);
      view.setUint32(start + 4, hex.length / 2, true);
      batch.set(fromHex(hex), start + SEND_HEADER_BYTES);
    });
    const failures = shim.send(batch, batch.length);
    return { failures, statuses: starts.map((start) => view.getInt32(start + 8, true)) };
  },
  /** A batch as it is, for the wrong ones. */
  sendRaw: (hex: string, length: number): number => shim.send(fromHex(hex), length),
  wait(timeout_ms: number, size = 1 << 20): Woken[] {
    const out = new Uint8Array(size);
    const length = shim.wait(out, timeout_ms);
    return [...readRecords(out, length)].map(({ kind, source, payload }) => ({
      kind: NAMES[kind] ?? String(kind),
      source,
      hex: toHex(payload),
    }));
  },
  netlink(protocol: number, request: string, reply_bytes: number): string {
    const reply = new Uint8Array(reply_bytes);
    return toHex(reply.subarray(0, shim.netlink(protocol, fromHex(request), reply)));
  },
  netlinkInBackground: (protocol: number, request: string): void =>
    shim.netlinkInBackground(protocol, fromHex(request)),
  /** A netlink datagram to a port or a group, as a malicious program would send it. */
  forge(protocol: number, to: { port: number; group: number }, hex: string): number {
    const address = new DataView(new ArrayBuffer(12));
    address.setUint16(0, AF_NETLINK, true);
    address.setUint32(4, to.port, true);
    address.setUint32(8, to.group === 0 ? 0 : 1 << (to.group - 1), true);
    const bytes = fromHex(hex);
    const socket = libc.socket(AF_NETLINK, SOCK_RAW, protocol);
    const sent = Number(libc.sendto(socket, ptr(bytes), bytes.length, 0, ptr(address.buffer), address.byteLength));
    closeSync(socket);
    return sent;
  },
  pipe(): [number, number] {
    const ends = new Int32Array(2);
    libc.pipe(ptr(ends));
    return [ends[0] ?? -1, ends[1] ?? -1];
  },
  writeFile: (fd: number, hex: string): number => writeSync(fd, fromHex(hex)),
  readFile: (fd: number, bytes: number): number => readSync(fd, new Uint8Array(bytes)),
  closeFile: (fd: number): void => closeSync(fd),
  write: (fd: number, bytes: number): number => shim.write(fd, new Uint8Array(bytes)),
  /** The clock as libc has it, between two looks at it through the shim. */
  clocks(): [number, number, number] {
    const time = new BigInt64Array(2);
    const before = shim.now();
    libc.clock_gettime(CLOCK_BOOTTIME, ptr(time));
    return [before, Number(time[0] ?? 0n) * 1e3 + Number(time[1] ?? 0n) / 1e6, shim.now()];
  },
  kill: (signal: NodeJS.Signals): void => void process.kill(process.pid, signal),
  /** All but standard input and output, which the runtime duplicates as it likes. */
  descriptors(): Descriptor[] {
    const standard = [0, 1, 2].map((fd) => readlinkSync(`/proc/self/fd/${fd}`));
    const all = readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        const flags = /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "0";
        const closes_on_exec = (Number.parseInt(flags, 8) & 0o2000000) !== 0;
        return [{ target: readlinkSync(`/proc/self/fd/${fd}`), closes_on_exec }];
      } catch {
        return []; // the descriptor that listed the others
      }
    });
    return all.filter(({ target }) => !standard.includes(target));
  },
  /** Scheduling policy and real-time priority of every thread (proc(5), stat). */
  threads(): { policy: number; priority: number }[] {
    return readdirSync("/proc/self/task").map((thread) => {
      const fields = readFileSync(`/proc/self/task/${thread}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ");
      return { priority: Number(fields[37]), policy: Number(fields[38]) };
    });
  },
  lockedKilobytes: (): number =>
    Number(/VmLck:\s*(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? Number.NaN),
};
export type ShimOperations = typeof operations;

await serve(operations);

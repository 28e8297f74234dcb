/** A service manager's socket hears what systemd's would, by the real shim. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Subprocess, spawn } from "bun";
import { openShim } from "../shim.ts";
import { ServiceManager } from "./service-manager.ts";

const directory = mkdtempSync(join(tmpdir(), "understudy-notify-"));
const listeners: Subprocess[] = [];
afterAll(() => {
  for (const listener of listeners) listener.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
});

/** Prints "listening", then each datagram as a line. */
const LISTENER = `import { dlopen, ptr } from "bun:ffi";
const libc = dlopen("libc.so.6", {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
}).symbols;
const path = new TextEncoder().encode(process.env.LISTEN);
const address = new Uint8Array(2 + path.length);
address[0] = 1;
address.set(path, 2);
if (address[2] === 64) address[2] = 0;
const socket = libc.socket(1, 2, 0);
if (libc.bind(socket, ptr(address), address.length) !== 0) process.exit(1);
console.log("listening");
const buffer = new Uint8Array(4096);
for (;;) console.log(new TextDecoder().decode(buffer.subarray(0, Number(libc.recv(socket, ptr(buffer), 4096, 0)))));`;

for (const [kind, path] of [
  ["a file", join(directory, "socket")],
  ["an abstract name", `@understudy-notify-${process.pid}`],
] as const)
  test(`at ${kind}: ready, there as often as it asked, and ending`, async () => {
    const listener = spawn([process.execPath, "-e", LISTENER], {
      env: { ...process.env, LISTEN: path },
      stdout: "pipe",
    });
    listeners.push(listener);
    const manager = new ServiceManager(openShim(), { NOTIFY_SOCKET: path, WATCHDOG_USEC: "40000" });
    let heard = "";
    for await (const chunk of listener.stdout) {
      const before = heard;
      heard += new TextDecoder().decode(chunk);
      if (before === "") manager.ready();
      if (heard.split("WATCHDOG=1").length > 2 && !before.includes("STOPPING")) manager.stopping();
      if (heard.includes("STOPPING=1")) break;
    }
    manager.stop();
    expect(heard).toStartWith("listening\nREADY=1\nWATCHDOG=1\nWATCHDOG=1\n");
    expect(heard).toContain("STOPPING=1\n");
  }, 20_000);

test("without one, or with one that does not listen, nothing happens", () => {
  for (const environment of [
    {},
    { NOTIFY_SOCKET: "" },
    { NOTIFY_SOCKET: join(directory, "nobody") },
    { NOTIFY_SOCKET: "x".repeat(300) },
  ]) {
    const manager = new ServiceManager(openShim(), environment);
    manager.ready();
    manager.stopping();
    manager.stop();
  }
});

/**
 * A place to build on: names for namespaces and a directory, all with this program's number, so that whatever a
 * program that died has left behind is found and removed by the next one.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sh } from "./shell.ts";

const PREFIX = "understudy-lab-";

let sites_taken = 0;

export interface Site {
  directory: string;
  /** The name of a namespace; at most six letters may be added. */
  namespace(place: string): string;
  /** False where that was done before. */
  leave(): boolean;
}

export function takeSite(): Site {
  if (process.getuid?.() !== 0)
    throw new Error("The lab needs a world of its own; start it with npm test, npm start or npm run bench.");
  sweep();
  const prefix = `us${process.pid}x${sites_taken++}-`;
  let taken = true;
  return {
    directory: mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`)),
    namespace: (place) => prefix + place,
    leave() {
      const was_taken = taken;
      taken = false;
      return was_taken;
    },
  };
}

interface Removable {
  /** Does nothing the second time. */
  remove(): void;
}

const standing = new Set<Removable>();
let watching_the_end = false;

/** Whatever ends this program, what stands is removed first. */
export function removeWithTheProgram(thing: Removable): void {
  standing.add(thing);
  if (watching_the_end) return;
  watching_the_end = true;
  const removeAll = () => {
    for (const each of [...standing]) each.remove();
  };
  process.on("exit", removeAll);
  for (const [signal, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
    ["SIGHUP", 1],
  ] as const) {
    process.on(signal, () => {
      removeAll();
      process.exit(128 + number);
    });
  }
}

/** Takes a namespace away, with whatever still runs in it. */
export function removeNamespace(name: string): void {
  for (const pid of sh(["ip", "netns", "pids", name], { allow_failure: true }).split("\n")) {
    try {
      if (pid !== "") process.kill(Number(pid), "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
  sh(["ip", "netns", "del", name], { allow_failure: true });
}

/** Removes what runs that died left behind: all of it carries the number of a process that is gone. */
function sweep(): void {
  mkdirSync("/run/netns", { recursive: true });
  for (const name of readdirSync("/run/netns")) {
    const pid = /^us(\d+)x\d+-\w+$/.exec(name)?.[1];
    if (pid !== undefined && !isBun(pid)) removeNamespace(name);
  }
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isBun(pid)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/** Numbers of processes come around again, so being there is not enough. */
function isBun(pid: string): boolean {
  return existsSync(`/proc/${pid}/comm`) && readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("bun");
}

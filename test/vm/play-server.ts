/** The keeper of the machines of `npm run vm`: makes their world, passes their consoles on, and takes orders. */
import { rmSync } from "node:fs";
import { sentence } from "../../src/errors.ts";
import { type Doorway, leadInto, openDoorway, passOn } from "../lab/doorway.ts";
import { enterWorld } from "../lab/world.ts";
import { productImage } from "./image.ts";
import type { VmNode } from "./node.ts";
import { VmPair } from "./pair.ts";
import { CONTROL, consolePath, directory } from "./play-paths.ts";

const SIDES = ["a", "b"] as const;
type Side = (typeof SIDES)[number];

export async function serve(): Promise<void> {
  directory();
  const doors: Record<Side, Doorway | null> = { a: await openDoorway([], "a"), b: await openDoorway([], "b") };
  for (const side of SIDES) passOn(doors[side], side);
  enterWorld();
  const pair = new VmPair("play", productImage());
  for (const side of SIDES) {
    const door = doors[side];
    // A node's own address in the LAN, which it has before anything is configured, and also while it is the backup.
    if (door !== null) leadInto(pair.world.networks, door, `${linkLocal(pair[side].mac("lan0"))}%eth0:443`);
    passConsole(pair[side], consolePath(side));
  }
  await Promise.all(SIDES.map((side) => pair[side].start()));
  rmSync(CONTROL, { force: true });
  const where = SIDES.map((side) => `  node ${side}: ${doors[side]?.url ?? "no port was free"}`).join("\n");
  Bun.serve({
    unix: CONTROL,
    async fetch(request) {
      const order = await request.text();
      if (order === "where")
        return new Response(`Web interfaces, each with a certificate that vouches for itself:\n${where}`);
      try {
        return new Response(await obey(pair, order));
      } catch (error) {
        return new Response(`That failed: ${sentence(error)}.`);
      }
    },
  });
  console.log(`${where}\nThe machines are on. In another terminal: npm run vm -- cable a wan0 down`);
}

async function obey(pair: VmPair, order: string): Promise<string> {
  const [what = "", side = "", cable = "", way = ""] = order.split(" ");
  if (what === "stop") {
    pair.remove();
    setTimeout(() => process.exit(0), 200);
    return "The machines are off, and everything of theirs is removed.";
  }
  const { vm } = pair.node(side === "b" ? "b" : "a");
  if (what === "start") {
    if (vm.is_on) return `Machine ${side} is on.`;
    await vm.start();
    return `Machine ${side} boots.`;
  }
  if (what === "cable") await vm.cable(cable, way === "up");
  else if (what === "freeze") await vm.freeze();
  else if (what === "thaw") await vm.thaw();
  else await vm.cut();
  return `Done: ${order}.`;
}

/** Whoever connects sees the console and types there; a machine that was off and is on again has the same place. */
function passConsole(node: VmNode, path: string): void {
  rmSync(path, { force: true });
  const watchers = new Set<{ write(bytes: Uint8Array): number }>();
  node.vm.console.listener = (bytes) => {
    for (const watcher of watchers) watcher.write(bytes);
  };
  Bun.listen({
    unix: path,
    socket: {
      open: (watcher) => void watchers.add(watcher),
      close: (watcher) => void watchers.delete(watcher),
      data: (_, bytes) => {
        if (node.vm.is_on) node.vm.console.type(new TextDecoder().decode(bytes));
      },
    },
  });
}

/** As the kernel makes it of the MAC (RFC 4291, appendix A). */
function linkLocal(mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(":").map((part) => Number.parseInt(part, 16));
  const word = (high: number, low: number): string => ((high << 8) | low).toString(16);
  return `fe80::${word(a ^ 2, b)}:${word(c, 0xff)}:${word(0xfe, d)}:${word(e, f)}`;
}

/** How each fault is done to a live pair, and how it is undone. Whatever is begun here is ended here. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LabNode } from "../lab/node.ts";
import type { Pair } from "../lab/pair.ts";
import { sh } from "../lab/shell.ts";
import { CABLES, type Cable, LAN_ADDRESS, LAN_ADDRESS6, type Side, WAN_ADDRESS, type Way } from "../lab/topology.ts";
import type { Fault, Kind } from "./schedule.ts";

export interface Blow {
  pair: Pair;
  fault: Fault;
  side: Side;
  node: LabNode;
}

interface Deed {
  begin(blow: Blow): Promise<void> | void;
  end?(blow: Blow): Promise<void> | void;
}

const HEARTBEATS = "ether type 0x88b5";
const PROCESSOR_HOGS = 3;
const AT: Record<Cable, [place: "client" | "host" | "clu", nic: string]> = {
  lan0: ["client", "eth0"],
  wan0: ["host", "eth0"],
  clu0: ["clu", "br0"],
};

/** Processes that only burden the machine, by the number of the fault. */
const burdens = new Map<number, ReturnType<typeof Bun.spawn>[]>();
process.on("exit", () => {
  for (const children of burdens.values()) for (const child of children) child.kill("SIGKILL");
});

const freeze: Deed = { begin: ({ node }) => node.freeze(), end: ({ node }) => node.thaw() };

function stopped(part?: "control" | "heart"): Deed {
  return {
    begin: ({ node }) => node.signal("SIGSTOP", part),
    end: ({ node }) => node.signal("SIGCONT", part),
  };
}

function carrier(cables: (fault: Fault) => readonly Cable[]): Deed {
  const plug = ({ pair, side, fault }: Blow, plugged: boolean): void => {
    for (const cable of cables(fault)) pair.lab.cable(side, cable, plugged);
  };
  return { begin: (blow) => plug(blow, false), end: (blow) => plug(blow, true) };
}

function silence(
  cables: (fault: Fault) => readonly Cable[],
  match: (fault: Fault) => string = () => "",
  ways: (fault: Fault) => Way[] | undefined = () => undefined,
): Deed {
  const swallow = ({ pair, side, fault }: Blow, silent: boolean): void => {
    for (const cable of cables(fault)) pair.lab.silence(side, cable, silent, match(fault), ways(fault));
  };
  return { begin: (blow) => swallow(blow, true), end: (blow) => swallow(blow, false) };
}

const one = ({ cable }: Fault): Cable[] => [cable];
const all = (): readonly Cable[] => CABLES;

/** What an administrator or a script does by hand; it may be refused, in vain or too late. */
function byHand({ pair, side }: Blow, words: string): void {
  sh(["ip", "-n", pair.lab.namespace(side), ...words.split(" ")], { allow_failure: true });
}

function flood({ pair, side, fault }: Blow, cable: Cable, kind: string, mac: string): Promise<void> {
  const file = JSON.parse(readFileSync(join(pair.node(side).state, "cluster.json"), "utf8")) as {
    value: { id: string };
  };
  const [place, nic] = AT[cable];
  return finished(pair, place, ["flood", nic, kind, file.value.id, mac, LAN_ADDRESS, String(fault.duration_ms)]);
}

async function finished(pair: Pair, place: "client" | "host" | "lan" | "wan" | "clu", words: string[]): Promise<void> {
  await pair.lab.instrument(place, words).line();
}

function burden(commands: (blow: Blow) => string[][]): Deed {
  return {
    begin(blow) {
      const children = commands(blow).map((command) => Bun.spawn(command, { stdout: "ignore", stderr: "ignore" }));
      burdens.set(blow.fault.number, children);
    },
    async end({ fault }) {
      for (const child of burdens.get(fault.number) ?? []) {
        child.kill("SIGKILL");
        await child.exited;
      }
      burdens.delete(fault.number);
    },
  };
}

const DEEDS: Record<Kind, Deed> = {
  "freeze, shorter than the lease": freeze,
  "freeze, middle": freeze,
  "freeze, long": freeze,
  "SIGKILL all": { begin: ({ node }) => node.kill(), end: ({ node }) => node.start() },
  "SIGKILL heart": { begin: ({ node }) => node.signal("SIGKILL", "heart") },
  // Its heart hands over and ends by itself; the start copes with it.
  "SIGKILL control": { begin: ({ node }) => node.signal("SIGKILL", "control"), end: ({ node }) => node.start() },
  "SIGSTOP all": stopped(),
  "SIGSTOP heart": stopped("heart"),
  "SIGSTOP control": stopped("control"),
  "power off": { begin: ({ node }) => node.powerOff(), end: ({ node }) => node.start() },
  "clean stop": { begin: ({ node }) => node.stop(), end: ({ node }) => node.start() },
  "planned switch": {
    begin: async ({ node }) => void (await node.commandLater(["cluster", "switch"]).catch(() => {})),
  },
  "firewall flushed": { begin: ({ node }) => node.flushFirewall() },
  "addresses deleted by hand": {
    begin(blow) {
      byHand(blow, `addr del ${LAN_ADDRESS}/24 dev lan0`);
      byHand(blow, `addr del ${LAN_ADDRESS6}/64 dev lan0`);
      byHand(blow, `addr del ${WAN_ADDRESS}/24 dev wan0`);
    },
  },
  "address added by hand": { begin: (blow) => byHand(blow, `addr add ${LAN_ADDRESS}/24 dev lan0`) },
  "data cable cut": carrier(one),
  "cluster cable cut": carrier(one),
  "data cable silent": silence(one),
  "cluster cable silent": silence(one),
  "one-way loss": silence(
    one,
    () => "",
    ({ detail }) => [detail as Way],
  ),
  "lossy cable": silence(one, ({ detail }) => `numgen random mod 100 < ${detail}`),
  "heartbeats blocked": silence(one, () => HEARTBEATS),
  "heartbeats blocked everywhere": silence(all, () => HEARTBEATS),
  "all cables silent": silence(all),
  "all cables cut": carrier(all),
  "foreign host announces": {
    begin({ pair }) {
      pair.lab.instrument("client", ["announce", "eth0", LAN_ADDRESS]);
    },
  },
  "heartbeats replayed": {
    begin: ({ pair, fault }) => finished(pair, fault.detail as "lan" | "wan" | "clu", ["replay", "br0", "br0"]),
  },
  "flood of forged heartbeats": {
    begin: (blow) =>
      blow.fault.detail === "stolen"
        ? flood(blow, "clu0", "stolen", blow.pair.lab.mac(blow.side, "clu0"))
        : flood(blow, blow.fault.cable, blow.fault.detail, "-"),
  },
  "flood of false ARP": {
    begin: (blow) => flood(blow, "lan0", blow.fault.detail, blow.pair.lab.mac(blow.side, "lan0")),
  },
  "processor hogs": burden(() => Array.from({ length: PROCESSOR_HOGS }, () => ["sh", "-c", "while :; do :; done"])),
  "fsync storm": burden(({ node }) => [
    ["sh", "-c", 'while :; do dd if=/dev/zero of="$0" bs=64k count=16 conv=fsync; done', join(node.state, "storm")],
  ]),
};

/** Attackers take their time by themselves. */
const LASTS_BY_ITSELF: readonly Kind[] = ["heartbeats replayed", "flood of forged heartbeats", "flood of false ARP"];

/** Strikes, waits as long as the fault lasts, and mends. */
export async function strike(blow: Blow): Promise<void> {
  const { begin, end } = DEEDS[blow.fault.kind];
  await begin(blow);
  try {
    if (!LASTS_BY_ITSELF.includes(blow.fault.kind)) await Bun.sleep(blow.fault.duration_ms);
  } finally {
    await end?.(blow);
  }
}

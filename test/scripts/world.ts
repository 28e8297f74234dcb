/**
 * Two elections, three paths, two simulated kernels and one virtual clock: enough of the world to
 * write a failover down as text. A kernel answers ARP for the shared addresses while its node holds
 * them and its lease is live; at every step the world checks that never two answer in one domain.
 */
import { createHmac } from "node:crypto";
import { Election } from "../../src/core/election.ts";
import { DEFAULT_TUNING } from "../../src/core/tuning.ts";
import type { CoreConfiguration, Input, Output } from "../../src/core/types.ts";
import type { Tuning } from "../../src/heart/messages.ts";
import { emitArpAnnouncement, parseArp } from "../../src/wire/arp.ts";
import { equalBytes } from "../../src/wire/bytes.ts";
import { isHeartbeat } from "../../src/wire/heartbeat.ts";

const LATENCY_MS = 0.2;
/** Two nodes that both left the cluster are no cluster any more; they meet at the next word that either says. */
const DEPARTED_INTERVAL_MS = 1000;
const SLOTS = ["cluster", "lan", "wan"] as const;
const DATA_SLOTS = [1, 2];
/** What fits into the socket buffer of a node that does not read. */
const INBOX_MAX = 256;
const CLAIM_BYTE = 14;
const ADDRESSES = [
  { slot: 1, ip: Uint8Array.of(10, 1, 0, 1), text: "10.1.0.1" },
  { slot: 2, ip: Uint8Array.of(10, 2, 0, 1), text: "10.2.0.1" },
];

export type NodeName = "a" | "b";

interface SimulatedNode {
  name: NodeName;
  election: Election | null;
  /** A frozen machine does nothing; a hung one has a kernel that still answers. */
  state: "off" | "running" | "hung" | "frozen";
  inbox: Input[];
  wake_ms: number;
  term_floor: number;
  up: boolean[];
  /** The kernel's part. */
  holds: boolean;
  lease_until_ms: number;
  /** A node that left its cluster has no gate. */
  gated: boolean;
  maintenance: boolean;
}

interface Delivery {
  at_ms: number;
  to: SimulatedNode;
  slot: number;
  frame: Uint8Array;
}

const macOf = (name: NodeName, slot: number) => Uint8Array.of(2, 0, 0, 0, name === "a" ? 1 : 2, slot);
const authenticate = (bytes: Uint8Array) => createHmac("sha256", "a key").update(bytes).digest().subarray(0, 16);
/** Whole microseconds, so that sums of tenths print as what they are. */
const round = (time_ms: number) => Math.round(time_ms * 1000) / 1000;

export class World {
  readonly tuning: Tuning = { ...DEFAULT_TUNING };
  blocked = false;
  readonly #nodes: Record<NodeName, SimulatedNode> = { a: newNode("a"), b: newNode("b") };
  readonly #flying: Delivery[] = [];
  #now_ms = 0;
  #sessions = 100;
  #ids = 0;
  #owners = "none";
  /** Since when two nodes answer in one domain, after islands were joined: the spec's honest limit. */
  #overlap_since_ms: number | null = null;
  #joining = false;
  #lines: string[] = [];

  /** The lines written since the last call. */
  take(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  start(name: NodeName, how: { bootstrap?: boolean; departed?: boolean } = {}): void {
    const node = this.#nodes[name];
    node.holds = false;
    node.gated = how.departed !== true;
    node.lease_until_ms = Number.NEGATIVE_INFINITY;
    node.election = new Election(this.#configuration(node, how), this.#now_ms);
    node.state = "running";
    node.inbox = node.up.map((up, slot) => ({ type: "carrier", slot, up }));
    this.#step(node);
  }

  /** The cluster is destroyed on this node: it goes on alone, without a gate. */
  depart(name: NodeName): void {
    const node = this.#nodes[name];
    node.election?.reconfigure(this.#configuration(node, { departed: true }));
    node.gated = false;
    this.#step(node);
  }

  /** Somebody works on this node, or no more. */
  maintain(name: NodeName, on: boolean): void {
    const node = this.#nodes[name];
    node.maintenance = on;
    node.election?.reconfigure(this.#configuration(node, {}));
    this.#step(node);
  }

  #configuration(
    { name, term_floor, maintenance }: SimulatedNode,
    { bootstrap = false, departed = false },
  ): CoreConfiguration {
    const other = name === "a" ? "b" : "a";
    return {
      node: name === "a" ? 1 : 2,
      cluster: 0xc0ffee,
      authenticate,
      session: ++this.#sessions,
      peer_name: `node-${other}`,
      paths: SLOTS.map((nic, slot) => ({
        slot,
        nic,
        mac: macOf(name, slot),
        peer_mac: macOf(other, slot),
        heartbeat: true,
      })),
      addresses: ADDRESSES,
      gateways: [],
      tuning: { ...this.tuning },
      term_floor,
      settings_revision: 1,
      version: [0, 1, 0],
      build: 1,
      bootstrap,
      departed,
      maintenance,
    };
  }

  /** The process is gone; the kernel stays as it was. */
  kill(name: NodeName): void {
    const node = this.#nodes[name];
    node.term_floor = node.election?.term ?? node.term_floor;
    node.election = null;
    node.state = "off";
    node.inbox = [];
  }

  suspend(name: NodeName, state: "hung" | "frozen"): void {
    this.#nodes[name].state = state;
    this.#observe();
  }

  resume(name: NodeName): void {
    const node = this.#nodes[name];
    node.state = "running";
    this.#observe();
    this.#step(node);
  }

  input(name: NodeName, input: Input): void {
    const node = this.#nodes[name];
    node.inbox.push(input);
    if (node.state === "running") this.#step(node);
  }

  /** The answer is printed when it comes. */
  ask(name: NodeName, type: "switch" | "take-over" | "stop"): void {
    this.input(name, { type, id: ++this.#ids });
  }

  link(slot_name: string, names: NodeName[], up: boolean): void {
    const slot = SLOTS.indexOf(slot_name as (typeof SLOTS)[number]);
    if (slot < 0) throw new Error(`no path ${slot_name}`);
    this.#joining = up;
    for (const name of names) this.#nodes[name].up[slot] = up;
    this.#observe();
    for (const name of names) this.input(name, { type: "carrier", slot, up });
    this.#joining = false;
  }

  run(duration_ms: number): void {
    const end_ms = round(this.#now_ms + duration_ms);
    for (;;) {
      const next_ms = this.#nextTime();
      if (next_ms > end_ms) break;
      this.#now_ms = Math.max(this.#now_ms, next_ms);
      const due = this.#flying.filter((delivery) => delivery.at_ms <= this.#now_ms);
      for (const delivery of due) {
        this.#flying.splice(this.#flying.indexOf(delivery), 1);
        this.#deliver(delivery);
      }
      this.#observe();
      for (const node of Object.values(this.#nodes)) {
        if (node.state === "running" && (node.inbox.length > 0 || node.wake_ms <= this.#now_ms)) this.#step(node);
      }
    }
    this.#now_ms = end_ms;
    this.#observe();
  }

  status(): void {
    for (const { name, election, state } of Object.values(this.#nodes)) {
      if (election === null) {
        this.#lines.push(`${name}: off`);
        continue;
      }
      const heard = SLOTS.filter((_, slot) => election.pathHeard(slot)).join(" ") || "nothing";
      const alarms = election.alarms().map(({ code }) => code);
      const parts = [`${election.role}, term ${election.term}, hears ${heard}`];
      if (state !== "running") parts.push(state);
      if (alarms.length > 0) parts.push(`alarms: ${alarms.join(" ")}`);
      this.#lines.push(`${name}: ${parts.join("; ")}`);
    }
    this.#lines.push(`owner: ${this.#owners}`);
  }

  #nextTime(): number {
    let next_ms = Number.POSITIVE_INFINITY;
    for (const { at_ms } of this.#flying) next_ms = Math.min(next_ms, at_ms);
    for (const node of Object.values(this.#nodes)) {
      if (node.state === "running") next_ms = Math.min(next_ms, node.wake_ms);
      // The end of a lease is seen when it happens, not at the next frame.
      if (node.lease_until_ms > this.#now_ms) next_ms = Math.min(next_ms, node.lease_until_ms);
    }
    return next_ms;
  }

  #step(node: SimulatedNode): void {
    if (node.election === null) return;
    const inputs = node.inbox;
    node.inbox = [];
    const output = node.election.step(this.#now_ms, inputs);
    this.#obey(node, output);
    // A step never asks to be repeated at the same instant, or the world would stand still.
    node.wake_ms = Math.max(round(output.wake_ms), round(this.#now_ms + 0.001));
    this.#observe();
  }

  /** The order of duties in Output. */
  #obey(node: SimulatedNode, output: Output): void {
    node.holds = output.hold;
    if (!output.hold) node.lease_until_ms = Number.NEGATIVE_INFINITY;
    else if (output.open_lease) node.lease_until_ms = round(this.#now_ms + this.tuning.lease_ms);
    for (const { slot, frame } of output.frames) this.#transmit(node, slot, frame);
    for (const { code, message, outage_ms } of output.events)
      this.#line(`${node.name} ${code}: ${message}${outage_ms === undefined ? "" : ` (outage ${outage_ms} ms)`}`);
    for (const { id, failure } of output.answers)
      this.#line(`${node.name} answers ${id}: ${failure === null ? "done" : `${failure.code}: ${failure.message}`}`);
  }

  #transmit(from: SimulatedNode, slot: number, frame: Uint8Array): void {
    const live = !from.gated || this.#now_ms < from.lease_until_ms;
    if (isHeartbeat(frame)) {
      if (frame[CLAIM_BYTE] === 1 && live) from.lease_until_ms = round(this.#now_ms + this.tuning.lease_ms);
      if (this.blocked) return;
    } else if (parseArp(frame)?.sender_ip.some((byte) => byte !== 0) && !live) return;
    const to = from.name === "a" ? this.#nodes.b : this.#nodes.a;
    if (from.up[slot]) this.#flying.push({ at_ms: round(this.#now_ms + LATENCY_MS), to, slot, frame });
  }

  #deliver({ to, slot, frame }: Delivery): void {
    if (!to.up[slot]) return;
    const arp = parseArp(frame);
    if (arp?.operation === "request" && this.#answers(to, slot)) {
      const shared = ADDRESSES.find((address) => address.slot === slot && equalBytes(address.ip, arp.target_ip));
      if (shared !== undefined && !equalBytes(arp.sender_ip, shared.ip)) {
        const reply = emitArpAnnouncement(macOf(to.name, slot), shared.ip);
        reply.set(frame.subarray(6, 12), 0);
        reply[21] = 2;
        this.#transmit(to, slot, reply);
      }
    }
    if (to.election !== null && to.inbox.length < INBOX_MAX) to.inbox.push({ type: "frame", slot, frame });
  }

  /** The node's kernel would answer an ARP request for the shared address of `slot`. */
  #answers(node: SimulatedNode, slot: number): boolean {
    const open = !node.gated || this.#now_ms < node.lease_until_ms;
    return node.up[slot] === true && node.state !== "frozen" && node.holds && open;
  }

  /** Writes down a change of owner, and refuses two of them in one domain. */
  #observe(): void {
    const { a, b } = this.#nodes;
    const owners = DATA_SLOTS.map(
      (slot) =>
        [a, b]
          .filter((node) => this.#answers(node, slot))
          .map(({ name }) => name)
          .join("+") || "none",
    );
    const [lan = "none", wan = "none"] = owners;
    const text = lan === wan ? lan : `lan ${lan}, wan ${wan}`;
    if (text !== this.#owners) this.#line(`owner: ${text}`);
    this.#owners = text;
    if (!owners.includes("a+b")) {
      this.#overlap_since_ms = null;
      return;
    }
    if (this.#joining) this.#overlap_since_ms ??= this.#now_ms;
    const both_departed = [a, b].every(({ gated }) => !gated);
    const allowed_ms = (both_departed ? DEPARTED_INTERVAL_MS : this.tuning.interval_ms) + LATENCY_MS;
    if (this.#overlap_since_ms === null || this.#now_ms - this.#overlap_since_ms > allowed_ms)
      throw new Error(`two owners at ${this.#now_ms} ms\n${this.#lines.join("\n")}`);
  }

  #line(text: string): void {
    this.#lines.push(`${this.#now_ms.toFixed(1).padStart(8)} ${text}`);
  }
}

function newNode(name: NodeName): SimulatedNode {
  return {
    name,
    election: null,
    state: "off",
    inbox: [],
    wake_ms: Number.POSITIVE_INFINITY,
    term_floor: 0,
    up: [true, true, true],
    holds: false,
    lease_until_ms: Number.NEGATIVE_INFINITY,
    gated: true,
    maintenance: false,
  };
}

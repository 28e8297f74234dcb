/**
 * The heart: one process, one thread, one loop. It waits in the shim until a frame, a link event, a
 * word of the control process or its own deadline comes, gives all of it to the core in one step,
 * and carries out what the core answers. No promise, no timer, no callback, no disk.
 */
import { createHmac } from "node:crypto";
import { Election } from "../core/election.ts";
import type { CoreConfiguration, Input, Output } from "../core/types.ts";
import { sentence } from "../errors.ts";
import { NFNLGRP_NFTABLES, useGateSocket } from "../kernel/gate.ts";
import { parseAddress, parsePrefixed } from "../kernel/ip.ts";
import { RTNLGRP } from "../kernel/links.ts";
import { type Handle, openShim, RECORD, type Shim } from "../shim.ts";
import { BUILD, VERSION } from "../version.ts";
import { macBytes } from "../wire/bytes.ts";
import type { Authenticator } from "../wire/heartbeat.ts";
import { Body } from "./body.ts";
import { DIRECTION } from "./cells.ts";
import { ControlLine } from "./control.ts";
import { HandOn } from "./hand-on.ts";
import { readRecords, type ShimRecord } from "./inbox.ts";
import type { ClusterConfiguration, HeartConfiguration, HeartEvent, Report, ToHeart } from "./messages.ts";
import { Recorder } from "./recorder.ts";
import { takeSnapshot } from "./snapshot.ts";
import { Watchdog } from "./watchdog.ts";

const INBOX_BYTES = 1 << 20;
const NETLINK_ROUTE = 0;
const NETLINK_NETFILTER = 12;
const REALTIME_PRIORITY = 40;
const SNAPSHOT_INTERVAL_MS = 200;
const CONTROL_HUNG_MS = 5000;
const GATE_CHECK_INTERVAL_MS = 5000;
/** A configuration that the kernel refused (an interface is missing, a predecessor still dies) is tried again. */
const CONFIGURE_RETRY_MS = 500;
const REFUSAL_REPEAT_MS = 60_000;
/** A signal's or an orphan's stop has no caller to answer. */
const NOBODY = -1;

export interface HeartOptions {
  /** The descriptor of the socket that is to own the gate, as the control process gave it. */
  gate_socket: string | undefined;
  /** The device of the watchdog. */
  watchdog: string | undefined;
}

export function runHeart({ gate_socket, watchdog }: HeartOptions): never {
  const shim = openShim();
  if (gate_socket !== undefined) useGateSocket(shim, Number(gate_socket));
  const heart = new Heart(shim, watchdog);
  for (;;) heart.turn();
}

class Heart {
  readonly #shim: Shim;
  readonly #inbox = new Uint8Array(INBOX_BYTES);
  readonly #control: ControlLine;
  readonly #body: Body;
  readonly #recorder = new Recorder();
  readonly #hand_on: HandOn;
  /** The subscription to changes of the firewall. */
  readonly #firewall: Handle;
  #configuration: HeartConfiguration | null = null;
  #election: Election | null = null;
  #wake_ms = 0;
  #snapshot_ms = 0;
  #shown_role = "";
  #alive_ms: number;
  #hung = false;
  #impaired = false;
  #unfit: string | null = null;
  #gate_check_ms = 0;
  #ending = false;
  #refusal = "";
  #refused_ms = 0;
  #configured = true;
  #configure_ms = 0;
  #stop_id: number | null = null;
  readonly #realtime: boolean;
  readonly #memory_locked: boolean;
  readonly #watchdog: Watchdog | null;

  constructor(shim: Shim, watchdog: string | undefined) {
    this.#shim = shim;
    this.#control = new ControlLine(shim);
    const report: Report = (code, severity, message) => this.#event(code, severity, message);
    this.#body = new Body(shim, report, this.#recorder);
    this.#hand_on = new HandOn(this.#recorder, this.#control, () => this.#body.ports());
    this.#watchdog = watchdog === undefined ? null : new Watchdog(shim, watchdog, report);
    shim.watchSignals(["SIGTERM", "SIGINT", "SIGHUP", "SIGPIPE"]);
    shim.subscribe(NETLINK_ROUTE, [RTNLGRP.link, RTNLGRP.ipv4_address, RTNLGRP.ipv6_address]);
    this.#firewall = shim.subscribe(NETLINK_NETFILTER, [NFNLGRP_NFTABLES]);
    this.#realtime = this.#try("real-time priority", () => shim.realtime(REALTIME_PRIORITY));
    this.#memory_locked = this.#try("locked memory", () => shim.lockMemory());
    this.#alive_ms = shim.now();
  }

  /** One turn: wait, gather, step, act. */
  turn(): void {
    const length = this.#shim.wait(this.#inbox, Math.max(0, this.#wake_ms - this.#shim.now()));
    const inputs = this.#body.lateness();
    for (const record of readRecords(this.#inbox, length)) this.#take(record, inputs);
    const now_ms = this.#shim.now();
    this.#watchControl(now_ms, inputs);
    // Once a turn: a large change of the firewall comes in many pieces.
    if (this.#body.gate_doubtful || now_ms - this.#gate_check_ms >= GATE_CHECK_INTERVAL_MS) {
      this.#gate_check_ms = now_ms;
      inputs.push(...this.#body.checkGate());
    }
    this.#act(() => this.#body.checkAddresses(now_ms));
    this.#retryConfiguration(now_ms, inputs);
    const election = this.#election;
    this.#wake_ms = now_ms + SNAPSHOT_INTERVAL_MS;
    if (election !== null) {
      const output = election.step(now_ms, inputs);
      this.#act(() => this.#body.apply(output, now_ms));
      this.#record(now_ms, inputs, output);
      for (const event of output.events) this.#control.event(event);
      for (const { id, failure } of output.answers) {
        if (id === this.#stop_id) this.#ending = true;
        else this.#control.reply(id, failure);
      }
      this.#wake_ms = Math.min(this.#wake_ms, output.wake_ms);
    }
    this.#show(now_ms);
    this.#watchdog?.feed(now_ms);
    this.#recorder.settle(now_ms);
    this.#hand_on.turn(now_ms);
    this.#control.flush();
    const released = !this.#body.is_busy;
    if (released && (this.#ending || (this.#stop_id !== null && election === null))) this.#end();
  }

  #take(record: ShimRecord, inputs: Input[]): void {
    switch (record.kind) {
      case RECORD.frame: {
        const slot = this.#body.slotOf(record.source);
        if (slot !== undefined) inputs.push({ type: "frame", slot, frame: record.payload });
        return;
      }
      case RECORD.netlink:
        if (record.source === this.#firewall) this.#body.firewallChanged(record.payload);
        else inputs.push(...this.#body.networkChanged(record.payload));
        return;
      case RECORD.input:
        for (const message of this.#control.take(record)) this.#hear(message, inputs);
        if (this.#control.ended) this.#stop(NOBODY, inputs);
        return;
      case RECORD.signal:
        if (record.source !== 13) this.#stop(NOBODY, inputs);
        return;
      case RECORD.done:
        return this.#act(() => this.#body.worked(Buffer.from(record.payload).toString()));
      case RECORD.failed:
        inputs.push(...this.#body.captureFailed(record.source));
        return;
    }
  }

  /** Once everything has been done: what came in, and what the core thought of it. */
  #record(now_ms: number, inputs: readonly Input[], { events, verdicts }: Output): void {
    this.#recorder.happened(events, now_ms);
    let heard = 0;
    for (const input of inputs) {
      if (input.type !== "frame") continue;
      const { slot, frame } = input;
      this.#recorder.frame(now_ms, slot, DIRECTION.in, verdicts[heard++] ?? "no-matter", frame, 0, frame.length);
    }
  }

  #hear(message: ToHeart, inputs: Input[]): void {
    switch (message.type) {
      case "alive":
        this.#alive_ms = this.#shim.now();
        this.#unfit = message.unfit ?? null;
        return;
      case "configure":
        this.#configuration = message.configuration;
        this.#act(() => this.#configure(message.configuration, inputs));
        if (message.id !== undefined) this.#control.reply(message.id, null);
        return;
      case "revision":
        return this.#takeRevision(message.settings_revision);
      case "stop":
        return this.#stop(message.id, inputs);
      case "switch":
      case "take-over":
        if (this.#election === null)
          this.#control.reply(message.id, {
            code: "standalone",
            message: "This node is in no cluster; there is nobody to switch to.",
          });
        else inputs.push({ type: message.type, id: message.id });
    }
  }

  #configure(configuration: HeartConfiguration, inputs: Input[]): void {
    const election = this.#election;
    const goes_on = election !== null && isSameCluster(election.configuration, configuration);
    this.#configured = false;
    this.#configure_ms = this.#shim.now();
    this.#election = null;
    if (!goes_on) inputs.length = 0;
    const carriers = this.#body.configure(
      configuration,
      configuration.bootstrap === true || (goes_on && this.#body.held),
    );
    this.#configured = true;
    if (configuration.cluster === undefined) return;
    const core = this.#coreConfiguration(configuration, configuration.cluster);
    if (goes_on) {
      election.reconfigure(core);
      this.#election = election;
    } else {
      this.#election = new Election(core, this.#shim.now());
    }
    inputs.push(...carriers);
  }

  #takeRevision(settings_revision: number): void {
    if (this.#configuration !== null) this.#configuration.settings_revision = settings_revision;
    if (this.#election !== null) this.#election.configuration = { ...this.#election.configuration, settings_revision };
  }

  #retryConfiguration(now_ms: number, inputs: Input[]): void {
    const configuration = this.#configuration;
    if (this.#configured || configuration === null || now_ms - this.#configure_ms < CONFIGURE_RETRY_MS) return;
    // Bootstrapping was for the moment of creation; a late start listens first.
    this.#act(() => this.#configure({ ...configuration, bootstrap: false }, inputs));
  }

  #coreConfiguration(configuration: HeartConfiguration, cluster: ClusterConfiguration): CoreConfiguration {
    const { interfaces } = configuration;
    const enabled = interfaces.filter((entry) => entry.enabled);
    // A node that left its cluster may have got interfaces since, which lead to no peer.
    const matched = enabled.filter(({ peer_mac }) => peer_mac !== undefined || !cluster.departed);
    const [major = 0, minor = 0, patch = 0] = VERSION.split(".").map(Number);
    return {
      node: cluster.node,
      cluster: Number.parseInt(cluster.id, 16),
      authenticate: authenticator(cluster.key),
      session: randomSession(),
      peer_name: cluster.peer_name,
      paths: [
        {
          slot: 0,
          nic: cluster.nic,
          mac: macBytes(this.#body.macOf(0)),
          peer_mac: macBytes(cluster.peer_mac),
          heartbeat: true,
        },
        ...matched.map(({ slot, nic, peer_mac, heartbeat }) => ({
          slot,
          nic,
          mac: macBytes(this.#body.macOf(slot)),
          peer_mac: this.#body.peerMac(peer_mac),
          heartbeat,
        })),
      ],
      addresses: enabled.flatMap(({ slot, addresses }) =>
        addresses.map((text) => ({ slot, ip: parsePrefixed(text).bytes, text: text.split("/")[0] ?? text })),
      ),
      gateways: enabled.flatMap(({ slot, gateways }) =>
        gateways.map((text) => ({ slot, ip: parseAddress(text), text })),
      ),
      tuning: cluster.tuning,
      term_floor: configuration.term_floor,
      settings_revision: configuration.settings_revision,
      version: [major, minor, patch],
      build: BUILD,
      bootstrap: configuration.bootstrap === true,
      departed: cluster.departed,
      maintenance: cluster.maintenance,
    };
  }

  #watchControl(now_ms: number, inputs: Input[]): void {
    const hung = now_ms - this.#alive_ms >= CONTROL_HUNG_MS;
    if (hung && !this.#hung)
      this.#event(
        "control-hung",
        "error",
        "The control process does not answer; this node hands over if its peer is ready.",
      );
    this.#hung = hung;
    const impaired = hung || this.#unfit !== null;
    if (impaired === this.#impaired) return;
    this.#impaired = impaired;
    inputs.push({
      type: "impaired",
      impaired,
      ...(hung || this.#unfit === null ? {} : { reason: this.#unfit }),
    });
  }

  #stop(id: number, inputs: Input[]): void {
    if (this.#stop_id !== null) return;
    this.#stop_id = id;
    inputs.push({ type: "stop", id });
  }

  #end(): never {
    if (this.#stop_id !== null && this.#stop_id !== NOBODY) this.#control.reply(this.#stop_id, null);
    this.#control.flush();
    process.exit(0);
  }

  #show(now_ms: number): void {
    if (this.#configuration === null) return;
    const role = this.#election?.role ?? "standalone";
    if (role === this.#shown_role && now_ms - this.#snapshot_ms < SNAPSHOT_INTERVAL_MS) return;
    this.#shown_role = role;
    this.#snapshot_ms = now_ms;
    const { addresses, gate } = { addresses: this.#body.addresses(this.#configuration), gate: this.#body.gateState };
    this.#control.snapshot(
      takeSnapshot(this.#configuration, this.#election, {
        addresses,
        gate,
        realtime: this.#realtime,
        memory_locked: this.#memory_locked,
        watchdog: this.#watchdog?.status ?? null,
      }),
    );
  }

  #event(code: string, severity: HeartEvent["severity"], message: string): void {
    this.#control.event({ code, severity, message, at_ms: this.#shim.now() });
  }

  /** A kernel that refuses is an event, not the end: heartbeats go on, and the peer sees how this node is. */
  #act(work: () => void): void {
    try {
      work();
    } catch (error) {
      const message = `${sentence(error)}.`;
      const now_ms = this.#shim.now();
      // What is tried again twice a second must not push everything else out of the events.
      if (message === this.#refusal && now_ms - this.#refused_ms < REFUSAL_REPEAT_MS) return;
      this.#refusal = message;
      this.#refused_ms = now_ms;
      this.#event("kernel-refused", "error", message);
    }
  }

  #try(what: string, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.#event(
        "not-privileged",
        "warning",
        `The heartbeat runs without ${what}: ${sentence(error)}. A loaded machine may delay it.`,
      );
      return false;
    }
  }
}

/** The same cluster, seen from the same node: what was agreed at pairing has not changed. */
function isSameCluster(core: CoreConfiguration, { cluster }: HeartConfiguration): boolean {
  return cluster !== undefined && Number.parseInt(cluster.id, 16) === core.cluster && cluster.node === core.node;
}

/** HMAC-SHA256 under the cluster's key, cut to 128 bits. */
function authenticator(key_hex: string): Authenticator {
  const key = Buffer.from(key_hex, "hex");
  return (bytes) => createHmac("sha256", key).update(bytes).digest().subarray(0, 16);
}

/** 52 random bits, never 0. */
function randomSession(): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (high & 0xf_ffff) * 0x1_0000_0000 + low + 1;
}

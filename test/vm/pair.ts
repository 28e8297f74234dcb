/**
 * Two machines and the networks between them, from blank disks to a cluster, as two people do it: one at the console
 * of the future backup, the other one at a browser in the LAN.
 */
import { join } from "node:path";
import type { Status } from "../../src/control/node.ts";
import { leadInto } from "../lab/doorway.ts";
import type { Instrument, ProbeReport } from "../lab/instrument.ts";
import { until } from "../lab/shell.ts";
import { CLIENT_ADDRESS, ECHO_PORT, HOST_ADDRESS, LAN_ADDRESS, WAN_ADDRESS } from "../lab/topology.ts";
import { Browser } from "../web/browser.ts";
import { WATCH } from "./network.ts";
import { ANSWER_MS_MAX, BOOT_MS_MAX, type VmNode } from "./node.ts";
import type { MachineOptions } from "./vm.ts";
import { World } from "./world.ts";

/**
 * Timings for two machines in software emulation on two processors that others use too. The defaults are made for real
 * ones: there a heartbeat is late by a millisecond at times, here the whole machine stands still for half a second.
 */
export const TIMINGS = {
  interval_ms: 100,
  lease_ms: 2000,
  detect_floor_ms: 2100,
  detect_ceiling_ms: 6000,
};

export const CABLES = ["lan0", "wan0", "clu0"] as const;
const NETWORKS = { lan0: "lan", wan0: "wan", clu0: "clu" };
/** A mended link counts as healthy, and the cluster network as trusted, after two seconds. */
export const SETTLE_MS = 3000;
const FLOWING_MS = 500;
/** Each question costs an emulated processor a tenth of a millisecond and more. */
const PACE_MS = 5;
/** From the start of a machine to its web interface, with the other one beside it. */
const SERVING_MS_MAX = 180_000;

interface NetworkCard {
  nic: string;
  mac: string;
}

export type Side = "a" | "b";

export class VmPair {
  readonly world: World;
  readonly a: VmNode;
  readonly b: VmNode;
  #watching: { probe: Instrument; lan: Instrument } | null = null;
  readonly browser: Browser;
  /** Which node is active, as far as the story has brought it. */
  active: Side = "a";
  session = "";
  /** The name in the machine of each card of node a, by its cable. */
  readonly nics: Record<string, string> = {};

  constructor(name: string, image: string, options: MachineOptions = {}) {
    this.world = new World(name);
    for (const network of Object.values(NETWORKS)) this.world.addNetwork(network);
    const { networks } = this.world;
    this.world.addHost({
      name: "client",
      network: "lan",
      addresses: [`${CLIENT_ADDRESS}/24`],
      gateways: [LAN_ADDRESS],
    });
    this.world.addHost({ name: "host", network: "wan", addresses: [`${HOST_ADDRESS}/24`], gateways: [WAN_ADDRESS] });
    this.a = this.world.addNode("a", NETWORKS, { image, ...options });
    this.b = this.world.addNode("b", NETWORKS, { image, ...options });
    const socket = join(this.world.directory, "browser.sock");
    leadInto(networks, { socket });
    this.browser = new Browser(socket, `https://${LAN_ADDRESS}`);
  }

  node(side: Side): VmNode {
    return this[side];
  }

  get backup(): Side {
    return this.active === "a" ? "b" : "a";
  }

  // ── the way to a cluster ──

  /** S16, at the console of the future backup. */
  async joinByConsole(): Promise<void> {
    const { b } = this;
    await b.talk(["second node (backup) of a", "y"]);
    await b.choose(b.mac("clu0"));
    await b.talk(
      ["Create the cluster on", "y"],
      ["Change server name?", "y"],
      ["Enter the new server name (2 to 42 characters)", "node-b"],
    );
    await b.expectConsole("3,600 seconds are allowed");
  }

  /** The LAN side of the future active node, at its console: from then on a browser in the LAN reaches it. */
  async configureByConsole(): Promise<void> {
    const { a } = this;
    await a.talk(["second node (backup) of a", "n"]);
    await a.choose("Configure an interface");
    await a.choose(a.mac("lan0"));
    await a.choose("internal");
    await a.talk(
      ["Addresses of", `${LAN_ADDRESS}/24`],
      ["IPv4 gateway", "-"],
      ["to be enabled?", "y"],
      ["Name servers", "-"],
      ["Apply these settings?", "y"],
    );
    await a.expectConsole("was configured");
  }

  /** The rest of its settings, in the browser. */
  async configureByBrowser(): Promise<void> {
    const { browser, a } = this;
    await until(
      "the web interface answers",
      async () => (await browser.ask("GET", "/public"))?.status === 200,
      SERVING_MS_MAX,
    );
    this.session = await browser.login();
    const cards = await this.value<NetworkCard[]>("GET", "/cards");
    for (const cable of CABLES) this.nics[cable] = nicOf(cards, a.mac(cable));
    const wan = { role: "external", addresses: [`${WAN_ADDRESS}/24`], gateway: HOST_ADDRESS };
    await this.change({ "server.name": "node-a", [`interfaces.${this.nics["wan0"]}`]: wan, cluster: TIMINGS });
  }

  /** S18: the other node found on the reserved card, its code, the cards matched and tested. */
  async createByBrowser(): Promise<void> {
    const { a, b } = this;
    const card = this.nics["clu0"];
    const { peer } = await this.value<{ peer: { cards: NetworkCard[] } }>("POST", "/cluster/search", {
      interface: card,
    });
    const [, code] = await b.expectConsole(/The code is (\d{6})/);
    await this.value("POST", "/cluster/code", { code });
    const matches = ["lan0", "wan0"].map((cable) => ({
      mine: this.nics[cable],
      theirs: nicOf(peer.cards, b.mac(cable)),
    }));
    for (const match of matches) await this.value("POST", "/cluster/test", match);
    await this.value("POST", "/cluster/apply", { matches });
    this.watch();
  }

  /** All of it, on two machines whose menus ask. */
  async form(): Promise<void> {
    await this.joinByConsole();
    await this.configureByConsole();
    await this.configureByBrowser();
    await this.createByBrowser();
    await this.untilSteady("a");
  }

  // ── what is true of it ──

  /** Traffic begins, and on each network and at each end somebody watches; not before it is due, because it costs. */
  watch(): void {
    const { world } = this;
    const paced = (...words: string[]) => ["every", String(PACE_MS), ...words];
    const port = String(ECHO_PORT);
    world.instrument("host", ["echo", port]);
    const probe = world.instrument("client", paced("probe", HOST_ADDRESS, port));
    const lan = world.watch("LAN owners", "room", paced("observe", WATCH("lan"), LAN_ADDRESS));
    world.watch("WAN owners", "room", paced("observe", WATCH("wan"), WAN_ADDRESS));
    world.watch("from LAN to WAN", "host", ["watch", "eth0", port]);
    world.watch("from WAN to LAN", "client", ["watch", "eth0", port]);
    this.#watching = { probe, lan };
  }

  get probe(): Instrument {
    return this.#watched.probe;
  }

  /** Who answers for the LAN's address. */
  get observer(): Instrument {
    return this.#watched.lan;
  }

  get #watched(): { probe: Instrument; lan: Instrument } {
    if (this.#watching === null) throw new Error("Nobody watches this pair yet.");
    return this.#watching;
  }

  async status(): Promise<Status | null> {
    const answer = await this.browser.ask("GET", "/status", { session: this.session });
    return answer?.status === 200 ? (answer.value as Status) : null;
  }

  async value<T>(method: string, path: string, body?: unknown): Promise<T> {
    return await this.browser.value<T>(method, path, {
      session: this.session,
      ...(body === undefined ? {} : { body }),
    });
  }

  async change(set: Record<string, unknown>): Promise<void> {
    await this.value("PATCH", "/settings", { set });
  }

  /** One active, the other one its backup on every path and with the same settings; traffic flows. */
  async untilSteady(active: Side, limit_ms = BOOT_MS_MAX): Promise<void> {
    let last = "no answer";
    const holds = async () => {
      const status = await this.status();
      if (status !== null) last = summaryOf(status);
      return (
        status?.name === `node-${active}` &&
        status.role === "active" &&
        status.operational &&
        status.peer?.role === "backup" &&
        status.paths.every(({ heard }) => heard) &&
        status.sync?.state === "in-sync"
      );
    };
    await until(`node ${active} is active with its backup`, holds, limit_ms).catch(async (error: Error) => {
      throw new Error(`${error.message}\nThe last status: ${last}\n${await this.explain()}`);
    });
    await this.untilTraffic();
    this.active = active;
  }

  async untilTraffic(): Promise<void> {
    const flows = async () => (await this.probe.report<ProbeReport>()).since_answer_ms < FLOWING_MS;
    await until("traffic flows", flows, ANSWER_MS_MAX);
  }

  /** The answer may come too late for the address that it would leave from. */
  async switchOver(): Promise<void> {
    const code = await this.browser.codeOf("POST", "/cluster/switch", { session: this.session });
    if (!["200", "no answer"].includes(code)) throw new Error(`The switch was refused: ${code}`);
  }

  /** The other node is active, whether this one is there or not. */
  async untilActive(side: Side): Promise<void> {
    await this.node(side).untilPanel("ACTIVE");
    await this.untilTraffic();
    this.active = side;
  }

  mark(): void {
    this.probe.mark();
    this.world.judge.mark();
  }

  async outage_ms(): Promise<number> {
    return (await this.probe.report<ProbeReport>()).gap_ms;
  }

  /** Throws where an address had another owner than the `changes` that were due explain. */
  async judge(changes: number): Promise<void> {
    const offences = await this.world.judge.offences(changes);
    if (offences.length > 0) throw new Error(`Two owners.\n${offences.join("\n")}\n${await this.explain()}`);
  }

  /** What the active node has to say, for a failure's text. */
  async explain(): Promise<string> {
    const answer = await this.browser.ask("GET", "/events?last=12", { session: this.session });
    const events = answer?.status === 200 ? (answer.value as { at: string; code: string; message: string }[]) : [];
    const panels = [this.a, this.b].map((node) => `${node.vm.name} ${node.role}`).join(", ");
    return [panels, ...events.map(({ at, code, message }) => `  ${at} ${code}: ${message}`)].join("\n");
  }

  /** Settled, then something happens, and `after` is the active node without a second owner at any time. */
  async scenario(after: Side, changes: number, work: () => Promise<void>): Promise<number> {
    await this.untilSteady(this.active);
    await Bun.sleep(SETTLE_MS);
    this.mark();
    await Bun.sleep(200);
    await work();
    await this.untilActive(after);
    await this.judge(changes);
    return await this.outage_ms();
  }

  remove(): void {
    this.world.remove();
  }
}

function nicOf(cards: NetworkCard[], mac: string): string {
  const card = cards.find((each) => each.mac.toLowerCase() === mac.toLowerCase());
  if (card === undefined) throw new Error(`There is no card with the MAC ${mac}: ${JSON.stringify(cards)}`);
  return card.nic;
}

function summaryOf({ name, role, reason, peer, paths, sync }: Status): string {
  const heard = paths.map((path) => `${path.nic} ${path.heard ? "heard" : "silent"}`).join(", ");
  return `${name} ${role}, peer ${peer?.role ?? "none"}, ${heard}, ${sync?.state ?? "no sync"}, ${reason ?? "operational"}`;
}

/** A lab with a pair in it: node a active, node b its backup, traffic running, observers watching. */
import { type Instrument, type ObserverReport, type ProbeReport, twoOwners } from "./instrument.ts";
import { until } from "./shell.ts";
import { ECHO_PORT, HOST_ADDRESS, LAN_ADDRESS, Lab, type Side, WAN_ADDRESS } from "./topology.ts";

export const SETTINGS = {
  server: { name: "node-a" },
  interfaces: [
    { nic: "lan0", role: "internal", addresses: [`${LAN_ADDRESS}/24`, "fd00:1::1/64"] },
    { nic: "wan0", role: "external", addresses: [`${WAN_ADDRESS}/24`], gateway: HOST_ADDRESS },
  ],
};

export class Pair {
  readonly lab = new Lab();
  readonly a = this.lab.nodes.a;
  readonly b = this.lab.nodes.b;
  readonly probe: Instrument;
  readonly #observers: { where: string; instrument: Instrument }[];

  private constructor(observed: boolean) {
    this.lab.instrument("host", ["echo", String(ECHO_PORT)]);
    this.probe = this.lab.instrument("client", ["probe", HOST_ADDRESS, String(ECHO_PORT)]);
    this.#observers = observed
      ? [
          { where: "LAN", instrument: this.lab.instrument("client", ["observe", "eth0", LAN_ADDRESS]) },
          { where: "WAN", instrument: this.lab.instrument("host", ["observe", "eth0", WAN_ADDRESS]) },
        ]
      : [];
  }

  static async make(options: { cluster?: Record<string, unknown>; observed?: boolean } = {}): Promise<Pair> {
    const pair = new Pair(options.observed ?? true);
    const { a, b } = pair;
    await Promise.all([a.start(), b.start()]);
    const settings = options.cluster === undefined ? SETTINGS : { ...SETTINGS, cluster: options.cluster };
    a.command(["settings", "import", "-"], JSON.stringify(settings));
    const joining = b.commandLater(["cluster", "join", "--interface", "clu0", "--name", "node-b", "--skip-code"]);
    await until("node b joins", async () => (await b.role()) === "joining");
    await a.commandLater([
      "cluster",
      "create",
      "--interface",
      "clu0",
      "--match",
      "lan0=lan0",
      "--match",
      "wan0=wan0",
      "--skip-code",
    ]);
    await joining;
    await pair.untilSteady("a");
    return pair;
  }

  node(side: Side) {
    return side === "a" ? this.a : this.b;
  }

  /** One node active, the other its backup, both agreeing, traffic flowing. */
  async untilSteady(active: Side): Promise<void> {
    const backup = active === "a" ? "b" : "a";
    await this.node(active).untilRole("active");
    await this.node(backup).untilRole("backup");
    await until("both hear each other", async () => {
      const all = await Promise.all([this.a.status(), this.b.status()]);
      return all.every((status) => status?.operational === true && status.paths.every((path) => path.heard));
    });
    await this.untilTraffic();
  }

  async untilTraffic(): Promise<void> {
    await until("traffic flows", async () => (await this.probe.report<ProbeReport>()).since_answer_ms < 50);
  }

  mark(): void {
    this.probe.mark();
    for (const { instrument } of this.#observers) instrument.mark();
  }

  async outage_ms(): Promise<number> {
    return (await this.probe.report<ProbeReport>()).gap_ms;
  }

  /** Throws where the observers saw more owners than the changes that were due. */
  async judge(changes: number): Promise<void> {
    for (const { where, instrument } of this.#observers) {
      const report = await instrument.report<ObserverReport>();
      const violation = twoOwners(report, changes);
      if (violation !== null) {
        throw new Error(`Two owners on the ${where}: ${violation}\nnode a:\n${this.a.log()}\nnode b:\n${this.b.log()}`);
      }
    }
  }

  async remove(): Promise<void> {
    this.lab.remove();
  }
}

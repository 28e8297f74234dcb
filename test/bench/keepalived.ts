/** keepalived (Debian's) in the same lab: two instances in one sync group, as its users set it up. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProbeReport } from "../lab/instrument.ts";
import { Judge } from "../lab/judge.ts";
import { sh, until } from "../lab/shell.ts";
import { ECHO_PORT, HOST_ADDRESS, LAN_ADDRESS, Lab, type Side, WAN_ADDRESS } from "../lab/topology.ts";

const OWN = { a: 2, b: 3 } as const;

export class KeepalivedPair {
  readonly lab = new Lab();
  readonly judge = new Judge(this.lab.directory);
  readonly probe;
  readonly #advert_s: string;

  constructor(advert_s: string) {
    this.#advert_s = advert_s;
    process.once("exit", () => this.remove());
    this.lab.instrument("host", ["echo", String(ECHO_PORT)]);
    this.probe = this.lab.instrument("client", ["probe", HOST_ADDRESS, String(ECHO_PORT)]);
    this.judge.watch("LAN owners", this.lab.instrument("lan", ["observe", "watch0", LAN_ADDRESS]));
    for (const side of ["a", "b"] as const) {
      const inside = (words: string[]) => sh(this.lab.inside(side, words));
      inside(["ip", "addr", "add", `10.1.0.${OWN[side]}/24`, "dev", "lan0"]);
      inside(["ip", "addr", "add", `10.2.0.${OWN[side]}/24`, "dev", "wan0"]);
      inside(["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
      const rule =
        "table ip nat {\nchain post { type nat hook postrouting priority 100; oif wan0 snat to 10.2.0.1; }\n}";
      sh(this.lab.inside(side, ["nft", "-f", "-"]), { input: rule });
    }
  }

  async start(side: Side): Promise<void> {
    const directory = join(this.lab.directory, side);
    mkdirSync(directory, { recursive: true });
    const instance = (name: string, nic: string, id: number, address: string) => `vrrp_instance ${name} {
  state BACKUP
  nopreempt
  interface ${nic}
  virtual_router_id ${id}
  priority ${side === "a" ? 150 : 100}
  advert_int ${this.#advert_s}
  virtual_ipaddress {
    ${address}/24
  }
}`;
    const text = `global_defs {
  vrrp_version 3
  router_id ${side}
}
vrrp_sync_group pair {
  group {
    lan
    wan
  }
}
${instance("lan", "lan0", 51, LAN_ADDRESS)}
${instance("wan", "wan0", 52, WAN_ADDRESS)}
`;
    writeFileSync(join(directory, "keepalived.conf"), text);
    const file = (name: string) => join(directory, name);
    sh(
      this.lab.inside(side, [
        "keepalived",
        "-f",
        file("keepalived.conf"),
        "-p",
        file("main.pid"),
        "-r",
        file("vrrp.pid"),
        "-P",
      ]),
    );
    await until("keepalived runs", () => this.#pids(side).length === 2);
  }

  #pids(side: Side): number[] {
    return ["main.pid", "vrrp.pid"]
      .map((name) => join(this.lab.directory, side, name))
      .filter((path) => existsSync(path))
      .map((path) => Number(readFileSync(path, "utf8")))
      .filter((pid) => pid > 0 && existsSync(`/proc/${pid}`));
  }

  holds(side: Side): boolean {
    return sh(this.lab.inside(side, ["ip", "-4", "addr", "show", "dev", "lan0"])).includes(`${LAN_ADDRESS}/`);
  }

  signal(side: Side, name: NodeJS.Signals): void {
    for (const pid of this.#pids(side)) process.kill(pid, name);
  }

  freeze(side: Side): void {
    // In the order in which ours are frozen: what its processes still say is dropped already.
    this.lab.node(side).dropEverything();
    this.signal(side, "SIGSTOP");
  }

  async stop(side: Side): Promise<void> {
    const [main] = this.#pids(side);
    if (main !== undefined) process.kill(main, "SIGTERM");
    await until("keepalived ended", () => this.#pids(side).length === 0);
  }

  mark(): void {
    this.probe.mark();
    this.judge.mark();
  }

  async untilTraffic(): Promise<void> {
    await until("traffic flows", async () => (await this.probe.report<ProbeReport>()).since_answer_ms < 50, 30_000);
  }

  remove(): void {
    for (const side of ["a", "b"] as const) this.signal(side, "SIGKILL");
    this.lab.remove();
  }
}

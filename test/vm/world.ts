/**
 * A world of virtual machines:
 *
 *   const world = new World("story");
 *   for (const network of ["lan", "wan", "clu"]) world.addNetwork(network);
 *   world.addHost({ name: "client", network: "lan", addresses: ["10.1.0.10/24"], gateways: ["10.1.0.1"] });
 *   const a = world.addNode("a", { lan0: "lan", wan0: "wan", clu0: "clu" });
 *   await a.start();
 *   await a.expectConsole("Shall this server be the second node");
 *   world.remove();
 *
 * Everything is software emulation on processors that others use too: limits are generous, and no test
 * depends on how long something took.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Instrument } from "../lab/instrument.ts";
import { Judge } from "../lab/judge.ts";
import { removeWithTheProgram, type Site, takeSite } from "../lab/site.ts";
import { copyImage } from "./disk.ts";
import { demandTaps, type Host, Networks } from "./network.ts";
import { VmNode } from "./node.ts";
import type { MachineOptions } from "./vm.ts";

const TRANSCRIPTS = join(import.meta.dir, "../../build/reports/vm");
/** Larger than the image, so that the data partition has to grow. */
const DISK_BYTES = 2 * 1024 ** 3;

export interface NodeOptions extends MachineOptions {
  image: string;
  disk_bytes?: number;
}

export class World {
  readonly #site: Site = takeSite();
  readonly #networks: Networks;
  readonly #name: string;
  readonly #nodes: VmNode[] = [];
  readonly judge: Judge;

  constructor(name: string) {
    demandTaps();
    mkdirSync(TRANSCRIPTS, { recursive: true });
    this.#name = name;
    this.#networks = new Networks(this.#site);
    this.judge = new Judge(this.#site.directory);
    removeWithTheProgram(this);
  }

  get directory(): string {
    return this.#site.directory;
  }

  get networks(): Networks {
    return this.#networks;
  }

  addNetwork(name: string): void {
    this.#networks.addNetwork(name);
  }

  addHost(host: Host): void {
    this.#networks.addHost(host);
  }

  /** A machine that is off, with a blank disk; `cables` says into which network each of its cards goes. */
  addNode(name: string, cables: Record<string, string>, { image, disk_bytes, ...options }: NodeOptions): VmNode {
    const number = this.#nodes.length + 10;
    const cards = Object.entries(cables).map(([cable, network], index) => {
      const tap = `${name}-${cable}`;
      this.#networks.addTap(tap, network);
      return { cable, tap, mac: `52:54:00:00:${number}:${10 + index}` };
    });
    const disk = join(this.#site.directory, `${name}.img`);
    copyImage(image, disk, disk_bytes ?? DISK_BYTES);
    const transcript = join(TRANSCRIPTS, `${this.#name}-${name}.log`);
    rmSync(transcript, { force: true });
    const { directory } = this.#site;
    const node = new VmNode({ name, directory, disk, cards, transcript, networks: this.#networks, options });
    this.#nodes.push(node);
    return node;
  }

  /** Who watches in this place, for the judge. */
  watch(where: string, place: string, words: string[]): Instrument {
    const instrument = this.instrument(place, words);
    this.judge.watch(where, instrument);
    return instrument;
  }

  instrument(place: string, words: string[]): Instrument {
    return this.#networks.instrument(place, words);
  }

  remove(): void {
    if (!this.#site.leave()) return;
    for (const node of this.#nodes) node.vm.kill();
    this.#networks.remove();
    rmSync(this.#site.directory, { recursive: true, force: true });
  }
}

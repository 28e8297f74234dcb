/**
 * Two engines, two disks, a connection, hearts that change their minds and an administrator, all from one seed.
 * Power may go at any step of a change, connections break with messages under way, roles move meanwhile, and what the
 * heart says arrives late.
 */
import { type Message, readMessage } from "../../../src/replication/messages.ts";
import type { Verdict } from "../../../src/replication/types.ts";
import { makeRevision } from "../../../src/settings/chain.ts";
import { Random } from "../random.ts";
import { SimNode, type World } from "./node.ts";
import { Oracle } from "./oracle.ts";

const ACTIONS_MAX = 400;
/** Turns after which two healthy nodes must have come to rest. */
const CALM_TURNS_MAX = 400;

export interface Coverage {
  both: number;
  alone: number;
  refused: number;
  kept: number;
  crashes: number;
  codes: Set<string>;
}

export class ReplicationWorld implements World {
  now_ms = 0;
  readonly lines: string[] = [];
  readonly nodes: [SimNode, SimNode];
  readonly oracle: Oracle;
  readonly #random: Random;
  readonly #faulty: boolean;
  /** The truth about roles; what an engine was told of it may be older. */
  readonly #roles = [
    { active: false, term: 0, known: 0 },
    { active: false, term: 0, known: 0 },
  ];
  #cut = false;
  #deaf = false;
  /** Messages under way to each node; null without a connection. */
  #wires: [Message[], Message[]] | null = null;
  /** Who does not know yet that the connection has ended. */
  readonly #unaware = [false, false];
  #changes = 0;
  crashes = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#faulty = this.#random.chance(0.9);
    const contents = this.#random.pick([3, 1000]);
    this.nodes = [new SimNode(0, this, contents), new SimNode(1, this, contents)];
    this.oracle = new Oracle(this.nodes);
    for (const node of this.nodes) node.start();
    this.#claim(0);
    this.#tell(0);
    this.#tell(1);
    this.#connect();
  }

  log = (line: string): void => void this.lines.push(`${String(this.now_ms).padStart(7)} ${line}`);

  send(from: number, message: Message): void {
    if (this.#wires === null || this.#unaware[from]) return;
    const read = readMessage(JSON.parse(JSON.stringify(message)));
    if (read !== null) this.#wires[1 - from]?.push(read);
  }

  hangUp(from: number): void {
    this.#break();
    this.#unaware[from] = false;
  }

  crashed(number: number): void {
    this.log(`node ${number} loses power`);
    this.crashes++;
    this.#break();
    this.#unaware[number] = false;
    const role = this.#roles[number];
    if (role !== undefined) role.active = false;
    this.oracle.crashed(number);
  }

  givesWay(number: number): void {
    this.log(`node ${number} gives way`);
    this.oracle.givesWay(number);
  }

  verdict(number: number, verdict: Verdict): void {
    this.log(
      `node ${number}: ${verdict.ok ? `confirmed ${verdict.revision.id.slice(0, 6)} ${verdict.on}` : verdict.code}`,
    );
    this.oracle.verdict(number, verdict);
  }

  run(): Coverage {
    const actions = this.#random.between(30, ACTIONS_MAX);
    for (let i = 0; i < actions; i++) this.#act();
    this.#calmDown();
    this.oracle.end();
    const { both, alone, refused, codes } = this.oracle;
    const kept = this.nodes.reduce((sum, { disk }) => sum + disk.kept().length, 0);
    return { both, alone, refused, codes, kept, crashes: this.crashes };
  }

  #act(): void {
    const random = this.#random;
    const i = random.below(2);
    const node = this.nodes[i] as SimNode;
    const choice = random.below(100);
    if (choice < 40) return this.#deliver(random.below(2));
    if (choice < 52) return this.#advance(random.pick([1, 50, 250, 250, 2000]));
    if (choice < 66) return this.#propose(i);
    if (choice < 74) return this.#tell(i);
    if (choice < 80) return this.#connect();
    if (!this.#faulty) return;
    if (choice < 83) return this.#break();
    if (choice < 85) node.disk.steps_left = random.below(6);
    else if (choice < 86) node.disk.refuses = true;
    else if (choice < 87) node.up && node.crash();
    else if (choice < 91) this.#start(i);
    else if (choice < 93) this.#claim(i);
    else if (choice < 94) this.#handOver();
    else if (choice < 96) this.#setCut(random.chance(0.5));
    else if (choice < 97) this.#deaf = random.chance(0.5);
    else this.#yield();
  }

  #advance(ms: number): void {
    this.now_ms += ms;
    for (const node of this.nodes) node.tick();
  }

  #deliver(to: number): void {
    const message = this.#wires?.[to as 0 | 1].shift();
    if (message === undefined || this.#unaware[to]) return this.#notice(to);
    if (message.type === "head") this.oracle.claimed(to, message.active ? message.term : -1);
    this.nodes[to as 0 | 1].receive(message);
  }

  #propose(number: number): void {
    const node = this.nodes[number as 0 | 1];
    if (!node.up) return;
    const content = JSON.stringify({ change: ++this.#changes, by: number });
    const alone = this.#random.chance(0.1);
    const line = { content, author: "admin", at: String(this.#changes), term: node.told.term };
    const proposal = { revision: makeRevision(node.disk.head(), line), alone };
    this.log(`node ${number} is asked for change ${this.#changes}${alone ? ", alone" : ""}`);
    this.oracle.proposed(number, proposal);
    node.propose(proposal);
  }

  #tell(number: number): void {
    const role = this.#roles[number as 0 | 1];
    const peer = this.nodes[(1 - number) as 0 | 1];
    if (role === undefined) return;
    const peer_heard = peer.up && !this.#cut && !this.#deaf;
    const { told, situation } = this.nodes[number as 0 | 1];
    if (role.active && !(told.active && told.term === role.term)) this.oracle.claimed(number, -1);
    situation({ active: role.active, term: role.term, peer_heard });
  }

  #start(number: number): void {
    const node = this.nodes[number as 0 | 1];
    if (node.up) return;
    this.log(`node ${number} starts`);
    node.start();
    this.#tell(number);
  }

  #connect(): void {
    if (this.#cut || this.#wires !== null) return;
    this.#notice(0);
    this.#notice(1);
    // A node may lose its power over the news.
    if (!this.nodes.every(({ up }) => up)) return;
    this.log("connected");
    this.#wires = [[], []];
    for (const node of this.nodes) if (this.#wires !== null) node.connected();
  }

  #break(): void {
    if (this.#wires === null) return;
    this.log("the connection breaks");
    this.#wires = null;
    this.#unaware.fill(true);
  }

  #notice(number: number): void {
    if (!this.#unaware[number]) return;
    this.#unaware[number] = false;
    this.nodes[number as 0 | 1].disconnected();
  }

  #setCut(cut: boolean): void {
    this.log(cut ? "the nodes are cut apart" : "the nodes are joined");
    this.#cut = cut;
    if (cut) this.#break();
  }

  #share(): void {
    if (this.#cut) return;
    const known = Math.max(...this.#roles.map((role) => role.known));
    for (const role of this.#roles) role.known = known;
  }

  /** By evidence: the other one is silent; or it has handed over. */
  #claim(number: number): void {
    const [role, peer] = [this.#roles[number], this.#roles[1 - number]];
    if (role === undefined || peer === undefined || !this.nodes[number as 0 | 1].up || role.active) return;
    if (peer.active && !this.#cut) return;
    this.#share();
    role.term = role.known + 1 + ((role.known + number) % 2);
    role.known = role.term;
    role.active = true;
    this.log(`node ${number} is active in term ${role.term}`);
  }

  #handOver(): void {
    const from = this.#roles.findIndex(({ active }) => active);
    if (from === -1 || this.#cut || !this.nodes.every(({ up }) => up)) return;
    for (const role of this.#roles) role.active = false;
    this.#claim(1 - from);
  }

  #yield(): void {
    if (this.#cut || !this.#roles.every(({ active }) => active)) return;
    const [a, b] = this.#roles.map(({ term }) => term) as [number, number];
    const lower = this.#roles[a < b ? 0 : 1];
    if (lower !== undefined) lower.active = false;
    this.#share();
  }

  /** All is well again: both up, joined, one active; and everybody comes to rest. */
  #calmDown(): void {
    this.log("all is well");
    this.#deaf = false;
    for (const node of this.nodes) {
      node.disk.steps_left = -1;
      node.disk.refuses = false;
    }
    this.#setCut(false);
    this.#start(0);
    this.#start(1);
    // Two that were active apart may talk before their hearts have seen to it.
    this.#tell(0);
    this.#tell(1);
    this.#connect();
    for (let i = 0; i < 40; i++) this.#deliver(i % 2);
    this.#yield();
    if (!this.#roles.some(({ active }) => active)) this.#claim(this.#random.below(2));
    const active = this.#roles.findIndex((role) => role.active);
    let last = false;
    for (let turn = 0; turn < CALM_TURNS_MAX; turn++) {
      this.#connect();
      this.#tell(0);
      this.#tell(1);
      for (let i = 0; i < 40; i++) this.#deliver(i % 2);
      this.#advance(500);
      if (last && this.nodes.every(({ state }) => state === "in-sync") && !this.oracle.isBusy(active)) break;
      if (last || turn < 20 || this.oracle.isBusy(active)) continue;
      // Whoever is well takes a change.
      last = true;
      this.#propose(active);
    }
  }
}

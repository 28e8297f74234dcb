/** One node of the small world: an engine that forgets everything in a crash, and a disk that does not. */
import { Failure } from "../../../src/errors.ts";
import { Engine } from "../../../src/replication/engine.ts";
import type { Message } from "../../../src/replication/messages.ts";
import type { Output, Proposal, Situation } from "../../../src/replication/types.ts";
import type { Chain, KeptRevisions, Revision } from "../../../src/settings/chain.ts";
import { MemoryChain } from "../../../src/settings/memory-chain.ts";

/** The one reason to hang up on a healthy peer: here messages may be under way for as long as it takes. */
const SLOW = "it does not answer";

/** The power goes, right here. */
export class PowerCut extends Error {}

export class Disk implements Chain {
  readonly memory: MemoryChain;
  /** Steps until the power goes; each write has one before and one after it. Negative: never. */
  steps_left = -1;
  refuses = false;

  constructor(contents: number) {
    this.memory = new MemoryChain({ contents, content_bytes: 64 << 20, lines: 100_000, kept: 10_000 });
  }

  step(): void {
    if (this.steps_left < 0) return;
    if (this.steps_left-- === 0) throw new PowerCut();
  }

  #write(work: () => void): void {
    this.step();
    if (this.refuses) {
      this.refuses = false;
      throw new Failure("state-unwritable", "The disk is full.");
    }
    work();
    this.step();
  }

  head = (): Revision => this.memory.head();
  find = (id: string): Revision | null => this.memory.find(id);
  since = (id: string, limit: number): Revision[] => this.memory.since(id, limit);
  kept = (): KeptRevisions[] => this.memory.kept();
  append = (revisions: Revision[]): void => this.#write(() => this.memory.append(revisions));
  replace = (after: string, revisions: Revision[], name: string): void =>
    this.#write(() => this.memory.replace(after, revisions, name));
  reset = (revisions: Revision[]): void => this.#write(() => this.memory.reset(revisions));
}

export interface World {
  now_ms: number;
  /** From this node to the other one. */
  send(from: number, message: Message): void;
  /** This node ends its connection. */
  hangUp(from: number): void;
  verdict(node: number, verdict: NonNullable<Output["verdict"]>): void;
  crashed(node: number): void;
  /** Its revisions are about to make room for the other one's. */
  givesWay(node: number): void;
  log(line: string): void;
}

export class SimNode {
  readonly number: number;
  readonly disk: Disk;
  readonly #world: World;
  #engine: Engine | null = null;
  #kept = 0;
  /** What the engine was told last. */
  told: Situation = { active: false, term: 0, peer_heard: false };
  /** How often the peer was accused of something. */
  closes = 0;

  constructor(number: number, world: World, contents: number) {
    this.number = number;
    this.#world = world;
    this.disk = new Disk(contents);
  }

  get up(): boolean {
    return this.#engine !== null;
  }

  get state(): string {
    return this.#engine?.sync().state ?? "down";
  }

  start(): void {
    this.told = { active: false, term: 0, peer_heard: false };
    this.#engine = new Engine({
      chain: this.disk,
      version: "1.0.0",
      build: 7,
      peer_name: `node-${2 - this.number}`,
      objection: () => null,
      batch_revisions: 4,
      nameKept: () => {
        this.#world.givesWay(this.number);
        return `unshared-${this.number}-${this.#kept++}`;
      },
    });
  }

  crash(): void {
    this.#engine = null;
    this.disk.steps_left = -1;
    this.#world.crashed(this.number);
  }

  tick = (): void => this.#do((engine, now_ms) => engine.tick(now_ms));
  connected = (): void => this.#do((engine, now_ms) => engine.connected(now_ms));
  disconnected = (): void => this.#do((engine, now_ms) => engine.disconnected(now_ms));
  receive = (message: Message): void => this.#do((engine, now_ms) => engine.receive(now_ms, message));
  propose = (proposal: Proposal): void => this.#do((engine, now_ms) => engine.propose(now_ms, proposal));

  situation = (situation: Situation): void => {
    this.told = situation;
    this.#do((engine, now_ms) => engine.situation(now_ms, situation));
  };

  /** In the order of the output's fields, and the power may go before each of them. */
  #do(turn: (engine: Engine, now_ms: number) => Output): void {
    if (this.#engine === null) return;
    try {
      const output = turn(this.#engine, this.#world.now_ms);
      for (const message of output.messages) {
        this.disk.step();
        this.#world.send(this.number, message);
      }
      if (output.close !== null) {
        if (output.close !== SLOW) this.closes++;
        this.#world.log(`node ${this.number} ends the connection: ${output.close}`);
        this.#world.hangUp(this.number);
      }
      this.disk.step();
      if (output.verdict !== null) this.#world.verdict(this.number, output.verdict);
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      this.crash();
    }
  }
}

/**
 * The settings of this node while it runs: what they are, and every way to change them. A change is checked,
 * becomes a revision with its author and time, and counts once it is confirmed; one after the other.
 */
import { Failure } from "../errors.ts";
import { makeRevision, type Revision } from "../settings/chain.ts";
import type { SettingsDatabase } from "../settings/database.ts";
import { parseSettings, type Settings } from "../settings/model.ts";
import { getPath, setPath } from "../settings/paths.ts";
import { redacted, withSecrets } from "../settings/secrets.ts";
import { fromShared, type Local, localPart, type SharedSettings, type Slot, sharedPart } from "../settings/shared.ts";
import type { Inheritance } from "./store.ts";

/** More than these wait for nobody; the one who asks is told to try again. */
const WAITING_MAX = 32;
const REVISIONS_SHOWN = 1000;

export interface ChangeOptions {
  author: string;
  /** Stored here even if the peer, which is there, does not confirm it. */
  alone?: boolean;
  /** Throws Failure where whoever asks may not make this change. */
  demand?: (before: Settings, after: Settings) => void;
}

/** Makes a revision durable wherever it must be before it counts; when it resolves, the database has it. */
export type Confirm = (revision: Revision, local: Local, options: { alone: boolean }) => Promise<void>;

export interface SettingsHooks {
  /** The term to write into a revision. */
  term: () => number;
  /** Throws Failure where this change is not allowed now. */
  demand: (before: Settings, after: Settings) => void;
  /** The settings have become others, whoever changed them. */
  changed: (revision: Revision) => void;
}

/** What the future backup takes over; its peer knows the slots only once the cards are matched. */
interface Bequest {
  settings: Settings;
  head: { number: number; id: string };
  at: string;
}

export type RevisionLine = Omit<Revision, "content" | "parent" | "digest"> & { has_content: boolean };

export class SettingsService {
  readonly database: SettingsDatabase;
  readonly #hooks: SettingsHooks;
  #settings: Settings;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();
  /** Until there is replication, the own disk is all that must have it. */
  confirm: Confirm = async (revision, local) => this.database.append([revision], local);

  constructor(database: SettingsDatabase, hooks: SettingsHooks) {
    this.database = database;
    this.#hooks = hooks;
    this.#settings = this.#settingsOf(database.head());
  }

  get current(): Settings {
    return this.#settings;
  }

  get revision(): number {
    return this.database.head().number;
  }

  /** Of the interfaces that there are. */
  get slots(): Slot[] {
    return this.database.local().slots;
  }

  redacted(): Settings {
    return redacted(this.#settings);
  }

  /** Throws Failure `unknown-path`. */
  get(path: string, { secrets = false } = {}): unknown {
    return getPath(secrets ? this.#settings : this.redacted(), path);
  }

  /** Replaces all of them. Throws Failure `bad-settings`, what `demand` and `confirm` throw, or `state-unwritable`. */
  import(value: unknown, options: ChangeOptions): Promise<Revision> {
    return this.change(() => value, options);
  }

  /** Changes by path, all of them or none; null removes. Throws Failure `unknown-path` as well. */
  set(changes: Record<string, unknown>, options: ChangeOptions): Promise<Revision> {
    return this.change((settings) => {
      const next = structuredClone(settings);
      for (const [path, value] of Object.entries(changes)) setPath(next, path, value);
      return next;
    }, options);
  }

  /** `work` makes new settings of those that are in force when its turn comes. */
  change(work: (settings: Settings) => unknown, options: ChangeOptions): Promise<Revision> {
    if (this.#waiting >= WAITING_MAX)
      throw new Failure("busy", "Too many changes of the settings wait for their turn; try again in a moment.");
    this.#waiting++;
    const result = this.#last
      .then(() => this.#change(parseSettings(withSecrets(work(this.#settings), this.#settings)), options))
      .finally(() => this.#waiting--);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #change(next: Settings, { author, alone = false, demand }: ChangeOptions): Promise<Revision> {
    this.#hooks.demand(this.#settings, next);
    demand?.(this.#settings, next);
    const { database } = this;
    const local = localPart(next, this.slots);
    const content = JSON.stringify(sharedPart(next, local.slots));
    const head = database.head();
    if (content === head.content && Bun.deepEquals(local, database.local())) return head;
    const at = new Date().toISOString();
    const revision = makeRevision(head, { at, author, term: this.#hooks.term(), content });
    await this.confirm(revision, local, { alone });
    this.refresh();
    return database.head();
  }

  /** After the database has got another head. Throws where that one makes no settings of this node. */
  refresh(): void {
    const head = this.database.head();
    this.#settings = this.#settingsOf(head);
    this.#hooks.changed(head);
  }

  /** The history, newest first, and what was replaced by the peer's. */
  revisions(): { revisions: RevisionLine[]; kept: { name: string; at: string; revisions: RevisionLine[] }[] } {
    return {
      revisions: this.database.latest(REVISIONS_SHOWN).map(lineOf),
      kept: this.database.kept().map((entry) => ({ ...entry, revisions: entry.revisions.map(lineOf).reverse() })),
    };
  }

  /** The settings of a revision, by its number, or of the newest one that is kept under a name. */
  show(which: string, { secrets = false } = {}): RevisionLine & { settings: Settings } {
    const revision = this.#named(which);
    if (revision === undefined)
      throw new Failure("unknown-revision", `There is no revision ${which}; \`settings revisions\` lists them.`);
    if (revision.content === "")
      throw new Failure("no-content", `Of revision ${which} only the author and the time are kept, not the settings.`);
    const settings = this.#settingsOf(revision);
    return { ...lineOf(revision), settings: secrets ? settings : redacted(settings) };
  }

  #named(which: string): Revision | undefined {
    if (!/^\d{1,15}$/.test(which))
      return this.database
        .kept()
        .find(({ name }) => name === which)
        ?.revisions.at(-1);
    return this.database.at(Number(which)) ?? undefined;
  }

  /** For pairing: travels sealed to the future backup. */
  bequest(): Bequest {
    const { number, id } = this.database.head();
    return { settings: this.#settings, head: { number, id }, at: new Date().toISOString() };
  }

  /** The creator's side of `inherited`: from here on both have the same history. */
  bequeath(bequest: unknown, slots: Slot[]): void {
    const { revision, local } = inherited(bequest, slots, slots, this.#settings.server.name);
    this.database.append([revision], local);
  }

  /** The joiner's side, once it is stored with the cluster. */
  inherit({ revision, local }: Inheritance): void {
    this.database.reset([revision], local);
    this.#settings = this.#settingsOf(revision);
  }

  /** `work` removes everything from the disk; what is left is a fresh install. */
  erase(work: () => void): void {
    this.database.erase(work);
    this.#settings = this.#settingsOf(this.database.head());
  }

  close(): void {
    this.database.close();
  }

  #settingsOf({ content }: Revision): Settings {
    return parseSettings(fromShared(JSON.parse(content) as SharedSettings, this.database.local()));
  }
}

/** The first revision of a cluster, the same on both sides: the creator's settings, with the agreed slots. */
export function inherited(bequest: unknown, creator: Slot[], joiner: Slot[], name: string): Inheritance {
  const { settings, head, at } = bequest as Bequest;
  const content = JSON.stringify(sharedPart(parseSettings(settings), creator));
  return { revision: makeRevision(head, { at, author: "pairing", term: 0, content }), local: { name, slots: joiner } };
}

function lineOf({ number, id, at, author, term, content }: Revision): RevisionLine {
  return { number, id, at, author, term, has_content: content !== "" };
}

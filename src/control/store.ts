/**
 * What must survive a reboot, in the state directory: one JSON file per matter, each with a digest.
 * A file is replaced by renaming a complete one over it, and the previous one is kept, so a power
 * cut leaves either the old or the new content, and a damaged file is noticed and its last good
 * copy used.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../errors.ts";
import type { DataInterface, NodeNumber, Tuning } from "../heart/messages.ts";
import { readSealed, syncDirectory, writeSealed } from "../sealed.ts";
import type { Revision } from "../settings/chain.ts";
import { DAMAGED_FILES, SETTINGS_FILES } from "../settings/database.ts";
import { isKept } from "../settings/migration.ts";
import type { Local } from "../settings/shared.ts";
import { fileTrouble } from "../trouble.ts";
import { UPDATES } from "../update/staging.ts";
import type { Prepared } from "./pairing.ts";

/** What pairing agreed on. `key` is a secret: the file is readable by root only. */
export interface ClusterState {
  id: string;
  key: string;
  node: NodeNumber;
  peer_name: string;
  nic: string;
  peer_mac: string;
  matches: Pick<DataInterface, "nic" | "slot" | "peer_mac">[];
  /** For what the nodes say to each other over TLS, pinned at pairing. PEM. Earlier versions had none. */
  tls?: { key: string; certificate: string; peer_certificate: string };
  /** What the heart runs by, the newest last: more than one while the peer may still run by others (replication/timings.ts). */
  timings?: Tuning[];
  /** The cluster was destroyed here; what is left is enough to tell the peer when it returns (S20). */
  departed?: boolean;
  /** Somebody works on this node: it does not take over. */
  maintenance?: boolean;
}

/** The settings that a node takes over by joining. */
export interface Inheritance {
  revision: Revision;
  local: Local;
}

/** What a reset removes, and what is there for as long as a change of several files is under way. */
const MATTERS = ["term.json", "cluster.json", "web-certificate.json", "web-sessions.json"];
/** Where earlier versions had the settings. */
const EARLIER = "settings.json";
const PREPARED = "prepared.json";
const JOINING = "joining.json";
const ERASING = "erasing.json";
export const BACKUPS = "backups";

export class Store {
  readonly directory: string;
  /** Sentences about what was found damaged at start. */
  readonly warnings: string[] = [];

  constructor(directory: string) {
    this.directory = directory;
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new Failure("state-unusable", `The state directory ${directory} cannot be used: ${fileTrouble(error)}.`);
    }
    if (!statSync(directory).isDirectory())
      throw new Failure("state-unusable", `${directory} is not a directory; name one with --state.`);
    this.#write("writable.json", true);
    rmSync(join(directory, "writable.json"), { force: true });
  }

  /** As an earlier version left them; null where there are none. */
  earlierSettings(): { revision: number; settings: unknown } | null {
    return this.#read(EARLIER) as { revision: number; settings: unknown } | null;
  }

  forgetEarlierSettings(): void {
    this.#remove([EARLIER]);
  }

  cluster(): ClusterState | null {
    return this.#read("cluster.json") as ClusterState | null;
  }

  saveCluster(cluster: ClusterState | null): void {
    if (cluster === null) this.#remove(["cluster.json"]);
    else this.#write("cluster.json", cluster);
  }

  /** What a joiner has agreed on and its creator may have stored (control/pairing.ts). */
  prepared(): Prepared | null {
    return this.#read(PREPARED) as Prepared | null;
  }

  savePrepared(prepared: Prepared): void {
    this.#write(PREPARED, prepared);
  }

  dropPrepared(): void {
    this.#remove([PREPARED]);
  }

  /**
   * The settings and the cluster that a node takes over by joining: both of them, or after a power cut or on a full disk
   * none yet. With the settings alone it would start as a node of its own that uses the addresses of its peer. `take`
   * stores the settings; it may be called again.
   */
  saveJoined(cluster: ClusterState, inherited: Inheritance, take: (inherited: Inheritance) => void): void {
    this.#write(JOINING, { cluster, inherited });
    this.finishJoining(take);
  }

  /** Ends a joining that a power cut has interrupted. */
  finishJoining(take: (inherited: Inheritance) => void): void {
    if (!existsSync(join(this.directory, JOINING))) return;
    const joined = this.#read(JOINING) as { cluster: ClusterState; inherited: Inheritance };
    this.saveTerm(0);
    take(joined.inherited);
    // S15: nothing is left of the settings that this node had, in whatever form.
    this.#removeDirectories();
    this.#remove([...DAMAGED_FILES, EARLIER]);
    this.#write("cluster.json", joined.cluster);
    this.#remove([JOINING]);
  }

  /** Ends an erasure that a power cut has interrupted. Before anything is read. */
  finishErasure(): void {
    if (existsSync(join(this.directory, ERASING))) this.erase();
  }

  term(): number {
    return (this.#read("term.json") as number | null) ?? 0;
  }

  saveTerm(term: number): void {
    this.#write("term.json", term);
  }

  /** From here on a restart ends in `erase`: the peer forgets us soon after it heard that we know. */
  beginErasure(): void {
    this.#write(ERASING, true);
  }

  /** Back to a fresh install; nobody has the settings' database open. Copies of the settings go too. */
  erase(): void {
    this.#removeDirectories();
    const kept = readdirSync(this.directory).filter(isKept);
    this.#remove([...SETTINGS_FILES, ...kept, ...MATTERS, EARLIER, PREPARED, JOINING]);
    this.#remove([ERASING]);
  }

  #removeDirectories(): void {
    try {
      for (const name of [BACKUPS, UPDATES]) rmSync(join(this.directory, name), { recursive: true, force: true });
    } catch (error) {
      throw this.#unwritable(error);
    }
  }

  /** For good, and never the older copy last: it would come back as if it were the state. */
  #remove(names: string[]): void {
    try {
      for (const name of names)
        for (const suffix of [".previous", ""]) rmSync(join(this.directory, name + suffix), { force: true });
      syncDirectory(this.directory);
    } catch (error) {
      throw this.#unwritable(error);
    }
  }

  #read(name: string): unknown {
    const path = join(this.directory, name);
    let damaged = false;
    for (const candidate of [path, `${path}.previous`]) {
      if (!existsSync(candidate)) continue;
      const value = readSealed(candidate);
      if (value !== undefined) {
        if (damaged) this.warnings.push(`${path} is damaged; the copy before it is used.`);
        return value;
      }
      damaged = true;
    }
    if (damaged) {
      throw new Failure(
        "state-damaged",
        `${path} is damaged and there is no good copy; restore it, or erase the whole state directory to start from a fresh install.`,
      );
    }
    return null;
  }

  #write(name: string, value: unknown): void {
    const path = join(this.directory, name);
    try {
      writeSealed(path, value, `${path}.previous`);
    } catch (error) {
      throw this.#unwritable(error);
    }
  }

  #unwritable(error: unknown): Failure {
    const message = `The state directory ${this.directory} cannot be written: ${fileTrouble(error)}.`;
    return new Failure("state-unwritable", message);
  }
}

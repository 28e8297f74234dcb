/**
 * Pairing as the control socket offers it: one session at a time, kept here and not by whoever asks for its steps, so
 * that it survives a browser that is closed. What a session agrees on goes to the host, which is the node.
 */
import type { Agreement, Bequest, Match } from "../core/pairing/messages.ts";
import type { SegmentResult } from "../core/pairing/segments.ts";
import { Failure, sentence } from "../errors.ts";
import { type CertificateAndKey, makeCertificate } from "./certificate.ts";
import { CreatorSession } from "./pairing-creator.ts";
import { JoinerSession } from "./pairing-joiner.ts";
import type { Identity, PairingStatus } from "./pairing-session.ts";
import type { Store } from "./store.ts";

export interface JoinRequest {
  nic: string;
  name?: string | undefined;
  skip_code: boolean;
  timeout_s: number;
}

export interface SearchRequest {
  nic: string;
  /** Checked before the search, where they are known by then. */
  matches?: Match[] | undefined;
  skip_code: boolean;
  timeout_s: number;
}

/** What a joiner has agreed on, kept until it is sure whether the creator has stored it. */
export interface Prepared {
  agreement: Agreement;
  joining: JoinRequest;
  tls: CertificateAndKey;
}

export interface PairingHost {
  readonly store: Store;
  readonly in_cluster: boolean;
  /** Throws Failure where the card cannot be reserved or the name is none; who this node is, otherwise. */
  identify(nic: string, name: string | undefined): Omit<Identity, "tls">;
  /** Throws Failure where the matches do not fit the settings. */
  demandMatches(matches: Match[]): void;
  bequest(): Omit<Bequest, "slots">;
  joined(agreement: Agreement, identity: Identity): void;
  created(agreement: Agreement, identity: Identity): void;
  /** A session has begun or ended: on its cable the former peer is told nothing meanwhile. */
  pairingChanged(): Promise<void>;
  /** After `joined`, once whoever waited has his answer. */
  restart(): void;
  warn(code: string, message: string): void;
}

/** How long a node waits once more after a restart in which it had prepared what was agreed. */
const RESUMED_S = 3600;
const NO_PAIRING = "No pairing is under way on this node; search for the waiting node first.";

export class Pairing {
  readonly #host: PairingHost;
  #session: JoinerSession | CreatorSession | null = null;
  /** Why the last creator's session ended before its time, for the step that comes after. */
  #ended: Failure | null = null;
  #running = Promise.resolve();
  #stopping = false;

  constructor(host: PairingHost) {
    this.#host = host;
  }

  get active(): boolean {
    return this.#session !== null;
  }

  status(): PairingStatus | null {
    return this.#session?.status() ?? null;
  }

  /** Throws Failure `no-pairing`. */
  cancel(): void {
    if (this.#session === null) throw new Failure("no-pairing", "No pairing is under way on this node.");
    this.#session.cancel();
  }

  /** The node ends. What is prepared stays: the next start goes on with it. */
  stop(): void {
    this.#stopping = true;
    this.#session?.cancel();
  }

  /** A node that was interrupted after it had prepared waits again: its new peer may be there already. */
  resume(): void {
    const prepared = this.#host.store.prepared();
    if (prepared === null) return;
    if (this.#host.in_cluster) return this.#host.store.dropPrepared();
    const { agreement, joining, tls } = prepared;
    const request = { ...joining, timeout_s: RESUMED_S };
    this.#join(request, tls, agreement)
      .then(() => this.#host.restart())
      .catch((error: unknown) => this.#host.warn("joining-given-up", sentence(error)));
  }

  /** Future backup: resolves once the cluster is stored; the node must then restart. */
  async join(request: JoinRequest, signal: AbortSignal): Promise<void> {
    await this.#demandFree();
    const abort = () => this.#session?.cancel();
    signal.addEventListener("abort", abort, { once: true });
    try {
      await this.#join(request, null, null);
    } finally {
      signal.removeEventListener("abort", abort);
    }
    this.#host.restart();
  }

  async #join(request: JoinRequest, tls: CertificateAndKey | null, pending: Agreement | null): Promise<void> {
    const { nic, name, skip_code, timeout_s } = request;
    const who = this.#host.identify(nic, name);
    const identity = { ...who, tls: tls ?? makeCertificate(who.name) };
    const session = new JoinerSession(
      identity,
      { skip_code, timeout_s, pending },
      {
        prepare: (agreement) =>
          this.#host.store.savePrepared({ agreement, joining: { ...request, name: who.name }, tls: identity.tls }),
        join: (agreement) => this.#host.joined(agreement, identity),
      },
    );
    await this.#run(session);
  }

  /** Future active node: resolves once a waiting node was found. */
  async search(
    { nic, matches, skip_code, timeout_s }: SearchRequest,
    signal: AbortSignal,
  ): Promise<PairingStatus["peer"]> {
    await this.#demandFree();
    const who = this.#host.identify(nic, undefined);
    if (matches !== undefined) this.#host.demandMatches(matches);
    this.#ended = null;
    const identity = { ...who, tls: makeCertificate(who.name) };
    const session = new CreatorSession(
      identity,
      { skip_code, timeout_s },
      {
        bequest: (applied) => {
          this.#host.demandMatches(applied);
          return this.#host.bequest();
        },
        store: (agreement) => this.#host.created(agreement, identity),
      },
    );
    const abort = () => session.cancel();
    signal.addEventListener("abort", abort, { once: true });
    this.#run(session).catch((error: unknown) => {
      if (error instanceof Failure) this.#ended = error;
    });
    try {
      return await session.found();
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  type(code: string): Promise<void> {
    return this.#creator().type(code);
  }

  test(matches: Match[]): Promise<SegmentResult[]> {
    return this.#creator().test(matches);
  }

  apply(matches: Match[]): Promise<void> {
    return this.#creator().apply(matches);
  }

  #creator(): CreatorSession {
    if (this.#session instanceof CreatorSession) return this.#session;
    throw this.#ended ?? new Failure("no-pairing", NO_PAIRING);
  }

  async #demandFree(): Promise<void> {
    if (this.#host.in_cluster)
      throw new Failure("in-cluster", "This node is in a cluster already; a cluster has exactly two nodes.");
    // A creator goes on answering for some seconds, and its cluster may be destroyed by then.
    if (this.#session?.stored) {
      this.#session.cancel();
      await this.#running;
    }
    this.#demandNoSession();
  }

  #demandNoSession(): void {
    if (this.#session !== null)
      throw new Failure("pairing", "This node is pairing already; cancel that first (`understudy cluster cancel`).");
  }

  async #run(session: JoinerSession | CreatorSession): Promise<void> {
    // Somebody else may have been faster meanwhile.
    this.#demandNoSession();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#session = session;
    this.#running = promise;
    try {
      await this.#host.pairingChanged();
      await session.run();
    } finally {
      resolve();
      this.#session = null;
      // Stored or given up: either way nothing is open any more.
      if (!this.#stopping) this.#dropPrepared();
      void this.#host.pairingChanged();
    }
  }

  #dropPrepared(): void {
    try {
      this.#host.store.dropPrepared();
    } catch (error) {
      this.#host.warn("state-unwritable", sentence(error));
    }
  }
}

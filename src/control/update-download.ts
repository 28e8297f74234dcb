/** A bundle from the peer, over the connection that carries the settings: piece by piece, and again from the last good one. */
import { Failure } from "../errors.ts";
import { BUNDLE_PART_BYTES_MAX } from "../replication/messages.ts";
import type { Staging } from "../update/staging.ts";
import type { UpdateMessage } from "./replication.ts";

const ANSWER_MS_MAX = 10_000;
/** A peer whose pieces are damaged so often has no good ones. */
const DAMAGED_MAX = 3;

type Part = Extract<UpdateMessage, { type: "bundle-part" }>;

export class Download {
  readonly #staging: Staging;
  readonly #tell: (message: UpdateMessage) => boolean;
  #waiting: { offset: number; resolve: (part: Part | null) => void } | null = null;

  constructor(staging: Staging, tell: (message: UpdateMessage) => boolean) {
    this.#staging = staging;
    this.#tell = tell;
  }

  /**
   * Until all of it is here, or `goesOn` says no. Throws Failure `peer-silent`, `no-bundle`, and what staging.ts says of a
   * bundle that this node does not take.
   */
  async run(sha256: string, goesOn: () => boolean): Promise<void> {
    let damaged = 0;
    let at = this.#staging.staged?.manifest.sha256 === sha256 ? this.#staging.received_bytes : 0;
    while (goesOn() && !this.#staging.has(sha256)) {
      const part = await this.#ask(sha256, at);
      const bytes = Buffer.from(part.data, "base64");
      if (bytes.length === 0) throw new Failure("no-bundle", "The peer does not have the update any more.");
      try {
        at = (await this.#staging.put(at, bytes)).received_bytes;
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== "bundle-chunk" || ++damaged === DAMAGED_MAX) throw error;
        at = this.#staging.received_bytes;
      }
    }
  }

  async #ask(sha256: string, offset: number): Promise<Part> {
    const { promise, resolve } = Promise.withResolvers<Part | null>();
    this.#waiting = { offset, resolve };
    const timer = setTimeout(() => resolve(null), ANSWER_MS_MAX);
    if (!this.#tell({ type: "bundle-wanted", sha256, offset })) resolve(null);
    const part = await promise;
    clearTimeout(timer);
    this.#waiting = null;
    if (part === null) throw new Failure("peer-silent", "The peer does not send the update at the moment.");
    return part;
  }

  take(part: Part): void {
    if (this.#waiting?.offset === part.offset) this.#waiting.resolve(part);
  }

  disconnected(): void {
    this.#waiting?.resolve(null);
  }

  /** The peer's question; an empty answer where there is no such bundle. */
  async answer(sha256: string, offset: number): Promise<void> {
    let data = "";
    try {
      if (this.#staging.has(sha256))
        data = (await this.#staging.read(offset, BUNDLE_PART_BYTES_MAX)).toString("base64");
    } catch {
      // Said by the empty answer.
    }
    this.#tell({ type: "bundle-part", sha256, offset, data });
  }
}

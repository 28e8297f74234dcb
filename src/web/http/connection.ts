/**
 * One connection, from its first byte to its last: head, body, answer, and again. Whoever is slow in any of them is
 * dropped at a deadline, and nothing is kept for it beyond a bound.
 */
import { type Answer, answerHead, HEAD_BYTES_MAX, type Head, headEnd, parseHead } from "./message.ts";

/** Limits that differ between the real server and its tests. */
export interface Patience {
  /** From the first byte of a head, or from the connection's beginning with its handshake, to the head's end. */
  head_ms: number;
  /** Between two requests. */
  idle_ms: number;
  /** For a body or an answer, whatever its size … */
  transfer_ms: number;
  /** … and more, by its size. */
  transfer_bytes_per_s: number;
}

export const PATIENCE: Patience = {
  head_ms: 10_000,
  idle_ms: 60_000,
  transfer_ms: 20_000,
  transfer_bytes_per_s: 16_384,
};
/** What a stream may have waiting for a reader that does not read. */
const STREAM_BYTES_MAX = 1 << 20;

export interface Request extends Head {
  body: Buffer;
  remote: string;
  /** Aborted when the connection ends. */
  signal: AbortSignal;
}

export interface Handler {
  /** How large a body may be; asked before it is read. */
  bodyLimit(head: Head): number;
  answer(request: Request): Promise<Answer>;
  /** The answer to what is no request. */
  refuse(status: number, code: string, message: string): Answer;
}

/** What a connection needs of its socket, and of all connections together. */
export interface Wire {
  write(bytes: Uint8Array): number;
  /** Ends it once everything written has left. */
  end(): void;
  /** Ends it at once. */
  terminate(): void;
}

export interface Budget {
  /** Takes room for a body; false where there is none. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

type Phase = "head" | "body" | "answering" | "writing" | "streaming" | "ending" | "closed";
const EMPTY = Buffer.alloc(0);
/** How long the other side may take to end, once we have. */
const ENDING_MS = 5000;

export class Connection {
  readonly remote: string;
  readonly #wire: Wire;
  readonly #handler: Handler;
  readonly #patience: Patience;
  readonly #budget: Budget;
  readonly #now_ms: () => number;
  readonly #gone = new AbortController();
  #phase: Phase = "head";
  #deadline_ms: number;
  /** When it began, or the last answer was made. */
  #since_ms: number;
  #received: Buffer = Buffer.alloc(0);
  #head: Head | null = null;
  /** As long as the whole body from the beginning: small pieces, kept one by one, would take a hundred times their length. */
  #body = EMPTY;
  #body_bytes = 0;
  #taken = 0;
  #outgoing: Uint8Array[] = [];
  #outgoing_bytes = 0;
  #keep_alive = true;

  constructor(
    remote: string,
    wire: Wire,
    handler: Handler,
    budget: Budget,
    { patience = PATIENCE, now_ms = () => performance.now() }: { patience?: Patience; now_ms?: () => number } = {},
  ) {
    this.remote = remote;
    this.#wire = wire;
    this.#handler = handler;
    this.#budget = budget;
    this.#patience = patience;
    this.#now_ms = now_ms;
    this.#since_ms = now_ms();
    this.#deadline_ms = this.#since_ms + patience.head_ms;
  }

  /** Since when it is the other side's turn; null while we have something to say. */
  get waiting_since_ms(): number | null {
    return ["head", "body", "writing", "ending"].includes(this.#phase) ? this.#since_ms : null;
  }

  /** Bytes came. */
  take(bytes: Buffer): void {
    if (this.#phase === "body") return this.#takeBody(bytes);
    if (this.#phase === "closed" || this.#phase === "streaming" || this.#phase === "ending") return;
    // The next request may come while this one is answered; more than one head of it is nobody we know.
    if (this.#received.length + bytes.length > HEAD_BYTES_MAX && this.#phase !== "head") return this.close();
    if (this.#received.length === 0 && this.#phase === "head")
      this.#deadline_ms = Math.min(this.#deadline_ms, this.#now_ms() + this.#patience.head_ms);
    this.#received = this.#received.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#received, bytes]);
    if (this.#phase === "head") this.#takeHead();
  }

  /** The socket takes bytes again. */
  drain(): void {
    this.#flush();
  }

  /** Called every second or so: drops the slow. */
  sweep(): void {
    if (this.#phase !== "closed" && this.#now_ms() > this.#deadline_ms) this.close();
  }

  close(): void {
    if (this.#phase === "closed") return;
    this.ended();
    this.#wire.terminate();
  }

  /** The socket has ended, whoever ended it. */
  ended(): void {
    this.#phase = "closed";
    this.#giveBack();
    this.#outgoing = [];
    this.#gone.abort();
  }

  #takeHead(): void {
    // Empty lines before a request are allowed to be there (RFC 9112, 2.2), but are sent by nobody: they are malformed here.
    const end = headEnd(this.#received);
    if (end > HEAD_BYTES_MAX || (end === -1 && this.#received.length > HEAD_BYTES_MAX))
      return this.#refuse(431, "too-large", "The request's head is too large.");
    if (end === -1) return;
    const head = parseHead(this.#received.subarray(0, end));
    const rest = this.#received.subarray(end);
    this.#received = Buffer.alloc(0);
    if ("refused" in head) return this.#refuse(head.refused, "bad-request", head.why);
    this.#head = head;
    this.#keep_alive = head.keep_alive;
    const { content_length } = head;
    if (content_length > this.#handler.bodyLimit(head))
      return this.#refuse(413, "too-large", "That is more than this server takes in one request; make it smaller.");
    if (!this.#budget.take(content_length))
      return this.#refuse(503, "too-many-connections", "Too much is being sent to this server; try again in a moment.");
    this.#taken = content_length;
    this.#body = Buffer.allocUnsafeSlow(content_length);
    this.#body_bytes = 0;
    this.#phase = "body";
    this.#deadline_ms = this.#now_ms() + this.#transferMs(content_length);
    if (head.expects_continue && content_length > 0) this.#send(Buffer.from("HTTP/1.1 100 Continue\r\n\r\n"));
    this.#takeBody(rest);
  }

  #takeBody(bytes: Buffer): void {
    const head = this.#head;
    if (head === null) return;
    const taken = bytes.copy(this.#body, this.#body_bytes);
    this.#body_bytes += taken;
    // Copied: the buffer belongs to the socket.
    if (bytes.length > taken) this.#received = Buffer.from(bytes.subarray(taken));
    if (this.#received.length > HEAD_BYTES_MAX) return this.close();
    if (this.#body_bytes < head.content_length) return;
    const body = this.#body;
    this.#body = EMPTY;
    void this.#answer({ ...head, body, remote: this.remote, signal: this.#gone.signal });
  }

  async #answer(request: Request): Promise<void> {
    this.#phase = "answering";
    this.#deadline_ms = Number.POSITIVE_INFINITY;
    let answer: Answer;
    try {
      answer = await this.#handler.answer(request);
    } catch (error) {
      console.error(error);
      answer = this.#handler.refuse(500, "internal", "This server has made a mistake; its log says which.");
    }
    this.#giveBack();
    if (this.#isClosed()) {
      if (answer.body instanceof ReadableStream) void answer.body.cancel().catch(() => {});
      return;
    }
    if (answer.body instanceof ReadableStream) await this.#stream(answer, answer.body);
    else this.#write(answer, answer.body, request.method === "HEAD");
  }

  #isClosed(): boolean {
    return this.#phase === "closed";
  }

  #refuse(status: number, code: string, message: string): void {
    // What follows cannot be told from the next request.
    this.#keep_alive = false;
    const answer = this.#handler.refuse(status, code, message);
    if (!(answer.body instanceof ReadableStream)) this.#write(answer, answer.body, false);
  }

  #write(answer: Answer, content: Uint8Array | string, headOnly: boolean): void {
    const body = typeof content === "string" ? Buffer.from(content) : content;
    this.#phase = "writing";
    this.#since_ms = this.#now_ms();
    this.#deadline_ms = this.#since_ms + this.#transferMs(body.length);
    const head = Buffer.from(answerHead(answer, this.#keep_alive, body.length), "latin1");
    // One record and one packet where both are small.
    this.#send(headOnly || body.length === 0 ? head : Buffer.concat([head, body]));
  }

  async #stream(answer: Answer, stream: ReadableStream<Uint8Array>): Promise<void> {
    this.#phase = "streaming";
    this.#keep_alive = false;
    this.#deadline_ms = Number.POSITIVE_INFINITY;
    this.#send(Buffer.from(answerHead(answer, false, null), "latin1"));
    const reader = stream.getReader();
    this.#gone.signal.addEventListener("abort", () => void reader.cancel().catch(() => {}));
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done || this.#isClosed()) break;
        if (this.#outgoing_bytes + value.length > STREAM_BYTES_MAX) return this.close();
        this.#send(value);
      }
    } catch {
      // Whoever made the stream has gone; the connection ends with it.
    }
    if (this.#isClosed()) return;
    this.#phase = "writing";
    this.#deadline_ms = this.#now_ms() + this.#transferMs(this.#outgoing_bytes);
    this.#flush();
  }

  #send(bytes: Uint8Array): void {
    this.#outgoing.push(bytes);
    this.#outgoing_bytes += bytes.length;
    this.#flush();
  }

  #flush(): void {
    while (this.#phase !== "closed") {
      const next = this.#outgoing[0];
      if (next === undefined) break;
      const written = this.#wire.write(next);
      if (written < 0) return this.close();
      this.#outgoing_bytes -= written;
      if (written < next.length) {
        this.#outgoing[0] = next.subarray(written);
        // A stream's reader has until then to take what waits.
        if (this.#phase === "streaming" && this.#deadline_ms === Number.POSITIVE_INFINITY)
          this.#deadline_ms = this.#now_ms() + this.#patience.transfer_ms;
        return;
      }
      this.#outgoing.shift();
    }
    if (this.#phase === "streaming") this.#deadline_ms = Number.POSITIVE_INFINITY;
    if (this.#phase === "writing") this.#next();
  }

  /** Everything of the answer has left. */
  #next(): void {
    if (!this.#keep_alive) {
      this.#phase = "ending";
      this.#deadline_ms = this.#now_ms() + ENDING_MS;
      return this.#wire.end();
    }
    this.#phase = "head";
    this.#head = null;
    this.#deadline_ms = this.#now_ms() + this.#patience.idle_ms;
    if (this.#received.length > 0) {
      this.#deadline_ms = this.#now_ms() + this.#patience.head_ms;
      this.#takeHead();
    }
  }

  #transferMs(bytes: number): number {
    return this.#patience.transfer_ms + (bytes / this.#patience.transfer_bytes_per_s) * 1000;
  }

  #giveBack(): void {
    this.#budget.give(this.#taken);
    this.#taken = 0;
    this.#body = EMPTY;
  }
}

/** Messages on a stream: four bytes of length, then JSON. Nothing is kept beyond one message of the largest size. */
import { Failure } from "../errors.ts";
import { MESSAGE_BYTES_MAX, type Message } from "./messages.ts";

const LENGTH_BYTES = 4;

export function frameOf(message: Message): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + body.length);
  frame.writeUInt32BE(body.length);
  body.copy(frame, LENGTH_BYTES);
  return frame;
}

export class Unframer {
  #chunks: Buffer[] = [];
  #length = 0;

  /** The values that are complete now. Throws Failure `bad-message`, and is of no use after that. */
  push(chunk: Buffer): unknown[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const values: unknown[] = [];
    for (let body = this.#take(); body !== null; body = this.#take()) values.push(parse(body));
    return values;
  }

  #take(): Buffer | null {
    if (this.#length < LENGTH_BYTES) return null;
    if ((this.#chunks[0]?.length ?? 0) < LENGTH_BYTES) this.#join();
    const length = this.#chunks[0]?.readUInt32BE() ?? 0;
    if (length > MESSAGE_BYTES_MAX) throw new Failure("bad-message", `a message of ${length} bytes is too large`);
    if (this.#length < LENGTH_BYTES + length) return null;
    this.#join();
    const all = this.#chunks[0] ?? Buffer.alloc(0);
    const rest = all.subarray(LENGTH_BYTES + length);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
    return all.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
  }

  #join(): void {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new Failure("bad-message", "a message is no JSON");
  }
}

/**
 * What pairing hears and says: captures on the reserved card and, while cards are tested, on the
 * others, and messages in pieces. The control process may take its time; the heart is not involved.
 */
import { randomBytes } from "node:crypto";
import type { Message } from "../core/pairing/messages.ts";
import { readRecords } from "../heart/inbox.ts";
import { Outbox } from "../heart/outbox.ts";
import { type Handle, openShim, RECORD } from "../shim.ts";
import { macBytes, macText } from "../wire/bytes.ts";
import { BROADCAST, sourceMac } from "../wire/ethernet.ts";
import { isHeartbeat } from "../wire/heartbeat.ts";
import { Assembly, emitPieces, parsePiece } from "../wire/pairing.ts";
import { parseMessage } from "./pairing-message.ts";

const INBOX_BYTES = 256 * 1024;
const BUFFER_BYTES = 1 << 20;
const SNAP_BYTES = 2048;
/** Messages under way at one time, over all cards; beyond that all are begun anew. */
const SENDERS_MAX = 64;

/** A message, or a heartbeat's whole frame, and where it came in. */
export type Heard = { nic: string } & ({ message: Message } | { heartbeat: Uint8Array });

export class PairingWire {
  readonly #inbox = new Uint8Array(INBOX_BYTES);
  readonly #outbox = new Outbox(openShim());
  readonly #captures = new Map<string, { capture: Handle; mac: Uint8Array }>();
  readonly #assemblies = new Map<string, Assembly>();
  #next_message = randomBytes(4).readUInt32BE();

  /** Nothing where it is open already. Throws SystemFailure. */
  open(nic: string, mac: string): void {
    if (this.#captures.has(nic)) return;
    const capture = openShim().openCapture(nic, {
      filter: "ether proto 0x88b5",
      snap_bytes: SNAP_BYTES,
      buffer_bytes: BUFFER_BYTES,
      promiscuous: false,
    });
    this.#captures.set(nic, { capture, mac: macBytes(mac) });
  }

  close(): void {
    for (const { capture } of this.#captures.values()) openShim().close(capture);
    this.#captures.clear();
  }

  /** Everything that came in since the last time. */
  poll(): Heard[] {
    const heard: Heard[] = [];
    const nics = new Map([...this.#captures].map(([nic, { capture }]) => [capture, nic]));
    const length = openShim().wait(this.#inbox, 0);
    for (const record of readRecords(this.#inbox, length)) {
      const nic = record.kind === RECORD.frame ? nics.get(record.source) : undefined;
      if (nic === undefined) continue;
      if (isHeartbeat(record.payload)) heard.push({ nic, heartbeat: record.payload.slice() });
      const message = this.#assemble(nic, record.payload);
      if (message !== null) heard.push({ nic, message });
    }
    return heard;
  }

  say(nic: string, message: Message): void {
    const open = this.#captures.get(nic);
    if (open === undefined) return;
    this.#next_message = (this.#next_message + 1) >>> 0;
    const body = new TextEncoder().encode(JSON.stringify(message));
    for (const frame of emitPieces(BROADCAST, open.mac, this.#next_message, body))
      this.#outbox.add(open.capture, frame);
    this.#outbox.flush();
  }

  #assemble(nic: string, frame: Uint8Array): Message | null {
    const piece = parsePiece(frame);
    if (piece === null) return null;
    const sender = `${nic} ${macText(sourceMac(frame))}`;
    let assembly = this.#assemblies.get(sender);
    if (assembly === undefined) {
      if (this.#assemblies.size >= SENDERS_MAX) this.#assemblies.clear();
      assembly = new Assembly();
      this.#assemblies.set(sender, assembly);
    }
    const body = assembly.take(piece);
    return body === null ? null : parseMessage(body);
  }
}

/**
 * Pairing's hands: a capture on the reserved card, polled by a timer, and the dialogue of
 * core/pairing.ts on top. The control process may take its time; the heart is not involved.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import {
  type Agreement,
  Creator,
  type Introduction,
  Joiner,
  type Match,
  type Message,
  type PairingCryptography,
} from "../core/pairing.ts";
import { Failure } from "../errors.ts";
import { readRecords } from "../heart/inbox.ts";
import { Outbox } from "../heart/outbox.ts";
import { listCards } from "../kernel/links.ts";
import { type Handle, openShim, RECORD } from "../shim.ts";
import { BUILD, VERSION } from "../version.ts";
import { macBytes, macText } from "../wire/bytes.ts";
import { BROADCAST, sourceMac } from "../wire/ethernet.ts";
import { isHeartbeat } from "../wire/heartbeat.ts";
import { Assembly, emitPieces, parsePiece } from "../wire/pairing.ts";
import { hasLink } from "./cluster-card.ts";
import { parseMessage } from "./pairing-message.ts";

const TURN_MS = 20;
const REPEAT_MS = 200;
/** The creator listens this long after the first offer: whoever else waits on this cable is heard by then (S1). */
const GATHER_MS = 3 * REPEAT_MS;
/** A card needs some seconds for its link after it was switched on. */
const LINK_MS_MAX = 5000;
/** A refusal is the last word, so it is said more than once. */
const LAST_WORDS = 3;
/** The creator goes on answering, so that a joiner whose `commit` was lost can still ask. */
const LINGER_MS = 3000;
const INBOX_BYTES = 256 * 1024;
const SENDERS_MAX = 8;

function introduce(name: string, nic: string): Introduction {
  const cards = listCards(openShim()).map(({ name: card, mac }) => ({ nic: card, mac }));
  const cluster = cards.find((card) => card.nic === nic);
  if (cluster === undefined) throw new Failure("unknown-interface", `There is no interface ${nic}.`);
  return { name, version: VERSION, build: BUILD, cards, cluster };
}

export class PairingSession {
  readonly side: "joiner" | "creator";
  readonly #nic: string;
  readonly #mac: Uint8Array;
  readonly #dialogue: Joiner | Creator;
  readonly #store: (agreement: Agreement) => void;
  readonly #inbox = new Uint8Array(INBOX_BYTES);
  readonly #outbox = new Outbox(openShim());
  readonly #assemblies = new Map<string, Assembly>();
  #capture: Handle | null = null;
  #offered_ms = Number.POSITIVE_INFINITY;
  #linked_ms = Number.POSITIVE_INFINITY;
  /** What this node waits for. */
  waiting = "";
  #cancelled = false;
  #stored = false;
  #next_message = randomBytes(4).readUInt32BE();

  private constructor(
    side: "joiner" | "creator",
    introduction: Introduction,
    dialogue: Joiner | Creator,
    store: (agreement: Agreement) => void,
  ) {
    this.side = side;
    this.#nic = introduction.cluster.nic;
    this.#mac = macBytes(introduction.cluster.mac);
    this.#dialogue = dialogue;
    this.#store = store;
  }

  static join(nic: string, name: string, store: (agreement: Agreement) => void): PairingSession {
    const introduction = introduce(name, nic);
    return new PairingSession("joiner", introduction, new Joiner(cryptography(), introduction), store);
  }

  static create(
    nic: string,
    name: string,
    matches: Match[],
    given: { settings: unknown; settings_revision: number },
    store: (agreement: Agreement) => void,
  ): PairingSession {
    const introduction = introduce(name, nic);
    return new PairingSession(
      "creator",
      introduction,
      new Creator(cryptography(), introduction, matches, given),
      store,
    );
  }

  get agreement(): Agreement | null {
    return this.#dialogue.agreement;
  }

  cancel(): void {
    this.#cancelled = true;
  }

  /** Runs the dialogue to its end. Throws Failure where it is refused, cancelled or takes too long. */
  async run(signal: AbortSignal, timeout_s: number): Promise<void> {
    const shim = openShim();
    this.#capture = shim.openCapture(this.#nic, {
      filter: "ether proto 0x88b5",
      snap_bytes: 2048,
      buffer_bytes: 1 << 20,
      promiscuous: false,
    });
    const deadline_ms = shim.now() + timeout_s * 1000;
    let said_ms = Number.NEGATIVE_INFINITY;
    this.#linked_ms = shim.now();
    let linger_until_ms: number | null = null;
    try {
      for (;;) {
        const now_ms = shim.now();
        if (!this.#stored && (this.#cancelled || signal.aborted))
          throw new Failure("cancelled", "Pairing was cancelled; nothing has changed.");
        if (!this.#stored && now_ms >= deadline_ms) {
          throw new Failure(
            "pairing-timeout",
            `No ${this.side === "joiner" ? "active" : "waiting"} node answered in time; check the cable and start again.`,
          );
        }
        this.#watchLink(now_ms);
        const heard = this.#listen();
        if (this.#advance()) {
          linger_until_ms ??= now_ms + (this.side === "creator" ? LINGER_MS : REPEAT_MS);
        }
        const gathers = this.side === "creator" && now_ms - this.#offered_ms < GATHER_MS;
        if (!gathers && (heard || now_ms - said_ms >= REPEAT_MS)) {
          said_ms = now_ms;
          this.#speak();
        }
        const finished = this.#dialogue instanceof Creator ? this.#dialogue.done : linger_until_ms !== null;
        if (linger_until_ms !== null && (finished || now_ms >= linger_until_ms)) break;
        await Bun.sleep(TURN_MS);
      }
      // The joiner's last word may get lost: a few more, so that the creator need not wait.
      for (let i = 0; i < LAST_WORDS && this.side === "joiner"; i++) this.#speak();
    } catch (error) {
      for (let i = 0; i < LAST_WORDS && this.side === "creator"; i++) {
        this.#speak();
        await Bun.sleep(TURN_MS);
      }
      throw error;
    } finally {
      shim.close(this.#capture);
      this.#capture = null;
    }
  }

  /**
   * The future backup goes on waiting without a link, and says so: with a direct cable there is none before the other
   * node has its card switched on, which it does when the cluster is created there. The future active node refuses.
   */
  #watchLink(now_ms: number): void {
    if (hasLink(this.#nic)) this.#linked_ms = now_ms;
    const is_missing = !this.#stored && now_ms - this.#linked_ms >= LINK_MS_MAX;
    const what = `${this.#nic} has no link; connect its cable to the other node`;
    this.waiting = is_missing ? `${what}.` : `Waiting for the ${this.side === "creator" ? "backup" : "active"} node.`;
    if (is_missing && this.side === "creator")
      throw new Failure("no-link", `${what}, let that one join first, and start again.`);
  }

  /** Stores once both sides have everything; true from then on. */
  #advance(): boolean {
    if (this.#stored) return true;
    const dialogue = this.#dialogue;
    const due = dialogue instanceof Creator ? dialogue.ready : dialogue.committed;
    if (!due || dialogue.agreement === null) return false;
    this.#store(dialogue.agreement);
    this.#stored = true;
    if (dialogue instanceof Creator) dialogue.stored();
    return true;
  }

  #listen(): boolean {
    let heard = false;
    const length = openShim().wait(this.#inbox, 0);
    for (const record of readRecords(this.#inbox, length)) {
      if (record.kind !== RECORD.frame || record.source !== this.#capture) continue;
      if (isHeartbeat(record.payload)) this.#hearCluster();
      const piece = parsePiece(record.payload);
      if (piece === null) continue;
      const sender = macText(sourceMac(record.payload));
      let assembly = this.#assemblies.get(sender);
      if (assembly === undefined) {
        if (this.#assemblies.size >= SENDERS_MAX) this.#assemblies.clear();
        assembly = new Assembly();
        this.#assemblies.set(sender, assembly);
      }
      const body = assembly.take(piece);
      const message = body === null ? null : parseMessage(body);
      if (message === null) continue;
      heard = true;
      if (message.kind === "offer") this.#offered_ms = Math.min(this.#offered_ms, openShim().now());
      this.#dialogue.hear(message);
    }
    return heard;
  }

  /** S1: whose heartbeats are on this cable? Only the new peer's can be, once it has agreed. */
  #hearCluster(): void {
    if (this.#dialogue.agreement !== null) return;
    throw new Failure(
      "cluster-present",
      `A cluster is at work on the network of ${this.#nic} already, and a cluster has exactly two nodes; use a cable of your own, or destroy that cluster first.`,
    );
  }

  #speak(): void {
    const words = this.#dialogue.say();
    for (const message of Array.isArray(words) ? words : [words]) this.#say(message);
  }

  #say(message: Message): void {
    if (this.#capture === null) return;
    this.#next_message = (this.#next_message + 1) >>> 0;
    const body = new TextEncoder().encode(JSON.stringify(message));
    for (const frame of emitPieces(BROADCAST, this.#mac, this.#next_message, body))
      this.#outbox.add(this.#capture, frame);
    this.#outbox.flush();
  }
}

/** RFC 7748, section 6.1: keys of small order agree on zero with everybody, and are refused. */
function agreed(privateKey: KeyObject, peer_key: string): Buffer {
  try {
    const x = Buffer.from(peer_key, "hex").toString("base64url");
    const publicKey = createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
    return diffieHellman({ privateKey, publicKey });
  } catch {
    throw new Failure(
      "bad-key",
      "A node on this cable sent a key that cannot be used; check what is on it and start again.",
    );
  }
}

/** X25519, HKDF-SHA256, HMAC-SHA256 and AES-256-GCM of the runtime, one key pair per pairing. */
export function cryptography(): PairingCryptography {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  const public_key = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url").toString("hex");
  return {
    public_key,
    derive(peer_key, transcript, label) {
      const secret = agreed(privateKey, peer_key);
      const salt = createHash("sha256").update(transcript).digest();
      return Buffer.from(hkdfSync("sha256", secret, salt, `understudy ${label}`, 32)).toString("hex");
    },
    proof: (key, text) => createHmac("sha256", Buffer.from(key, "hex")).update(text).digest("hex"),
    seal(key, text) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", Buffer.from(key, "hex"), nonce);
      const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
    },
    open(key, sealed) {
      try {
        const bytes = Buffer.from(sealed, "base64");
        const decipher = createDecipheriv("aes-256-gcm", Buffer.from(key, "hex"), bytes.subarray(0, 12));
        decipher.setAuthTag(bytes.subarray(12, 28));
        return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8");
      } catch {
        return null;
      }
    },
  };
}

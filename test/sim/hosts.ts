/**
 * The client on the LAN and the provider's router on the WAN: they send through the shared address to the MAC
 * that their ARP cache has for it, believe announcements, answer, and ask again while nothing comes back.
 */
import { emitArpRequest, parseArp } from "../../src/wire/arp.ts";
import { equalBytes } from "../../src/wire/bytes.ts";
import { type HOSTS, sharedIpv4 } from "./addresses.ts";
import type { Context } from "./context.ts";
import { macKey, type Port } from "./network.ts";

export const ASK_INTERVAL_US = 1_000_000;

export class Host {
  readonly #context: Context;
  readonly #host: (typeof HOSTS)[number];
  port: Port | null = null;
  /** Key of the MAC that it takes for the shared address; 0 for none. */
  believes = 0;
  /** It hears from the other side: no need to ask. */
  satisfied = false;

  constructor(context: Context, host: (typeof HOSTS)[number]) {
    this.#context = context;
    this.#host = host;
  }

  begin(phase_us: number): void {
    this.#context.timeline.after(phase_us, () => this.#ask());
  }

  #ask(): void {
    const { slot, mac, ip } = this.#host;
    if (!this.satisfied) this.#send(emitArpRequest(mac, ip, sharedIpv4(slot)));
    this.#context.timeline.after(ASK_INTERVAL_US, () => this.#ask());
  }

  #send(frame: Uint8Array): void {
    this.port?.segment.send(this.port, frame, null);
  }

  receive(frame: Uint8Array): void {
    const arp = parseArp(frame);
    if (arp === null) return;
    const { slot, mac, ip } = this.#host;
    const for_us = equalBytes(arp.target_ip, ip);
    if (equalBytes(arp.sender_ip, sharedIpv4(slot)) && (for_us || this.believes !== 0)) {
      this.believes = macKey(arp.sender_mac, 0);
      this.#context.dirty = true;
    }
    if (!for_us || arp.operation !== "request" || arp.sender_ip.every((byte) => byte === 0)) return;
    const reply = emitArpRequest(mac, ip, arp.sender_ip);
    reply.set(frame.subarray(6, 12), 0);
    reply.set(frame.subarray(6, 12), 32);
    reply[21] = 2;
    this.#send(reply);
  }
}

/** Waiting for another node, an hour if need be: what is new is said, and Ctrl+C or c ends it. */
import type { Context } from "./context.ts";
import { Cancelled } from "./dialogue.ts";
import type { NodeStatus } from "./node.ts";
import { largeDigits, thousands } from "./text.ts";

/** Where nothing is redrawn, a line says how much time is left: this often. */
const TELL_S = 60;
const CANCEL_LOOK_MS = 100;
const CANCEL_LOOKS_MAX = 30;

/** Until `work` ends, or the person ends it: then `signal` fires, the node forgets the pairing, and Cancelled is thrown. */
export async function waitFor<T>(context: Context, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { dialogue, watch } = context;
  const over = new AbortController();
  const given_up = new AbortController();
  const teller = new PairingTeller(context);
  const tell = (status: NodeStatus | null): void => teller.look(status);
  watch.listeners.add(tell);
  dialogue.print("Ctrl+C, or c and Enter, cancels.");
  const working = work(given_up.signal).finally(() => over.abort());
  // Whoever gave up hears no more of it.
  working.catch(() => undefined);
  try {
    if (await untilGivenUp(context, over.signal)) {
      given_up.abort();
      await cancelPairing(context);
      throw new Cancelled();
    }
    return await working;
  } finally {
    watch.listeners.delete(tell);
  }
}

/** Whatever is under way, here or begun by a command, leaves nothing behind. */
export async function cancelPairing({ node, watch }: Context): Promise<void> {
  // A node that does not answer, or has nothing under way any more, has nothing to cancel.
  await node.ask("DELETE", "/cluster/pairing").catch(() => undefined);
  // Its last words to the other node take a moment.
  for (let look = 0; look < CANCEL_LOOKS_MAX; look += 1) {
    await watch.look();
    if (!watch.status?.pairing) return;
    await Bun.sleep(CANCEL_LOOK_MS);
  }
}

/** True where the person gave up, false where it is over. */
async function untilGivenUp({ dialogue }: Context, over: AbortSignal): Promise<boolean> {
  for (;;) {
    const reading = await dialogue.terminal.read({ signal: over });
    if (reading.kind === "aborted") return false;
    if (reading.kind === "interrupt") return true;
    if (reading.kind === "end") {
      if (dialogue.terminal.kind !== "plain") return true;
      // A script has said all it had to say, and waits.
      await new Promise((resolve) => (over.aborted ? resolve(null) : over.addEventListener("abort", resolve)));
      return false;
    }
    if (reading.kind === "text" && reading.text.trim().toLowerCase() === "c") return true;
    dialogue.wrong(
      reading.kind === "refused" ? reading.why : "The server is waiting; press Ctrl+C, or type c and Enter, to cancel.",
    );
  }
}

class PairingTeller {
  readonly #context: Context;
  #code: string | null = null;
  #waiting = "";
  #told_s = Number.POSITIVE_INFINITY;

  constructor(context: Context) {
    this.#context = context;
  }

  look(status: NodeStatus | null): void {
    const pairing = status?.pairing;
    if (pairing === undefined || pairing === null) return;
    const { code = null, waiting, seconds_left } = pairing;
    if (code !== this.#code) {
      this.#code = code;
      if (code !== null) this.#showCode(code);
    }
    if (waiting && waiting !== this.#waiting) {
      this.#waiting = waiting;
      this.#say([waiting]);
    }
    // On a screen the panel counts down every second.
    if (this.#context.dialogue.terminal.kind === "screen" || seconds_left === undefined) return;
    if (this.#told_s - seconds_left < TELL_S) return;
    this.#told_s = seconds_left;
    this.#say([`${thousands(seconds_left)} s left.`]);
  }

  #showCode(code: string): void {
    this.#say(["", ...largeDigits(code).map((line) => `     ${line}`), "", `The code is ${code}.`]);
  }

  #say(lines: string[]): void {
    this.#context.dialogue.terminal.interject(lines);
  }
}

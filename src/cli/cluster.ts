/** `understudy cluster …`: the life of a cluster, over the control socket. */
import { createInterface } from "node:readline/promises";
import type { PairingStatus } from "../control/pairing-session.ts";
import type { Match } from "../core/pairing/messages.ts";
import type { SegmentResult } from "../core/pairing/segments.ts";
import { Failure } from "../errors.ts";
import { ask } from "./client.ts";
import { type Common, said } from "./commands.ts";

const TELL_INTERVAL_MS = 500;
/** Where nobody sees a countdown run, it is told so often. */
const COUNTDOWN_STEP_S = 600;
const SKIPPED =
  "--skip-code: nobody checks who is at the other end of the cable; whoever is can take this node's place in the cluster.";

export interface JoinOptions {
  nic: string;
  name: string | undefined;
  skip_code: boolean;
}

export interface CreateOptions {
  nic: string;
  matches: string[];
  skip_code: boolean;
  code: string | undefined;
}

export async function joinCluster(common: Common, { nic, name, skip_code }: JoinOptions): Promise<void> {
  const telling = tellWaiting(common, skip_code);
  const { release } = cancelOnInterrupt(common);
  try {
    await ask(common.run, "POST", "/cluster/join", { interface: nic, name, skip_code });
  } finally {
    clearInterval(telling);
    release();
  }
  said(common, "This node is now the backup of the cluster.");
}

/** Says what the node waits for, the code, and how long it still waits. */
function tellWaiting(common: Common, skip_code: boolean): Timer {
  let told = "";
  let step = Number.POSITIVE_INFINITY;
  let begun = false;
  return setInterval(async () => {
    const status = await ask<{ pairing: PairingStatus | null }>(common.run, "GET", "/status").catch(() => null);
    const pairing = status?.pairing;
    if (pairing?.side !== "joiner") return;
    const { waiting, seconds_left } = pairing;
    if (!begun) {
      begun = true;
      if (skip_code) console.error(SKIPPED);
      if (!common.json)
        console.log(
          `Cluster creation has started. Go to the active node and create the cluster there; ${seconds_left} seconds are allowed. Ctrl+C cancels.`,
        );
    }
    const is_live = process.stderr.isTTY === true;
    const wipe = is_live ? "\r\x1b[K" : "";
    if (waiting !== told) {
      told = waiting;
      console.error(wipe + waiting);
    }
    const reached = Math.ceil(seconds_left / COUNTDOWN_STEP_S);
    if (is_live) process.stderr.write(`${wipe}${seconds_left} seconds left`);
    else if (reached < step && step !== Number.POSITIVE_INFINITY) console.error(`${seconds_left} seconds left.`);
    step = reached;
  }, TELL_INTERVAL_MS);
}

/** The node goes on by itself, so Ctrl+C must tell it; a second one ends the command whatever it says. */
function cancelOnInterrupt(common: Common): { interrupted: Promise<never>; release: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const cancel = () => {
    void ask(common.run, "DELETE", "/cluster/pairing").catch(() => {});
    reject(new Failure("cancelled", "Pairing was cancelled; nothing has changed."));
  };
  process.once("SIGINT", cancel);
  return { interrupted: promise, release: () => void process.removeListener("SIGINT", cancel) };
}

export async function createCluster(common: Common, options: CreateOptions): Promise<void> {
  const matches = options.matches.map(parseMatch);
  const { nic, skip_code, code } = options;
  if (code !== undefined && !/^\d{6}$/.test(code)) throw new Failure("usage", `--code ${code} must have six digits.`);
  const { interrupted, release } = cancelOnInterrupt(common);
  const { peer } = await ask<{ peer: NonNullable<PairingStatus["peer"]> }>(common.run, "POST", "/cluster/search", {
    interface: nic,
    skip_code,
    matches,
  });
  try {
    if (skip_code) console.error(SKIPPED);
    else {
      if (!common.json) console.log(`${peer.name} waits, version ${peer.version} build ${peer.build}.`);
      await ask(common.run, "POST", "/cluster/code", { code: code ?? (await askCode(common, peer.name, interrupted)) });
    }
    const tested = await ask<{ matches: SegmentResult[] }>(common.run, "POST", "/cluster/test", { matches });
    const advice = tested.matches.flatMap((result) => result.advice ?? []);
    if (advice.length > 0) throw new Failure("segments-differ", advice.join("\n"));
    await ask(common.run, "POST", "/cluster/apply", { matches });
  } catch (error) {
    // Where it has ended by itself there is nothing to cancel.
    await ask(common.run, "DELETE", "/cluster/pairing").catch(() => {});
    throw error;
  } finally {
    release();
  }
  said(common, "Communication with the server has been established; this node is active.");
}

function parseMatch(match: string): Match {
  const [mine, theirs, ...rest] = match.split("=");
  if (!mine || !theirs || rest.length > 0) throw new Failure("usage", `--match ${match} must look like MINE=THEIRS.`);
  return { mine, theirs };
}

/** One line of standard input. */
async function askCode(common: Common, name: string, interrupted: Promise<never>): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // On a terminal it takes Ctrl+C for itself.
  lines.once("SIGINT", () => process.emit("SIGINT"));
  const ended = new Promise<never>((_, reject) =>
    lines.once("close", () => reject(new Failure("no-code", "No code was given; nothing has changed."))),
  );
  ended.catch(() => {});
  const { gone, release } = watchPairing(common);
  try {
    const question = lines.question(common.json ? "" : `Type the code that ${name} shows: `);
    return (await Promise.race([question, ended, gone, interrupted])).trim();
  } finally {
    release();
    lines.close();
  }
}

/** Rejects where the pairing ends while a person looks for the code: the other node went away, or somebody cancelled. */
function watchPairing(common: Common): { gone: Promise<never>; release: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const timer = setInterval(async () => {
    try {
      const { pairing } = await ask<{ pairing: PairingStatus | null }>(common.run, "GET", "/status");
      // The next step says why there is none any more; what is no code costs no try.
      if (pairing === null) await ask(common.run, "POST", "/cluster/code", { code: "none" });
    } catch (error) {
      reject(error);
    }
  }, TELL_INTERVAL_MS);
  return { gone: promise, release: () => clearInterval(timer) };
}

export async function cancelPairing(common: Common): Promise<void> {
  await ask(common.run, "DELETE", "/cluster/pairing");
  said(common, "The pairing is cancelled.");
}

export async function switchOver(common: Common): Promise<void> {
  await ask(common.run, "POST", "/cluster/switch");
  said(common, "The peer is active now.");
}

export async function maintain(common: Common, on: boolean): Promise<void> {
  await ask(common.run, "PUT", "/cluster/maintenance", { on });
  said(common, on ? "The backup does not take over any more." : "The backup takes over again.");
}

export async function destroyCluster(common: Common): Promise<void> {
  await ask(common.run, "POST", "/cluster/destroy");
  said(common, "The cluster was destroyed; this node goes on alone.");
}

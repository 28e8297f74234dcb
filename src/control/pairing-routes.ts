/** The routes of pairing: a long request for the joiner, and the creator's steps. */
import type { Match } from "../core/pairing/messages.ts";
import { Failure } from "../errors.ts";
import type { Pairing } from "./pairing.ts";
import { bodyOf, type Routes, textOf } from "./route.ts";

/** S16: how long a node waits for the other one. */
const WAIT_S_MAX = 3600;
const MATCHES_MAX = 31;

type Body = Record<string, unknown>;

export function pairingRoutes(pairing: Pairing): Routes {
  return {
    "POST /cluster/join": async (request) => {
      const body = (await bodyOf(request)) as Body;
      const name = body["name"] === undefined ? undefined : textOf(body["name"], "name");
      await pairing.join({ ...commonOf(body), name }, request.signal);
      return {};
    },
    "POST /cluster/search": async (request) => {
      const body = (await bodyOf(request)) as Body;
      const matches = body["matches"] === undefined ? undefined : matchesOf(body["matches"]);
      return { peer: await pairing.search({ ...commonOf(body), matches }, request.signal) };
    },
    "POST /cluster/code": async (request) => {
      await pairing.type(textOf(((await bodyOf(request)) as Body)["code"], "code"));
      return {};
    },
    "POST /cluster/test": async (request) => {
      const body = (await bodyOf(request)) as Body;
      const matches = body["matches"] === undefined ? [matchOf(body)] : matchesOf(body["matches"]);
      return { matches: await pairing.test(matches) };
    },
    "POST /cluster/apply": async (request) => {
      await pairing.apply(matchesOf(((await bodyOf(request)) as Body)["matches"]));
      return {};
    },
    "DELETE /cluster/pairing": () => {
      pairing.cancel();
      return {};
    },
  };
}

function commonOf(body: Body): { nic: string; skip_code: boolean; timeout_s: number } {
  const { skip_code = false } = body;
  if (typeof skip_code !== "boolean") throw new Failure("bad-request", "skip_code must be true or false.");
  return { nic: textOf(body["interface"], "interface"), skip_code, timeout_s: waitOf(body["timeout_s"]) };
}

function matchesOf(value: unknown): Match[] {
  if (!Array.isArray(value) || value.length > MATCHES_MAX)
    throw new Failure("bad-request", `matches must be a list of at most ${MATCHES_MAX} pairs { mine, theirs }.`);
  return value.map(matchOf);
}

function matchOf(value: { mine?: unknown; theirs?: unknown } | null): Match {
  return { mine: textOf(value?.mine, "mine"), theirs: textOf(value?.theirs, "theirs") };
}

function waitOf(value: unknown): number {
  if (value === undefined) return WAIT_S_MAX;
  if (typeof value !== "number" || !(value > 0 && value <= WAIT_S_MAX))
    throw new Failure("bad-request", `timeout_s must be a number up to ${WAIT_S_MAX}.`);
  return value;
}

/** The transitions that the model has, read out of its text: every change of role there goes through `become`. */
import { readFileSync } from "node:fs";
import { MODEL } from "./spin.ts";

const ROLES = ["off", "listening", "backup", "probing", "active", "resuming"];

const named = (words: string): string => words.toLowerCase().replaceAll("_", "-");

/** "from → to: cause", the names as in the simulation (test/sim/context.ts). */
export function modelTransitions(): Set<string> {
  const text = readFileSync(MODEL, "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
  const found = new Set<string>();
  const add = (from: string, to: string, cause: string): void => {
    const any = ROLES.filter((name) => name !== to && !(from === "inactive" && name === "active"));
    for (const role of from === "any" || from === "inactive" ? any : [from]) {
      if (!ROLES.includes(role) || !ROLES.includes(to)) throw new Error(`no role: ${role} → ${to}`);
      found.add(transitionText(role, to, cause));
    }
  };
  for (const [, from = "", to = "", cause = ""] of text.matchAll(
    /become\(\w+, ([A-Z]+), ([A-Z]+), (?!cause\b)(\w+)\)/g,
  ))
    add(named(from), named(to), named(cause));
  // `claim` and `stepDown` hand their cause on to `become`.
  for (const [, from = "", cause = ""] of text.matchAll(/claim\(me, ([A-Z]+), .*?, (consent|evidence)\)/g))
    add(named(from), "active", named(cause));
  for (const [, cause = ""] of text.matchAll(/stepDown\(me, (?!cause\b)(\w+)\)/g))
    add("active", "backup", named(cause));
  return found;
}

export function transitionText(from: string, to: string, cause: string): string {
  return `${from} → ${to}: ${cause}`;
}

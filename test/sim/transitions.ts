/** Watches a core's role, and says of every transition what caused it. */
import type { Election } from "../../src/core/election.ts";
import type { Output } from "../../src/core/types.ts";
import type { WireRole } from "../../src/wire/heartbeat.ts";
import type { Cause, Context } from "./context.ts";
import type { Machine } from "./machine.ts";

export class Observer {
  readonly #machine: Machine;
  readonly #election: Election;
  readonly #context: Context;
  /** Roles since the last step, the present one last. More than two only where somebody listens. */
  #roles: WireRole[];
  #term: number;

  constructor(machine: Machine, election: Election, context: Context) {
    this.#machine = machine;
    this.#election = election;
    this.#context = context;
    this.#roles = [election.role];
    this.#term = election.term;
    if (context.onTransition !== null) this.#recordRoles();
  }

  /** Roles that last only within a step are seen too. */
  #recordRoles(): void {
    let { role } = this.#election;
    Object.defineProperty(this.#election, "role", {
      get: () => role,
      set: (next: WireRole) => {
        role = next;
        this.#roles.push(next);
      },
    });
  }

  started(): void {
    const { role } = this.#election;
    this.#report("off", role, role === "active" ? "created" : "started");
  }

  ended(cause: "died" | "stopped"): void {
    this.#report(this.#election.role, "off", cause);
  }

  before(): void {
    this.#roles.length = 1;
    this.#roles[0] = this.#election.role;
  }

  after(output: Output): void {
    const { role, term } = this.#election;
    const { judge } = this.#context;
    if (term < this.#term)
      judge.violation("term-fell", `${this.#machine.name} went from term ${this.#term} back to ${term}`);
    this.#term = term;
    if (this.#context.onTransition === null && role !== this.#roles[0]) this.#roles.push(role);
    for (let i = 1; i < this.#roles.length; i++) {
      const from = this.#roles[i - 1] ?? role;
      const to = this.#roles[i] ?? role;
      if (from !== to) this.#report(from, to, this.#causeOf(from, to, output));
    }
  }

  #causeOf(from: WireRole, to: WireRole, output: Output): Cause {
    const { peer, heard } = this.#election;
    const told = (code: string): boolean => output.events.some((event) => event.code === code);
    if (to === "active") {
      if (from === "resuming") return "acknowledged";
      const claim = output.events.find((event) => event.code === "became-active");
      return claim?.message.includes("is silent") === true ? "evidence" : "consent";
    }
    if (to === "resuming") return "slept";
    if (to === "probing") return "silent";
    if (from === "active") {
      if (told("yielded")) return "yielded";
      if (told("handed-over")) return "handed-over";
      if (told("cut-off")) return "cut-off";
      return told("gate-broken") ? "gate-broken" : "stopping";
    }
    if (from === "probing") return "heard";
    if (heard && peer?.role === "active") return "peer-active";
    return from === "resuming" ? "unproved" : "listened";
  }

  #report(from: WireRole | "off", to: WireRole | "off", cause: Cause): void {
    const { onTransition, log, judge, timeline } = this.#context;
    const { index, name, kernel } = this.#machine;
    const { term } = this.#election;
    log?.(`${name} ${from} → ${to}: ${cause}, term ${term}`);
    judge.transition(this.#machine, from, to, cause, term);
    onTransition?.({
      node: index,
      from,
      to,
      cause,
      term,
      holds: kernel.holds,
      serves: this.#machine.running && kernel.serves(timeline.now_us),
    });
  }
}

/** Who may catch a mutant, in the order in which they are asked: cheap and telling first. */

export interface Catcher {
  name: string;
  command: string[];
}

const test = (...paths: string[]): string[] => ["test", "--timeout", "120000", ...paths];

/** Enough seeds that a fault which shows itself once in some hundreds is met. */
export const SEEDS = 3000;

export const CATCHERS = {
  simulation: { name: "simulation", command: ["test/sim/run.ts", "--seeds", String(SEEDS), "--quick"] },
  replication: { name: "replication", command: test("./test/sim/replication") },
  scripts: { name: "scripts", command: test("./test/scripts") },
  unit: { name: "unit tests", command: test("./src/core", "./src/wire", "./src/heart") },
  house: { name: "house rules", command: test("./test/style.test.ts") },
  kernel: { name: "gate tests", command: test("./src/kernel/gate.test.ts", "./src/kernel/lease.test.ts") },
} satisfies Record<string, Catcher>;

export type CatcherName = keyof typeof CATCHERS;

export const CORE: CatcherName[] = ["simulation", "scripts", "unit", "house"];

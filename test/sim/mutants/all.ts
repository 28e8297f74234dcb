/** Every mutant of the tree. */
import { CORE_MUTANTS } from "./core.ts";
import type { Mutant } from "./mutant.ts";
import { REPLICATION_MUTANTS } from "./replication.ts";
import { CONTRACT_MUTANTS, GATE_MUTANTS, WIRE_MUTANTS } from "./wire.ts";

export const MUTANTS: Mutant[] = [
  ...CORE_MUTANTS,
  ...WIRE_MUTANTS,
  ...CONTRACT_MUTANTS,
  ...GATE_MUTANTS,
  ...REPLICATION_MUTANTS,
];

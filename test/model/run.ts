/**
 * The model by hand:
 *
 *   npm run model                       every check, the large ones too
 *   npm run model -- --quick            those of `npm test`
 *   npm run model -- --check NAME       one, or one of the mutants; where something is found wrong, how it came to that
 */
import { parseArgs } from "node:util";
import { ensurePrerequisites } from "../lab/prerequisites.ts";
import { CHECKS, type Check, MUTANTS } from "./checks.ts";
import { story, verify } from "./spin.ts";

const { values } = parseArgs({ options: { check: { type: "string" }, quick: { type: "boolean", default: false } } });
ensurePrerequisites();

const everything = [
  ...CHECKS.map((check) => ({ check, holds: true })),
  ...MUTANTS.map((check) => ({ check, holds: false })),
];
const chosen = everything.filter(({ check }) =>
  values.check === undefined ? check.quick || !values.quick : check.name === values.check,
);
if (chosen.length === 0) {
  console.error(
    `There is no check "${values.check}"; choose from ${everything.map(({ check }) => check.name).join(", ")}.`,
  );
  process.exit(2);
}

let failed = 0;
console.log(
  `${"check".padEnd(22)}${"states".padStart(11)}${"depth".padStart(9)}${"s".padStart(7)}${"MB".padStart(7)}  verdict`,
);
for (const { check, holds } of chosen) {
  const { states, depth, took_ms, memory_mb, violation, exhaustive } = verify(check);
  const right = holds ? violation === null && exhaustive : violation !== null;
  if (!right) failed++;
  console.log(
    `${check.name.padEnd(22)}${String(states).padStart(11)}${String(depth).padStart(9)}${(took_ms / 1000).toFixed(1).padStart(7)}` +
      `${memory_mb.toFixed(0).padStart(7)}  ${verdict(violation, exhaustive)}${right ? "" : " (WRONG)"}: ${check.says}`,
  );
  if (violation !== null && (holds || values.check !== undefined)) tell(check);
}
process.exit(failed === 0 ? 0 : 1);

function verdict(violation: string | null, exhaustive: boolean): string {
  if (violation !== null) return "found wrong";
  return exhaustive ? "holds" : "not searched to the end";
}

function tell(check: Check): void {
  for (const line of story(check)) console.log(`    ${line}`);
}

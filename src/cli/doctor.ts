/** `understudy doctor`: what a cluster needs. */
import type { Finding } from "../control/doctor.ts";
import { ask } from "./client.ts";
import type { Common } from "./commands.ts";

const MARKS = { good: "good   ", warning: "WARNING", bad: "BAD    " } as const;

/** The exit status: 0 where nothing is bad. */
export async function runDoctor(common: Common): Promise<number> {
  const findings = await ask<Finding[]>(common.run, "GET", "/doctor");
  if (common.json) console.log(JSON.stringify(findings, null, 2));
  else for (const finding of findings) console.log(textOf(finding));
  return findings.some(({ state }) => state === "bad") ? 1 : 0;
}

function textOf({ state, what, advice }: Finding): string {
  return `${MARKS[state]}  ${what}${advice === null ? "" : `\n         ${advice}`}`;
}

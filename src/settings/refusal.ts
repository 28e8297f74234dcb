/** What is wrong with settings that do not have their form, in one sentence that names the place. */
import type { z } from "zod";
import { Failure } from "../errors.ts";

type Issue = z.core.$ZodIssue;

const KINDS: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
};
const UNITS: Record<string, string> = { string: "characters", array: "entries" };

export function refusalOf({ issues }: { issues: readonly Issue[] }): Failure {
  // A misspelt key is the reason why the right one is missing.
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0];
  if (issue === undefined) return new Failure("bad-settings", "The settings are not valid.");
  const place = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const where = place === "" ? "" : ` in ${place}`;
    return new Failure(
      "bad-settings",
      `Unknown key ${issue.keys.map((key) => `"${key}"`).join(", ")}${where}; remove it or correct its spelling.`,
    );
  }
  return new Failure("bad-settings", `${place || "the settings"} ${complaint(issue)}.`);
}

function complaint(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined && issue.path.length > 0 && /received undefined/.test(issue.message))
        return `is missing; it must be ${KINDS[issue.expected] ?? issue.expected}`;
      return `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    case "too_small":
      return `must ${limit("at least", Number(issue.minimum), issue.origin)}`;
    case "too_big":
      return `must ${limit("at most", Number(issue.maximum), issue.origin)}`;
    default:
      return issue.message;
  }
}

function limit(bound: string, count: number, origin: string): string {
  const unit = UNITS[origin];
  if (unit === undefined) return `be ${bound} ${count}`;
  const one = unit === "entries" ? "entry" : "character";
  return `have ${bound} ${count} ${count === 1 ? one : unit}`;
}

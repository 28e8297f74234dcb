/** What of a database is good: everything, as a rule, and otherwise as much of its newest history as can be read. */
import type { Database } from "bun:sqlite";
import { isGenuine, type Revision } from "./chain.ts";
import type { Local } from "./shared.ts";
import { Tables } from "./tables.ts";

/** Every content, and as many lines as anybody may look at; older lines are checked when they are read. */
const LINES_CHECKED_MAX = 2000;
const LINES_SALVAGED_MAX = 100_000;

export interface Good {
  /** Oldest first, each the child of the one before; the last one has its content. Empty where there is nothing. */
  revisions: Revision[];
  /** Null where it is damaged. */
  local: Local | null;
  sequence: number;
}

/** True where every page, line and content that counts is as it was written. Throws where it cannot be read. */
export function isSound(db: Database): boolean {
  const [verdict] = db.query("PRAGMA quick_check(1)").values() as string[][];
  if (verdict?.[0] !== "ok") return false;
  const tables = new Tables(db);
  let count = 0;
  let child: Revision | null = null;
  for (const revision of tables.newestFirst()) {
    if (!isGenuine(revision) || (child !== null && !isParent(revision, child))) return false;
    if (child === null && (revision.content === "" || tables.local(revision.number) === null)) return false;
    child = revision;
    if (++count === LINES_CHECKED_MAX) break;
  }
  return tables.sequence() >= 0;
}

/** Reads a damaged database as far as it goes. */
export function salvage(db: Database): Good {
  const tables = new Tables(db);
  const revisions: Revision[] = [];
  attempt(() => {
    for (const row of tables.newestFirst()) {
      const child = revisions.at(-1);
      const revision = isGenuine(row) ? row : { ...row, content: "" };
      if (!isGenuine(revision)) {
        if (child === undefined) continue;
        break;
      }
      // The newest one is used, so it must be whole.
      if (child === undefined && revision.content === "") continue;
      if (child !== undefined && !isParent(revision, child)) break;
      if (revisions.push(revision) === LINES_SALVAGED_MAX) break;
    }
  });
  revisions.reverse();
  const head = revisions.at(-1);
  const local = head === undefined ? null : attempt(() => tables.local(head.number));
  return { revisions, local, sequence: attempt(() => tables.sequence()) ?? 0 };
}

function isParent(revision: Revision, child: Revision): boolean {
  return revision.id === child.parent && revision.number === child.number - 1;
}

function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}

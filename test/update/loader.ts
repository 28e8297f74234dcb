/** systemd-boot on a directory of slots, as far as it chooses an entry and counts its tries. */
import { readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { releaseOf } from "../../src/update/image.ts";
import { parseName, startedNext } from "../../src/update/slots.ts";

/** The build that a machine with these slots starts; 0 where there is none. */
export function startSystem(slots: string): number {
  const all = readdirSync(slots).flatMap((name) => {
    const parsed = parseName(name);
    return parsed === null ? [] : [{ ...parsed, release: releaseOf(readFileSync(join(slots, name))) }];
  });
  const chosen = startedNext(all);
  if (!chosen?.tries) return chosen?.release?.build ?? 0;
  const { left, done } = chosen.tries;
  const next = `understudy-${chosen.letter}+${Math.max(0, left - 1)}-${done + 1}.efi`;
  renameSync(join(slots, chosen.name), join(slots, next));
  return chosen.release?.build ?? 0;
}

/** What an administrator should know about a change of the settings that was made as asked. */
import type { Settings } from "./schema.ts";

export interface Note {
  code: string;
  /** One sentence. */
  message: string;
}

/** Kept, shared and shown, and nothing acts on them yet; the README's table says the same. */
export const NOT_APPLIED = ["dns", "mail", "time"] as const satisfies (keyof Settings)[];

const MAC_CHANGES: Note = {
  code: "mac-changes",
  message:
    "After a switch the provider sees another MAC address on the external network; where it binds to one, have it allow those of both nodes.",
};

export function notesOn(before: Settings, after: Settings): Note[] {
  const notes: Note[] = [];
  // S12
  const external = ({ interfaces }: Settings) => interfaces.filter(({ role }) => role === "external");
  if (external(after).length > 0 && !Bun.deepEquals(external(before), external(after))) notes.push(MAC_CHANGES);
  const idle = NOT_APPLIED.filter((key) => !Bun.deepEquals(before[key], after[key]));
  if (idle.length > 0)
    notes.push({
      code: "not-applied",
      message: `Kept, but not yet applied by this version: the settings of ${idle.join(", ")}.`,
    });
  return notes;
}

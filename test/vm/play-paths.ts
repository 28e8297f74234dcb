/** Where the parts of `npm run vm` meet. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const DIRECTORY = join(import.meta.dir, "../../build/vm");

export const CONTROL = join(DIRECTORY, "control.sock");
export const TMUX = join(DIRECTORY, "tmux.sock");
export const consolePath = (side: string): string => join(DIRECTORY, `console-${side}.sock`);

export function directory(): void {
  mkdirSync(DIRECTORY, { recursive: true });
}

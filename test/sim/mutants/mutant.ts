/** A deliberate fault: a place in the source that occurs exactly once, what stands there instead, and who may catch it. */
import type { CatcherName } from "./catchers.ts";

export interface Mutant {
  name: string;
  file: string;
  search: string;
  replacement: string;
  catchers: CatcherName[];
}

/** Throws where the place is not there, or there twice: the mutant has to follow the source. */
export function mutated(source: string, { name, file, search, replacement }: Mutant): string {
  const places = source.split(search).length - 1;
  if (places !== 1) throw new Error(`mutant "${name}": its place occurs ${places} times in ${file}, not once`);
  return source.replace(search, () => replacement);
}

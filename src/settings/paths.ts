/**
 * Places in the settings, as people name them: `dns.servers`, `interfaces.lan0.enabled`. Entries of a list go by
 * their name where they have one, otherwise by their position, 0 first. Names may have dots in them (`eth0.100`).
 */
import { Failure } from "../errors.ts";

/** What an entry of these lists is called. */
const NAMED: Record<string, string> = { interfaces: "nic", administrators: "name", domains: "name" };

type Values = Record<string, unknown>;

/** The value at `path`; all of it where the path is empty. Throws Failure `unknown-path`. */
export function getPath(settings: unknown, path: string): unknown {
  if (path === "") return settings;
  // On a copy, as empty groups are made on the way.
  const { holder, key } = locate(structuredClone(settings), path);
  const value = (holder as Values)[key];
  if (value === undefined) throw unknownPath(path);
  return value;
}

/** Changes in place; null removes. Whether the result is valid is another matter. Throws Failure `unknown-path`. */
export function setPath(settings: unknown, path: string, value: unknown): void {
  const { holder, key, name } = locate(settings, path);
  if (Array.isArray(holder)) return setEntry(holder, Number(key), name, value, path);
  const before = (holder as Values)[key];
  if (value === null) delete (holder as Values)[key];
  else (holder as Values)[key] = fitted(value, before);
}

function setEntry(list: unknown[], index: number, name: Values, value: unknown, path: string): void {
  const is_new = index === list.length;
  if (value === null) {
    if (is_new) throw unknownPath(path);
    list.splice(index, 1);
  } else if (isValues(value)) list[index] = { ...name, ...value };
  else if (is_new && Object.keys(name).length > 0) throw unknownPath(path);
  else list[index] = fitted(value, list[index]);
}

/** A word where a list was is a list of words; a number where a text was is that text. */
function fitted(value: unknown, before: unknown): unknown {
  if (Array.isArray(before) && typeof value === "string")
    return value
      .split(",")
      .map((word) => word.trim())
      .filter((word) => word !== "");
  if (typeof before === "string" && (typeof value === "number" || typeof value === "boolean")) return String(value);
  return value;
}

/** Where the last step of the path leads from: an object and a key, or a list and a position. */
function locate(settings: unknown, path: string): { holder: unknown; key: string; name: Values } {
  let holder: unknown = settings;
  let rest = path;
  let list_name = "";
  for (;;) {
    if (Array.isArray(holder)) {
      const name_key = NAMED[list_name];
      const step = entryOf(holder, rest, name_key);
      if (step === null) throw unknownPath(path);
      const name = name_key === undefined ? {} : { [name_key]: step.name };
      if (step.rest === "") return { holder, key: String(step.index), name };
      holder = holder[step.index];
      rest = step.rest;
    } else {
      if (!isValues(holder)) throw unknownPath(path);
      const [key = "", ...more] = rest.split(".");
      if (key === "" || key === "__proto__") throw unknownPath(path);
      if (more.length === 0) return { holder, key, name: {} };
      // A group that has nothing in it yet, such as `cluster` or `mail.relay`.
      if (holder[key] === undefined) holder[key] = {};
      holder = holder[key];
      list_name = key;
      rest = more.join(".");
    }
  }
}

/** The entry that `text` begins with, the longest name first; a new one where the whole of it is a new name. */
function entryOf(
  list: unknown[],
  text: string,
  name_key: string | undefined,
): { index: number; name: string; rest: string } | null {
  if (name_key === undefined) {
    const [position = "", ...more] = text.split(".");
    const index = Number(position);
    return /^\d{1,5}$/.test(position) && index <= list.length ? { index, name: "", rest: more.join(".") } : null;
  }
  const fits = list
    .map((entry, index) => ({ index, name: nameAt(entry, name_key) ?? "" }))
    .filter(({ name }) => name !== "" && (text === name || text.startsWith(`${name}.`)))
    .sort((a, b) => b.name.length - a.name.length)[0];
  if (fits !== undefined) return { ...fits, rest: text.slice(fits.name.length + 1) };
  return { index: list.length, name: text, rest: "" };
}

function nameAt(entry: unknown, name_key: string): string | undefined {
  const name = isValues(entry) ? entry[name_key] : undefined;
  return typeof name === "string" ? name : undefined;
}

function isValues(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unknownPath(path: string): Failure {
  return new Failure(
    "unknown-path",
    `There is no ${path || '""'} in the settings; \`settings get\` shows what there is.`,
  );
}

/** The settings over the control socket: read, replaced, changed by path, and their history. */
import { Failure } from "../errors.ts";
import type { Revision } from "../settings/chain.ts";
import { notesOn } from "../settings/notes.ts";
import { bodyOf, nameOf, type Routes } from "./route.ts";
import type { ChangeOptions, SettingsService } from "./settings-service.ts";

const AUTHOR_CHARACTERS_MAX = 64;
/** Who speaks on this socket without a name. */
const ROOT = "root";

/** `demand` is what a change must fulfil beyond the rules for all. */
export function settingsRoutes(settings: SettingsService, demand?: ChangeOptions["demand"]): Routes {
  const options = (url: URL): ChangeOptions => ({ ...optionsOf(url), ...(demand === undefined ? {} : { demand }) });
  return {
    "GET /settings": (_, url) => settings.get(url.searchParams.get("path") ?? "", { secrets: isSet(url, "secrets") }),
    "PUT /settings": async (request, url) => {
      const value = await bodyOf(request);
      return changed(settings, () => settings.import(value, options(url)));
    },
    "PATCH /settings": async (request, url) => {
      const { set } = (await bodyOf(request)) as { set?: unknown };
      if (typeof set !== "object" || set === null || Array.isArray(set))
        throw new Failure("bad-request", "set must be an object of paths and their values.");
      return changed(settings, () => settings.set(set as Record<string, unknown>, options(url)));
    },
    "GET /settings/revisions": () => settings.revisions(),
    "GET /settings/revisions/*": (_, url) => settings.show(nameOf(url), { secrets: isSet(url, "secrets") }),
  };
}

async function changed(settings: SettingsService, work: () => Promise<Revision>) {
  const before = settings.current;
  const { number } = await work();
  return { revision: number, notes: notesOn(before, settings.current) };
}

function isSet(url: URL, name: string): boolean {
  return ["1", "true"].includes(url.searchParams.get(name) ?? "");
}

/** Who makes a change, and whether it may stay on this node alone. */
export function optionsOf(url: URL): ChangeOptions {
  const author = (url.searchParams.get("author") ?? "").replace(/\p{Cc}/gu, "").slice(0, AUTHOR_CHARACTERS_MAX);
  return { author: author || ROOT, alone: isSet(url, "alone") };
}

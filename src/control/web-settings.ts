/**
 * The settings on the web. Administrators, tokens and the certificate are among them, and have routes of their own that ask
 * for more: a person, and the present password. A token that may change the rest, or a page left open, gets round
 * none of that here.
 */
import { Failure } from "../errors.ts";
import type { Settings } from "../settings/model.ts";
import type { Routes } from "./route.ts";
import { settingsRoutes } from "./settings-routes.ts";
import type { SettingsService } from "./settings-service.ts";

export function webSettingsRoutes(settings: SettingsService): Routes {
  return settingsRoutes(settings, demandOthersUntouched);
}

/** Throws Failure `other-route`. */
function demandOthersUntouched(before: Settings, after: Settings): void {
  if (Bun.deepEquals(othersOf(before), othersOf(after))) return;
  throw new Failure(
    "other-route",
    "Administrators, tokens and the certificate are not changed together with the settings; leave them as they are shown.",
  );
}

function othersOf({ administrators, web }: Settings): unknown[] {
  return [administrators, web.tokens ?? [], web.certificate ?? null];
}

/** Routes of the control socket for backup copies, the license and administrators. The socket is root's, as the console is. */
import { Failure } from "../errors.ts";
import type { Administration, BackupSource } from "./administration.ts";
import { bodyOf, nameOf, type Routes, textOf } from "./route.ts";
import { optionsOf } from "./settings-routes.ts";

type Body = Record<string, unknown>;

export function administrationRoutes(administration: Administration): Routes {
  const { administrators, backups } = administration;
  return {
    "GET /backups": () => backups.list(),
    "POST /backups": async (request) => {
      const { passphrase } = (await bodyOf(request)) as Body;
      return administration.createBackup(optionalTextOf(passphrase, "passphrase"));
    },
    "POST /backups/restore": async (request, url) => {
      const body = (await bodyOf(request)) as Body;
      await administration.restoreBackup(
        sourceOf(body),
        optionalTextOf(body["passphrase"], "passphrase"),
        optionsOf(url),
      );
      return {};
    },
    "GET /backups/*": (_, url) => ({ content: backups.read(nameOf(url)) }),
    "DELETE /backups/*": (_, url) => {
      backups.delete(nameOf(url));
      return {};
    },
    "GET /license": () => administration.license(),
    "PUT /license": async (request, url) => {
      const { text } = (await bodyOf(request)) as Body;
      return administration.installLicense(textOf(text, "text"), optionsOf(url));
    },
    "GET /administrators": () => administrators.list(),
    "POST /administrators/password": async (request, url) => {
      const { name, password } = (await bodyOf(request)) as Body;
      await administrators.setPassword(
        "console",
        {
          name: textOf(name, "name"),
          password: textOf(password, "password"),
        },
        optionsOf(url),
      );
      return {};
    },
    "POST /administrators/verify": async (request) => {
      const { name, password } = (await bodyOf(request)) as Body;
      await administrators.verify(textOf(name, "name"), textOf(password, "password"));
      return {};
    },
  };
}

function optionalTextOf(value: unknown, name: string): string | undefined {
  return value === undefined || value === null ? undefined : textOf(value, name);
}

function sourceOf({ name, content }: Body): BackupSource {
  if ((name === undefined) === (content === undefined))
    throw new Failure("bad-request", "Give either the name or the content of a backup copy.");
  return name === undefined ? { content: textOf(content, "content") } : { name: textOf(name, "name") };
}

/** `understudy password`: sets an administrator's password, over root's own socket, so that a forgotten one is not needed. */
import { Failure } from "../errors.ts";
import { ask } from "./client.ts";
import { type Common, said } from "./commands.ts";
import { newSecret } from "./secrets.ts";
import { doorOf } from "./settings.ts";

export async function passwordCommand(
  common: Common,
  words: string[],
  options: { name: string; alone: boolean },
): Promise<void> {
  if (words.length > 0) throw new Failure("usage", "A password is not taken from the command line; it is asked for.");
  const { name } = options;
  const password = await newSecret(`password for ${name}`);
  await ask(common.run, "POST", `/administrators/password?${doorOf(options)}`, { name, password });
  said(common, `The password of ${name} was set.`);
}

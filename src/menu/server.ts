/** The items about this server itself: its name, the administrator's password, who may see its web page. */
import { Failure } from "../errors.ts";
import { type Context, carryOut } from "./context.ts";

const NAME = { least: 2, most: 42 };
const ADMINISTRATOR = "admin";

export function checkName(name: string): string | null {
  const { length } = [...name];
  return length >= NAME.least && length <= NAME.most
    ? null
    : `The name must have ${NAME.least} to ${NAME.most} characters, and this has ${length}; type another one.`;
}

export async function rename(context: Context): Promise<void> {
  const { dialogue, node } = context;
  const { server } = await node.settings();
  const name = await dialogue.text({
    question: "Enter the new server name (2 to 42 characters):",
    current: server.name,
    check: checkName,
  });
  await carryOut(context, (how) => node.change({ "server.name": name }, how));
  dialogue.print(`The name of this server is ${name} now.`);
}

export async function changePassword(context: Context): Promise<void> {
  const { dialogue, node } = context;
  for (;;) {
    const password = await dialogue.text({
      question: `Enter the new password of ${ADMINISTRATOR} (not shown):`,
      secret: true,
      check: (text) => (text === "" ? "Nothing was typed; type a password." : null),
    });
    await dialogue.text({
      question: "Enter it again:",
      secret: true,
      check: (text) => (text === password ? null : "That differs from the first one; type it again, or c to cancel."),
    });
    try {
      await carryOut(context, () => node.ask("POST", "/administrators/password", { name: ADMINISTRATOR, password }));
      return dialogue.print(`The password of ${ADMINISTRATOR} was changed.`);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "weak-password") throw error;
      dialogue.print(error.message);
    }
  }
}

/** Whoever stands at the console proves to be the administrator, where there is one. Throws Failure where they are not. */
export async function provePassword({ dialogue, node }: Context): Promise<void> {
  const administrators = await node.ask<unknown[]>("GET", "/administrators");
  if (administrators.length === 0) return;
  const password = await dialogue.text({
    question: `Enter the password of ${ADMINISTRATOR} (not shown):`,
    secret: true,
  });
  await node.ask("POST", "/administrators/verify", { name: ADMINISTRATOR, password });
}

export async function webAccess(context: Context): Promise<void> {
  const { dialogue, node } = context;
  const { web } = await node.settings();
  const outside = web?.outside ?? false;
  dialogue.print();
  dialogue.print(`The web interface is ${outside ? "" : "not "}reachable from external networks.`);
  await dialogue.demand(outside ? "Turn web access from outside off?" : "Turn web access from outside on?");
  await carryOut(context, (how) => node.change({ "web.outside": !outside }, how));
  dialogue.print(`Web access from outside is ${outside ? "off" : "on"} now.`);
}

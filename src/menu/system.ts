/** The items about the machine: what is wrong with it, a shell on it, off and on. */
import { sentence } from "../errors.ts";
import { type Context, carryOut } from "./context.ts";
import { provePassword } from "./server.ts";

interface Finding {
  state: "good" | "warning" | "bad";
  what: string;
  advice?: string | null;
}

const MARKS: Record<Finding["state"], string> = { good: "[ ok ]", warning: "[warn]", bad: "[BAD ]" };

export async function diagnose(context: Context): Promise<void> {
  const { dialogue, node, watch } = context;
  const findings = await carryOut(context, () => node.ask<Finding[]>("GET", "/doctor"));
  const alarms = watch.status?.alarms.map(({ message }) => `[BAD ] ${message}`) ?? [];
  await dialogue.page([
    "",
    ...alarms,
    ...findings.map(({ state, what, advice }) => `${MARKS[state]} ${what}${advice ? ` ${advice}` : ""}`),
  ]);
}

export async function openConsole(context: Context): Promise<void> {
  const { dialogue, console_command } = context;
  if (console_command === null) return;
  await provePassword(context);
  dialogue.print("`exit` comes back to the menu.");
  let trouble = "";
  dialogue.terminal.lend(() => {
    try {
      Bun.spawnSync(["/bin/sh", "-c", `exec ${console_command}`], {
        stdin: "inherit",
        stdout: "inherit",
        stderr: "inherit",
      });
    } catch (error) {
      trouble = sentence(error);
    }
  });
  dialogue.print(trouble === "" ? "Back from the console." : `The console cannot be opened: ${trouble}.`);
}

export async function power(context: Context, way: "reboot" | "poweroff"): Promise<void> {
  const { dialogue, node, watch } = context;
  const serves = watch.situation === "active" ? " The other node becomes active first." : "";
  await dialogue.demand(way === "reboot" ? `Reboot this server?${serves}` : `Turn this server off?${serves}`);
  await carryOut(context, () => node.ask("POST", `/system/${way}`, {}));
  dialogue.print(way === "reboot" ? "The server reboots." : "The server turns off.");
  await watch.look();
}

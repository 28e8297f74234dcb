/** `understudy reboot` and `poweroff`: the machine off, and on again; the peer takes over first. */
import { ask } from "./client.ts";
import { type Common, said } from "./commands.ts";

export async function power(common: Common, way: "reboot" | "poweroff"): Promise<void> {
  await ask(common.run, "POST", `/system/${way}`, {});
  said(common, way === "reboot" ? "The server reboots." : "The server turns off.");
}

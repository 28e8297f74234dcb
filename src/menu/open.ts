/** `understudy menu`: the real terminal, and the end of it, however it comes. */
import { openDevice } from "./device.ts";
import { runMenu } from "./menu.ts";

/** `console_command` runs in a shell; without one the menu has no console. */
export async function openMenu(run: string, console_command: string | undefined): Promise<void> {
  const device = openDevice(process.env);
  // A line that is hung up, or an order to stop: the terminal is left as it was found.
  for (const [signal, number] of [
    ["SIGTERM", 15],
    ["SIGHUP", 1],
  ] as const) {
    process.on(signal, () => {
      device.close();
      process.exit(128 + number);
    });
  }
  await runMenu(device, { run, console_command: console_command || null });
  process.exit(0);
}

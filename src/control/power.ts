/** Off and on again: the node ends cleanly, so that its peer takes over, and the machine's own command does the rest. */
import { Failure } from "../errors.ts";

export type PowerWay = "reboot" | "poweroff";

/** The answer to whoever asked leaves first. */
const ANSWERED_MS = 200;
/** A service manager ends whatever a service leaves behind, so the command must have said its word by then. */
const COMMAND_MS_MAX = 5000;

/** Throws Failure `no-command` where the node was started without one. */
export function powerCommand(
  given: { reboot_command: string | null; poweroff_command?: string | null },
  way: PowerWay,
): string {
  const command = way === "reboot" ? given.reboot_command : given.poweroff_command;
  if (command !== null && command !== undefined) return command;
  throw new Failure(
    "no-command",
    `This node was started without --${way}-command; ${way === "reboot" ? "reboot the server" : "turn the server off"} yourself, or start the node with it.`,
  );
}

/** Stops the node, runs the command and is gone. */
export function endWith(command: string, stop: () => Promise<void>): void {
  setTimeout(() => {
    void stop().then(async () => {
      const child = Bun.spawn(["/bin/sh", "-c", command], { stdin: "ignore", stdout: "inherit", stderr: "inherit" });
      await Promise.race([child.exited, Bun.sleep(COMMAND_MS_MAX)]);
      process.exit(0);
    });
  }, ANSWERED_MS);
}

import { expect, test } from "bun:test";
import { Failure } from "../errors.ts";
import { powerCommand } from "./power.ts";

test("each way has its own command, and is refused in one sentence without it", () => {
  const given = { reboot_command: "reboot", poweroff_command: "poweroff" };
  expect(powerCommand(given, "reboot")).toBe("reboot");
  expect(powerCommand(given, "poweroff")).toBe("poweroff");
  for (const way of ["reboot", "poweroff"] as const) {
    let refused: unknown = null;
    try {
      powerCommand({ reboot_command: null }, way);
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(Failure);
    expect(refused).toMatchObject({ code: "no-command", message: expect.stringContaining(`--${way}-command`) });
  }
});

test("the node is there until its command has ended: a service manager would end that one with it", async () => {
  const script = `import { endWith } from "./power.ts"; endWith("sleep 0.5; echo done", async () => console.log("stopped"));`;
  const child = Bun.spawn([process.execPath, "-e", script], { cwd: import.meta.dir, stdout: "pipe", detached: true });
  expect(await child.exited).toBe(0);
  // As systemd does with what is left of a service.
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nothing is left.
  }
  expect(await new Response(child.stdout).text()).toBe("stopped\ndone\n");
});

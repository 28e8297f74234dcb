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

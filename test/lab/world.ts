/**
 * A private world for the lab where the user is not root: the program runs itself again inside new
 * user, network and mount namespaces, where it may do as it likes and nothing outside is touched.
 */
import { mkdirSync } from "node:fs";

const INSIDE = "UNDERSTUDY_LAB_WORLD";

export function enterWorld(): void {
  if (process.getuid?.() === 0) {
    if (process.env[INSIDE] !== undefined) furnish();
    return;
  }
  const allowed = Bun.spawnSync(["unshare", "-Urnm", "true"]).exitCode === 0;
  if (!allowed) {
    console.error(
      "The lab needs network namespaces, and this machine lets only root make them. Run it as root, or allow unprivileged user namespaces: sudo sysctl kernel.unprivileged_userns_clone=1",
    );
    process.exit(1);
  }
  const { exitCode } = Bun.spawnSync(["unshare", "-Urnm", process.execPath, ...process.argv.slice(1)], {
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
    env: { ...process.env, [INSIDE]: "1" },
  });
  process.exit(exitCode);
}

/** `ip netns` wants a /run of its own. */
function furnish(): void {
  Bun.spawnSync(["mount", "-t", "tmpfs", "tmpfs", "/run"]);
  mkdirSync("/run/netns", { recursive: true });
}

/**
 * A private world for the lab where the user is not root: new user, network and mount namespaces,
 * in which one may do as one likes and nothing outside is touched.
 */

const REFUSED = `The lab needs network namespaces, and this machine lets only root make them.
Run it as root, or allow unprivileged user namespaces: sudo sysctl -w kernel.unprivileged_userns_clone=1 (Debian),
or sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu).`;

/** `ip netns` wants a /run of its own, and the lab's processes end with the world. */
const FURNISH = 'mount -t tmpfs tmpfs /run && mkdir -p /run/netns && exec "$@"';

/** The command, made to run where the lab may make its namespaces; ends the program where that is refused. */
export function inWorld(command: string[]): string[] {
  if (process.getuid?.() === 0) return command;
  if (Bun.spawnSync(["unshare", "-Urnm", "true"]).exitCode !== 0) {
    console.error(REFUSED);
    process.exit(1);
  }
  return ["unshare", "-Urnm", "--kill-child", "--fork", "sh", "-c", FURNISH, "sh", ...command];
}

/** Runs this very program again inside the world, unless it may stay where it is. */
export function enterWorld(): void {
  if (process.getuid?.() === 0) return;
  const { exitCode } = Bun.spawnSync(inWorld([process.execPath, ...process.argv.slice(1)]), {
    // With what this program has added to it (doorway.ts).
    env: process.env,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  });
  process.exit(exitCode);
}

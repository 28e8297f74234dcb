/** Running commands for the lab; every failure names the command and what it said. */

export function sh(command: string[], options: { input?: string; allow_failure?: boolean } = {}): string {
  const result = Bun.spawnSync(command, {
    stdin: options.input === undefined ? "ignore" : Buffer.from(options.input),
    stdout: "pipe",
    stderr: "pipe",
  });
  if (result.exitCode !== 0 && !options.allow_failure) {
    throw new Error(`${command.join(" ")}: ${result.stderr.toString().trim() || `exit status ${result.exitCode}`}`);
  }
  return result.stdout.toString();
}

/** Polls until `what` holds; one honest limit, and the reason in the failure. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limit_ms = 15_000): Promise<void> {
  const deadline_ms = performance.now() + limit_ms;
  while (!(await holds())) {
    if (performance.now() > deadline_ms) throw new Error(`Not so after ${limit_ms} ms: ${what}`);
    await Bun.sleep(20);
  }
}

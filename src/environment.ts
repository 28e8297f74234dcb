/**
 * The environment of our children. A compiled Bun obeys BUN_* and JSC options from its environment;
 * a privileged service must not be steered that way, so children get a short list of names only.
 * (For the first process nothing can be done here: the runtime has read its environment before this
 * code runs. A service manager starts it with a clean one.)
 */

const KEPT = ["PATH", "HOME", "LANG", "TERM", "TZ", "BUN_TMPDIR", "TMPDIR"];

export function scrubbedEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of KEPT) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

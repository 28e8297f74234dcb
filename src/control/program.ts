/** Another program run to its end, within a time limit, with what it said at last where it fails. */
import { sentence } from "../errors.ts";

const TERMINATE_MS = 2000;
/** What is left in the pipe when it has ended; a child of its own may hold the pipe open for ever. */
const DRAIN_MS = 200;
const SAID_CHARACTERS_MAX = 500;

/** Null where it ended well; otherwise what went wrong, the end of a sentence. */
export async function runProgram(
  command: string[],
  env: Record<string, string>,
  ms_max: number,
): Promise<string | null> {
  let said = "";
  const listen = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of stream)
      said = (said + decoder.decode(chunk, { stream: true })).slice(-SAID_CHARACTERS_MAX);
  };
  let child: ReturnType<typeof spawn>;
  try {
    child = spawn(command, env);
  } catch (error) {
    return `cannot be run: ${sentence(error)}.`;
  }
  const heard = Promise.all([listen(child.stdout), listen(child.stderr)]).catch(() => {});
  const timers = [
    setTimeout(() => killGroup(child.pid, "SIGTERM"), ms_max),
    setTimeout(() => killGroup(child.pid, "SIGKILL"), ms_max + TERMINATE_MS),
  ];
  const started_ms = performance.now();
  const status = await child.exited;
  for (const timer of timers) clearTimeout(timer);
  if (status === 0) return null;
  await Promise.race([heard, Bun.sleep(DRAIN_MS)]);
  const why =
    performance.now() - started_ms >= ms_max
      ? `did not end within ${ms_max / 1000} s and was ended`
      : `ended with ${child.signalCode ?? `status ${status}`}`;
  const text = said.replace(/\p{Cc}+/gu, " ").trim();
  return text === "" ? `${why}.` : `${why}; it said: ${text}`;
}

function spawn(command: string[], env: Record<string, string>) {
  return Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe", env, cwd: "/", detached: true });
}

/** Its children too. */
function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}

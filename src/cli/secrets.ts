/** Passwords and passphrases at the command line: asked without echo, or read from a file, never from the arguments. */
import { readFileSync } from "node:fs";
import { Failure, sentence } from "../errors.ts";

const SECRET_BYTES_MAX = 4096;

/** The first line of a file, or of standard input for `-`. */
export async function secretFrom(file: string): Promise<string> {
  let text: string;
  try {
    text = file === "-" ? await firstLine() : readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure("bad-file", `${file} cannot be read: ${sentence(error)}.`);
  }
  const line = text.split(/\r?\n/, 1)[0] ?? "";
  if (line === "")
    throw new Failure("bad-file", `${file === "-" ? "Standard input" : file} has no first line to read.`);
  return line;
}

/** Twice from a terminal, so that a slip of the finger locks nobody out; otherwise one line of standard input. */
export async function newSecret(what: string): Promise<string> {
  if (!process.stdin.isTTY) return secretFrom("-");
  const first = await askHidden(`New ${what}: `);
  if ((await askHidden(`The same ${what} again: `)) !== first)
    throw new Failure("not-the-same", "The two are not the same; nothing was changed.");
  return first;
}

/** One secret that exists already: from a terminal, or one line of standard input. */
export function knownSecret(what: string): Promise<string> {
  return process.stdin.isTTY ? askHidden(`${what}: `) : secretFrom("-");
}

async function firstLine(): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const part of Bun.stdin.stream()) {
    text += decoder.decode(part, { stream: true });
    if (text.includes("\n") || text.length > SECRET_BYTES_MAX) break;
  }
  return text;
}

/** Resolves at Enter. Ctrl+C and Ctrl+D cancel; nothing of it is shown. */
function askHidden(prompt: string): Promise<string> {
  const { stdin } = process;
  // Before the prompt: whoever types as soon as it is there would else be shown what they type.
  stdin.setRawMode(true);
  return new Promise((resolve, reject) => {
    let typed = "";
    const end = (settle: () => void) => {
      stdin.off("data", take);
      stdin.setRawMode(false);
      stdin.pause();
      process.stderr.write("\n");
      settle();
    };
    const take = (data: string | Buffer) => {
      for (const key of data.toString()) {
        if (key === "\r" || key === "\n") return end(() => resolve(typed));
        if (key === "\x03" || key === "\x04") return end(() => reject(new Failure("cancelled", "Cancelled.")));
        if (key === "\x7f" || key === "\b") typed = [...typed].slice(0, -1).join("");
        else if (key === "\x15") typed = "";
        else if (typed.length < SECRET_BYTES_MAX && key >= " ") typed += key;
      }
    };
    stdin.setEncoding("utf8");
    stdin.on("data", take);
    stdin.resume();
    process.stderr.write(prompt);
  });
}

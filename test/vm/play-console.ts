/** A terminal at a machine's console: every key goes there, everything from there is shown. Ends with the machines. */
import { sentence } from "../../src/errors.ts";

export async function attach(path: string): Promise<void> {
  const ended = Promise.withResolvers<void>();
  try {
    const socket = await Bun.connect({
      unix: path,
      socket: {
        data: (_, bytes) => void process.stdout.write(bytes),
        close: () => ended.resolve(),
        error: () => ended.resolve(),
      },
    });
    if (process.stdin.isTTY) process.stdin.setRawMode(true);
    process.stdin.on("data", (bytes: Buffer) => void socket.write(bytes));
    // The menu draws again, for whoever comes later.
    socket.write("\r");
  } catch (error) {
    console.error(`There is no console: ${sentence(error)}.`);
    process.exit(1);
  }
  await ended.promise;
  process.exit(0);
}

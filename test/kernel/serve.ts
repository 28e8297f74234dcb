/** The loop of an agent in a namespace: one JSON line in names an operation, one line out is its answer. */
import { createInterface } from "node:readline";
import { SystemFailure } from "../../src/errors.ts";

export async function serve(operations: object): Promise<never> {
  const named = operations as Record<string, (...values: unknown[]) => unknown>;
  for await (const line of createInterface({ input: process.stdin })) {
    const [name = "", ...values] = JSON.parse(line) as string[];
    let answer: unknown;
    try {
      answer = { value: named[name]?.(...values) ?? null };
    } catch (error) {
      answer =
        error instanceof SystemFailure
          ? { message: error.message, code: error.errno, operation: error.operation }
          : { message: (error as Error).message, code: (error as { code?: string }).code };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}

/**
 * Failures as values: a stable code for programs, one plain sentence for people.
 * The sentence names what is wrong and what to do; the code never changes.
 */

/** A refused or failed operation. `code` is kebab-case and stable; `message` is one sentence. */
export class Failure extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "Failure";
    this.code = code;
  }
}

/** A failed system call, as the shim reports it: which operation, on what, and errno by name. */
export class SystemFailure extends Failure {
  readonly operation: string;
  readonly errno: string;

  constructor(operation: string, errno: string, message: string) {
    super("system", message);
    this.operation = operation;
    this.errno = errno;
  }
}

/** The one plain sentence of anything that was thrown. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

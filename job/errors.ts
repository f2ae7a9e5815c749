/** What every room throws when a person has to act: a message, a stable code and a hint. */
export interface LlamaErrorOptions extends ErrorOptions {
  /** What the reader can do about it, one sentence without a final period. */
  hint?: string;
  /** Exit status of the command that fails with this error, 1 unless given. */
  exitCode?: number;
}

/** An error for people: one line that says what failed, on what value and why. */
export class LlamaError extends Error {
  /** Name of the class. */
  override readonly name: string = "LlamaError";
  /** Stable machine-readable name, such as `FunctionNotFound`. */
  readonly code: string;
  /** What the reader can do about it. */
  readonly hint: string | undefined;
  /** Exit status of the command that fails with this error. */
  readonly exitCode: number;

  /** Creates an error with a stable `code` and a one-line `message`. */
  constructor(code: string, message: string, options: LlamaErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** Thrown when a value that came from outside does not have the shape that its format demands. */
export class FormatError extends LlamaError {
  /** Name of the class. */
  override readonly name = "FormatError";

  /** Creates an error for the value called `what`. */
  constructor(what: string, problem: string, options: LlamaErrorOptions = {}) {
    super("BadFormat", `Cannot read ${what}: ${problem}`, options);
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
